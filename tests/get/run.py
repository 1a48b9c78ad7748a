#!/usr/bin/env python3
"""Downloads by `weft get`, as a person does: tests/get/run.py BUILD [PART]

From servers that break off, lie and limp, from our own and from nginx. A check that needs what the machine lacks is
skipped, with a word. PART runs only the checks whose names contain it.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "inspect"))
sys.dont_write_bytecode = True
from looking import LIMIT_S, Missing, check, needs, run_checks  # noqa: E402
from servers import Scripted, nginx, ours, reply  # noqa: E402

DIGITS = b"0123456789"
SUM = hashlib.sha256(DIGITS).hexdigest()


class Getting:
    """A directory to download into, and what `weft get` said last."""

    def __init__(self, looking):
        self.looking, self.place = looking, Path(looking.work) / "place"
        shutil.rmtree(self.place, ignore_errors=True)
        self.place.mkdir()
        if not (looking.build / "weft-get").is_file():
            raise Missing("weft-http was not built")
        self.environment = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}

    def __call__(self, status, *words):
        """It must end so."""
        ran = subprocess.run([self.looking.weft, "get", *map(str, words)], capture_output=True, timeout=LIMIT_S,
                             cwd=self.place, env=self.environment)
        self.said, self.out = ran.stderr.decode(), ran.stdout
        assert ran.returncode == status, f"{words}: status {ran.returncode}, wanted {status}: {self.said}"
        return self

    def start(self, *words, **options):
        return subprocess.Popen([self.looking.weft, "get", *map(str, words)], cwd=self.place, env=self.environment,
                                **options)

    def says(self, *parts):
        for part in parts:
            assert part in self.said, f"{part!r} is not in {self.said!r}"

    def files(self, **wanted):
        """These files are there with these contents, and no others; __ in a name is a dot."""
        paths = [path for path in self.place.rglob("*") if path.is_file()]
        found = {str(path.relative_to(self.place)): path.read_bytes() for path in paths}
        wanted = {name.replace("__", "."): bytes_ for name, bytes_ in wanted.items()}
        assert found == wanted, f"{found} instead of {wanted}"


def wait_until(condition):
    for _ in range(400):
        if condition():
            return
        time.sleep(0.05)  # real time: another process does it
    raise AssertionError("it did not come to that")


def whole(*_):
    return reply(DIGITS, ETag='"one"')


# ---- Names ----


@check
def a_file_has_the_name_of_its_url(looking):
    get = Getting(looking)
    with Scripted(whole) as server:
        get(0, f"{server.origin}/a/digits?x=/y#z")
        get.files(digits=DIGITS)
        get(0, "-o", "other", f"{server.origin}/digits")
        get(0, f"{server.origin}/")
        get.files(digits=DIGITS, other=DIGITS, index__html=DIGITS)


@check
def what_a_url_says_is_no_path(looking):
    get = Getting(looking)
    with Scripted(whole) as server:
        names = ["..%2F..%2Fup", "%2e%2e", "a%1b%5bb%00", ".rc", "caf%c3%a9", "bad%ff"]
        get(0, "-d", "in/here", *(f"{server.origin}/{name}" for name in names))
    names = sorted(path.name for path in (get.place / "in/here").iterdir())
    assert names == sorted(["_._.._up", "_.", "a_[b_", "_rc", "caf\xe9", "bad_"]), names


@check
def two_of_the_same_name_do_not_meet(looking):
    get = Getting(looking)
    with Scripted(lambda number, head: reply(head.split()[1].encode())) as server:
        get(0, "-j", "1", f"{server.origin}/a/x", f"{server.origin}/b/x", f"{server.origin}/c/x")
    get.files(x=b"/a/x", x__1=b"/b/x", x__2=b"/c/x")


@check
def the_server_may_name_a_file_but_replaces_none(looking):
    get = Getting(looking)
    names = {"/plain": 'attachment; filename="a b.txt"', "/quoted": 'attachment; filename="a\\"b;c.txt"; x=y',
             "/token": "inline;filename=token.txt", "/path": 'attachment; filename="../../up.txt"',
             "/both": "attachment; filename=\"e.txt\"; filename*=UTF-8''%e2%82%ac.txt", "/none": "attachment",
             "/hidden": 'attachment; filename=".bashrc"', "/dos": 'attachment; filename="C:\\\\x\\\\dos.txt"'}
    with Scripted(lambda number, head: reply(DIGITS, Content_Disposition=names[head.split()[1]])) as server:
        get(0, "-J", *(server.origin + path for path in names))
        found = sorted(path.name for path in get.place.iterdir())
        assert found == sorted(["a b.txt", 'a"b;c.txt', "token.txt", "up.txt", "\u20ac.txt", "none", "_bashrc",
                                "dos.txt"]), found
        (get.place / "token.txt").write_text("mine")
        get(1, "-J", f"{server.origin}/token")
        get.says("token.txt is there already")
        assert (get.place / "token.txt").read_text() == "mine"
        assert not list(get.place.glob("*.part*"))


@check
def where_the_url_has_no_name_the_server_may_give_one(looking):
    get = Getting(looking)
    with Scripted(lambda *_: reply(DIGITS, Content_Disposition='attachment; filename="a"')) as server:
        get(0, f"{server.origin}/x/")
        get.files(a=DIGITS)


# ---- What comes ----


@check
def several_come_and_each_failure_has_its_reason(looking):
    get = Getting(looking)

    def answer(number, head):
        return reply(b"gone", "404 Not Found") if "/nix" in head else whole()

    with Scripted(answer) as server:
        get(1, f"{server.origin}/one", f"{server.origin}/nix", f"{server.origin}/two")
        get.says("one: 10 B in ", "two: 10 B in ", f"weft: {server.origin}/nix: 404 Not Found\n", "2 of 3: 20 B in ")
        get.files(one=DIGITS, two=DIGITS)
        get(1, "-q", f"{server.origin}/one", f"{server.origin}/nix")
        assert get.said == f"weft: {server.origin}/nix: 404 Not Found\n", get.said
        get(1, f"{server.origin}/one", "http://127.0.0.1:1/x", "--retries", "0")
        get.says("Connection refused")


@check
def so_many_run_at_once_as_were_wanted(looking):
    get = Getting(looking)
    lock, now, most = threading.Lock(), [0], [0]

    def counted():
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)  # real time: so long it overlaps with others
        with lock:
            now[0] -= 1
        yield whole()

    with Scripted(lambda *_: counted()) as server:
        get(0, "-j", "3", *(f"{server.origin}/{number}" for number in range(12)))
    assert 1 < most[0] <= 3 and len(list(get.place.iterdir())) == 12, most


@check
def a_proxy_is_asked_for_the_whole_url(looking):
    get = Getting(looking)
    with Scripted(whole) as server:
        get(0, "--proxy", server.origin, "http://example.test/a")
        assert server.heads[0].startswith("GET http://example.test/a HTTP/1.1\r\n"), server.heads
        get.environment["http_proxy"] = server.origin
        get(0, "http://example.test/b")
        get.files(a=DIGITS, b=DIGITS)


@check
def standard_output_has_the_body_alone(looking):
    get = Getting(looking)
    with Scripted(whole) as server:
        get(0, "-o", "-", f"{server.origin}/digits")
        assert (get.out, get.said) == (DIGITS, ""), (get.out, get.said)
        get.files()


@check
def fields_and_logins_go_out(looking):
    get = Getting(looking)
    (get.place / "secret").write_text("from-file\n")
    with Scripted(whole) as server:
        get(0, "-H", "X-A: one", "-H", "X-B:two", "--bearer", "@secret", f"{server.origin}/a")
        get(0, "--user", "ada:l:o", f"{server.origin}/a")
        first, second = server.heads
    for part in ("x-a: one\r\n", "x-b: two\r\n", "authorization: bearer from-file\r\n", "user-agent: weft-get/"):
        assert part in first.lower(), first
    assert "accept-encoding" not in first.lower(), first
    assert "authorization: Basic YWRhOmw6bw==\r\n".lower() in second.lower(), second


@check
def a_line_of_json_says_what_each_step_took(looking):
    get = Getting(looking)
    with Scripted(lambda number, head: reply(b"", "500 No") if "/bad" in head else whole()) as server:
        get(1, "--json", f"{server.origin}/a", f"{server.origin}/bad")
    rows = {row["file"]: row for row in map(json.loads, get.out.splitlines())}
    good, bad = rows["a"], rows["bad"]
    assert (good["status"], good["bytes"], good["version"], good["reused"]) == (200, 10, "HTTP/1.1", False), good
    assert 0 < good["connect_ns"] <= good["first_byte_ns"] <= good["total_ns"], good
    assert good["tls_ns"] == good["resumed_at"] == 0 and "error" not in good, good
    assert bad["status"] == 500 and "500" in bad["error"], bad


# ---- Sums ----


@check
def a_file_with_another_sum_is_not_kept(looking):
    get = Getting(looking)
    with Scripted(whole) as server:
        get(0, "--sha256", SUM.upper(), f"{server.origin}/a")
        get(1, "--sha256", "0" * 64, f"{server.origin}/b")
        get.says(SUM)
        get.files(a=DIGITS)


@check
def sums_come_from_a_list(looking):
    get = Getting(looking)
    (get.place / "SUMS").write_text(f"{SUM}  a\n{SUM} *folder/b\n{'0' * 64}  c\n# not one\n")
    with Scripted(whole) as server:
        get(1, "--sums", "SUMS", *(f"{server.origin}/{name}" for name in "abc"))
        assert get.said.count("weft: ") == 1
        assert sorted(path.name for path in get.place.iterdir()) == ["SUMS", "a", "b"]
        get(2, "--sums", "SUMS", f"{server.origin}/d")
        get.says("has no sum for d")


# ---- Breaking off ----


def in_two(number, head):
    """The first answer breaks off after four bytes; later ones give what was asked for."""
    if number == 0:
        return reply(b"0123", length=10, ETag='"one"')
    found = re.search(r"range: bytes=(\d+)-\r\n", head, re.I)
    if found is None or not re.search(r'if-range: "one"\r\n', head, re.I):
        return whole()
    first = int(found.group(1))
    return reply(DIGITS[first:], "206 Partial Content", ETag='"one"', Content_Range=f"bytes {first}-9/10")


@check
def a_body_that_breaks_off_is_gone_on_with(looking):
    get = Getting(looking)
    with Scripted(in_two) as server:
        get(0, "--sha256", SUM, f"{server.origin}/a")
        get.files(a=DIGITS)
        assert len(server.heads) == 2 and "bytes=4-" in server.heads[1], server.heads


@check
def a_part_stays_and_a_later_run_goes_on(looking):
    get = Getting(looking)
    with Scripted(in_two) as server:
        get(1, "--retries", "0", f"{server.origin}/a")
        get.says("1 part stays, weft get -c goes on with it")
        get.files(a__part=b"0123", a__part__tag=b'"one"')
        get(0, "-c", "--json", "--sha256", SUM, f"{server.origin}/a")
        row = json.loads(get.out)
        assert (row["status"], row["bytes"], row["resumed_at"]) == (206, 6, 4), row
        get.files(a=DIGITS)
        get(0, "-c", f"{server.origin}/a")
        get.says("a: is there already")
        assert len(server.heads) == 2


@check
def without_c_and_after_a_change_it_starts_over(looking):
    get = Getting(looking)

    def changed(number, head):
        if number == 0 or number == 2:
            return in_two(0, head)
        return reply(b"another", ETag='"two"')

    with Scripted(changed) as server:
        get(1, "--retries", "0", f"{server.origin}/a")
        get(0, f"{server.origin}/a")
        assert "range" not in server.heads[1].lower()
        get.files(a=b"another")
        (get.place / "a").unlink()
        get(1, "--retries", "0", f"{server.origin}/a")
        get(0, "-c", f"{server.origin}/a")
        assert "range" in server.heads[3].lower()
        get.files(a=b"another")


@check
def a_part_that_is_refused_is_asked_for_anew(looking):
    get = Getting(looking)

    def refusing(number, head):
        if number == 0:
            return in_two(0, head)
        return whole() if "range" not in head.lower() else reply(b"", "416 No", Content_Range="bytes */3")

    with Scripted(refusing) as server:
        get(1, "--retries", "0", f"{server.origin}/a")
        get(0, "-c", f"{server.origin}/a")
        get.files(a=DIGITS)


@check
def a_server_that_is_busy_is_asked_again(looking):
    get = Getting(looking)

    def busy(number, head):
        return reply(b"", "503 Busy", Retry_After="0") if number == 0 else whole()

    with Scripted(busy) as server:
        get(1, "--retries", "0", f"{server.origin}/a")
        get.says("503")
    with Scripted(busy) as server:
        get(0, "--retries", "1", f"{server.origin}/a")
        get.files(a=DIGITS)


@check
def a_download_has_its_time(looking):
    get = Getting(looking)
    with Scripted(lambda number, head: limp()) as server:
        get(1, "--timeout", "1.5", "--retries", "0", f"{server.origin}/a")
        get.says("not there after 1.5 s")
        get.files(a__part=b"0123", a__part__tag=b'"one"')


def limp():
    yield reply(b"0123", length=10, ETag='"one"')
    time.sleep(LIMIT_S)  # real time: it must be waited for


@check
def ctrl_c_leaves_the_parts_and_says_so(looking):
    for number in (signal.SIGINT, signal.SIGTERM):
        get = Getting(looking)
        with Scripted(lambda _, head: limp() if "/a" in head else whole()) as server:
            urls = [f"{server.origin}/a", f"{server.origin}/b"]
            with get.start("-j", "1", *urls, stderr=subprocess.PIPE, text=True) as process:
                wait_until(lambda: (get.place / "a.part").is_file() and (get.place / "a.part").stat().st_size == 4)
                process.send_signal(number)
                _, get.said = process.communicate(timeout=LIMIT_S)
            assert process.returncode == 128 + number, process.returncode
            get.says("interrupted; 1 part stays, weft get -c goes on with it\n")
            assert get.said.count("\n") == 1, get.said
            get.files(a__part=b"0123", a__part__tag=b'"one"')


@check
def two_do_not_write_one_part(looking):
    get = Getting(looking)
    with Scripted(lambda _, head: limp()) as server:
        with get.start(f"{server.origin}/a", stderr=subprocess.DEVNULL) as process:
            wait_until(lambda: (get.place / "a.part").is_file() and (get.place / "a.part").stat().st_size == 4)
            get(1, "-c", f"{server.origin}/a")
            get.says("a.part: something else is writing it")
            process.kill()
        get.files(a__part=b"0123", a__part__tag=b'"one"')


# ---- What it is shown ----


@check
def a_terminal_shows_how_far_it_is(looking):
    get = Getting(looking)
    gate = threading.Event()

    def slow():
        yield reply(b"01234", length=10)
        gate.wait(LIMIT_S)
        yield b"56789"

    with Scripted(lambda *_: slow()) as server:
        main, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        shown = b""
        with get.start(f"{server.origin}/a", stderr=other, stdout=subprocess.DEVNULL) as process:
            os.close(other)
            while b"50% [##########..........] 5 B" not in shown:
                shown += os.read(main, 4096)
            gate.set()
            with contextlib.suppress(OSError):
                while more := os.read(main, 4096):
                    shown += more
        os.close(main)
        assert process.returncode == 0 and b"a: 10 B in " in shown, shown
        last = shown.split(b"\x1b[J")[-1]
        assert b"%" not in last and all(len(line) <= 80 for line in re.split(rb"[\r\n]+", shown)), shown


@check
def a_command_line_that_makes_no_sense_is_said_to_be_so(looking):
    get = Getting(looking)
    for part, *words in [("needs a URL",), ("does not know '--x'", "--x", "u"), ("-o needs a value", "u", "-o"),
                         ("-j does not take '0'", "-j", "0", "u"), ("-o goes with one URL", "-o", "a", "u", "v"),
                         ("--sha256 does not take", "--sha256", "1", "u"), ("-H does not take", "-H", "no colon", "u"),
                         ("--timeout does not take", "--timeout=-1", "u"), ("-J does not go with", "-J", "-c", "u"),
                         ("do not go together", "--bearer", "a", "--user", "b:c", "u"),
                         ("-o - does not go", "-o", "-", "--json", "u"), ("cannot read", "--bearer", "@missing", "u"),
                         ("cannot read", "--sums", "missing", "u")]:
        get(2, *words).says(part)
        assert get.said.count("\n") == 1 and get.said.startswith("weft: "), get.said
    get(0, "--help")
    assert b"usage: weft get" in get.out
    get(1, "ftp://127.0.0.1/x").says("scheme")


# ---- Other servers ----


def big_file(looking):
    folder = Path(looking.work) / "served"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    contents = bytes(number * 7 % 251 for number in range(1_000_003))
    (folder / "big").write_bytes(contents)
    (folder / "small").write_bytes(DIGITS)
    os.utime(folder / "big", (1_000_000_000, 1_000_000_000))
    return folder, contents


@check
def our_own_server_gives_files_and_parts(looking):
    get = Getting(looking)
    folder, contents = big_file(looking)
    with ours(looking, folder) as origin:
        get(0, f"{origin}/files/big", f"{origin}/files/small")
        get.files(big=contents, small=DIGITS)
        cut_part(get, f"{origin}/files/big", contents)


def cut_part(get, url, contents):
    """A part of a run before, as it would have left it: its tag is the one of the server."""
    (get.place / "big").unlink()
    with urllib.request.urlopen(url, timeout=LIMIT_S) as answer:
        tag = answer.headers["ETag"]
    (get.place / "big.part").write_bytes(contents[:400_000])
    (get.place / "big.part.tag").write_text(tag)
    get(0, "-c", "--json", url)
    row = json.loads(get.out)
    assert (row["status"], row["resumed_at"], row["bytes"]) == (206, 400_000, 600_003), row
    assert (get.place / "big").read_bytes() == contents


@check
def nginx_gives_files_and_parts(looking):
    get = Getting(looking)
    folder, contents = big_file(looking)
    with nginx(looking, folder) as origin:
        get(0, "-j", "8", *[f"{origin}/big"] * 20, f"{origin}/small")
        assert all((get.place / name).read_bytes() == contents for name in ["big"] + [f"big.{n}" for n in range(1, 20)])
        cut_part(get, f"{origin}/big", contents)
        with get.start("-o", "part", f"{origin}/slow/big", stderr=subprocess.DEVNULL) as process:
            part = get.place / "part.part"
            wait_until(lambda: part.is_file() and part.stat().st_size > 0)
            process.send_signal(signal.SIGINT)
        assert process.returncode == 130 and 0 < part.stat().st_size < len(contents)
        get(0, "-c", "-o", "part", f"{origin}/big")
        assert (get.place / "part").read_bytes() == contents


@check
def tls_is_checked_and_both_versions_are_spoken(looking):
    needs("openssl")
    get = Getting(looking)
    folder, contents = big_file(looking)
    key, certificate = Path(looking.work) / "key.pem", Path(looking.work) / "certificate.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", key, "-out", certificate, "-days", "30", "-subj", "/CN=test", "-addext",
                    "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True, timeout=LIMIT_S)
    with ours(looking, folder, "--tls", certificate, "--key", key) as origin:
        url = f"{origin}/files/big"
        get(1, "--retries", "0", url).says("certificate")
        get.files()
        for options, version in [(["--ca", certificate], "HTTP/2"), (["--insecure"], "HTTP/2"),
                                 (["--insecure", "--http1"], "HTTP/1.1"), (["--ca", certificate, "--http2"], "HTTP/2")]:
            get(0, "--json", *options, url)
            row = json.loads(get.out)
            assert row["version"] == version and row["tls_ns"] > 0, row
            get.files(big=contents)
        get(0, "--json", "--ca", certificate, "-j", "1", url, url, url)
        assert [json.loads(line)["reused"] for line in get.out.splitlines()] == [False, True, True]


if __name__ == "__main__":
    sys.exit(run_checks(sys.argv[1:], __doc__))
