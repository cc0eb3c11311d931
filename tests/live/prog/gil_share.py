# SPDX-License-Identifier: MIT
"""Four threads that only compute, and say when: "tid from until", CLOCK_MONOTONIC in ns."""
import sys
import threading
import time

together = threading.Barrier(4)
rows = []


def burn(seconds):
    together.wait()
    begin, n = time.monotonic_ns(), 0
    until = time.process_time() + seconds
    while time.process_time() < until:
        for i in range(5000):
            n += i * i
    rows.append((threading.get_native_id(), begin, time.monotonic_ns()))


threads = [threading.Thread(target=burn, args=(float(sys.argv[1]),)) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for row in rows:
    print(*row)
