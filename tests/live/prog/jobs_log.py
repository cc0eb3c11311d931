# SPDX-License-Identifier: MIT
"""Executors and pools of every sort, with what really happened: prints one JSON object a line.

{"job": name, "submitted": ns, "began": ns, "ended": ns, "pid": pid}; {"pickle": ns, "bytes": n}
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


def big_job(data):
    began = time.monotonic_ns()
    note("big_job", 0, began)
    return data


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
        # Ints, which take pickle a while; bytes would be copied.
        data = list(range(1 << 30, (1 << 30) + 400000))
        # On a CPU: what else runs on the machine makes this no longer.
        begin = time.thread_time_ns()
        for _ in range(5):
            text = pickle.dumps(data, protocol=pickle.HIGHEST_PROTOCOL)
            pickle.loads(text)
        took = (time.thread_time_ns() - begin) // 5
        print(json.dumps({"pickle": took, "bytes": len(text)}), flush=True)
        pool.apply(big_job, (data,))
