# Hypothesis: threads that wait for the network let go of the GIL while they wait. So four threads make twelve requests
# in about the time of three, though Python runs in one of them at a time.
import asyncio
import multiprocessing
import socket
import sys
import threading

import corun_marks as corun

REQUESTS = 12
ANSWER_AFTER = 0.2  # seconds


def serve(listener):
    async def answer(reader, writer):
        await reader.read(100)
        await asyncio.sleep(ANSWER_AFTER)
        writer.write(b"done")
        writer.close()

    async def forever():
        server = await asyncio.start_server(answer, sock=listener)
        await server.serve_forever()

    asyncio.run(forever())


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
