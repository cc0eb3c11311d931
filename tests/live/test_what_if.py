# SPDX-License-Identifier: MIT
"""What-if against real runs: one CPU predicts two, two predict one, GIL threads predict processes.

Other programs on the machine lengthen a real run. So the runs that predictions are held against are real-time
(SCHED_RR, with slices of the ordinary length): no ordinary program takes a CPU from them, whatever else the machine
does. A virtual machine's CPUs are not
the same from one second to the next: a pair counts if both runs took the same CPU time within 5 %, with under
3 % steal, and nothing else had their CPUs for 5 % of the time. That check knows nothing of the prediction.
The median error of PAIRS pairs counts, good or bad. Every pair goes to build/what-if.ndjson.

The same programs under the ordinary scheduler, with whatever load there is: there the prediction is held against the
other recording with others' load taken out of it (its own replay).
"""
import contextlib
import json
import os
import pathlib
import statistics
import subprocess

from lib import (Skip, cgroup_with_quota, check, corun, programs, record, report, run, scratch, test, top, until)

TRIES = 12
PAIRS = 3
PYTHON = """
import sys, threading, multiprocessing
def work():
    x = 0
    for i in range(1500000): x += i
kind = threading.Thread if sys.argv[1] == "threads" else multiprocessing.get_context("fork").Process
jobs = [kind(target=work) for _ in range(4)]
for j in jobs: j.start()
for j in jobs: j.join()
"""


@contextlib.contextmanager
def slices():
    """Threads of equal real-time priority take turns as often as ordinary ones, not every 100 ms."""
    length = pathlib.Path("/proc/sys/kernel/sched_rr_timeslice_ms")
    before = length.read_text()
    length.write_text("4")
    try:
        yield
    finally:
        # Another run of this test may have set it before: 0 is the kernel's own length.
        length.write_text("0" if before.strip() == "4" else before)


def real_time():
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))


def run_on(name, command, cpus, ordinary=False):
    """(trace, figures) of a run on so many CPUs."""
    trace, _ = record(*(["taskset", "-c", "0"] if cpus == 1 else []), *command, name=name,
                      preexec_fn=None if ordinary else real_time)
    return trace, report(trace)


def predict(trace, question):
    return report(trace, "--what-if", question)["what_if"]


def alone_ns(trace, cpus):
    """How long it would have taken without other programs; 0: cannot be told."""
    return predict(trace, f"cpus={cpus}").get("duration_ns", 0)


def quiet(trace, figures, cpus):
    wall = figures["window"]["duration_ns"]
    return figures["window"]["steal_ns"] < 0.03 * wall and alone_ns(trace, cpus) > 0.95 * wall


def same_work(a, b, share=0.05):
    cpu = [f["time_ns"]["running"] for f in (a, b)]
    return abs(cpu[0] - cpu[1]) < share * max(cpu)


def note(label, kind, predicted, real):
    line = {"program": kind, "what": label, "predicted_ms": round(predicted / 1e6, 1),
            "real_ms": round(real / 1e6, 1), "error_percent": round(100 * (predicted / real - 1), 1)}
    with open(top / "build/what-if.ndjson", "a") as out:
        out.write(json.dumps(line) + "\n")
    return line["error_percent"]


def judge(kind, errors, limit):
    """The median of each column of @errors, in percent, within @limit."""
    if not errors:
        raise Skip(f"the CPUs were not the same for two runs, {TRIES} times")
    medians = [round(statistics.median(column), 1) for column in zip(*errors)]
    check(all(abs(m) <= limit for m in medians), kind, "predicted against real, percent:", errors)
    return f"median error {medians} % of {len(errors)} pairs, limit {limit} %"


def pairs(runs, accept, errors_of):
    """Errors of the first PAIRS pairs of runs that are accepted; each of @runs makes (trace, figures)."""
    errors = []
    for _ in range(TRIES):
        pair = [each() for each in runs]
        if accept(*pair):
            errors.append(errors_of(*pair))
        if len(errors) == PAIRS:
            break
    return errors


def need_two():
    if (os.cpu_count() or 1) < 2:
        raise Skip("one CPU")
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except PermissionError:
        raise Skip("no real-time scheduling here")


def both_ways(kind, command, limit, ordinary=False):
    need_two()

    def accept(one, two):
        if ordinary:
            return same_work(one[1], two[1]) and alone_ns(one[0], 1) and alone_ns(two[0], 2)
        return same_work(one[1], two[1]) and quiet(*one, 1) and quiet(*two, 2)

    def wall(run, cpus):
        return alone_ns(run[0], cpus) if ordinary else run[1]["window"]["duration_ns"]

    def errors_of(one, two):
        label = " (others' load taken out)" if ordinary else ""
        return (note("1 to 2 CPUs" + label, kind, predict(one[0], "cpus=2")["duration_ns"], wall(two, 2)),
                note("2 to 1 CPUs" + label, kind, predict(two[0], "cpus=1")["duration_ns"], wall(one, 1)))

    with slices():
        errors = pairs((lambda: run_on("one.corun", command, 1, ordinary),
                        lambda: run_on("two.corun", command, 2, ordinary)), accept, errors_of)
    return judge(kind, errors, limit)


def make():
    """Eight jobs of make, each a process of its own that forks and waits."""
    makefile = scratch / "Makefile.what-if"
    jobs = " ".join(f"job{i}" for i in range(8))
    makefile.write_text(f"all: {jobs}\n{jobs}:\n\t@{top}/build/live/work one\n")
    return "make", "-j4", "-f", makefile


# In percent: real-time, ordinary. How long a straggler takes on two CPUs hangs on who shares its CPU (from 3 to 4 units of
# work), and who takes an item from a queue on who comes first: in real runs too. Real-time threads that hold a lock nearly
# always come one after the other on one CPU: the last one finds it free, and nothing tells that it took it.
LIMITS = {kind: (10, 10) for kind in ("threads", "processes", "pipe", "pipeline", "lock", "sleepers", "make -j4")}
LIMITS |= {"convoy": (None, 10), "queue": (30, 30), "straggler": (None, 30)}


def add(kind, limit, ordinary):
    def what_if():
        return both_ways(kind, make() if kind.startswith("make") else (top / "build/live/work", kind), limit, ordinary)
    what_if.__name__ = f"what_if_{kind}" + (", ordinary scheduler" if ordinary else "")
    test(what_if)


for _kind, _limits in LIMITS.items():
    for _limit, _ordinary in zip(_limits, (False, True)):
        if _limit:
            add(_kind, _limit, _ordinary)


@test
def what_if_without_the_gil():
    need_two()
    errors = pairs((lambda: run_on("threads.corun", ("python3", "-c", PYTHON, "threads"), 2),
                    lambda: run_on("processes.corun", ("python3", "-c", PYTHON, "processes"), 2)),
                   lambda threads, forked: (same_work(threads[1], forked[1], 0.08) and quiet(*threads, 2) and
                                            quiet(*forked, 2)),
                   lambda threads, forked: (note("GIL threads to processes", "python3",
                                                 predict(threads[0], "cpus=2,no-gil")["duration_ns"],
                                                 forked[1]["window"]["duration_ns"]),))
    return judge("python3", errors, 15)


@test
def what_if_of_a_throttled_program_is_refused():
    with cgroup_with_quota(20000, 100000) as folder:
        burner = subprocess.Popen(["sh", "-c", f"echo $$ > {folder}/cgroup.procs; exec {programs}/spin 1 100"])
        trace = scratch / "throttled.corun"
        try:
            until(lambda: pathlib.Path(folder, "cgroup.procs").read_text(), "the burner in its cgroup")
            run(corun, "record", "-q", "-o", trace, "--cgroup", folder, "-d", "500ms", status=0)
        finally:
            burner.kill()
            burner.wait()
    answer = predict(trace, "cpus=2")
    check(answer.get("refused") and answer["refused_because"] == "cpu-quota", answer)
