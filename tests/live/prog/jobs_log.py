# SPDX-License-Identifier: MIT
"""Executors and pools of every sort, with what really happened: prints one JSON object a line.

{"job": name, "submitted": ns, "began": ns, "ended": ns, "pid": pid}; {"pickle": ns}; {"bytes": n}
"""
import asyncio
import concurrent.futures
import json
import multiprocessing
import os
import pickle
import threading
import time

gate = threading.Event()


def note(name, submitted, began):
    os.write(1, (json.dumps({"job": name, "submitted": submitted, "began": began, "ended": time.monotonic_ns(),
                             "pid": os.getpid()}) + "\n").encode())


def thread_job(submitted):
    began = time.monotonic_ns()
    gate.wait()  # until all are submitted: those who have no thread yet queue
    time.sleep(0.004)
    note("thread_job", submitted, began)


def executor_job(submitted):
    began = time.monotonic_ns()
    time.sleep(0.004)
    note("executor_job", submitted, began)
    return b"r" * 1000


def pool_job(submitted):
    began = time.monotonic_ns()
    time.sleep(0.004)
    note("pool_job", submitted, began)


class Mark:
    """Stands before and behind what is pickled: notes when pickle comes past, there and back."""

    def __init__(self, last):
        self.last = last
        self.past()

    def __reduce__(self):
        self.past()
        return Mark, (self.last,)

    def past(self):
        global first
        if self.last:
            os.write(1, (json.dumps({"pickle": time.monotonic_ns() - first}) + "\n").encode())
        else:
            first = time.monotonic_ns()


def big_job(before, data, behind):
    began = time.monotonic_ns()
    note("big_job", 0, began)
    return before, data, behind


def aio_job(submitted):
    began = time.monotonic_ns()
    time.sleep(0.004)
    note("aio_job", submitted, began)


def failing_job():
    raise ValueError("on purpose")


async def main():
    loop = asyncio.get_running_loop()
    await asyncio.gather(*[loop.run_in_executor(None, aio_job, time.monotonic_ns()) for _ in range(3)])
    if hasattr(asyncio, "to_thread"):
        await asyncio.to_thread(aio_job, time.monotonic_ns())


if __name__ == "__main__":
    with concurrent.futures.ThreadPoolExecutor(2) as executor:
        jobs = [executor.submit(thread_job, time.monotonic_ns()) for _ in range(6)]
        failing = executor.submit(failing_job)
        gate.set()
    assert failing.exception()
    asyncio.run(main())
    with concurrent.futures.ProcessPoolExecutor(2) as executor:
        jobs = [executor.submit(executor_job, time.monotonic_ns()) for _ in range(4)]
        assert all(job.result() for job in jobs)
    with multiprocessing.Pool(2) as pool:
        pool.map(pool_job, [time.monotonic_ns() for _ in range(5)], chunksize=1)
        # Ints, which take pickle a while; bytes would be copied. 10 MB.
        data = list(range(1 << 30, (1 << 30) + 2000000))
        print(json.dumps({"bytes": len(pickle.dumps(data, protocol=pickle.HIGHEST_PROTOCOL))}), flush=True)
        before, behind = Mark.__new__(Mark), Mark.__new__(Mark)
        before.last, behind.last = False, True
        pool.apply(big_job, (before, data, behind))
