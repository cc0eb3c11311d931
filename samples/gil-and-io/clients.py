# Hypothesis: threads that wait for the network let go of the GIL while they wait. So four threads make twelve requests
# in about the time of three, though Python runs in one of them at a time.
import asyncio
import multiprocessing
import socket
import sys
import threading

import corun_marks as corun

REQUESTS = 12
ANSWER_AFTER = 0.3  # seconds


def serve(listener):
    async def answer(reader, writer):
        while await reader.read(100):
            await asyncio.sleep(ANSWER_AFTER)
            writer.write(b"done")
        writer.close()

    async def forever():
        server = await asyncio.start_server(answer, sock=listener)
        await server.serve_forever()

    asyncio.run(forever())


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
