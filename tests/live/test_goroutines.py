# SPDX-License-Identifier: MIT
"""Goroutines against what they noted themselves: every wait, none invented, none missing."""
import json
import os
import statistics
import subprocess

from lib import (check, corun, dump, here, need, no_loss, programs, record, recording, remarks, report, run, scratch,
                 test, until)
from test_tasks import text_of, to_ns

source = here / "prog/goroutines.go"


def build(name, *options):
    """The program, built once; go's own cache makes it quick."""
    need("go")
    program = programs / name
    cache = os.environ.get("GOCACHE", str(programs / "go-cache"))
    run("go", "build", *options, "-o", program, source, status=0, timeout=300, env={**os.environ, "GOCACHE": cache})
    return program


def line_of(mark):
    """Where the program says so in a comment."""
    lines = source.read_text().splitlines()
    return "goroutines.go:%d (" % next(n for n, line in enumerate(lines, 1) if line.endswith("// " + mark))


def goroutines(trace):
    """By name: {"begin": fields or None, "waits": [(what, line, from, until)], "end": seen}."""
    found = {}
    for ts, kind, fields in dump(trace):
        if kind != "task" or "task" not in fields:
            continue
        g = found.setdefault(fields["task"], {"name": "", "begin": None, "waits": [], "since": None, "end": False})
        if fields["op"] in ("begin", "name"):
            g["name"] = text_of(fields["name"])
        if fields["op"] == "begin":
            g["begin"] = fields
        if g["since"]:
            g["waits"].append((*g["since"], to_ns(ts)))
        g["since"] = None
        if fields["op"] == "wait":
            g["since"] = (text_of(fields.get("what")), text_of(fields.get("at")), to_ns(ts))
        g["end"] |= fields["op"] == "end"
    return {g["name"]: g for g in found.values()}


def compare(program):
    trace, out = record(program, options=("--tasks=go",), name="go.corun")
    figures = report(trace)
    no_loss(figures)
    check(remarks(figures) == [], figures["notes"])
    check(figures["tasks"]["concurrency"]["max"] >= 3 and figures["tasks"]["stalls"] == [], figures["tasks"])
    seen = goroutines(trace)
    early, count = [], 0
    for number, true in json.loads(out).items():
        found = seen[f"goroutine {number} (main.start.func1)"]
        check(found["end"] and found["begin"]["ref"] == "1", true["Name"], found["begin"])
        check(text_of(found["begin"]["at"]).startswith(line_of("starts")), found["begin"])
        for wait in true["Waits"]:
            inside = [w for w in found["waits"] if wait["T0"] <= w[2] and w[3] <= wait["T1"]]
            # To wait for what has come already is no wait.
            if not inside:
                check(wait["T1"] - wait["T0"] < 500_000, "not seen:", true["Name"], wait, found["waits"][:4])
                continue
            check(len(inside) == 1, true["Name"], wait, inside)
            what, line, begin, end = inside[0]
            check(what.startswith(wait["What"]), true["Name"], "waits for", what, "and not", wait["What"])
            check(not wait["Mark"] or line.startswith(line_of(wait["Mark"])), line, wait)
            early.append(begin - wait["T0"])
            count += 1
        if true["Name"] in ("selector", "locker", "joiner", "reader"):
            # All that they wait for is noted, but for the first sleep and the list's own lock.
            check(len(found["waits"]) <= len(true["Waits"]) + 2, true["Name"], found["waits"])
    check(count > 250, count)
    check(statistics.median(early) < 50_000, "begin", statistics.median(early))
    return f"{count} waits, {statistics.median(early) / 1000:.0f} us after the program's own note"


@test
def goroutines_every_wait_with_its_reason_and_line():
    notes = []
    for name, options in (("goroutines", ()), ("goroutines-stripped", ("-ldflags=-s -w",)),
                          ("goroutines-pie", ("-buildmode=pie",))):
        notes.append(name + ": " + compare(build(name, *options)))
    return "; ".join(notes)


@test
def goroutines_of_a_program_that_runs_already_and_of_one_started_by_another():
    program = build("goroutines")
    trace = scratch / "go-attached.corun"
    with subprocess.Popen([program, "forever"], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        recorder = subprocess.Popen([corun, "record", "-q", "--tasks=go", "-o", trace, "-p", str(process.pid)])
        recording(trace)
        until(lambda: trace.stat().st_size > 5000, "goroutines in the trace")
        recorder.terminate()
        check(recorder.wait(timeout=60) == 0, recorder.returncode)
        process.kill()
    rows = report(trace)["tasks"]["list"]
    check(any(r["name"].startswith("goroutine ") and r["kind"] == "goroutine" and
              r["time_ns"].get("sleep", 0) > 0 for r in rows), rows)
    # As the word of another program's command line it is known before it runs.
    trace, _ = record("env", "A=1", program, options=("--tasks=go",), name="go-env.corun")
    check("goroutine 1 (runtime.main)" in goroutines(trace), list(goroutines(trace)))
    # Not asked for, nothing is seen.
    trace, _ = record(program, name="go-off.corun")
    check("tasks" not in report(trace), report(trace).get("tasks"))
