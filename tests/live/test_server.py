# SPDX-License-Identifier: MIT
"""A web server under load: 500 requests in flight at a time, each a task, as it noted them itself."""
import json

from lib import check, no_loss, record, remarks, report, scratch, test
from test_tasks import history, pythons, same_with_and_without

SERVER = '''
import asyncio, json, sys, time
N = 500
noted = {}
async def serve(reader, writer):
    name = asyncio.current_task()
    began = time.monotonic_ns()
    path = (await reader.readline()).split()[1].decode()
    while await reader.readline() not in (b"\\r\\n", b""):
        pass
    await asyncio.sleep(1)
    writer.write(b"HTTP/1.0 200 OK\\r\\n\\r\\n" + path.encode())
    await writer.drain()
    writer.close()
    noted[path] = [began, time.monotonic_ns()]
async def ask(port, n):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /%d HTTP/1.0\\r\\nHost: x\\r\\n\\r\\n" % n)
    answer = await reader.read()
    writer.close()
    assert answer.endswith(b"/%d" % n)
async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    port = server.sockets[0].getsockname()[1]
    await asyncio.gather(*[asyncio.create_task(ask(port, n), name="ask-%d" % n) for n in range(N)])
    server.close()
    print(json.dumps(noted))
asyncio.run(main())
'''


@test
def a_web_server_with_500_requests_in_flight():
    program = scratch / "server.py"
    program.write_text(SERVER)
    trace, out = record("/usr/bin/python3", program, name="server.corun")
    noted = json.loads(out)
    figures = report(trace)
    no_loss(figures)
    check(remarks(figures) == [], figures["notes"])
    served = sorted((t for t in history(trace).values() if t["name"].endswith("(serve)")), key=lambda t: t["begin"])
    check(len(served) == len(noted) == 500 and all(t["outcome"] == "result" for t in served), len(served))
    # Each life that was noted lies in one task's first to last step, and each task has one.
    for (began, ended), t in zip(sorted(noted.values()), sorted(served, key=lambda t: t["steps"][0][0])):
        check(t["steps"][0][0] <= began and ended <= t["steps"][-1][1], t, began, ended)
        check(any(w[0].startswith("sleep") and "server.py:11 (serve)" in w[1] for w in t["waits"]), t["waits"])
    check(figures["tasks"]["concurrency"]["max"] >= 500, figures["tasks"]["concurrency"]["max"])
    asked = [t for t in history(trace).values() if t["name"].startswith("ask-")]
    check(len(asked) == 500 and all(t["outcome"] == "result" for t in asked), len(asked))
    return "at most %d in flight" % figures["tasks"]["concurrency"]["max"]


@test
def import_hooks_of_the_programs_own():
    program = scratch / "hooks.py"
    program.write_text("""
import builtins, importlib.abc, importlib.machinery, sys
log = []
class Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        log.append(name)
        if name == "made_up":
            return importlib.machinery.ModuleSpec(name, self)
    def create_module(self, spec): return None
    def exec_module(self, module): module.answer = 42
sys.meta_path.insert(0, Finder())
real = builtins.__import__
def watched(name, *rest, **more):
    log.append("import " + name)
    return real(name, *rest, **more)
builtins.__import__ = watched
import made_up, asyncio
async def main():
    await asyncio.sleep(0)
    import made_up as again
    return again.answer
print(asyncio.run(main()), [type(f).__name__ for f in sys.meta_path[:1]], "made_up" in log,
      [n for n in log if "corun" in n], "import asyncio" in log)
""")
    for version, path in pythons():
        if version >= (3, 8):
            trace = same_with_and_without(path, program, status=0)
            check(report(trace)["tasks"]["count"] >= 1, version)
