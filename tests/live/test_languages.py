# SPDX-License-Identifier: MIT
"""Locks of other languages: named as far as can be known, and no owner invented."""
import shutil

from lib import check, here, need, no_loss, record, report, run, scratch, test
from test_locks import Holders, futex_waits, judge


def build(compiler, *command):
    need(compiler)
    run(compiler, *command, status=0, cwd=scratch)


def locks(what):
    """The C++ program at @what: (trace, what it printed)."""
    build("g++", "-O2", "-std=c++17", "-pthread", "-o", scratch / "locks-cc", here / "prog/locks.cc")
    return record(scratch / "locks-cc", what, name="languages.corun")


def named(trace, kind, least):
    """Waits are of @kind, or for the lock inside, or the main thread's join."""
    no_loss(report(trace))
    kinds = [k for _, _, k, _ in futex_waits(trace) if k != "join"]
    check(set(kinds) <= {kind, "mutex", "futex"}, "other kinds:", set(kinds))
    count = kinds.count(kind)
    check(count >= 0.99 * (len(kinds) - kinds.count("mutex")) and count > least, count, "of", len(kinds))
    return f"{count} of {len(kinds)} waits"


@test
def owner_of_a_mutex_of_Cpp():
    return judge(*locks("mutex"))


@test
def waits_for_a_condition_variable_of_Cpp():
    return named(locks("condition")[0], "condition", 10)


@test
def waits_for_a_shared_mutex_of_Cpp():
    trace, out = locks("shared")
    writer = int(out.split()[1])
    owners = {owner for _, _, kind, owner in futex_waits(trace) if kind == "rwlock" and owner}
    check(owners <= {writer}, "the writer", writer, "is not", owners)
    return named(trace, "rwlock", 10)


@test
def locks_of_Rust():
    # One word, 0, 1 or 2: nobody but the program knows who holds it; who lets go is seen.
    build("rustc", "-O", "-o", scratch / "locks-rs", here / "prog/locks.rs")
    trace, out = record(scratch / "locks-rs", name="languages.corun")
    figures = report(trace)
    no_loss(figures)
    waits = [w for w in futex_waits(trace) if w[2] != "join"]
    check(len(waits) > 100 and all(owner is None for *_, owner in waits), "invented:", [w for w in waits if w[3]][:5])
    check({kind for _, _, kind, _ in waits} <= {"futex", "mutex"}, {kind for _, _, kind, _ in waits})
    lock = max(figures["locks"], key=lambda l: l["wait_ns"])
    check(lock["kind"] == "mutex" and not lock["holders"], lock)
    holders = {tid for _, _, tid in Holders(out, {}).spans}
    known = sum(r["wait_ns"] for r in lock["releasers"] if r["tid"] in holders)
    check({r["tid"] for r in lock["releasers"] if r["tid"]} <= holders, lock["releasers"], holders)
    check(known >= 0.95 * lock["wait_ns"], "released by a holder:", known, "of", lock["wait_ns"])
    return f"{len(waits)} waits, {100 * known / lock['wait_ns']:.1f} % of the mutex's released by one who held it"


@test
def locks_of_Go():
    # Goroutines wait in user space; what the kernel sees is threads without work.
    source = scratch / "go" / "locks.go"
    source.parent.mkdir(exist_ok=True)
    shutil.copy(here / "prog/locks.go", source)
    need("go")
    run("go", "build", "-o", scratch / "locks-go", source, status=0, cwd=source.parent)
    trace, out = record(scratch / "locks-go", name="languages.corun")
    check(out.split() == ["sum", "500"], out)
    figures = report(trace)
    no_loss(figures)
    waits = list(futex_waits(trace))
    check(len(waits) > 50 and not any(owner for *_, owner in waits), [w for w in waits if w[3]][:5])
    # The runtime's own lock is a mutex that nobody signs (runtime/lock_futex.go: 2, "sleeping").
    check({kind for _, _, kind, _ in waits} <= {"futex", "mutex"}, {kind for _, _, kind, _ in waits})
    check(not any(lock["holders"] for lock in figures["locks"]), figures["locks"])
    return f"{len(waits)} waits for a futex, no holder"


@test
def locks_of_Java():
    need("java")
    build("javac", "-d", scratch, here / "prog/Locks.java")
    trace, out = record("java", "-XX:-UsePerfData", "-cp", scratch, "Locks", name="languages.corun")
    check(out.split() == ["sum", "320"], out)
    figures = report(trace)
    no_loss(figures)
    lives = {t["tid"]: (t["start_ns"], t["end_ns"]) for t in figures["threads"]}
    waits = list(futex_waits(trace))
    fighters = {t["tid"] for t in figures["threads"] if t["name"].startswith("fighter-")}
    check(len(fighters) == 8, figures["threads"])
    # The virtual machine's own mutexes have owners; a thread that lost a monitor is parked on a condition.
    owners = [owner for *_, owner in waits if owner]
    check(all(owner in lives for owner in owners), set(owners) - set(lives))
    parked = [kind for _, tid, kind, _ in waits if tid in fighters]
    check(parked.count("condition") + parked.count("futex") >= 0.9 * len(parked) > 50, parked)
    return f"{len(waits)} waits, {len(owners)} with an owner of the process"
