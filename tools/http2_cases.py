#!/usr/bin/env python3
"""Writes docs/http2-cases.md from the table in tests/http/h2_cases_test.c, and docs/http2-client-cases.md from that in
tests/client/c2_cases_test.c.

    tools/http2_cases.py            # after a case was changed
    tools/http2_cases.py --check    # is the committed file what it should be?
"""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

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


CLIENT_HEAD = """# Rules of HTTP/2 that a server can break

What a server may say to the client, and what it may not: {count} cases, each played to it over TCP in a simulated
world, in one piece and byte by byte, before a second call. Written by `tools/http2_cases.py` from
`tests/client/c2_cases_test.c`; `tests/http/frames.h` and `tests/client/c2_server.h` explain the language of the
scripts, in which `A1` waits for the head of the request on stream 1. The call ends with a status or an error; the
connection goes on, and takes the second call, or is left for another one. Where the RFC asks for an error of the
stream, an error of the connection is allowed, too (section 5.4.1).

| section | case | the server says | the call ends with | the connection |
|---|---|---|---|---|
"""


def strings(text):
    """The C strings of a row, each with its pieces put together."""
    text = re.sub(r"\bPREFACE\b", '"(preface) "', text)
    parts = re.findall(r'((?:"(?:[^"\\]|\\.)*"\s*)+)', text)
    return ["".join(re.findall(r'"((?:[^"\\]|\\.)*)"', part)) for part in parts]


def table_of(source):
    return source.read_text().split("cases[] = {", 1)[1].split("\n};", 1)[0]


def server_rows(source):
    for row in re.findall(r"\n    (?:BOTH|WHOLE)\((.*?)\),(?=\n    \w|$)", table_of(source), re.S):
        section, claim, script, wanted = strings(row)
        yield section, claim, script.replace("|", "\\|"), wanted


def server_page(source):
    lines = [f"| {section} | {claim} | `{script}` | `{wanted}` |"
             for section, claim, script, wanted in server_rows(source)]
    return HEAD.format(count=len(lines)) + "\n".join(lines) + "\n"


def client_rows(source):
    text = table_of(source)
    for name, short in re.findall(r'#define (OK1|NEXT) ("(?:[^"\\]|\\.)*")', source.read_text()):
        text = re.sub(rf"\b{name}\b", lambda _, short=short: short, text)  # as the preprocessor does
    for kind, row in re.findall(r"\n    (WORKS|FAILS|HEAD_WORKS|HEAD_FAILS)\((.*?)\),(?=\n|$)", text, re.S):
        section, claim, script = strings(row)[:3]
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", row)
        code = re.search(r",\s*(-E\w+|WF_E\w+|\d{3})\s*,", bare)[1]
        kept = "goes on" if "KEPT" in bare else "is left"
        yield section, claim, script, f"`{code}`" if "FAILS" in kind else code, kept


def client_page(source):
    lines = [f"| {section} | {claim} | `{script}` | {end} | {kept} |"
             for section, claim, script, end, kept in client_rows(source)]
    return CLIENT_HEAD.format(count=len(lines)) + "\n".join(lines) + "\n"


PAGES = (
    ("docs/http2-cases.md", "tests/http/h2_cases_test.c", server_page),
    ("docs/http2-client-cases.md", "tests/client/c2_cases_test.c", client_page),
)


def main():
    checks = sys.argv[1:] == ["--check"]
    failed = 0
    for page, source, write in PAGES:
        written = write(ROOT / source)
        if not checks:
            (ROOT / page).write_text(written)
        elif not (ROOT / page).is_file() or (ROOT / page).read_text() != written:
            print(f"{page} is not what the cases say; run tools/http2_cases.py")
            failed += 1
    if checks:
        print(f"{len(PAGES) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
