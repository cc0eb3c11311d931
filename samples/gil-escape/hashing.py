# Hypothesis: code written in C may let go of the GIL while it computes. hashlib does for large buffers, so two threads
# that hash run side by side; for small ones it keeps the GIL, and they do not.
import hashlib
import itertools
import sys
import threading
import time

import corun_marks as corun

SIZES = {"large": 4 << 20, "small": 1000}  # bytes a call


until = float("inf")  # both hash up to here; set when the second has begun
begun = itertools.count(1)
first = threading.Lock()  # who takes it is the first to be done


def hash_for_a_while(size):
    global until
    data = bytes(size)
    hashlib.sha256(data).digest()
    if next(begun) == 2:
        corun.begin("work")
        until = time.monotonic() + 0.6
    while time.monotonic() < until:
        hashlib.sha256(data).digest()
    if first.acquire(blocking=False):
        corun.end("work")  # up to here both were in flight


def main(size):
    threads = [
        threading.Thread(target=hash_for_a_while, args=(size,), name=f"hasher-{i}") for i in (1, 2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(SIZES[sys.argv[1]])
