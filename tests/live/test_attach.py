# SPDX-License-Identifier: MIT
"""asyncio's tasks of a Python that runs already: let in from 3.14 on, and out again without a trace."""
import os
import subprocess

from debian_python import debian_python
from lib import check, corun, no_loss, recording, remarks, report, run, scratch, test, until
from test_tasks import compare, history, pythons

PROGRAM = '''
import asyncio, os, sys, time
def clean():
    return "corun" not in repr([f.__closure__ and f.__code__.co_freevars for f in (
        asyncio.Handle._run, asyncio.BaseEventLoop._call_soon, asyncio.BaseEventLoop.create_task)])
async def sleeper():
    while True:
        await asyncio.sleep(0.005)                          # 8
async def getter(queue):
    while True:
        got = await queue.get()                             # 11
        print(got, time.monotonic_ns())
async def main():
    queue = asyncio.Queue()
    tasks = [asyncio.create_task(sleeper(), name="sleeper"), asyncio.create_task(getter(queue), name="getter")]
    print("ready", clean(), flush=True)
    number = 0
    while not os.path.exists(sys.argv[1]):
        await asyncio.sleep(0.01)
        queue.put_nowait(number)
        number += 1
    print("end", clean(), sorted(m for m in sys.modules if "corun" in m), flush=True)
asyncio.run(main())
'''


def attach_to(python, environment=None):
    program, stop = scratch / "running.py", scratch / "stop"
    stop.unlink(missing_ok=True)
    program.write_text(PROGRAM)
    trace = scratch / "attached.corun"
    with open(scratch / "out", "w") as out, open(scratch / "err", "w") as err:
        process = subprocess.Popen([python, program, stop], stdout=out, stderr=err,
                                   env={**os.environ, **(environment or {})})
    until(lambda: "ready True" in (scratch / "out").read_text(), "the program")
    recorder = subprocess.Popen([corun, "record", "-q", "-o", trace, "-p", str(process.pid)])
    recording(trace)
    before = (scratch / "out").read_text().count("\n")
    until(lambda: (scratch / "out").read_text().count("\n") > before + 30 or process.poll() is not None, "items")
    until(lambda: trace.stat().st_size > 20000, "tasks in the trace")
    recorder.terminate()
    check(recorder.wait(timeout=60) == 0, recorder.returncode)
    # It notices by itself that nobody records any more.
    seen = (scratch / "out").read_text().count("\n")
    until(lambda: (scratch / "out").read_text().count("\n") > seen + 3, "items afterwards")
    stop.write_text("")
    check(process.wait(timeout=60) == 0, (scratch / "err").read_text())
    check("\nend True []\n" in (scratch / "out").read_text(), (scratch / "out").read_text()[-200:])
    check((scratch / "err").read_text() == "", (scratch / "err").read_text())
    figures = report(trace)
    no_loss(figures)
    check(remarks(figures) == [], figures["notes"])
    tasks = {t["name"].split(" (")[0]: t for t in history(trace).values()}
    check(any(w[0].startswith("sleep") and w[1].startswith("running.py:8 (") for w in tasks["sleeper"]["waits"]), tasks)
    check(any(w[0].startswith("condition") and w[1].startswith("running.py:11 (") for w in tasks["getter"]["waits"]), tasks)
    # Every item that the getter noted while it was recorded is inside one of its steps.
    steps = [s for s in tasks["getter"]["steps"] if s[1]]
    noted = [int(line.split()[1]) for line in (scratch / "out").read_text().splitlines() if line[0].isdigit()]
    inside = [n for n in noted if steps[0][0] <= n <= steps[-1][1]]
    check(len(inside) == len(steps) > 20 and all(any(s[0] <= n <= s[1] for s in steps) for n in inside), len(inside),
          len(steps))
    return f"{len(steps)} steps of the getter, as it noted them"


@test
def asyncio_of_a_running_3_14_by_remote_exec():
    return attach_to(debian_python("3.14"))


@test
def asyncio_of_a_running_3_14_without_the_extension():
    return attach_to(debian_python("3.14"), {"CORUN_HOOK": "python"})


@test
def asyncio_of_a_running_3_15_where_it_is_built_in():
    return attach_to(debian_python("3.15"))


@test
def a_running_3_14_that_refuses():
    program, stop = scratch / "running.py", scratch / "stop-refusing"
    program.write_text(PROGRAM)
    trace = scratch / "refusing.corun"
    with subprocess.Popen([debian_python("3.14"), program, stop], stdout=subprocess.PIPE, text=True,
                          env={**os.environ, "PYTHON_DISABLE_REMOTE_DEBUG": "1"}) as process:
        process.stdout.readline()
        run(corun, "record", "-q", "-d", "100ms", "-o", trace, "-p", process.pid, status=0)
        process.kill()
    check(any("told to let" in n for n in report(trace)["notes"]), report(trace)["notes"])


@test
def asyncio_spawned_3_14():
    compare((3, 14), debian_python("3.14"))


@test
def asyncio_spawned_3_15():
    compare((3, 15), debian_python("3.15"))


@test
def a_running_python_older_than_3_14():
    trace = scratch / "older.corun"
    for version, path in pythons():
        if version < (3, 8) or version >= (3, 14):
            continue
        program = "import asyncio; print(flush=True); asyncio.run(asyncio.sleep(9))"
        with subprocess.Popen([path, "-c", program], stdout=subprocess.PIPE) as process:
            process.stdout.readline()
            run(corun, "record", "-q", "-d", "100ms", "-o", trace, "-p", process.pid, status=0)
            process.kill()
        figures = report(trace)
        check("tasks" not in figures and any("not visible in a running Python older than 3.14" in n
                                             for n in figures["notes"]), version, figures["notes"])
