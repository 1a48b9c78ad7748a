"""For servers that read a file of settings: a folder for it, a free port, and whoever says when the server is there."""

import os
import socket
import sys
import tempfile
import time
from pathlib import Path

START_SECONDS = 10


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def is_there(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def print_port_when_there(port):
    """A process of its own, which the server knows nothing of."""
    child = os.fork()
    if child > 0:
        os.waitpid(child, 0)
        return
    if os.fork() > 0:
        os._exit(0)
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and not is_there(port):
        time.sleep(0.05)
    print(port if is_there(port) else "", flush=True)
    os._exit(0)


def become(command, settings, port):
    """Puts the settings into a folder (%FOLDER% in them and in the command) and becomes the server."""
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    folder.chmod(0o755)  # some servers give up what root may do
    (folder / "plaintext").write_text("Hello, World!")
    (folder / "settings").write_text(settings.replace("%FOLDER%", str(folder)))
    print_port_when_there(port)
    words = [word.replace("%FOLDER%", str(folder)) for word in command]
    os.execv(words[0], words)


def identity():
    """The certificate and the key of the command line, or nothing."""
    return sys.argv[1:3] if len(sys.argv) > 2 else None
