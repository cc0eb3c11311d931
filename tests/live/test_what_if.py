# SPDX-License-Identifier: MIT
"""What-if against real runs: one CPU predicts two, two predict one, GIL threads predict processes.

Other programs on the machine lengthen a real run, and a virtual machine's CPUs are not the same from one
second to the next. So a pair of runs counts only if it was quiet: the same CPU time in both within 5 %,
under 3 % steal in each, and each replayed without other programs' load as long as it was within 5 %. That
check knows nothing of the prediction. Of five quiet pairs the median error counts, good or bad. Where fewer
can be had, only a gross error counts: two real runs of 40 ms with a fought-over lock differ by 10 % themselves.
Without a quiet pair a test is skipped, and says so. Every quiet pair goes to build/what-if.ndjson.
"""
import json
import os
import pathlib
import statistics
import subprocess

from lib import (Skip, cgroup_with_quota, check, corun, programs, record, report, run, scratch, test, top, until)

TRIES = 16
PAIRS = 5
GROSS = 30  # percent
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


def run_on(name, command, cpus):
    trace, _ = record(*(["taskset", "-c", "0"] if cpus == 1 else []), *command, name=name)
    return trace, report(trace)


def predict(trace, question):
    return report(trace, "--what-if", question)["what_if"]


def undisturbed(trace, figures, cpus):
    answer = predict(trace, f"cpus={cpus}")
    return (not answer.get("refused") and figures["window"]["steal_ns"] < 0.03 * answer["recorded_ns"] and
            answer["duration_ns"] > 0.95 * answer["recorded_ns"])


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
    """The median of each column of @errors, in percent, within @limit; of fewer than PAIRS within GROSS."""
    if not errors:
        raise Skip(f"no quiet pair of runs in {TRIES}: other programs have the CPUs")
    limit = limit if len(errors) >= PAIRS else GROSS
    medians = [round(statistics.median(column), 1) for column in zip(*errors)]
    check(all(abs(m) <= limit for m in medians), kind, "predicted against real, percent:", errors)
    return f"median error {medians} % of {len(errors)} quiet pairs, limit {limit} %"


def both_ways(kind, command, limit=10):
    errors = []
    for _ in range(TRIES):
        one_trace, one = run_on("one.corun", command, 1)
        two_trace, two = run_on("two.corun", command, 2)
        if not same_work(one, two) or not undisturbed(one_trace, one, 1) or not undisturbed(two_trace, two, 2):
            continue
        up, down = predict(one_trace, "cpus=2"), predict(two_trace, "cpus=1")
        errors.append((note("1 to 2 CPUs", kind, up["duration_ns"], two["window"]["duration_ns"]),
                       note("2 to 1 CPUs", kind, down["duration_ns"], one["window"]["duration_ns"])))
        if len(errors) == PAIRS:
            break
    return judge(kind, errors, limit)


def add(kind, command, limit=10):
    def what_if():
        if (os.cpu_count() or 1) < 2:
            raise Skip("one CPU")
        return both_ways(kind, command, limit)
    what_if.__name__ = f"what_if_{kind}"
    test(what_if)


# How long a straggler takes on two CPUs hangs on who shares its CPU: from 3 to 4 units of work, in real runs too.
for _kind, _limit in (("threads", 10), ("processes", 10), ("pipe", 10), ("pipeline", 10), ("lock", 10),
                      ("sleepers", 10), ("straggler", GROSS)):
    add(_kind, (top / "build/live/work", _kind), _limit)


@test
def what_if_make():
    """Eight jobs of make, each a process of its own that forks and waits."""
    makefile = scratch / "Makefile.what-if"
    jobs = " ".join(f"job{i}" for i in range(8))
    makefile.write_text(f"all: {jobs}\n{jobs}:\n\t@{top}/build/live/work one\n")
    return both_ways("make -j4", ("make", "-j4", "-f", makefile))


@test
def what_if_without_the_gil():
    errors = []
    for _ in range(TRIES):
        trace, threads = run_on("threads.corun", ("python3", "-c", PYTHON, "threads"), 2)
        forked, processes = run_on("processes.corun", ("python3", "-c", PYTHON, "processes"), 2)
        if (not undisturbed(forked, processes, 2) or not undisturbed(trace, threads, 2) or
                not same_work(threads, processes, 0.08)):
            continue
        answer = predict(trace, "cpus=2,no-gil")
        errors.append((note("GIL threads to processes", "python3", answer["duration_ns"],
                            processes["window"]["duration_ns"]),))
        if len(errors) == PAIRS:
            break
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
