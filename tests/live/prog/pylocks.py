# SPDX-License-Identifier: MIT
"""One thread for each way to wait in Python; the thread's name is the wait's kind and what it is."""
import concurrent.futures
import queue
import threading
import time

ROUNDS, TURN = 12, 0.02
lock, rlock, done = threading.Lock(), threading.RLock(), threading.Event()
condition, event = threading.Condition(), threading.Event()
full, simple = queue.Queue(), queue.SimpleQueue()


def with_lock():
    for _ in range(ROUNDS):
        with lock:
            time.sleep(TURN)


def acquire():
    for _ in range(ROUNDS):
        lock.acquire()
        time.sleep(TURN)
        lock.release()


def with_rlock():
    for _ in range(ROUNDS):
        with rlock:
            time.sleep(TURN)


def wait_condition():
    for _ in range(ROUNDS):
        with condition:
            condition.wait(TURN)


def wait_event():
    event.wait()


def get_queue():
    while full.get() is not None:
        pass


def get_simple():
    while simple.get() is not None:
        pass


def join_other(other):
    other.join()


workers = {
    "mutex-with-1": with_lock, "mutex-with-2": with_lock, "mutex-acquire": acquire,
    "mutex-rlock-1": with_rlock, "mutex-rlock-2": with_rlock,
    "condition-wait": wait_condition, "condition-event": wait_event,
    "condition-queue": get_queue, "condition-simplequeue": get_simple,
}
threads = [threading.Thread(target=f, name=name) for name, f in workers.items()]
for number in (1, 2):
    threads.append(threading.Thread(target=join_other, args=(threads[0],), name=f"join-{number}"))
threads.append(threading.Thread(target=time.sleep, args=(0.3,), name="sleep-\ud55c\uae00"))
pool = concurrent.futures.ThreadPoolExecutor(1, thread_name_prefix="condition-pool")
pool.submit(int)
for thread in threads:
    thread.start()
for _ in range(ROUNDS):
    time.sleep(TURN)
    full.put(1)
    simple.put(1)
full.put(None)
simple.put(None)
event.set()
for thread in threads:
    thread.join()
pool.shutdown()
