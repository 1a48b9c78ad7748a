#!/usr/bin/env python3
"""The command `custody sandbox` against curl, httpx and kill -9: api.py BUILD"""

import asyncio
import base64
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

try:
    import httpx
except ImportError:
    httpx = None
    if sys.executable != "/usr/bin/python3" and pathlib.Path("/usr/bin/python3").exists():
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])  # Debian's, which has it

CUSTODY = pathlib.Path(sys.argv[1]).resolve() / "custody" / "cli" / "custody"
SECRET = "a secret of tests"
HELD, OTHER, ATLANTA = "1HGCM82633A123456", "2HGCM82633A789012", "LOC-AUCTION-MANHEIM-ATLANTA"
passed, failures = set(), []


def check(what, held, *more):
    if held:
        passed.add(what)
    else:
        failures.append(what)
        print(f"FAILED {what}", *more)


def encode(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token_of(algorithm="HS256", secret=SECRET, **claims):
    claims = {"sub": "peer", "aud": "custody-sandbox", "exp": int(time.time()) + 600,
              "scope": "custody:read custody:write", **claims}
    text = encode(json.dumps({"alg": algorithm, "typ": "JWT"}).encode()) + "." + encode(json.dumps(claims).encode())
    mac = hmac.new(secret.encode(), text.encode(), hashlib.sha256).digest() if algorithm == "HS256" else b""
    return f"{text}.{encode(mac)}"


class Sandbox:
    def __init__(self, *options, database=":memory:", port=0):
        self.process = subprocess.Popen(
            [CUSTODY, "sandbox", "--port", str(port), "--database", database, "--secret", SECRET, *options],
            stdout=subprocess.PIPE, text=True)
        lines = [self.process.stdout.readline() for _ in range(3)]
        check("it says where it is", [line.split()[0] for line in lines if line] == ["custody", "page", "token"], lines)
        self.base = lines[0].split()[-1]
        self.token = lines[2].split()[-1]
        self.port = int(self.base.rsplit(":", 1)[1].split("/")[0])

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        if self.process.poll() is None:
            self.process.terminate()
            check("it ends in order", self.process.wait(20) == 0, self.process.returncode)
        self.process.stdout.close()

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


# ---- The command line ----


def run(*arguments, **variables):
    return subprocess.run([CUSTODY, *arguments], capture_output=True, text=True, timeout=30,
                          env={**os.environ, **variables})


def command_line():
    for wrong in (["sandbox", "--port", "x"], ["sandbox", "--port", "65536"], ["sandbox", "--rate-limit", "5"],
                  ["sandbox", "--rate-limit", "0/1"], ["sandbox", "--vin-policy", "strict"], ["sandbox", "x"],
                  ["sandbox", "--nothing"], ["sandbox", "--secret", ""], ["nothing"], []):
        result = run(*wrong)
        held = result.returncode == 2 and result.stderr and not result.stdout
        check("a wrong command line is 2", held, wrong, result)
    for help_of in (["--help"], ["sandbox", "--help"]):
        result = run(*help_of)
        check("help is 0", result.returncode == 0 and result.stdout.startswith("usage: custody"), help_of, result)
    result = run("sandbox", "--port", "0", "--database", "/nowhere/at/all/custody.db")
    check("a database that cannot be opened is 1", result.returncode == 1 and "/nowhere" in result.stderr, result)
    with Sandbox() as sandbox:
        result = run("sandbox", "--port", str(sandbox.port), "--database", ":memory:")
        check("a port that is taken is 1", result.returncode == 1 and result.stderr and not result.stdout, result)


# ---- curl ----


def curl(*arguments, body=b""):
    command = ["curl", "-s", "-i", "--max-time", "20", *arguments]
    out = subprocess.run(command, capture_output=True, input=body).stdout.decode()
    head, _, body = out.partition("\r\n\r\n")
    lines = head.split("\r\n")
    fields = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
    return int(lines[0].split()[1]) if lines[0] else 0, fields, body


def by_curl():
    with Sandbox() as sandbox:
        bearer = ["-H", f"Authorization: Bearer {sandbox.token}"]
        url = f"{sandbox.base}/releasability/{HELD}"
        status, fields, body = curl(*bearer, url)
        check("curl: a check", status == 200 and json.loads(body)["blockers"][0]["code"] == "TITLE_HOLD", status, body)
        check("curl: limits are told", fields.get("ratelimit-limit") == "1000", fields)
        check("curl: an identity", len(fields.get("x-request-id", "")) > 0, fields)
        for name, token in (("none", token_of("none")), ("another key", token_of(secret="x")),
                            ("over", token_of(exp=1)), ("for others", token_of(aud="x"))):
            status, fields, body = curl("-H", f"Authorization: Bearer {token}", url)
            check("curl: a bad token", status == 401 and fields["www-authenticate"].startswith("Bearer "), name, status)
        status, fields, _ = curl("-H", f"Authorization: Bearer {token_of(scope='')}", url)
        check("curl: no scope", status == 403, status)
        status, fields, body = curl("-X", "OPTIONS", url)
        check("curl: OPTIONS", status == 204 and fields["allow"] == "GET, HEAD, OPTIONS", status, fields)
        status, fields, body = curl("-I", f"{sandbox.base}/healthz")
        check("curl: HEAD", status == 200 and body == "", status, body)
        status, _, body = curl(*bearer, "-d", "vin=x", f"{sandbox.base}/authorizations")
        check("curl: a form", status == 415, status, body)
        status, _, _ = curl(*bearer, "--json", "@-", f"{sandbox.base}/authorizations", body=b"x" * (1 << 20) + b"y")
        check("curl: too long", status == 413, status)
    with Sandbox("--vin-policy", "checkdigit", "--no-auto-provision", "--rate-limit", "2/60") as sandbox:
        bearer = ["-H", f"Authorization: Bearer {sandbox.token}"]
        status, _, body = curl(*bearer, f"{sandbox.base}/releasability/9HGBH41JXMN999999")
        check("curl: a check digit", status == 422 and "9HGBH41JXMN999999" in body, status, body)
        status, _, body = curl(*bearer, f"{sandbox.base}/releasability/1HGBH41JXMN109186")
        check("curl: nobody knows it", status == 404 and "unknown_vin" in body, status, body)
        status, fields, body = curl(*bearer, f"{sandbox.base}/authorizations")
        check("curl: too many", status == 429 and 0 < int(fields["retry-after"]) <= 60, status, fields)
    with Sandbox("--any-type", "--rate-limit", "off") as sandbox:
        transfer = {"vin": OTHER, "transfer_type": "by boat", "credential_id": "AUTH-12345678", "location_id": ATLANTA}
        status, fields, body = curl("-H", f"Authorization: Bearer {sandbox.token}", "--json", json.dumps(transfer),
                                    f"{sandbox.base}/transfers")
        check("curl: any type", status == 201 and "ratelimit-limit" not in fields, status, body)


# ---- httpx ----


async def check_hundred(sandbox):
    limits = httpx.Limits(max_connections=10)
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    async with httpx.AsyncClient(base_url=sandbox.base, headers=headers, limits=limits, timeout=30) as client:
        fault = {"path": "/releasability/*", "delay_ms": 30}
        check("httpx: a fault", (await client.post("/_sandbox/faults", json=fault)).status_code == 204)
        answers = await asyncio.gather(*(client.get(f"/releasability/VIN{i:012}") for i in range(100)))
        check("httpx: 100 VINs", all(answer.status_code == 200 for answer in answers))
        peak = (await client.get("/_sandbox/peak")).json()
        check("httpx: ten at once", peak == {"in_flight": 0, "peak": 10}, peak)
        lines = []
        async with client.stream("GET", "/events", headers={"Last-Event-ID": "0"}) as stream:
            body = {"vin": OTHER, "origin": "a", "destination": "b", "person_identity_key": "httpx",
                    "authorized_by": "c", "make_model": "d"}
            made = (await client.post("/authorizations", json=body)).json()
            async for line in stream.aiter_lines():
                lines.append(line.strip())
                if line.startswith("data:"):
                    break
        event = json.loads(lines[-1].removeprefix("data: "))
        check("httpx: an event", event["subject_id"] == made["authorization_id"], lines)


def by_httpx():
    if httpx is None:
        print("skip httpx: there is none")
        return
    with Sandbox() as sandbox:
        asyncio.run(check_hundred(sandbox))


# ---- kill -9 under load ----


def stable_port():
    """A free one that the kernel gives to no client: else one of those that come while the server is gone could have it
    for its own end, and even connect to itself."""
    while True:
        port = random.randrange(10000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


class Load:
    """Eight who authorize, approve and hand over, by keys, and do not give up when the server is gone."""

    def __init__(self, port, token):
        self.port, self.token = port, token
        self.done, self.lock, self.stop = [], threading.Lock(), threading.Event()
        self.retries = self.replays = 0
        self.threads = [threading.Thread(target=self.work, args=(i,), daemon=True) for i in range(8)]

    def call(self, method, path, body=None, key=None):
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if key is not None:
            headers["Idempotency-Key"] = key
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            text = answer.read()
            with self.lock:
                self.replays += answer.getheader("Idempotent-Replay") == "true"
            return answer.status, json.loads(text)
        finally:
            connection.close()

    def insist(self, path, body, key):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                return self.call("POST", path, body, key)
            except (OSError, http.client.HTTPException, ValueError):
                with self.lock:
                    self.retries += 1
                time.sleep(0.02)
        return 0, {}

    def work(self, me):
        for count in range(10**6):
            if self.stop.is_set():
                break
            person = f"person-{me}-{count}"
            vin = f"KILL{me:02}{count:07}"
            status, made = self.insist("/v1/authorizations",
                                       {"vin": vin, "origin": "a", "destination": "b", "person_identity_key": person,
                                        "authorized_by": "c", "make_model": "d"}, person)
            identity = made.get("authorization_id")
            approved, _ = self.insist(f"/v1/authorizations/{identity}:approve", {"by": "x"}, person)
            handed, transfer = self.insist("/v1/transfers", {"vin": vin, "transfer_type": "GATE_IN",
                                                             "credential_id": identity, "location_id": ATLANTA}, person)
            with self.lock:
                self.done.append((vin, identity, transfer.get("transfer_id"), (status, approved, handed)))

    def events(self):
        """Of the whole history: (number, type, subject)."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        connection.request("GET", "/v1/events", headers={"Authorization": f"Bearer {self.token}", "Last-Event-ID": "0"})
        answer, found, number = connection.getresponse(), [], 0
        try:
            while line := answer.readline():
                if line.startswith(b"id: "):
                    number = int(line[4:])
                if line.startswith(b"data: "):
                    data = json.loads(line[6:])
                    found.append((number, data["type"], data["subject_id"]))
        except TimeoutError:
            pass  # all of it was read: now it waits for more
        connection.close()
        return found


def kill_under_load(rounds):
    with tempfile.TemporaryDirectory() as folder:
        database = os.path.join(folder, "custody.db")
        options = ["--rate-limit", "off"]
        sandbox = Sandbox(*options, database=database, port=stable_port())
        load = Load(sandbox.port, token_of())
        for thread in load.threads:
            thread.start()
        for _ in range(rounds):
            time.sleep(0.3)
            sandbox.kill()
            sandbox.process.stdout.close()
            sandbox = Sandbox(*options, database=database, port=load.port)
        time.sleep(0.3)
        load.stop.set()
        for thread in load.threads:
            thread.join(90)
        with sandbox:
            verify(load)
            print(f"{rounds} kills, {len(load.done)} handed over, {load.retries} calls again, {load.replays} replays")


def verify(load):
    check("kill: something was done", len(load.done) > 20, len(load.done))
    events = load.events()
    subjects = {}
    for _, kind, subject in events:
        subjects.setdefault(subject, []).append(kind)
    numbers = [number for number, _, _ in events]
    check("kill: numbers of events rise", numbers == sorted(set(numbers)))
    for vin, identity, transfer, statuses in load.done:
        check("kill: each was accepted", statuses == (201, 200, 201), vin, statuses)
        status, page = load.call("GET", f"/v1/authorizations?vin={vin}")
        check("kill: none is lost, none is there twice", status == 200 and page["total_count"] == 1, vin, page)
        check("kill: it is the one that was told", page["authorizations"][0]["authorization_id"] == identity and
              page["authorizations"][0]["status"] == "USED", vin, page)
        status, state = load.call("GET", f"/v1/transfers/{vin}/status")
        check("kill: custody is where it was given", state.get("last_transfer_id") == transfer, vin, state)
        kinds = ["authorization.created", "authorization.approved", "authorization.used"]
        check("kill: each event once", subjects.get(identity) == kinds, vin, subjects.get(identity))
        check("kill: each event once", subjects.get(transfer) == ["custody.transferred"], vin, subjects.get(transfer))


def main():
    command_line()
    by_curl()
    by_httpx()
    kill_under_load(5)
    print(f"{len(passed - set(failures))} passed, {len(set(failures))} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
