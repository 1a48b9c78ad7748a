#!/usr/bin/env python3
"""The client against software of others: Python's http.server and websockets, tinyproxy, microsocks.

    tests/client/peers.py build [DRIVER...]      # what is not installed is left out, and said
"""

import asyncio
import email
import email.policy
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

SYSTEM = "/usr/bin/python3"    # which has the packages of the system
try:
    import websockets
except ImportError:
    websockets = None
    if sys.executable != SYSTEM and os.path.exists(SYSTEM):
        os.execv(SYSTEM, [SYSTEM, *sys.argv])

BUILD = Path(sys.argv[1])
DRIVERS = sys.argv[2:] or ["uring", "epoll"]
passed = failed = skipped = 0


class Handler(http.server.BaseHTTPRequestHandler):
    """Says hello, tells what a form has, and gives events."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, kind="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path != "/events":
            return self.answer(200, b"hello from " + self.headers["Host"].split(":")[0].encode())
        last = int(self.headers.get("Last-Event-ID") or 0)
        if last >= 4:
            return self.answer(204, b"")
        events = "".join(f"event: n\nid: {i}\ndata: {i * i}\n\n" for i in (last + 1, last + 2))
        return self.answer(200, events.encode(), "text/event-stream")

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else b""
        while "chunked" in self.headers.get("Transfer-Encoding", ""):
            size = int(self.rfile.readline(), 16)
            body += self.rfile.read(size)
            self.rfile.readline()
            if size == 0:
                break
        head = f"Content-Type: {self.headers['Content-Type']}\r\n\r\n".encode()
        form = email.message_from_bytes(head + body, policy=email.policy.HTTP)
        parts = [[part.get_param("name", header="content-disposition"), part.get_filename(),
                  len(part.get_payload(decode=True))] for part in form.iter_parts()]
        self.answer(200, json.dumps(parts).encode())


def check(claim, output, expected):
    global passed, failed
    if expected in output:
        passed += 1
    else:
        failed += 1
        print(f"FAILED {claim}: {expected!r} is not in {output!r}")


def ask(driver, what, url, proxy="-", ca_file="-"):
    environment = {**os.environ, "WEFT_DRIVER": driver}
    done = subprocess.run([BUILD / "tests/client_peers", what, proxy, ca_file, url], env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)
    return done.stdout


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command, port):
    """A server in the foreground, once it listens; None: it is not installed."""
    global skipped
    if shutil.which(command[0]) is None:
        print(f"left out: there is no {command[0]}")
        skipped += 1
        return None
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(200):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process
        except OSError:
            time.sleep(0.05)    # real time: until another program listens
    process.kill()
    raise SystemExit(f"{command[0]} does not listen")


def make_certificate(folder):
    names = [str(folder / "key.pem"), str(folder / "cert.pem")]
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-days", "2", "-subj", "/CN=peers", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", names[0],
                    "-out", names[1]], check=True, stderr=subprocess.DEVNULL)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(names[1], names[0])
    return context, names[1]


def serve_http(context=None):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server.server_address[1]


def serve_websockets(context=None):
    """The port of an echo, in a thread of its own."""
    ports, ready = [], threading.Event()

    async def echo(peer, *_):
        async for message in peer:
            await peer.send(message)

    async def serve():
        async with websockets.serve(echo, "127.0.0.1", 0, subprotocols=["chat"], ssl=context, max_size=None) as server:
            ports.append(server.sockets[0].getsockname()[1])
            ready.set()
            await asyncio.Future()

    threading.Thread(target=lambda: asyncio.run(serve()), daemon=True).start()
    ready.wait()
    return ports[0]


ECHOED = "chat\n0 same\n1 same\n125 same\n126 same\n65535 same\n65536 same\n300000 same\n1000 bye\n"


def check_straight(driver, plain, sockets, secure_sockets, ca_file):
    form = json.dumps([["title", None, 5], ["a %22b%22", None, 0], ["file", "é.bin", 200000]])[:-1]
    check("a form", ask(driver, "form", f"http://127.0.0.1:{plain}/form"), f"200 {form}")
    check("events", ask(driver, "sse", f"http://127.0.0.1:{plain}/events"), "n 1 1\nn 2 4\nn 3 9\nn 4 16\n")
    if sockets is not None:
        check("a websocket", ask(driver, "ws", f"ws://127.0.0.1:{sockets}/"), ECHOED)
        check("over TLS", ask(driver, "ws", f"wss://127.0.0.1:{secure_sockets}/", ca_file=ca_file), ECHOED)


def check_proxy(driver, name, proxy, bad_proxy, why, ports, ca_file):
    plain, secure, sockets, secure_sockets = ports
    check(f"{name}, plain", ask(driver, "get", f"http://127.0.0.1:{plain}/", proxy), "200 hello from 127.0.0.1")
    check(f"{name}, TLS", ask(driver, "get", f"https://127.0.0.1:{secure}/", proxy, ca_file),
          "200 hello from 127.0.0.1")
    check(f"{name}, a bad login", ask(driver, "get", f"https://127.0.0.1:{secure}/", bad_proxy, ca_file), why)
    if sockets is not None:
        check(f"{name}, a websocket", ask(driver, "ws", f"ws://127.0.0.1:{sockets}/", proxy), ECHOED)
        check(f"{name}, one over TLS", ask(driver, "ws", f"wss://127.0.0.1:{secure_sockets}/", proxy, ca_file), ECHOED)


def start_tinyproxy(folder, port):
    (folder / "tinyproxy.conf").write_text(f"Port {port}\nListen 127.0.0.1\nTimeout 60\nAllow 127.0.0.1\n"
                                           "BasicAuth me secret\nMaxClients 50\n")
    return start(["tinyproxy", "-d", "-c", str(folder / "tinyproxy.conf")], port)


def check_all(folder, processes, ports, ca_file):
    http_port, socks_port = free_port(), free_port()
    tinyproxy = start_tinyproxy(folder, http_port)
    processes += [tinyproxy] if tinyproxy is not None else []
    microsocks = start(["microsocks", "-i", "127.0.0.1", "-p", str(socks_port), "-u", "me", "-P", "secret"], socks_port)
    processes += [microsocks] if microsocks is not None else []
    for driver in DRIVERS:
        check_straight(driver, ports[0], ports[2], ports[3], ca_file)
        if tinyproxy is not None:
            check_proxy(driver, "tinyproxy", f"http://me:secret@127.0.0.1:{http_port}",
                        f"http://me:wrong@127.0.0.1:{http_port}", f"the proxy 127.0.0.1:{http_port}: it ", ports,
                        ca_file)
        for scheme in ("socks5", "socks5h") if microsocks is not None else ():
            check_proxy(driver, scheme, f"{scheme}://me:secret@127.0.0.1:{socks_port}",
                        f"{scheme}://me:wrong@127.0.0.1:{socks_port}", "it refuses the login", ports, ca_file)


def main():
    global skipped
    processes = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        context, ca_file = make_certificate(folder)
        ports = [serve_http(), serve_http(context), None, None]
        if websockets is not None:
            ports[2:] = [serve_websockets(), serve_websockets(context)]
        else:
            print("left out: there is no python3-websockets")
            skipped += 1
        try:
            check_all(folder, processes, ports, ca_file)
        finally:
            for process in processes:
                process.kill()
                process.wait()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
