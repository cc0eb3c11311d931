# SPDX-License-Identifier: MIT
"""Jobs of executors and pools as tasks, and what it costs to send them to other processes.

A job begins when it is submitted (ready: it waits for a worker), steps in the thread that runs it, and
ends when its result is there; a process pool's job ends when the parent has the result. Pickling,
unpickling and the reading and writing of pipes are phases of the job's steps, "serializing:BYTES",
"deserializing:BYTES" and "transferring:BYTES"; messages that belong to no job are tasks of the kind "message".

The id of a multiprocessing.Pool's job is computed from the parent's process id and the pool's own
numbers, on both sides; a ProcessPoolExecutor's travels in its call item.
"""
import ast
import functools
import itertools
import os
import sys
import threading
import time

marks = load("corun_marks.py")  # noqa: F821  (given by corun_hook.py)
tools = load("corun_graft.py")  # noqa: F821
graft, put_around, insert, method_of = (tools[n] for n in ("graft", "put_around", "insert", "method_of"))

BEGIN, STEP, WAIT, READY, END, LINK = range(1, 7)
RESULT, EXCEPTION, CANCELLED = range(3)
now = time.monotonic_ns
ring = None
local = threading.local()  # job: under way here; dump, sent, load, received: of the message under way
submitted = {}             # a pool's job number -> when


def have_ring():
    global ring
    if ring is None:
        ring = marks["open_ring"](0, 1)
    return ring is not None


def forked():
    global ring, local
    ring, local = None, threading.local()
    submitted.clear()


os.register_at_fork(after_in_child=forked)


def quietly(function):
    """Whatever goes wrong in the hook is not the program's: @function returns its first argument then."""
    @functools.wraps(function)
    def call(*args):
        try:
            return function(*args)
        except Exception:
            return args[0] if args else None
    return call


def name_of(fn, args=()):
    """What people call it: through partial, to_thread's Context.run, and map's star functions."""
    for _ in range(8):
        if isinstance(fn, functools.partial):
            fn, args = fn.func, fn.args + tuple(args)
        elif getattr(fn, "__name__", "") in ("run", "mapstar", "starmapstar", "_process_chunk") and args:
            first = args[0]
            if isinstance(first, tuple) and first:
                first = first[0]
            if not callable(first):
                break
            fn, args = first, args[1:]
        else:
            break
    code = getattr(fn, "__code__", None)
    site = "%s:%d (%s)" % (os.path.basename(code.co_filename), code.co_firstlineno, code.co_name) if code else ""
    return (getattr(fn, "__qualname__", None) or type(fn).__name__), site


def put(op, task, text="", ts=0, outcome=0, ref=0):
    ring.put(op, outcome, task, ref, text.encode("utf-8", "replace")[:4096], ts)


def creator():
    """The task or job that submits one: its id, 0 if there is none."""
    job = getattr(local, "job", 0)
    if not job and "asyncio" in sys.modules and "_get_running_loop" in vars(sys.modules.get("asyncio.events", sys)):
        asyncio = load("corun_asyncio.py")  # noqa: F821
        if asyncio["events"]._get_running_loop() is not None:
            rec = asyncio["live"].get(id(asyncio["tasks"].current_task()))
            job = rec[0] if rec else 0
    return job


def begin(job, fn, args, ts=0):
    name, site = name_of(fn, args)
    put(BEGIN, job, "job\0%s\0%s" % (name, site), ts, ref=creator())


# ---- threads ----

@quietly
def thread_submitted(item, fn, args):
    if have_ring():
        item._corun = next(ring.ids)
        begin(item._corun, fn, args)
        item.future._corun = item._corun


@quietly
def thread_step(item):
    job = getattr(item, "_corun", 0)
    if job and ring is not None:
        local.job = job
        put(STEP, job)
    return item.future


@quietly
def thread_done(future):
    job = getattr(future, "_corun", 0)
    local.job = 0
    if job and ring is not None:
        put(END, job, outcome=CANCELLED if future.cancelled() else EXCEPTION if future._exception else RESULT)


def wrap_finally(text):
    def wrap(body):
        guard = tools["statements"]("try:\n    pass\nfinally:\n" + text, body[0])[0]
        guard.body = body
        return [guard]
    return wrap


def install_thread(module):
    item = module._WorkItem
    names = {"corun_submitted": thread_submitted, "corun_step": thread_step, "corun_done": thread_done}
    what = "fn, args" if "fn" in item.__init__.__code__.co_varnames else "task[0], task[1]"

    def tail(body):
        return body + tools["statements"]("corun_submitted(self, %s)" % what, body[-1])

    item.__init__, item.run = (
        graft(item.__init__, "", tail, names),
        graft(item.run, "corun_future = corun_step(self)", wrap_finally("    corun_done(corun_future)"), names))


# ---- concurrent.futures' processes ----

@quietly
def call_item(item, work_item):
    item._corun = getattr(work_item, "_corun", 0)
    return item


@quietly
def call_step(item):
    step_here(getattr(item, "_corun", 0))


def install_process(module):
    names = {"corun_submitted": thread_submitted, "corun_call_item": call_item, "corun_step": call_step,
             "corun_done": done_here, "corun_defer": defer, "corun_result": process_result}

    def tail(body):
        return body + tools["statements"]("corun_submitted(self, fn, args)", body[-1])

    class Items(ast.NodeTransformer):
        def visit_Call(self, node):
            self.generic_visit(node)
            if isinstance(node.func, ast.Name) and node.func.id == "_CallItem":
                outer = tools["at_line"](ast.parse("corun_call_item(x, work_item)", mode="eval").body, node)
                outer.args[0] = node
                return outer
            return node

    def worker(body):
        def calls(node):
            return isinstance(node, ast.Try) and "call_item.fn" in ast.unparse(node) if hasattr(
                ast, "unparse") else isinstance(node, ast.Try) and any(
                    isinstance(n, ast.Attribute) and n.attr == "fn" for n in ast.walk(node))
        insert(body, calls, "corun_step(call_item)")
        insert(body, calls, "corun_done()", after=True)
        return body

    module._WorkItem.__init__ = graft(module._WorkItem.__init__, "", tail, names)
    module._sendback_result = graft(module._sendback_result, "corun_next()", list,
                                    {"corun_next": sending_result})
    module._process_worker = graft(module._process_worker, "corun_defer()", worker, names)
    manager = getattr(module, "_ExecutorManagerThread", None)
    if manager is not None:
        manager.add_call_item_to_queue = graft(manager.add_call_item_to_queue, "", lambda body: [
            Items().visit(node) for node in body], names)
        manager.process_result_item = graft(manager.process_result_item, "corun_result(self, result_item)",
                                            list, names)
    else:  # 3.8
        module._add_call_item_to_queue = graft(module._add_call_item_to_queue, "", lambda body: [
            Items().visit(node) for node in body], names)


@quietly
def process_result(manager, item):
    """The parent has the result of a call: the job is over."""
    work = getattr(manager, "pending_work_items", {}).get(getattr(item, "work_id", None))
    job = getattr(work, "_corun", 0)
    if job and ring is not None:
        put(END, job, outcome=EXCEPTION if item.exception is not None else RESULT)


# ---- a job in a process that was sent it ----

def defer():
    """The thread's messages are told with the job that they carry."""
    local.defer = True


def received_for(job):
    """How the message came that carried @job."""
    message = getattr(local, "message", None)
    if message is not None:
        local.message = None
        arrived, loading, loaded, size = message
        put(STEP, job, "transferring:%d" % size, arrived)
        put(STEP, job, "deserializing:%d" % size, loading)
        return loaded
    return 0


def step_here(job):
    local.job = job
    if job and have_ring():
        put(STEP, job, "", received_for(job))


def sending_result():
    """What is pickled next is the job's result: then it is out of our hands, even while the pipe is
    written, because the parent reads at the same time."""
    local.result = True


@quietly
def done_here():
    local.result = False
    leave(now())
    local.job = 0


def leave(when):
    job = getattr(local, "job", 0)
    if not job or ring is None:
        return
    local.job = 0
    if sys.version_info < (3, 9) and not getattr(local, "pool", False):
        put(END, job, "", when)  # nothing in the parent tells
    else:
        put(WAIT, job, "condition:result", when)


# ---- multiprocessing.Pool ----

def pool_id(pid, job, i):
    return 1 << 63 | (pid & 0x3FFFFF) << 40 | (job & 0xFFFFF) << 20 | (i if i is not None else 0) & 0xFFFFF


@quietly
def pool_submitted(job):
    submitted[job] = now()


@quietly
def pool_begin(task):
    """In the pool's thread that sends tasks: this one next."""
    job, i, func, args, kwds = task
    if have_ring():
        local.next = pool_id(os.getpid(), job, i)
        begin(local.next, func, args, submitted.get(job, 0))
    return task


@quietly
def pool_step(job, i, func):
    local.pool = True
    step_here(pool_id(os.getppid(), job, i))


@quietly
def pool_end(job, i, obj):
    """The parent has the result."""
    if have_ring():
        number = pool_id(os.getpid(), job, i)
        put(END, number, "", received_for(number), RESULT if obj[0] else EXCEPTION)


def install_pool(module):
    names = {"corun_begin": pool_begin, "corun_step": pool_step, "corun_done": done_here, "corun_end": pool_end,
             "corun_defer": defer, "corun_submitted": pool_submitted, "corun_result": sending_result}

    def unpacks(node):
        return (isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple) and
                getattr(node.targets[0].elts[0], "id", "") == "job" and isinstance(node.value, ast.Name))

    def puts(node):
        return (isinstance(node, ast.Try) and isinstance(node.body[0], ast.Expr) and
                isinstance(node.body[0].value, ast.Call) and getattr(node.body[0].value.func, "id", "") == "put")

    def worker(body):
        insert(body, unpacks, "corun_step(job, i, func)", after=True)
        insert(body, puts, "corun_result()")
        insert(body, puts, "corun_done()", after=True)
        return body

    def tasks(body):
        insert(body, puts, "corun_begin(task)")
        return body

    def results(body):
        insert(body, unpacks, "corun_end(job, i, obj)", after=True)
        return body

    def tail(body):
        return body + tools["statements"]("corun_submitted(self._job)", body[-1])

    pool = module.Pool
    module.worker = graft(module.worker, "corun_defer()", worker, names)
    pool._handle_tasks = staticmethod(graft(pool._handle_tasks, "", tasks, names))
    pool._handle_results = staticmethod(graft(pool._handle_results, "corun_defer()", results, names))
    for result in module.ApplyResult, module.IMapIterator:
        result.__init__ = graft(result.__init__, "", tail, names)


# ---- messages ----

def size_of(data):
    return data.nbytes if isinstance(data, memoryview) else len(data)


@quietly
def dumping(obj):
    job = getattr(local, "next", 0) or (type(obj).__name__ == "_CallItem" and getattr(obj, "_corun", 0))
    local.next = 0
    local.dump = (job, now())
    return obj


@quietly
def dumped(data):
    job, begun = local.dump
    if have_ring():
        size, end, mine = size_of(data), now(), getattr(local, "job", 0)
        if job or mine:
            put(STEP, job or mine, "serializing:%d" % size, begun)
            if job:
                put(READY, job, "", end)
            local.sent = (0, mine, size)
            if getattr(local, "result", False) and not job:
                local.sent = None
                leave(end)
                return data
        else:
            message = next(ring.ids)
            put(BEGIN, message, "message\0send %s\0" % human(size), begun)
            put(STEP, message, "serializing:%d" % size, begun)
            local.sent = (message, 0, size)
        if not job:
            put(STEP, local.sent[0] or mine, "transferring:%d" % size, end)
    return data


@quietly
def message_sent():
    sent = getattr(local, "sent", None)
    if sent is not None:
        local.sent = None
        message, mine, _ = sent
        if message:
            put(END, message)
        elif mine:
            put(STEP, mine)


@quietly
def arrived():
    local.received = now()


@quietly
def loading(data):
    local.load = (now(), size_of(data))
    return data


@quietly
def loaded(obj):
    begun, size = local.load
    first = getattr(local, "received", 0) or begun
    local.received = 0
    if getattr(local, "defer", False):
        local.message = (first, begun, now(), size)
        return obj
    if have_ring():
        mine = getattr(local, "job", 0)
        message = mine or next(ring.ids)
        if not mine:
            put(BEGIN, message, "message\0receive %s\0" % human(size), first)
        put(STEP, message, "transferring:%d" % size, first)
        put(STEP, message, "deserializing:%d" % size, begun)
        put(STEP if mine else END, message)
    return obj


def human(size):
    for unit in "B", "kB", "MB":
        if size < 1000:
            return "%.3g %s" % (size, unit)
        size /= 1000
    return "%.3g GB" % size


NAMES = {"corun_dumping": dumping, "corun_dumped": dumped, "corun_loading": loading, "corun_loaded": loaded}


def around(body):
    tree = ast.Module(body, [])
    put_around(tree, "dump", method_of("_ForkingPickler", "dumps"))
    put_around(tree, "load", method_of("_ForkingPickler", "loads"))
    return tree.body


def install_connection(module):
    base, connection = module._ConnectionBase, module.Connection

    def receive(body):
        body[1:1] = tools["statements"]("corun_arrived()", body[0])  # the length has come
        return body

    base.send, base.recv = graft(base.send, "", around, NAMES), graft(base.recv, "", around, NAMES)
    connection._send_bytes = graft(connection._send_bytes, "", wrap_finally("    corun_sent()"),
                                   {"corun_sent": message_sent})
    connection._recv_bytes = graft(connection._recv_bytes, "", receive, {"corun_arrived": arrived})


def install_queues(module):
    queue, simple = module.Queue, module.SimpleQueue
    queue.get, simple.get, simple.put = (graft(f, "", around, NAMES) for f in (queue.get, simple.get, simple.put))
    queue._feed = staticmethod(graft(queue._feed, "", around, NAMES))
