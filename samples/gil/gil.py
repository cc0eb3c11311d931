# Hypothesis: two Python threads that only compute are both in flight all the time, but the GIL lets one of them
# run at a time, so two get no more done than one.
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
        corun.end("work")  # up to here all were in flight


def main(n):
    start = threading.Barrier(n, action=lambda: corun.begin("work"))  # once all are there
    threads = [threading.Thread(target=compute, args=(start,), name=f"worker-{i}") for i in range(1, n + 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(int(sys.argv[1]))
