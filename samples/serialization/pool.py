# Hypothesis: what goes to another process is pickled, written to a pipe, read and unpickled. When that is more work
# than the work itself, the processes mostly carry data about.
import multiprocessing
import sys
import time

import corun_marks as corun

COUNTS = {"small": 250, "large": 2_000_000}  # integers in a list: about 1 kB and 10 MB pickled


def work(numbers):
    return sum(sum(numbers[:250]) for _ in range(3000))


def main(count):
    numbers = list(range(1 << 20, (1 << 20) + count))
    with multiprocessing.Pool(2) as pool:
        pool.map(work, [[1, 2]] * 2)  # the workers are up
        time.sleep(0.05)  # ... and the pool's own threads at rest again
        with corun.region("work"):
            results = pool.map(work, [numbers] * 8, chunksize=1)
    corun.fact(right=results == [work(numbers)] * 8)


if __name__ == "__main__":
    main(COUNTS[sys.argv[1]])
