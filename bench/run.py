#!/usr/bin/env python3
"""Measures weft beside its floors and its peers, prints a table and writes <build directory>/bench/report.json.

    python3 bench/run.py --build-dir build                     # the reported run: everything, 11 rounds
    python3 bench/run.py --build-dir build --only 'echo_*'     # some of it
    python3 bench/run.py --build-dir build --quick             # does it work at all: 1 round, small

README.md says what is measured and how it is judged.
"""

import argparse
import os
import sys
from fnmatch import fnmatch
from pathlib import Path

sys.dont_write_bytecode = True

from harness import plan, processes, report, sampling  # noqa: E402
from harness.build import Builder, say  # noqa: E402


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--build-dir", type=Path, default=Path("build"), help="where weft was built")
    parser.add_argument("--rounds", type=int, help="interleaved rounds (default 11; fewer are no reported run)")
    parser.add_argument("--only", action="append", default=[], metavar="NAME", help="a measurement or a pattern")
    parser.add_argument("--quick", action="store_true", help="a smoke run: 1 round, small counts, figures mean little")
    parser.add_argument("--allow-missing", action="store_true", help="go on without contestants that cannot be built")
    parser.add_argument("--list", action="store_true", help="print the names of the measurements")
    chosen = parser.parse_args()
    chosen.rounds = chosen.rounds or (1 if chosen.quick else 11)
    return chosen


def names_of(everything, patterns):
    """The measurements that match; a pattern that matches none is kept, to be complained about."""
    known = [entry.name for group in everything for entry in group.entries]
    names = []
    for pattern in patterns:
        names += [name for name in known if fnmatch(name, pattern)] or [pattern]
    return names


def warn_about_the_machine():
    busy = os.getloadavg()[0]
    if busy > 0.5:
        say(f"warning: the machine is busy (load {busy:.1f}); ratios will hold better than absolute values")
    if len(set(processes.processors())) < 2:
        say("warning: one processor only: the load client disturbs the servers it measures")


def tell_problems(problems):
    if not problems:
        return
    print("\n" + "!" * 100, file=sys.stderr)
    for problem in problems:
        print(f"!! {problem}", file=sys.stderr)
    print("!" * 100, file=sys.stderr, flush=True)


def main():
    chosen = arguments()
    everything = plan.groups(chosen.quick)
    if chosen.list:
        print(*(entry.name for group in everything for entry in group.entries), sep="\n")
        return 0
    try:
        groups = plan.select(everything, names_of(everything, chosen.only))
    except ValueError as error:
        say(error)
        return 2

    builder = Builder(chosen.build_dir)
    samples = sampling.Samples()
    absent = sampling.build_contestants(builder, groups, samples)
    if absent and not chosen.allow_missing:
        tell_problems(samples.problems)
        say("nothing was measured: a reported run skips no contestant. tools/packages.sh bench installs them; "
            "--allow-missing goes on without")
        return 1

    for warning in builder.warnings():
        say(f"warning: {warning}")
    warn_about_the_machine()
    processes.raise_descriptor_limit()
    sampling.take_samples(builder, groups, chosen.rounds, absent, samples)

    entries = report.report(samples, groups)
    report.write(builder.output / "report.json", entries)
    report.write(builder.output / "samples.json", report.all_samples(samples, groups))
    print(report.table(entries))
    tell_problems(samples.problems)
    if samples.problems and not chosen.allow_missing:
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
