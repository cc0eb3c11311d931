# SPDX-License-Identifier: MIT
"""Python's GIL: found in every build, its waits named, its holder told, against independent witnesses."""
import bisect
import json
import os
import shutil
import subprocess
import time

from debian_python import debian_python
from lib import (Skip, check, corun, dump, here, identity, need, no_loss, programs, record, report, run,
                 scratch, test)
from pythons import Witness, all_pythons, free_threaded_python, libpython

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
        trace, _ = record(program, PROG / "gil.py", 1)
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    witness.only({thread["tid"] for thread in figures["threads"]})
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
    checked = named = whole = 0
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
        # futex alone says, and is never taken for another kind. On a loaded machine some threads
        # wait a few times only: so the share is that of all.
        named += locks[kind]
        whole += sum(locks.values())
        other = sum(ns for k, ns in locks.items() if k not in (kind, "semaphore", "futex"))
        check(other <= 0.1 * sum(locks.values()) or kind == "condition", thread["name"], locks)
    check(checked == 13, "threads", names)
    check(named >= 0.8 * whole, named, "of", whole)
    locks_told_apart(trace, figures)
    return f"13 threads, {100 * named / whole:.0f} % of the waiting time named right"


def locks_told_apart(trace, figures):
    """The threads that fight for one Lock meet on one lock, those of an RLock on another, and those that
    join one thread on one more."""
    names = {thread["id"]: thread["name"] for thread in figures["threads"]}
    waited = {"with": {}, "rlock": {}, "join": {}}
    for line in run(corun, "export", "-f", "ndjson", "-o", "-", trace, status=0).stdout.splitlines():
        row = json.loads(line)
        kind, *which = names.get(row.get("thread"), "").split("-")
        if row["table"] == "lock_wait" and row["kind"] == kind and kind in ("mutex", "join"):
            by = waited["join" if kind == "join" else "rlock" if which[0] == "rlock" else "with"]
            by[row["lock"]] = by.get(row["lock"], 0) + row["dur"]
    main = {what: max(by, key=by.get) for what, by in waited.items()}
    check(len(set(main.values())) == 3, "one lock for several:", waited)
    for what, by in waited.items():
        check(by[main[what]] >= 0.95 * sum(by.values()), "several locks:", what, by)


def make_waits(version, program):
    def run_one():
        return waits_by_name(program)
    run_one.__name__ = f"python_{version}_waits_and_names"
    test(run_one)


for each in all_pythons().items():
    make_waits(*each)


@test
def python_3_14_waits_and_names():
    return waits_by_name(debian_python("3.14"))


@test
def python_3_15_waits_and_names():
    return waits_by_name(debian_python("3.15"))


@test
def python_without_a_gil():
    """It is said that there is none; names, and what its threads wait for, are known all the same."""
    program = free_threaded_python()
    if not program:
        raise Skip("there is no free-threaded Python (python3.13t or newer)")
    trace, _ = record(program, PROG / "gil.py", 0.5)
    figures = report(trace)
    check(not gil_locks(figures), figures["locks"])
    check("gil" not in figures["time_ns"], figures["time_ns"])
    check(any("it has no GIL" in note for note in figures["notes"]), figures["notes"])
    return waits_by_name(program)


# ---- a stripped Python, and Python in other forms ----


def gil_locks(figures):
    return [lock for lock in figures["locks"] if lock["kind"] == "gil"]


def holders_as_logged(trace, out):
    """(right, wrong, not read): waits that begin inside a "begin end tid" that the program printed."""
    spans = sorted(tuple(map(int, line.split())) for line in out.splitlines())
    starts = [s[0] for s in spans]
    right = wrong = unread = 0
    for start, _, _, _, owner in gil_waits(trace):
        i = bisect.bisect_right(starts, start) - 1
        if i < 0 or start > spans[i][1]:
            continue  # between two spans: the log does not say
        unread += owner is None
        right += owner == spans[i][2]
        wrong += owner not in (None, spans[i][2])
    return right, wrong, unread


def holder_against_own_log(program):
    """The threads note when they had the GIL: whoever waits meanwhile waits for that one."""
    trace, out = record(program, PROG / "gil_log.py", 1.5)
    figures = report(trace)
    no_loss(figures)
    right, wrong, unread = holders_as_logged(trace, out)
    total = right + wrong + unread
    note = f"{total} waits that the log tells of: holder right in {right}, wrong in {wrong}, not read in {unread}"
    check(total > 100, note)
    check(right >= 0.99 * (right + wrong) and unread <= 0.04 * total, note)
    return note


@test
def gil_holder_of_the_system_python_against_its_own_log():
    program = "/usr/bin/python3"
    if not os.path.exists(program):
        raise Skip(f"there is no {program}")
    stripped = run("nm", os.path.realpath(program)).stderr
    return holder_against_own_log(program) + (", stripped" if "no symbols" in stripped else "")


@test
def gil_holder_of_3_14_against_its_own_log():
    return holder_against_own_log(debian_python("3.14"))


@test
def gil_holder_of_3_15_against_its_own_log():
    return holder_against_own_log(debian_python("3.15"))


def unknown_share(locks):
    """Share of the waits for @locks that began without a known holder. Not of their time: while who shall have the lock
    next waits for a CPU nobody holds it, on a crowded machine for long."""
    return sum(lock["unknown_holder"]["waits"] for lock in locks) / sum(lock["waits"] for lock in locks)


def unknown_once_known(trace, lock):
    """The same of @lock, from its first holder on that was told: until then the recorder, which on a loaded machine
    waits for a CPU, has not found it."""
    records = dump(trace)
    begin = next(nanoseconds(ts) for ts, kind, f in records if kind == "window" and f.get("begin") == "1")
    first = min((nanoseconds(ts) for ts, kind, f in records if kind == "gil" and f["tgid"] == str(lock["tgid"])
                 and f["lock"] == lock["address"]), default=None)
    check(first, "no holder of", lock, "was ever told")
    later = report(trace, "--from", f"{(first - begin) / 1e9:.9f}")
    lock = next(l for l in gil_locks(later) if (l["tgid"], l["address"]) == (lock["tgid"], lock["address"]))
    return unknown_share([lock])


def forms(name, options, processes, locks_each=1, pythons=None):
    """Each process of a form has a GIL of its own, and its threads waited for it."""
    def run_one():
        notes, worst = [], 0
        for version, program in (pythons or all_pythons()).items():
            trace, out = record(program, PROG / "gil_forms.py", *options)
            figures = report(trace)
            no_loss(figures)
            tgids = {int(line) for line in out.split()}
            check(len(tgids) == processes, version, out)
            for tgid in tgids:
                mine = [lock for lock in gil_locks(figures) if lock["tgid"] == tgid
                        and lock["wait_ns"] > 20_000_000]
                check(len(mine) >= locks_each, version, tgid, figures["locks"])
                # Of all together: one that is hardly fought for may have a handful of waits.
                unknown = (sum(unknown_once_known(trace, lock) * lock["waits"] for lock in mine)
                           / sum(lock["waits"] for lock in mine))
                check(unknown <= 0.04, version, f"unknown {100 * unknown:.1f} % of", mine)
                worst = max(worst, unknown)
            notes.append(version)
        return f"{' '.join(notes)}: holder unknown in at most {100 * worst:.1f} % of the waits"
    run_one.__name__ = name
    test(run_one)


forms("gil_of_forked_children", ["fork"], 3)
forms("gil_of_spawned_children", ["spawn"], 3)
forms("gil_after_exec", ["exec"], 1)
forms("gil_of_each_interpreter", ["interpreters", 2], 1, 2,
      {v: p for v, p in all_pythons().items() if int(v.split(".")[1]) >= 12})


@test
def more_gils_than_can_be_read():
    """Of the oldest 16 it is known who holds them. Waits for the others are named too, and the report says
    that their holders are not known."""
    notes = []
    for version, program in all_pythons().items():
        if int(version.split(".")[1]) < 12:
            continue
        trace, out = record(program, PROG / "gil_forms.py", "interpreters", 20)
        figures = report(trace)
        no_loss(figures)
        gils = gil_locks(figures)
        held = [lock for lock in gils if lock["holders"]]
        check(all(lock["tgid"] == int(out) for lock in gils), version, gils)
        check(20 <= len(gils) <= 21 and 15 <= len(held) <= 16, version, len(held), "held of", len(gils), gils)
        said = [note for note in figures["notes"] if "more than 16 GILs" in note and f"(tgid {int(out)})" in note]
        check(len(said) == 1, version, figures["notes"])
        notes.append(f"{version}: {len(gils)} GILs waited for, holders known of {len(held)}")
    if not notes:
        raise Skip("there is no Python 3.12 or newer")
    return "; ".join(notes)


@test
def gil_of_an_attached_process():
    notes = []
    for version, program in all_pythons().items():
        child = subprocess.Popen([program, PROG / "gil.py", "2"])
        try:
            time.sleep(0.5)
            trace = scratch / "attach.corun"
            run(corun, "record", "-q", "-o", trace, "-d", "1", "-p", child.pid, status=0)
        finally:
            child.kill()
            child.wait()
        figures = report(trace)
        gil = gil_locks(figures)
        check(len(gil) == 1 and gil[0]["tgid"] == child.pid, version, figures["locks"])
        unknown = unknown_share(gil)
        check(unknown < 0.04, version, gil)
        names = {thread["name"] for thread in figures["threads"]}
        check({"MainThread", "burn-0", "nap-3"} <= names, version, names)
        notes.append(f"{version}: {100 * unknown:.1f} %")
    return "holder unknown: " + ", ".join(notes)


@test
def processes_of_multiprocessing_by_name():
    for version, program in all_pythons().items():
        for method in ("fork", "spawn", "forkserver"):
            trace, _ = record(program, PROG / "pyprocesses.py", method)
            names = {thread["name"] for thread in report(trace)["threads"]}
            cooks = names & {"cook-1", "cook-2", "cook-3"}
            # A name is read out of a program that goes on meanwhile: at times it cannot be had.
            check("MainThread" in names and len(cooks) >= 2, version, method, names)


@test
def gil_with_another_switch_interval():
    for version, program in all_pythons().items():
        trace, _ = record(program, PROG / "gil.py", 0.6, 0.02)
        gil = gil_locks(report(trace))
        check(len(gil) == 1, version, gil)
        longest = [int(f["timeout"]) for _, k, f in dump(trace)
                   if k == "switch" and f.get("lock-kind") == "gil" and "timeout" in f]
        check(longest and max(longest) > 15_000_000, version, "timeouts", longest[:5])


@test
def gil_in_a_pid_namespace_and_another_root():
    need("unshare", "chroot")
    notes = []
    for version, program in all_pythons().items():
        root = scratch / "root"
        root.mkdir(exist_ok=True)
        script = (f"mount --rbind / {root} && mount -t proc proc {root}/proc && "
                  f"exec chroot {root} {program} {PROG}/gil.py 0.8")
        trace, _ = record("unshare", "--mount", "--pid", "--fork", "sh", "-c", script)
        figures = report(trace)
        gil = gil_locks(figures)
        check(len(gil) == 1, version, figures["locks"])
        members = {thread["tid"] for thread in figures["threads"] if thread["tgid"] == gil[0]["tgid"]}
        check({h["tid"] for h in gil[0]["holders"]} <= members, version, gil)
        unknown = unknown_share(gil)
        check(unknown < 0.04, version, gil)
        names = {thread["name"] for thread in figures["threads"]}
        check({"burn-0", "burn-1"} <= names, version, names)
        notes.append(f"{version}: {100 * unknown:.1f} %")
    return "holder unknown: " + ", ".join(notes)


@test
def gil_by_probe_tells_every_change():
    notes = []
    for version, program in all_pythons().items():
        with Witness(libpython(program)) as witness:
            if not witness.places:
                continue
            trace, _ = record(program, PROG / "gil.py", 0.6, options=["--gil=probe"])
        witness.only({thread["tid"] for thread in report(trace)["threads"]})
        exact = [(nanoseconds(ts), int(f.get("holder", 0))) for ts, kind, f in dump(trace)
                 if kind == "gil" and f.get("exact") == "1"]
        check(len(exact) > 50, version, "exact records", len(exact))
        taken = [(ts, tid) for ts, tid in exact if tid]
        # The witness's clock has microseconds, and the two probes run one after the other.
        spans = [s for s in witness.spans if taken[0][0] <= s[0]]
        times = [ts for ts, _ in taken]
        found = sum(any(tid == span[2] for ts, tid in taken[bisect.bisect_left(times, span[0] - 500_000):
                                                           bisect.bisect_right(times, span[0] + 500_000)])
                    for span in spans)
        check(found >= 0.99 * len(spans) > 50, version, found, "of", len(spans))
        notes.append(f"{version}: {found} of {len(spans)}")
    if not notes:
        raise Skip("no Python here has the symbols")
    return "spans found, " + ", ".join(notes)


@test
def gil_off_looks_into_no_python():
    program = next(iter(all_pythons().values()), "/usr/bin/python3")
    trace, _ = record(program, PROG / "gil.py", 0.3, options=["--gil=off", "--tasks=off"])
    records = dump(trace)
    check(not [r for r in records if r[1] in ("gil", "lock", "name")], "records of a runtime")
    check(not gil_locks(report(trace)), "a GIL")
    check({t["name"] for t in report(trace)["threads"]} <= {"python3"}, "names")


@test
def gvl_of_ruby_against_its_own_log():
    need("ruby")
    trace, out = record("ruby", PROG / "gvl.rb", 1.5)
    version = run("ruby", "--version").stdout.split()[1]
    if not version.startswith("3.1."):
        raise Skip(f"Ruby {version}'s GVL is not one that corun reads")
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    right, wrong, unread = holders_as_logged(trace, out)
    gil = gil_locks(figures)
    check(len(gil) == 1, figures["locks"])
    workers = [t for t in figures["threads"] if t["name"].startswith("worker")]
    check(len(workers) == 4, figures["threads"])
    for worker in workers:
        # It computes for 1.5 s; afterwards Ruby keeps the native thread for another one.
        times = worker["time_ns"]
        check(times.get("gil", 0) + times["running"] + times["ready"] > 1_300_000_000, worker)
    sleeper = next(t for t in figures["threads"] if t["name"] == "sleeper")
    check(sleeper["time_ns"].get("gil", 0) < 0.7 * sleeper["alive_ns"], "its sleep is no wait for the GVL", sleeper)
    note = (f"{right + wrong + unread} waits that the log tells of: holder right in {right}, wrong in "
            f"{wrong}, not read in {unread}")
    check(right >= 1 and right >= 0.99 * (right + wrong), note)
    return note


# ---- bad input ----


@test
def gil_of_a_program_that_lies():
    for start in ("", "interval", "xdebugpy"):
        trace, _ = record(programs / "liar", start)
        figures = report(trace)
        no_loss(figures)
        identity(figures)
        check(not gil_locks(figures), start, "believed:", figures["locks"])
        check(not any(kind == "gil" for _, kind, _ in dump(trace)), start, "holders of a lock that is none")
        notes = [note for note in figures["notes"] if "liar" in note]
        check(len(notes) == 1 and "Python 3." in notes[0], start, "notes", figures["notes"])
    return notes[0]


@test
def notes_of_runtimes_are_redacted():
    trace, _ = record(programs / "liar", "interval", options=["--redact"])
    notes = report(trace)["notes"]
    check(len(notes) == 1 and notes[0].startswith("liar (Python 3.11)"), notes)
    check(str(programs) not in run(corun, "dump", trace, status=0).stdout, "the folder stands in the trace")


@test
def gil_of_a_program_that_lies_for_a_moment():
    """It ends before its memory was looked at often enough to be sure that it is not as it should be."""
    program = scratch / "python-liar"
    shutil.copy(programs / "liar", program)
    trace, _ = record("sh", "-c", f"{program} '' 2; {program} interval 1; true")
    figures = report(trace)
    no_loss(figures)
    check(not gil_locks(figures), "believed:", figures["locks"])
    check(len(figures["notes"]) == 1, figures["notes"])
    note = figures["notes"][0]
    check(note.startswith("of 2 processes (the first: python-liar) it is not known whether there is a GIL"), note)
    return note


@test
def pythons_that_end_while_looked_at():
    code = ("import threading\nl = threading.Lock(); l.acquire()\n"
            "t = [threading.Thread(target=l.acquire, args=(True, 0.003)) for _ in range(3)]\n"
            "[x.start() for x in t]\nimport os\nos._exit(0)\n")
    pythons = list(all_pythons().values()) or ["/usr/bin/python3"]
    line = "; ".join(f"{p} -S -c '{code}'" for p in pythons for _ in range(6))
    trace, _ = record("sh", "-c", line)
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    # Of those that had ended before anybody looked, it is said.
    check(not figures["notes"] or len(figures["notes"]) == 1 and "not known whether there is a GIL" in figures["notes"][0],
          figures["notes"])
    return f"{len(figures['processes'])} processes" + "".join(f"; {note[:60]} ..." for note in figures["notes"])


@test
def running_time_under_the_gil_is_the_machines():
    """Of the time in which the machine ran one of four threads that compute, or had none to run, all but
    1 % is their running time; no wait is unknown."""
    notes = []
    for version, program in all_pythons().items():
        trace, out = record(program, PROG / "gil_share.py", 0.8)
        figures = report(trace)
        no_loss(figures)
        identity(figures)
        # The holder runs or is ready (its CPU was given to somebody else); the others wait for it.
        times = figures["time_ns"]
        other = {k: v for k, v in times.items() if k not in ("running", "ready", "gil", "join", "stopped")}
        check(sum(other.values()) < 0.1 * sum(times.values()), version, "other waits", other)
        rows = [tuple(map(int, line.split())) for line in out.splitlines()]
        begin, end = max(row[1] for row in rows), min(row[2] for row in rows)
        running, given = share_of_the_machine(trace, {row[0] for row in rows}, begin, end)
        note = f"{version}: {100 * running / given:.2f} %, of the wall's {100 * running / (end - begin):.0f} %"
        check(abs(running - given) <= 0.01 * given, note, "of", given / 1e9, "s given of", (end - begin) / 1e9)
        notes.append(note)
    return "sum of running in the time given: " + ", ".join(notes)


def share_of_the_machine(trace, tids, begin, end):
    """Over [@begin, @end): the sum of the threads' running time, and the time less that in which one of them
    was ready and none ran: then it was the machine that ran others, or was on its way."""
    state, early = dict.fromkeys(tids, "waits"), set()
    running = given = 0
    last = begin
    for ts, kind, f in dump(trace):
        if kind not in ("switch", "waking"):
            continue
        now = min(max(nanoseconds(ts), begin), end)
        runs = sum(s == "runs" for s in state.values())
        running += runs * (now - last)
        if runs or "ready" not in state.values():
            given += now - last
        last = now
        if kind == "waking":
            tid = int(f["tid"])
            if state.get(tid) == "waits":
                state[tid] = "ready"
            elif state.get(tid) == "runs":
                early.add(tid)  # on its way to sleep: it will not get there
            continue
        gone, come = int(f.get("prev", 0)), int(f.get("next", 0))
        if gone in state:
            blocks = int(f.get("state", "0"), 16) and gone not in early
            state[gone] = "waits" if blocks else "ready"
            early.discard(gone)
        if come in state:
            state[come] = "runs"
    return running, given
