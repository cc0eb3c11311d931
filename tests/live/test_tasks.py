# SPDX-License-Identifier: MIT
"""asyncio's tasks against what the program itself noted: every step, none invented, none missing."""
import bisect
import difflib
import glob
import json
import os
import pathlib
import re
import sys

from lib import Skip, check, corun, dump, here, no_loss, record, remarks, report, run, scratch, test

log_program = here / "prog/tasks_log.py"


def pythons():
    """Every CPython here, the system's own first: (version, path)."""
    found, seen = [], set()
    for path in ["/usr/bin/python3"] + sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3*/bin/python"))):
        if not os.path.exists(path):
            continue
        result = run(path, "-c", "import sys; print(*sys.version_info[:3])")
        version = tuple(map(int, result.stdout.split()))
        if result.returncode == 0 and (version, path == "/usr/bin/python3") not in seen:
            seen.add((version, path == "/usr/bin/python3"))
            found.append((version, path))
    return found


def to_ns(text):
    seconds, rest = text.split(".")
    return int(seconds) * 10**9 + int(rest)


def text_of(quoted):
    return json.loads(quoted) if quoted else ""


def history(trace):
    """Tasks by name: {"steps": [[begin, end]], "outcome", "waits": [(what, at)], "creator"}."""
    tasks = {}
    for ts, kind, fields in dump(trace):
        if kind != "task" or "task" not in fields:
            continue
        now, op = to_ns(ts), fields["op"]
        t = tasks.setdefault(fields["task"], {"name": "", "steps": [], "outcome": None, "waits": [],
                                              "creator": None, "in": False, "tids": set()})
        if op == "begin":
            t.update(name=text_of(fields["name"]), begin=now, creator=fields.get("ref"))
        elif op == "name":
            t["name"] = text_of(fields["name"])
        elif op == "step":
            if t["in"]:  # another phase of it
                t["steps"][-1][1] = now
            t["steps"].append([now, None])
            t["in"] = True
            t["tids"].add(fields["tid"])
        elif op in ("wait", "ready", "end"):
            if t["in"]:
                t["steps"][-1][1] = now
            t["in"] = False
            if op == "wait":
                t["waits"].append((text_of(fields.get("what", '""')), text_of(fields.get("at", '""')),
                                   fields.get("ref")))
            if op == "end":
                t["outcome"] = fields.get("outcome", "result")
    return tasks


def on_cpu_throughout(trace):
    """Says of two times whether a thread was on its CPU from the one to the other, as the kernel told."""
    switches = {}
    for ts, kind, fields in dump(trace):
        if kind == "switch":
            for tid in (fields.get("prev"), fields.get("next")):
                switches.setdefault(tid, []).append(to_ns(ts))
    def throughout(tid, begin, end):
        at = switches.get(tid, [])
        return bisect.bisect_left(at, begin) == bisect.bisect_right(at, end)
    return throughout


def almost_all(gaps):
    """What 99 of 100 are at most."""
    return sorted(gaps)[len(gaps) * 99 // 100]


def compare(version, path, options=()):
    trace, out = record(path, log_program)
    truth = json.loads(out)
    figures = report(trace)
    no_loss(figures)
    check(remarks(figures) == [], figures["notes"])
    seen = {}
    for t in history(trace).values():
        seen.setdefault(t["name"].split(" (")[0], []).append(t)
    throughout = on_cpu_throughout(trace)
    gaps, steps = [], 0
    for name, true in truth.items():
        check(name in seen, version, "task not seen:", name, sorted(seen))
        # Names used twice ("inner-0" once eager, once not): the log keeps the later.
        t = seen[name][-1]
        check(t["outcome"] == true["outcome"] or not true["steps"], version, name, t, true)
        # run() around the watched coroutine adds no step.
        check(len(t["steps"]) == max(len(true["steps"]), 1 if name == "unborn" else 0), version, name,
              "steps", len(t["steps"]), "are", len(true["steps"]))
        for (begin, end), (true_begin, true_end) in zip(t["steps"], true["steps"]):
            check(begin <= true_begin and true_end <= end, version, name, "step", begin, end, "is",
                  true_begin, true_end)
            steps += 1
            # Between our stamp and the program's own another may have had the CPU: that is no error of ours.
            gaps += [to - at for at, to in ((begin, true_begin), (true_end, end))
                     if any(throughout(tid, at, to) for tid in t["tids"])]
    check(len(gaps) > steps and almost_all(gaps) < 50_000, version, len(gaps), steps, sorted(gaps)[-30:])
    return almost_all(gaps)


@test
def asyncio_every_step_of_every_task_on_every_python():
    done = []
    for version, path in pythons():
        if version >= (3, 8):
            done.append("%d.%d.%d %.0f" % (*version, compare(version, path) / 1000))
    check(done)
    return "99 of 100 stamps are within so many us: " + ", ".join(done)


WAITS = '''
import asyncio, time
async def sleeps():
    await asyncio.sleep(0.02)                       # 4
async def locks(lock):
    async with lock:                                # 6
        await asyncio.sleep(0.01)                   # 7
async def gets(queue):
    await queue.get()                               # 9
async def waits(event):
    await event.wait()                              # 11
async def reads():
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    await reader.readline()                         # 15
    writer.close(); server.close()
async def serve(reader, writer):
    await asyncio.sleep(0.01)                       # 18
    writer.write(b"x\\n"); writer.close()
async def joins(task):
    await task                                      # 21
async def main():
    lock, queue, event = asyncio.Lock(), asyncio.Queue(), asyncio.Event()
    a = asyncio.create_task(sleeps(), name="sleeps")
    b = [asyncio.create_task(c, name=n) for n, c in (("first", locks(lock)), ("locks", locks(lock)),
         ("gets", gets(queue)), ("waits", waits(event)), ("reads", reads()), ("joins", joins(a)))]
    await asyncio.sleep(0.005)                      # 27
    time.sleep(0.05)                                # 28
    queue.put_nowait(1); event.set()
    await asyncio.gather(a, *b)                     # 30
asyncio.run(main())
'''


@test
def asyncio_what_is_awaited_and_where():
    program = scratch / "waits.py"
    program.write_text(WAITS)
    for version, path in pythons():
        if version < (3, 8):
            continue
        trace, _ = record(path, program)
        tasks = {t["name"].split(" (")[0]: t for t in history(trace).values()}
        numbers = {t["name"].split(" (")[0]: n for n, t in history(trace).items()}
        for name, what, line in (("sleeps", "sleep", 4), ("locks", "mutex", 6), ("locks", "sleep", 7),
                                 ("gets", "condition", 9), ("waits", "condition", 11),
                                 ("reads", "network", 15), ("joins", "join", 21)):
            check(any(w[0].split(":")[0] == what and w[1].startswith("waits.py:%d (" % line)
                      for w in tasks[name]["waits"]), version, name, what, line, tasks[name]["waits"])
        check(tasks["joins"]["waits"][0][2] == numbers["sleeps"], version, tasks["joins"])
        check(any(w[0] == "join:gather" and ":30 " in w[1] for w in tasks["Task-1"]["waits"]), version,
              tasks["Task-1"])
        figures = report(trace)["tasks"]
        # It is the step that sleeps, but for one that others kept off the CPUs for longer, as the kernel tells.
        stall = figures["stalls"][0]
        kept_off = stall["duration_ns"] - stall["running_ns"] - stall["blocked_ns"]
        check(kept_off > 45_000_000 or stall["duration_ns"] > 45_000_000 and "main" in stall["name"] and
              stall["blocked_in"] == "sleep" and "waits.py:27" in stall["after"] and
              "waits.py:30" in stall["before"], version, stall)
        check(figures["concurrency"]["max"] >= 3 and figures["parallelism"]["max"] == 1, version, figures)


THROUGH = '''
import asyncio
async def numbers():
    yield await asyncio.sleep(0.01)                 # 4
async def iterates():
    async for _ in numbers(): pass
async def steps():
    await numbers().__anext__()
class Wrapped:
    def __await__(self):
        return asyncio.sleep(0.01).__await__()
async def wraps():
    await Wrapped()                                 # 13
async def pipes():  # it answers, and ends, only when it is asked to: in a step that comes later
    child = await asyncio.create_subprocess_exec("sh", "-c", "read x; echo; read x", stdin=-1, stdout=-1)
    loop = asyncio.get_running_loop()
    loop.call_later(0.01, child.stdin.write, b"\\n")
    await child.stdout.readline()                   # 18
    loop.call_later(0.01, child.stdin.write, b"\\n")
    await child.wait()                              # 20
async def main():
    await asyncio.gather(*[asyncio.create_task(c(), name=c.__name__) for c in (iterates, steps, wraps, pipes)])
asyncio.run(main())
'''


@test
def asyncio_what_is_awaited_through_generators_and_of_children():
    program = scratch / "through.py"
    program.write_text(THROUGH)
    for version, path in pythons():
        if version < (3, 8):
            continue
        trace, _ = record(path, program)
        tasks = {t["name"].split(" (")[0]: t for t in history(trace).values()}
        for name, what, line in (("iterates", "sleep", 4), ("steps", "sleep", 4), ("wraps", "sleep", 13),
                                 ("pipes", "pipe", 18), ("pipes", "child", 20)):
            check(any(w[0].split(":")[0] == what and w[1].startswith("through.py:%d (" % line)
                      for w in tasks[name]["waits"]), version, name, what, line, tasks[name]["waits"])


AGAIN = '''
import asyncio
async def deeper(what):
    await what()
async def waits(lock, queue, event, over, other, loop):
    for n in range(20):
        await asyncio.sleep(0.001)
        await deeper(lambda: asyncio.sleep(0.001))
        async with lock:
            await asyncio.sleep(0.0005)
        await queue.get()
        await event.wait()
        future = loop.create_future()
        loop.call_later(0.001, future.set_result, None)
        await future
        await (asyncio.create_task(asyncio.sleep(0.001)) if n % 2 else future)
        await asyncio.gather(asyncio.sleep(0.001), asyncio.sleep(0.001))
    loop.call_later(0.001, over.set)
    await other
async def main():
    lock, queue, event, over = asyncio.Lock(), asyncio.Queue(), asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()
    other = asyncio.create_task(over.wait(), name="other")
    tasks = [asyncio.create_task(waits(lock, queue, event, over, other, loop), name="t%d" % i) for i in range(3)]
    while any(not t.done() for t in tasks):
        await asyncio.sleep(0.002)
        if queue.empty(): queue.put_nowait(1)
        event.set(); event.clear()
asyncio.run(main())
'''


@test
def waits_seen_before_are_what_they_were():
    # What the extension module knows by itself and what Python looks up each time are the same.
    program = scratch / "again.py"
    program.write_text(AGAIN)
    counts = []
    for version, path in pythons():
        if version < (3, 8):
            continue
        seen = []
        for mode in ("", "python"):
            trace, _ = record(path, program, env={**os.environ, "CORUN_HOOK": mode})
            names = {n: t["name"] for n, t in history(trace).items()}
            tasks = [t for t in history(trace).values() if t["name"].startswith("t") and t["name"][1].isdigit()]
            check(len(tasks) == 3, version, names)
            seen.append({(what, at, (names.get(ref) or "")[:5]) for t in tasks for what, at, ref in t["waits"]})
            counts.append(sum(len(t["waits"]) for t in tasks))
        # A task that is awaited by number is named Task-N: how many, differs.
        one, two = ({(what, at, name if not name.startswith("Task-") else "Task") for what, at, name in s} for s in seen)
        check(one == two and len(one) >= 8, version, one ^ two)
    return f"{min(counts)} waits or more each"


def same_with_and_without(python, program, *arguments, status=None):
    """Output and exit status are those of the program alone; returns the trace."""
    alone = run(python, *arguments, program)
    trace = scratch / "same.corun"
    recorded = run(corun, "record", "-q", "-o", trace, "--", python, *arguments, program)
    # Addresses of objects differ from run to run, and so does whether a result had to be waited for.
    one, two = ([re.sub("0x[0-9a-f]+", "0x", re.sub(r'(_base.py", line )\d+', r"\1N", t)) for t in (r.stdout, r.stderr)] +
                [r.returncode if r.returncode >= 0 else 128 - r.returncode] for r in (alone, recorded))
    check(one == two, python, "\n".join(difflib.unified_diff(
        *("\n".join(map(str, text)).splitlines() for text in (one, two)), lineterm="")))
    if status is not None:
        check(alone.returncode == status, alone)
    return trace


@test
def asyncio_output_and_status_are_the_same():
    tracebacks = scratch / "tracebacks.py"
    tracebacks.write_text("""
import asyncio, os, subprocess, sys, traceback
isolated = sys.flags.ignore_environment or sys.flags.no_site  # nothing of ours runs to put it back
path = [p for p in sys.path if not isolated or not p.endswith("/python")]
print(isolated or os.environ.get("PYTHONPATH"), path, "sitecustomize" in sys.modules, sys.meta_path)
print(sorted(m for m in sys.modules if "corun" in m))
async def inner():
    traceback.print_stack(file=sys.stdout)
    await asyncio.sleep(0)
    asyncio.get_running_loop().call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    print(asyncio.current_task(), len(asyncio.all_tasks()))
    raise KeyError("on purpose")
async def main():
    await asyncio.create_task(inner(), name="t")
print(subprocess.run([sys.executable, "-c", "import os, sys; print(%d or os.environ.get('PYTHONPATH'), sys.path)" % isolated],
      env=dict(os.environ), capture_output=True, text=True).stdout)
asyncio.get_event_loop_policy() if sys.version_info < (3, 12) else None
asyncio.run(main())
""")
    interrupted = scratch / "interrupted.py"
    interrupted.write_text("""
import asyncio, signal
async def main():
    await asyncio.sleep(0)
    signal.raise_signal(signal.SIGINT)
    await asyncio.sleep(1)
asyncio.run(main())
""")
    for version, path in pythons():
        for flags in ([], ["-I"], ["-E"], ["-S"], ["-O"]):
            same_with_and_without(path, tracebacks, *flags, status=1)
        if version >= (3, 8):
            same_with_and_without(path, interrupted)


@test
def a_timer_that_runs_out_behind_anothers_step():
    # The sleeper's timer runs out in the middle of the blocker's step; the idler's while the loop is at rest.
    program = scratch / "due.py"
    program.write_text("""
import asyncio, time
async def sleeper():
    print(time.monotonic_ns() + 200_000_000)
    await asyncio.sleep(0.2)
async def blocker():
    await asyncio.sleep(0.1)
    time.sleep(0.4)
    print(time.monotonic_ns())
async def main():
    await asyncio.gather(sleeper(), blocker(), asyncio.sleep(0.7))
asyncio.run(main())
""")
    seen = []
    for mode in ("", "python"):
        for version, path in pythons():
            if version < (3, 8):
                continue
            trace, out = record(path, program, env={**os.environ, "CORUN_HOOK": mode})
            due, over = map(int, out.split())
            rows = {r["name"]: r for r in report(trace)["tasks"]["list"]}
            tasks = {t["name"]: t for t in history(trace).values()}
            ready, inside, goes_on = {}, {}, {}
            for name in ("sleeper", "sleep"):
                full = next(n for n in rows if f"({name})" in n)
                first, second = tasks[full]["steps"]
                # Before its first step it was ready as well; in a step it is where others have the CPU.
                ready[name] = rows[full]["time_ns"]["ready"] - (first[0] - tasks[full]["begin"])
                inside[name] = sum(end - begin for begin, end in (first, second))
                goes_on[name] = second[0]
            held = goes_on["sleeper"] - due
            check(held > over - due and held - 1_000_000 < ready["sleeper"] < held + inside["sleeper"] + 1_000_000,
                  version, mode, ready, inside, held)
            check(ready["sleep"] < 0.2 * ready["sleeper"] + inside["sleep"], version, mode, ready, inside)
            seen.append("%.3f" % (ready["sleeper"] / held))
    return "ready by held up: " + " ".join(seen)


@test
def the_users_sitecustomize_is_run():
    folder = scratch / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text("import sys\nprint('mine', __name__, __file__)\n")
    program = scratch / "plain.py"
    program.write_text("import os, sys, asyncio\nprint(sys.modules['sitecustomize'].__file__)\n"
                       "print(os.environ['PYTHONPATH'])\nasyncio.run(asyncio.sleep(0))\n")
    for version, path in pythons():
        env = dict(os.environ, PYTHONPATH=str(folder))
        alone = run(path, program, env=env)
        trace = scratch / "site.corun"
        recorded = run(corun, "record", "-q", "-o", trace, "--", path, program, env=env)
        check(alone.stdout == recorded.stdout and alone.stderr == recorded.stderr, version, alone, recorded)
        if version >= (3, 8):
            check(report(trace)["tasks"]["count"] >= 1, version)


@test
def tasks_off_leaves_the_program_alone():
    program = scratch / "off.py"
    program.write_text("import asyncio, os\nasyncio.run(asyncio.sleep(0))\nos.system('echo $PYTHONPATH')\n")
    trace, out = record("python3", program, options=("--tasks=off",))
    check("tasks" not in report(trace) and out.strip() == os.environ.get("PYTHONPATH", ""), out)


@test
def a_crash_in_the_middle_of_a_step_is_told():
    program = scratch / "crash.py"
    program.write_text("""
import asyncio, os, signal, time
async def crashing():
    await asyncio.sleep(0)
    time.sleep(0.02)
    os.kill(os.getpid(), signal.SIGKILL)
async def main():
    await asyncio.gather(asyncio.create_task(crashing(), name="crashing"), asyncio.sleep(5))
asyncio.run(main())
""")
    for version, path in pythons():
        if version < (3, 8):
            continue
        trace, _ = record(path, program, status=128 + 9)
        tasks = {t["name"].split(" (")[0]: t for t in history(trace).values()}
        check(len(tasks["crashing"]["steps"]) == 2 and tasks["crashing"]["in"], version, tasks["crashing"])
        row = next(r for r in report(trace)["tasks"]["list"] if r["name"].startswith("crashing"))
        check(row["outcome"] is None and row["time_ns"].get("sleep", 0) > 15_000_000, version, row)


@test
def forked_and_spawned_children_have_tasks_of_their_own():
    program = scratch / "children.py"
    program.write_text("""
import asyncio, multiprocessing, os, subprocess, sys
async def child(): await asyncio.sleep(0.001)
def work(): asyncio.run(child())
async def main():
    await asyncio.sleep(0)
    pid = os.fork()                    # inside a step
    if not pid:
        asyncio.events._set_running_loop(None)
        asyncio.run(child())
        os._exit(0)
    os.waitpid(pid, 0)
    await asyncio.sleep(0)
if __name__ == "__main__":
    if len(sys.argv) > 1:
        work()
    else:
        asyncio.run(main())
        for how in "fork", "spawn":
            p = multiprocessing.get_context(how).Process(target=work)
            p.start(); p.join()
        subprocess.run([sys.executable, __file__, "x"])
""")
    for version, path in pythons():
        if version < (3, 8):
            continue
        trace, _ = record(path, program)
        rows = report(trace)["tasks"]["list"]
        children = [r for r in rows if "(child)" in r["name"]]
        check(len({r["tgid"] for r in children}) == 4 and all(r["outcome"] == "result" for r in children),
              version, children)
        main = [r for r in rows if "(main)" in r["name"]]
        check(len(main) == 1 and main[0]["steps"] == 3 and main[0]["outcome"] == "result", version, main)


@test
def jobs_of_executors_and_pools_are_tasks():
    done = []
    for version, path in pythons():
        if version < (3, 8):
            continue
        trace, out = record(path, here / "prog/jobs_log.py")
        lines = [json.loads(line) for line in out.splitlines()]
        figures = report(trace)
        no_loss(figures)
        check(remarks(figures) == [], version, figures["notes"])
        spans = {}
        for t in history(trace).values():
            spans.setdefault(t["name"], []).append(t)
        for name in ("thread_job", "aio_job", "executor_job", "pool_job", "big_job"):
            true = sorted((l for l in lines if l.get("job") == name), key=lambda l: l["began"])
            jobs = spans.get(name, [])
            check(len(jobs) == len(true), version, name, len(jobs), "are", len(true), sorted(spans))
            check(all(j["outcome"] == "result" for j in jobs), version, name, jobs)
            for line in true:
                # Its step holds what the job itself saw; before it came its queueing.
                check(any(j["begin"] >= line["submitted"] and
                          any(b <= line["began"] and line["ended"] <= e for b, e in j["steps"])
                          for j in jobs), version, name, line, jobs)
        numbers = {n for n, t in history(trace).items() if t["name"] == "aio_job"}
        awaited = [w for t in spans["Task-1 (main)"] for w in t["waits"] if w[0] == "join"]
        check(version < (3, 9) or [w for w in awaited if w[2] in numbers], version, "to_thread", awaited, numbers)
        check(spans["failing_job"][0]["outcome"] == "exception", version, spans["failing_job"])
        # Six jobs of 4 ms by two threads: the last pair queued for 8.
        rows = [r for r in figures["tasks"]["list"] if r["name"] == "thread_job"]
        check(max(r["time_ns"]["ready"] for r in rows) > 6_000_000, version, rows)
        # Pickling there and back, twice, against what was noted in pickle itself, of the same two messages: all
        # of it is recorded, and little besides.
        pickled, truth = [l["pickle"] for l in lines if "pickle" in l], next(l for l in lines if "bytes" in l)
        check(len(pickled) == 4, version, pickled)
        big = next(r for r in figures["tasks"]["list"] if r["name"] == "big_job")["serialization"]
        ratio = big["serializing_ns"] / sum(pickled)
        check(1 <= ratio < 1.25, version, pickled, big)
        check(abs(big["bytes"] - 2 * truth["bytes"]) < 0.02 * truth["bytes"], version, truth, big)
        done.append("%.3f" % ratio)
        total = figures["tasks"]["serialization"]
        check(total["bytes"] >= big["bytes"] and total["transferring_ns"] > 0, version, total)
    return "pickling, recorded by measured: " + ", ".join(done)


@test
def jobs_leave_output_and_status_as_they_were():
    program = scratch / "jobs.py"
    program.write_text("""
import asyncio, concurrent.futures, multiprocessing, pickle, sys, traceback
class Bad:
    def __reduce__(self): raise pickle.PicklingError("cannot")
class Worse:
    def __setstate__(self, state): raise KeyError("on purpose")
    def __getstate__(self): return 1
def f(x): return x
def g(x): raise ValueError(x)
if __name__ == "__main__":
    with multiprocessing.Pool(1) as pool:
        for call in (lambda: pool.apply(g, (1,)), lambda: pool.apply(f, (Bad(),)), lambda: pool.map(f, [1, 2])):
            try: print(call())
            except Exception: print(traceback.format_exc())
    a, b = multiprocessing.Pipe()
    a.send(Worse())
    try: b.recv()
    except KeyError: print(traceback.format_exc())
    with concurrent.futures.ThreadPoolExecutor(1) as e:
        try: e.submit(g, 2).result()
        except ValueError: print(traceback.format_exc())
    with concurrent.futures.ProcessPoolExecutor(1) as e:
        print(e.submit(f, 3).result())
        try: e.submit(g, 2).result()
        except ValueError: print(traceback.format_exc())
""")
    for version, path in pythons():
        same_with_and_without(path, program, status=0)


def has(module):
    if run("/usr/bin/python3", "-c", "import " + module).returncode:
        raise Skip(f"the system's Python has no {module}")


@test
def trio_tasks_by_its_own_instruments():
    has("trio")
    program = scratch / "with_trio.py"
    program.write_text("""
import trio
async def child(lock):
    await trio.sleep(0.005)
    async with lock: await trio.sleep(0.005)
async def bad():
    await trio.sleep(0)
    raise ValueError
async def main():
    lock = trio.Lock()
    try:
        async with trio.open_nursery() as nursery:
            for _ in range(2): nursery.start_soon(child, lock)
            nursery.start_soon(trio.sleep_forever)
            await trio.sleep(0.05)
            nursery.start_soon(bad)
    except (ValueError, BaseException): print("caught")
trio.run(main)
""")
    trace = same_with_and_without("/usr/bin/python3", program, status=0)
    rows = report(trace)["tasks"]["list"]
    children = [r for r in rows if r["name"].endswith(".child")]
    check(len(children) == 2 and all(r["kind"] == "trio" and r["outcome"] == "result" for r in children), rows)
    check(all(r["time_ns"]["sleep"] > 9_000_000 for r in children), children)
    check(any("mutex" in r["time_ns"] for r in children), children)
    check([r["outcome"] for r in rows if r["name"].endswith(".bad")] == ["exception"], rows)
    check([r["outcome"] for r in rows if r["name"].endswith("sleep_forever")] == ["cancelled"], rows)


@test
def uvloop_is_said():
    has("uvloop")
    program = scratch / "with_uvloop.py"
    program.write_text("import asyncio, uvloop\nuvloop.install()\nasyncio.run(asyncio.sleep(0))\n")
    trace = same_with_and_without("/usr/bin/python3", program, status=0)
    check(any("uvloop" in note for note in report(trace)["notes"]), report(trace)["notes"])
