"""Loads that are not load.c's: h2load, wrk, and thousands of connections that say nothing.

Both give what load.c gives: for each server, by its port, numbers by name; or a text, where it failed.
"""

import os
import re
import socket
import time
from pathlib import Path

from .plan import Calls, Idle
from .processes import Failed, run
from .tokens import bearer_token

SLICES = 4  # there and back, as load.c's
H2LOAD = "/usr/bin/h2load"
H2LOAD_SECONDS = 60
CALLS_SCRIPT = Path(__file__).resolve().parent.parent / "custody.lua"
WRK_SECONDS = 20  # more than it was told to take
ANSWER_SECONDS = 5
PAGE = os.sysconf("SC_PAGE_SIZE")

GET = b"GET /plaintext HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
UPGRADE = (
    b"GET /socket HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
HELLO_MASKED = b"\x81\x85\x00\x00\x00\x00hello"


def measure(load, servers, processor):
    """`servers` are pairs of a port and a process."""
    if isinstance(load, Idle):
        return {port: _tried(_idle_bytes, load, port, pid) for port, pid in servers}
    answers = {}
    for slice_ in range(SLICES):
        for port, pid in servers if slice_ % 2 == 0 else reversed(servers):
            cpu = _calls_cpu if isinstance(load, Calls) else _streams_cpu
            answers.setdefault(port, []).append(_tried(cpu, load, port, pid, processor))
    return {port: _together(slices) for port, slices in answers.items()}


def _tried(function, *arguments):
    try:
        return function(*arguments)
    except (OSError, Failed) as failed:
        return f"failed: {failed}"


def _together(slices):
    failed = [slice_ for slice_ in slices if isinstance(slice_, str)]
    return failed[0] if failed else {"cpu_us": sum(slices) / len(slices)}


# ---- h2load ----


def _cpu_ns(pid):
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks)


def _ask(load, requests, port, processor):
    numbers = ("-n", str(requests), "-c", str(load.connections), "-m", str(load.streams), "-t", "1")
    output = run([H2LOAD, *numbers, *load.options, f"{load.scheme}://127.0.0.1:{port}/plaintext"], processor,
                 H2LOAD_SECONDS)  # fmt: skip
    good = re.search(r"(\d+) 2xx", output)
    if good is None or int(good[1]) != requests:
        raise Failed(f"h2load: {output[-400:]}")


def _streams_cpu(load, port, pid, processor):
    """Microseconds for a request, without what the opening of the connections costs: that is measured alone."""
    begun = _cpu_ns(pid)
    _ask(load, load.connections, port, processor)
    opened = _cpu_ns(pid)
    _ask(load, load.connections + load.requests, port, processor)
    return (_cpu_ns(pid) - opened - (opened - begun)) / 1000 / load.requests


# ---- wrk ----


def _calls_cpu(load, port, pid, processor):
    """Microseconds for a request, of all threads of the server."""
    begun = _cpu_ns(pid)
    output = run(["wrk", "-t1", f"-c{load.connections}", f"-d{load.seconds}s", "-s", str(CALLS_SCRIPT),
                  f"http://127.0.0.1:{port}", "--", load.route, bearer_token()], processor, load.seconds + WRK_SECONDS)
    took = _cpu_ns(pid) - begun
    said = re.search(r"^answered (\d+) wrong (\d+)$", output, re.M)
    if said is None or int(said[1]) == 0 or int(said[2]) > 0:
        raise Failed(f"wrk: {output[-400:]}")
    return took / 1000 / int(said[1])


# ---- Idle connections ----


def _resident_bytes(pid):
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def _converse(connection, question, expected):
    connection.sendall(question)
    answer = b""
    while not answer.endswith(expected):
        piece = connection.recv(4096)
        if not piece:
            raise Failed(f"it closed the connection after {answer!r}")
        answer += piece


def _connect(load, port):
    connection = socket.create_connection(("127.0.0.1", port), ANSWER_SECONDS)
    if load.websocket:
        _converse(connection, UPGRADE, b"\r\n\r\n")
        _converse(connection, HELLO_MASKED, b"hello")
    else:
        _converse(connection, GET, b"Hello, World!")
    return connection


def _idle_bytes(load, port, pid):
    """Growth of the resident memory, from a server that has had a few connections on."""
    connections = [_connect(load, port) for _ in range(10)]
    time.sleep(load.seconds)
    before = _resident_bytes(pid)
    try:
        connections += [_connect(load, port) for _ in range(load.connections)]
        time.sleep(load.seconds)
        return {"bytes": (_resident_bytes(pid) - before) / load.connections}
    finally:
        for connection in connections:
            connection.close()
