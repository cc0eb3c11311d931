# SPDX-License-Identifier: MIT
"""asyncio of many sorts, and the true history of every task: each step as the program itself saw it.

Prints one JSON object: task name -> {"steps": [[begin_ns, end_ns], ...], "outcome": ...}.
"""
import asyncio
import json
import os
import sys
import threading
import time

log = {}


class Watched:
    """Drives a coroutine by hand, from inside its task, and notes when each step began and ended."""

    def __init__(self, coro, steps):
        self.coro, self.steps = coro, steps

    def __await__(self):
        value = error = None
        while True:
            begin = time.monotonic_ns()
            try:
                if error is not None:
                    future = self.coro.throw(error)
                else:
                    future = self.coro.send(value)
            except BaseException as end:
                self.steps.append([begin, time.monotonic_ns()])
                if isinstance(end, StopIteration):
                    return end.value
                raise
            self.steps.append([begin, time.monotonic_ns()])
            value = error = None
            try:
                value = yield future
            except BaseException as thrown:
                error = thrown


def task(name, coro, make=None):
    steps = []
    log[name] = {"steps": steps, "outcome": None}

    async def run():
        try:
            result = await Watched(coro, steps)
            log[name]["outcome"] = "result"
            return result
        except asyncio.CancelledError:
            log[name]["outcome"] = "cancelled"
            raise
        except Exception:
            log[name]["outcome"] = "exception"
            raise

    return (make or asyncio.get_running_loop().create_task)(run(), name=name)


async def steps_of(n):
    for _ in range(n):
        await asyncio.sleep(0)


async def sleeper(seconds):
    await asyncio.sleep(seconds)
    await asyncio.sleep(0)


async def producer(queue, n):
    for i in range(n):
        await queue.put(i)


async def consumer(queue, n):
    for _ in range(n):
        await queue.get()


async def locker(lock):
    async with lock:
        await asyncio.sleep(0.002)


async def failing():
    await asyncio.sleep(0.001)
    raise ValueError("on purpose")


async def blocking():
    await asyncio.sleep(0)
    time.sleep(0.03)
    await asyncio.sleep(0)


async def nested():
    inner = [task("inner-%d" % i, sleeper(0.001 * i)) for i in range(3)]
    await asyncio.gather(*inner)


async def group():
    async with asyncio.TaskGroup() as g:
        for i in range(3):
            task("group-%d" % i, sleeper(0.001 * i), g.create_task)


async def echo():
    async def serve(reader, writer):
        writer.write(await reader.readline())
        await writer.drain()
        writer.close()
    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
    writer.write(b"hello\n")
    assert await reader.readline() == b"hello\n"
    writer.close()
    server.close()


async def main():
    queue, lock, event = asyncio.Queue(2), asyncio.Lock(), asyncio.Event()
    async def waiter():
        await event.wait()
    tasks = [task("steps", steps_of(200)), task("sleeper", sleeper(0.005)),
             task("producer", producer(queue, 50)), task("consumer", consumer(queue, 50)),
             task("failing", failing()), task("blocking", blocking()), task("nested", nested()),
             task("waiter", waiter()), task("echo", echo())]
    tasks += [task("locker-%d" % i, locker(lock)) for i in range(3)]
    if hasattr(asyncio, "TaskGroup"):
        tasks.append(task("group", group()))
    forever = task("forever", sleeper(1000))
    unborn = task("unborn", sleeper(1000))
    unborn.cancel()  # before its first step
    await asyncio.sleep(0.01)
    event.set()
    forever.cancel()
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)
    await asyncio.gather(*tasks, forever, unborn, return_exceptions=True)
    if sys.version_info >= (3, 12):
        loop = asyncio.get_running_loop()
        loop.set_task_factory(asyncio.eager_task_factory)
        async def nothing():
            return 1
        eager = [task("eager-%d" % i, sleeper(0.001)) for i in range(3)]
        eager += [task("eager-done", nothing()), task("eager-nested", nested())]
        await asyncio.gather(*eager)


def in_thread():
    async def work():
        await asyncio.gather(task("thread-a", steps_of(20)), task("thread-b", sleeper(0.002)))
    asyncio.run(work())


asyncio.run(main())
thread = threading.Thread(target=in_thread)
thread.start()
thread.join()
loop = asyncio.new_event_loop()  # a loop made by hand, after another was closed
async def last():
    await task("by-hand", steps_of(5))
loop.run_until_complete(last())
loop.close()
print(json.dumps(log))
