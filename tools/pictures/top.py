#!/usr/bin/env python3
"""Draws docs/pictures/weft-top.svg: what `weft top` shows of a program that has something to do.

    tools/pictures/top.py BUILD

The program is tests/inspect/target.c of the build. The picture is the screen, character by character.
"""

import subprocess
import sys
from pathlib import Path
from xml.sax.saxutils import escape

from screen import Terminal

ROOT = Path(__file__).resolve().parents[2]
LINES, COLUMNS = 14, 150
WIDTH, HEIGHT, MARGIN = 7.8, 17, 14    # of a character, in pixels
STYLES = {"": ("#d8dee9", None), "dim": ("#7b88a1", None), "reverse": ("#2e3440", "#88c0d0")}


def runs_of(row):
    """Pieces of a line that have the same style: where they begin, the text, the style."""
    at = 0
    while at < len(row):
        end = at
        while end < len(row) and row[end][1] == row[at][1]:
            end += 1
        yield at, "".join(character for character, _ in row[at:end]), row[at][1]
        at = end


def draw(screen):
    width, height = COLUMNS * WIDTH + 2 * MARGIN, LINES * HEIGHT + 2 * MARGIN
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
             f'viewBox="0 0 {width:.0f} {height:.0f}">',
             f'<rect width="{width:.0f}" height="{height:.0f}" rx="8" fill="#2e3440"/>',
             '<g font-family="DejaVu Sans Mono, Menlo, Consolas, monospace" font-size="13" xml:space="preserve">']
    for line, row in enumerate(screen.cells):
        top = MARGIN + line * HEIGHT
        for at, text, style in runs_of(row):
            colour, background = STYLES[style]
            left = MARGIN + at * WIDTH
            if background:
                parts.append(f'<rect x="{left:.1f}" y="{top}" width="{len(text) * WIDTH:.1f}" height="{HEIGHT}" '
                             f'fill="{background}"/>')
            if text.strip():
                parts.append(f'<text x="{left:.1f}" y="{top + 13}" fill="{colour}" '
                             f'textLength="{len(text.rstrip()) * WIDTH:.1f}">{escape(text.rstrip())}</text>')
    return "\n".join([*parts, "</g>", "</svg>"]) + "\n"


def main():
    build = Path(sys.argv[1]).resolve()
    program = subprocess.Popen([str(build / "tests" / "inspect_target"), "work"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE)
    try:
        program.stdout.readline()
        terminal = Terminal([str(build / "weft"), "top", str(program.pid)], LINES, COLUMNS)
        terminal.type("jj")
        terminal.until(lambda text: "    3." in text)
        picture = draw(terminal.screen)
        terminal.close()
    finally:
        program.kill()
        program.wait()
    pictures = ROOT / "docs" / "pictures"
    pictures.mkdir(exist_ok=True)
    (pictures / "weft-top.svg").write_text(picture, encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main()
