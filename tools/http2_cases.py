#!/usr/bin/env python3
"""Writes docs/http2-cases.md from the table in tests/http/h2_cases_test.c.

    tools/http2_cases.py            # after a case was changed
    tools/http2_cases.py --check    # is the committed file what it should be?
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "tests" / "http" / "h2_cases_test.c"
PAGE = ROOT / "docs" / "http2-cases.md"

HEAD = """# Rules of HTTP/2 that a client can break

What RFC 9113 (and RFC 8441, RFC 9110) asks of a server where a client can provoke it: {count} cases, each played to a
server in a simulated world, in one piece and byte by byte. Written by `tools/http2_cases.py` from
`tests/http/h2_cases_test.c`; `tests/http/frames.h` explains the language of the scripts and of what the client sees.
`1:200` is a head on stream 1, `1:data=5.` five bytes that end it, `1:reset` RST_STREAM, `goaway=1,CODE` GOAWAY with the
last stream, `end` the end of the connection. Where the RFC asks for an error of the stream, an error of the connection
is allowed, too (section 5.4.1).

| section | case | the client sends | and sees |
|---|---|---|---|
"""


def strings(text):
    """The C strings of a row, each with its pieces put together."""
    text = re.sub(r"\bPREFACE\b", '"(preface) "', text)
    parts = re.findall(r'((?:"(?:[^"\\]|\\.)*"\s*)+)', text)
    return ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', part)) for part in parts]


def rows():
    table = SOURCE.read_text().split("cases[] = {", 1)[1].split("\n};", 1)[0]
    for row in re.findall(r"\n    (?:BOTH|WHOLE)\((.*?)\),(?=\n    \w|$)", table, re.S):
        section, claim, script, wanted = strings(row)
        yield section, claim, script.replace("|", "\\|"), wanted


def page():
    lines = [f"| {section} | {claim} | `{script}` | `{wanted}` |" for section, claim, script, wanted in rows()]
    return HEAD.format(count=len(lines)) + "\n".join(lines) + "\n"


def main():
    written = page()
    if sys.argv[1:] != ["--check"]:
        PAGE.write_text(written)
        return 0
    same = PAGE.is_file() and PAGE.read_text() == written
    if not same:
        print(f"{PAGE.relative_to(ROOT)} is not what the cases say; run tools/http2_cases.py")
    print("1 passed, 0 failed" if same else "0 passed, 1 failed")
    return 0 if same else 1


sys.exit(main())
