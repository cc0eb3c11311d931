# SPDX-License-Identifier: MIT
"""What a step of a task costs: bare steps, and steps that wait for another task, ns a step."""
import asyncio
import sys
import time

N = 100000


async def bare(n):
    for _ in range(n):
        await asyncio.sleep(0)


async def ping(mine, other, n):
    for _ in range(n):
        future = mine[0] = asyncio.get_running_loop().create_future()
        if other[0] is not None and not other[0].done():
            other[0].set_result(None)
        await future


async def main():
    begin = time.thread_time_ns()
    await asyncio.gather(*[bare(N // 10) for _ in range(10)])
    a = (time.thread_time_ns() - begin) / N
    one, two = [None], [None]
    begin = time.thread_time_ns()
    tasks = [asyncio.ensure_future(ping(one, two, N // 4)), asyncio.ensure_future(ping(two, one, N // 4))]
    done, rest = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    b = (time.thread_time_ns() - begin) / (N // 2)
    for t in rest:
        t.cancel()
    print(a, b)

asyncio.run(main())
