# Hypothesis: an event loop runs one coroutine at a time. One that blocks (time.sleep instead of asyncio.sleep) holds up all
# the others; handed to a thread, it does not.
import asyncio
import sys
import time

import corun_marks as corun

BLOCKS = 0.3  # seconds


def slow_report():
    time.sleep(BLOCKS)


async def report(blocking):
    await asyncio.sleep(0.1)
    if blocking:
        slow_report()
    else:
        await asyncio.to_thread(slow_report)


async def clock():
    for _ in range(25):
        await asyncio.sleep(0.02)


async def main(blocking):
    with corun.region("work"):
        await asyncio.gather(
            asyncio.create_task(report(blocking), name="report"),
            asyncio.create_task(clock(), name="clock-1"),
            asyncio.create_task(clock(), name="clock-2"),
        )


if __name__ == "__main__":
    if not hasattr(asyncio, "to_thread"):
        print("asyncio.to_thread needs Python 3.9", file=sys.stderr)
        sys.exit(77)
    asyncio.run(main(sys.argv[1] == "blocking"))
