# Hypothesis: four processes that compute have four GILs, one each. Nothing is shared, so nothing is waited for:
# all four want to run all the time, and as many do as there are CPUs.
import multiprocessing
import time

import corun_marks as corun


def compute(start, until):
    start.wait()
    steps = 0
    while time.monotonic() < until.value:
        for _ in range(1000):
            steps += 1


def main():
    start = multiprocessing.Barrier(5)
    until = multiprocessing.Value("d", 0, lock=False)
    workers = [
        multiprocessing.Process(target=compute, args=(start, until), name=f"worker-{i}") for i in range(1, 5)
    ]
    for worker in workers:
        worker.start()
    until.value = time.monotonic() + 1.2
    start.wait()
    with corun.region("work"):
        for worker in workers:
            worker.join()


if __name__ == "__main__":
    main()
