"""A server against httpx, aiohttp and websockets: peers.py WHAT PORT [TLS-PORT CERTIFICATE]"""
import asyncio
import hashlib
import ssl
import sys


def by_httpx(port, tls_port, certificate):
    import httpx
    for options in ({"http1": True, "http2": False}, {"http1": False, "http2": True}):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20, **options) as client:
            version = "HTTP/2" if options["http2"] else "HTTP/1.1"
            answer = client.get("/")
            assert (answer.status_code, answer.text, answer.http_version) == (200, "Hello, World!", version)
            body = bytes(range(256)) * 3000
            answer = client.post("/echo", content=body)
            assert answer.status_code == 200 and hashlib.sha256(answer.content).digest() == \
                hashlib.sha256(body).digest(), "the body does not come back"
            answer = client.put("/count", content=(b"\x01" * 1000 for _ in range(5000)))
            assert answer.text == "5000000 5000000", answer.text
            answer = client.get("/pieces", headers={"accept-encoding": "gzip"})
            assert answer.headers["content-encoding"] == "gzip", answer.headers
            assert answer.text.splitlines()[999] == "line 999" and len(answer.text.splitlines()) == 1000
            if version == "HTTP/1.1":  # over HTTP/2 httpx sends on after a reset, and fails itself
                answer = client.post("/echo", content=b"x" * (2 << 20))
                assert answer.status_code == 413, answer.status_code
            answer = client.put("/pieces")
            assert answer.status_code == 405 and "GET" in answer.headers["allow"], answer.headers
            assert client.get("/nothing").status_code == 404
            assert client.head("/").headers["content-length"] == "13"
            answer = client.get("/files/body", headers={"range": "bytes=10-19"})
            assert answer.status_code == 206 and answer.headers["content-range"] == "bytes 10-19/200000"
            answer = client.get("/files/body", headers={"if-none-match": answer.headers["etag"]})
            assert answer.status_code == 304 and answer.content == b""
    with httpx.Client(http2=True, verify=ssl.create_default_context(cafile=certificate), timeout=20) as client:
        answer = client.get(f"https://localhost:{tls_port}/who")
        assert answer.text == f"127.0.0.1:0 https localhost:{tls_port} HTTP/2", answer.text


async def by_aiohttp(port):
    import aiohttp
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as client:
        async def one(number):
            async with client.post("/echo", data=f"{number}" * 1000) as answer:
                assert answer.status == 200 and await answer.text() == f"{number}" * 1000
        await asyncio.gather(*(one(number) for number in range(100)))
        async with client.get("/pieces") as answer:
            assert len((await answer.text()).splitlines()) == 1000
        async with client.get("/files/body") as answer:
            assert len(await answer.read()) == 200000 and answer.headers["accept-ranges"] == "bytes"
        async with client.ws_connect("/ws", compress=15) as peer:
            for text in ("", "hello", "\u20ac" * 5000):
                await peer.send_str(text)
                assert await peer.receive_str() == text
            await peer.send_bytes(b"\0" * 1_000_000)
            assert await peer.receive_bytes() == b"\0" * 1_000_000
            await peer.ping(b"there")
            await peer.close(code=4000)
            assert peer.close_code == 4000


async def by_websockets(url):
    import websockets
    async with websockets.connect(url, max_size=None) as peer:
        for size in (0, 125, 126, 65535, 65536, 300000):
            await peer.send(b"a" * size)
            assert await peer.recv() == b"a" * size
        await peer.send(["in ", "pieces"])
        assert await peer.recv() == "in pieces"
        await asyncio.wait_for(await peer.ping(), 10)
        await peer.close(4001, "enough")
        assert peer.close_code == 4001


def main():
    what, rest = sys.argv[1], sys.argv[2:]
    if what == "httpx":
        by_httpx(int(rest[0]), int(rest[1]), rest[2])
    elif what == "aiohttp":
        asyncio.run(by_aiohttp(int(rest[0])))
    else:
        asyncio.run(by_websockets(rest[0]))
    print("as it should be")


main()
