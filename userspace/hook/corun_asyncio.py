# SPDX-License-Identifier: MIT
"""asyncio's tasks, their steps and what they wait for, written into the ring (record/MARKS.md).

Five methods of asyncio are compiled anew from their own source with a few statements more: no frame
is added, so tracebacks, coroutines' stacks and exceptions are what they were.

- Handle._run: a step of a task begins and ends here (Task's C code calls back through it).
- BaseEventLoop._call_soon: a task becomes ready; the first time, it is new.
- BaseEventLoop.create_task: an eager task (3.12+) has run its first step when this returns.
- TimerHandle._run, which was Handle's: a timer that ran out while the loop was at others' steps makes its
  task ready from then on, not from when the loop gets round to it.
- BaseEventLoop.run_forever: which thread runs the loop.

One slot a step. The hot part is an extension module (step.c); where it cannot be loaded the same is
done here, in Python, at three times the price. The statements stand in corun_methods.py; what a task
is left waiting for by its step is found by corun_await.py.
"""
import os
import struct
import sys
import threading
import time

marks = load("corun_marks.py")  # noqa: F821  (given by corun_hook.py)
methods = load("corun_methods.py")  # noqa: F821
waits = load("corun_await.py")  # noqa: F821
awaited, place, TaskRef = waits["awaited"], waits["place"], waits["TaskRef"]

RUN_OP = 20 << 32
CLOSED_AT = 32
RESULT, EXCEPTION, CANCELLED, WAITS, READY, NOTHING = (n << 40 for n in range(6))

live = {}      # id(task) -> its record
loops = {}     # id(loop) -> [cell, word]
creating = {}  # thread -> when the create_task() that it is in began
holder = [None, None]  # task of the step under way and its record; of one thread, if there are more
busy = [0, 0, 0]       # steps one after the other, from when until when (as in step.c); when the timer is due that is run
cells_used = {}        # thread id -> its cell
now = time.monotonic_ns

# A task's record.
ID, READY_AT, LOOP, NAME, REF, WHAT = range(6)


class FirstStep:
    """Stands for a record's LOOP until its task's first step unpacks it: by then the task has the name
    that asyncio.create_task() gives it after all else."""

    __slots__ = ("rec", "info")

    def __iter__(self):
        rec = self.rec
        rec[LOOP] = self.info
        try:
            check_name(rec[REF](), rec)
        except Exception:
            pass
        return iter(self.info)


def load_fast():
    """The extension module, or None: another Python than it was made for. It stays out of sys.modules."""
    if sys.version_info >= (3, 16) or "t" in sys.abiflags or os.environ.get("CORUN_HOOK") == "python":
        return None
    try:
        import _imp
        path = os.path.join(os.path.dirname(__file__), "corun_step.so")
        spec = sys.modules["_frozen_importlib"].ModuleSpec("corun_step", None, origin=path)
        module = _imp.create_dynamic(spec)
        _imp.exec_dynamic(module)
        sys.modules.pop("corun_step", None)
        return module
    except ImportError:
        return None


fast = load_fast()
if fast is not None:
    fast_add, fast_over, fast_waits = fast.add, fast.over, fast.waits

# ---- the ring ----

STRINGS = 256 * 1024  # bytes for source lines and what is waited for
ring = None           # of this process; a forked child opens its own
strings = {}          # text -> offset in its string area
cells = None          # the whole ring as 8-byte words
grafted = []          # functions that refer to the ring
pack = struct.Struct("<8Q").pack_into


def have_ring():
    """Open the ring if there is none yet, and give it to the grafted functions: cells of their closures."""
    global ring, cells, ring_map, ring_indexes, ring_mask, ring_at
    if ring is not None:
        return True
    opened = marks["open_ring"](STRINGS, 2)
    if opened is None:
        return False
    strings.clear()
    strings[""] = 0
    if fast is not None:
        if not fast.open(opened.path.encode(), opened.at, opened.mask + 1, 0):
            return False
        opened.indexes = iter(fast.index, None)
    cells = memoryview(opened.map).cast("Q")
    values = {"corun_map": opened.map, "corun_indexes": opened.indexes, "corun_mask": opened.mask,
              "corun_at": opened.at}
    for function in grafted:
        for name, cell in zip(function.__code__.co_freevars, function.__closure__):
            if name in values:
                cell.cell_contents = values[name]
    ring_map, ring_indexes, ring_mask, ring_at = values.values()
    waits["whats"].clear()
    ring = opened
    return True


def forked():
    """A child: tasks that it goes on with are new ones, in a ring of its own."""
    global ring, cells
    ring = cells = None
    if fast is not None:
        fast.reset()
    for rec in live.values():
        rec[ID] = rec[READY_AT] = 0
    live.clear()
    loops.clear()
    creating.clear()
    cells_used.clear()
    holder[0] = holder[1] = None


def string(text):
    offset = strings.get(text)
    if offset is None:
        offset = ring.string(text.encode("utf-8", "replace"))
        if len(strings) < 20000:
            strings[text] = offset
    return offset


def set_thread(info):
    tid = threading.get_native_id()
    at = 8 + cells_used.setdefault(tid, len(cells_used) % 126) * 4
    info[:] = [cells[at:at + 4], tid | RUN_OP | READY]
    info[0][2] = tid


def loop_info(loop):
    info = loops.get(id(loop))
    if info is None:
        info = loops[id(loop)] = []
        set_thread(info)
    return info


def enter_loop(loop):
    """run_forever() begins in this thread."""
    try:
        if have_ring():
            set_thread(loop_info(loop))
    except Exception:
        pass


def set_due(when):
    """The callback of a timer that is due at that time of the loop is about to be called; 0.0: it was."""
    busy[2] = int(when * 1e9)


def ready_at():
    return busy[2] if busy[0] <= busy[2] <= busy[1] else now()


# ---- tasks ----

def code_of(coro):
    for name in ("cr_code", "gi_code", "ag_code"):
        code = getattr(coro, name, None)
        if code is not None:
            return code
    return None


def full_name(task, what):
    return ("%s (%s)" % (task.get_name(), what)).encode("utf-8", "replace")[:4096]


def register(task, coro=None):
    """A task is seen for the first time: by its first call_soon(), or as an eager one. (3.12.1 crashes
    in get_coro() of an eager task that is done: then @coro is given.)"""
    try:
        if not have_ring():
            return None
        begin = creating.get(threading.get_ident()) or now()
        loop = task.get_loop()
        creator = tasks.current_task(loop) if events._get_running_loop() is loop else None
        if creator is not task:
            parent = live.get(id(creator))
        else:
            parent = holder[1] if fast is None else [fast.current()]
        ref = TaskRef(task, dropped)
        ref.key = id(task)
        if coro is None:
            coro = task.get_coro()
        what = getattr(coro, "__qualname__", None) or type(coro).__name__
        name = full_name(task, what)
        number = next(ring.ids)
        code = code_of(coro)
        site = place(code, code.co_firstlineno).encode("utf-8", "replace") if code else b""
        ring.put(1, 0, number, parent[ID] if parent else 0, b"asyncio\0%s\0%s" % (name, site), begin)
        rec = live[id(task)] = [number, now(), None, name, ref, what]
        if fast is not None:
            fast_add(task, number)
            return rec
        rec[LOOP] = first = FirstStep()
        first.rec, first.info = rec, loop_info(loop)
        return rec
    except Exception:
        return None


def dropped(ref):
    """A task that never ended is gone: nobody had kept it."""
    rec = live.get(ref.key)
    if rec is not None and rec[REF] is ref:
        del live[ref.key]
        if fast is not None:
            fast.drop(ref.key)
        ring.put(5, 2, rec[ID])


def step_end(task, rec, begin, ready):
    """A step has ended and the task is not ready again: it is over, or it waits."""
    try:
        end = now()
        if ring.map[CLOSED_AT]:
            uninstall()
            return
        if rec[ID] and not task.done():
            what, other = awaited(task)
            index = next(ring_indexes)
            pack(ring_map, ((index & ring_mask) << 6) + ring_at, begin, rec[ID], other,
                 rec[LOOP][1] - READY + WAITS, what, end, ready, index + 1)
        elif rec[ID]:  # else forked inside the step, and this is the child
            put_end(task, rec, begin, end, ready)
    except Exception:
        pass


def put_end(task, rec, begin, end, ready):
    outcome = CANCELLED if task.cancelled() else EXCEPTION if task._exception else RESULT
    del live[id(task)]
    check_name(task, rec)
    index = next(ring_indexes)
    pack(ring_map, ((index & ring_mask) << 6) + ring_at, begin, rec[ID], 0, rec[LOOP][1] - READY + outcome, 0,
         end, ready, index + 1)


def fast_step_end(task):
    """The same, when the extension module has kept the times."""
    try:
        if not task.done():
            what, other = awaited(task)
            fast_waits(task, what, other)
            return
        rec = live.pop(id(task))
        fast_over(task, 2 if task.cancelled() else 1 if task._exception else 0)
        check_name(task, rec)
    except Exception:
        pass


def fast_first(task):
    """Its first step begins: by now it has the name that asyncio.create_task() gives it after all else."""
    try:
        if ring.map[CLOSED_AT]:
            uninstall()
            return
        check_name(task, live[id(task)])
    except Exception:
        pass


def fast_created(task, coro):
    rec, begun = live.get(id(task)), creating[threading.get_ident()]
    if rec is None:
        rec = register(task, coro)
        fast.unready(task)
        if fast.eager(task, begun):
            fast_step_end(task)
        return
    if getattr(coro, "cr_suspended", False):
        fast.eager(task, begun)
    check_name(task, rec)


def check_name(task, rec):
    name = full_name(task, rec[WHAT])
    if rec[NAME] != name:
        rec[NAME] = name
        ring.put(7, 0, rec[ID], 0, name)


def create():
    """create_task() begins; returns what uncreate() puts back."""
    thread = threading.get_ident()
    outer = creating.get(thread)
    creating[thread] = now()
    return outer


def uncreate(outer):
    if outer is None:
        creating.pop(threading.get_ident(), None)
    else:
        creating[threading.get_ident()] = outer


def created(task, coro):
    """create_task() returns @task: an eager one (3.12+) has run its first step already."""
    try:
        if isinstance(task, task_types) and have_ring():
            if fast is not None:
                fast_created(task, coro)
                return task
            rec = live.get(id(task))
            if rec is None:
                rec = register(task, coro)
                _, word = rec[LOOP]
                rec[READY_AT] = 0
                step_end(task, rec, creating[threading.get_ident()], 0)
                return task
            if getattr(coro, "cr_suspended", False):
                _, word = rec[LOOP]
                index = next(ring_indexes)
                pack(ring_map, ((index & ring_mask) << 6) + ring_at, creating[threading.get_ident()], rec[ID],
                     0, word, 0, rec[READY_AT], 0, index + 1)
            check_name(task, rec)
    except Exception:
        pass
    return task


# ---- in goes the hook, and out ----

before = []  # what stood where the hook has put something


def uninstall():
    """The recorder is gone: everything is as it was."""
    for where, name, value in before:
        setattr(where, name, value)
    if before:
        del events.TimerHandle._run
    del before[:]
    live.clear()


def attached():
    """Tasks that the program had before the hook came wait for something; but the one whose step this is."""
    loop = events._get_running_loop()
    if loop is None or not have_ring():
        return
    current = tasks.current_task(loop)
    for task in tasks.all_tasks(loop):
        if task is current or id(task) in live:
            continue
        rec = register(task)
        if rec is None or task._fut_waiter is None:
            continue  # it is ready, as register() says
        word, other = awaited(task)
        what, site = (next(text for text, at in strings.items() if at == offset)
                      for offset in (word & 0xffffffff, word >> 32))
        ring.put(3, 0, rec[ID], other, (what + "\0" + site).encode("utf-8", "replace"))
        if fast is not None:
            fast.unready(task)
        else:
            rec[READY_AT] = 0


def install(base_events):
    global events, tasks, task_types
    events, tasks, futures = (sys.modules["asyncio." + name] for name in ("events", "tasks", "futures"))
    task_types = (tasks.Task, tasks._PyTask)
    waits["install"](tasks, fast, live, string)
    loop, handle = base_events.BaseEventLoop, events.Handle
    names = {"corun_getattr": getattr, "corun_register": register, "corun_create": create,
             "corun_uncreate": uncreate, "corun_created": created, "corun_wrap": waits["wrap_future"]}
    if fast is not None:
        fast.types(task_types)
        names.update(corun_begin=fast.begin, corun_end=fast.end, corun_first=fast_first,
                     corun_step_end=fast_step_end, corun_due=fast.due, corun_soon=fast.soon)
    else:
        names.update(corun_live=live, corun_now=now, corun_holder=holder, corun_id=id, corun_pack=pack,
                     corun_next=next, corun_step_end=step_end, corun_map=None, corun_indexes=None,
                     corun_mask=0, corun_at=0, corun_busy=busy, corun_due=set_due, corun_enter=enter_loop,
                     corun_isinstance=isinstance, corun_types=task_types, corun_ready_at=ready_at)
    run, timer_run, soon = methods["compile_steps"](handle, loop, names, fast is not None)
    make, wrap = methods["compile_rest"](loop, futures, names)
    before.extend(((handle, "_run", handle._run), (loop, "_call_soon", loop._call_soon),
                   (loop, "create_task", loop.create_task), (futures, "wrap_future", futures.wrap_future)))
    handle._run, loop._call_soon, loop.create_task = run, soon, make
    futures.wrap_future = wrap
    events.TimerHandle._run = timer_run
    if fast is None:
        # The extension module sees by itself which thread it is in.
        before.append((loop, "run_forever", loop.run_forever))
        loop.run_forever = methods["compile_forever"](loop, names)
        grafted.extend((run, timer_run))
    os.register_at_fork(after_in_child=forked)
