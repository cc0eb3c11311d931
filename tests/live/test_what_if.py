# SPDX-License-Identifier: MIT
"""What-if against real runs: one CPU predicts two, two predict one, GIL threads predict processes.

Other programs on the machine lengthen a real run. So the runs that predictions are held against are real-time
(SCHED_RR, with slices of the ordinary length): no ordinary program takes a CPU from them, whatever else the machine
does. A pair counts if nothing else had their CPUs for 5 % of the time.

The same programs under the ordinary scheduler, with whatever load there is: there the prediction is held against the
other recording with others' load taken out of it (its own replay).

A virtual machine's CPUs are not the same from one second to the next, and two at once may be slower than one alone. That
is no part of a prediction: each time is taken per second of CPU time that its run took. That check, as the others that a
pair has to pass, knows nothing of the prediction.

The median error of PAIRS pairs counts; where it is over the limit, that of MORE pairs, all of them, good or bad. Fewer tell
nothing. Every pair goes to build/what-if.ndjson.
"""
import contextlib
import json
import os
import pathlib
import re
import statistics
import subprocess

from lib import (Skip, cgroup_with_quota, check, corun, programs, record, report, run, scratch, test, top, until)

TRIES = 14
PAIRS, MORE = 3, 9
OTHER_CPUS = 0.25  # CPU times further apart: no speed of a CPU explains that
PYTHON = """
import sys, threading, multiprocessing
def work():
    x = 0
    for i in range(4000000): x += i
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


def undisturbed(trace, figures, cpus):
    wall = figures["window"]["duration_ns"]
    return figures["window"]["steal_ns"] < 0.05 * wall and alone_ns(trace, cpus) > 0.95 * wall


def cpu_ns(figures):
    return figures["time_ns"]["running"]


def same_work(a, b):
    return abs(cpu_ns(a) - cpu_ns(b)) < OTHER_CPUS * max(cpu_ns(a), cpu_ns(b))


def note(label, kind, predicted, recorded, real, other):
    """Error in percent of the time @predicted from the figures @recorded, against @real, the time of the run @other."""
    error = 100 * (predicted / cpu_ns(recorded) / (real / cpu_ns(other)) - 1)
    line = {"program": kind, "what": label, "predicted_ms": round(predicted / 1e6, 1), "real_ms": round(real / 1e6, 1),
            "cpu_ms": [round(cpu_ns(f) / 1e6, 1) for f in (recorded, other)], "error_percent": round(error, 1)}
    with open(top / "build/what-if.ndjson", "a") as out:
        out.write(json.dumps(line) + "\n")
    return line["error_percent"]


def medians(errors):
    return [round(statistics.median(column), 1) for column in zip(*errors)]


def judge(kind, runs, accept, errors_of, limit):
    """Medians within @limit percent; each of @runs makes (trace, figures), @errors_of the errors of an accepted pair."""
    errors = []
    for _ in range(TRIES):
        if len(errors) == MORE or len(errors) == PAIRS and all(abs(m) <= limit for m in medians(errors)):
            break
        pair = [each() for each in runs]
        if accept(*pair):
            errors.append(errors_of(*pair))
    if len(errors) < PAIRS:
        raise Skip(f"only {len(errors)} of {TRIES} pairs of runs can be compared here")
    check(all(abs(m) <= limit for m in medians(errors)), kind, "predicted against real, percent:", errors)
    return f"median error {medians(errors)} % of {len(errors)} pairs, limit {limit} %"


def need_two():
    if (os.cpu_count() or 1) < 2:
        raise Skip("one CPU")
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    except PermissionError:
        raise Skip("no real-time scheduling here")


def wall_ns(run, cpus, ordinary):
    return alone_ns(run[0], cpus) if ordinary else run[1]["window"]["duration_ns"]


def comparable(a, b, ordinary):
    """@a, @b: (trace, figures, CPUs)."""
    return same_work(a[1], b[1]) and all(alone_ns(r[0], r[2]) if ordinary else undisturbed(*r) for r in (a, b))


def both_ways(kind, command, limit, ordinary=False):
    need_two()

    def errors_of(one, two):
        label = " (others' load taken out)" if ordinary else ""
        return (note("1 to 2 CPUs" + label, kind, predict(one[0], "cpus=2")["duration_ns"], one[1], wall_ns(two, 2, ordinary),
                     two[1]),
                note("2 to 1 CPUs" + label, kind, predict(two[0], "cpus=1")["duration_ns"], two[1], wall_ns(one, 1, ordinary),
                     one[1]))

    with slices():
        return judge(kind, (lambda: run_on("one.corun", command, 1, ordinary), lambda: run_on("two.corun", command, 2, ordinary)),
                     lambda one, two: comparable((*one, 1), (*two, 2), ordinary), errors_of, limit)


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


def without_the_gil(ordinary):
    need_two()

    def errors_of(threads, forked):
        return (note("GIL threads to processes" + (" (others' load taken out)" if ordinary else ""), "python3",
                     predict(threads[0], "cpus=2,no-gil")["duration_ns"], threads[1], wall_ns(forked, 2, ordinary), forked[1]),)

    with slices():
        return judge("python3", [lambda how=how: run_on(f"{how}.corun", ("python3", "-c", PYTHON, how), 2, ordinary)
                                 for how in ("threads", "processes")],
                     lambda threads, forked: comparable((*threads, 2), (*forked, 2), ordinary), errors_of, 15)


@test
def what_if_without_the_gil():
    return without_the_gil(ordinary=False)


@test
def what_if_without_the_gil_ordinary_scheduler():
    return without_the_gil(ordinary=True)


@test
def run_says_how_long_it_would_take_without_the_gil():
    folder = scratch / "prediction"
    folder.mkdir()
    (folder / "work.py").write_text(PYTHON)
    for how in ("threads", "processes"):
        said = run(corun, "run", "--", "python3", "work.py", how, cwd=folder, status=0).stdout
        trace = folder / ("work.corun" if how == "threads" else "work-2.corun")
        figures, answer = report(trace), predict(trace, "no-gil")
        sentence = re.search(r"^Without the GIL this work would take about (\S+ \S+) on (\d+) CPUs? instead of", said, re.M)
        # On one CPU, or where its replay is refused, there is nothing to say.
        told = figures["verdict"]["cause"] == "gil" and answer.get("duration_ns", 0) < 0.95 * answer["recorded_ns"]
        check(bool(sentence) == (told and not answer.get("refused")), how, said[:600], answer)
        if sentence:
            number, unit = sentence[1].split()
            ns = float(number) * {"s": 1e9, "ms": 1e6}[unit]
            check(abs(ns - answer["duration_ns"]) < 0.01 * ns and int(sentence[2]) == answer["cpus"], sentence[0], answer)


@test
def what_if_of_a_throttled_program_is_refused():
    # A fiftieth of a CPU: less than it is left on a machine with many other programs.
    with cgroup_with_quota(2000, 100000) as folder:
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
