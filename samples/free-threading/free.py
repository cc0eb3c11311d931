# Hypothesis: a Python without the GIL runs the very same threads side by side.
import itertools
import os
import shutil
import sys
import threading
import time

import corun_marks as corun


until = float("inf")  # both compute up to here; set when the second has begun
begun = itertools.count(1)
first = threading.Lock()  # who takes it is the first to be done


def count():
    steps = 0
    for _ in range(1000):
        steps += 1


def compute():
    global until
    count()
    if next(begun) == 2:
        corun.begin("work")
        until = time.monotonic() + 0.6
    while time.monotonic() < until:
        count()
    if first.acquire(blocking=False):
        corun.end("work")  # up to here both were in flight


def main():
    threads = [threading.Thread(target=compute, name=f"worker-{i}") for i in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def has_gil():
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def become_free_threaded():
    for python in ("python3.15t", "python3.14t", "python3.13t"):
        if shutil.which(python):
            os.execvp(python, [python, "-X", "gil=0", sys.argv[0], "now"])
    print("no free-threaded Python found (python3.13t or later)", file=sys.stderr)
    sys.exit(77)


if __name__ == "__main__":
    if sys.argv[1] == "free" and has_gil():
        become_free_threaded()
    main()
