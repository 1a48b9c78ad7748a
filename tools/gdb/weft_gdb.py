"""Tasks of weft in gdb: of a process that it is attached to, or of a core file.

    (gdb) source weft_gdb.py        where gdb has not loaded it by itself
    (gdb) weft tasks                the tree of tasks, alike ones folded
    (gdb) weft bt 17                the stack of task #17
    (gdb) weft bt-all               of each kind of task
    (gdb) weft task 17              from now on bt, up, frame and print are about that task
    (gdb) weft task                 and about the thread again
    (gdb) weft gcore FILE           a core file of the process, as by gcore, which would miss the stacks

Nothing is executed in the process and nothing is written to it, neither memory nor registers. All it goes by is the
library's registry, so it needs no debug information; with some, frames have lines and variables.
"""

import re
import struct

import gdb
import gdb.unwinder

MAGIC = b"weft\x07registry\n\x1a"
VERSION = 1
HEAD = struct.Struct("=16sQIIIIII16s")
ENTRY = struct.Struct("=32sII")
NAMES = {1: "B", 2: "H", 4: "I", 8: "Q"}
TEXT_MAX, NESTED_MAX, CHUNKS_MAX, TASKS_SHOWN = 256, 1000, 1 << 20, 1000


class Trouble(Exception):
    """What makes it impossible, in words."""


# ---- Memory ----


def read(address, size):
    try:
        return bytes(gdb.selected_inferior().read_memory(address, size))
    except gdb.MemoryError as error:
        raise Trouble(f"no memory at {address:#x}") from error


def read_text(address):
    """A text that ends with a zero, as far as it can be printed."""
    text = b""
    while address and len(text) < TEXT_MAX and b"\0" not in text:
        try:
            text += read(address + len(text), min(64, 4096 - (address + len(text)) % 4096))
        except Trouble:
            break
    text = text.split(b"\0")[0]
    return "".join(chr(c) if 32 <= c < 127 else f"\\x{c:02x}" for c in text) if address else "?"


def number(raw, offset, size):
    return struct.unpack_from("=" + NAMES[size], raw, offset)[0]


# ---- The registry ----


def sections():
    """Begin and end of everything that gdb knows of, as `info files` prints it: the registry's own sections first."""
    found = []
    for line in gdb.execute("info files", to_string=True).splitlines():
        words = line.split()
        if len(words) >= 5 and words[0].startswith("0x") and words[1] == "-" and words[3] == "is":
            found.append((words[4], int(words[0], 16), int(words[2], 16)))
    named = [(low, high) for name, low, high in found if name == ".weft_registry"]
    return named or [(low, high) for name, low, high in found if name.startswith("load") or name == ".data"]


def candidates():
    for low, high in sections():
        at = low
        while at is not None and at < high:
            try:
                at = gdb.selected_inferior().search_memory(at, high - at, MAGIC)
            except gdb.MemoryError:
                break
            if at is not None:
                yield at
                at += 1


class Registry:
    """Where the loops are, and what is where in them."""

    def __init__(self, address):
        head = HEAD.unpack(read(address, HEAD.size))
        _, itself, version, layout, count, size, loops, loops_max, library = head
        if itself != address:
            raise Trouble("it is a picture of a registry, not one")
        self.library = library.split(b"\0")[0].decode("ascii", "replace")
        if version != VERSION:
            raise Trouble(f"the registry has version {version} (weft {self.library}); this script knows {VERSION}")
        if count > 4096 or size != ENTRY.size or loops_max > 65536:
            raise Trouble("the registry is damaged")
        self.fields, self.saved = {}, {}
        for name, offset, field_size in ENTRY.iter_unpack(read(address + layout, count * size)):
            name = name.split(b"\0")[0].decode("ascii", "replace")
            self.fields[name] = (offset, field_size)
            if name.startswith("saved."):
                self.saved[name[6:]] = offset
        slots = struct.unpack(f"={loops_max}Q", read(address + loops, 8 * loops_max))
        self.loops = [Loop(self, slot) for slot in slots if slot]

    def at(self, name):
        if name not in self.fields:
            raise Trouble(f"the registry does not know {name}")
        return self.fields[name]

    def constant(self, name):
        return self.at(name)[0]

    def size(self, name):
        return self.at(name)[1]

    def get(self, address, name):
        offset, size = self.at(name)
        return number(read(address + offset, size), 0, size)

    def pick(self, raw, name, base=0):
        offset, size = self.at(name)
        return number(raw, base + offset, size)


def find_registry():
    trouble = Trouble("no registry is to be found: the program does not run weft, or has not begun to")
    for address in candidates():
        try:
            return Registry(address)
        except Trouble as found:
            trouble = found
    raise trouble


# ---- Loops, scopes, tasks ----


class Loop:
    def __init__(self, registry, address):
        self.registry, self.address = registry, address
        self.running = registry.get(address, "loop.running")
        self.thread = registry.get(address, "loop.thread")
        self.driver = read_text(registry.get(registry.get(address, "loop.driver"), "driver.name"))
        self.tasks = {task.address: task for task in self.read_tasks()}
        self.scopes = {}
        for task in sorted(self.tasks.values(), key=lambda task: task.id):
            task.parent = self.parent_of(task)
            if task.parent is not None:
                task.parent.children.append(task)

    def read_tasks(self):
        registry, seen = self.registry, set()
        first, count, size = registry.constant("chunk.tasks"), registry.constant("CHUNK_TASKS"), registry.size("task")
        chunk = registry.get(self.address, "loop.chunks")
        while chunk and chunk not in seen and len(seen) < CHUNKS_MAX:
            seen.add(chunk)
            raw = read(chunk, first + count * size)
            for index in range(count):
                base = first + index * size
                if registry.pick(raw, "task.id", base):
                    yield Task(self, chunk + base, raw, base)
            chunk = registry.pick(raw, "chunk.older")

    def parent_of(self, task):
        """The task that opened the scope which this one is in; it is the older one."""
        if task.home not in self.scopes:
            try:
                self.scopes[task.home] = self.registry.get(task.home, "scope.owner_")
            except Trouble:
                self.scopes[task.home] = 0
        owner = self.tasks.get(self.scopes[task.home])
        return owner if owner is not None and owner.id < task.id else None


class Task:
    texts = {}

    def __init__(self, loop, address, raw, base):
        registry = loop.registry
        self.loop, self.address, self.children, self.parent = loop, address, [], None
        self.id = registry.pick(raw, "task.id", base)
        self.resumes = registry.pick(raw, "task.resumes", base)
        self.sp = registry.pick(raw, "task.sp", base)
        self.stack = registry.pick(raw, "task.stack", base)
        self.wait = registry.pick(raw, "task.wait", base)
        self.home = registry.pick(raw, "node.parent", base + registry.constant("task.node"))
        self.ended = bool(registry.pick(raw, "task.flags", base) & registry.constant("TASK_ENDED"))
        self.name = self.text(registry.pick(raw, "task.name", base))
        self.place = self.text(registry.pick(raw, "task.place", base))

    def text(self, address):
        if address not in Task.texts:
            Task.texts[address] = read_text(address)
        return Task.texts[address]

    def is_parked(self):
        return bool(self.stack) and not self.ended and self.address != self.loop.running

    def state(self):
        if self.ended:
            return "ended"
        if self.address == self.loop.running:
            return "running"
        if not self.wait:
            return "runnable" if self.stack else "not started"
        try:
            registry = self.loop.registry
            waits = self.text(registry.get(registry.get(self.wait, "wait.class"), "class.name"))
            return f"waits: {waits}"
        except Trouble:
            return "waits"

    def registers(self):
        """Those that its switch saved, by name, the stack pointer of its caller included."""
        places = self.loop.registry.saved
        values = {name: number(read(self.sp + place, 8), 0, 8) for name, place in places.items()}
        if "x30" in values:
            values["pc"] = values["x30"]
        size = self.loop.registry.size("saved")
        if size:
            values["rsp" if "rip" in values else "sp"] = self.sp + size
        return values

    def line(self):
        return f"{self.name} #{self.id}  {self.state()}  (spawned at {self.place})  {self.resumes} resumes"


# ---- Standing on a parked task's stack ----


class TaskUnwinder(gdb.unwinder.Unwinder):
    """
    Makes the thread's innermost frame one that was called by where a task is parked. That frame's identity is a place
    below the task's stack pointer, because gdb takes a caller that lies lower than the frame it called for damage.
    """

    def __init__(self):
        super().__init__("weft task")
        self.task = self.registers = self.innermost = None

    def select(self, task):
        self.task = None
        gdb.invalidate_cached_frames()
        if task is not None:
            frame = gdb.newest_frame()
            frame.select()
            self.innermost = frame.pc(), self.stack_pointer(frame)
            self.registers = task.registers()
        self.task = task
        gdb.invalidate_cached_frames()

    @staticmethod
    def stack_pointer(frame):
        return int(frame.read_register("sp")) & (1 << 64) - 1

    def __call__(self, pending):
        if self.task is None:
            return None
        pc = int(pending.read_register("pc")) & (1 << 64) - 1
        if (pc, self.stack_pointer(pending)) != self.innermost:
            return None
        word = gdb.lookup_type("unsigned long")
        below = gdb.Value(self.task.sp - 64).cast(word)
        info = pending.create_unwind_info(FrameId(below, gdb.Value(pc).cast(word)))
        for name, value in self.registers.items():
            info.add_saved_register(name, gdb.Value(value).cast(word))
        return info


class FrameId:
    def __init__(self, sp, pc):
        self.sp, self.pc = sp, pc


UNWINDER = TaskUnwinder()


def backtrace(task):
    """The lines of `bt` in the task, numbered from its own innermost frame."""
    before = UNWINDER.task
    UNWINDER.select(task)
    try:
        lines = gdb.execute("backtrace", to_string=True).splitlines()
    finally:
        UNWINDER.select(before)
    frames = []
    for line in lines:
        head, _, rest = line.partition(" ")
        if head.startswith("#") and head[1:].isdigit():
            frames.append(f"#{int(head[1:]) - 1:<3}{rest.lstrip()}")
        elif frames:
            frames.append(line)
    return [line for line in frames if not line.startswith("#-1")]


# ---- Commands ----


def all_tasks():
    Task.texts = {}
    return [task for loop in find_registry().loops for task in loop.tasks.values()]


def find_task(argument):
    wanted = argument.strip().lstrip("#")
    if not wanted.isdigit():
        raise Trouble("which task? weft tasks lists their numbers")
    found = [task for task in all_tasks() if task.id == int(wanted)]
    if not found:
        raise Trouble(f"there is no task #{wanted}")
    if len(found) > 1:
        print(f"{len(found)} loops have a task #{wanted}; this is the first one's")
    return found[0]


def kind_of(task, kinds):
    """What makes two tasks alike: themselves but for the numbers, and what is below them."""
    name = "".join(c for c in task.name if not c.isdigit())
    return name, task.place, task.state(), tuple(sorted(kinds[child.address] for child in task.children))


def number_kinds(tasks):
    """A small number for each kind; children are younger than their parents, so they come first."""
    kinds, numbers = {}, {}
    for task in sorted(tasks, key=lambda task: -task.id):
        kinds[task.address] = numbers.setdefault(kind_of(task, kinds), len(numbers))
    return kinds


def folded(tasks, kinds):
    """One task of each kind, with all that are like it."""
    groups = {}
    for task in tasks:
        groups.setdefault((kinds[task.address], task.home), []).append(task)
    return groups.values()


def print_tree(loop):
    kinds = number_kinds(loop.tasks.values())
    roots = sorted((task for task in loop.tasks.values() if task.parent is None), key=lambda task: task.id)
    stack = [(1, group) for group in reversed(list(folded(roots, kinds)))]
    shown = 0
    while stack and shown < TASKS_SHOWN:
        depth, group = stack.pop()
        more = f"  and {len(group) - 1} like it, up to #{group[-1].id}" if len(group) > 1 else ""
        print("  " * depth + group[0].line() + more)
        shown += 1
        if len(stack) < NESTED_MAX * 100:
            stack += [(depth + 1, below) for below in reversed(list(folded(group[0].children, kinds)))]
    if stack:
        print("  ... and more")


class WeftCommand(gdb.Command):
    """Tasks of a program that runs weft: weft tasks, weft bt, weft bt-all, weft task, weft gcore."""

    def __init__(self):
        super().__init__("weft", gdb.COMMAND_STACK, prefix=True)


class Subcommand(gdb.Command):
    def __init__(self, name):
        super().__init__("weft " + name, gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        try:
            self.run(argument)
        except Trouble as trouble:
            raise gdb.GdbError(f"weft: {trouble}") from trouble


class TasksCommand(Subcommand):
    """The tree of tasks of every loop, alike siblings folded: what each waits for, and where it was spawned."""

    def run(self, _):
        Task.texts = {}
        registry = find_registry()
        for index, loop in enumerate(registry.loops):
            print(f"loop {index}, thread {loop.thread}, {loop.driver}, weft {registry.library}: "
                  f"{len(loop.tasks)} tasks")
            print_tree(loop)
        if not registry.loops:
            print("there is no loop at the moment")


class BacktraceCommand(Subcommand):
    """weft bt NUMBER: the stack of that task."""

    def run(self, argument):
        task = find_task(argument)
        print(task.line())
        instead = "see the stack of its thread" if task.stack else "it has no stack yet"
        print("\n".join(backtrace(task)) if task.is_parked() else f"  it is {task.state()}: {instead}")


class BacktraceAllCommand(Subcommand):
    """The stacks of all parked tasks, those with the same frames together."""

    def run(self, _):
        groups = {}
        for task in all_tasks():
            if task.is_parked():
                key = task.name, task.state(), tuple(walk(task))
                groups.setdefault(key, []).append(task)
        for group in sorted(groups.values(), key=lambda group: group[0].id):
            more = f"  and {len(group) - 1} with the same stack" if len(group) > 1 else ""
            print(group[0].line() + more)
            print("\n".join(backtrace(group[0])) + "\n")


def walk(task):
    """Where its frames return to, by frame pointers: cheap, and enough to tell stacks apart."""
    registers = task.registers()
    at, below, frames = registers.get("rbp", registers.get("x29", 0)), task.sp, []
    while at > below and at - task.sp < 1 << 20 and len(frames) < 64:
        try:
            below, (at, pc) = at, struct.unpack("=QQ", read(at, 16))
        except Trouble:
            break
        frames.append(pc)
    return frames


class TaskCommand(Subcommand):
    """weft task NUMBER: from now on the thread's frames are that task's, but for frame 0. weft task: its own again."""

    def run(self, argument):
        if not argument.strip():
            UNWINDER.select(None)
            print("the thread's own frames again")
            return
        task = find_task(argument)
        if not task.is_parked():
            raise Trouble(f"task #{task.id} is {task.state()}: it is parked nowhere")
        UNWINDER.select(task)
        print(f"{task.line()}\nframe 0 is the thread's; the task's begin with frame 1. `weft task` ends this.")


class GcoreCommand(Subcommand):
    """
    weft gcore FILE: writes a core file, and into it what gdb could not read.

    gdb reads 1 MiB at a time, and where a page of that cannot be read it leaves out the rest of the mapping. The guards
    between stacks are such pages. Here they are left out and everything else is filled in.
    """

    FAILED = re.compile(r"Memory read failed for corefile section, \d+ bytes at (0x[0-9a-f]+)")
    SEGMENT = struct.Struct("=IIQQQQQQ")

    def run(self, argument):
        path = argument.strip()
        if not path:
            raise Trouble("into which file?")
        said = gdb.execute(f"generate-core-file {path}", to_string=True)
        failed = [int(address, 16) for address in self.FAILED.findall(said)]
        with open(path, "r+b") as core:
            for address, offset, size in self.segments(core):
                for start in failed:
                    if address <= start < address + size:
                        self.fill(core, offset + start - address, start, address + size - start)
        print(f"saved {path}")

    def segments(self, core):
        head = core.read(64)
        first, size, count = struct.unpack_from("=Q", head, 32)[0], *struct.unpack_from("=HH", head, 54)
        core.seek(first)
        table = core.read(size * count)
        for index in range(count):
            kind, _, offset, address, _, in_file, _, _ = self.SEGMENT.unpack_from(table, index * size)
            if kind == 1:
                yield address, offset, in_file

    def fill(self, core, offset, address, size):
        for at in range(0, size, 4096):
            try:
                page = read(address + at, min(4096, size - at))
            except Trouble:
                continue
            core.seek(offset + at)
            core.write(page)


def forget(_):
    """Whoever was looked at may be gone when the process has run."""
    if UNWINDER.task is not None:
        UNWINDER.task = None
        gdb.invalidate_cached_frames()


gdb.unwinder.register_unwinder(None, UNWINDER, replace=True)
gdb.events.cont.connect(forget)
WeftCommand()
for name, command in (("tasks", TasksCommand), ("bt", BacktraceCommand), ("bt-all", BacktraceAllCommand),
                      ("task", TaskCommand), ("gcore", GcoreCommand)):
    command(name)
