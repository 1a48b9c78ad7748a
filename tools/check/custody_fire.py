#!/usr/bin/env python3
"""The custody service under fire: custody_fire.py BUILD [SECONDS]

Clients that check, list, authorize and hand over are killed at random and started again; the service fails and waits
as it is told to, is killed (SIGKILL) and drained (SIGTERM), and comes up again on the same database. At the end:
everything that was acknowledged is there, and once; the service holds no more descriptors than in the beginning, and
its memory has not grown since its last start.
"""

import json
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

CLIENTS = 4
SECRET = "a secret of the check, of 32 bytes or more"
PAGE = 4096
QUIET_PART = 0.4              # of the time, at the end: the service is left alone, but for its clients
WARM_S = 6                    # after its last start, before its memory is looked at
MEMORY_GROWTH_MAX = 6 << 20   # caches of SQLite and of the clients' connections come to that
FAULTS = [
    {"path": "/authorizations", "status": 503, "rate": 0.3, "count": 20},
    {"path": "/releasability/*", "status": 429, "rate": 0.2, "count": 20},
    {"path": "/transfers", "status": 500, "rate": 0.5, "count": 10},
    {"path": "/*", "delay_ms": 150, "rate": 0.5, "count": 60},
]


class Wrong(Exception):
    pass


class Service:
    """The sandbox, on one port and one database, however often it is started."""

    def __init__(self, program, folder):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port = listener.getsockname()[1]
        self.command = [program, "sandbox", "--port", str(self.port), "--secret", SECRET, "--rate-limit", "off",
                        "--database", str(Path(folder) / "custody.db")]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self.starts = 0
        self.start()

    def start(self):
        self.process = subprocess.Popen(self.command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        for line in self.process.stdout:
            if line.startswith("token "):
                self.token = line.split()[1]
                break
        else:
            raise Wrong(f"the service did not start: {self.process.wait()}")
        self.started_at = time.monotonic()
        self.starts += 1

    def end(self, number):
        """By a signal; a drain has to end well."""
        self.process.send_signal(number)
        status = self.process.wait(timeout=60)
        self.process.stdout.close()
        if number == signal.SIGTERM and status != 0:
            raise Wrong(f"the drain ended with status {status}")

    def ask(self, method, path, body=None):
        data = json.dumps(body).encode() if body else None
        request = urllib.request.Request(self.url + path, method=method, data=data)
        request.add_header("Authorization", f"Bearer {self.token}")
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
            return json.loads(text) if text else None

    def descriptors(self):
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def memory(self):
        return int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1]) * PAGE


class Clients:
    def __init__(self, program, service, folder):
        self.program, self.service, self.folder = program, service, Path(folder)
        self.number = 0
        self.running = [self.start() for _ in range(CLIENTS)]

    def start(self):
        self.number += 1
        output = (self.folder / f"said-{self.number}").open("w")
        errors = (self.folder / f"errors-{self.number}").open("w")
        return subprocess.Popen([self.program, self.service.url, self.service.token, str(self.number)], stdout=output,
                                stderr=errors)

    def kill_one(self):
        victim = random.randrange(CLIENTS)
        self.running[victim].kill()
        self.running[victim].wait()
        self.running[victim] = self.start()

    def kill_all(self):
        for client in self.running:
            client.kill()
            client.wait()

    def acknowledged(self):
        """What was said in whole lines."""
        for path in sorted(self.folder.glob("said-*")):
            text = path.read_text()
            yield from (line.split() for line in text[:text.rfind("\n") + 1].splitlines())

    def complaints(self):
        return [line for path in self.folder.glob("errors-*") for line in path.read_text().splitlines()]


def fire(service, clients, seconds):
    """Returns the memory after the last start, and at the end."""
    until = time.monotonic() + seconds
    warm = None
    while time.monotonic() < until:
        time.sleep(random.uniform(0.2, 0.8))
        clients.kill_one()
        left = until - time.monotonic()
        if left < seconds * QUIET_PART:
            if warm is None and time.monotonic() - service.started_at > WARM_S:
                warm = service.memory()
            continue
        if random.random() < 0.5:
            service.ask("POST", "/_sandbox/faults", random.choice(FAULTS))
        if random.random() < 0.2:
            service.end(random.choice((signal.SIGKILL, signal.SIGTERM)))
            service.start()
    return warm, service.memory()


def all_authorizations(service):
    found, cursor = [], ""
    while cursor is not None:
        page = service.ask("GET", f"/authorizations?limit=200{cursor}")
        found += page["authorizations"]
        cursor = f"&cursor={page['next_cursor']}" if page["next_cursor"] else None
    return found


def compare(service, clients):
    """What was acknowledged with what is there."""
    there = all_authorizations(service)
    by_id = {each["authorization_id"]: each for each in there}
    persons = [each["person_identity_key"] for each in there if each["authorized_by"] == "load"]
    twice = {person for person in persons if persons.count(person) > 1} if len(persons) != len(set(persons)) else set()
    if twice:
        yield f"made twice: {sorted(twice)[:5]}"
    for words in clients.acknowledged():
        kind, name = words[0], words[1]
        if kind == "created":
            each = by_id.get(name)
            if each is None or each["vin"] != words[2] or each["person_identity_key"] != words[3]:
                yield f"lost: {' '.join(words)}, there is {each}"
        elif kind == "approved" and by_id.get(name, {}).get("status") not in ("APPROVED", "USED"):
            yield f"lost: {' '.join(words)}, there is {by_id.get(name)}"
        elif kind == "transferred":
            if by_id.get(words[2], {}).get("status") != "USED":
                yield f"lost: {' '.join(words)}: the credential is not used"
            try:
                transfer = service.ask("GET", f"/transfers/{name}")
            except urllib.error.HTTPError as error:
                yield f"lost: {' '.join(words)}: {error}"
            else:
                if transfer["credential_id"] != words[2] or transfer["status"] != "COMPLETED":
                    yield f"lost: {' '.join(words)}, there is {transfer}"


def wait_for_descriptors(service, most):
    for _ in range(100):
        if service.descriptors() <= most:
            return
        time.sleep(0.1)
    yield f"{service.descriptors()} descriptors, {most} at most were expected"


def run(build, seconds, folder):
    custody = Path(build).resolve() / "custody"
    service = Service(str(custody / "cli" / "custody"), folder)
    try:
        service.ask("GET", "/releasability/9HGBH41JXMN999999")
        descriptors = service.descriptors()
        clients = Clients(str(custody / "tests" / "load"), service, folder)
        try:
            warm, hot = fire(service, clients, seconds)
        finally:
            clients.kill_all()
        problems = [*wait_for_descriptors(service, descriptors + 2), *compare(service, clients)]
        if warm is None:
            problems.append("its memory was never looked at: give it more time")
        elif hot - warm > MEMORY_GROWTH_MAX:
            problems.append(f"its memory grew from {warm >> 10} to {hot >> 10} KiB")
        problems += [f"a client said: {line}" for line in clients.complaints()[:5]]
        service.end(signal.SIGTERM)
        counts = {}
        for words in clients.acknowledged():
            counts[words[0]] = counts.get(words[0], 0) + 1
        print(f"{counts}, {clients.number} clients, {service.starts} starts of the service, "
              f"memory {(warm or 0) >> 10} to {hot >> 10} KiB")
        if not all(counts.get(kind, 0) > 20 for kind in ("created", "approved", "transferred")):
            problems.append("too little was acknowledged to say anything")
        return problems
    finally:
        if service.process.poll() is None:
            service.process.kill()
            service.process.wait()


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__)
        return 2
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    with tempfile.TemporaryDirectory() as folder:
        problems = run(sys.argv[1], seconds, folder)
    for problem in problems:
        print(f"FAILED {problem}")
    print(f"{0 if problems else 1} passed, {len(problems)} failed")
    return 1 if problems else 0


sys.exit(main())
