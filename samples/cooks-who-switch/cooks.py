# Hypothesis: three cooks with two dishes each: six dishes are in progress, and three hands chop. Concurrency within each
# cook, parallelism between them.
import asyncio
import multiprocessing
import time

import corun_marks as corun

DISHES = {"Ann": ("ramen", "tea"), "Bob": ("pasta", "sauce"), "Cho": ("cake", "icing")}


def chop(seconds):
    until = time.thread_time() + seconds  # of the CPU: nobody chops without one
    while time.thread_time() < until:
        pass


async def make(dish):
    for _ in range(3):
        chop(0.04)
        await asyncio.sleep(0.04)  # simmers by itself


async def cook(name, start):
    dishes = [asyncio.create_task(make(dish), name=dish) for dish in DISHES[name]]
    start.wait()
    await asyncio.gather(*dishes)


def work(name, start):
    asyncio.run(cook(name, start))


def begin():
    corun.begin("work")


def main():
    start = multiprocessing.Barrier(3, action=begin)  # once all are there
    others = [multiprocessing.Process(target=work, args=(name, start), name=name) for name in ("Bob", "Cho")]
    for other in others:
        other.start()
    work("Ann", start)  # the main process is a cook too
    for other in others:
        other.join()
    corun.end("work")


if __name__ == "__main__":
    main()
