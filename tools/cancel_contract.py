#!/usr/bin/env python3
"""Writes docs/cancel-contract.md: what may suspend, and what a cancel does to it, from the public headers.

    tools/cancel_contract.py            # after a mark, a tag or a function was changed
    tools/cancel_contract.py --check    # is the committed file what it should be, and is the contract tested?

Every public function, and every public macro that reaches into the library, stands in exactly one line of the tests
(tests/.../*contract_test.c): REFUSED if it is marked WF_SUSPENDS, COMPLETES if WF_UNCANCELLABLE too, else STAYS. The
test kit (testing.h, peer.h, sim.h) and the same words for C++ (cxx*.h) are exempt.
"""

import argparse
import re
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tools" / "tidy"))
sys.dont_write_bytecode = True

import manual  # noqa: E402
from source import Tree  # noqa: E402

CONTRACT = ROOT / "docs" / "cancel-contract.md"
EXEMPT = {"testing.h", "peer.h", "sim.h", *(path.name for path in (ROOT / "include/weft").glob("cxx*.h"))}
TAG = re.compile(r"\b(Suspends|On cancel|Owns|Errors|Threads|Use): ")
LINE = re.compile(r"\b(REFUSED|COMPLETES|STAYS)\(\s*(\w+)\s*,")

HEAD = """# What a cancel does to each call

Written from the public headers by `tools/cancel_contract.py`; the tests hold it for every function. What may suspend
says when. Called in a cancelled scope it returns `-ECANCELED` at once and changes nothing, and *on cancel* is what is
true when the cancel comes while it waits; only what *goes on waiting* is not cut short, in either case. Everything else
never suspends, and works in a cancelled scope as anywhere. *Owns* is who has what, or the call that gives it back.
"""


@dataclass
class Call:
    """A function or macro that users call."""

    header: str
    line: int
    name: str
    comment: str
    suspends: bool
    goes_on: bool
    parameters: str = ""

    @property
    def kind(self):
        return "COMPLETES" if self.goes_on else "REFUSED" if self.suspends else "STAYS"

    def tag(self, name):
        """The text of a tag, up to the next one."""
        words = re.sub(r"^\s*(?:/\*+|\*)?", "", self.comment.split("*/")[0], flags=re.M)
        parts = TAG.split(" ".join(words.split()))
        return dict(zip(parts[1::2], parts[2::2])).get(name, "").strip().rstrip(".")


def reached(text, macros, functions, seen):
    """The functions of the library that an expansion of this text names."""
    for name in re.findall(r"\b[wW][fF]_\w+", text):
        if name in seen:
            continue
        seen.add(name)
        if name in functions:
            yield functions[name]
        elif name in macros:
            yield from reached(macros[name].body, macros, functions, seen)


def read_calls(tree):
    headers = [source for source in tree.c("include") if source.path.name not in EXEMPT]
    functions, macros = {}, {}
    for source in headers:
        for entry in [*manual.functions(source), *manual.inlines(source)]:
            functions[entry.name] = entry
        macros.update({entry.name: entry for entry in manual.macros(source)})
    for entry in [*functions.values(), *macros.values()]:
        inside = [entry] if entry.name in functions else list(reached(entry.body, macros, functions, {entry.name}))
        marked = [function for function in inside if "WF_SUSPENDS" in function.text]
        goes_on = bool(marked) and all("WF_UNCANCELLABLE" in function.text for function in marked)
        if manual.public_name(entry.name) and inside:
            yield Call(entry.source.path.name, entry.line, entry.name, entry.comment, bool(marked), goes_on, entry.text)


def read_tests(tree):
    """name -> [(kind, place)] of every line of the contract tests."""
    lines = {}
    for source in tree.c("tests"):
        if source.path.name.endswith("contract_test.c"):
            for match in LINE.finditer(source.uncommented):
                place = f"{source.path}:{source.line_at(match.start())}"
                lines.setdefault(match.group(2), []).append((match.group(1), place))
    return lines


def what_is_wrong(calls, lines):
    for call in calls:
        place = f"include/weft/{call.header}:{call.line}"
        found = lines.pop(call.name, [])
        for tag in ("Suspends", "On cancel"):
            if call.suspends and not call.tag(tag):
                yield f"{place}: {call.name} may suspend; its comment needs `{tag}:`"
        if "timeout" in call.parameters:
            yield f"{place}: {call.name} takes a timeout; deadlines belong to scopes"
        if not found:
            yield f"{place}: {call.name} is in no contract test; write {call.kind}({call.name}, ...)"
        for kind, line in found[1:]:
            yield f"{line}: {call.name} is in a contract test already, at {found[0][1]}"
        if found and found[0][0] != call.kind:
            yield f"{found[0][1]}: {call.name} must be {call.kind}, by its marks at {place}; one of the two is wrong"
    for name, found in lines.items():
        yield f"{found[0][1]}: there is no public function or macro {name}"


def row(call):
    suspends = call.tag("Suspends") if call.suspends else "never"
    cells = [f"`{call.name}`", suspends, call.tag("On cancel"), call.tag("Owns")]
    return " ".join(f"| {text}".rstrip().replace("\n", " ") for text in cells) + " |"


def document(calls):
    lines = [HEAD.rstrip()]
    for header in sorted({call.header for call in calls}):
        inside = sorted((call for call in calls if call.header == header), key=lambda call: call.line)
        lines += ["", f"## {header}"]
        told = [call for call in inside if call.suspends or call.tag("Owns")]
        if told:
            lines += ["", "| call | suspends | on cancel | owns |", "|---|---|---|---|"]
        lines += [row(call) for call in told]
        never = [f"`{call.name}`" for call in inside if call not in told]
        if never:
            lines += ["", *textwrap.wrap(f"Never suspends: {', '.join(never)}.", 120)]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing; say what is missing, wrong or stale")
    chosen = parser.parse_args()

    tree = Tree(ROOT)
    calls = list(read_calls(tree))
    wrong = list(what_is_wrong(calls, read_tests(tree)))
    text = document(calls)
    if not chosen.check:
        CONTRACT.write_text(text, encoding="utf-8")
    elif not CONTRACT.is_file() or CONTRACT.read_text(encoding="utf-8") != text:
        wrong.append(f"{CONTRACT.relative_to(ROOT)} is stale; run tools/{Path(__file__).name}")
    for what in wrong:
        print(what)
    print(f"{len(calls)} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
