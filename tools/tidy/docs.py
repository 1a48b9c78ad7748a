#!/usr/bin/env python3
"""Compiles every block of C in the documents, and runs the whole programs that show their output.

    tools/tidy/docs.py BUILD [DOCUMENT...]      # default: README.md, docs/**/*.md, custody's

A block between ```c and ``` with `int main` or WF_TEST_MAIN is a whole program; any other is taken as declarations at
file scope, after <weft/weft.h> and the usual headers. A comment on the line before the block says otherwise:

    <!-- c: fragment -->         statements, inside a function that returns int
    <!-- c: function -->         declarations at file scope that see the prelude
    <!-- c: skip REASON -->      not compiled
    <!-- c: example PATH -->     lines of examples/PATH, which the build compiles: they must stand there, word for word

    <!-- c: prelude
    ... C at file scope, seen by the fragments and functions that follow, up to the next prelude or the end ...
    -->

A whole program whose block is followed by <!-- output --> and a ```text block is linked, run and compared with it; so
is an example, as the build has made it. A program that includes a header of weft-http is linked with that, too.
"""

import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CUSTODY = ROOT / "apps" / "custody"
TIME_LIMIT_S = 60
HEADERS = ["errno.h", "inttypes.h", "stdbool.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "unistd.h",
           "weft/weft.h"]
WARNINGS = ["-Wall", "-Wextra", "-Werror"]
# A piece of a program may declare what it does not use, and leave a result to the reader.
LENIENT = [f"-Wno-{name}" for name in ("unused-function", "unused-variable", "unused-parameter", "unused-value",
                                      "unused-but-set-variable", "return-type")]

BLOCK = re.compile(r"^```c[ \t]*\n(.*?)^```[ \t]*$", re.M | re.S)
BEFORE = re.compile(r"<!-- c: (fragment|function|skip|example)\b[ \t]*(.*?)[ \t]*-->[ \t]*\n\Z")
PRELUDE = re.compile(r"<!-- c: prelude\b[ \t]*\n?(.*?)-->", re.S)
OUTPUT = re.compile(r"\s*<!-- output -->[ \t]*\n```text[ \t]*\n(.*?)^```[ \t]*$", re.M | re.S)
HTTP = re.compile(r"#include <weft/(app|model|request)[.]h>")
DIRECTION = re.compile(r"<!--\s*c:\s*(\w*)")


@dataclass
class Block:
    document: Path
    line: int          # of the first line of C
    kind: str          # program, declarations, function, fragment, skip, example
    text: str
    prelude: str = ""
    reason: str = ""   # of a skip; the path of an example
    output: str | None = None

    def program(self):
        place = f'#line {self.line} "{self.document}"\n'
        if self.kind == "program":
            return place + self.text
        before = "".join(f"#include <{name}>\n" for name in HEADERS) + self.prelude
        if self.kind == "fragment":
            return f"{before}\nint fragment(void);\nint fragment(void)\n{{\n{place}{self.text}\n}}\n"
        return f"{before}\n{place}{self.text}"


def line_of(text, offset):
    return text.count("\n", 0, offset) + 1


def blocks(document, text):
    preludes = [(match.start(), line_of(text, match.start(1)), match.group(1)) for match in PRELUDE.finditer(text)]
    for match in BLOCK.finditer(text):
        block = Block(document, line_of(text, match.start(1)), "declarations", match.group(1))
        said = BEFORE.search(text[:match.start()])
        output = OUTPUT.match(text, match.end())
        if said:
            block.kind, block.reason = said.groups()
        elif re.search(r"\b(int main|WF_TEST_MAIN)\b", block.text):
            block.kind = "program"
        if block.kind in ("function", "fragment"):
            seen = [prelude for prelude in preludes if prelude[0] < match.start()]
            if seen:
                block.prelude = f'#line {seen[-1][1]} "{document}"\n{seen[-1][2]}'
        block.output = output.group(1) if output else None
        yield block


def misplaced(document, text):
    """Directions that no block obeys: a wrong word, or not on the line before a block."""
    before = (BEFORE.search(text[:match.start()]) for match in BLOCK.finditer(text))
    obeyed = [found.start() for found in before if found]
    for match in DIRECTION.finditer(text):
        if match.start() not in obeyed and match.group(1) != "prelude":
            line = line_of(text, match.start())
            yield f"{document}:{line}: the direction stands before no block; put it on the line above ```c, spelt right"


def libraries(block, build):
    """What a whole program is linked with."""
    if not HTTP.search(block.text):
        return [str(build / "src" / "libweft.a"), "-lpthread"]
    folders = [build / "src" / "http", build / "src"]
    paths = [argument for folder in folders for argument in (f"-L{folder}", f"-Wl,-rpath,{folder}")]
    return [*paths, "-lweft-http", "-lweft-tls", "-lweft", "-lpthread"]


def run(block, compiler, build, directory):
    """What is wrong with the block, or None."""
    source, program = directory / "block.c", directory / "block"
    source.write_text(block.program(), encoding="utf-8")
    command = [*compiler, *WARNINGS, f"-I{ROOT / 'include'}", f"-I{CUSTODY / 'include'}"]
    if block.kind != "program":
        command += LENIENT
    links = block.kind == "program" and block.output is not None
    if links:
        command += [str(source), "-o", str(program), *libraries(block, build)]
    else:
        command += ["-c", str(source), "-o", str(directory / "block.o")]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        return "does not compile; correct it, or say what kind of block it is\n" + done.stderr
    return compare(block, program, directory) if links else None


def find_example(block, build, directory):
    """What is wrong with a block that shows lines of an example, or None."""
    example = ROOT / "examples" / block.reason
    if not example.is_file() or block.text not in example.read_text(encoding="utf-8"):
        return f"these lines are not in examples/{block.reason}; show what is there"
    program = (build / "examples" / block.reason).with_suffix("")
    if block.output is None:
        return None
    return compare(block, program, directory) if program.is_file() else f"{program} was not built; build it first"


def compare(block, program, directory):
    try:
        done = subprocess.run([str(program)], cwd=directory, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=TIME_LIMIT_S)
    except subprocess.TimeoutExpired:
        return f"did not end in {TIME_LIMIT_S} s; make it shorter, or skip it"
    if done.returncode < 0:
        return f"died of signal {-done.returncode}; correct it\n{done.stderr}"
    if done.stdout.rstrip() != block.output.rstrip():
        return f"prints something else; correct the document\n{done.stdout}{done.stderr}"
    return None


def check(block, compiler, build):
    """passed, failed or skipped; what there is to say is printed."""
    place = f"{block.document}:{block.line}"
    if block.kind == "skip" and block.reason:
        print(f"{place}: skipped: {block.reason}")
        return "skipped"
    if block.kind == "skip":
        wrong = "is skipped without a reason; say why"
    elif block.output is not None and block.kind not in ("program", "example"):
        wrong = "shows an output but is no whole program; give it a main, or show the output without the mark"
    else:
        with tempfile.TemporaryDirectory() as directory:
            if block.kind == "example":
                wrong = find_example(block, build, Path(directory))
            else:
                wrong = run(block, compiler, build, Path(directory))
    if wrong:
        print(f"{place}: {wrong}")
    return "failed" if wrong else "passed"


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print("usage: docs.py BUILD [DOCUMENT...]", file=sys.stderr)
        return 2
    build = Path(sys.argv[1]).resolve()
    documents = [Path(name).resolve() for name in sys.argv[2:]]
    documents = documents or [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), CUSTODY / "README.md"]
    compiler = ["gcc", "-std=gnu11", "-D_GNU_SOURCE"]
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    for document in filter(Path.is_file, documents):
        text = document.read_text(encoding="utf-8")
        name = document.relative_to(ROOT) if document.is_relative_to(ROOT) else document
        for wrong in misplaced(name, text):
            print(wrong)
            counts["failed"] += 1
        for block in blocks(name, text):
            counts[check(block, compiler, build)] += 1
    skipped = f", {counts['skipped']} skipped" if counts["skipped"] else ""
    print(f"{counts['passed']} passed, {counts['failed']} failed{skipped}")
    return 1 if counts["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
