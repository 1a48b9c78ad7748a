"""The public headers are the manual: every function has its comment, and marks and tags agree."""

import re

DECLARATION = re.compile(r"^WF_API\b[^;{]*", re.M)
INLINE = re.compile(r"^((?:WF_\w+\s+)*)static inline\b([^;{]*)", re.M)
MACRO = re.compile(r"^#define (\w+)\((?:\\\n|[^\n])*", re.M)
NAME = re.compile(r"(\w+)\s*\(")
NEVER = re.compile(r"Suspends: never\s*(?:[.;]|\*/|$)")


class Entry:
    """A function or a function-like macro that a user calls, with the comment of its paragraph."""

    def __init__(self, source, offset, name, text, body=""):
        self.source, self.line, self.name, self.text, self.body = source, source.line_at(offset), name, text, body
        paragraph = source.text.rfind("\n\n", 0, offset) + 2
        before = source.text[paragraph:offset]
        self.comment = before[before.rfind("/*"):] if "/*" in before else ""
        if "//" in before and not self.comment:
            self.comment = before
        self.marked = "WF_SUSPENDS" in text
        self.never = bool(NEVER.search(self.comment))


def public_name(name):
    return not name.endswith("_")


def functions(source):
    for match in DECLARATION.finditer(source.uncommented):
        name = NAME.search(re.sub(r"__attribute__\s*\(\(.*?\)\)", "", match.group()))
        if name and "#define" not in match.group():
            yield Entry(source, match.start(), name.group(1), match.group())


def inlines(source):
    bodies = {function.first: function.body for function in source.functions}
    for match in INLINE.finditer(source.uncommented):
        name, brace = NAME.search(match.group(2)), source.text.find("{", match.end() - 1)
        if name:
            body = bodies.get(source.line_at(brace), "")
            yield Entry(source, match.start(), name.group(1), match.group(1), body)


def macros(source):
    for match in MACRO.finditer(source.uncommented):
        body = match.group()[match.group().find(")") + 1:]
        yield Entry(source, match.start(), match.group(1), "", body)


def check_comments(tree):
    for source in tree.c("include"):
        for entry in functions(source):
            if public_name(entry.name) and not entry.comment:
                yield source, entry.line, f"{entry.name} has no comment; say what it does, or end its name in `_`"


def calls(entry, names):
    return next((name for name in re.findall(r"\b\w+(?=\s*\()", entry.body) if name in names), None)


def check_suspension(tree):
    headers = tree.c("include")
    marked = {entry.name for source in headers for entry in functions(source) if entry.marked}
    for source in headers:
        for entry in filter(lambda e: public_name(e.name), functions(source)):
            if entry.marked:
                yield from missing_tags(entry)
            elif "Suspends:" in entry.comment and not entry.never:
                yield source, entry.line, f"{entry.name} says when it suspends; mark it WF_SUSPENDS"
        for entry in inlines(source):
            called = calls(entry, marked)
            if called and not entry.marked:
                yield source, entry.line, f"{entry.name} calls {called}, which suspends; mark it WF_SUSPENDS"
        for entry in filter(lambda e: public_name(e.name) and calls(e, marked), macros(source)):
            yield from missing_tags(entry)


def missing_tags(entry):
    if entry.never:
        yield entry.source, entry.line, f"{entry.name} says `Suspends: never` and may suspend; one of the two is wrong"
        return
    for tag in ("Suspends:", "On cancel:"):
        if tag not in entry.comment:
            yield entry.source, entry.line, f"{entry.name} may suspend; its comment needs `{tag}`"
