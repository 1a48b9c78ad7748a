#!/usr/bin/env python3
"""Shows that the suites notice when a guard in weft's own code is missing.

    tests/planted/guards.py             # every guard
    tests/planted/guards.py timer       # those whose names contain that
    tests/planted/guards.py --list      # what each of them is

Each file of guards/ quotes a few lines of src/ that guard against one of the mistakes of this folder, and says what
stands there when the guard is off:

    what the guard is, in one sentence

    file: src/core/op.c                 # where
    build: sanitized                    # where the plain build might survive the damage
    red: core/cancel on uring, sim      # what must notice
    --- guarded
    the lines as they are; they must stand there exactly once
    --- unguarded
    the lines instead, or nothing

The tree is copied to build-guards/ and changed there. Without the change the suites must be green; with it each of them
must turn red on each of its drivers: a claim fails, a sanitizer reports, the process dies, or it does not end. What
noticed first is printed. The last line counts guards.
"""

import argparse
import os
import re
import resource
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
WORK = ROOT / "build-guards"
TREE = WORK / "tree"

sys.path += [str(ROOT / "tools"), str(ROOT / "tools" / "tidy")]
sys.dont_write_bytecode = True
from run_tests import SANITIZERS, uring_refusal  # noqa: E402
from source import Tree  # noqa: E402

LIMIT_S, AT_ONCE = 120, 2
SETUP = {
    "plain": [],
    "sanitized": ["-Db_sanitize=address,undefined", "-Db_lundef=false"],
}
FORM = re.compile(r"(?P<claim>[^\n]+)\n\n(?P<directions>(?:\w+: [^\n]+\n)+)"
                  r"--- guarded\n(?P<guarded>.+\n)--- unguarded\n(?P<unguarded>.*)", re.S)
RED = re.compile(r"(\S+) on (.+)")
REPORT = re.compile(r"SUMMARY: (\w+: [\w-]+)|runtime error: [^\n]+|stuck")


class Guard:
    """One file of guards/."""

    def __init__(self, path):
        self.name = path.stem
        found = FORM.fullmatch(path.read_text())
        if not found:
            sys.exit(f"{path.name} is not of the form that guards.py describes")
        self.claim, self.guarded, self.unguarded = found["claim"], found["guarded"], found["unguarded"]
        self.file, self.build, self.reds = None, "plain", []
        for line in found["directions"].splitlines():
            self.direct(*line.split(": ", 1))

    def direct(self, word, value):
        if word == "file":
            self.file = value
        elif word == "build" and value in SETUP:
            self.build = value
        elif word == "red" and RED.fullmatch(value):
            suite, drivers = RED.fullmatch(value).groups()
            self.reds += [(self.build, suite, driver) for driver in drivers.split(", ")]
        else:
            sys.exit(f"{self.name}: what does `{word}: {value}` mean?")

    def switch_off(self):
        """Empty, or what is wrong."""
        path = TREE / self.file
        text = path.read_text()
        count = text.count(self.guarded)
        if count != 1:
            return f"the guarded lines stand {count} times in {self.file}, not once: adapt guards/{self.name}.txt"
        path.write_text(text.replace(self.guarded, self.unguarded))
        return ""

    def switch_on(self):
        (TREE / self.file).write_bytes((ROOT / self.file).read_bytes())


# ---- Building ----

def copy_tree():
    """Only what differs is written, so that only that is compiled again."""
    wanted = {str(source.path) for source in Tree(ROOT).sources}
    for path in wanted:
        source, target = (ROOT / path).read_bytes(), TREE / path
        if not target.is_file() or target.read_bytes() != source:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(source)
    for target in [path for path in TREE.rglob("*") if path.is_file()]:
        if str(target.relative_to(TREE)) not in wanted:
            target.unlink()


def call(*command):
    """Empty, or what a command that failed said."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    return "" if done.returncode == 0 else done.stdout + done.stderr


def program(suite):
    return f"tests/{suite.replace('/', '_')}_test"


def build(kind, suites):
    """Empty, or what is wrong."""
    directory, wrong = WORK / kind, ""
    if not (directory / "build.ninja").is_file():
        wrong = call("meson", "setup", directory, TREE, "-Dtools=false", "-Ddefault_library=static", *SETUP[kind])
    return wrong or call("ninja", "-C", directory, "--quiet", *sorted({program(suite) for suite in suites}))


# ---- Running ----

@dataclass
class Run:
    """One suite on one driver; `noticed` is what failed first, empty where all is well."""

    name: str
    noticed: str


def end_group(process):
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def first_failure(output):
    """The claim that failed; else the claim that was being tested last, and what was reported there."""
    claim = report = ""
    for line in output:
        failed = re.match(r"FAILED (\w+)", line)
        if failed:
            return True, failed[1]
        if re.fullmatch(r"\w+\n", line):
            claim = line.strip()
        found = REPORT.search(line)
        if found and not report:
            report = ": " + (found[1] or found[0])
    return False, claim + report


def run(kind, suite, driver):
    """Stops at the first failure."""
    process = subprocess.Popen([str(WORK / kind / program(suite)), "--verbose"], text=True, errors="replace",
                               env={**os.environ, **SANITIZERS, "WEFT_DRIVER": driver}, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True)
    limit = threading.Timer(LIMIT_S, end_group, [process])
    limit.start()
    failed, where = first_failure(process.stdout)
    if failed:
        end_group(process)
    status = process.wait()
    limit.cancel()
    if status == 0:
        where = ""
    elif not failed and ":" not in where:
        where += f": ended with {status}"
    return Run(f"{suite} [{driver}]", where)


def run_all(reds):
    with ThreadPoolExecutor(AT_ONCE) as workers:
        return list(workers.map(lambda red: run(*red), reds))


# ---- Judging ----

def check_green(guards):
    """Everything that is going to turn red, without any change; empty, or what is wrong."""
    reds = sorted({red for guard in guards for red in guard.reds})
    for kind in sorted({red[0] for red in reds}):
        wrong = build(kind, [suite for other, suite, _ in reds if other == kind])
        if wrong:
            return wrong
    return "\n".join(f"red without any change: {it.name} {it.noticed}" for it in run_all(reds) if it.noticed)


def check_red(guard):
    """Without the guard: empty, or what is wrong. Says what noticed."""
    wrong = guard.switch_off()
    try:
        wrong = wrong or build(guard.build, [suite for _, suite, _ in guard.reds])
        if wrong:
            return wrong
        runs = run_all(guard.reds)
        for it in runs:
            print(f"    {it.name} {it.noticed or 'noticed nothing'}")
        blind = [it.name for it in runs if not it.noticed]
        return f"a test is missing: nothing was noticed by {', '.join(blind)}" if blind else ""
    finally:
        guard.switch_on()


def check(guard):
    started = time.monotonic()
    print(f"{guard.name}: {guard.claim}")
    wrong = check_red(guard)
    print(f"{'FAILED' if wrong else 'ok'} {guard.name} {time.monotonic() - started:.1f}s")
    if wrong:
        print(wrong)
    sys.stdout.flush()
    return not wrong


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="say what each guard is")
    parser.add_argument("part", nargs="?", default="", metavar="PART", help="the guards whose names contain it")
    chosen = parser.parse_args()
    guards = [Guard(path) for path in sorted((HERE / "guards").glob("*.txt")) if chosen.part in path.stem]
    if chosen.list:
        for guard in guards:
            print(f"{guard.name:26} {guard.claim}")
        return 0

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    refusal = uring_refusal()
    if refusal:
        print(f"the kernel refuses io_uring here ({refusal}): the other drivers must notice")
        for guard in guards:
            guard.reds = [red for red in guard.reds if red[2] != "uring"]
    WORK.mkdir(exist_ok=True)
    copy_tree()
    wrong = check_green(guards)
    if wrong:
        print(wrong)
        print(f"0 passed, {max(len(guards), 1)} failed")
        return 1
    passed = sum(check(guard) for guard in guards)
    print(f"{passed} passed, {len(guards) - passed} failed")
    return 0 if guards and passed == len(guards) else 1


if __name__ == "__main__":
    sys.exit(main())
