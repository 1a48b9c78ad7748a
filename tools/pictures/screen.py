"""A program on a terminal of our own: what it shows is kept as lines of characters, and it is typed to."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time

SEQUENCE = re.compile(rb"\x1b\[(\??[\d;]*)([A-Za-z])|\x1b[78=>]")


class Screen:
    """As much of a terminal as `weft top` asks for."""

    def __init__(self, lines, columns):
        self.alternate = self.cursor_hidden = False
        self.resize(lines, columns)

    def resize(self, lines, columns):
        self.lines, self.columns = lines, columns
        self.cells = [[(" ", "")] * columns for _ in range(lines)]
        self.row = self.column = 0
        self.style = ""

    def feed(self, data):
        at = 0
        while at < len(data):
            found = SEQUENCE.match(data, at)
            if found:
                self.control((found.group(1) or b"").decode(), (found.group(2) or b"").decode())
                at = found.end()
                continue
            self.put(chr(data[at]))
            at += 1

    def put(self, character):
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self.row = min(self.row + 1, self.lines - 1)
        elif character >= " " and self.column < self.columns:
            self.cells[self.row][self.column] = (character, self.style)
            self.column += 1

    def control(self, values, letter):
        numbers = [int(value) for value in values.split(";") if value.isdigit()]
        if letter == "H":
            self.row, self.column = (numbers[0] - 1 if numbers else 0), (numbers[1] - 1 if len(numbers) > 1 else 0)
            self.row = min(self.row, self.lines - 1)
        elif letter == "K":
            self.clear(self.row, self.column)
        elif letter == "J":
            self.clear(self.row, self.column)
            for row in range(self.row + 1, self.lines):
                self.clear(row, 0)
        elif letter == "m":
            self.style = {0: "", 2: "dim", 7: "reverse"}.get(numbers[0] if numbers else 0, "")
        elif values == "?1049":
            self.alternate = letter == "h"
        elif values == "?25":
            self.cursor_hidden = letter == "l"

    def clear(self, row, column):
        self.cells[row][column:] = [(" ", "")] * (self.columns - column)

    def text(self):
        return "\n".join("".join(character for character, _ in row).rstrip() for row in self.cells)


class Terminal:
    """A program that runs on a screen."""

    def __init__(self, command, lines=24, columns=100, **options):
        self.screen = Screen(lines, columns)
        self.ours, self.its = pty.openpty()
        self.set_size(lines, columns)
        self.modes = termios.tcgetattr(self.its)
        self.process = subprocess.Popen(command, stdin=self.its, stdout=self.its, stderr=subprocess.PIPE,
                                        start_new_session=True, preexec_fn=self.take_terminal, **options)

    def take_terminal(self):
        fcntl.ioctl(self.its, termios.TIOCSCTTY, 0)

    def set_size(self, lines, columns):
        fcntl.ioctl(self.ours, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def resize(self, lines, columns):
        self.screen.resize(lines, columns)
        self.set_size(lines, columns)

    def type(self, keys):
        os.write(self.ours, keys.encode())

    def read(self, seconds):
        """What it writes within the time; False: it wrote nothing."""
        ready, _, _ = select.select([self.ours], [], [], seconds)
        if ready:
            self.screen.feed(os.read(self.ours, 65536))
        return bool(ready)

    def until(self, holds, limit_s=30):
        """Until the text of the screen is so; gives the text. An assertion where it does not come to that."""
        end = time.monotonic() + limit_s
        while not holds(self.screen.text()):
            assert time.monotonic() < end, f"the screen did not become so:\n{self.screen.text()}"
            self.read(0.2)
        return self.screen.text()

    def end(self, limit_s=20):
        """Waits for the program; gives its status and what it said on standard error."""
        end = time.monotonic() + limit_s
        while self.process.poll() is None and time.monotonic() < end:
            self.read(0.1)
        while self.read(0.05):
            pass
        return self.process.wait(1), self.process.stderr.read().decode()

    def is_as_before(self):
        """The terminal has the modes that it had, the first screen, and its cursor."""
        same = termios.tcgetattr(self.its) == self.modes
        return same and not self.screen.alternate and not self.screen.cursor_hidden

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        os.close(self.ours)
        os.close(self.its)
