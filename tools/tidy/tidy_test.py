#!/usr/bin/env python3
"""Plants one violation of each kind into a small clean tree, and expects that check, and no other, to find it. The same
for docs.py, with documents.

    tools/tidy/tidy_test.py [PART]      # those whose check or file contains PART
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

TIDY = Path(__file__).resolve().parent / "tidy.py"
DOCS = TIDY.with_name("docs.py")

HEADER = """\
/* What a task may ask. */
#ifndef WEFT_TASK_H
#define WEFT_TASK_H

#include <stdint.h>

#define WF_API
#define WF_SUSPENDS

%s
#endif
"""
SLEEP = "WF_API WF_SUSPENDS int wf_sleep(int64_t duration_ns);\n"
SLEEP_COMMENT = "/* Suspends: always. On cancel: returns at once. */\n"

CLEAN = {
    "include/weft/task.h": HEADER % (SLEEP_COMMENT + SLEEP),
    "src/base/list.h": "/* Lists. */\n#ifndef LIST_H\n#define LIST_H\n\nstruct list {\n    struct list *next;\n};\n\n"
                       "#endif\n",
    "src/core/task.c": '/* Tasks. */\n#include <weft/task.h>\n\n#include "base/list.h"\n\n'
                       "int wf_sleep(int64_t duration_ns)\n{\n    return duration_ns < 0;\n}\n",
    "tests/core/task_test.c": "/* Tasks, from outside. */\n#include <weft/task.h>\n",
    "tools/weft/top.h": "/* What is alive. */\nint top(void);\n",
    "tools/weft/main.c": '/* The command. */\n#include <stdio.h>\n#include <weft/task.h>\n\n#include "top.h"\n',
    "examples/hello.c": "/* Hello. */\n#include <weft/task.h>\n",
    "README.md": "# A tree\n\n| a table | may be wide |" + " " * 120 + "|\n",
    "LICENSE": "Copy" + "right (c) 2020 the authors\n",
}


def header(declarations):
    return HEADER % (SLEEP_COMMENT + SLEEP + "\n" + declarations)


def function(lines):
    return "/* Long. */\nint work(int n);\nint work(int n)\n{\n" + "    n++;\n" * (lines - 1) + "    return n;\n}\n"


# check, file, contents, line of the finding
PLANTED = [
    ("layers", "src/base/upward.c", '/* Up. */\n#include "core/loop.h"\n', 2),
    ("layers", "src/core/door.c", '/* Down. */\n#include "driver/uring.h"\n', 2),
    ("layers", "src/core/angled.c", '/* Down. */\n#include <driver/uring.h>\n', 2),
    ("layers", "src/core/near.c", '/* Without its folder. */\n#include "loop.h"\n', 2),
    ("layers", "src/extra/thing.c", "/* No layer. */\n", 1),
    ("layers", "include/weft/inside.h", '/* In. */\n#include "task.h"\n', 2),
    ("layers", "tools/weft/look.c", '/* In. */\n#include "../../src/core/loop.h"\n', 2),
    ("layers", "examples/look.c", '/* In. */\n#include "core/loop.h"\n', 2),
    ("layers", "apps/custody/look.c", '/* In. */\n#include <core/loop.h>\n', 2),
    ("layers", "tests/consumers/look.c", '/* In. */\n#include "core/loop.h"\n', 2),
    ("layers", "tests/core/look_test.c", '/* In. */\n#include <stdio.h>\n\n#include "core/loop.h"\n', 4),
    ("line-length", "src/base/wide.c", "/* Wide. */\n\n/* " + "x" * 115 + " */\n", 3),
    ("file-length", "src/base/long.c", "/* Long. */\n" * 601, 601),
    ("function-length", "src/base/long.c", function(71), 4),
    ("conditionals", "src/base/choose.c",
     "/* Choose. */\nint one(void);\nint one(void)\n{\n#ifdef __linux__\n    return 1;\n#endif\n    return 0;\n}\n", 5),
    ("struct-typedefs", "src/base/name.c", "/* Name. */\ntypedef struct list list_t;\n", 2),
    ("struct-typedefs", "tests/core/name_test.c", "/* Name. */\ntypedef const union {\n    int a;\n} either;\n", 2),
    ("sleeps", "tests/core/slow_test.c", "/* Slow. */\n#include <unistd.h>\nvoid slow(void);\nvoid slow(void)\n{\n"
     "    usleep(1000);\n}\n", 6),
    ("sleeps", "tests/core/slow_test.c", "/* Slow. */\nvoid slow(void);\nvoid slow(void)\n{\n    sleep(1);\n}\n", 5),
    ("sleeps", "tests/slow.sh", "#!/bin/sh\nfor i in 1 2; do sleep 0.1; done\n", 2),
    ("public-headers", "include/weft/lame.h", "/* Lame. */\nstruct lame {\n    size_t size;\n};\n", 1),
    ("public-headers", "include/weft/c_only.h", "/* Not C++. */\nstruct c_only {\n    int class;\n};\n", 1),
    ("private-headers", "src/base/lame.h", "/* Lame. */\nbool lame(void);\n", 1),
    ("comments", "include/weft/task.h", header("WF_API int wf_bare(void);\n"), 13),
    ("suspension", "include/weft/task.h", HEADER % ("/* On cancel: wakes. */\n" + SLEEP), 11),
    ("suspension", "include/weft/task.h", HEADER % ("/* Suspends: always. */\n" + SLEEP), 11),
    ("suspension", "include/weft/task.h", HEADER % ("/* Suspends: never. On cancel: nothing. */\n" + SLEEP), 11),
    ("suspension", "include/weft/task.h",
     header("/* Suspends: until it rains. On cancel: dry. */\nWF_API int wf_rain(void);\n"), 14),
    ("suspension", "include/weft/task.h",
     header("/* Longer. */\nstatic inline int wf_rest(void)\n{\n    return wf_sleep(1);\n}\n"), 14),
    ("suspension", "include/weft/task.h", header("/* Longer. */\n#define wf_rest(n) wf_sleep((n) * 60)\n"), 14),
    ("notes", "src/base/later.c", "/* Later. */\n\n/* TO" + "DO: more */\n", 3),
    ("notes", "README.md", "HA" + "CK: it works\n", 1),
    ("file-names", "src/base/utils.c", "/* Many things. */\n", 1),
    ("file-names", "src/core/internal/list.h", "/* Lists. */\n", 1),
    ("commented-code", "src/base/old.c", "/* Old. */\n\n// free(list);\n", 3),
    ("commented-code", "src/base/old.c", "/* Old. */\n\n/*\n * if (list != NULL) {\n */\n", 4),
    ("commented-code", "src/base/old.c", "/* Old. */\n\n/* int count = list_count(list); */\n", 3),
    ("commented-code", "src/base/old.c", "/* Old. */\n\n#if 0\nint old;\n#endif\n", 3),
    ("commented-code", "tools/old.py", "#!/usr/bin/env python3\n# import os\n", 2),
    ("licences", "src/base/ours.c", "/* Copy" + "right (c) 2020 somebody */\n", 1),
    ("licences", "src/base/ours.c", "/*\n * Ours.\n * @auth" + "or somebody\n */\n", 3),
    ("white-space", "README.md", "# A tree \n", 1),
    ("white-space", "README.md", "# A tree", 1),
    ("white-space", "src/base/tab.c", "/* Tab. */\nint tab(void);\nint tab(void)\n{\n\treturn 1;\n}\n", 5),
    ("absolute-paths", "tools/run.sh", "#!/bin/sh\ncd /ho" + "me/somebody/weft\n", 2),
    ("absolute-paths", "README.md", "See (/wo" + "rk/main) and build.\n", 1),
    ("workplace", "README.md", "Written in one sess" + "ion.\n", 1),
    ("workplace", "src/base/talk.c", "/* Found in the previous sess" + "ion. */\n", 1),
    ("workplace", "tools/get.sh", "#!/bin/sh\ncurl https://regis" + "try.example.com/weft\n", 2),
    ("workplace", "tools/get.sh", "#!/bin/sh\ncurl http:/" + "/10.1.2.3/weft\n", 2),
]

# What looks like a violation and is none.
ALLOWED = [
    ("src/driver/uring.c", '/* Implements what core declares. */\n#include "core/loop.h"\n'),
    ("tests/core/look_test.c",
     '/* In. */\n/* The wheel has no public face. */\n#include "base/list.h"\n#include "core/loop.h"\n'),
    ("tests/core/look_test.c", '/* In. */\n#include "core/loop.h"  /* counts the wake-ups */\n'),
    ("tests/core/slow_test.c", "/* Slow. */\nvoid slow(void);\nvoid slow(void)\n{\n    wf_sleep(1);\n"
     "    usleep(1);  /* real time: the kernel's own clock is the subject */\n}\n"),
    ("src/base/choose.c",
     "/* Choose. */\n#ifdef __linux__\nint choose(void);\n#endif\nint choose(void)\n{\n    return 0;\n}\n"),
    ("src/base/long.c", function(70)),
    ("src/base/wide.c", "/* Wide. */\n\n/* " + "ü" * 114 + " */\n"),
    ("src/base/prose.c",
     "/*\n * Prose:\n *\n *     free(list);\n *\n * If a list is empty, it stays so;\n * return the rest of it;\n"
     " * while it lasts (which is long); and so on.\n */\n"),
    ("src/tls/resume.c", "/* A TLS sess" + "ion lives longer than its connection. */\nstruct session;\n"),
    ("tools/make.sh", "#!/bin/sh\ndirectory=$(mktemp -d weft.XXXXXX)\ncd \"$HOME/home/x\" || cd ../root/x\n"),
    ("include/weft/task.h", header("/* Suspends: never for pipes; else a while. On cancel: goes on. */\n"
                                   "WF_API WF_SUSPENDS int wf_end(void);\n\nWF_API int wf_end_(void);\n")),
    ("build/thing.c", "/* Ignored. */ \n"),
]

PROGRAM = "```c\n#include <stdio.h>\nint main(void)\n{\n    puts(\"one\");\n    return 0;\n}\n```\n"

# What a document holds, and how docs.py counts it.
DOCUMENTS = [
    ("a_program", PROGRAM, "1 passed, 0 failed"),
    ("its_output", PROGRAM + "\n<!-- output -->\n```text\none\n```\n", "1 passed, 0 failed"),
    ("another_output", PROGRAM + "<!-- output -->\n```text\ntwo\n```\n", "0 passed, 1 failed"),
    ("a_crash", PROGRAM.replace("return 0", "__builtin_trap()") + "<!-- output -->\n```text\none\n```\n",
     "0 passed, 1 failed"),
    ("declarations", "```c\nint rest(void)\n{\n    return wf_yield();\n}\n```\n", "1 passed, 0 failed"),
    ("unknown_name", "```c\nint rest = wf_nothing;\n```\n", "0 passed, 1 failed"),
    ("statements_unsaid", "```c\nwf_yield();\n```\n", "0 passed, 1 failed"),
    ("statements", "<!-- c: fragment -->\n```c\nwf_yield();\n```\n", "1 passed, 0 failed"),
    ("prelude", "<!-- c: prelude\nstatic int n;\n-->\nProse.\n\n<!-- c: fragment -->\n```c\nn++;\n```\n"
     "<!-- c: function -->\n```c\nint *where(void) { return &n; }\n```\n", "2 passed, 0 failed"),
    ("prelude_unseen", "<!-- c: prelude\nstatic int n;\n-->\n```c\nint *where = &n;\n```\n", "0 passed, 1 failed"),
    ("skipped", "<!-- c: skip shows a mistake -->\n```c\nint = 3;\n```\n", "0 passed, 0 failed, 1 skipped"),
    ("skipped_silently", "<!-- c: skip -->\n```c\nint a;\n```\n", "0 passed, 1 failed"),
    ("lines_of_an_example", "<!-- c: example hello.c -->\n```c\nint main(void)\n{\n```\n", "1 passed, 0 failed"),
    ("lines_of_no_example", "<!-- c: example hello.c -->\n```c\nint main(void);\n```\n", "0 passed, 1 failed"),
    ("an_unknown_example", "<!-- c: example none.c -->\n```c\nint main(void)\n```\n", "0 passed, 1 failed"),
    ("an_example_that_was_not_built", "<!-- c: example hello.c -->\n```c\nint main(void)\n```\n<!-- output -->\n"
     "```text\nHello\n```\n", "0 passed, 1 failed"),
    ("misspelt", "<!-- c: fragmnet -->\n```c\nint a;\n```\n", "1 passed, 1 failed"),
    ("other_language", "```sh\nint = 3;\n```\n", "0 passed, 0 failed"),
]


def documented(name, text, counts):
    with tempfile.TemporaryDirectory() as build:
        document = Path(build) / f"{name}.md"
        document.write_text(text, encoding="utf-8")
        library = Path(build) / "src" / "libweft.a"    # empty: these programs need nothing of it
        library.parent.mkdir()
        subprocess.run(["ar", "rc", library], check=True)
        done = subprocess.run([sys.executable, DOCS, build, document], capture_output=True, text=True)
    right = done.stdout.splitlines()[-1:] == [counts] and done.returncode == (0 if " 0 failed" in counts else 1)
    if not right:
        print(f"FAILED the document {name}: expected {counts}\n{done.stdout}{done.stderr}")
    return right


def tidy(files, ignore=None):
    """Runs every check over a tree with these files; gives the failing ones, their findings and the closing line."""
    with tempfile.TemporaryDirectory() as root:
        for path, text in files.items():
            file = Path(root) / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        if ignore:
            subprocess.run(["git", "init", "--quiet", root], check=True)
        done = subprocess.run([sys.executable, TIDY, "--root", root], capture_output=True, text=True)
    output = done.stdout + done.stderr
    found = re.findall(r"^(\S+?):(\d+): .*; .* \[([\w-]+)\]$", output, re.M)
    return done.returncode, [(check, path, int(line)) for path, line, check in found], output


def expect(claim, files, findings, ignore=None):
    status, found, output = tidy(files, ignore)
    failed = len({check for check, _, _ in findings})
    right = set(found) == set(findings) and status == (1 if findings else 0)
    right = right and re.search(rf"^\d+ passed, {failed} failed\Z", output.rstrip(), re.M) is not None
    if not right:
        print(f"FAILED {claim}: expected {findings}\n{output}")
    return right


def private_core(files):
    """Headers that the planted includes mean."""
    return {**CLEAN, "src/core/loop.h": "/* The loop. */\n", "src/driver/uring.h": "/* The ring. */\n", **files}


def main():
    part = sys.argv[1] if len(sys.argv) > 1 else ""
    results = []
    if not part:
        results.append(expect("a clean tree passes", CLEAN, []))
        dirty = {**CLEAN, ".gitignore": "/ignored*\n", "ignored.c": "x \n", "other.c": "int x; \n"}
        results.append(expect("what git ignores is left alone, what it does not know yet is not", dirty,
                              [("white-space", "other.c", 1)], ignore=True))
        listed = subprocess.run([sys.executable, TIDY, "--list"], capture_output=True, text=True).stdout
        missing = {line.split()[0] for line in listed.splitlines()} - {check for check, *_ in PLANTED}
        results.append(not missing)
        if missing:
            print(f"FAILED every check has a violation planted for it; these have none: {missing}")
    for check, path, text, line in PLANTED:
        if part in check or part in path:
            results.append(expect(f"{check} finds {path}", private_core({path: text}), [(check, path, line)]))
    for path, text in ALLOWED:
        if part in path:
            results.append(expect(f"{path} is allowed", private_core({path: text}), []))
    for name, text, counts in DOCUMENTS:
        if part in name:
            results.append(documented(name, text, counts))
    print(f"{sum(results)} passed, {len(results) - sum(results)} failed")
    return 0 if results and all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
