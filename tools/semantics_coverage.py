#!/usr/bin/env python3
"""Writes docs/semantics-coverage.md: each rule of docs/semantics.md, and the tests that prove it.

    tools/semantics_coverage.py BUILD            # after a test was tagged or a rule was changed
    tools/semantics_coverage.py BUILD --check    # is the committed file what it should be, and has every rule its test?

A test names its rules: WF_TEST(claim, .rule = "1.3 3.3.2"). What a rule marks *(planned)* is listed as not there yet; a
rule that begins with such a mark needs no test.
"""

import argparse
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
RULES, COVERAGE = ROOT / "docs" / "semantics.md", ROOT / "docs" / "semantics-coverage.md"

CHAPTER = re.compile(r"## (\d+)\. (.+)")
RULE = re.compile(r"(\d+)\. (.*)")
SUBRULE = re.compile(r"   (\d+)\. (.*)")
PLANNED = re.compile(r"\s*\*\(planned\)\*", re.I)
FIRST_WORDS_MAX = 90

HEAD = """# Which test proves which rule

Each numbered rule of [semantics.md](semantics.md), by its first words, and the tests that prove it, by file and name.
What is *not there yet* is marked as planned in the rule. Written by `tools/semantics_coverage.py`.
"""


@dataclass
class Rule:
    number: str
    text: str
    tests: list = field(default_factory=list)

    @property
    def first_words(self):
        text = PLANNED.sub("", self.text)
        if len(text) <= FIRST_WORDS_MAX:
            return text
        return text[:FIRST_WORDS_MAX].rsplit(" ", 1)[0].rstrip(",;:(") + " …"

    @property
    def planned(self):
        return [clause_around(self.text, mark) for mark in PLANNED.finditer(self.text)]

    @property
    def is_planned(self):
        """The rule begins with the mark: nothing before it but its subject."""
        mark = PLANNED.search(self.text)
        return bool(mark) and not re.search(r"[.;:]\s", self.text[:mark.start()])


def clause_around(text, mark):
    """What the mark is about: the words before it, back to where their clause begins; else those after it."""
    depth, start = 0, mark.start()
    while start > 0:
        character = text[start - 1]
        if character == ")":
            depth += 1
        elif character == "(" and depth == 0:
            break
        elif character == "(":
            depth -= 1
        elif depth == 0 and (character == "|" or (character in ".;:" and text[start:start + 1] == " ")):
            break
        start -= 1
    before = text[start:mark.start()].strip()
    return before or re.split(r"\.(?:\s|$)", text[mark.end():].lstrip(": "))[0]


def read_rules(text):
    """The chapters, each with its rules; a rule inside a rule is one of its own."""
    chapters, rule = [], None
    for line in text.splitlines():
        chapter, outer, inner = CHAPTER.match(line), RULE.match(line), SUBRULE.match(line)
        if line.startswith("## "):
            rule = None
        if chapter:
            chapters.append((chapter.group(1), chapter.group(2), []))
        elif chapters and outer:
            rule = Rule(f"{chapters[-1][0]}.{outer.group(1)}", outer.group(2))
            chapters[-1][2].append(rule)
        elif rule and inner:
            above = ".".join(rule.number.split(".")[:2])
            rule = Rule(f"{above}.{inner.group(1)}", inner.group(2))
            chapters[-1][2].append(rule)
        elif rule:
            rule.text = f"{rule.text} {line.strip()}".strip()
    return chapters


def list_tests(build):
    """(file, line, claim, rules) of every test of the built suites."""
    for suite in sorted((build / "tests").rglob("*_test")):
        listed = subprocess.run([str(suite), "--list", "--verbose"], capture_output=True, text=True, check=True)
        for line in listed.stdout.splitlines():
            claim, rules, place = line.split("\t")
            file, number = place.rsplit(":", 1)
            file = (build / file).resolve() if not file.startswith("/") else Path(file)
            yield str(file.relative_to(ROOT)), int(number), claim, rules.split()


def attach_tests(rules, build):
    """Gives what is wrong with the tags."""
    by_number = {rule.number: rule for rule in rules}
    for file, line, claim, numbers in sorted(list_tests(build)):
        for number in numbers:
            if number in by_number:
                by_number[number].tests.append((file, claim))
            else:
                yield f"{file}:{line}: {claim} proves rule {number}, which docs/semantics.md does not have"


def document(chapters):
    lines = [HEAD.rstrip()]
    for number, title, rules in chapters:
        lines += ["", f"## {number}. {title}"]
        for rule in rules:
            lines += ["", f"**{rule.number}** {rule.first_words}", ""]
            lines += [f"- `{file}`: {claim}" for file, claim in rule.tests]
            lines += [f"- not there yet: {clause}" for clause in rule.planned]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", metavar="BUILD", type=lambda path: Path(path).resolve(), help="a build directory")
    parser.add_argument("--check", action="store_true", help="write nothing; say what is missing or stale")
    chosen = parser.parse_args()

    chapters = read_rules(RULES.read_text(encoding="utf-8"))
    rules = [rule for _, _, inside in chapters for rule in inside]
    wrong = list(attach_tests(rules, chosen.build))
    unproved = [rule for rule in rules if not rule.tests and not rule.is_planned]
    wrong += [f"rule {rule.number} has no test: {rule.first_words}" for rule in unproved]
    text = document(chapters)
    if not chosen.check:
        COVERAGE.write_text(text, encoding="utf-8")
    elif not COVERAGE.is_file() or COVERAGE.read_text(encoding="utf-8") != text:
        wrong.append(f"{COVERAGE.relative_to(ROOT)} is stale; run tools/{Path(__file__).name} BUILD")
    for what in wrong:
        print(what)
    print(f"{len(rules) - len(unproved)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
