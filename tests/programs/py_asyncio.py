"""asyncio beside threads: an echo server whose answers pass through a thread pool, asked by its own clients."""

import asyncio
import hashlib
import sys
import time

CLIENTS, ROUNDS = 60, 10


def slowly(data):
    time.sleep(0.002)
    return data[::-1]


async def handle(reader, writer):
    loop = asyncio.get_running_loop()
    while line := await reader.readline():
        writer.write(await loop.run_in_executor(None, slowly, line.rstrip(b"\n")) + b"\n")
        await writer.drain()
    writer.close()


async def client(address, number):
    reader, writer = await asyncio.open_connection(*address)
    answers = []
    for turn in range(ROUNDS):
        writer.write(b"%d.%d" % (number, turn) * (turn * 50 + 1) + b"\n")
        answers.append(await asyncio.wait_for(reader.readline(), 20))
    writer.close()
    await writer.wait_closed()
    return b"".join(answers)


async def child(text):
    process = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE)
    out, _ = await process.communicate(text)
    return out, process.returncode


async def main():
    server = await asyncio.start_server(handle, "127.0.0.1", 0, backlog=200)
    address = server.sockets[0].getsockname()
    answers = await asyncio.gather(*(client(address, number) for number in range(CLIENTS)))
    print(hashlib.sha256(b"".join(answers)).hexdigest())
    print(await asyncio.gather(child(b"one"), child(b"two")))
    print(len(await asyncio.get_running_loop().getaddrinfo("127.0.0.1", 80)))
    try:
        await asyncio.wait_for(asyncio.sleep(30), 0.05)
    except asyncio.TimeoutError:
        print("timeout")
    server.close()
    await server.wait_closed()


asyncio.run(main())
sys.exit(3)
