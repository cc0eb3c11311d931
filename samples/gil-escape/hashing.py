# Hypothesis: code written in C may let go of the GIL while it computes. hashlib does for large buffers, so two threads
# that hash run side by side; for small ones it keeps the GIL, and they do not.
import hashlib
import sys
import threading
import time

import corun_marks as corun

SIZES = {"large": 4 << 20, "small": 1000}  # bytes a call


def hash_until(start, until, size):
    data = bytes(size)
    start.wait()
    while time.monotonic() < until:
        hashlib.sha256(data).digest()


def main(size):
    start = threading.Barrier(3)
    until = time.monotonic() + 0.6
    threads = [
        threading.Thread(target=hash_until, args=(start, until, size), name=f"hasher-{i}") for i in (1, 2)
    ]
    for thread in threads:
        thread.start()
    with corun.region("work"):
        start.wait()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(SIZES[sys.argv[1]])
