# Hypothesis: one cook can have three dishes in progress: while one simmers by itself, the cook chops for another. That saves
# the time of simmering, not that of chopping, for which there is one pair of hands.
import asyncio
import sys
import time

import corun_marks as corun

DISHES = ("ramen", "pasta", "cake")


def chop(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def make(dish):
    for _ in range(2):
        chop(0.03)
        await asyncio.sleep(0.3)  # simmers


async def one_after_the_other():
    for dish in DISHES:
        await asyncio.create_task(make(dish), name=dish)


async def in_between():
    await asyncio.gather(*(asyncio.create_task(make(dish), name=dish) for dish in DISHES))


async def main(how):
    with corun.region("work"):
        await how()


if __name__ == "__main__":
    asyncio.run(main(one_after_the_other if sys.argv[1] == "sequential" else in_between))
