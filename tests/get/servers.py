"""Servers for the checks of `weft get`: one that does what a check says, our own, and nginx."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

from looking import Missing, needs

LIMIT_S = 30


class Scripted:
    """Answers each request by a function: answer(number, head) gives bytes, and the connection is closed behind them.

    A function that gives a generator is sent piece by piece.
    """

    def __init__(self, answer):
        self.answer, self.heads, self.lock = answer, [], threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.stopped = threading.Event()

    def __enter__(self):
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with connection, contextlib.suppress(OSError):
            connection.settimeout(LIMIT_S)
            head = b""
            while b"\r\n\r\n" not in head:
                more = connection.recv(4096)
                if not more:
                    return
                head += more
            with self.lock:
                number = len(self.heads)
                self.heads.append(head.decode("latin-1"))
            answer = self.answer(number, self.heads[number])
            for piece in [answer] if isinstance(answer, bytes) else answer:
                connection.sendall(piece)


def reply(body=b"", status="200 OK", length=None, **fields):
    """A whole answer; field names are written with _ for -."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body) if length is None else length}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in fields.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextlib.contextmanager
def ours(looking, folder, *options):
    """The origin of a weft server with that folder's files below /files."""
    program = looking.build / "tests" / "http_peer_server"
    if not program.is_file():
        raise Missing("weft-http was not built")
    process = subprocess.Popen([program, "--port", "0", *options], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                               text=True, env={**os.environ, "PEER_FILES": str(folder)})
    try:
        found = re.match(r"listening at (https?://.*)$", process.stdout.readline())
        assert found, "the server did not say where it listens"
        yield found.group(1)
    finally:
        process.kill()
        process.communicate()


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


NGINX = """
daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx.err;
events {{ worker_connections 64; }}
http {{ access_log off; client_body_temp_path {work}/b; proxy_temp_path {work}/p; fastcgi_temp_path {work}/f;
uwsgi_temp_path {work}/u; scgi_temp_path {work}/s;
server {{ listen 127.0.0.1:{port}; root {folder}; location /slow/ {{ alias {folder}/; limit_rate 100k; }} }} }}
"""


@contextlib.contextmanager
def nginx(looking, folder):
    needs("nginx")
    port, work = free_port(), Path(looking.work) / "nginx"
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir()
    Path(looking.work).chmod(0o711)  # it works as another user
    (work / "conf").write_text(NGINX.format(work=work, port=port, folder=folder))
    process = subprocess.Popen(["nginx", "-p", work, "-c", work / "conf"], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
                break
            time.sleep(0.05)  # real time: the server is another process
        else:
            raise Missing("nginx does not start here")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()
