# SPDX-License-Identifier: MIT
"""What programs tell by themselves: corun.h, corun_marks.py, CORUN_FACTS."""
import glob
import json
import os
import shutil

from lib import check, corun, dump, identity, no_loss, programs, record, remarks, report, run, scratch, test, top, until


def tasks_of(trace):
    return report(trace)["tasks"]


@test
def marks_of_eight_jobs_on_two_threads():
    trace, out = record(programs / "marked", "jobs")
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    check(remarks(figures) == [], figures["notes"])
    tasks = figures["tasks"]
    check(tasks["count"] == 8 and tasks["steps"] == 24, tasks["count"], tasks["steps"])
    check(tasks["parallelism"]["max"] <= 2 and tasks["concurrency"]["max"] == 8, tasks["concurrency"])
    rows = {r["name"]: r for r in tasks["list"]}
    true = {}
    for line in out.splitlines():
        i, begin, end = map(int, line.split())
        true.setdefault(i, []).append((begin, end))
    steps = {}
    for ts, kind, fields in dump(trace):
        if kind == "task" and fields["op"] in ("step", "wait", "end"):
            seconds, ns = ts.split(".")
            steps.setdefault(int(fields["task"]) - 1, []).append(int(seconds) * 10**9 + int(ns))
    for i in range(8):
        row = rows["job %d" % i]
        check(row["steps"] == 3 and row["outcome"] == ("exception" if i == 7 else "result"), row)
        check(row["creator"] == (rows["job 0"]["id"] if i else None), row)
        # Every state of a task, to the nanosecond.
        check(sum(row["time_ns"].values()) == row["alive_ns"] == row["end_ns"] - row["start_ns"], row)
        check(row["time_ns"]["sleep"] >= 4_000_000, row)
        for (begin, end), recorded in zip(true[i], zip(steps[i][0::2], steps[i][1::2])):
            check(recorded[0] <= begin and end <= recorded[1], i, recorded, begin, end)
    for curve in ("concurrency", "parallelism", "demand", "alive"):
        check(sum(tasks[curve]["time_ns_at"]) == figures["window"]["duration_ns"], curve)
    running = sum(k * ns for k, ns in enumerate(tasks["parallelism"]["time_ns_at"]))
    check(running == tasks["time_ns"]["running"], "P and running time", running, tasks["time_ns"])
    region = next(r for r in figures["regions"] if r["name"] == "work")
    check(region["tasks"]["count"] == 8 and region["tasks"]["steps"] == 24, region["tasks"])
    facts = [json.loads(f[2]["json"]) for f in dump(trace) if f[1] == "fact"]
    check(facts == ['{"jobs":8}'], facts)


@test
def first_marks_of_many_threads_at_once():
    for _ in range(5):
        trace, _ = record(programs / "marks_at_once")
        facts = report(trace)["facts"]
        check(len(set(facts)) == 16, facts)


@test
def marks_with_hostile_names():
    trace, _ = record(programs / "marked", "names")
    rows = tasks_of(trace)["list"]
    check(rows[0]["name"] == "x" * 10000, len(rows[0]["name"]))
    check(rows[1]["name"] == "" and rows[1]["outcome"] == "cancelled" and "other" in rows[1]["time_ns"], rows[1])
    for form in ("chrome", "ndjson"):
        run(corun, "export", "-f", form, "-o", scratch / "names", trace)
    text = run(corun, "report", trace, status=0).stdout
    check("\x1b" not in text and "\x01" not in text, text)


@test
def marks_faster_than_they_are_read_are_counted():
    trace, _ = record(programs / "marked", "flood")
    figures = report(trace)
    read = sum(1 for r in dump(trace) if r[1] == "task" and r[2]["op"] == "step")
    lost = sum(int(n.split()[0]) for n in figures["notes"] if "written over" in n)
    check(read + lost >= 3_000_000, read, lost, figures["notes"])
    if lost:
        check(figures["tasks"]["time_ns"]["unknown"] > 0, figures["tasks"]["time_ns"])
    return f"{lost} of 3000000 lost"


@test
def marks_of_many_tasks():
    trace, _ = record(programs / "marked", "many", "1000000")
    tasks = tasks_of(trace)
    lost = sum(int(n.split()[0]) for n in report(trace)["notes"] if "written over" in n)
    check(tasks["count"] == 1000000 or lost, tasks["count"])
    check(len(tasks["list"]) == 10000 and tasks["not_listed"] == tasks["count"] - 10000, tasks["not_listed"])


@test
def marks_of_a_program_that_dies_in_a_step():
    trace, _ = record(programs / "marked", "abort", status=134)
    row = tasks_of(trace)["list"][0]
    in_step = row["time_ns"]["running"] + row["time_ns"]["ready"]
    check(row["outcome"] is None and row["steps"] == 1 and in_step > 500_000, row)


@test
def marks_from_python_with_threads_and_fork():
    shutil.copy(top / "userspace/hook/corun_marks.py", scratch / "corun_marks.py")
    program = scratch / "marks.py"
    program.write_text("""
import os, threading
import corun_marks as corun
def work(n):
    for i in range(500):
        job = corun.task_begin("job", "t%d-%d " % (n, i) + "x" * (i % 100))
        corun.task_step(job)
        corun.task_end(job)
with corun.region("work"):
    threads = [threading.Thread(target=work, args=(n,)) for n in range(3)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    if not os.fork():
        work(3)
        corun.fact(child=True)
        os._exit(0)
    os.wait()
    corun.fact({"recording": corun.recording()})
os.write(int(os.environ.get("CORUN_FACTS", 2)), b'{"by": "hand"}\\n')
""")
    pythons = ["/usr/bin/python3"] + sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3*/bin/python")))
    for path in filter(os.path.exists, pythons):
        alone = run(path, program)
        check(alone.stderr.endswith('{"by": "hand"}\n') and alone.returncode == 0, path, alone)
        trace, _ = record(path, program)
        figures = report(trace)
        check(remarks(figures) == [], path, figures["notes"])
        names = [r["name"] for r in figures["tasks"]["list"]]
        wanted = {"t%d-%d " % (n, i) + "x" * (i % 100) for n in range(4) for i in range(500)}
        check(set(names) == wanted and len(names) == 2000, path, len(names))
        region = next(r for r in figures["regions"] if r["name"] == "work")
        check(region["times"] == 1 and region["tasks"]["count"] == 2000, path, region["tasks"]["count"])
        facts = [json.loads(json.loads(f[2]["json"])) for f in dump(trace) if f[1] == "fact"]
        check({"child": True} in facts and {"recording": True} in facts and {"by": "hand"} in facts, facts)


@test
def marks_leave_nothing_behind():
    before = set(glob.glob("/dev/shm/corun-*") + glob.glob("/run/corun-*"))
    record(programs / "marked", "jobs")
    run(corun, "record", "-q", "-o", scratch / "none.corun", "--", "/no/such/program", status=1)
    after = set(glob.glob("/dev/shm/corun-*") + glob.glob("/run/corun-*"))
    # Those of others who record here too go when they are done.
    until(lambda: not any(os.path.exists(p) for p in after - before), "the end of " + str(after - before))
