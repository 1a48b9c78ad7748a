"""A server that is restarted under load, as systemd sees it: restart.py PROGRAM"""
import ctypes
import http.client
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

RESTARTS = 10


class Manager:
    """Stands for systemd: hears what the service says."""

    def __init__(self, folder):
        self.path = str(folder / "notify")
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(self.path)
        self.socket.settimeout(20)

    def wait_for(self, wanted):
        while True:
            match = re.fullmatch(wanted, self.socket.recv(4096).decode())
            if match:
                return match


def gone(pid):
    try:
        state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return True
    return state == "Z"


def wait_until_gone(pid):
    for _ in range(1000):
        if gone(pid):
            return
        time.sleep(0.02)  # real time: another process
    raise AssertionError(f"process {pid} does not end")


def ask(connection):
    connection.request("GET", "/")
    answer = connection.getresponse()
    body = answer.read()
    assert (answer.status, body) == (200, b"Hello, World!"), (answer.status, body)
    return answer.will_close


class Load:
    """Clients that ask all the time: some with a connection for each request, some with one that stays."""

    def __init__(self, port):
        self.port, self.answered, self.mistakes, self.over = port, [0] * 5, [], False
        self.threads = [threading.Thread(target=self.run, args=(i,)) for i in range(5)]
        for thread in self.threads:
            thread.start()

    def run(self, index):
        try:
            while not self.over:
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
                stays = True
                while stays and not self.over:
                    stays = not ask(connection) and index >= 3
                    self.answered[index] += 1
                connection.close()
                time.sleep(0.001)  # real time: ports of this machine are not without end
        except Exception as mistake:  # pylint: disable=broad-except
            self.mistakes.append(repr(mistake))

    def end(self):
        self.over = True
        for thread in self.threads:
            thread.join()
        assert not self.mistakes, self.mistakes
        assert min(self.answered) > RESTARTS, self.answered


def start(program, manager, *options, **more):
    environment = dict(os.environ, NOTIFY_SOCKET=manager.path)
    server = subprocess.Popen([str(program), *options], env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, **more)
    manager.wait_for("READY=1")
    line = server.stdout.readline()
    return server, line.strip()


def end(pid, manager):
    os.kill(pid, signal.SIGTERM)
    manager.wait_for("STOPPING=1")
    wait_until_gone(pid)


def restart_under_load(program, manager, *options):
    server, line = start(program, manager, "--port", "0", *options)
    port, pid = int(line.rsplit(":", 1)[1]), server.pid
    try:
        load = Load(port)
        for _ in range(RESTARTS):
            os.kill(pid, signal.SIGUSR2)
            successor = int(manager.wait_for(r"MAINPID=(\d+)")[1])
            wait_until_gone(pid)
            pid = successor
        load.end()
    finally:
        end(pid, manager)
    assert server.wait() == 0
    with socket.socket() as late:  # which may meet itself, when every other port was just used
        reached = late.connect_ex(("127.0.0.1", port)) == 0 and late.getsockname() != late.getpeername()
        assert not reached, "somebody listens after the end"


def no_successor(program, folder, manager):
    link = folder / "program"
    link.symlink_to(program)
    server, line = start(link, manager, "--port", "0")
    port = int(line.rsplit(":", 1)[1])
    try:
        link.unlink()
        link.write_text("#!/bin/sh\nexit 3\n")
        for mode, word in ((0o755, "the successor ended before it was ready"), (0o644, "Permission denied")):
            link.chmod(mode)
            os.kill(server.pid, signal.SIGUSR2)
            assert word in server.stderr.readline(), word
            ask(http.client.HTTPConnection("127.0.0.1", port, timeout=20))
    finally:
        end(server.pid, manager)
    assert server.wait() == 0


def at_a_unix_socket(program, folder, manager):
    path = folder / "http.sock"

    def get():
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(20)
            client.connect(str(path))
            client.sendall(b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            answer = b"".join(iter(lambda: client.recv(4096), b""))
        assert answer.startswith(b"HTTP/1.1 200 ") and answer.endswith(b"Hello, World!"), answer

    for _ in range(2):  # the second time the file is there already
        server, line = start(program, manager, "--unix", str(path))
        assert line == f"listening at unix:{path}", line
        get()
        os.kill(server.pid, signal.SIGUSR2)
        successor = int(manager.wait_for(r"MAINPID=(\d+)")[1])
        assert server.wait() == 0
        get()
        end(successor, manager)


def with_a_socket_that_was_opened_for_it(program, manager):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        port = listener.getsockname()[1]
        command = f'LISTEN_FDS=1 LISTEN_PID=$$ exec "$0" "$@" 3<&{listener.fileno()}'
        environment = dict(os.environ, NOTIFY_SOCKET=manager.path)
        server = subprocess.Popen(["sh", "-c", command, str(program), "--port", "1"], env=environment,
                                  pass_fds=[listener.fileno()], stdout=subprocess.DEVNULL)
        manager.wait_for("READY=1")
    ask(http.client.HTTPConnection("127.0.0.1", port, timeout=20))
    end(server.pid, manager)
    assert server.wait() == 0


def wrong_options(program):
    for options in (["--threads", "257"], ["--threads", "x"], ["--no-such"], ["argument"]):
        ended = subprocess.run([program, *options], capture_output=True, text=True, timeout=20, check=False)
        assert ended.returncode == 2 and ended.stderr, options
    told = subprocess.run([program, "--help"], capture_output=True, text=True, timeout=20, check=True).stdout
    assert all(word in told for word in ("--threads", "--reuse-port", "SIGUSR2", "LISTEN_FDS", "Exit status"))


def reap():
    """Successors outlive their parents and are ours then."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0] > 0:
            pass
    except ChildProcessError:
        pass


def main():
    ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # PR_SET_CHILD_SUBREAPER
    program = pathlib.Path(sys.argv[1]).resolve()
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        manager = Manager(folder)
        restart_under_load(program, manager)
        restart_under_load(program, manager, "--threads", "2")
        restart_under_load(program, manager, "--threads", "2", "--reuse-port")
        no_successor(program, folder, manager)
        at_a_unix_socket(program, folder, manager)
        with_a_socket_that_was_opened_for_it(program, manager)
        wrong_options(program)
    reap()
    print("as it should be")


main()
