# SPDX-License-Identifier: MIT
"""Lives of processes and threads: attach, fork, exec, death, namespaces, users."""
import os
import pathlib
import signal
import subprocess
import time

from lib import (cgroup_with_quota, check, corun, dump, identity, need, no_loss, programs, record, recording,
                 report, run, scratch, test, until)


def spawn(*command):
    return subprocess.Popen([str(c) for c in command], stdout=subprocess.PIPE, stdin=subprocess.PIPE)


@test
def attach_sees_who_sleeps_already():
    sleeper = spawn("sh", "-c", "sleep 100 & sleep 100 & wait")

    def asleep():
        kids = run("pgrep", "-P", sleeper.pid).stdout.split()
        calls = [pathlib.Path(f"/proc/{p}/syscall").read_text().split()[0] for p in [*kids, sleeper.pid]]
        return len(kids) == 2 and calls[0] in ("35", "230") and calls[1] in ("35", "230") and \
            calls[2] in ("61", "130")
    until(asleep, "two sleeping children")
    kids = [int(p) for p in run("pgrep", "-P", sleeper.pid).stdout.split()]
    trace = scratch / "attach.corun"
    targets = ",".join(map(str, [sleeper.pid] + kids))
    run(corun, "record", "-q", "-o", trace, "-p", targets, "-d", "400ms", status=0)
    for pid in kids:
        os.kill(pid, signal.SIGKILL)
    sleeper.wait()
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    check(sorted(t["tid"] for t in figures["threads"]) == sorted([sleeper.pid] + kids), figures["threads"])
    window = figures["window"]["duration_ns"]
    for thread in figures["threads"]:
        # The shell waits for its children in wait4 or, as dash does, in sigsuspend.
        kind = "sleep" if thread["tid"] != sleeper.pid else \
            "child" if "child" in thread["time_ns"] else "signal"
        check(thread["start_ns"] == 0 and thread["time_ns"].get(kind, 0) == window, kind, thread)


@test
def comm_glob_takes_who_comes_later():
    trace = scratch / "comm.corun"
    recorder = spawn(corun, "record", "-q", "-o", trace, "--comm", "slee?")
    recording(trace)
    run("sleep", "0.2", status=0)
    run("true", status=0)
    recorder.send_signal(signal.SIGINT)
    check(recorder.wait(timeout=30) == 0, "recorder")
    names = {p["name"] for p in report(trace)["processes"]}
    check("sleep" in names and "true" not in names, names)


@test
def two_hundred_short_lives():
    trace, _ = record("sh", "-c", "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done")
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    check(len(figures["processes"]) == 201, len(figures["processes"]))


@test
def signals_are_treated_as_they_were():
    def hush():
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
    command = ["grep", "-E", "Sig(Ign|Blk|Cgt)", "/proc/self/status"]
    for prepare in (hush, lambda: None):
        alone = run(*command, preexec_fn=prepare, restore_signals=True)
        recorded = run(corun, "record", "-q", "-o", scratch / "signals.corun", "--", *command, preexec_fn=prepare,
                       restore_signals=True)
        check(alone.stdout == recorded.stdout and "SigIgn" in alone.stdout, alone.stdout, recorded.stdout)


@test
def death_by_a_signal_is_passed_on():
    trace, _ = record("sh", "-c", "kill -SEGV $$", status=128 + signal.SIGSEGV)
    exits = [f for _, kind, f in dump(trace) if kind == "exit"]
    check(any(int(f.get("code", "0")) & 0x7f == signal.SIGSEGV for f in exits), exits)
    no_loss(report(trace))


@test
def status_and_output_are_passed_on():
    result = run(corun, "record", "-q", "-o", scratch / "s.corun", "--", "sh", "-c",
                 "echo out; echo err >&2; exit 7")
    check(result.returncode == 7 and result.stdout == "out\n" and result.stderr == "err\n", result)


@test
def exec_by_a_thread_that_is_not_the_leader():
    trace, _ = record(programs / "execer")
    figures = report(trace)
    identity(figures)
    check(len(figures["processes"]) == 1, figures["processes"])
    check(len(figures["processes"][0]["images"]) >= 2, figures["processes"])
    check(figures["losses"]["unknown_ns"] == 0, figures["losses"])


@test
def pid_namespace_has_its_own_numbers():
    need("unshare")
    trace, _ = record("unshare", "-p", "-f", "--mount-proc", "sh", "-c", "sleep 0.05")
    figures = report(trace)
    no_loss(figures)
    check(any(t["ns_tid"] == 1 and t["tid"] != 1 for t in figures["threads"]), figures["threads"])


@test
def killed_recorder_leaves_a_readable_file():
    trace = scratch / "killed.corun"
    burner = spawn(programs / "burn", 2, 100)
    recorder = spawn(corun, "record", "-q", "-o", trace, "-p", burner.pid)
    recording(trace, size=3000)
    recorder.kill()
    recorder.wait()
    burner.kill()
    burner.wait()
    figures = report(trace)
    check(figures["losses"]["trace"] == "cut", figures["losses"])
    check(figures["time_ns"]["running"] > 0, figures["time_ns"])
    identity(figures)


@test
def sleepers_are_there_with_what_they_wait_for():
    """Asleep before, during and after: all that is known of them is the snapshot."""
    program = subprocess.Popen([programs / "asleep"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               text=True)
    told = [program.stdout.readline().split() for _ in range(4)]
    until(lambda: all(pathlib.Path(f"/proc/{program.pid}/task/{tid}/syscall").read_text()[0].isdigit()
                      for tid, _, _ in told), "four sleeping threads")
    trace = scratch / "asleep.corun"
    run(corun, "record", "-q", "-o", trace, "-p", program.pid, "-d", "300ms", status=0)
    program.stdin.close()
    program.wait()
    threads = {f["tid"]: f for _, kind, f in dump(trace) if kind == "thread"}
    for tid, call, on in told:
        thread = threads[tid]
        check(thread["call"] == call, thread)
        check(45e9 < int(thread["timeout"]) <= 60e9, "timeout", thread)
        if call == "futex":
            check(int(thread["word"]) == int(on, 16), thread)
        elif on != "-":
            check(thread["fd"] == on and thread["desc"], thread)
    check(threads[str(program.pid)]["call"] == "read", threads)
    figures = report(trace)
    no_loss(figures)
    identity(figures)
    kinds = {k: v for t in figures["threads"] for k, v in t["time_ns"].items() if v}
    check(set(kinds) == {"pipe", "sleep", "futex"}, kinds)


@test
def interrupt_ends_an_attached_recording():
    burner = spawn(programs / "burn", 1, 100)
    trace = scratch / "int.corun"
    recorder = spawn(corun, "record", "-q", "-o", trace, "-p", burner.pid)
    recording(trace)
    recorder.send_signal(signal.SIGINT)
    check(recorder.wait(timeout=20) == 0, recorder.returncode)
    burner.kill()
    burner.wait()
    check(report(trace)["losses"]["trace"] == "whole")


@test
def command_runs_as_the_invoking_user():
    folder = scratch / "user"
    folder.mkdir(mode=0o777)
    os.chmod(scratch, 0o755)
    os.chmod(folder, 0o777)
    result = run(corun, "record", "-q", "-o", folder / "u.corun", "--", "sh", "-c",
                 "id -u; id -g; echo ${SUDO_UID:-none}", cwd=folder,
                 env=dict(os.environ, SUDO_UID="65534", SUDO_GID="65534"))
    check(result.stdout.split() == ["65534", "65534", "none"], result)
    stat = (folder / "u.corun").stat()
    check(stat.st_uid == 65534 and stat.st_mode & 0o777 == 0o600, stat)


@test
def affinity_and_quota_are_known():
    need("taskset")
    trace, _ = record("taskset", "-c", "0", programs / "burn", 2, 0.3)
    figures = report(trace)
    check(any(f.get("cpus") == "1" for _, kind, f in dump(trace) if kind == "affinity"), "affinity")
    check(figures["parallelism"]["time_ns_at"][2:] in ([], [0]) or
          sum(figures["parallelism"]["time_ns_at"][2:]) < figures["window"]["duration_ns"] // 10,
          figures["parallelism"])


@test
def quota_of_a_cgroup_is_told():
    with cgroup_with_quota(20000, 100000) as folder:
        trace = scratch / "cgroup.corun"
        burner = spawn("sh", "-c", f"echo $$ > {folder}/cgroup.procs; exec {programs}/burn 2 100")
        time.sleep(0.4)
        run(corun, "record", "-q", "-o", trace, "--cgroup", folder, "-d", "700ms", status=0)
        burner.kill()
        burner.wait()
        figures = report(trace)
        check(abs(figures["target"]["quota_cpus"] - 0.2) < 0.001, figures["target"])
        check(figures["window"]["throttled_ns"] > 0, figures["window"])
        check(len(figures["threads"]) >= 3, figures["threads"])


@test
def duration_ends_the_recording_and_not_the_command():
    trace = scratch / "d.corun"
    before = time.monotonic()
    result = run(corun, "record", "-o", trace, "-d", "300ms", "--",
                 "sh", "-c", "exec sleep 8 >/dev/null 2>&1")
    check(result.returncode == 0 and time.monotonic() - before < 7, result)
    check("goes on" in result.stderr, result.stderr)
    pid = int(result.stderr.split("(process ")[1].split(")")[0])
    os.kill(pid, 0)
    os.kill(pid, signal.SIGKILL)
    figures = report(trace)
    no_loss(figures)
    check(figures["losses"]["trace"] == "whole", figures["losses"])


@test
def sigterm_ends_the_recording_and_keeps_it():
    trace = scratch / "term.corun"
    recorder = spawn(corun, "record", "-q", "-o", trace, "--", "sleep", "100")
    recording(trace)
    recorder.terminate()
    check(recorder.wait(timeout=60) == 0, recorder.returncode)
    check(report(trace)["losses"]["trace"] == "whole")
    run("pkill", "-x", "-f", "sleep 100")
