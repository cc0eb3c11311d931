# Hypothesis: a rider who waits at each table until the customer has eaten takes as long as all of them eat. One who delivers
# to all first, and collects each bowl when it is empty, takes as long as the slowest eats.
import asyncio
import contextlib
import sys
import time

import corun_marks as corun

EATS = {"A": 1.24, "B": 1.20, "C": 1.16}  # seconds
told = []


def deliver(customer):
    told.append(f"{customer} gets noodles")


def collect(customer):
    told.append(f"bowl of {customer}")


@contextlib.contextmanager
def trip(customer):  # a lane of its own in the picture, as a coroutine has by itself
    task = corun.task_begin("trip", f"rider to {customer}")
    corun.task_step(task)
    yield
    corun.task_end(task)


def synchronous():
    for customer, seconds in EATS.items():
        with trip(customer):
            deliver(customer)
            time.sleep(seconds)  # stands at the table
            collect(customer)


async def serve(customer, seconds):
    deliver(customer)
    await asyncio.sleep(seconds)  # rides on; comes back
    collect(customer)


async def asynchronous():
    with corun.region("work"):
        trips = [asyncio.create_task(serve(c, seconds), name=f"rider to {c}") for c, seconds in EATS.items()]
        await asyncio.gather(*trips)


if __name__ == "__main__":
    if sys.argv[1] == "sync":
        with corun.region("work"):
            synchronous()
    else:
        asyncio.run(asynchronous())
    corun.fact(order=", ".join(told))
