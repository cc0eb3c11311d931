# SPDX-License-Identifier: MIT
"""A Python program in another form: forked children, spawned ones, exec, own interpreters; each has
threads that fight for a GIL. Prints the tgids that do."""
import multiprocessing
import os
import sys
import threading
import time

SECONDS = 0.4 # of CPU time: on a loaded machine they fight as often


def fight():
    until = time.process_time() + SECONDS

    def burn():
        while time.process_time() < until:
            sum(range(500))

    threads = [threading.Thread(target=burn) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os.write(1, b"%d\n" % os.getpid()) # in one piece: others write there too


def children(how):
    context = multiprocessing.get_context(how)
    processes = [context.Process(target=fight) for _ in range(3)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()


def own_interpreters(count):
    try:
        import _interpreters as interpreters
        make, run = lambda: interpreters.create("isolated"), interpreters.exec
    except ImportError:
        import _xxsubinterpreters as interpreters
        make, run = interpreters.create, interpreters.run_string
    code = (f"import threading, time\nuntil = time.process_time() + {2 * SECONDS}\n"
            "def burn():\n"
            "    while time.process_time() < until: sum(range(500))\n"
            "ts = [threading.Thread(target=burn) for _ in range(3)]\n"
            "[t.start() for t in ts]\n[t.join() for t in ts]\n")
    ran = threading.Barrier(count)

    def live(one):
        run(one, code)
        ran.wait() # none ends before the others have run ...
        interpreters.destroy(one) # ... and each in its own thread: 3.12 hangs otherwise

    threads = [threading.Thread(target=live, args=(one,)) for one in [make() for _ in range(count)]]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(os.getpid())


if __name__ == "__main__":
    form = sys.argv[1]
    if form in ("fork", "spawn", "forkserver"):
        threading.Thread(target=time.sleep, args=(0,)).start()
        children(form)
    elif form == "exec":
        fight()
        os.execv(sys.executable, [sys.executable, __file__, "plain"])
    elif form == "interpreters":
        own_interpreters(int(sys.argv[2]))
    else:
        fight()
