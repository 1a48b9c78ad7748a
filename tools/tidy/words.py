"""Words, names and characters that do not belong into the tree. The patterns are written so as to miss themselves."""

import re

NOTE = re.compile(r"\b(TO[D]O|FIX[M]E|XX[X]|HAC[K])\b")
NAMES = {"util", "utils", "common", "internal", "helper", "helpers", "misc"}
LICENCE = re.compile(r"copy[r]ight\b.{0,20}\d{4}|SPDX-[L]icense|licen[s]ed under|all rights [r]eserved|"
                     r"permission is hereby [g]ranted", re.I)
AUTHOR = re.compile(r"[@\\]auth[o]r\b|^\W*auth[o]rs?:", re.I)
ABSOLUTE = re.compile(r"(?<![\w.}~$-])/(?:wor[k]|roo[t]|hom[e])/")

WORKPLACE = re.compile(r"\bartifac[t]ory\b|\b(?:registr[y]|mirro[r]s?|prox[y])\.[a-z][\w-]*\.[a-z]{2,}|"
                       r"https?://[\w.-]+\.(?:interna[l]|cor[p]|intrane[t]|la[n])\b|"
                       r"https?://(?:10|192\.168|172\.(?:1[6-9]|2\d|3[01]))\.\d", re.I)
SITTING = re.compile(r"\bsessio[n]s?\b", re.I)
# A protocol may have them, work on the project has none to speak of.
PROTOCOL = re.compile(r"\b(?:TLS|SSL|HTTP|h2|nghttp2|cookies?|log ?in|users?|tickets?|resum\w*|setsid|terminal|redis|"
                      r"postgres\w*|sql(?:ite|alchemy)|database|servers?|clients?|peers?|connections?|streams?|"
                      r"custody)\b", re.I)

# Lines of a comment that are C: a call, an assignment, a jump, the head of a block, a brace, a directive.
CODE_LINE = re.compile(r"(?:[a-z_]\w*\([^()]*(?:\([^()]*\))?[^()]*\);|"
                       r"(?:[a-z_][\w ]*[ *])?[a-z_][\w.>\[\]-]* [-+|&]?= .*;|"
                       r"(?:return|goto)\b[^,]*[\w)];(?<=[)\d_A-Z];)|(?:break|continue);|"
                       r"(?:if|for|while|switch) \(.*\)(?: \{|.*;)|\}(?: else.*)?|\{|"
                       r"#\s*(?:include\s*[<\"]|define\s+\w|if(?:n?def)?\s+\w|endif).*)$")
PYTHON_CODE_LINE = re.compile(r"#\s*(?:import \w+$|from \w+ import \w|def \w+\(.*:$|print\(.*\)$|return \w+\(.*\)$|"
                              r"\w+ = \w+[(\[.].*[)\]]$)")


def each_line(tree, pattern, say, wanted=lambda source: True):
    for source in tree.sources:
        if not wanted(source):
            continue
        for number, line in enumerate(source.lines, 1):
            match = pattern.search(line)
            if match:
                yield source, number, say(match.group().strip())


def check_notes(tree):
    return each_line(tree, NOTE, lambda word: f"`{word}` leaves work undone; do it, or say why it is right as it is")


def check_file_names(tree):
    for source in tree.sources:
        parts = [*source.path.parts[:-1], source.path.name.split(".")[0]]
        for part in parts:
            if part.lower() in NAMES:
                yield source, 1, f"the name `{part}` says nothing; name the file after the idea it holds"


def comment_lines(source):
    for first, text in source.comments:
        for offset, line in enumerate(text.split("\n")):
            yield first + offset, line


def check_commented_code(tree):
    """Examples are indented by four and more; code that was put out of use keeps to the comment's margin."""
    for source in tree.c():
        for number, line in comment_lines(source):
            stripped = re.sub(r"^\s*(?://|/\*+|\*(?!/))?|\*/\s*$", "", line)
            content = stripped.strip()
            if not re.match(r" {4,}\S", stripped) and len(content) > 1 and CODE_LINE.match(content):
                yield source, number, "code in a comment; delete it, or indent it by four where it is an example"
        for number, line in enumerate(source.lines, 1):
            if re.match(r"\s*#\s*if\s+0\b", line):
                yield source, number, "code that is never compiled; delete it"
    for source in tree.sources:
        if source.path.suffix == ".py":
            for number, line in enumerate(source.lines, 1):
                if PYTHON_CODE_LINE.match(line.strip()):
                    yield source, number, "code in a comment; delete it"


def check_licences(tree):
    elsewhere = lambda source: not source.path.name.upper().startswith(("LICEN", "COPYING"))  # noqa: E731
    yield from each_line(tree, LICENCE, lambda _: "a licence block; LICENSE says it once for all files", elsewhere)
    yield from each_line(tree, AUTHOR, lambda _: "names an author; the history knows, delete it", elsewhere)


def check_white_space(tree):
    for source in tree.sources:
        if source.text and not source.text.endswith("\n"):
            yield source, len(source.lines), "no newline at the end; add one"
        for number, line in enumerate(source.lines, 1):
            if line != line.rstrip():
                yield source, number, "trailing white space; delete it"
            elif "\t" in line and source.path.suffix in (".c", ".h", ".S", ".cpp", ".hpp"):
                yield source, number, "a tab; use spaces"


def check_absolute_paths(tree):
    return each_line(tree, ABSOLUTE, lambda path: f"{path}... is a path of one machine; make it relative, or an option")


def check_workplace(tree):
    yield from each_line(tree, WORKPLACE, lambda word: f"`{word}` is of a workplace; leave it out")
    for source in tree.sources:
        lines = comment_lines(source) if source.is_c else enumerate(source.lines, 1)
        for number, line in lines:
            if SITTING.search(line) and not PROTOCOL.search(line):
                yield source, number, "a word of a workplace; say whose it is (TLS, HTTP, ...), or leave it out"
