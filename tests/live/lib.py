# SPDX-License-Identifier: MIT
"""What live tests share: record something, read what was recorded, say how it went."""
import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import time

here = pathlib.Path(__file__).resolve().parent
top = here.parent.parent
corun = str(top / "build/corun")
programs = top / "build/live"
scratch = pathlib.Path(tempfile.mkdtemp(prefix="corun-live-"))
tests = []
# What is recorded must not inherit the options of the make that runs the tests.
for name in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL"):
    os.environ.pop(name, None)


class Skip(Exception):
    """This machine cannot run the test; the text says why."""


def test(function):
    tests.append(function)
    return function


def check(condition, *detail):
    if not condition:
        raise AssertionError(" ".join(str(d) for d in detail))


def run(*command, status=None, **options):
    options.setdefault("timeout", 300)
    result = subprocess.run([str(c) for c in command], capture_output=True, text=True,
                            errors="surrogateescape", **options)
    if status is not None:
        check(result.returncode == status, command, "status", result.returncode, result.stderr)
    return result


def need(*names):
    for name in names:
        if not shutil.which(name):
            raise Skip(f"{name} is not installed")


def record(*command, options=(), status=0, name="t.corun", **popen):
    """Record a command; returns (trace, what the command printed)."""
    trace = scratch / name
    result = run(corun, "record", "-q", "-o", trace, *options, "--", *command, status=status, **popen)
    return trace, result.stdout


def report(trace, *options):
    return json.loads(run(corun, "report", "--json", *options, trace, status=0).stdout)


def dump(trace):
    """Records as (seconds as text, type, fields)."""
    records = []
    for line in run(corun, "dump", trace).stdout.splitlines()[1:]:
        ts, kind, *_ = line.split(" ", 2)
        fields = dict(re.findall(r'([\w-]+)=("(?:[^"\\]|\\.)*"|\S+)', line))
        records.append((ts, kind, fields))
    return records


def no_loss(figures):
    check(figures["losses"]["events"] == 0, "lost", figures["losses"])
    check(figures["losses"]["conflicts"] == 0, "contradictions", figures["losses"])
    check(figures["time_ns"]["unknown"] == 0, "unknown", figures["time_ns"])


def remarks(figures):
    """The report's notes, but for that on processes whose end came before they could be looked at: how soon that is
    hangs on what else the machine does."""
    return [note for note in figures["notes"] if "not known whether there is a GIL" not in note]


def identity(figures):
    """Every nanosecond of every thread is in exactly one state."""
    for thread in figures["threads"]:
        check(sum(thread["time_ns"].values()) == thread["alive_ns"]
              == thread["end_ns"] - thread["start_ns"], "identity", thread)
    for curve in ("parallelism", "concurrency", "demand"):
        check(sum(figures[curve]["time_ns_at"]) == figures["window"]["duration_ns"], curve)
        in_all = sum(k * ns for k, ns in enumerate(figures[curve]["time_ns_at"]))
        parts = sum(k * ns for p in figures["processes"] for k, ns in enumerate(p[curve]["time_ns_at"] if curve in p else []))
        check(in_all == parts, curve, "of the processes together", parts, "in all", in_all)
    running = sum(k * ns for k, ns in enumerate(figures["parallelism"]["time_ns_at"]))
    check(running == figures["time_ns"]["running"], "P and running time", running)


def until(condition, what, limit=60):
    """Wait for something that comes in its own time: on a loaded machine, late."""
    end = time.monotonic() + limit
    while not condition():
        check(time.monotonic() < end, "it never came:", what)
        time.sleep(0.02)


def recording(trace, size=17):
    """Wait until a recorder that was started records: it flushes nothing (but 16 bytes of header)
    before all is attached."""
    until(lambda: trace.exists() and trace.stat().st_size >= size, f"events in {trace}")


@contextlib.contextmanager
def cgroup_with_quota(quota_us, period_us):
    """A fresh cgroup (v2 or v1) with a CPU quota; gone when its processes are."""
    base = next((b for b in ("/sys/fs/cgroup", "/sys/fs/cgroup/cpu")
                 if os.path.exists(f"{b}/cgroup.controllers") or os.path.exists(f"{b}/cpu.cfs_quota_us")), None)
    if not base:
        raise Skip("no cgroup with the cpu controller")
    folder = f"{base}/corun-test-{os.getpid()}"
    try:
        os.mkdir(folder)
        if os.path.exists(f"{folder}/cpu.max"):
            open(f"{folder}/cpu.max", "w").write(f"{quota_us} {period_us}")
        else:
            open(f"{folder}/cpu.cfs_period_us", "w").write(str(period_us))
            open(f"{folder}/cpu.cfs_quota_us", "w").write(str(quota_us))
    except OSError as error:
        raise Skip(f"a cgroup with a quota cannot be made here ({error})")
    try:
        yield folder
    finally:
        for _ in range(100):
            try:
                os.rmdir(folder)
                break
            except OSError:
                time.sleep(0.1)


def main(names):
    failures = 0
    for number, function in enumerate(tests, 1):
        label = function.__name__.replace("_", " ")
        if names and not any(n in label for n in names):
            continue
        try:
            note = function()
            print(f"ok {number} - {label}" + (f" ({note})" if note else ""))
        except Skip as why:
            print(f"ok {number} - {label} # SKIP {why}")
        except Exception as error:  # a test that crashes has failed
            failures += 1
            print(f"not ok {number} - {label}")
            print("  " + f"{type(error).__name__}: {error}".replace("\n", "\n  ")[:3000])
        sys.stdout.flush()
    shutil.rmtree(scratch, ignore_errors=True)
    return 1 if failures else 0
