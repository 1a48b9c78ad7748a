#!/usr/bin/env python3
"""The client against servers of others: nginx, Go's net/http, node, uvicorn, over HTTP/1.1, HTTP/2 and TLS.

    tests/client/servers.py build [DRIVER...]      # what is not installed is left out, and said
"""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BUILD = Path(sys.argv[1])
DRIVERS = sys.argv[2:] or ["uring", "epoll"]
HERE = Path(__file__).resolve().parent / "servers"
LARGE = "1048576"
passed = failed = skipped = 0


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def leave_out(what):
    global skipped
    print(f"left out: there is no {what}")
    skipped += 1


def start(command, port, processes):
    """A server in the foreground, once it listens."""
    process = subprocess.Popen([str(word) for word in command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    processes.append(process)
    for _ in range(400):
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return
        except OSError:
            if process.poll() is not None:
                break
            time.sleep(0.05)    # real time: until another program listens
    raise SystemExit(f"{command} does not listen")


def make_certificate(folder):
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                    "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def sum_of(text):
    total = 0
    for byte in text:
        total = (total * 31 + byte) & 0xFFFFFFFF
    return f"{len(text)} {total:08x}"


TEXT, CHUNKS, ECHO = sum_of(b"hello"), sum_of(b"x" * 100000), sum_of(b'{"a":1}')
LARGE = sum_of(b"0123456789abcdef" * 65536)


def check(name, driver, url, version, ca_file, encoding="-", echo="200", prior=False):
    """All connections of HTTP/2 are one; those of HTTP/1.1 at most four."""
    global passed, failed
    done = subprocess.run([BUILD / "tests/client_peers", "tour2" if prior else "tour", "-", ca_file or "-", url],
                          env={**os.environ, "WEFT_DRIVER": driver}, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=60, check=False)
    lines = done.stdout.splitlines()
    wanted = [f"/text 200 {version} - {TEXT}", f"/large 200 {version} {encoding} {LARGE}",
              f"/chunks 200 {version} - {CHUNKS}", f"/echo {echo} {version} -", "connections: 1", "at once: 0 failed"]
    good = len(lines) == len(wanted) and all(line.startswith(start) for line, start in zip(lines, wanted))
    if good and echo == "200":
        good = lines[3].endswith(ECHO)
    if good:
        most = int(lines[5].split()[-2])
        good = most == 1 if version == "HTTP/2" else most <= 4
    if good:
        passed += 1
        return
    failed += 1
    print(f"FAILED {name} [{driver}]")
    for line in lines:
        print(f"    {line}")


def start_nginx(folder, identity, processes):
    if not os.path.exists("/usr/sbin/nginx"):
        return leave_out("nginx")
    plain, secure = free_port(), free_port()
    (folder / "www").mkdir()
    (folder / "www/large").write_bytes(b"0123456789abcdef" * 65536)
    (folder / "www/chunks").write_bytes(b"x" * 100000)
    folder.chmod(0o755)
    (folder / "nginx.conf").write_text(f"""
daemon off; master_process off; pid {folder}/pid; error_log stderr error;
events {{ worker_connections 512; }}
http {{
    access_log off; default_type text/plain; root {folder}/www;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{plain}; listen 127.0.0.1:{secure} ssl http2;
        ssl_certificate {identity[0]}; ssl_certificate_key {identity[1]};
        location = /text {{ return 200 "hello"; }}
        location = /large {{ gzip on; gzip_types text/plain; }}
    }}
}}
""")
    start(["/usr/sbin/nginx", "-c", folder / "nginx.conf"], plain, processes)
    return [("nginx", f"http://127.0.0.1:{plain}", "HTTP/1.1", "gzip", "404", False),
            ("nginx, HTTP/2", f"https://127.0.0.1:{secure}", "HTTP/2", "gzip", "404", False)]


def start_go(folder, identity, processes):
    if shutil.which("go") is None:
        return leave_out("go")
    program = folder / "go-server"
    environment = {**os.environ, "GOCACHE": str(folder / "cache"), "GOPATH": str(folder / "path"), "GO111MODULE": "off",
                   "GOFLAGS": ""}
    subprocess.run(["go", "build", "-o", program, HERE / "main.go"], env=environment, check=True, capture_output=True)
    plain, secure = free_port(), free_port()
    start([program, f"127.0.0.1:{plain}"], plain, processes)
    start([program, f"127.0.0.1:{secure}", *identity], secure, processes)
    return [("Go", f"http://127.0.0.1:{plain}", "HTTP/1.1", "-", "200", False),
            ("Go, HTTP/2", f"https://127.0.0.1:{secure}", "HTTP/2", "-", "200", False)]


def start_node(_, identity, processes):
    if shutil.which("node") is None:
        return leave_out("node")
    found = []
    for kind, scheme, version in (("http", "http", "HTTP/1.1"), ("https", "https", "HTTP/1.1"),
                                  ("h2", "https", "HTTP/2"), ("h2c", "http", "HTTP/2")):
        port = free_port()
        start(["node", HERE / "server.js", port, kind, *(identity if scheme == "https" else ())], port, processes)
        found.append((f"node, {kind}", f"{scheme}://127.0.0.1:{port}", version, "gzip", "200", kind == "h2c"))
    return found


def start_uvicorn(_, identity, processes):
    if not os.path.exists("/usr/lib/python3/dist-packages/uvicorn"):
        return leave_out("uvicorn")
    found = []
    for secure in (False, True):
        port = free_port()
        tls = ["--ssl-certfile", identity[0], "--ssl-keyfile", identity[1]] if secure else []
        start(["/usr/bin/python3", "-m", "uvicorn", "--app-dir", HERE, "--port", port, "--log-level", "error", *tls,
               "asgi:app"], port, processes)  # fmt: skip
        found.append(("uvicorn", f"http{'s' if secure else ''}://127.0.0.1:{port}", "HTTP/1.1", "-", "200", False))
    return found


def main():
    processes = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        identity = make_certificate(folder)
        try:
            for starter in (start_nginx, start_go, start_node, start_uvicorn):
                for what, url, version, encoding, echo, prior in starter(folder, identity, processes) or ():
                    for driver in DRIVERS:
                        check(what, driver, url, version, identity[0], encoding, echo, prior)
        finally:
            for process in processes:
                process.kill()
                process.wait()
    print(f"{passed} passed, {failed} failed, {skipped} skipped")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
