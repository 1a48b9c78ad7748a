#!/usr/bin/env python3
"""Runs clang-tidy over the tree as .clang-tidy says: each file once, though a build compiles some of them twice.

    tools/check/clang_tidy.py build [PART...]       # the files of src, tools, fuzz and examples, or those named so
"""

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("src/", "tools/", "fuzz/", "examples/")


def commands(build):
    """One command for each file of ours."""
    found = {}
    for command in json.loads((build / "compile_commands.json").read_text()):
        file = (Path(command["directory"]) / command["file"]).resolve()
        name = str(file.relative_to(ROOT)) if file.is_relative_to(ROOT) else ""
        if name.startswith(FOLDERS) and name.endswith(".c"):
            found.setdefault(name, command)
    return found


def check(database, file):
    done = subprocess.run(["clang-tidy", "-p", database, "--quiet", str(ROOT / file)], capture_output=True, text=True)
    return done.returncode == 0, done.stdout


def main():
    if len(sys.argv) < 2 or sys.argv[1].startswith("-"):
        print(__doc__)
        return 2
    found = commands(Path(sys.argv[1]).resolve())
    wanted = [name for name in sorted(found) if any(part in name for part in sys.argv[2:] or [""])]
    with tempfile.TemporaryDirectory() as database, ThreadPoolExecutor(os.cpu_count()) as workers:
        (Path(database) / "compile_commands.json").write_text(json.dumps([found[name] for name in wanted]))
        results = list(workers.map(lambda name: check(database, name), wanted))
    for clean, said in results:
        if not clean:
            print(said.rstrip())
    failed = sum(not clean for clean, _ in results)
    print(f"{len(results) - failed} passed, {failed} failed")
    return 1 if failed or not results else 0


if __name__ == "__main__":
    sys.exit(main())
