# Hypothesis: threads that wait for the network let go of the GIL while they wait. So four threads make twelve requests
# in about the time of three, though Python runs in one of them at a time.
import multiprocessing
import socket
import sys
import threading
import time

import corun_marks as corun

REQUESTS = 12
ANSWER_AFTER = 0.08  # seconds


def serve(listener):
    def answer(connection):
        connection.recv(100)
        time.sleep(ANSWER_AFTER)
        connection.sendall(b"done")
        connection.close()

    while True:
        connection, _ = listener.accept()
        threading.Thread(target=answer, args=(connection,), daemon=True).start()


def request(address):
    with socket.create_connection(address) as connection:
        connection.sendall(b"please")
        return connection.recv(100)


def client(address, n):
    for _ in range(n):
        request(address)


def main(n):
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    server = multiprocessing.Process(target=serve, args=(listener,), name="server", daemon=True)
    server.start()
    address = listener.getsockname()
    request(address)  # the server is up
    threads = [
        threading.Thread(target=client, args=(address, REQUESTS // n), name=f"client-{i}")
        for i in range(1, n + 1)
    ]
    with corun.region("work"):
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    server.terminate()


if __name__ == "__main__":
    main(int(sys.argv[1]))
