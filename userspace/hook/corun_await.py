# SPDX-License-Identifier: MIT
"""What a task of asyncio waits for, and in which line: read along the chain of what awaits what, when a
step of it has ended and it is not ready again (corun_asyncio.py)."""
import os
import sys
import types
import weakref

had_gc = "gc" in sys.modules
import gc  # noqa: E402
if not had_gc:  # the program has not imported it
    del sys.modules["gc"]


class TaskRef(weakref.ref):
    __slots__ = ("key",)


def place(code, line):
    return "%s:%d (%s)" % (os.path.basename(code.co_filename), line, code.co_name)


# Functions of asyncio that are awaited, by what they wait for. What is awaited in none of these and
# is no task is a future of unknown origin: a condition.
KINDS = {
    "sleep": ["tasks.sleep"],
    "mutex": ["locks.Lock.acquire"],
    "semaphore": ["locks.Semaphore.acquire"],
    "barrier": ["locks.Barrier.wait", "locks.Barrier._block", "locks.Barrier._wait"],
    "condition": ["locks.Event.wait", "locks.Condition.wait", "queues.Queue.get", "queues.Queue.put",
                  "queues.Queue.join"],
    "join": ["tasks.wait", "tasks._wait", "tasks.wait_for", "taskgroups.TaskGroup.__aexit__",
             "taskgroups.TaskGroup._aexit", "base_events.BaseEventLoop.run_in_executor"],
    "child": ["base_subprocess.BaseSubprocessTransport._wait", "subprocess.Process.wait"],
    "network": ["streams.StreamReader._wait_for_data", "streams.FlowControlMixin._drain_helper",
                "streams.StreamReaderProtocol._get_close_waiter", "streams.StreamWriter.wait_closed",
                "base_events.Server.serve_forever", "base_events.Server.wait_closed",
                "selector_events.BaseSelectorEventLoop.sock_recv",
                "selector_events.BaseSelectorEventLoop.sock_recv_into",
                "selector_events.BaseSelectorEventLoop.sock_recvfrom",
                "selector_events.BaseSelectorEventLoop.sock_recvfrom_into",
                "selector_events.BaseSelectorEventLoop.sock_sendall",
                "selector_events.BaseSelectorEventLoop.sock_sendto",
                "selector_events.BaseSelectorEventLoop.sock_connect",
                "selector_events.BaseSelectorEventLoop.sock_accept",
                "base_events.BaseEventLoop._sock_sendfile_fallback",
                "base_events.BaseEventLoop.create_connection"],
}
# The same for well-known libraries, by file.
LIBRARIES = {"aiohttp/streams.py": "network", "aiohttp/web_protocol.py": "network",
             "aiohttp/client_proto.py": "network", "aiohttp/connector.py": "network",
             "anyio/_backends/_asyncio.py": "network", "asyncpg/protocol/protocol.pyx": "network"}
kinds = {}   # "module.qualname" -> kind
# Keyed by id(code), because the hash of a code object takes longer than all the rest; the values keep
# the code, so that its id is not used again.
codes = {}   # id(code) -> (kind or None, it is asyncio's own, code)
whats = {}   # (id(code), instruction, id(innermost code), case) -> word of a slot: what, and which line
wrapped = {} # id(asyncio's future of a job) -> [the job's number, a reference to that future]
Coroutine, Generator, AsyncGenerator = types.CoroutineType, types.GeneratorType, types.AsyncGeneratorType
# What stands between two that await one another and does not say which: `async for`, anext(), and
# coro.__await__() called by hand. What they hold can be asked of the garbage collector.
BETWEEN = {"async_generator_asend", "async_generator_athrow", "anext_awaitable", "coroutine_wrapper"}


def know(code, coro):
    path = code.co_filename
    folder, file = os.path.split(path)
    own = folder == OWN
    if own:
        kind = kinds.get("%s.%s" % (file[:-3], coro.__qualname__))
    else:
        kind = next((k for end, k in LIBRARIES.items() if path.endswith(end)), None)
    known = codes[id(code)] = (kind, own, code)
    if fast is not None:
        fast.code(code, own)
    return known


def held(between):
    for kept in gc.get_referents(between):
        if type(kept) in (Coroutine, Generator, AsyncGenerator) or type(kept).__name__ in BETWEEN:
            return kept
    return None


def frame_of(coro):
    return (coro.cr_frame if type(coro) is Coroutine else coro.gi_frame if type(coro) is Generator
            else coro.ag_frame)


def of_pipe(coro):
    """@coro is a method of a stream or of its protocol: is that a child's, at the other end of a pipe?"""
    frame = frame_of(coro)
    stream = frame.f_locals.get("self") if frame is not None else None
    return type(getattr(stream, "_transport", None)).__name__.endswith(("PipeTransport", "SubprocessTransport"))


def awaited(task):
    """What @task waits for and where, as one word of a slot, and the task that it waits for."""
    coro = task.get_coro()
    user = code = kind = own_last = None
    user_code = last = 0
    while True:
        kind_of = type(coro)
        if kind_of is Coroutine:
            code, inner = coro.cr_code, coro.cr_await
        elif kind_of is Generator:
            code, inner = coro.gi_code, coro.gi_yieldfrom
        elif kind_of is AsyncGenerator:
            code, inner = coro.ag_code, coro.ag_await
        elif kind_of.__name__ in BETWEEN:
            coro = held(coro)
            continue
        else:
            break  # a future's iterator, None, or what other languages compile
        last = id(code)
        found, own, _ = codes.get(last) or know(code, coro)
        if not own:
            user, user_code, kind, own_last = coro, last, found, None
        else:
            if user is None:
                user, user_code = coro, last
            if found is not None:
                kind, own_last = found, coro
        coro = inner
    if user is None:
        frame, at = None, -1
    else:
        frame = frame_of(user)
        at = frame.f_lasti if frame is not None else -1
    future = task._fut_waiter
    rec = live.get(id(future)) or wrapped.get(id(future))
    case = 1 if rec is not None else 2 if kind is None and type(future) is Gathering else 0
    word = whats.get((user_code, at, last, case))
    if word is None:
        if kind == "network" and own_last is not None and of_pipe(own_last):
            kind = "pipe"
        word = string(("join", "join:gather")[case - 1] if case else kind or "condition:future")
        if frame is not None:
            word |= string(place(frame.f_code, frame.f_lineno)) << 32
        if len(whats) < 20000:
            whats[user_code, at, last, case] = word
            if fast is not None and at >= 0:
                fast.place(user_code, at, last, case, word)
    return word, rec[0] if case == 1 else 0


def wrap_future(future, job):
    """asyncio has made @future for one of concurrent.futures that stands for @job."""
    try:
        number = getattr(job, "_corun", 0)
        if number and future is not job:
            ref = TaskRef(future, unwrapped)
            ref.key = id(future)
            wrapped[id(future)] = [number, ref]
    except Exception:
        pass
    return future


def unwrapped(ref):
    wrapped.pop(ref.key, None)


def install(asyncio_tasks, extension, records, put_string):
    """@extension: the module of step.c, or None; @records: id(task) -> a list that begins with its number;
    @put_string: text -> its offset in the ring."""
    global OWN, Gathering, fast, live, string
    OWN = os.path.dirname(asyncio_tasks.__file__)
    Gathering = asyncio_tasks._GatheringFuture
    fast, live, string = extension, records, put_string
    for kind, names in KINDS.items():
        kinds.update(dict.fromkeys(names, kind))
    if fast is not None:
        fast.chain(asyncio_tasks.Task, asyncio_tasks.futures.Future, Coroutine, Generator, wrapped)
