# SPDX-License-Identifier: MIT
"""The whole machine, page faults, the progress line, and another tracer beside corun."""
import os
import pty
import re
import subprocess
import time

from lib import (Skip, check, corun, dump, identity, need, no_loss, programs, record, report, run,
                 scratch, test)


@test
def page_faults_are_faults():
    path = scratch / "mapped"
    path.write_bytes(os.urandom(4 << 20))
    run("sync")
    trace, out = record(programs / "fault", path)
    figures = report(trace)
    no_loss(figures)
    waits = [r for r in figures["syscalls"] if r["kind"] == "fault" and r["name"] == "none"]
    if int(out) == 0:
        raise Skip("the file stayed in memory: no fault had to wait")
    check(waits and waits[0]["waits"] > 0, out, figures["syscalls"])
    return f"{out.strip()} major faults, {waits[0]['waits']} waits"


@test
def all_of_the_machine():
    trace = scratch / "all.corun"
    burner = subprocess.Popen([programs / "burn", "2", "100"], stdout=subprocess.DEVNULL)
    time.sleep(0.2)
    own = {int(t) for t in os.listdir(f"/proc/{burner.pid}/task")}
    run(corun, "record", "-q", "-o", trace, "--all", "-d", "600ms", status=0)
    burner.kill()
    burner.wait()
    figures = report(trace)
    identity(figures)
    check(figures["losses"]["events"] == 0, figures["losses"])
    tids = {t["tid"] for t in figures["threads"]}
    check(len(own) == 3 and len(tids) > 20 and own <= tids, len(tids), own)
    check(figures["parallelism"]["max"] <= os.cpu_count(), figures["parallelism"])


@test
def progress_is_one_line_on_a_terminal_only():
    master, slave = pty.openpty()
    process = subprocess.Popen([corun, "record", "-o", scratch / "p.corun", "--", programs / "burn", "2", "1"],
                               stderr=slave, stdout=subprocess.DEVNULL)
    os.close(slave)
    shown = b""
    while True:
        try:
            data = os.read(master, 4096)
        except OSError:
            break
        if not data:
            break
        shown += data
    process.wait()
    text = shown.decode()
    check(re.search(r"\d\.\d s +\d+ events/s +0 lost +\d+ running / \d+ in flight", text), text)
    check(text.count("\n") == 1, "more than the closing line", text)
    check("events/s" not in run(corun, "record", "-o", scratch / "p.corun", "--", "true").stderr)


def perf_switches(path):
    """Per CPU [(time in ns, prev, next)] of perf's own recording."""
    text = run("perf", "script", "-i", path, "--ns", "-F", "cpu,time,event,trace").stdout
    cpus = {}
    for cpu, seconds, ns, prev, nxt in re.findall(
            r"\[(\d+)\]\s+(\d+)\.(\d+):\s+sched:sched_switch:.*?prev_pid=(\d+).*?next_pid=(\d+)", text):
        cpus.setdefault(int(cpu), []).append((int(seconds) * 10**9 + int(ns), int(prev), int(nxt)))
    return cpus


@test
def perf_says_the_same_where_its_stream_is_whole():
    need("perf")
    data = scratch / "perf.data"
    perf = subprocess.Popen(["perf", "record", "-q", "-a", "-k", "mono", "-e", "sched:sched_switch",
                             "-o", data], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    time.sleep(0.8)
    if perf.poll() is not None:
        raise Skip("perf cannot record here: " + perf.stderr.read().strip()[:200])
    trace, out = record(programs / "burn", 3, 0.8)
    time.sleep(0.2)
    perf.send_signal(2)
    perf.wait(timeout=30)
    mine = {int(line.split()[0]) for line in out.splitlines()}
    cpus = perf_switches(data)
    whole = {cpu for cpu, list_ in cpus.items()
             if all(a[2] == b[1] for a, b in zip(list_, list_[1:]))}
    if len(whole) < os.cpu_count():
        broken = {cpu: sum(a[2] != b[1] for a, b in zip(l, l[1:])) for cpu, l in cpus.items()}
        if not whole:
            raise Skip(f"perf's own stream has gaps on every CPU here: {broken}")
    # Switches of our threads on those CPUs, one by one, at most 200 us apart.
    ours = {cpu: [] for cpu in whole}
    for ts, kind, f in dump(trace):
        if kind == "switch" and int(f["cpu"]) in whole:
            pair = int(f.get("prev", 0)), int(f.get("next", 0))
            if mine & set(pair):
                seconds, ns = ts.split(".")
                ours[int(f["cpu"])].append((int(seconds) * 10**9 + int(ns), *pair))
    compared = 0
    for cpu in whole:
        theirs = [s for s in cpus[cpu] if mine & set(s[1:])]
        check(len(theirs) == len(ours[cpu]), "CPU", cpu, len(theirs), "by perf", len(ours[cpu]))
        for a, b in zip(theirs, ours[cpu]):
            check(a[1:] == b[1:] and abs(a[0] - b[0]) < 200_000, a, b)
            compared += 1
    return f"{compared} switches on {len(whole)} CPUs"
