"""The custody sandbox as a server to be measured: sandbox_server.py PROGRAM SECRET. Prints its port, and becomes it."""

import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "peers"))

from settings import free_port, print_port_when_there  # noqa: E402

program, secret = sys.argv[1:]
port = free_port()
folder = tempfile.mkdtemp(prefix="bench-")
print_port_when_there(port)
os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
os.execv(program, [program, "sandbox", "--port", str(port), "--secret", secret, "--rate-limit", "off", "--database",
                   f"{folder}/custody.db"])
