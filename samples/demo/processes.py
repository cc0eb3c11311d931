# Hypothesis: the same work in four processes has four GILs, so as many of them run at the same time
# as there are CPUs.
import multiprocessing

from threads import count_primes


def main():
    workers = [
        multiprocessing.Process(target=count_primes, args=(150_000,), name=f"worker-{i}")
        for i in range(1, 5)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
