"""What a client of python3-websockets asks of examples/ws_echo and ws_chat: websocket.py ECHO-PORT CHAT-PORT."""
import asyncio
import os
import sys

import websockets

checks = 0


def check(claim, held):
    global checks
    if not held:
        sys.exit(f"does not hold: {claim}")
    checks += 1


async def echo_everything(url, **options):
    async with websockets.connect(url, max_size=None, **options) as socket:
        for text in ("", "hello", "\u20ac" * 40, "x" * 125, "y" * 126, "z" * 70000):
            await socket.send(text)
            check(f"a text of {len(text)} comes back", await socket.recv() == text)
        for size in (0, 1, 65535, 65536, 3_000_000):
            data = os.urandom(size)
            await socket.send(data)
            check(f"{size} bytes come back", await socket.recv() == data)
        await socket.send(["pieces ", "of ", "one"])
        check("pieces are one message", await socket.recv() == "pieces of one")
        await asyncio.wait_for(await socket.ping(b"are you there"), 10)
        await socket.close(4001, "enough")
        check("the close is answered", socket.close_code == 4001)


async def break_rules(url):
    async with websockets.connect(url, compression=None) as socket:
        socket.transport.write(b"\x83\x80mask")
        try:
            await socket.recv()
        except websockets.ConnectionClosedError as error:
            check("an unknown frame is told", error.rcvd is not None and error.rcvd.code == 1002)


async def many_at_once(url):
    async def one(number):
        async with websockets.connect(url) as socket:
            for turn in range(20):
                await socket.send(f"{number}-{turn}")
                check("each has its own", await socket.recv() == f"{number}-{turn}")

    await asyncio.gather(*(one(number) for number in range(50)))


async def chat(url):
    async with websockets.connect(url) as ada, websockets.connect(url) as bob:
        await ada.send("hello bob")
        check("both hear it", await bob.recv() == await ada.recv() == "hello bob")


async def main():
    echo = f"ws://127.0.0.1:{sys.argv[1]}/"
    await echo_everything(echo)
    await echo_everything(echo, compression=None)
    await break_rules(echo)
    await many_at_once(echo)
    await chat(f"ws://127.0.0.1:{sys.argv[2]}/chat")
    print(f"{checks} checks")


asyncio.run(asyncio.wait_for(main(), 60))
