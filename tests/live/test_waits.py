# SPDX-License-Identifier: MIT
"""Blocking programs whose waits are known: recognised by kind, call, object and duration."""
from lib import check, dump, identity, no_loss, programs, record, report, scratch, test

WAITS = {
    # argument: (kind, call, descriptor)
    "pipe": ("pipe", "read", "pipe"),
    "tcp": ("network", "read", "tcp"),
    "unix": ("pipe", "read", "unix"),
    "eventfd": ("semaphore", "read", "eventfd"),
    "terminal": ("terminal", "read", "tty"),
    "poll-one": ("pipe", "poll", "pipe"),
    "poll-two": ("poll", "poll", "none"),
    "select-none": ("sleep", ("select", "pselect6"), "none"),
    "epoll": ("poll", "epoll_wait", "epoll"),
    "nanosleep": ("sleep", ("nanosleep", "clock_nanosleep"), "none"),
    "wait4": ("child", "wait4", "none"),
    "vfork": ("child", ("vfork", "clone"), "none"),
    "flock": ("file-lock", "flock", "file"),
}


def known_wait(name):
    kind, calls, descriptor = WAITS[name]
    calls = (calls,) if isinstance(calls, str) else calls
    trace, out = record(programs / "waits", name, scratch / "lock")
    begin, end = map(int, out.split()[-2:])
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    rows = [r for r in figures["syscalls"] if r["name"] in calls and r["kind"] == kind]
    check(rows, "no wait of this kind:", figures["syscalls"])
    row = max(rows, key=lambda r: r["max_wait_ns"])
    check(row["on"] == descriptor, "on", row)
    # What the program saw around its call holds the wait and the way back to a CPU.
    check(30_000_000 < row["max_wait_ns"] <= end - begin, "wait", row, "program", end - begin)
    main = figures["threads"][0]
    others = main["time_ns"]["running"] + main["time_ns"]["ready"]
    check(end - begin - row["max_wait_ns"] <= others + 300_000, "rest", end - begin, row, others)


def make(name):
    def run_one():
        known_wait(name)
    run_one.__name__ = f"wait_{name}".replace("-", "_")
    test(run_one)


for each in WAITS:
    make(each)


@test
def wait_fsync_is_disk():
    path = scratch / "data"
    trace, _ = record("dd", "if=/dev/zero", f"of={path}", "bs=1M", "count=16", "conv=fsync")
    figures = report(trace)
    no_loss(figures)
    waits = [r for r in figures["syscalls"] if r["name"] == "fsync"]
    kinds = {r["kind"] for r in waits}
    check(kinds <= {"disk"}, waits)
    path.unlink()
    return "no wait in fsync: the file system is in memory" if not waits else None


def waits_in_the_kernel(what, calls, kind, others, function):
    """(call, kind, function) of what the threads wait in that get into each other's way in the kernel."""
    for milliseconds in (400, 800, 1600, 3200):
        trace, _ = record(programs / "kernel_waits", what, milliseconds, scratch / "contended",
                          options=["--kernel-stacks"])
        figures = report(trace)
        no_loss(figures)
        identity(figures)
        rows = [r for r in figures["syscalls"] if r["name"] in calls]
        check({r["kind"] for r in rows} <= {kind} | others, "other kinds:", rows)
        waits = sum(r["waits"] for r in rows if r["kind"] == kind)
        if waits:
            break
    check(waits, "nobody waited:", figures["syscalls"])
    named = {k["site"] for r in rows for k in r.get("kernel", ())}
    check(not named or any(function in name for name in named), "functions:", named)
    return f"{waits} waits, in {', '.join(sorted(named)) or 'functions that this kernel does not name'}"


@test
def wait_for_the_lock_of_an_inode():
    # The writer that has it may wait for the disk.
    return waits_in_the_kernel("inode", ("pwrite64",), "kernel", {"disk"}, "rwsem")


@test
def wait_for_the_lock_of_an_address_space():
    return waits_in_the_kernel("mmap", ("mmap", "munmap"), "kernel", {"disk", "fault"}, "rwsem")


@test
def wait_for_room_in_a_pipe():
    # One writer waits for room, with the pipe's own lock let go; the others may meet on that.
    return waits_in_the_kernel("full", ("write",), "pipe", {"kernel"}, "pipe_write")


@test
def peer_address_and_file_name_are_told():
    trace, _ = record(programs / "waits", "tcp")
    names = [r[2].get("name", "") for r in dump(trace) if r[1] == "desc" and r[2].get("kind") == "tcp"]
    check(any("127.0.0.1:" in n for n in names), names)


@test
def user_memory_of_sleepers_is_read():
    trace, _ = record(programs / "waits", "nanosleep")
    sleeps = [r[2] for r in dump(trace) if r[1] == "switch" and "nanosleep" in r[2].get("call", "")]
    check(any(s.get("timeout") == "60000000" for s in sleeps), sleeps)
