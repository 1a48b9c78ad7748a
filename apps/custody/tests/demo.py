#!/usr/bin/env python3
"""The demonstration says what it is to say, in the time that it is to take, and leaves nothing: demo.py BUILD"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

LIMIT_S = 60
FACTOR_MIN = {"at once": 1.5, "ten at a time": 3.0}    # on a machine that has other things to do
WANTED = [
    r"A custody service on SQLite is at http://127\.0\.0\.1:\d+/v1, a process of its own\.",
    r"  9HGBH41JXMN999999: Releasable",
    r"  1HGCM82633A123456: Not releasable \(TITLE_HOLD\)",
    r"  2HGCM82633A789012: Releasable",
    r"  at once \d+ ms; one after the other \d+ ms: [\d.]+ times as long",
    r"  INVALID_VIN: Error - .*INVALID_VIN.*",
    r"  Processed 100 VINs, [6-9]\d releasable; the server counted 10 at once, at most",
    r"  ten at a time \d+ ms; one after the other \d+ ms: [\d.]+ times as long",
    r"  releasable: yes; authorizations: 120; with: .+",
    r"  \.\.\. 120 authorizations, in 3 requests",
    r"  9HGBH41JXMN999999: Releasable, as of an earlier check, after \d+ ms",
    r"  Background task cancelled",
    r"  20 of 20 were answered; exit status 0, after \d+ ms",
    r"All of it took [\d.]+ s; nothing is left behind\.",
]


def problems(ran, folder):
    lines = ran.stdout.splitlines()
    at = 0
    for pattern in WANTED:
        found = next((i for i in range(at, len(lines)) if re.fullmatch(pattern, lines[i])), None)
        if found is None:
            yield f"there is no line, in its place, like: {pattern}"
        else:
            at = found + 1
    for words, least in FACTOR_MIN.items():
        factor = re.search(rf"^  {words} .*: ([\d.]+) times as long$", ran.stdout, re.M)
        if factor and float(factor[1]) < least:
            yield f"{words}: only {factor[1]} times as fast"
    if ran.returncode != 0:
        yield f"exit status {ran.returncode}"
    if ran.stderr:
        yield f"on standard error: {ran.stderr}"
    if os.listdir(folder):
        yield f"left behind: {os.listdir(folder)}"
    port = re.search(r"127\.0\.0\.1:(\d+)", ran.stdout)
    if port and listens(port[1]):
        yield "the service still listens"


def listens(port):
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return any(line.split()[1].endswith(f":{int(port):04X}") and line.split()[3] == "0A" for line in lines)


def main():
    if len(sys.argv) != 2:
        print(__doc__)
        return 2
    custody = Path(sys.argv[1]).resolve() / "custody"
    if not (custody / "demo" / "custody-demo").is_file():
        print("skip: custody was not built\n0 passed, 0 failed, 1 skipped")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        ran = subprocess.run([custody / "demo" / "custody-demo", custody / "cli" / "custody"], capture_output=True,
                             text=True, timeout=LIMIT_S, env={**os.environ, "TMPDIR": folder}, stdin=subprocess.DEVNULL)
        wrong = list(problems(ran, folder))
    for problem in wrong:
        print(f"FAILED {problem}")
    if wrong:
        print(ran.stdout)
    print(f"{0 if wrong else 1} passed, {1 if wrong else 0} failed")
    return 1 if wrong else 0


sys.exit(main())
