# SPDX-License-Identifier: MIT
"""call_sites.py - Python that waits at known places: each line that waits says so and in which
function it stands. A main thread that joins is named by threading.py."""
import threading
import time

lock = threading.Lock()


def critical(rounds):
    for _ in range(rounds):
        with lock:  # WAIT critical
            time.sleep(0.003)  # WAIT critical


def worker():
    critical(25)


def burn():
    end, turns = time.monotonic() + 0.3, 0
    while time.monotonic() < end:  # GIL burn
        turns += 1  # GIL burn


def main():
    threads = [threading.Thread(target=f) for f in (worker, worker, worker, burn, burn)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
