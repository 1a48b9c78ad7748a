"""The tree that is checked: its files, and C text with what is not code blanked out, line for line."""

import re
import subprocess
from functools import cached_property
from pathlib import Path, PurePosixPath

NOT_CODE = re.compile(r'/\*.*?\*/|//(?:\\\n|[^\n])*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.S)
DIRECTIVE = re.compile(r"^[ \t]*#(?:\\\n|[^\n])*", re.M)
EXTERN_C = re.compile(r"extern\s*\"[^\"]*\"\s*\{")


def blank(match):
    """Spaces of the same shape, so that every line keeps its number and its columns."""
    return re.sub(r"[^\n]", " ", match.group())


def blank_comment(match):
    return blank(match) if match.group().startswith("/") else match.group()


class Function:
    """A definition: its name, the line of its opening brace, the line of the closing one, and what is in between."""

    def __init__(self, name, first, last, body):
        self.name, self.first, self.last, self.body = name, first, last, body

    @property
    def length(self):
        return max(self.last - self.first - 1, 0)


class Source:
    """One file: `path` is relative to the root of the tree."""

    def __init__(self, root, path):
        self.path = PurePosixPath(path)
        self.file = root / path
        self.text = self.file.read_text(encoding="utf-8", errors="replace")

    @property
    def folder(self):
        return str(self.path.parent)

    @property
    def is_c(self):
        return self.path.suffix in (".c", ".h")

    @property
    def is_program_text(self):
        return self.path.suffix in (".c", ".h", ".S", ".cpp", ".hpp", ".py", ".sh", ".go", ".rs", ".build")

    def under(self, *folders):
        return any(str(self.path).startswith(folder + "/") for folder in folders)

    @cached_property
    def lines(self):
        return self.text.split("\n")

    @cached_property
    def uncommented(self):
        """Without comments; strings stay."""
        return NOT_CODE.sub(blank_comment, self.text)

    @cached_property
    def code(self):
        """Without comments, contents of strings, and preprocessor lines."""
        return DIRECTIVE.sub(blank, NOT_CODE.sub(blank, EXTERN_C.sub(blank, self.text)))

    @cached_property
    def comments(self):
        """(line number, text) of every comment."""
        found = (m for m in NOT_CODE.finditer(self.text) if m.group().startswith("/"))
        return [(self.line_at(m.start()), m.group()) for m in found]

    def line_at(self, offset):
        return self.text.count("\n", 0, offset) + 1

    @cached_property
    def functions(self):
        """Blocks at the outermost level that follow a parenthesis. A macro that defines a function counts too."""
        found, depth, start = [], 0, 0
        for brace in re.finditer(r"[{}]", self.code):
            if brace.group() == "{":
                if depth == 0:
                    start = brace.start()
                depth += 1
            elif depth > 0:
                depth -= 1
                if depth == 0 and self.code[:start].rstrip().endswith(")"):
                    found.append(self.function(start, brace.start()))
        return found

    def function(self, start, end):
        head = re.split(r"[;}]", self.code[max(0, start - 1000):start])[-1]
        names = re.findall(r"(\w+)\s*\(", re.sub(r"__attribute__\s*\(\(.*?\)\)\s", " ", head, flags=re.S))
        return Function(names[0] if names else "?", self.line_at(start), self.line_at(end), self.code[start:end])


class Tree:
    def __init__(self, root):
        self.root = Path(root)
        self.sources = []
        for path in sorted(self.list_files()):
            file = self.root / path
            if path.startswith("fuzz/corpus/"):
                continue  # bytes, whatever they look like
            if file.is_file() and not file.is_symlink() and b"\0" not in file.read_bytes()[:8000]:
                self.sources.append(Source(self.root, path))

    def list_files(self):
        """What git has and would take; every file where there is no git."""
        command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        listed = subprocess.run(command, cwd=self.root, capture_output=True, text=True)
        if listed.returncode == 0:
            return set(filter(None, listed.stdout.split("\0")))
        files = (f.relative_to(self.root) for f in self.root.rglob("*") if f.is_file())
        return {str(f) for f in files if not f.parts[0].startswith((".", "build")) and "__pycache__" not in f.parts}

    def c(self, *folders):
        return [s for s in self.sources if s.is_c and (not folders or s.under(*folders))]

    def has(self, path):
        return (self.root / path).is_file()
