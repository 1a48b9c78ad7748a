"""What a client of python3-websockets asks of examples/ws_echo and ws_chat: websocket.py ECHO-PORT CHAT-PORT."""
import asyncio
import os
import socket
import sys

import websockets

checks = 0


def check(claim, held):
    global checks
    if not held:
        sys.exit(f"does not hold: {claim}")
    checks += 1


async def echo_everything(url, **options):
    async with websockets.connect(url, max_size=None, **options) as peer:
        for text in ("", "hello", "\u20ac" * 40, "x" * 125, "y" * 126, "z" * 70000):
            await peer.send(text)
            check(f"a text of {len(text)} comes back", await peer.recv() == text)
        for size in (0, 1, 65535, 65536, 3_000_000):
            data = os.urandom(size)
            await peer.send(data)
            check(f"{size} bytes come back", await peer.recv() == data)
        await peer.send(["pieces ", "of ", "one"])
        check("pieces are one message", await peer.recv() == "pieces of one")
        await asyncio.wait_for(await peer.ping(b"are you there"), 10)
        await peer.close(4001, "enough")
        check("the close is answered", peer.close_code == 4001)


async def break_rules(url):
    async with websockets.connect(url, compression=None) as peer:
        peer.transport.write(b"\x83\x80mask")
        try:
            await peer.recv()
        except websockets.ConnectionClosedError as error:
            check("an unknown frame is told", error.rcvd is not None and error.rcvd.code == 1002)


async def many_at_once(url):
    async def one(number):
        async with websockets.connect(url) as peer:
            for turn in range(20):
                await peer.send(f"{number}-{turn}")
                check("each has its own", await peer.recv() == f"{number}-{turn}")

    await asyncio.gather(*(one(number) for number in range(50)))


async def chat(url):
    async with websockets.connect(url) as ada, websockets.connect(url) as bob:
        await ada.send("hello bob")
        check("both hear it", await bob.recv() == await ada.recv() == "hello bob")


def over_http2(port):
    """An extended CONNECT (RFC 8441), by hand: websockets does not speak it."""
    try:
        from h2 import config, connection, events
    except ImportError:
        return
    client = connection.H2Connection(config.H2Configuration(
        validate_outbound_headers=False, normalize_outbound_headers=False, validate_inbound_headers=False))
    came = []
    with socket.create_connection(("127.0.0.1", port), timeout=10) as wire:

        def wait(kind):
            while True:
                while came:
                    event = came.pop(0)
                    if isinstance(event, kind):
                        return event
                wire.sendall(client.data_to_send())
                came.extend(client.receive_data(wire.recv(65536)))

        client.initiate_connection()
        wait(events.RemoteSettingsChanged)
        client.send_headers(1, [(":method", "CONNECT"), (":protocol", "websocket"), (":scheme", "http"), (":path", "/"),
                                (":authority", "127.0.0.1"), ("sec-websocket-version", "13")])
        check("the stream is accepted", (b":status", b"200") in wait(events.ResponseReceived).headers)
        client.send_data(1, b"\x81\x85\0\0\0\0hello")
        check("it comes back over HTTP/2", wait(events.DataReceived).data == b"\x81\x05hello")
        client.send_data(1, b"\x88\x82\0\0\0\0\x03\xe8")
        check("the close is answered over HTTP/2", wait(events.DataReceived).data == b"\x88\x02\x03\xe8")
        wait(events.StreamEnded)


async def main():
    echo = f"ws://127.0.0.1:{sys.argv[1]}/"
    await echo_everything(echo)
    await echo_everything(echo, compression=None)
    await break_rules(echo)
    await many_at_once(echo)
    await chat(f"ws://127.0.0.1:{sys.argv[2]}/chat")
    over_http2(int(sys.argv[1]))
    print(f"{checks} checks")


asyncio.run(asyncio.wait_for(main(), 60))
