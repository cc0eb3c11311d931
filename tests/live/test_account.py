# SPDX-License-Identifier: MIT
"""Running time against the kernel's own account; corun's own stream against itself."""
import os
import resource

from lib import (check, corun, dump, identity, need, no_loss, programs, record, report, run, scratch,
                 test)


def compare_clocks(figures, own):
    slack = figures["window"]["steal_ns"] + figures["window"]["interrupt_ns"]
    worst = 0.0
    for thread in figures["threads"]:
        if thread["tid"] not in own:
            continue
        running, clock = thread["time_ns"]["running"], own.pop(thread["tid"])
        # own <= running, but for what the kernel bills before the switch: a CPU that was idle has the
        # way from the wake-up to the switch billed to the woken thread (rq_clock_skip_update; measured
        # here: 4 to 9 us a switch). That time is in the thread's "ready", so it bounds the difference.
        check(clock <= running + thread["time_ns"]["ready"] + 300_000, thread, clock)
        check(running <= clock + slack + max(clock // 200, 300_000) + 2_000_000, thread, clock, slack)
        worst = max(worst, abs(running - clock) / clock)
    check(not own, "threads without a life", own)
    return f"largest difference {100 * worst:.2f} %"


@test
def running_time_is_the_threads_own_cpu_clock():
    trace, out = record(programs / "burn", 4, 1.0)
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    own = {int(tid): int(ns) for tid, ns in (line.split() for line in out.splitlines())}
    check(len(own) == 4, out)
    return compare_clocks(figures, own)


STAT = """
import subprocess, sys
def busy():
    user, nice, system, idle, iowait, irq, softirq, steal, *_ = map(int, open("/proc/stat").readline().split()[1:])
    return user + nice + system + irq + softirq, steal
before = busy()
subprocess.run(sys.argv[1:])
print(*(b - a for a, b in zip(before, busy())))
"""


@test
def parallelism_against_the_cpus_own_account():
    """Real-time threads have the CPUs nearly for themselves: what /proc/stat calls busy was theirs, but for the twentieth that
    the kernel keeps for others and for what the program that reads it takes."""
    trace, out = record("python3", "-c", STAT, programs / "spin", os.cpu_count(), 1.5,
                        preexec_fn=lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)))
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    spin = next(p["id"] for p in figures["processes"] if p["name"] == "spin")
    mine = sum(t["time_ns"]["running"] for t in figures["threads"] if t["process"] == spin)
    busy, steal = (ticks * 1e9 / os.sysconf("SC_CLK_TCK") for ticks in map(int, out.split()))
    check(mine <= busy + steal + 0.06e9, "ran for", mine, "but the CPUs were busy for", busy, steal)
    check(mine >= 0.85 * busy, "ran for", mine, "of", busy)
    # Both CPUs for 1.5 s, as the threads' own deadline has it.
    mean = mine / 1.5e9
    check(0.85 * os.cpu_count() <= mean <= 1.02 * os.cpu_count(), "parallelism", mean)
    return f"{mean:.2f} ran at once; of {busy / 1e6:.0f} ms of busy CPUs {100 * mine / busy:.1f} % were theirs"


@test
def stream_is_continuous():
    """The thread that a switch lets run is the one that the CPU's next switch takes off."""
    trace, _ = record("sh", "-c", "for i in 1 2 3 4; do (head -c 20000000 /dev/zero | gzip >/dev/null) & done; wait")
    last = {}
    switches = 0
    for ts, kind, f in dump(trace):
        if kind != "switch":
            continue
        switches += 1
        cpu, flags = f["cpu"], f.get("flags", "")
        prev = f.get("prev", "0")
        if cpu in last and "accounted" not in flags:
            member, tid = last[cpu]
            if member or ("prev-outsider" not in flags and prev != "0"):
                check(prev == tid, "CPU", cpu, "at", ts, tid, "ran, but", prev, "left")
        last[cpu] = ("next-outsider" not in flags and f.get("next", "0") != "0", f.get("next", "0"))
    check(switches > 100, switches)
    return f"{switches} switches"


@test
def file_is_small():
    trace, _ = record("sh", "-c", "for i in 1 2 3 4; do (head -c 50000000 /dev/zero | gzip >/dev/null) & done; wait")
    events = int([r for r in dump(trace) if r[1] == "end"][0][2]["records"])
    size = trace.stat().st_size
    check(events > 1000, events)
    check(size / events <= 12, size, "bytes for", events, "records")
    return f"{size / events:.1f} bytes a record"


def rusage_of(command, name):
    """Record a real program: CPU time of all its threads against the kernel's account of the tree."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    trace, out = record(*command, options=("--wait-all",), name=name)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    cpu = (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e9
    running = figures["time_ns"]["running"]
    slack = figures["window"]["steal_ns"] + figures["window"]["interrupt_ns"]
    # The tree's account holds corun's own time too: more than running, but not by much.
    check(running <= cpu + slack + 0.005 * cpu + 20e6, "running", running, "rusage", cpu, slack)
    blocked = sum(ns for k, ns in figures["time_ns"].items()
                  if k not in ("running", "ready", "stopped", "unknown"))
    other = figures["time_ns"].get("other", 0) / max(blocked, 1)
    check(other <= 0.05, "other", other, figures["time_ns"], figures["syscalls"])
    target = scratch / "real.json"
    run(corun, "export", trace, "-o", target, status=0)
    return (f"P {figures['parallelism']['mean']:.2f}, C {figures['concurrency']['mean']:.2f}, "
            f"futex {100 * figures['time_ns'].get('futex', 0) / max(blocked, 1):.0f} % of blocked")


@test
def real_python_threads():
    need("python3")
    return rusage_of(["python3", "-c", "import threading\n"
                      "def f():\n s=0\n for i in range(1500000): s+=i\n"
                      "ts=[threading.Thread(target=f) for _ in range(4)]\n"
                      "[t.start() for t in ts]; [t.join() for t in ts]"], "python.corun")


@test
def real_xz():
    need("xz")
    path = scratch / "xz-input"
    path.write_bytes(os.urandom(3_000_000) + bytes(6_000_000))
    return rusage_of(["sh", "-c", f"xz -k -c -T2 --block-size=1MiB -1 {path} > /dev/null"], "xz.corun")


@test
def real_make():
    need("make", "gcc")
    folder = scratch / "tree"
    folder.mkdir()
    for i in range(6):
        (folder / f"f{i}.c").write_text(f"#include <stdio.h>\nint f{i}(void) {{ return printf(\"{i}\"); }}\n")
    (folder / "Makefile").write_text("all: $(patsubst %.c,%.o,$(wildcard *.c))\n")
    return rusage_of(["make", "-s", "-j2", "-C", folder], "make.corun")


@test
def real_java():
    need("java", "javac")
    (scratch / "P.java").write_text(
        "public class P { public static void main(String[] a) throws Exception {"
        " Thread[] t = new Thread[3]; for (int i = 0; i < 3; i++) { t[i] = new Thread(() -> {"
        " double s = 0; for (int k = 1; k < 20000000; k++) s += 1.0 / k;"
        " if (s < 0) System.out.println(s); }); t[i].start(); } for (Thread x : t) x.join(); } }")
    run("javac", "-d", scratch, scratch / "P.java", status=0)
    return rusage_of(["java", "-cp", scratch, "P"], "java.corun")


@test
def real_node():
    need("node")
    return rusage_of(["node", "-e", "const c=require('crypto');let n=0;for(let i=0;i<4;i++)"
                      "c.pbkdf2('a','b',60000,64,'sha512',()=>{n++});"], "node.corun")


@test
def real_redis():
    need("redis-server", "redis-benchmark")
    return rusage_of(["sh", "-c", "redis-server --port 7391 --save '' --appendonly no >/dev/null & s=$!; "
                      "sleep 0.5; redis-benchmark -p 7391 -t set,get -n 3000 -q >/dev/null; kill $s; wait $s"],
                     "redis.corun")
