# Hypothesis: four processes that compute have four GILs, one each. Nothing is shared, so nothing is waited for:
# all four want to run all the time, and as many do as there are CPUs.
import multiprocessing
import time

import corun_marks as corun


def begin():
    corun.begin("work")


def compute(start, first):
    start.wait()
    until = time.monotonic() + 1.2
    steps = 0
    while time.monotonic() < until:
        for _ in range(1000):
            steps += 1
    if first.acquire(block=False):
        corun.end("work")  # the first to be done: up to here all were in flight


def main():
    start = multiprocessing.Barrier(4, action=begin)  # once all are there
    first = multiprocessing.Lock()
    workers = [
        multiprocessing.Process(target=compute, args=(start, first), name=f"worker-{i}") for i in range(1, 5)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
