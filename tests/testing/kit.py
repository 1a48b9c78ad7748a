#!/usr/bin/env python3
"""Shows what a person sees when a test fails: tests/testing/kit.py BUILD [PART]

The programs of failing/ hold tests that fail on purpose, each below what must come of it:

    // fails NAME: part|another    it fails and says these parts, in this order; and so does the command that it says
                                   repeats it
    // crashes NAME: part          the same, and the process ends with it
    // passes NAME                 it passes
    // fails[sim epoll] NAME: part on these drivers only

The checks below look at the rest: formats for machines, the command line, processes, seeds, colours.
"""

import os
import pty
import re
import signal
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as xml
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tools"))
sys.dont_write_bytecode = True
import run_tests  # noqa: E402

TIME_LIMIT_S = 120
DIRECTION = re.compile(r"^// (fails|crashes|passes)(?:\[([a-z ]*)\])? (.+?)(?:: (.*))?$", re.M)
AGAIN = re.compile(r"^(?: {4}|# )again: (.*)$", re.M)
CHECKS = []


class Missing(Exception):
    """The machine lacks what a check needs."""


class Wrong(Exception):
    """What was expected, and what came instead."""


class Kit:
    """The programs of one build."""

    def __init__(self, build):
        self.programs = build / "tests"
        self.drivers = ["sim", "epoll"] + ([] if run_tests.uring_refusal() else ["uring"])
        unwanted = ("WEFT_DRIVER", "WEFT_SEED", "NO_COLOR")
        self.environment = {name: value for name, value in os.environ.items() if name not in unwanted}
        self.environment["LC_ALL"] = "C"
        if run_tests.is_sanitized(build):
            self.environment.update(run_tests.SANITIZERS)

    def path(self, name):
        return str(self.programs / f"failing_{name}")

    def run(self, name, *arguments, **variables):
        return self.command([self.path(name), *arguments], **variables)

    def command(self, command, **variables):
        return subprocess.run(command, env={**self.environment, **variables}, stdin=subprocess.DEVNULL, text=True,
                              errors="surrogateescape", stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              timeout=TIME_LIMIT_S)


def check(function):
    CHECKS.append((function.__name__, function))
    return function


def demand(condition, what, done=None):
    if not condition:
        raise Wrong(what if done is None else f"{what}; status {done.returncode}, it said:\n{done.stdout}")


def demand_parts(done, parts):
    place = 0
    for part in parts:
        found = done.stdout.find(part, place)
        demand(found >= 0, f"it was not said (in this order): {part}", done)
        place = found + len(part)


# ---- The directions in the programs ----

def demand_outcome(done, kind, name):
    if kind == "passes":
        demand(done.returncode == 0 and done.stdout.endswith("1 passed, 0 failed\n"), "it did not pass", done)
        return
    demand(f"\nFAILED {name} (" in f"\n{done.stdout}", "no line says that it failed, by name", done)
    if kind == "fails":
        demand(done.returncode == 1 and done.stdout.endswith("0 passed, 1 failed\n"), "its end is not counted", done)
    else:
        demand(done.returncode not in (0, 2), "the process ended well", done)


def obey(kit, program, driver, name, kind, wanted):
    done = kit.run(program, "--driver", driver, name)
    demand_outcome(done, kind, name)
    for parts in wanted:
        demand_parts(done, parts)
    if kind == "passes":
        return
    again = AGAIN.findall(done.stdout)
    demand(len(again) == 1, "it does not say once how to repeat it", done)
    repeated = kit.command(["sh", "-c", again[0]])
    demand_outcome(repeated, kind, name)
    for parts in wanted:
        demand_parts(repeated, [part for part in parts if not part.startswith("--")])


def directions(kit):
    """One check for each test and driver that a direction names."""
    for file in sorted((HERE / "failing").glob("*.c")):
        tests = {}
        for kind, drivers, name, parts in DIRECTION.findall(file.read_text()):
            for driver in drivers.split() or kit.drivers:
                if driver in kit.drivers:
                    tests.setdefault((driver, name, kind), []).append(parts.split("|"))
        for (driver, name, kind), wanted in tests.items():
            yield f"{file.stem}: {name} [{driver}]", obey, (file.stem, driver, name, kind, wanted)


# ---- What machines read ----

def demand_tap(done, count, crashes=False):
    lines = done.stdout.splitlines()
    demand(lines[0] == "TAP version 14" and lines[1] == f"1..{count}", "the head is not TAP 14 with its plan", done)
    results = [line for line in lines[2:] if not line.startswith("# ")]
    if crashes:  # a sanitizer has its own ways of talking
        results = [line for line in results if line.startswith(("ok ", "not ok "))]
    for number, line in enumerate(results, 1):
        result = rf"(ok|not ok) {number} - (?:[^#\\]|\\[#\\])+(?: # SKIP \S.*)?"
        demand(re.fullmatch(result, line), f"no result: {line}", done)
    demand(len(results) == count, f"{len(results)} results, planned {count}", done)


@check
def tap_is_valid(kit):
    count = len(kit.run("expectations", "--list").stdout.splitlines())
    done = kit.run("expectations", "--tap")
    demand(done.returncode == 1, "no failure in the exit status", done)
    demand_tap(done, count)
    demand(r"""not ok 13 - table[it's "bad" \# 1?\\]""" in done.stdout, "the row's name is not escaped", done)
    demand_parts(done, ["# ", "expectations.c:", "6 * 7 is 42, expected 43", "not ok 1 - values", "# again: "])


@check
def tap_is_valid_from_several_processes_that_crash(kit):
    count = len(kit.run("ends", "--list", "a_").stdout.splitlines())
    done = kit.run("ends", "--tap", "--parallel", "3", "--driver", "sim", "a_")
    demand_tap(done, count, crashes=True)
    demand_parts(done, ["deadline_is_slept_through # SKIP needs the real kernel"])


@check
def tap_bails_out_when_the_only_process_crashes(kit):
    done = kit.run("ends", "--tap", "a_misuse")
    demand_parts(done, ["\n# wf_provide was called outside", "\n# again: ", "\nnot ok 1 - a_misuse\nBail out! "])


@check
def junit_is_well_formed(kit):
    with tempfile.TemporaryDirectory() as directory:
        file = f"{directory}/result.xml"
        done = kit.run("expectations", "--junit", file)
        suite = xml.parse(file).getroot()
    demand(done.returncode == 1 and "FAILED values" in done.stdout, "the text is not written as well", done)
    cases = {case.get("name"): case for case in suite}
    demand(suite.get("tests") == str(len(cases)) and suite.get("failures") == "12", "wrong counts", done)
    demand(suite.get("name") == kit.path("expectations"), "the suite has not the program's name")
    demand("""table[it's "bad" # 1?\\]""" in cases, f"a name is missing: {list(cases)}")
    demand("6 * 7 is 42, expected 43" in cases["values"].find("failure").text, "a failure says nothing")
    demand('ä <&">]]>' in cases["raw_bytes"].find("failure").text, "text is lost")
    demand(all(float(case.get("time")) >= 0 for case in suite), "a time is negative")


@check
def junit_has_crashes_and_skipped_ones(kit):
    with tempfile.TemporaryDirectory() as directory:
        file = f"{directory}/result.xml"
        done = kit.run("ends", "--junit", file, "--parallel", "2", "--driver", "sim", "a_")
        suite = xml.parse(file).getroot()
    cases = {case.get("name"): case for case in suite}
    demand(suite.get("skipped") == "1", "the skipped one is not counted", done)
    demand(cases["a_deadline_is_slept_through"].find("skipped") is not None, "the skipped one is not marked", done)
    demand("FAILED a_wild_write" in cases["a_wild_write"].find("failure").text, "the crash is not described", done)


@check
def junit_that_cannot_be_written_is_a_failure(kit):
    done = kit.run("shared", "--junit", "/nowhere/result.xml", "seed_alone")
    demand(done.returncode == 1 and "cannot write /nowhere/result.xml" in done.stdout, "not said", done)


# ---- The command line ----

@check
def the_list_has_names_rules_and_places(kit):
    names = kit.run("shared", "--list").stdout.split()
    demand("crash_alone" in names and "lives_nine" in names, f"not all are listed: {names}")
    part = kit.run("shared", "--list", "leak_").stdout.split()
    demand(part == ["leak_before", "leak_itself", "leak_last"], f"the part is not obeyed: {part}")
    verbose = kit.run("rules", "--list", "--verbose").stdout
    demand(re.fullmatch(r"it_proves\t1\.2 3\.4\t\S*rules\.c:\d+\nit_does_not\t\t\S*rules\.c:\d+\n", verbose),
           f"not name, rules and place: {verbose}")


@check
def an_exact_name_is_that_test_alone(kit):
    demand(kit.run("worlds", "--list", "a_cancelled_one_leaks").stdout == "a_cancelled_one_leaks\n", "others too")


@check
def bad_command_lines_are_explained(kit):
    for arguments, wanted in [
        (["--nothing"], "--nothing: there is no such option"),
        (["--nothing=1"], "--nothing=1: there is no such option"),
        (["--tap=1"], "--tap=1: there is no such option"),
        (["--seed"], "--seed: its value is missing"),
        (["--seed", "x"], "--seed: a number from 1 is wanted"),
        (["--seed", "0"], "--seed: a number from 1 is wanted"),
        (["--seed", "-1"], "--seed: a number from 1 is wanted"),
        (["--repeat", "0"], "--repeat: a number from 1 to 1000000 is wanted"),
        (["--parallel", "65"], "--parallel: a number from 1 to 64 is wanted"),
        (["--driver", "kqueue"], "--driver: uring, epoll or sim is wanted"),
        (["--inject", "cancel"], "--inject: KIND:NUMBER is wanted"),
        (["--inject", "tickle:1"], "--inject: KIND:NUMBER is wanted"),
        (["--inject", "cancel:0"], "--inject: KIND:NUMBER is wanted"),
        (["one", "two"], "two: one part of a name is enough"),
    ]:
        done = kit.run("worlds", *arguments)
        demand(done.returncode == 2, f"{arguments} is not refused", done)
        demand(done.stdout.startswith(f"failing_worlds: {wanted}"), f"{arguments} is not explained", done)
        demand("usage: failing_worlds [OPTION]... [PART]" in done.stdout, "no help", done)


@check
def help_is_no_failure(kit):
    done = kit.run("worlds", "--help")
    demand(done.returncode == 0 and "--parallel N" in done.stdout, "no help", done)


@check
def no_test_of_that_name_is_a_failure(kit):
    done = kit.run("worlds", "nonsense")
    demand(done.returncode == 1 and "no test has 'nonsense' in its name" in done.stdout, "it passed", done)


@check
def values_may_stand_behind_an_equals_sign(kit):
    done = kit.run("worlds", "--driver=sim", "--seed=7", "--repeat=2", "the_seed_decides")
    demand(done.returncode == 0 and done.stdout.endswith("2 passed, 0 failed\n"), "not understood", done)


@check
def nothing_but_skipped_tests_is_no_failure(kit):
    done = kit.run("ends", "--driver", "sim", "slept_through")
    demand(done.returncode == 0 and "0 passed, 0 failed, 1 skipped" in done.stdout, "it failed", done)


# ---- Seeds ----

def traces(kit, *arguments, **variables):
    return re.findall("trace .*", kit.run("shared", *arguments, **variables).stdout)


@check
def each_repeat_has_the_next_seed(kit):
    for name in "seed_alone", "seed_shared":
        several = traces(kit, name, "--driver", "sim", "--seed", "5", "--repeat", "3")
        demand(len(set(several)) == 3, f"{name}: the runs are not different: {several}")
        alone = traces(kit, name, "--driver", "sim", "--seed", "6")
        demand(alone == several[1:2], f"{name}: seed 6 is not the second of 5, 6, 7: {alone} {several}")
        by_variable = traces(kit, name, WEFT_DRIVER="sim", WEFT_SEED="6")
        demand(by_variable == alone, f"{name}: WEFT_SEED is not --seed: {by_variable} {alone}")


@check
def a_bad_seed_is_found_and_repeated(kit):
    done = kit.run("worlds", "--repeat", "40", "one_seed_in_four")
    commands = AGAIN.findall(done.stdout)
    demand(1 <= len(commands) < 40, "not some of the seeds fail", done)
    for command in commands[:3]:
        repeated = kit.command(["sh", "-c", command])
        demand(repeated.returncode == 1 and command in repeated.stdout, f"{command} does not repeat it", repeated)


@check
def a_program_that_was_found_by_its_name_is_repeated_too(kit):
    done = kit.command(["failing_expectations", "values"], PATH=str(kit.programs))
    repeated = kit.command(["sh", "-c", AGAIN.findall(done.stdout)[0]])
    demand(repeated.returncode == 1 and "6 * 7 is 42" in repeated.stdout, "it is not", repeated)


# ---- Fixtures that outlive tests ----

ALL_LIVES = """world 1 up
  pool up
    user up
      one
    user down
      three
    user up
      four
    user down
late up
      seven
  pool down
  cache up
      eight
  cache down
      nine
late down
world 1 down
"""


@check
def fixtures_live_as_long_as_they_say(kit):
    done = kit.run("shared", "--driver", "epoll", "lives_")
    demand(done.stdout.startswith(ALL_LIVES + "two is alone\n"), "another order", done)
    demand(done.returncode == 0 and done.stdout.endswith("9 passed, 0 failed\n"), "not all pass", done)
    swept = done.stdout[len(ALL_LIVES):]
    alone = re.findall(r"world (\d+) up\n  pool up\n      five\n  pool down\nworld \1 down\n", swept)
    demand(len(alone) > 5, "the runs of the sweep have no world for themselves", done)
    demand(re.search(r"world \d+ up\n  pool up\n      six\n", swept), "the dying one has no world for itself", done)


@check
def skipped_ones_do_not_run_on_a_shared_loop(kit):
    done = kit.run("shared", "--driver", "sim", "lives_")
    demand("8 passed, 0 failed, 1 skipped" in done.stdout and "seven" not in done.stdout, "it was not skipped", done)


@check
def a_deadlock_ends_a_shared_loop_but_not_its_tests(kit):
    for driver in kit.drivers:
        done = kit.run("shared", "--driver", driver, "deadlock_")
        demand_parts(done, ["world 1 up", "  pool down\nworld 1 down", "deadlock_itself #1  waits: an event",
                            "FAILED deadlock_itself (", "world 2 up", "  pool down\nworld 2 down",
                            "3 passed, 1 failed"])


@check
def what_is_left_on_a_shared_loop_is_not_blamed_on_the_last_alone(kit):
    done = kit.run("shared", "--driver", "sim", "leak_")
    demand_parts(done, ["leak_itself at shared.c:", "by this test or one of the 2 before it",
                        "opened by task 'leak_itself'", "FAILED leak_last", "2 passed, 1 failed"])


@check
def a_repeated_run_of_a_sweep_says_where_a_block_was_made(kit):
    done = kit.run("worlds", "a_cancelled_one_leaks")
    demand_parts(done, ["left behind: 1 heap block", "where they were made is kept, and said, when", "again: "])
    repeated = kit.command(["sh", "-c", AGAIN.findall(done.stdout)[0]])
    demand_parts(repeated, ["left behind: 1 heap block", "one was made by", "at worlds.c:"])


@check
def a_sweep_that_is_not_wanted_is_left_out(kit):
    done = kit.run("worlds", "--no-sweep", "a_cancelled_one_leaks")
    demand(done.returncode == 0 and "injected" not in done.stdout, "it was swept", done)


@check
def what_was_left_earlier_is_not_shown_again(kit):
    done = kit.run("leaks", "--driver", "sim", "_is_lost")
    second = done.stdout[done.stdout.find("FAILED a_connection_is_lost"):]
    demand_parts(done, ["accept_and_forget at leaks.c:", "FAILED a_connection_is_lost", "listen_and_forget at"])
    demand("accept_and_forget at" not in second, "the first block is shown for the second test", done)


@check
def an_injection_reaches_a_test_with_lasting_fixtures(kit):
    done = kit.run("worlds", "--driver", "sim", "--inject", "cancel:3", "a_cancelled_one_leaks_with_a_fixture")
    demand(done.returncode == 1 and "left behind" in done.stdout, "nothing was injected", done)


# ---- Processes ----

@check
def a_crash_among_several_processes_is_named_and_the_others_run(kit):
    for count in "2", "5":
        done = kit.run("shared", "--parallel", count, "crash_")
        demand(done.returncode == 1, "no failure in the exit status", done)
        demand_parts(done, ["crash_before ran", "FAILED crash_itself (", "crash_after ran", "crash_alone ran",
                            "3 passed, 1 failed"])


@check
def several_processes_say_what_one_says(kit):
    def without_times(done):
        return re.sub(r"\d+\.\d+ s", "", done.stdout)
    for arguments in [], ["--verbose"], ["--tap"]:
        alone = kit.run("expectations", *arguments)
        several = kit.run("expectations", "--parallel", "3", *arguments)
        demand(without_times(several) == without_times(alone), f"{arguments}: not the same:\n{alone.stdout}", several)


def children_of(process):
    return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def wait_until(condition, what):
    started = time.monotonic()
    while not condition():
        demand(time.monotonic() - started < 60, f"not in a minute: {what}")
        time.sleep(0.01)  # real time: another process is waited for


@check
def processes_end_with_the_one_that_started_them(kit):
    command = [kit.path("ends"), "--parallel", "2", "this_computes_for_hours"]
    process = subprocess.Popen(command, env=kit.environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    wait_until(lambda: len(children_of(process.pid)) > 0, "a child")
    children = children_of(process.pid)
    process.send_signal(signal.SIGKILL)
    process.wait()
    wait_until(lambda: not any(Path(f"/proc/{child}/exe").is_symlink() for child in children), "the children's end")


# ---- Colours ----

def on_terminal(kit, *arguments, **variables):
    try:
        master, slave = pty.openpty()
    except OSError as why:  # a container without /dev/pts
        raise Missing(f"no terminal can be made: {why}") from None
    command = [kit.path("expectations"), *arguments, "values"]
    process = subprocess.Popen(command, env={**kit.environment, **variables}, stdin=subprocess.DEVNULL, stdout=slave,
                               stderr=slave)
    os.close(slave)
    said = b""
    try:
        while chunk := os.read(master, 65536):
            said += chunk
    except OSError:  # the last one has closed it
        pass
    process.wait()
    os.close(master)
    return said


@check
def colours_are_for_terminals(kit):
    demand(b"\033[1;31mFAILED\033[0m values" in on_terminal(kit), "none on a terminal")
    demand(b"\033[1;31m0 passed, 1 failed\033[0m" in on_terminal(kit), "none on a terminal")
    demand(b"\033[1;31mFAILED\033[0m values" in on_terminal(kit, "--parallel", "2"), "none from several processes")
    for arguments, variables in [(["--no-colour"], {}), (["--tap"], {}), ([], {"NO_COLOR": "1"})]:
        demand(b"\033" not in on_terminal(kit, *arguments, **variables), f"{arguments} {variables}: there are some")
    demand("\033" not in kit.run("expectations").stdout, "some without a terminal")


def main():
    if len(sys.argv) not in (2, 3):
        print("usage: kit.py BUILD [PART]", file=sys.stderr)
        return 2
    kit = Kit(Path(sys.argv[1]).resolve())
    part = sys.argv[2] if len(sys.argv) > 2 else ""
    wanted = [*directions(kit), *((name, function, ()) for name, function in CHECKS)]
    counts = {"passed": 0, "failed": 0, "skipped": 0}

    def run(one):
        name, function, arguments = one
        try:
            function(kit, *arguments)
        except Missing as what:
            return f"skip {name}: {what}"
        except (Wrong, subprocess.TimeoutExpired, OSError, xml.ParseError) as wrong:
            return f"FAILED {name}: {wrong}"
        return ""

    with ThreadPoolExecutor(3) as workers:
        for wrong in workers.map(run, [one for one in wanted if part in one[0]]):
            counts["passed" if not wrong else "skipped" if wrong.startswith("skip") else "failed"] += 1
            if wrong:
                print(wrong)
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 1 if counts["failed"] or not counts["passed"] else 0


if __name__ == "__main__":
    sys.exit(main())
