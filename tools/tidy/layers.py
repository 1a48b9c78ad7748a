"""Who may include whom: layers of src, headers that stay public, outsiders that know only the public ones."""

import posixpath
import re

# A folder includes from those above it. net, os and tls stand side by side.
LAYERS = [
    "base", "fiber", "core", "driver", "observe", "sync", "flow", "net os tls",
    "http", "client", "db", "rpc", "testing",
]
RANK = {folder: rank for rank, layer in enumerate(LAYERS) for folder in layer.split()}

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
SYSTEM_FOLDERS = {"sys", "net", "netinet", "arpa", "linux", "asm", "bits"}
OUTSIDERS = ("tools", "examples", "apps", "tests/consumers")


def includes(source):
    for match in INCLUDE.finditer(source.uncommented):
        yield source.line_at(match.start()), match.group(1) == "<", match.group(2)


def check_layers(tree):
    for source in tree.c():
        if source.under("src"):
            yield from inside(tree, source)
        elif source.under("include"):
            yield from public(source)
        elif source.under(*OUTSIDERS):
            yield from outsider(tree, source)
        elif source.under("tests", "fuzz"):
            yield from test(tree, source)


def inside(tree, source):
    parts = source.path.parts
    here = parts[1] if len(parts) > 2 else ""
    if here not in RANK:
        yield source, 1, f"src/{here} is no layer; put the file into one of: {' '.join(RANK)}"
        return
    for line, angled, name in includes(source):
        folder = name.split("/")[0]
        if not angled and not (folder in RANK and tree.has(f"src/{name}")):
            yield source, line, f'"{name}" is no header of src; write its folder too ("core/loop.h"), or use <>'
        elif tree.has(f"src/{name}") and folder in RANK and RANK[folder] > RANK[here]:
            yield source, line, f"{here} includes from {folder}, which is below it; turn the dependency round"


def public(source):
    for line, angled, name in includes(source):
        folder = posixpath.dirname(name)
        if not angled or (folder and folder != "weft" and folder.split("/")[0] not in SYSTEM_FOLDERS):
            yield source, line, f"a public header includes {name}; only <weft/...> and headers of the system may be"


def outsider(tree, source):
    for line, angled, name in includes(source):
        if angled and not tree.has(f"src/{name}"):
            continue
        target = posixpath.normpath(posixpath.join(source.folder, name))
        if angled or not tree.has(target) or target.split("/")[0] != source.path.parts[0]:
            yield source, line, f"{name} is private; a program outside the library includes <weft/...> only"


def test(tree, source):
    """A test may look inside, and says why: on the line, or above the first of such includes."""
    for line, _, name in includes(source):
        if not tree.has(f"src/{name}") or (source.file.parent / name).is_file():
            continue
        above = line - 1
        while above > 0 and source.lines[above - 1].lstrip().startswith("#include \""):
            above -= 1
        said = source.lines[line - 1] + (source.lines[above - 1] if above > 0 else "")
        if "/*" not in said and "//" not in said and "*/" not in said:
            yield source, line, f'"{name}" is private; say in a comment why the test needs it, or test from outside'
