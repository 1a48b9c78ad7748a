#!/usr/bin/env python3
"""Makes a page of section 3 from a public header, which is the manual: generate.py include/weft/NAME.h weft_NAME.3"""

import re
import sys
from pathlib import Path

PRIVATE = "/* ---- What the macros stand on"
SECTION = re.compile(r"^/\* ---- (.*?) ---- \*/$")
COMMENT = re.compile(r"\A/\*(.*?)\*/\n?", re.S)
VERSION = re.compile(r'#define WF_VERSION "(.*?)"')
MACRO = re.compile(r"#define (\w+)(\([^)]*\))?(.*)", re.S)


def roff(text):
    """Text that roff leaves as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"(?m)^([.'])", r"\\&\1", text)


def comment_lines(comment):
    return [re.sub(r"^ ?\* ?", "", line.strip()) for line in comment.strip().splitlines()]


def prose(lines):
    """Paragraphs, lines that begin with a tag (`Errors:`), and blocks indented by four as examples."""
    out, example = [], False
    for line in lines:
        if line.startswith("    "):
            out += [] if example else [".PP", ".EX"]
            out.append(roff(line))
            example = True
            continue
        if example and line == "":
            out.append("")
            continue
        if example:
            out += [".EE", ".PP"]
            example = False
        if line == "":
            out.append(".PP")
            continue
        if re.match(r"(Suspends|On cancel|Owns|Errors|Threads): ", line):
            out.append(".br")
        out.append(roff(line))
    return out + ([".EE"] if example else [])


def without_private_members(declaration):
    """Names that end with an underscore are nobody's business, and a line of a struct that declares one goes."""
    lines = [line for line in declaration.splitlines() if not re.search(r"^\s.*\w_(\[\w*\])?[,;]", line)]
    return re.sub(r"\{\n\}", "{ ... }", "\n".join(lines))


def visible(declaration):
    """What a reader should see of a paragraph of code, or nothing."""
    macro = MACRO.match(declaration)
    if macro:
        name, arguments, value = macro.groups()
        if name.endswith("_") or name.endswith("_H"):
            return ""
        if arguments:
            return name + arguments
        return f"#define {name}" + (value if "\n" not in value else "")
    if re.match(r"(struct|enum) \w+_ \{", declaration):
        return ""
    shown = without_private_members(declaration)
    shown = re.sub(r"\b(WF_API|WF_SUSPENDS|WF_UNCANCELLABLE|WF_CHECKED)\s+", "", shown)
    shown = re.sub(r"\s*\bWF_PRINTF_\(.*?\)", "", shown)
    if shown.startswith("static inline"):
        shown = shown[len("static inline "):].split("\n{")[0] + ";"
    names = re.findall(r"(\w+)\s*\(", shown)
    return "" if names and names[0].endswith("_") and "{" not in shown else shown


def statements(code):
    """A paragraph may hold several macros and declarations with comments of their own between them."""
    pieces = re.split(r"\n(?=#define |/\*|WF_API |static inline )", code)
    return [piece.strip("\n") for piece in pieces if piece.strip()]


def paragraphs(text):
    for paragraph in re.split(r"\n\n+", text):
        for piece in statements(paragraph):
            comment = COMMENT.match(piece)
            if comment:
                yield "comment", comment.group(1) if not SECTION.match(piece) else piece
                piece = piece[comment.end():]
            if piece.strip():
                yield "code", piece.strip("\n")


def body(text):
    out = []
    held = []  # a comment stands before what it is about, and is shown after it
    for kind, piece in paragraphs(text):
        if kind == "comment":
            out += held
            section = SECTION.match(piece)
            if section:
                out.append(f'.SS "{roff(section.group(1))}"')
            held = [] if section else prose(comment_lines(piece))
            continue
        if re.match(r"#(include|if|endif|ifndef)|extern \"C\"|\}|\{|struct \w+;", piece):
            continue
        shown = visible(piece)
        if shown:
            out += [".PP", ".nf", "\\fB" + roff(shown).replace("\n", "\\fR\n\\fB") + "\\fR", ".fi", ".RS 4"]
            out += held + [".RE"]
        held = []
    return out + held


def page(header):
    text = header.read_text()
    version = VERSION.search((header.parent / "base.h").read_text()).group(1)
    head = COMMENT.match(text)
    lines = comment_lines(head.group(1))
    purpose = re.split(r"(?<=[.:])\s", " ".join(lines).strip())[0].rstrip(".:")
    rest = text[head.end():].split(PRIVATE)[0]
    out = [f'.TH WEFT_{header.stem.upper()} 3 "" "weft {version}" "weft"', ".SH NAME",
           f"weft_{header.stem} \\- {roff(purpose[0].lower() + purpose[1:])}", ".SH SYNOPSIS",
           f".B #include <weft/{header.name}>", ".SH DESCRIPTION", *prose(lines), *body(rest),
           ".SH SEE ALSO", ".BR weft (7),", ".BR weft_errors (7)"]
    return "\n".join(out) + "\n"


def main():
    if len(sys.argv) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    Path(sys.argv[2]).write_text(page(Path(sys.argv[1])))
    return 0


if __name__ == "__main__":
    sys.exit(main())
