# Hypothesis: two Python threads that only compute are both in flight all the time, but the GIL lets one of them
# run at a time, so two get no more done than one.
import itertools
import sys
import threading
import time

import corun_marks as corun

until = float("inf")  # all compute up to here; set when the last of them has begun
begun = itertools.count(1)
first = threading.Lock()  # who takes it is the first to be done


def count():
    steps = 0
    for _ in range(1000):
        steps += 1


def compute(n):
    global until
    count()
    if next(begun) == n:
        corun.begin("work")
        until = time.monotonic() + 0.6
    while time.monotonic() < until:
        count()
    if first.acquire(blocking=False):
        corun.end("work")  # up to here all were in flight


def main(n):
    threads = [threading.Thread(target=compute, args=(n,), name=f"worker-{i}") for i in range(1, n + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(int(sys.argv[1]))
