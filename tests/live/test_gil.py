# SPDX-License-Identifier: MIT
"""Python's GIL: found in every build, its waits named, its holder told, against independent witnesses."""
from lib import Skip, check, dump, here, identity, no_loss, record, report, test
from pythons import Witness, all_pythons, libpython

PROG = here / "prog"


def nanoseconds(text):
    whole, part = text.split(".")
    return int(whole) * 10**9 + int(part.ljust(9, "0"))


def gil_waits(trace):
    """(start, length until it runs again, tid, kind, owner or None)"""
    waits, blocked = [], {}
    for ts, kind, fields in dump(trace):
        if kind != "switch":
            continue
        ts = nanoseconds(ts)
        begun = blocked.pop(fields.get("next"), None)
        if begun:
            waits.append((begun[0], ts - begun[0], *begun[1:]))
        if fields.get("lock-kind", "").startswith("gil"):
            owner = int(fields.get("owner", 0)) if "owner" in fields.get("wait", "") else None
            blocked[fields["prev"]] = (ts, int(fields["prev"]), fields["lock-kind"], owner)
    return waits


def holder_against_uprobes(program):
    library = libpython(program)
    with Witness(library) as witness:
        if not witness.places:
            raise Skip(f"{library} has no symbols take_gil and drop_gil")
        trace, _ = record(program, PROG / "gil.py", 1.5)
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    right = wrong = unread = nobody = invented = 0
    everybody = {tid for _, _, tid in witness.spans}
    for start, _, _, _, owner in gil_waits(trace):
        if not witness.covers(start):
            continue
        truth, sure = witness.holder(start)
        nobody += owner == 0
        if owner is None:
            unread += 1
        elif owner in truth:
            right += 1
        else:
            wrong += 1
            invented += owner not in everybody and owner != 0
    total = right + wrong + unread
    check(total > 100, "only", total, "waits")
    gil = next(lock for lock in figures["locks"] if lock["kind"] == "gil")
    unknown = gil["unknown_holder"]
    counts, times = unknown["waits"] / gil["waits"], unknown["wait_ns"] / gil["wait_ns"]
    note = (f"{total} waits, holder right in {right}, wrong in {wrong}, not read in {unread}, nobody in "
            f"{nobody}; of {gil['waits']} intervals no holder known for {100 * counts:.1f} %, "
            f"{100 * times:.1f} % of their time")
    check(invented == 0, "invented", invented, note)
    check(right >= 0.99 * (right + wrong) and unread <= 0.04 * total, note)
    check(counts <= 0.04 and times <= 0.04, note)
    return note


def make(version, program):
    def run_one():
        return holder_against_uprobes(program)
    run_one.__name__ = f"gil_holder_of_{version}_against_uprobes"
    test(run_one)


for each in all_pythons().items():
    make(*each)


def waits_by_name(program):
    """Each thread of pylocks.py is named after the kind that its waits must have."""
    trace, _ = record(program, PROG / "pylocks.py")
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    names = {thread["name"] for thread in figures["threads"]}
    check("MainThread" in names and "sleep-\ud55c\uae00" in names, names)
    checked, worst = 0, 1.0
    for thread in figures["threads"]:
        kind = thread["name"].split("-")[0]
        if kind not in ("mutex", "condition", "join", "sleep", "MainThread"):
            continue
        kind = "join" if kind == "MainThread" else kind
        times = thread["time_ns"]
        locks = {k: times.get(k, 0) for k in ("mutex", "condition", "join", "semaphore", "futex")}
        if kind == "sleep":
            check(times["sleep"] > 250_000_000, thread)
            continue
        checked += 1
        # A thread's first wait may be over before anybody could look at it: then it stays what the
        # futex alone says, and is never taken for another kind.
        share = locks[kind] / sum(locks.values())
        worst = min(worst, share)
        check(share >= 0.8, thread["name"], locks)
        other = sum(ns for k, ns in locks.items() if k not in (kind, "semaphore", "futex"))
        check(other <= 0.1 * sum(locks.values()) or kind == "condition", thread["name"], locks)
    check(checked == 12, "threads", names)
    return f"12 threads, at least {100 * worst:.0f} % of the waiting time named right"


def make_waits(version, program):
    def run_one():
        return waits_by_name(program)
    run_one.__name__ = f"python_{version}_waits_and_names"
    test(run_one)


for each in all_pythons().items():
    make_waits(*each)
