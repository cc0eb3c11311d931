# Hypothesis: a program that only computes is on a CPU all the time. It waits for nothing but a CPU.
import time

import corun_marks as corun


def is_prime(n):
    d = 2
    while d * d <= n and n % d:
        d += 1
    return n > 1 and d * d > n


def main():
    found = n = 0
    until = time.monotonic() + 0.4
    with corun.region("work"):
        while time.monotonic() < until:
            found += is_prime(n)
            n += 1
    corun.fact(found=found)


if __name__ == "__main__":
    main()
