#!/usr/bin/env python3
"""The custody command as people use it, against a sandbox of its own: apps/custody/tests/cli.py BUILD [PART]

A check that needs what the machine lacks is skipped, with a word. PART runs only the checks whose names contain it.
"""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tests" / "inspect"))
from looking import LIMIT_S, Missing, check, has, needs, run_checks  # noqa: E402

GOOD, HELD, OTHER, BAD = "9HGBH41JXMN999999", "1HGCM82633A123456", "2HGCM82633A789012", "INVALID_VIN"
PLACE = "LOC-AUCTION-MANHEIM-ATLANTA"
COMMANDS = ["check", "status", "list", "authorize", "approve", "reject", "cancel", "transfer", "watch", "sandbox"]


class Shell:
    """A sandbox, and the command with its address and token in the environment."""

    def __init__(self, looking):
        self.program = str(looking.build / "custody" / "cli" / "custody")
        if not Path(self.program).is_file():
            raise Missing("the command was not built")
        kept = {name: value for name, value in os.environ.items() if "proxy" not in name.lower()}
        self.environment = {**kept, "TERM": "xterm"}

    def __enter__(self):
        words = ["sandbox", "--port", "0", "--database", ":memory:", "--rate-limit", "off"]
        self.sandbox = subprocess.Popen([self.program, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        env=self.environment)
        lines = [self.sandbox.stdout.readline().decode().split() for _ in range(3)]
        self.url, self.token = lines[0][-1], lines[2][-1]
        self.environment.update(CUSTODY_URL=self.url, CUSTODY_TOKEN=self.token)
        return self

    def __exit__(self, *_):
        self.sandbox.kill()
        self.sandbox.communicate()

    def __call__(self, status, *words, said=None, **options):
        """It must end so. Returns what it printed; `said` is part of what it said on standard error."""
        ran = subprocess.run([self.program, *map(str, words)], capture_output=True, timeout=LIMIT_S, text=True,
                             env={**self.environment, **options.pop("variables", {})}, **options)
        assert ran.returncode == status, f"{words}: status {ran.returncode}, wanted {status}: {ran.stderr}"
        if said is None:
            assert ran.stderr == "", f"{words} said {ran.stderr!r}"
        else:
            assert said in ran.stderr, f"{said!r} is not in {ran.stderr!r}"
        return ran.stdout

    def start(self, *words, **options):
        return subprocess.Popen([self.program, *map(str, words)], env=self.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options)

    def post(self, path, /, **body):
        fields = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        request = urllib.request.Request(self.url + path, json.dumps(body).encode(), fields)
        urllib.request.urlopen(request, timeout=LIMIT_S).close()

    def number(self, name):
        metrics = urllib.request.urlopen(self.url + "/metrics", timeout=LIMIT_S).read().decode()
        return float(re.search(rf"^{name} (\S+)$", metrics, re.M)[1])


def rows(text):
    return [line.split(None, 2) for line in text.splitlines()[1:]]


# ---- Vehicles ----


@check
def rows_are_in_order_and_errors_in_place(looking):
    with Shell(looking) as custody:
        out = custody(1, "check", GOOD, BAD, HELD.lower(), said=f"custody: check: {BAD}: a VIN has letters and digits")
        assert rows(out) == [[GOOD, "yes"], [BAD, "error", "invalid_vin"], [HELD.lower(), "no", "TITLE_HOLD"]], out
        assert out.startswith("VIN ") and "\033" not in out
        custody(0, "check", GOOD, HELD)


@check
def json_is_a_line_for_each(looking):
    with Shell(looking) as custody:
        lines = custody(1, "check", "--json", GOOD, BAD, said=BAD).splitlines()
        good, bad = map(json.loads, lines)
        assert good["ok"] and good["result"]["is_releasable"] and good["result"]["blockers"] == []
        assert not bad["ok"] and bad["error"]["code"] == "invalid_vin" and BAD in bad["error"]["message"]
        state = json.loads(custody(0, "status", "--json", GOOD))
        assert state["vin"] == GOOD and state["current_custodian"]


@check
def a_hundred_come_from_standard_input_ten_at_once(looking):
    vins = [f"VIN{number:012}" for number in range(100)]
    with Shell(looking) as custody:
        out = custody(0, "check", "-", input="\n".join(vins) + "\n\n")
        assert [row[0] for row in rows(out)] == vins
        peak = custody.number("custody_checks_in_flight_peak")
        assert 2 <= peak <= 10, peak
        batch = custody(0, "check", "--batch", "-", input="\r\n".join(vins))
        assert batch == out
        (Path(looking.work) / "vins").write_text("\n".join(vins[:3]))
        out = custody(0, "check", "--limit=1", "--file", Path(looking.work) / "vins", GOOD)
        assert [row[0] for row in rows(out)] == [GOOD, *vins[:3]]


@check
def earlier_answers_have_their_age(looking):
    with Shell(looking) as custody:
        custody(1, "check", "--cached", GOOD, said=f"{GOOD}")
        custody(0, "check", GOOD)
        assert re.fullmatch(rf"{GOOD}\s+yes\s+\d+ s ago", custody(0, "check", "--cached", GOOD).splitlines()[1])


@check
def batches_have_errors_in_place_too(looking):
    with Shell(looking) as custody:
        out = custody(1, "check", "--batch", BAD, GOOD, said=f"custody: check: {BAD}: ")
        assert [row[:2] for row in rows(out)] == [[BAD, "error"], [GOOD, "yes"]]


@check
def status_says_who_has_it(looking):
    with Shell(looking) as custody:
        out = custody(1, "status", OTHER, BAD, said=f"custody: status: {BAD}: ")
        assert rows(out)[0][:2] == [OTHER, "MANHEIM"], out


# ---- Authorizations and transfers ----


def authorize(custody, *words):
    return custody(0, "authorize", OTHER, "--origin", "A", "--destination", "B", "--by", "tests", "--model", "Unknown",
                   *words).split()


@check
def a_vehicle_is_handed_over(looking):
    with Shell(looking) as custody:
        made, status, vin = authorize(custody, "--person", "ada")
        assert (status, vin) == ("PENDING", OTHER)
        hand_over = ["transfer", OTHER, "--type", "GATE_OUT", "--credential", made, "--location", PLACE]
        custody(1, *hand_over, said=f"custody: transfer: {OTHER}: ")
        assert custody(0, "approve", made, "--by", "tests").split()[1] == "APPROVED"
        out = custody(0, *hand_over)
        assert re.fullmatch(rf"TRF-\d{{8}} COMPLETED {OTHER}: MANHEIM to ada\n", out), out
        assert rows(custody(0, "status", OTHER))[0][1] == "ada"
        custody(1, "approve", made, "--by", "tests", said=f"custody: approve: {made}")


@check
def a_key_makes_one(looking):
    with Shell(looking) as custody:
        first, *_ = authorize(custody, "--person", "eve", "--key", "k1")
        again, *_ = authorize(custody, "--person", "eve", "--key", "k1")
        assert first == again
        out = custody(0, "cancel", first, "--by", "tests", "--reason", "done", "--json")
        assert json.loads(out)["status"] == "CANCELLED"
        second, *_ = authorize(custody, "--person", "eve")
        assert second != first
        assert custody(0, "reject", second, "--by", "tests").split()[1] == "REJECTED"


@check
def lists_have_pages(looking):
    with Shell(looking) as custody:
        first = rows(custody(0, "list", "--vin", GOOD, "--limit", 7, said="custody: list: 7 of 120; --all shows all"))
        whole = rows(custody(0, "list", "--vin", GOOD, "--all"))
        assert len(first) == 7 and len(whole) == 120 and whole[:7] == first
        assert len({row[0] for row in whole}) == 120
        lines = custody(0, "list", "--all", "--status", "PENDING", "--limit", 10, "--json").splitlines()
        assert lines and {json.loads(line)["status"] for line in lines} == {"PENDING"}
        custody(1, "list", "--status", "NONE", said="custody: list: query.status: ")


# ---- Events and signals ----


@check
def events_are_seen_as_they_happen(looking):
    with Shell(looking) as custody:
        made, *_ = authorize(custody, "--person", "ada")
        watching = custody.start("watch", "--after", "0")
        has(watching.stdout.readline(), "1 ", "authorization.created", OTHER, made)
        custody(0, "approve", made, "--by", "tests")
        has(watching.stdout.readline(), "2 ", "authorization.approved", OTHER, made)
        watching.send_signal(signal.SIGINT)
        out, said = watching.communicate(timeout=LIMIT_S)
        assert (watching.returncode, out, said) == (130, "", "")
        behind = custody.start("watch", "--json", "--vin", OTHER, "--after", "1")
        assert json.loads(behind.stdout.readline())["id"] == "2"
        behind.terminate()
        behind.communicate(timeout=LIMIT_S)
        assert behind.returncode == 143


@check
def an_interrupt_ends_it_in_the_midst_of_a_call(looking):
    with Shell(looking) as custody:
        custody.post("/_sandbox/faults", path="/releasability/*", delay_ms=60000)
        running = custody.start("check", GOOD, HELD)
        assert running.stdout.readline().startswith("VIN")
        before = time.monotonic()
        running.send_signal(signal.SIGINT)
        out, said = running.communicate(timeout=LIMIT_S)
        assert (running.returncode, out, said) == (130, "", ""), (running.returncode, out, said)
        assert time.monotonic() - before < 5
        out = custody(1, "check", "--timeout", 1, GOOD, said=f"custody: check: {GOOD}: ")
        assert rows(out) == [[GOOD, "error", "TimeoutError"]]


@check
def a_reader_that_leaves_ends_it(looking):
    with Shell(looking) as custody:
        listing = custody.start("list", "--all", "--limit", "1")
        listing.stdout.readline()
        listing.stdout.close()
        assert listing.wait(timeout=LIMIT_S) != 0
        listing.stderr.close()
        with open("/dev/full", "w") as full:
            ran = subprocess.run([custody.program, "list"], stdout=full, stderr=subprocess.PIPE,
                                 env=custody.environment, timeout=LIMIT_S)
        assert ran.returncode == 1


# ---- What goes wrong ----


@check
def what_makes_no_sense_is_two(looking):
    lines = [(["check"], "no VIN"), (["check", "--limit", "0", GOOD], '--limit does not take "0"'),
             (["check", "--nix"], "there is no option --nix"), (["check", "--json=1", GOOD], "takes no value"),
             (["check", "--batch", "--cached", GOOD], "do not go together"), (["list", "x"], 'what is "x"'),
             (["check", "--file", "/nowhere/at/all"], "cannot read"), (["transfer", GOOD], "--type is needed"),
             (["authorize"], "one VIN"), (["authorize", GOOD], "--origin is needed"), (["approve", "x"], "--by is"),
             (["list", "--limit", "201"], "--limit does not take"), (["status", "--token"], "--token needs a value"),
             (["status", "--token", "@/nowhere", GOOD], "cannot read a token"), (["nix"], 'no command "nix"'), ([], "")]
    with Shell(looking) as custody:
        for words, part in lines:
            assert custody(2, *words, said=part) == ""


@check
def who_may_not_and_who_is_not_there_are_told(looking):
    with Shell(looking) as custody:
        out = custody(1, "check", GOOD, said="(request ", variables={"CUSTODY_TOKEN": "nobody"})
        assert rows(out) == [[GOOD, "error", "invalid_token"]]
        token = Path(looking.work) / "token"
        token.write_text(custody.token + "\n")
        custody(0, "check", "--token", f"@{token}", GOOD, variables={"CUSTODY_TOKEN": "nobody"})
        out = custody(1, "check", "--url", "http://127.0.0.1:1/v1", GOOD, said="Connection refused")
        assert rows(out) == [[GOOD, "error", "ConnectionError"]]
        custody(1, "watch", "--url", "http://127.0.0.1:1/v1", said="custody: watch: GET ")


# ---- Terminals ----


def on_terminal(custody, *words, **variables):
    """What is written to a terminal, both outputs together."""
    master, slave = pty.openpty()
    process = subprocess.Popen([custody.program, *words], stdin=subprocess.DEVNULL, stdout=slave, stderr=slave,
                               env={**custody.environment, **variables})
    os.close(slave)
    text = b""
    with contextlib.suppress(OSError):
        while piece := os.read(master, 4096):
            text += piece
    os.close(master)
    assert process.wait(timeout=LIMIT_S) in (0, 1)
    return text.decode()


@check
def terminals_have_colours_and_progress(looking):
    with Shell(looking) as custody:
        text = on_terminal(custody, "check", GOOD, BAD, HELD)
        has(text, "\033[32myes", "\033[33mno")
        assert "\033[31merror" in text and "[##########....................] 1 of 3" in text
        assert text.rstrip().endswith("1 of 3 could not be checked"), text
        assert "\033[3" not in on_terminal(custody, "check", GOOD, NO_COLOR="1")
        assert "[###" not in on_terminal(custody, "check", "--quiet", GOOD, HELD)


# ---- What stands beside it ----


def options_of(custody, command):
    return set(re.findall(r"^ +(--[a-z-]+)", custody(0, command, "--help"), re.M))


@check
def help_the_manual_and_completion_know_every_option(looking):
    manual = (HERE.parent / "man" / "custody.1").read_text().replace("\\-", "-")
    with Shell(looking) as custody:
        assert set(COMMANDS) == set(re.findall(r"^  (\w+)", custody(0, "--help"), re.M))
        assert custody(0, "--version") == "custody 0.1.0\n"
        for command in COMMANDS:
            options = options_of(custody, command)
            assert {"--help"} < options
            assert options == set(complete(f"custody {command} --")), command
            for option in options:
                assert option in manual, f"{option} of {command} is not in the manual"


def complete(line):
    script = f"source {HERE.parent}/completion/custody.bash; COMP_WORDS=({line}); " \
             'COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _custody; printf "%s\\n" "${COMPREPLY[@]}"'
    ran = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=LIMIT_S)
    assert ran.stderr == "", ran.stderr
    return ran.stdout.split()


@check
def words_are_completed(looking):
    needs("bash")
    assert complete("custody ch") == ["check"]
    assert complete("custody list --status A") == ["APPROVED"]
    assert complete("custody transfer x --type GATE_") == ["GATE_OUT", "GATE_IN"]
    assert complete("custody watch --a") == ["--after"]


@check
def the_manual_page_is_sound(looking):
    needs("man")
    page = HERE.parent / "man" / "custody.1"
    ran = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True, timeout=LIMIT_S,
                         env={**os.environ, "MANWIDTH": "100", "LC_ALL": "C.UTF-8"})
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    has(ran.stdout, "NAME", "SYNOPSIS", "COMMANDS", "OPTIONS", "EXIT STATUS", "EXAMPLES")


if __name__ == "__main__":
    sys.exit(run_checks(sys.argv[1:], __doc__))
