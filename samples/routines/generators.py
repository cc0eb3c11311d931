# Hypothesis: a subroutine is entered once and left once. A generator is entered and left many times, and goes on where it
# was. So three of them can take turns within one thread.
import time

import corun_marks as corun


def chop(seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        pass


def dish(steps):  # a generator: each yield is an exit, and the next entry
    for _ in range(steps):
        chop(0.01)
        yield


def main():  # the main routine
    dishes = {name: dish(5) for name in ("ramen", "pasta", "cake")}
    tasks = {name: corun.task_begin("generator", name) for name in dishes}
    with corun.region("work"):
        while dishes:
            for name in list(dishes):
                corun.task_step(tasks[name])
                try:
                    next(dishes[name])
                    corun.task_ready(tasks[name])
                except StopIteration:
                    corun.task_end(tasks[name])
                    del dishes[name]


if __name__ == "__main__":
    main()
