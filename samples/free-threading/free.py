# Hypothesis: a Python without the GIL runs the very same threads side by side.
import os
import shutil
import sys
import threading
import time

import corun_marks as corun


first = threading.Lock()  # who takes it is the first to be done


def compute(start):
    start.wait()
    until = time.monotonic() + 0.6
    steps = 0
    while time.monotonic() < until:
        for _ in range(1000):
            steps += 1
    if first.acquire(blocking=False):
        corun.end("work")  # up to here both were in flight


def main():
    start = threading.Barrier(2, action=lambda: corun.begin("work"))  # once both are there
    threads = [threading.Thread(target=compute, args=(start,), name=f"worker-{i}") for i in (1, 2)]
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
