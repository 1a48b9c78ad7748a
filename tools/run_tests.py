#!/usr/bin/env python3
"""Runs everything that guards a change: the runner behind `make test`.

    tools/run_tests.py build build-asan             # every suite of each build, on every driver, swept in the simulated
                                                    # world (weft/testing.h: Injection), and kept fuzz inputs; for the
                                                    # first build, style, documents, misuse, the kit ...
    tools/run_tests.py build --only core/scope      # the suites and scripts whose names contain that

Two run at a time, each under a time limit. The last line sums up what all of them counted.
"""

import argparse
import ctypes
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
AT_ONCE = 2
SUITE_LIMIT_S, SCRIPT_LIMIT_S = 300, 900
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}
COUNTS = re.compile(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\s*$", re.M)
INJECTED = re.compile(r"^(\d+) injected runs\s*$", re.M)


@dataclass
class Job:
    """Something to run, and what came of it."""

    name: str
    command: list
    variables: dict = field(default_factory=dict)
    limit_s: int = SUITE_LIMIT_S
    passed: int = 0
    failed: int = 0
    skipped: int = 0
    injected: int = 0    # runs of sweeps
    wrong: str = ""      # what is wrong beyond the failures that it counted itself
    output: str = ""
    seconds: float = 0


def uring_refusal():
    """Why the kernel refuses io_uring here; empty where it does not."""
    io_uring_setup = 425
    libc = ctypes.CDLL(None, use_errno=True)
    fd = libc.syscall(io_uring_setup, 1, ctypes.create_string_buffer(120))
    if fd < 0:
        return os.strerror(ctypes.get_errno())
    os.close(fd)
    return ""


def is_sanitized(build):
    options = json.loads((build / "meson-info" / "intro-buildoptions.json").read_text())
    return any(option["name"] == "b_sanitize" and option["value"] not in ("none", []) for option in options)


def suite_name(build, file):
    """core/scope, whether the executable is tests/core/scope_test or tests/core_scope_test."""
    name = str(file.relative_to(build / "tests")).removesuffix("_test")
    folder, _, rest = name.partition("_")
    return f"{folder}/{rest}" if rest and (ROOT / "tests" / folder).is_dir() else name


def suites(build, drivers, mark):
    variables = SANITIZERS if is_sanitized(build) else {}
    for file in sorted((build / "tests").rglob("*_test")):
        if file.is_file() and os.access(file, os.X_OK):
            for driver in drivers:
                swept = driver == "sim"
                name = f"{suite_name(build, file)} [{mark}{driver}{', swept' if swept else ''}]"
                yield Job(name, [str(file), *(["--sweep"] if swept else [])], {**variables, "WEFT_DRIVER": driver})


def kept_inputs(build, mark):
    """The corpus of each fuzz target, through the target."""
    variables = SANITIZERS if is_sanitized(build) else {}
    for corpus in sorted((ROOT / "fuzz" / "corpus").iterdir()):
        target = build / "fuzz" / f"{corpus.name}_fuzz"
        yield Job(f"fuzz/{corpus.name} [{mark}sim]", [str(target), str(corpus)], variables)


def scripts(builds, drivers):
    build, real = builds[0], [driver for driver in drivers if driver != "sim"]
    wanted = [
        ("tidy", "tools/tidy/tidy.py", []),
        ("tidy_test", "tools/tidy/tidy_test.py", []),
        ("docs", "tools/tidy/docs.py", [str(build)]),
        ("cancel_contract", "tools/cancel_contract.py", ["--check"]),
        ("semantics_coverage", "tools/semantics_coverage.py", [str(build), "--check"]),
        ("misuse", "tests/misuse/run.sh", []),
        ("kit", "tests/testing/kit.py", [str(build)]),
        ("planted", "tests/planted/run.sh", [str(build) for build in builds[:2]]),
        ("faults/netns", "tests/faults/netns.sh", [str(build), *real]),
        ("consumers", "tests/consumers/run.sh", [str(build)]),
    ]
    for script in sorted((ROOT / "tests" / "examples").glob("*.sh")):
        wanted.append((f"examples/{script.stem}", str(script.relative_to(ROOT)), [str(build)]))
    for name, path, arguments in wanted:
        if (ROOT / path).is_file():
            yield Job(name, [str(ROOT / path), *arguments], limit_s=SCRIPT_LIMIT_S)
        else:
            print(f"skip {name}: there is no {path} yet")


class Runner:
    def __init__(self):
        self.groups = set()
        self.lock = threading.Lock()

    def run(self, job):
        started = time.monotonic()
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(job.command, cwd=ROOT, env={**os.environ, **job.variables}, stdout=output,
                                       stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
            with self.lock:
                self.groups.add(process.pid)
            try:
                process.wait(job.limit_s)
            except subprocess.TimeoutExpired:
                job.wrong = f"did not end in {job.limit_s} s"
            self.end_group(process.pid)
            status = process.wait()
            output.seek(0)
            job.output = output.read().decode(errors="replace")
        job.seconds = time.monotonic() - started
        judge(job, status)
        return job

    def end_group(self, group):
        """The process and whatever it left running."""
        with self.lock:
            self.groups.discard(group)
        try:
            os.killpg(group, signal.SIGKILL)
        except ProcessLookupError:
            pass

    def end_all(self):
        for group in list(self.groups):
            self.end_group(group)


def judge(job, status):
    counts = COUNTS.findall(job.output)
    if counts:
        job.passed, job.failed, job.skipped = (int(count or 0) for count in counts[-1])
    job.injected = sum(map(int, INJECTED.findall(job.output)))
    if not job.wrong and status < 0:
        job.wrong = f"died of signal {-status} ({signal.strsignal(-status)})"
    elif not job.wrong and not counts:
        job.wrong = f"said nothing like `N passed, N failed`, exit status {status}"
    elif not job.wrong and status != 0 and job.failed == 0:
        job.wrong = f"exit status {status}"
    if job.wrong:
        job.failed += 1


def show(job):
    counted = f"{job.passed} passed"
    if job.failed:
        counted += f", {job.failed} failed"
    if job.skipped:
        counted += f", {job.skipped} skipped"
    if job.injected:
        counted += f", {job.injected} injected runs"
    print(f"{'FAIL' if job.failed else 'ok  '} {job.name} {counted} {job.seconds:.2f}s")
    if job.failed:
        print(job.output.rstrip())
        if job.wrong:
            print(f"{job.name}: {job.wrong}")
    for line in job.output.splitlines():
        if line.startswith("skip: ") and not job.failed:
            print(line)
    sys.stdout.flush()


def collect(builds, part):
    drivers = ["uring", "epoll", "sim"]
    refusal = uring_refusal()
    if refusal:
        print(f"the kernel refuses io_uring here ({refusal}): every suite runs without it")
        drivers.remove("uring")
    jobs = []
    for build in builds:
        mark = f"{build.name} " if len(builds) > 1 else ""
        jobs += [*suites(build, drivers, mark), *kept_inputs(build, mark)]
    jobs += scripts(builds, drivers)
    return [job for job in jobs if part in job.name]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("builds", nargs="+", metavar="BUILD", type=lambda path: Path(path).resolve())
    parser.add_argument("--only", default="", metavar="PART", help="the suites and scripts whose names contain it")
    chosen = parser.parse_args()
    for build in chosen.builds:
        if not (build / "build.ninja").is_file():
            parser.error(f"{build} is no build directory")

    jobs = collect(chosen.builds, chosen.only)
    runner = Runner()
    workers = ThreadPoolExecutor(AT_ONCE)
    try:
        for done in as_completed([workers.submit(runner.run, job) for job in jobs]):
            show(done.result())
    except KeyboardInterrupt:
        workers.shutdown(wait=False, cancel_futures=True)
        runner.end_all()
        return 130
    passed, failed = sum(job.passed for job in jobs), sum(job.failed for job in jobs)
    skipped = sum(job.skipped for job in jobs)
    if skipped:
        print(f"{skipped} were skipped, as said above")
    swept = [job for job in jobs if job.injected]
    if swept:
        print(f"{sum(job.injected for job in swept)} injected runs, in suites that took "
              f"{sum(job.seconds for job in swept):.0f} s")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
