# Hypothesis: threads that wait for the network let go of the GIL while they wait. So four threads make twelve requests
# in about the time of three, though Python runs in one of them at a time.
import multiprocessing
import selectors
import socket
import sys
import threading
import time

import corun_marks as corun

REQUESTS = 12
ANSWER_AFTER = 0.3  # seconds


def serve(listener):
    due = []  # (when, whom to answer)
    loop = selectors.DefaultSelector()
    loop.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in loop.select(due[0][0] - time.monotonic() if due else None):
            if key.fileobj is listener:
                loop.register(listener.accept()[0], selectors.EVENT_READ)
            elif key.fileobj.recv(100):
                due.append((time.monotonic() + ANSWER_AFTER, key.fileobj))
            else:
                loop.unregister(key.fileobj)
                key.fileobj.close()
        while due and due[0][0] <= time.monotonic():
            due.pop(0)[1].sendall(b"done")


def client(address, start, n):
    with socket.create_connection(address) as connection:
        start.wait()
        for _ in range(n):
            connection.sendall(b"please")
            connection.recv(100)


def main(n):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = multiprocessing.Process(target=serve, args=(listener,), name="server", daemon=True)
    server.start()
    address = listener.getsockname()
    start = threading.Barrier(n, action=lambda: corun.begin("work"))  # once all are connected
    threads = [
        threading.Thread(target=client, args=(address, start, REQUESTS // n), name=f"client-{i}")
        for i in range(1, n + 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    corun.end("work")
    server.terminate()


if __name__ == "__main__":
    main(int(sys.argv[1]))
