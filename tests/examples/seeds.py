"""Runs each program of examples/seeds as its head says, and compares: seeds.py BUILD [--asan] [--only PART]

The head is the first comment. It has to have the rows of docs/rows.md that name the program, and a command:

    Rows: S006, S093.
    Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/basic_async_server.c

The program must end with status 0, or as `Exit status: N.` says; print what the file NAME.out beside it says, one
regular expression for each line, which must match the whole line; and leave standard error empty, or match
`Standard error: REGEX` somewhere.
"""
import argparse
import concurrent.futures
import contextlib
import os
import pathlib
import re
import shlex
import signal
import subprocess
import sys
import tempfile
import warnings

ROOT = pathlib.Path(__file__).resolve().parents[2]
SEEDS = ROOT / "examples" / "seeds"
LIMIT_S = 60
AT_ONCE = 2
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=1:detect_stack_use_after_return=0",
              "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1"}

warnings.simplefilter("ignore", FutureWarning)  # "[[]" is what it says


class Wrong(Exception):
    """What is wrong with a program, line by line."""


class Skip(Exception):
    """Why a program cannot be run here."""


def head_of(source):
    """The first comment, without its stars."""
    text = source.read_text()
    block = re.match(r"/\*(.*?)\*/", text, re.S)
    if block:
        return "\n".join(re.sub(r"^ \* ?", "", line) for line in block[1].splitlines())
    lines = re.match(r"(?://[^\n]*\n)+", text)
    if not lines:
        raise Wrong("it does not begin with a comment")
    return "\n".join(re.sub(r"^// ?", "", line) for line in lines[0].splitlines())


def only(pattern, head, what):
    found = re.findall(pattern, head, re.M)
    if len(found) != 1:
        raise Wrong(f"its head has {len(found)} lines `{what}`, wanted one")
    return found[0]


def check_rows(source, head):
    """The rows that the head names are there, and name the program."""
    shown = dict(re.findall(r"^(S\d{3}) \| (.*) \| ", (ROOT / "docs" / "rows.md").read_text(), re.M))
    named = re.findall(r"S\d{3}", only(r"Rows: ((?:S\d{3},?\s+)*S\d{3})\.", head, "Rows: S001, S002."))
    for row in named:
        if row not in shown:
            raise Wrong(f"docs/rows.md does not know {row}")
        if str(source.relative_to(ROOT)) not in shown[row]:
            raise Wrong(f"docs/rows.md does not say that it shows {row}")


def command_of(source, head, build, asan):
    """The words of the command, and the variables before it."""
    words = shlex.split(only(r"^Run it: (.*)$", head, "Run it: weft run ..."))
    variables = {}
    while words and re.match(r"[A-Z_]+=", words[0]):
        name, value = words.pop(0).split("=", 1)
        variables[name] = value
    if words[:3] != ["weft", "run", str(source.relative_to(ROOT))]:
        raise Wrong(f"its command is not `weft run {source.relative_to(ROOT)}`")
    options = ["--asan"] if asan else []
    return [str(build / "weft"), "run", *options, *words[2:]], variables


def packages_of(source, build):
    """The packages that it names; all of them are in this build."""
    names = []
    for line in source.read_text().splitlines()[:40]:
        if line.startswith("// weft: pkg-config"):
            names += line.split()[3:]
    for name in names:
        if name == "custody" and not (build / "custody" / "cli" / "custody").is_file():
            raise Skip("custody was not built")
        if name.startswith("weft-") and not (build / "meson-uninstalled" / f"{name}-uninstalled.pc").is_file():
            raise Skip(f"{name} was not built")
    return names


@contextlib.contextmanager
def sandbox(build):
    """A custody sandbox for one program alone: gives the variables that say where it is."""
    command = [str(build / "custody" / "cli" / "custody"), "sandbox", "--port", "0", "--database", ":memory:"]
    process = subprocess.Popen(command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    try:
        said = {}
        while "token" not in said:
            line = process.stdout.readline()
            if not line:
                raise Wrong("the sandbox did not start")
            said[line.split()[0]] = line.split()[-1]
        yield {"CUSTODY_URL": said["custody"], "CUSTODY_TOKEN": said["token"]}
    finally:
        process.kill()
        process.communicate()


def execute(command, variables):
    plain = {name: value for name, value in os.environ.items() if not name.startswith("WEFT_")}
    process = subprocess.Popen(command, cwd=ROOT, env=plain | variables, text=True, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
    try:
        output, errors = process.communicate(timeout=LIMIT_S)
        return process.returncode, output, errors
    except subprocess.TimeoutExpired as late:
        os.killpg(process.pid, signal.SIGKILL)
        output, errors = process.communicate()
        raise Wrong(f"it did not end within {LIMIT_S} s\n{output}{errors}") from late


def differences(wanted, output):
    """Line n of the output against pattern n."""
    got = output.splitlines()
    for number, (pattern, line) in enumerate(zip(wanted, got), 1):
        if not re.fullmatch(pattern, line):
            yield f"line {number}: {line}"
            yield f"wanted: {pattern}"
    if len(got) != len(wanted):
        yield f"{len(got)} lines, wanted {len(wanted)}"


def check_errors(head, errors):
    allowed = re.search(r"^Standard error: (.*)$", head, re.M)
    if allowed and not re.search(allowed[1], errors):
        yield f"standard error does not match {allowed[1]}"
    if errors and not allowed:
        yield "unexpected on standard error"


def check(source, build, asan, cache):
    head = head_of(source)
    check_rows(source, head)
    command, variables = command_of(source, head, build, asan)
    expected = source.with_suffix(".out")
    if not expected.is_file():
        raise Wrong(f"there is no {expected.name} beside it")
    needs_sandbox = "custody" in packages_of(source, build)
    with sandbox(build) if needs_sandbox else contextlib.nullcontext({}) as service:
        status, output, errors = execute(command, {**(SANITIZERS if asan else {}), "XDG_CACHE_HOME": cache,
                                                   **service, **variables})
    named = re.search(r"Exit status: (\d+)\.", head)
    problems = [*differences(expected.read_text().splitlines(), output), *check_errors(head, errors)]
    if status != (int(named[1]) if named else 0):
        problems.append(f"exit status {status}")
    if problems:
        raise Wrong("\n".join([*problems, "it printed:", output, errors]))


def verdict(source, *arguments):
    """Says what is to be said, and returns "passed", "failed" or "skipped"."""
    name = source.relative_to(SEEDS)
    try:
        check(source, *arguments)
    except Skip as why:
        print(f"skip: {name}: {why}", flush=True)
        return "skipped"
    except Wrong as what:
        print("\n    ".join([f"FAILED {name}", *str(what).splitlines()]), flush=True)
        return "failed"
    return "passed"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--asan", action="store_true", help="compile the programs with sanitizers")
    parser.add_argument("--only", default="", metavar="PART", help="programs whose path contains PART")
    options = parser.parse_args()
    build = options.build.resolve()
    if not (build / "weft").is_file():
        print("skip: the weft command was not built\n0 passed, 0 failed, 1 skipped")
        return 0
    sources = [path for path in sorted(SEEDS.glob("*/*.c")) if options.only in str(path.relative_to(SEEDS))]
    with tempfile.TemporaryDirectory() as cache, concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
        verdicts = list(pool.map(lambda source: verdict(source, build, options.asan, cache), sources))
    skipped = verdicts.count("skipped")
    print(f"{verdicts.count('passed')} passed, {verdicts.count('failed')} failed"
          + (f", {skipped} skipped" if skipped else ""))
    return 1 if "failed" in verdicts else 0


sys.exit(main())
