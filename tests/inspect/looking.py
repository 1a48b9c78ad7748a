"""What the checks share: a process to look into, the command, and how a check says that something is wrong."""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIMIT_S = 60
STILL = ("tree", "many", "loops")    # modes of the target in which nothing moves once it is ready
CHECKS = []


class Missing(Exception):
    """The machine lacks what a check needs."""


def check(function):
    CHECKS.append(function)
    return function


class Looking:
    """The programs of one build, and a directory for what the checks leave behind."""

    def __init__(self, build, work):
        self.build, self.work = Path(build).resolve(), Path(work)
        self.weft = str(self.build / "weft")
        self.program = str(self.build / "tests" / "inspect_target")

    @contextlib.contextmanager
    def target(self, *arguments, program=None, **options):
        """A process that has said that it is ready; ended afterwards, whatever happened."""
        environment = {name: value for name, value in os.environ.items() if name != "WEFT_DRIVER"}
        environment.update(options.pop("variables", {}))
        process = subprocess.Popen([program or self.program, *map(str, arguments)], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment,
                                   cwd=self.work, **options)
        try:
            assert process.stdout.readline() == "ready\n", f"{arguments} did not become ready"
            if arguments[0] in STILL:
                wait_until_all_threads_sleep(process.pid)
            yield process
        finally:
            process.kill()
            process.communicate()

    def run(self, *words, **options):
        return subprocess.run([self.weft, *map(str, words)], capture_output=True, text=True, timeout=LIMIT_S, **options)

    def ps(self, *words):
        """What it prints; it must have gone well."""
        ran = self.run("ps", *words)
        assert ran.returncode == 0 and ran.stderr == "", f"ps {words}: {ran.returncode} {ran.stderr}"
        return ran.stdout

    def refuses(self, status, part, *words, **options):
        """It ends so, with one line on standard error that holds the part."""
        ran = self.run(*words, **options)
        assert ran.returncode == status, f"{words}: status {ran.returncode}, wanted {status}: {ran.stderr}"
        assert part in ran.stderr, f"{words}: {ran.stderr!r} does not say {part!r}"
        assert ran.stderr.count("\n") == 1 and len(ran.stderr) < 400, f"{words}: not one line: {ran.stderr!r}"


def wait_until_all_threads_sleep(pid):
    """It said that it is ready before it went on to wait."""
    give_up = time.monotonic() + LIMIT_S
    threads = list(Path(f"/proc/{pid}/task").glob("*/stat"))
    while any(thread.read_text().rpartition(")")[2].split()[0] != "S" for thread in threads):
        assert time.monotonic() < give_up, f"process {pid} does not come to rest"
        time.sleep(0.001)    # real time: it is another process


def needs(program):
    if shutil.which(program) is None:
        raise Missing(f"there is no {program} here")


def has(text, *parts):
    """The parts are in the text, in this order."""
    at = 0
    for part in parts:
        found = text.find(part, at)
        assert found >= 0, f"{part!r} is missing, or in another place, in:\n{text}"
        at = found + len(part)


def run_checks(arguments, usage):
    if not arguments:
        print(usage)
        return 2
    wanted = arguments[1] if len(arguments) > 1 else ""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    with tempfile.TemporaryDirectory() as work:
        looking = Looking(arguments[0], work)
        for function in CHECKS:
            if wanted not in function.__name__:
                continue
            counts[run_one(function, looking)] += 1
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 1 if counts["failed"] or counts["passed"] == 0 else 0


def run_one(function, looking):
    try:
        function(looking)
        return "passed"
    except Missing as missing:
        print(f"skip: {function.__name__}: {missing}")
        return "skipped"
    except Exception:  # noqa: BLE001
        print(f"FAILED {function.__name__}")
        traceback.print_exc(file=sys.stdout)
        return "failed"
