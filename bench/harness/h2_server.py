#!/usr/bin/env python3
"""Runs a client beside a server of HTTP/2 (nghttpd, over TLS, with a file of 1,000 bytes) on other processors:

    h2_server.py CLIENT ARGUMENT...         # is called as CLIENT ARGUMENT... URL CERTIFICATE
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def other_processors():
    mine = os.sched_getaffinity(0)
    others = set(range(os.cpu_count())) - mine
    os.sched_setaffinity(0, others or mine)


def make_certificate(directory):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
               "-days", "2", "-keyout", directory / "key.pem", "-out", directory / "certificate.pem",
               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]  # fmt: skip
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def wait_for(port, server):
    for _ in range(100):
        if server.poll() is not None:
            sys.exit("nghttpd has ended")
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            time.sleep(0.05)
    sys.exit("nghttpd does not answer")


def main():
    nghttpd = shutil.which("nghttpd") or "/usr/sbin/nghttpd"
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "file").write_text("x" * 1000)
        make_certificate(directory)
        port = free_port()
        command = [nghttpd, "-d", name, str(port), directory / "key.pem", directory / "certificate.pem"]
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, preexec_fn=other_processors)
        try:
            wait_for(port, server)
            url = f"https://localhost:{port}/file"
            return subprocess.run([*sys.argv[1:], url, directory / "certificate.pem"]).returncode
        finally:
            server.kill()
            server.wait()


sys.exit(main())
