# Hypothesis: a coroutine is a routine with several entries and exits too: each await may leave it. The event loop enters it
# again, on the same thread.
import asyncio
import time

import corun_marks as corun


def chop(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


async def dish(steps):
    for _ in range(steps):
        chop(0.01)
        await asyncio.sleep(0)  # leave; others may go on


async def main():
    with corun.region("work"):
        await asyncio.gather(
            *(asyncio.create_task(dish(5), name=name) for name in ("ramen", "pasta", "cake"))
        )


if __name__ == "__main__":
    asyncio.run(main())
