# SPDX-License-Identifier: MIT
"""glibc's locks: each wait's kind, and who held a mutex, against what the threads themselves noted."""
import bisect
import subprocess

from lib import check, corun, dump, identity, need, no_loss, programs, record, report, run, scratch, test

MUTEXES = ("normal", "recursive", "errorcheck", "adaptive", "pi", "robust", "robust-pi")
# What else may be waited for beside the kind itself: the lock that a primitive keeps inside (threads that come and go: that
# of the list of stacks).
OTHERS = {"rwlock": {"rwlock"}, "condition": {"condition", "mutex"}, "semaphore": {"semaphore"},
          "barrier": {"barrier"}, "join": {"join", "mutex"}}


def nanoseconds(text):
    whole, part = text.split(".")
    return int(whole) * 10**9 + int(part)


def futex_waits(trace):
    """(ts, tid, lock kind, owner or None) of each switch-out in a futex."""
    for ts, kind, f in dump(trace):
        if kind == "switch" and f.get("call") == "futex":
            known = "owner" in f.get("wait", "")
            yield nanoseconds(ts), int(f["prev"]), f.get("lock-kind"), int(f.get("owner", 0)) if known else None


class Holders:
    """Who held the mutex, by the threads' own log (innermost tids become kernel tids through @tids)."""

    def __init__(self, out, tids):
        self.spans = sorted((int(a), int(b), tids.get(int(t), int(t))) for t, a, b in
                            (line.split()[1:] for line in out.splitlines() if line.startswith("hold")))
        self.begins = [s[0] for s in self.spans]

    def at(self, ts):
        """Who can have held it at @ts: the log's own reads of the clock lie inside the true span."""
        i = bisect.bisect_right(self.begins, ts)
        near = {0}
        for a, b, tid in self.spans[max(0, i - 1):i + 1]:
            if a <= ts <= b:
                return {tid}
            near.add(tid)
        return near


def judge(trace, out):
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    tids = {t["ns_tid"]: t["tid"] for t in figures["threads"]}
    holders = Holders(out, tids)
    first, last = holders.spans[0][0], holders.spans[-1][1]
    right = wrong = unread = 0
    for ts, tid, kind, owner in futex_waits(trace):
        if not first <= ts <= last or kind == "join":
            continue
        check(kind in ("mutex", "futex"), "a wait for a mutex is called", kind)
        if owner is None or kind == "futex":
            unread += 1
        elif owner in holders.at(ts):
            right += 1
        else:
            wrong += 1
    total = right + wrong + unread
    check(total > 100, total, "waits")
    check(right >= 0.995 * (right + wrong), right, "right,", wrong, "wrong")
    check(unread <= 0.01 * total, unread, "of", total, "without an owner")
    return f"{total} waits, owner right in {right}, wrong in {wrong}, not known in {unread}"


def object_of(figures, out, kind):
    """The lock that the program tells the address of is the one most waited for, by that address."""
    name, address = next(line.split()[1:] for line in out.splitlines() if line.startswith("object"))
    lock = max((l for l in figures["locks"] if l["kind"] == kind), key=lambda l: l["wait_ns"])
    if address != "(nil)":
        check(lock["address"] == address, name, "at", address, "is not", lock)


def mutex(kind, *where, prefix=()):
    trace, out = record(*prefix, programs / "lock_kinds", kind, *where, name="locks.corun")
    note = judge(trace, out)
    object_of(report(trace), out, "mutex")
    return note


def other(kind, *where, prefix=()):
    allowed = OTHERS[kind]
    trace, out = record(*prefix, programs / "lock_kinds", kind, *where, name="locks.corun")
    figures = report(trace)
    no_loss(figures)
    kinds = [k for _, _, k, _ in futex_waits(trace)]
    # The main thread joins the others at the end.
    extra = {"join", "futex"}
    check(set(kinds) <= allowed | extra, "other kinds:", set(kinds))
    named = sum(k in allowed for k in kinds)
    asked = len(kinds) - (0 if kind == "join" else kinds.count("join"))
    check(asked > 50 and named >= 0.99 * asked, named, "of", asked, "named")
    object_of(figures, out, kind)
    return f"{named} of {asked} waits"


def make(name, function, *arguments, **options):
    def run_one():
        return function(*arguments, **options)
    run_one.__name__ = name
    test(run_one)


for each in MUTEXES:
    make(f"owner of a {each} mutex", mutex, each)
for each in OTHERS:
    make(f"waits for a {each}", other, each)


@test
def locks_of_every_kind_in_a_pid_namespace():
    need("unshare")
    prefix = ("unshare", "-p", "-f")
    return "; ".join([f"{kind}: {mutex(kind, prefix=prefix)}" for kind in MUTEXES]
                     + [f"{kind}: {other(kind, prefix=prefix)}" for kind in OTHERS])


@test
def locks_at_the_edges_of_a_mapping():
    """What is not mapped beside them is not read: the lock itself is."""
    return "; ".join([f"{kind} at the {edge}: {judge_one(kind, edge)}" for edge in ("start", "end")
                      for kind, judge_one in (("normal", mutex), ("robust", mutex), ("rwlock", other), ("condition", other),
                                              ("semaphore", other), ("barrier", other))])


@test
def a_stdio_lock_has_no_owner_invented():
    """Its third word is a pthread_t where a mutex has its owner."""
    trace, _ = record(programs / "lock_kinds", "stdio", name="locks.corun")
    tids = {t["tid"] for t in report(trace)["threads"]}
    for _, _, kind, owner in futex_waits(trace):
        check(owner in tids | {None, 0}, kind, owner)


@test
def two_processes_meet_on_a_shared_mutex():
    path = scratch / "shared-mutex"
    trace, _ = record("sh", "-c", f"{programs}/lock_kinds normal {path} >/dev/null & "
                      f"{programs}/lock_kinds normal {path} >/dev/null; wait", name="locks.corun")
    figures = report(trace)
    no_loss(figures)
    shared = [l for l in figures["locks"] if l["kind"] == "mutex" and l["tgid"] == 0]
    check(len(shared) == 1, figures["locks"])
    processes = {t["tid"]: t["tgid"] for t in figures["threads"]}
    holders = {processes[h["tid"]] for h in shared[0]["holders"]}
    check(len(holders) == 2, "holders of both processes", shared[0])
    names = [f["name"] for _, kind, f in dump(trace) if kind == "lock"]
    check(any("shared-mutex" in name for name in names), names)
    return f"{shared[0]['waits']} waits"
