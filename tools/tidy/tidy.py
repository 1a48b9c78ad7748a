#!/usr/bin/env python3
"""Holds the style of the house over the whole tree.

    tools/tidy/tidy.py                  # every check
    tools/tidy/tidy.py --list           # what there is
    tools/tidy/tidy.py layers sleeps    # some of it

One line for each finding: where, what, and what to do. The last line counts the checks.
"""

import argparse
import sys
from pathlib import Path

sys.dont_write_bytecode = True

import headers  # noqa: E402
import layers  # noqa: E402
import manual  # noqa: E402
import shape  # noqa: E402
import words  # noqa: E402
from source import Tree  # noqa: E402

CHECKS = {
    "layers": (layers.check_layers, "a folder of src includes only from those above it; outsiders include <weft/...>"),
    "line-length": (shape.check_line_length, f"a line has at most {shape.COLUMNS_MAX} columns"),
    "file-length": (shape.check_file_length, f"a file has at most {shape.FILE_LINES_MAX} lines"),
    "function-length": (shape.check_function_length, f"a body has at most {shape.FUNCTION_LINES_MAX} lines"),
    "conditionals": (shape.check_conditionals, "no #if inside a function of src"),
    "struct-typedefs": (shape.check_struct_typedefs, "no typedef of a struct"),
    "sleeps": (shape.check_sleeps, "no test sleeps, unless it says `real time:`"),
    "public-headers": (headers.check_public_headers, "each public header compiles alone, as C11 and as C++17"),
    "private-headers": (headers.check_private_headers, "each header of src compiles alone"),
    "comments": (manual.check_comments, "each public function has a comment"),
    "suspension": (manual.check_suspension, "what may suspend is marked; its comment says when and what a cancel does"),
    "notes": (words.check_notes, "no notes of unfinished work"),
    "file-names": (words.check_file_names, "no file or folder with a name that means nothing"),
    "commented-code": (words.check_commented_code, "no code in comments, none switched off"),
    "licences": (words.check_licences, "no licence blocks and no authors in files"),
    "white-space": (words.check_white_space, "no trailing white space, no tabs in C, a newline at the end"),
    "absolute-paths": (words.check_absolute_paths, "no paths of one machine"),
    "workplace": (words.check_workplace, "no words of a workplace"),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--list", action="store_true", help="name the checks")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parents[2], help="another tree")
    parser.add_argument("checks", nargs="*", metavar="CHECK", help="only these")
    chosen = parser.parse_args()
    unknown = set(chosen.checks) - set(CHECKS)
    if unknown:
        parser.error(f"there is no check called {', '.join(sorted(unknown))}; --list names them")
    if chosen.list:
        for name, (_, claim) in CHECKS.items():
            print(f"{name:16} {claim}")
        return 0

    tree = Tree(chosen.root)
    names = chosen.checks or list(CHECKS)
    failed = 0
    for name in names:
        findings = list(CHECKS[name][0](tree))
        failed += bool(findings)
        for source, line, what in findings:
            print(f"{source.path}:{line}: {what} [{name}]")
    print(shape.function_summary(tree))
    print(f"{len(names) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
