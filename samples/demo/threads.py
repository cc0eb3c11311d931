# Hypothesis: four threads that only compute are in flight all the time, but the GIL lets one of
# them run at a time, so they take as long as one thread that does all the work.
import threading


def count_primes(below):
    found = 0
    for n in range(2, below):
        d = 2
        while d * d <= n and n % d:
            d += 1
        if d * d > n:
            found += 1
    return found


def main():
    workers = [
        threading.Thread(target=count_primes, args=(150_000,), name=f"worker-{i}")
        for i in range(1, 5)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main()
