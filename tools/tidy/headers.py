"""Every header compiles by itself: the public ones strictly, as C and as C++; the private ones as the library does."""

import subprocess
from concurrent.futures import ThreadPoolExecutor

ALONE = ["-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-Iinclude"]
PUBLIC = [
    ["gcc", "-std=c11", "-x", "c", "-pedantic", "-Wshadow", *ALONE],
    ["g++", "-std=c++17", "-x", "c++", *ALONE],
]
# The last folder is where Debian keeps the header of llhttp.
LLHTTP = ["-idirafter", "/usr/share/include/llhttp"]
PRIVATE = [["gcc", "-std=gnu11", "-x", "c", "-D_GNU_SOURCE", *ALONE, "-Isrc", *LLHTTP]]


def complaint(root, command, name):
    """The first thing the compiler says about a file that includes nothing else, or None."""
    try:
        done = subprocess.run([*command, "-"], cwd=root, input=f"#include <{name}>\n", capture_output=True, text=True)
    except FileNotFoundError:
        return f"{command[0]} is not installed"
    if done.returncode == 0:
        return None
    said = [line for line in done.stderr.splitlines() if "error" in line]
    return (said or ["it does not compile"])[0]


def compile_alone(tree, folder, commands):
    headers = [source for source in tree.c(folder) if source.path.suffix == ".h"]
    jobs = [(source, command) for source in headers for command in commands]

    def run(job):
        return complaint(tree.root, job[1], job[0].path.relative_to(folder))

    with ThreadPoolExecutor(2) as workers:
        for (source, command), said in zip(jobs, workers.map(run, jobs)):
            if said:
                yield source, 1, f"does not compile alone ({command[0]} {command[1]}); include what it needs: {said}"


def check_public_headers(tree):
    return compile_alone(tree, "include", PUBLIC)


def check_private_headers(tree):
    return compile_alone(tree, "src", PRIVATE)
