# Hypothesis: a rider who waits at each table until the customer has eaten takes as long as all of them eat. One who delivers
# to all first, and collects each bowl when it is empty, takes as long as the slowest eats.
import asyncio
import sys
import time

import corun_marks as corun

EATS = {"A": 0.64, "B": 0.60, "C": 0.56}  # seconds
told = []


def deliver(customer):
    told.append(f"{customer} gets noodles")


def collect(customer):
    told.append(f"bowl of {customer}")


def synchronous():
    for customer, seconds in EATS.items():
        deliver(customer)
        time.sleep(seconds)  # stands at the table
        collect(customer)


async def serve(customer, seconds):
    deliver(customer)
    await asyncio.sleep(seconds)  # rides on; comes back
    collect(customer)


async def asynchronous():
    await asyncio.gather(*(serve(customer, seconds) for customer, seconds in EATS.items()))


async def timed_asynchronous():
    with corun.region("work"):
        await asynchronous()


if __name__ == "__main__":
    if sys.argv[1] == "sync":
        with corun.region("work"):
            synchronous()
    else:
        asyncio.run(timed_asynchronous())
    corun.fact(order=", ".join(told))
