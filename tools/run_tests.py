#!/usr/bin/env python3
"""Runs everything that guards a change: the runner behind `make test`.

    tools/run_tests.py build build-asan             # every suite of each build, on every driver, swept in the simulated
                                                    # world (weft/testing.h: Injection), and kept fuzz inputs; for the
                                                    # first build, style, documents, misuse, the kit ...
    tools/run_tests.py build --only core/scope      # the suites and scripts whose names contain that
    tools/run_tests.py build-clang --suites --driver uring --driver epoll           # no scripts, and not everywhere
    tools/run_tests.py build --suites --driver sim --seeds 39                       # other worlds in place of sweeps
    tools/run_tests.py build-valgrind --suites --driver epoll --no-sweep --under "valgrind -q"

Two run at a time, each under a time limit. The last line sums up what all of them counted.
"""

import argparse
import ctypes
import json
import os
import re
import shlex
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
SUITE_LIMIT_S, SCRIPT_LIMIT_S = 600, 900
DRIVERS = ["uring", "epoll", "sim"]
OF_ONE_DRIVER = ["driver/sim"]    # whichever is asked for: its tests make their own worlds
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
    """core/scope, whether the executable is tests/core/scope_test or tests/core_scope_test; custody/api."""
    if build / "custody" in file.parents:
        return "custody/" + file.name.removesuffix("_test")
    name = str(file.relative_to(build / "tests")).removesuffix("_test")
    folder, _, rest = name.partition("_")
    return f"{folder}/{rest}" if rest and (ROOT / "tests" / folder).is_dir() else name


def suites(build, drivers, mark, chosen):
    """On each driver; in the simulated world swept, or with so many seeds after the first."""
    for file in sorted([*(build / "tests").rglob("*_test"), *(build / "custody" / "tests").rglob("*_test")]):
        if not file.is_file() or not os.access(file, os.X_OK):
            continue
        suite = suite_name(build, file)
        for driver in drivers[-1:] if suite in OF_ONE_DRIVER else drivers:
            more, arguments = "", ["--no-sweep"] if chosen.no_sweep else []
            if driver == "sim" and chosen.seeds:
                more, arguments = f", {chosen.seeds} seeds", ["--seed", "2", "--repeat", str(chosen.seeds)]
            elif driver == "sim" and not chosen.no_sweep:
                more, arguments = ", swept", ["--sweep"]
            yield Job(f"{suite} [{mark}{driver}{more}]", [str(file), *arguments],
                      {"WEFT_DRIVER": driver})


def kept_inputs(build, mark):
    """The corpus of each fuzz target, through the target."""
    for corpus in sorted((ROOT / "fuzz" / "corpus").iterdir()):
        target = build / "fuzz" / f"{corpus.name}_fuzz"
        if not target.is_file():
            print(f"skip fuzz/{corpus.name}: {build.name} has no such target")
            continue
        yield Job(f"fuzz/{corpus.name} [{mark}sim]", [str(target), str(corpus)])


def programs(build, drivers, mark, chosen):
    """The suites and the kept inputs of a build, run as is wanted."""
    for job in [*suites(build, drivers, mark, chosen), *kept_inputs(build, mark)]:
        if is_sanitized(build):
            job.variables.update(SANITIZERS)
        if chosen.under:
            job.command[:0] = shlex.split(chosen.under)
            job.limit_s = SCRIPT_LIMIT_S
        yield job


def scripts(builds, drivers):
    build, real = builds[0], [driver for driver in drivers if driver != "sim"]
    wanted = [
        ("tidy", "tools/tidy/tidy.py", []),
        ("tidy_test", "tools/tidy/tidy_test.py", []),
        ("docs", "tools/tidy/docs.py", [str(build)]),
        ("cancel_contract", "tools/cancel_contract.py", ["--check"]),
        ("http2_cases", "tools/http2_cases.py", ["--check"]),
        ("semantics_coverage", "tools/semantics_coverage.py", [str(build), "--check"]),
        ("misuse", "tests/misuse/run.sh", []),
        ("kit", "tests/testing/kit.py", [str(build)]),
        ("observe/forms", "tests/observe/forms.py", [str(build)]),
        ("inspect", "tests/inspect/run.py", [str(build)]),
        ("client/peers", "tests/client/peers.py", [str(build), *real]),
        ("client/servers", "tests/client/servers.py", [str(build), *real]),
        ("get", "tests/get/run.py", [str(build)]),
        ("planted", "tests/planted/run.sh", [str(build) for build in builds[:2]]),
        ("faults/netns", "tests/faults/netns.sh", [str(build), *real]),
        ("consumers", "tests/consumers/run.sh", [str(build)]),
    ]
    for script in sorted((ROOT / "apps" / "custody" / "tests").glob("*.py")):
        wanted.append((f"custody/{script.stem}", str(script.relative_to(ROOT)), [str(build)]))
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


def collect(chosen):
    drivers = [driver for driver in DRIVERS if driver in (chosen.driver or DRIVERS)]
    refusal = uring_refusal() if "uring" in drivers else ""
    if refusal:
        print(f"the kernel refuses io_uring here ({refusal}): every suite runs without it")
        drivers.remove("uring")
    jobs = []
    for build in chosen.builds:
        mark = f"{build.name} " if len(chosen.builds) > 1 else ""
        jobs += programs(build, drivers, mark, chosen)
    if not chosen.suites:
        jobs += scripts(chosen.builds, drivers)
    return [job for job in jobs if any(part in job.name for part in chosen.only or [""])
            and not any(part in job.name for part in chosen.but)]


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("builds", nargs="+", metavar="BUILD", type=lambda path: Path(path).resolve())
    parser.add_argument("--only", action="append", metavar="PART", help="suites and scripts whose names contain it")
    parser.add_argument("--but", action="append", default=[], metavar="PART", help="not those whose names contain it")
    parser.add_argument("--suites", action="store_true", help="and kept inputs; no scripts")
    parser.add_argument("--driver", action="append", choices=DRIVERS, help="default: all of them")
    parser.add_argument("--seeds", type=int, default=0, metavar="N", help="simulate so many worlds, and no sweeps")
    parser.add_argument("--no-sweep", action="store_true", help="not even of tests that ask for it")
    parser.add_argument("--under", default="", metavar="COMMAND", help="that runs each suite")
    parser.add_argument("--injected-min", type=int, default=0, metavar="N", help="fewer injected runs are a failure")
    chosen = parser.parse_args()
    for build in chosen.builds:
        if not (build / "build.ninja").is_file():
            parser.error(f"{build} is no build directory")
    return chosen


def summarize(jobs, injected_min, seconds):
    """Says what all of them counted; the exit status."""
    passed, failed = sum(job.passed for job in jobs), sum(job.failed for job in jobs)
    skipped, injected = sum(job.skipped for job in jobs), sum(job.injected for job in jobs)
    if skipped:
        print(f"{skipped} were skipped, as said above")
    if injected:
        suites_s = sum(job.seconds for job in jobs if job.injected)
        print(f"{injected} injected runs, in suites that took {suites_s:.0f} s; everything took {seconds:.1f} s")
    wrong = [job.name for job in jobs if job.failed]
    if wrong:
        print(f"failed: {', '.join(wrong)}")
    if injected < injected_min:
        print(f"{injected} injected runs are fewer than {injected_min}")
        failed += 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or passed == 0 else 0


def restore_signals():
    """A shell gives what it runs in the background ignored signals, which every child would inherit."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGQUIT, signal.SIG_DFL)


def main():
    restore_signals()
    chosen = read_options()
    jobs = collect(chosen)
    started = time.monotonic()
    runner = Runner()
    workers = ThreadPoolExecutor(AT_ONCE)
    try:
        for done in as_completed([workers.submit(runner.run, job) for job in jobs]):
            show(done.result())
    except KeyboardInterrupt:
        workers.shutdown(wait=False, cancel_futures=True)
        runner.end_all()
        return 130
    return summarize(jobs, chosen.injected_min, time.monotonic() - started)


if __name__ == "__main__":
    sys.exit(main())
