# Hypothesis: two Python threads that only compute are both in flight all the time, but the GIL lets one of them
# run at a time, so two get no more done than one.
import sys
import threading
import time

import corun_marks as corun


def compute(until):
    steps = 0
    while time.monotonic() < until:
        for _ in range(1000):
            steps += 1


def main(n):
    until = time.monotonic() + 0.6
    threads = [
        threading.Thread(target=compute, args=(until,), name=f"worker-{i}") for i in range(1, n + 1)
    ]
    with corun.region("work"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


if __name__ == "__main__":
    main(int(sys.argv[1]))
