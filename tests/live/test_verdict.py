# SPDX-License-Identifier: MIT
"""The verdict on programs that were built to be what their label says. VERDICT.md has the table."""
import os
import subprocess
import time

import real_programs
from lib import Skip, cgroup_with_quota, check, corun, need, no_loss, programs, record, report, run, scratch, test

PYTHON = "python3"
BURN = "import time, sys\nend = time.monotonic() + float(sys.argv[1])\n"
LOOP = "def f(*_):\n    while time.monotonic() < end: sum(range(2000))\n"


def python(code, *arguments):
    need(PYTHON)
    path = scratch / f"v{abs(hash(code)) % 10**8}.py"
    path.write_text(code)
    return [PYTHON, path, *arguments]


def threads(n):
    return python(BURN + "import threading\n" + LOOP + f"ts = [threading.Thread(target=f) for _ in "
                  f"range({n})]\n[t.start() for t in ts]\n[t.join() for t in ts]\n", "0.8")


def processes(n):
    return python(BURN + "import os\n" + LOOP + f"for _ in range({n}):\n    if not os.fork():\n"
                  f"        f()\n        os._exit(0)\nfor _ in range({n}): os.wait()\n", "0.8")


SERVER = """
import socket, threading, time
def answer(c):
    c.recv(10); time.sleep(0.2); c.send(b'x'); c.close()
s = socket.create_server(('127.0.0.1', 0))
"""

CASES = {
    "one burner": (lambda: [programs / "spin", 1, 0.5], "serial", ""),
    "two burners": (lambda: [programs / "spin", 2, 0.5], "parallel", None),
    "six burners": (lambda: [programs / "spin", 6, 0.5], "oversubscribed", ""),
    "two burners on one cpu": (lambda: ["taskset", "-c", "0", programs / "spin", 2, 0.5],
                               "concurrent-not-parallel", "cpu-affinity"),
    "one burner on one cpu": (lambda: ["taskset", "-c", "0", programs / "spin", 1, 0.5], "serial", ""),
    "convoy": (lambda: [programs / "convoy", 4, 0.6], "concurrent-not-parallel", "mutex"),
    "convoy on one cpu": (lambda: ["taskset", "-c", "0", programs / "convoy", 4, 0.6],
                          "concurrent-not-parallel", "mutex"),
    "python threads": (lambda: threads(4), "concurrent-not-parallel", "gil"),
    "two python threads": (lambda: threads(2), "concurrent-not-parallel", "gil"),
    "python threads on one cpu": (lambda: ["taskset", "-c", "0", *threads(4)],
                                  "concurrent-not-parallel", "gil"),
    "two python processes": (lambda: processes(2), "parallel", None),
    "five python processes": (lambda: processes(5), "oversubscribed", ""),
    "one python loop": (lambda: threads(1), "serial", ""),
    "hashing threads": (lambda: python(
        BURN + "import hashlib, threading\nb = bytes(4 << 20)\ndef f():\n"
        "    while time.monotonic() < end: hashlib.sha256(b).digest()\n"
        "ts = [threading.Thread(target=f) for _ in range(2)]\n[t.start() for t in ts]\n"
        "[t.join() for t in ts]\n", "0.8"), "parallel", None),
    "a sleeper": (lambda: ["sleep", "0.4"], "io-bound", "sleep"),
    "eight sleeping threads": (lambda: python(
        "import threading, time\nts = [threading.Thread(target=time.sleep, args=(0.8,)) for _ in range(8)]\n"
        "[t.start() for t in ts]\n[t.join() for t in ts]\n"), "io-bound", "sleep"),
    "a reader of a slow pipe": (lambda: ["sh", "-c", "(sleep 0.3; echo; sleep 0.3) | cat >/dev/null"],
                                "io-bound", None),
    "eight clients": (lambda: python(
        SERVER + "def serve():\n    for _ in range(24): threading.Thread(target=answer, args=(s.accept()[0],)).start()\n"
        "def ask():\n    for _ in range(3):\n        c = socket.create_connection(s.getsockname())\n"
        "        c.send(b'a'); c.recv(1)\nts = [threading.Thread(target=f) for f in [serve] + [ask] * 8]\n"
        "[t.start() for t in ts]\n[t.join() for t in ts]\n"), "io-bound", None),
    "an event loop": (lambda: python(
        "import asyncio\nasync def f(): await asyncio.sleep(1.5)\n"
        "async def main(): await asyncio.gather(*(f() for _ in range(20)))\nasyncio.run(main())\n"),
        "io-bound", "event-loop"),
    "gzip": (lambda: ["sh", "-c", f"exec gzip -9 -c {noise()} > /dev/null"], "serial", ""),
    "xz with two threads": (lambda: ["sh", "-c", f"xz -T2 --block-size=1MiB -1 -c {noise()} > /dev/null"],
                            "parallel", None),
}


def noise():
    need("xz")
    path = scratch / "noise"
    if not path.exists():
        path.write_bytes(os.urandom(6_000_000))
    return path


def say(figures, wanted, cause):
    verdict = figures["verdict"]
    check(verdict["class"] == wanted, verdict["class"], "instead of", wanted, verdict["evidence"])
    check(cause is None or verdict["cause"] == cause, verdict["cause"], "instead of", cause,
          verdict["evidence"])
    return f"{verdict['class']}{', ' + verdict['cause'] if verdict['cause'] else ''}"


def make(name, command, wanted, cause):
    def judged():
        if "taskset" in map(str, command()):
            need("taskset")
        elif wanted in ("parallel", "oversubscribed") and os.cpu_count() < 2:
            raise Skip("this machine has one CPU")
        trace, _ = record(*command(), name="verdict.corun")
        figures = report(trace)
        no_loss(figures)
        return say(figures, wanted, cause)
    judged.__name__ = "verdict on " + name
    test(judged)


for each, case in CASES.items():
    make(each, *case)

# Of the programs that people run, those that are quick and of which nothing hangs on the machine's disk; nor pipelines, whose
# waiting ends queue for CPUs too on a machine with many other programs.
REAL = ("gcc, one file", "awk over a file", "two awks at once", "xargs -P6 of sha256sum",
        "four processes and one file lock", "threads that sleep under a lock", "multiprocessing.Pool(2)",
        "ProcessPoolExecutor(4)", "ThreadPoolExecutor(8), sleeping requests", "node, one loop", "node, two workers",
        "ruby, four threads", "perl, two forks", "asyncio, a server and 8 clients", "java, one thread", "sqlite3, one query")
for each in REAL:
    make(each, *(real_programs.PROGRAMS | real_programs.SECOND)[each])


LOOPS = {
    "that compute": ("    for _ in range(20):\n        end = time.thread_time() + 0.005\n"
                     "        while time.thread_time() < end: pass\n        await asyncio.sleep(0)\n",
                     "concurrent-not-parallel", "event-loop"),
    "that sleep": ("    await asyncio.sleep(0.5)\n", "io-bound", "sleep"),
    "one of which blocks": ("    await asyncio.sleep(0.05)\n    if name == 'blocker': time.sleep(0.4)\n",
                            "concurrent-not-parallel", "event-loop"),
}


def make_loop(name, body, wanted, cause):
    def judged():
        trace, _ = record(*python(
            f"import asyncio, time\nasync def f(name):\n{body}"
            "async def main():\n    await asyncio.gather(*(asyncio.create_task(f(n), name=n) for n in ('a', 'blocker', 'c')))\n"
            "asyncio.run(main())\n"), name="loop.corun")
        figures = report(trace)
        no_loss(figures)
        said = figures["tasks"]["verdict"]
        check(said["threads"] == 1 and said["leads"], said)
        # Only where one was held up: the sentence names who did it.
        check(("blocker" in said["text"]) == ("blocks" in name), said["text"])
        return say(figures["tasks"], wanted, cause)
    judged.__name__ = "verdict on three tasks " + name
    test(judged)


for each, case in LOOPS.items():
    make_loop(each, *case)


@test
def verdict_on_a_server_that_idles():
    server = subprocess.Popen(python("import asyncio\nasync def main():\n    s = await asyncio.start_server("
                                     "print, '127.0.0.1', 0)\n    await s.serve_forever()\nasyncio.run(main())\n"))
    time.sleep(1.5)
    trace = scratch / "idle.corun"
    run(corun, "record", "-q", "-o", trace, "-p", server.pid, "-d", "500ms", status=0)
    server.kill()
    server.wait()
    return say(report(trace), "idle", "event-loop")


@test
def verdict_on_a_quota():
    with cgroup_with_quota(50000, 50000) as folder:
        burner = subprocess.Popen(["sh", "-c", f"echo $$ > {folder}/cgroup.procs; "
                                   f"exec {programs}/spin 4 100"])
        time.sleep(0.4)
        trace = scratch / "quota.corun"
        run(corun, "record", "-q", "-o", trace, "--cgroup", folder, "-d", "700ms", status=0)
        burner.kill()
        burner.wait()
        if os.cpu_count() < 2:
            raise Skip("this machine has one CPU")
        return say(report(trace), "concurrent-not-parallel", "cpu-quota")
