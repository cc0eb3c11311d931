# Hypothesis: an event loop runs one coroutine at a time. One that blocks (time.sleep instead of asyncio.sleep) holds up all
# the others; handed to a thread, it does not.
import asyncio
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import corun_marks as corun

BLOCKS = 0.5  # seconds
helper = ThreadPoolExecutor(1, thread_name_prefix="helper")


def slow_report():
    time.sleep(BLOCKS)


async def report(blocking):
    await asyncio.sleep(0.1)
    if blocking:
        slow_report()
    else:
        await asyncio.get_running_loop().run_in_executor(helper, slow_report)


async def clock(until):
    while time.monotonic() < until:
        await asyncio.sleep(0.05)  # ticks


async def main(blocking):
    until = time.monotonic() + 0.8
    with corun.region("work"):
        await asyncio.gather(
            asyncio.create_task(report(blocking), name="report"),
            asyncio.create_task(clock(until), name="clock-1"),
            asyncio.create_task(clock(until), name="clock-2"),
        )


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1] == "blocking"))
