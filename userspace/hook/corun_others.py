# SPDX-License-Identifier: MIT
"""Other event loops: trio's tasks by its own instruments; uvloop and curio are detected and said."""
import os

marks = load("corun_marks.py")  # noqa: F821  (given by corun_hook.py)
graft = load("corun_graft.py")["graft"]  # noqa: F821

BEGIN, STEP, WAIT, READY, END = range(1, 6)
RESULT, EXCEPTION, CANCELLED = range(3)


def say_uvloop(module):
    marks["note"]("uvloop runs its steps in C, where the hook does not see them: tasks of a uvloop loop are "
                  "not shown")


def say_curio(module):
    marks["note"]("curio's tasks are not shown: the hook knows asyncio and trio")


# Functions that trio's tasks wait in, innermost first, by what they wait for.
KINDS = {"sleep": "sleep", "sleep_until": "sleep", "sleep_forever": "sleep", "wait_readable": "network",
         "wait_writable": "network", "Lock.acquire": "mutex", "StrictFIFOLock.acquire": "mutex", "_LockImpl.acquire": "mutex",
         "Semaphore.acquire": "semaphore", "CapacityLimiter.acquire": "semaphore", "Event.wait": "condition",
         "Condition.wait": "condition", "MemoryReceiveChannel.receive": "condition",
         "MemorySendChannel.send": "condition", "NurseryManager.__aexit__": "join",
         "Nursery._nested_child_finished": "join", "to_thread_run_sync": "join", "Process.wait": "child"}


def awaited(coro):
    """Kind and source line, from the chain of awaits; trio's own code is what has its folder."""
    kind = where = None
    own = os.sep + "trio" + os.sep
    for _ in range(200):
        frame = getattr(coro, "cr_frame", None) or getattr(coro, "gi_frame", None)
        if frame is None:
            break
        if own in frame.f_code.co_filename:
            kind = KINDS.get(getattr(coro, "__qualname__", ""), kind)
        else:
            kind = None
            where = "%s:%d (%s)" % (os.path.basename(frame.f_code.co_filename), frame.f_lineno,
                                    frame.f_code.co_name)
        coro = getattr(coro, "cr_await", None) or getattr(coro, "gi_yieldfrom", None)
    return kind or "other", where or ""


outcomes = {}  # trio's task that exits -> how


class Instrument:
    def __init__(self, core):
        self.core = core
        self.ring = marks["open_ring"](0, 4)
        self.live = {}
        self.pid = os.getpid()

    def put(self, op, task, text="", outcome=0):
        if self.ring is None or self.pid != os.getpid():
            return
        if task not in self.live:
            self.live[task] = next(self.ring.ids)
            creator = self.live.get(getattr(self.core.GLOBAL_RUN_CONTEXT, "task", None), 0)
            self.ring.put(BEGIN, 0, self.live[task], creator, ("trio\0%s\0" % task.name).encode("utf-8", "replace"))
        self.ring.put(op, outcome, self.live[task], 0, text.encode("utf-8", "replace"))

    def task_spawned(self, task):
        self.put(READY, task)

    def task_scheduled(self, task):
        self.put(READY, task)

    def before_task_step(self, task):
        self.put(STEP, task)

    def after_task_step(self, task):
        if task in self.live and task.coro.cr_frame is not None:
            kind, where = awaited(task.coro)
            self.put(WAIT, task, "%s\0%s" % (kind, where))

    def task_exited(self, task):
        if task in self.live:
            error = getattr(outcomes.pop(task, None), "error", None)
            self.put(END, task, "", RESULT if error is None else
                     CANCELLED if type(error).__name__ == "Cancelled" else EXCEPTION)
            del self.live[task]


def install_trio(module):
    def instruments(given):
        return [*given, Instrument(module)]

    module.Runner.task_exited = graft(module.Runner.task_exited, "corun_outcome(task, outcome)", list,
                                      {"corun_outcome": outcomes.__setitem__})
    module.setup_runner = graft(module.setup_runner, "instruments = corun_instruments(instruments)", list,
                                {"corun_instruments": instruments})
