# SPDX-License-Identifier: MIT
"""Threads that fight for the GIL: some only compute, one sleeps in between, one calls the kernel. For
so many seconds of CPU time: on a loaded machine they fight as often, only later."""
import os
import sys
import threading
import time

seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
until = time.process_time() + seconds
if len(sys.argv) > 2:
    sys.setswitchinterval(float(sys.argv[2]))


def burn():
    n = 0
    while time.process_time() < until:
        for i in range(2000):
            n += i * i


def nap():
    while time.process_time() < until:
        time.sleep(0.003)
        sum(range(3000))


def call():
    r, w = os.pipe()
    while time.process_time() < until:
        os.write(w, b"x" * 64)
        os.read(r, 64)
        sum(range(300))


threads = [threading.Thread(target=f, name=f"{f.__name__}-{i}")
           for i, f in enumerate((burn, burn, burn, nap, call))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
