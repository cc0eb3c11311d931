# SPDX-License-Identifier: MIT
"""Python threads that fight for the GIL: they compute, and let go of it in between (a pipe of their own).

Reads seconds, a line each; answers each with what a round cost in ns of CPU time, all threads' together."""
import os
import sys
import threading
import time

THREADS = 4
os.sched_setaffinity(0, {int(sys.argv[1])})
start, stop = threading.Barrier(THREADS + 1), threading.Barrier(THREADS + 1)
until = 0
rounds = [0] * THREADS


def work(number):
    r, w = os.pipe()
    while True:
        start.wait()
        n = 0
        while not n or time.monotonic() < until:
            for _ in range(2000):
                pass
            os.write(w, b"x")
            os.read(r, 1)
            n += 1
        rounds[number] = n
        stop.wait()


for number in range(THREADS):
    threading.Thread(target=work, args=(number,), daemon=True).start()
for line in sys.stdin:
    until = time.monotonic() + float(line)
    before = time.process_time_ns()
    start.wait()
    stop.wait()
    print((time.process_time_ns() - before) / sum(rounds), flush=True)
os._exit(0)
