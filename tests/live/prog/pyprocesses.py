# Three processes with names of their own, started as argv[1] says. They meet at a barrier: a wait on a
# futex, at which a recorder can ask Python for names.
import multiprocessing
import sys
import time


def work(barrier):
    barrier.wait()
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        time.sleep(0.01)


if __name__ == "__main__":
    method = multiprocessing.get_context(sys.argv[1])
    barrier = method.Barrier(4)
    cooks = [method.Process(target=work, args=(barrier,), name=f"cook-{i}") for i in (1, 2, 3)]
    for cook in cooks:
        cook.start()
    barrier.wait()
    for cook in cooks:
        cook.join()
