# SPDX-License-Identifier: MIT
"""Mark regions, tasks and facts of a Python program for `corun record`.

    import corun_marks as corun

    with corun.region("work"):                   # a region: figures of its own
        job = corun.task_begin("job", "resize 7")   # a unit of work: a lane of its own
        corun.task_step(job)                     # this thread works on it from here
        corun.task_wait(job, "network:10.0.0.7:80")  # ... and here no longer
        corun.task_end(job)
        corun.fact(sum=42)                       # one JSON object, for a claim to read

Without a recorder every call returns at once: copy this file beside your program, nothing else is
needed. With one, marks go into a ring in shared memory (record/MARKS.md has its format). Nothing
blocks and nothing is printed; if the recorder is too slow the oldest marks are lost, and it counts
them. Python 3.6 and later; threads and fork are fine.
"""
import itertools
import mmap
import os
import struct
import threading
import time

RESULT, EXCEPTION, CANCELLED = 0, 1, 2

_BEGIN, _STEP, _WAIT, _READY, _END, _LINK, _NAME = range(1, 8)
_REGION_BEGIN, _REGION_END, _FACT = range(16, 19)
_HEAD, _SLOT, _SLOTS, _TEXT_MAX = 4096, 64, 65536, 16384  # 4 MiB of slots
_slot = struct.Struct("<QQQIBBH24sQ")
_more = struct.Struct("<56sQ")
_lock = threading.Lock()
if hasattr(time, "monotonic_ns"):  # CLOCK_MONOTONIC on Linux
    _clock = time.monotonic_ns
else:
    def _clock():
        return int(time.monotonic() * 1e9)
_ring = None      # mmap; None: nobody records
_tried = False
_mask = 0
_next = _ids = None
_thread = threading.local()


def _gettid():
    if hasattr(threading, "get_native_id"):
        return threading.get_native_id()
    return int(os.readlink("/proc/thread-self").rsplit("/", 1)[1])


def _open(folder):
    """A new ring in the recorder's folder; its space is taken at once."""
    now, pid = _clock(), os.getpid()
    path = "%s/%d-%x.ring" % (folder, pid, now)
    slots = _SLOTS
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        while True:
            size = _HEAD + slots * _SLOT
            try:
                os.posix_fallocate(fd, 0, size)
                break
            except OSError:  # memory is short
                slots //= 4
                if slots < 4096:
                    raise
        ring = mmap.mmap(fd, size)
    except OSError:
        os.unlink(path)
        raise
    finally:
        os.close(fd)
    struct.pack_into("<IIIIQ", ring, 8, 1, pid, slots, 0, _HEAD)
    ring[0:8] = b"runmark1"
    return ring, slots - 1, (pid << 42) | (((now >> 20) & 0x3FF) << 32)


def recording():
    """Is somebody recording? For what costs something to prepare."""
    global _ring, _mask, _tried, _next, _ids
    if _tried:
        return _ring is not None
    with _lock:
        if _tried:
            return _ring is not None
        folder = os.environ.get("CORUN_MARKS")
        if folder:
            try:
                ring, _mask, base = _open(folder)
                _next, _ids = itertools.count(), itertools.count(base + 1)
                _ring = ring
            except (OSError, ValueError):
                pass
        _tried = True
    return _ring is not None


def _forget():
    """A forked child: the parent's ring is not ours."""
    global _ring, _tried, _lock, _thread
    _lock, _thread = threading.Lock(), threading.local()
    _ring, _tried = None, False


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _reserve(n):
    """Indexes of @n slots in a row. Another thread may come between two: what it leaves is padding."""
    while True:
        got = [next(_next) for _ in range(n)]
        if got[-1] == got[0] + n - 1:
            return got[0]
        for index in got:
            _slot.pack_into(_ring, _HEAD + (index & _mask) * _SLOT, 0, 0, 0, 0, 0, 0, 0, b"",
                            index + 1)


def _put(op, outcome=0, task=0, ref=0, text=b""):
    ring = _ring
    now = _clock()
    try:
        tid = _thread.tid
    except AttributeError:
        tid = _thread.tid = _gettid()
    text = text[:_TEXT_MAX]
    n = 1 + (len(text) - 24 + 55) // 56 if len(text) > 24 else 1
    first = _reserve(n) if n > 1 else next(_next)
    _slot.pack_into(ring, _HEAD + (first & _mask) * _SLOT, now, task, ref, tid, op, outcome,
                    len(text), text[:24], first + 1)
    for i in range(1, n):
        at = 24 + (i - 1) * 56
        _more.pack_into(ring, _HEAD + ((first + i) & _mask) * _SLOT, text[at:at + 56],
                       first + i + 1 | 1 << 63)


def _bytes(text):
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)


# ---- regions ----

def begin(name):
    if recording():
        _put(_REGION_BEGIN, text=_bytes(name))


def end(name):
    if recording():
        _put(_REGION_END, text=_bytes(name))


class region:
    """with region("work"): ..."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        begin(self.name)
        return self

    def __exit__(self, *exc):
        end(self.name)


# ---- tasks ----

def task_begin(kind, name, parent=0):
    """A new task ("job", "request" ...), made by task @parent; its id, 0 when nobody records."""
    if not recording():
        return 0
    task = next(_ids)
    _put(_BEGIN, 0, task, parent, _bytes(kind) + b"\0" + _bytes(name))
    return task


def task_step(task):
    """The calling thread works on it from now on."""
    if task and recording():
        _put(_STEP, 0, task)


def task_wait(task, what="", awaited=0):
    """Nobody works on it: it waits for @what (a wait kind, then ':' and detail: "sleep",
    "network:10.0.0.7:80") or for task @awaited."""
    if task and recording():
        _put(_WAIT, 0, task, awaited, _bytes(what))


def task_ready(task, cause=0):
    """It could go on and waits for its turn; task @cause made it so."""
    if task and recording():
        _put(_READY, 0, task, cause)


def task_end(task, outcome=RESULT):
    if task and recording():
        _put(_END, outcome, task)


def task_link(task, source):
    """An arrow: task @source led to @task."""
    if task and recording():
        _put(_LINK, 0, task, source)


def task_name(task, name):
    if task and recording():
        _put(_NAME, 0, task, 0, _bytes(name))


# ---- facts ----

def fact(value=None, **fields):
    """One JSON object that a claim may read: a dict, or keywords."""
    if recording():
        import json
        _put(_FACT, text=json.dumps(fields if value is None else value).encode())
