# SPDX-License-Identifier: MIT
"""Threads that compute and log by themselves who held the GIL: whoever runs Python code holds it, so
between two stamps of one thread with none of another between them it was that thread. Unless they are far
apart: then it may have given the GIL away, and got it back before anybody else could stamp."""
import sys
import threading
import time

until = time.process_time() + float(sys.argv[1])
stamps = []


def burn():
    own, now = [], time.monotonic_ns
    stamps.append((threading.get_native_id(), own))
    while time.process_time() < until:
        for _ in range(200):
            own.append(now())
            for _ in range(60):
                pass


threads = [threading.Thread(target=burn) for _ in range(4)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
merged = sorted((ns, tid) for tid, own in stamps for ns in own)
begin, last, holder = 0, 0, 0
for ns, tid in merged:
    if tid != holder or ns > last + 10_000:
        print(begin, last, holder)
        begin, holder = ns, tid
    last = ns
