# Hypothesis: three cooks, one dish each, all chop at the same time: as processes they share nothing that one of them
# would have to wait for.
import multiprocessing
import time

import corun_marks as corun


def chop(start, until):
    start.wait()
    pieces = 0
    while time.monotonic() < until.value:
        for _ in range(1000):
            pieces += 1


def main():
    start = multiprocessing.Barrier(4)
    until = multiprocessing.Value("d", 0, lock=False)
    cooks = [
        multiprocessing.Process(target=chop, args=(start, until), name=dish) for dish in ("ramen", "pasta", "cake")
    ]
    for cook in cooks:
        cook.start()
    until.value = time.monotonic() + 1.0
    start.wait()
    with corun.region("work"):
        for cook in cooks:
            cook.join()


if __name__ == "__main__":
    main()
