# SPDX-License-Identifier: MIT
"""corun top on this kernel: its intervals against their own sums, against /proc and against what the
programs say of themselves; its screen driven through a pseudo-terminal."""
import contextlib
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import termios
import time

from lib import check, corun, need, programs, run, scratch, test, until

TICK = 1e9 / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def program(*command):
    """Runs meanwhile."""
    process = subprocess.Popen([c if isinstance(c, bytes) else str(c) for c in command], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        yield process.pid
    finally:
        process.kill()
        process.wait()


def intervals(*options, timeout=120):
    text = run(corun, "top", "--json", *options, status=0, timeout=timeout).stdout
    return [json.loads(line) for line in text.splitlines()]


def adds_up(one):
    """alive = running + ready + waiting + stopped + unknown, of every thread; and the same of the sums."""
    length = one["window"]["duration_ns"]
    for thread in one["threads"]:
        check(sum(thread["time_ns"].values()) == thread["alive_ns"] <= length, thread)
    for key in one["time_ns"]:
        check(sum(t["time_ns"].get(key, 0) for t in one["threads"]) == one["time_ns"][key], key)
        check(sum(p["time_ns"].get(key, 0) for p in one["processes"]) == one["time_ns"][key], key)
    running = sum(k * ns for k, ns in enumerate(one["parallelism"]["time_ns_at"]))
    check(running == one["time_ns"]["running"], "P and running time", running)
    for curve in ("parallelism", "concurrency", "demand"):
        check(sum(one[curve]["time_ns_at"]) == length, curve)


def tile(list_of_intervals):
    end = 0
    for one in list_of_intervals:
        adds_up(one)
        check(one["window"]["begin_ns"] == end, "a gap before", one["window"], end)
        end += one["window"]["duration_ns"]
    return end


def cpu_of(pid):
    """CPU time of each thread in ns by /proc/PID/task/*/stat: in ticks, what goes beside them is lost."""
    times = {}
    for tid in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{tid}/schedstat") as file:
            exact = int(file.read().split()[0])
        with open(f"/proc/{pid}/task/{tid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        times[int(tid)] = exact, (int(fields[11]) + int(fields[12])) * TICK
    return times


@test
def top_shows_what_a_command_does_and_passes_its_status_on():
    result = run(corun, "top", "--json", "-d", "0.3", "--", programs / "burn", 4, 1.0, status=0)
    lines = result.stdout.splitlines()
    own = {int(tid): int(ns) for tid, ns in (line.split() for line in lines if not line.startswith("{"))}
    figures = [json.loads(line) for line in lines if line.startswith("{")]
    check(len(own) == 4 and len(figures) >= 3, lines)
    tile(figures)
    for one in figures[:-1]:
        check(one["window"]["duration_ns"] == 300_000_000, one["window"])
    check(all(one["losses"]["events"] == 0 for one in figures), "lost")
    slack = sum(one["window"]["steal_ns"] + one["window"]["interrupt_ns"] for one in figures)
    worst = 0
    for tid, clock in own.items():
        of = [t["time_ns"] for one in figures for t in one["threads"] if t["tid"] == tid]
        running, ready = (sum(t[k] for t in of) for k in ("running", "ready"))
        check(clock <= running + ready + 300_000, tid, clock, running)
        check(running <= clock + slack + clock // 100 + 3_000_000, tid, clock, running, slack)
        worst = max(worst, abs(running - clock) / clock)
    check(run(corun, "top", "-b", "-n", 50, "--", "sh", "-c", "exit 7").returncode == 7, "status")
    return f"{len(figures)} intervals, largest difference to the threads' own clocks {100 * worst:.2f} %"


@test
def top_agrees_with_proc_on_a_program_that_runs_already():
    with program(programs / "burn", 3, 60) as pid:
        until(lambda: len(os.listdir(f"/proc/{pid}/task")) == 4, "three threads")
        before = cpu_of(pid)
        figures = intervals("-p", pid, "-d", "0.5", "-n", 4)
        after = cpu_of(pid)
        check(len(figures) == 4, len(figures))
        tile(figures)
        for tid in before:
            running = sum(t["time_ns"]["running"] for one in figures for t in one["threads"] if t["tid"] == tid)
            # /proc was read before the first and after the last interval: it bounds what top saw.
            exact, ticks = (after[tid][i] - before[tid][i] for i in (0, 1))
            check(running <= exact * 1.02 + 2e7, tid, running, exact)
            check(running <= ticks * 1.02 + 4 * TICK + 2e7, tid, running, ticks)
        check(sum(one["time_ns"]["running"] for one in figures) > 5e7, "they burn")
        check(all(len(one["threads"]) == 4 for one in figures), "four threads in every interval")


@test
def top_names_who_sleeps_and_what_is_not_in_flight():
    with program(programs / "asleep", 3) as pid:
        figures = intervals("-p", pid, "-d", "0.3", "-n", 2)
        tile(figures)
        for one in figures:
            check(one["time_ns"]["running"] + one["time_ns"]["ready"] < 0.1 * one["window"]["duration_ns"],
                  one["time_ns"])
            check(sum(one["time_ns"].values()) == one["window"]["duration_ns"] * len(one["threads"]), one)


@test
def top_tells_the_gil_and_who_held_it():
    need("/usr/bin/python3")
    source = ("import threading, time\nend = time.time() + 60\n"
              "def burn():\n    while time.time() < end: sum(range(2000))\n"
              "for i in range(4): threading.Thread(target=burn, name=f'burner-{i}').start()\n")
    with program("/usr/bin/python3", "-c", source) as pid:
        until(lambda: len(os.listdir(f"/proc/{pid}/task")) == 5, "four threads")
        figures = intervals("-p", pid, "-n", 3)
        tile(figures)
        last = figures[-1]
        check(last["verdict"]["class"] == "concurrent-not-parallel" and last["verdict"]["cause"] == "gil",
              last["verdict"])
        check(last["demand"]["mean"] < 2.2, "demand of a GIL", last["demand"]["mean"])
        lock = next(l for l in last["locks"] if l["kind"] == "gil")
        check(lock["holders"] and lock["unknown_holder"]["wait_ns"] <= 0.1 * lock["wait_ns"], lock)
        burners = {t["tid"] for t in last["threads"] if t["name"].startswith("burner-")}
        check(len(burners) == 4 and {h["tid"] for h in lock["holders"]} <= burners, lock, burners)
        text = run(corun, "top", "-b", "-H", "-n", 1, "-p", pid, status=0).stdout
        check("The GIL let one thread run at a time" in text and "GIL of " in text, text)
        check(len(re.findall(r"burner-\d\n", text)) == 4, text)


@test
def top_of_a_wait_that_lasts_names_the_holder_in_every_interval():
    """The GIL is held by one call of C code for seconds: there is no event at all meanwhile."""
    source = ("import threading, re, time\n"
              "threading.Thread(target=lambda: re.match('(a*)*b', 'a' * 40), name='holder', daemon=True).start()\n"
              "time.sleep(0.2)\ntime.sleep(60)\n")
    with program("/usr/bin/python3", "-c", source) as pid:
        until(lambda: len(os.listdir(f"/proc/{pid}/task")) == 2, "two threads")
        time.sleep(0.5)
        figures = intervals("-p", pid, "-d", "0.4", "-n", 3)
        tile(figures)
        for one in figures:
            lock = next((l for l in one["locks"] if l["kind"] == "gil"), None)
            check(lock and lock["wait_ns"] >= 0.8 * one["window"]["duration_ns"], one["locks"])
            check(lock["holders"] and lock["holders"][0]["tid"] != pid, lock)


@test
def top_of_everything_forgets_the_dead():
    """A storm of short processes: the memory of top does not follow their number."""
    storm = "while :; do for i in 1 2 3 4 5 6 7 8 9 10; do /bin/true & done; wait; done"
    with program("sh", "-c", storm):
        top = subprocess.Popen([corun, "top", "--json", "-d", "0.5", "--all"], stdout=subprocess.PIPE, text=True)
        try:
            sizes, forks, most, highest = [], 0, 0, 0
            for n in range(16):
                one = json.loads(top.stdout.readline())
                adds_up(one)
                forks += sum(p["name"] == "true" for p in one["processes"])
                most = max(most, len(one["threads"]))
                highest = max([highest] + [t["id"] for t in one["threads"]])
                with open(f"/proc/{top.pid}/status") as file:
                    sizes.append(int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)))
        finally:
            top.terminate()
            top.stdout.read()
        check(top.wait() == 0, "status", top.returncode)
        check(forks > 100, "a storm", forks)
        # Places of the dead are taken again: those of this interval, and of the one before.
        check(highest < 2 * most + 50, highest, most)
        # What the collector still keeps of them, for some seconds, is little.
        check(max(sizes[8:]) <= sizes[7] * 1.5 + 8000, sizes)
        return f"{forks} processes in {highest + 1} places, {sizes[7]} kB to {sizes[-1]} kB"


def switches_of(pid):
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", file.read(), re.M).group(1))


@test
def top_says_what_was_lost():
    """A recorder that is stopped while more happens than its ring holds: what is unknown is shown, and
    the sums still hold."""
    source = ("import os\nto, give = os.pipe()\nback, answer = os.pipe()\nos.sched_setaffinity(0, {0})\n"
              "if not os.fork():\n    os.close(give)\n    while os.read(to, 1): os.write(answer, b'x')\n    os._exit(0)\n"
              "while True: os.write(give, b'x'); os.read(back, 1)\n")
    with program(sys.executable, "-c", source) as pid:
        top = subprocess.Popen([corun, "top", "--json", "-d", "0.5", "-p", str(pid)], stdout=subprocess.PIPE, text=True)
        try:
            seen = [json.loads(top.stdout.readline())]
            check(seen[0]["losses"]["events"] == 0 and seen[0]["time_ns"]["unknown"] == 0, seen[0]["losses"])
            top.send_signal(signal.SIGSTOP)
            enough = switches_of(pid) + 400_000
            until(lambda: switches_of(pid) > enough, "400,000 switches", 120)
            top.send_signal(signal.SIGCONT)
            # Until all is known again.
            while not sum(one["losses"]["events"] for one in seen) or seen[-1]["time_ns"]["unknown"]:
                seen.append(json.loads(top.stdout.readline()))
        finally:
            top.terminate()
            top.stdout.read()
            top.wait()
        end = tile(seen)
        unknown = sum(one["time_ns"]["unknown"] for one in seen)
        lost = sum(one["losses"]["events"] for one in seen)
        check(lost > 1000 and unknown > 0.1e9, lost, unknown)
        for one in seen:
            check(one["time_ns"]["unknown"] + one["known"]["duration_ns"] >= one["window"]["duration_ns"], one)
        return f"{lost} events lost, {unknown / 1e9:.1f} s of {end / 1e9:.1f} s unknown"


# ---- the screen ----

class Screen:
    """corun top on a pseudo-terminal, its last picture kept by a small terminal of our own."""

    def __init__(self, *options, rows=24, columns=80, term="xterm-256color", command=None, **env):
        self.rows, self.columns = rows, columns
        self.raw = b""
        self.pid, self.fd = pty.fork()
        if not self.pid:
            os.environ.update({"TERM": term, "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8", **env})
            os.execv(corun, [corun, "top", *map(str, options)])
        self.resize(rows, columns)
        self.status = None

    def resize(self, rows, columns):
        self.rows, self.columns = rows, columns
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def settings(self):
        return termios.tcgetattr(self.fd)

    def read(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            if not select.select([self.fd], [], [], left)[0]:
                continue
            try:
                data = os.read(self.fd, 65536)
            except OSError:
                return False
            if not data:
                return False
            self.raw += data
        return True

    def wait_for(self, pattern, limit=30, since=0):
        end = time.monotonic() + limit
        while not re.search(pattern, self.raw[since:].decode("utf-8", "replace")):
            check(time.monotonic() < end, "never on the screen:", pattern, self.raw[-2000:])
            self.read(0.1)

    def press(self, key):
        mark = len(self.raw)
        # And Ctrl-L: all is drawn again, not only what differs.
        os.write(self.fd, key.encode() + b"\x0c")
        return mark

    def end(self, limit=20):
        end = time.monotonic() + limit
        while time.monotonic() < end:
            more = self.read(0.05)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
                while more and select.select([self.fd], [], [], 0.05)[0]:
                    more = self.read(0.05)
                return self.status
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        raise AssertionError("it does not end")


def restored(screen, before):
    """The main screen is back, the cursor is seen, and the terminal is set as it was."""
    tail = screen.raw[screen.raw.rfind(b"\x1b[?1049l"):] if b"\x1b[?1049l" in screen.raw else b""
    check(tail, "the main screen is not back", screen.raw[-300:])
    check(screen.raw.rfind(b"\x1b[?1049h") < screen.raw.rfind(b"\x1b[?1049l"), "it went to the other screen again")
    check(b"\x1b[?25h" in screen.raw or b"\x1b[34h" in screen.raw, "no cursor", screen.raw[-300:])
    check(screen.settings()[:4] == before[:4], "the terminal's settings", screen.settings()[:4], before[:4])


@test
def top_screen_answers_to_its_keys():
    with program(programs / "burn", 3, 100) as pid:
        screen = Screen("-p", pid, "-d", "0.3")
        screen.wait_for("in flight")
        screen.wait_for("PROCESS")
        mark = screen.press("H")
        screen.wait_for("THREAD", since=mark)
        mark = screen.press("s")
        screen.wait_for("running", since=mark)
        mark = screen.press("p")
        screen.wait_for("PAUSED", since=mark)
        screen.read(0.3)
        mark = len(screen.raw)
        screen.read(1.5)
        check(len(screen.raw) == mark, "a paused screen stands still", screen.raw[mark:])
        screen.press("p")
        screen.wait_for("s, up to|up to|m", since=mark)
        mark = screen.press("+")
        screen.wait_for(r"0\.5", since=mark)
        mark = screen.press("?")
        screen.wait_for("would run if there were CPUs", since=mark)
        screen.press("?")
        mark = screen.press("l")
        screen.wait_for("no thread waited for a lock", since=mark)
        mark = len(screen.raw)
        screen.resize(40, 120)
        os.kill(screen.pid, signal.SIGWINCH)
        screen.wait_for(r"\[4\d;|\[40", since=mark)
        screen.press("q")
        check(screen.end() == 0, "status", screen.status)


@test
def top_screen_gives_the_terminal_back_however_it_ends():
    with program(programs / "burn", 1, 100) as pid:
        for how, status in (("q", 0), (signal.SIGINT, 0), (signal.SIGTERM, 0), (signal.SIGHUP, 0),
                            (signal.SIGSEGV, -signal.SIGSEGV), (signal.SIGABRT, -signal.SIGABRT)):
            screen = Screen("-p", pid, "-d", "0.2")
            before = screen.settings()
            screen.wait_for("PROCESS")
            check(screen.settings()[3] != before[3], "it has set the terminal", how)
            if how == "q":
                screen.press("q")
            else:
                os.kill(screen.pid, how)
            check(screen.end() == status, how, screen.status)
            restored(screen, before)


@test
def top_screen_needs_a_terminal_that_can():
    """TERM=dumb and pipes get text; NO_COLOR gets no colour; names do not reach the terminal as they are."""
    hostile = os.path.join(os.fsencode(scratch), b"\x1b[2J\x07\x9b31m")
    shutil.copy(programs / "burn", hostile)
    with program(hostile, 1, 100) as pid:
        dumb = Screen("-p", pid, "-d", "0.2", "-n", 2, term="dumb")
        check(dumb.end() == 0, dumb.status)
        check(b"\x1b" not in dumb.raw and b"\x9b" not in dumb.raw and b"in flight" in dumb.raw, dumb.raw)
        text = run(corun, "top", "-n", 2, "-d", "0.2", "-p", pid, status=0).stdout
        check("\x1b" not in text and "\udc9b" not in text and "?[2J??31m\n" in text, text)
        mono = Screen("-p", pid, "-d", "0.2", NO_COLOR="1")
        mono.wait_for(r"\?\[2J")
        mono.press("q")
        check(mono.end() == 0, mono.status)
        check(not re.search(rb"\x1b\[[0-9;]*38;5|\x1b\[3[0-7]m", mono.raw), "colour in spite of NO_COLOR")
        check(b"\x9b31m" not in mono.raw, "a name came through")
        colour = Screen("-p", pid, "-d", "0.2")
        colour.wait_for(r"38;5;36")
        colour.press("q")
        check(colour.end() == 0, colour.status)


@test
def top_screen_of_a_command_keeps_its_output_off():
    marker = "this-must-not-be-seen"
    screen = Screen("-d", "0.2", "--", "sh", "-c", f"echo {marker}; echo {marker} >&2; sleep 0.7; exit 5")
    screen.wait_for("ENDED")
    screen.press("q")
    check(screen.end() == 5, "the command's status", screen.status)
    check(marker.encode() not in screen.raw, screen.raw)


@test
def top_ends_when_nobody_reads_it():
    with subprocess.Popen([corun, "top", "-b", "-d", "0.1", "-p", str(os.getpid())], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True) as top:
        check("flight" in top.stdout.readline() + top.stdout.readline() + top.stdout.readline(), "an interval")
        top.stdout.close()
        check(top.wait(30) == 1, top.returncode)
        check(top.stderr.read().count("\n") == 1, "one line")


@test
def top_says_what_is_wrong_in_one_line():
    for options, status in ((("-d", "0"), 2), (("-n", "0"), 2), (("-n", "x"), 2), (("--sort", "x"), 2),
                            (("--nonsense",), 2), (("-p", "1", "--all"), 2), (("-p", "999999999"), 1),
                            (("-b", "--", "/no/such/program"), 1)):
        result = run(corun, "top", *options)
        check(result.returncode == status, options, result)
        check(result.stderr.startswith("corun: top: ") and result.stderr.count("\n") == 1, options, result.stderr)
    result = run("setpriv", "--reuid=65534", "--clear-groups", corun, "top", "-b", "-n", 1)
    check(result.returncode == 1 and "needs root" in result.stderr, result)
