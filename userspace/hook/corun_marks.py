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
_REGION_BEGIN, _REGION_END, _FACT, _THREAD_NAME, _RUN, _NOTE = range(16, 22)
_HEAD, _SLOT, _SLOTS, _TEXT_MAX = 4096, 64, 65536, 16384  # 4 MiB of slots
_MORE = 1 << 63
_lock = threading.Lock()
_attached = None  # the recorder's folder, if it came to this process by itself
_ring = None      # Ring; None: nobody records
_tried = False
_pid = 0          # whose ring it is, if forks have to be looked for
if hasattr(time, "monotonic_ns"):  # CLOCK_MONOTONIC on Linux
    _now = time.monotonic_ns
else:
    def _now():
        return int(time.monotonic() * 1e9)


def _gettid():
    if hasattr(threading, "get_native_id"):
        return threading.get_native_id()
    return int(os.readlink("/proc/thread-self").rsplit("/", 1)[1])


class Ring:
    """A new ring in the recorder's folder. Its space is taken at once: a full memory file system must
    not kill the program later. With @strings bytes of string area; @number tells the rings of one process
    apart."""

    def __init__(self, folder, strings=0, number=0):
        begin, pid, slots = _now(), os.getpid(), _SLOTS
        self.at = _HEAD + strings
        self.path = path = "%s/%d-%x-%d.ring" % (folder, pid, begin, number)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            while True:
                try:
                    os.posix_fallocate(fd, 0, self.at + slots * _SLOT)
                    break
                except OSError:  # memory is short
                    slots //= 4
                    if slots < 4096:
                        raise
            self.map = mmap.mmap(fd, self.at + slots * _SLOT)
        except (OSError, ValueError):
            os.unlink(path)
            raise
        finally:
            os.close(fd)
        self.mask = slots - 1
        self.indexes = itertools.count()
        # Ids are unique in the recording: an exec or a reused process id begins elsewhere.
        self.ids = itertools.count((pid << 42 | (begin >> 20 & 0x3FF) << 32) + (number << 28) + 1)
        self.thread = threading.local()
        self.free, self.end = 8, strings  # of the string area
        self.slot = struct.Struct("<QQQIBBH24sQ").pack_into
        self.more = struct.Struct("<56sQ").pack_into
        struct.pack_into("<IIIIQ", self.map, 8, 1, pid, slots, strings, self.at)
        self.map[0:8] = b"runmark1"

    def reserve(self, n):
        """The first index of @n in a row. Another thread may come between two: those are padding."""
        while True:
            got = [next(self.indexes) for _ in range(n)]
            if got[-1] == got[0] + n - 1:
                return got[0]
            for index in got:
                self.slot(self.map, self.at + (index & self.mask) * _SLOT, 0, 0, 0, 0, 0, 0, 0, b"", index + 1)

    def put(self, op, outcome=0, task=0, ref=0, text=b"", ts=0):
        try:
            tid = self.thread.tid
        except AttributeError:
            tid = self.thread.tid = _gettid()
        length = len(text)
        if length <= 24:
            index = next(self.indexes)
            self.slot(self.map, self.at + (index & self.mask) * _SLOT, ts or _now(), task, ref, tid, op,
                      outcome, length, text, index + 1)
            return
        text = text[:_TEXT_MAX]
        n = 1 + (len(text) - 24 + 55) // 56
        index = self.reserve(n)
        self.slot(self.map, self.at + (index & self.mask) * _SLOT, ts or _now(), task, ref, tid, op, outcome,
                  len(text), text[:24], index + 1)
        for i in range(1, n):
            at = 24 + (i - 1) * 56
            self.more(self.map, self.at + ((index + i) & self.mask) * _SLOT, text[at:at + 56],
                      index + i + 1 | _MORE)

    def string(self, text):
        """@text in the string area: its offset; 0 when the area is full."""
        text = text[:4000]
        at = self.free
        if at + 2 + len(text) > self.end:
            return 0
        self.free += 2 + len(text)
        self.map[_HEAD + at:_HEAD + at + 2 + len(text)] = struct.pack("<H", len(text)) + text
        return at


def open_ring(strings=0, number=0):
    """A ring, or None: nobody records, or it cannot be had."""
    folder = _attached or os.environ.get("CORUN_MARKS")
    try:
        return Ring(folder, strings, number) if folder else None
    except (OSError, ValueError):
        return None


def recording():
    """Is somebody recording? For what costs something to prepare."""
    global _ring, _tried, _pid
    if _pid and _pid != os.getpid():
        _forget()
    if not _tried:
        with _lock:
            if not _tried:
                _ring = open_ring(0, 3)
                _pid = 0 if hasattr(os, "register_at_fork") else os.getpid()  # 3.6 cannot be told
                _tried = True
    return _ring is not None


def _forget():
    """A forked child: the parent's ring is not ours."""
    global _ring, _tried, _lock, _pid
    _lock, _ring, _tried, _pid = threading.Lock(), None, False, 0


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def _bytes(text):
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else bytes(text)


# ---- regions ----

def begin(name):
    if recording():
        _ring.put(_REGION_BEGIN, text=_bytes(name))


def end(name):
    if recording():
        _ring.put(_REGION_END, text=_bytes(name))


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
    task = next(_ring.ids)
    _ring.put(_BEGIN, 0, task, parent, _bytes(kind) + b"\0" + _bytes(name))
    return task


def task_step(task):
    """The calling thread works on it from now on."""
    if task and recording():
        _ring.put(_STEP, 0, task)


def task_wait(task, what="", awaited=0):
    """Nobody works on it: it waits for @what (a wait kind, then ':' and detail: "sleep",
    "network:10.0.0.7:80") or for task @awaited."""
    if task and recording():
        _ring.put(_WAIT, 0, task, awaited, _bytes(what))


def task_ready(task, cause=0):
    """It could go on and waits for its turn; task @cause made it so."""
    if task and recording():
        _ring.put(_READY, 0, task, cause)


def task_end(task, outcome=RESULT):
    if task and recording():
        _ring.put(_END, outcome, task)


def task_link(task, source):
    """An arrow: task @source led to @task."""
    if task and recording():
        _ring.put(_LINK, 0, task, source)


def task_name(task, name):
    if task and recording():
        _ring.put(_NAME, 0, task, 0, _bytes(name))


# ---- facts ----

def fact(value=None, **fields):
    """One JSON object that a claim may read: a dict, or keywords."""
    if recording():
        import json
        _ring.put(_FACT, text=json.dumps(fields if value is None else value).encode())


def note(text):
    """Something that could not be had, for the report: a sentence."""
    if recording():
        _ring.put(_NOTE, text=_bytes(text))
