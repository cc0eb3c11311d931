# Hypothesis: three cooks, one dish each, all chop at the same time: as processes they share nothing that one of them
# would have to wait for.
import multiprocessing
import time

import corun_marks as corun


def begin():
    corun.begin("work")


def chop(start, first):
    start.wait()
    until = time.monotonic() + 1.0
    pieces = 0
    while time.monotonic() < until:
        for _ in range(1000):
            pieces += 1
    if first.acquire(block=False):
        corun.end("work")  # the first to be done: up to here all were in flight


def main():
    start = multiprocessing.Barrier(3, action=begin)  # once all are there
    first = multiprocessing.Lock()
    cooks = [
        multiprocessing.Process(target=chop, args=(start, first), name=dish) for dish in ("ramen", "pasta", "cake")
    ]
    for cook in cooks:
        cook.start()
    for cook in cooks:
        cook.join()


if __name__ == "__main__":
    main()
