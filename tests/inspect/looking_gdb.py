"""tools/gdb/weft_gdb.py: on a live process, a copy of one, the core of one that aborted, with symbols or without."""

import resource
import subprocess
from pathlib import Path

from looking import LIMIT_S, ROOT, Missing, check, has, needs

SCRIPT = ROOT / "tools" / "gdb" / "weft_gdb.py"


def gdb(looking, *words, commands):
    """What gdb prints, with the script loaded."""
    needs("gdb")
    asked = ["set debuginfod enabled off", "set width 0", f"source {SCRIPT}", *commands]
    line = ["gdb", "-q", "-nx", "-batch", *map(str, words)]
    for command in asked:
        line += ["-ex", command]
    ran = subprocess.run(line, capture_output=True, text=True, timeout=2 * LIMIT_S, cwd=looking.work, check=False)
    return ran.stdout + ran.stderr


def has_the_tasks(text):
    has(text, ": 27 tasks", "  tree #1  waits: children", "    accepting #2  waits: accept",
        "    reading #3  waits: recv  (spawned at ", "    wait_for_event #4  waits: an event", "      holding on #",
        "    worker-0 #8", "and 3 like it, up to #11", "      nap #15", "and 2 like it, up to #17",
        "    keep_ended #12", "      ended #27  ended")


def has_the_stack_of_reading(text):
    has(text, "reading #3  waits: recv", "#0", "suspend", "op_run", "wf_stream_read", "read_inner", "read_request",
        "fiber_main")
    assert "corrupt stack" not in text, text


@check
def gdb_lists_and_walks_the_tasks_of_a_live_process_without_a_word_written_to_it(looking):
    with looking.target("tree") as process:
        text = gdb(looking, "-p", process.pid, commands=[
            "weft tasks", "weft bt 3", "weft bt #6", "weft bt-all", "weft task 3", "backtrace", "weft task",
            "echo own\\n", "backtrace", "weft bt 4711", "weft bt"])
        if "ptrace: Operation not permitted" in text:
            raise Missing("gdb may not attach here")
        has_the_tasks(text)
        has_the_stack_of_reading(text)
        has(text, "consume #6  waits: the next item", "#0", " in consume", "fiber_main")
        has(text, "nap #15", "and 11 with the same stack", "frame 0 is the thread's", "read_request", "own\n",
            "run_end", "main (")
        has(text, "weft: there is no task #4711", "weft: which task?")
        assert process.poll() is None
        has(looking.ps(process.pid), "reading #3  waits: recv")  # it goes on as it was


@check
def gdb_lists_and_walks_the_tasks_of_a_copy_of_a_process_even_without_symbols(looking):
    needs("strip")
    stripped, core = looking.work / "without_symbols", looking.work / "core.copy"
    subprocess.run(["strip", "-o", stripped, looking.program], check=True)
    for program in (looking.program, stripped):
        with looking.target("tree", program=str(program)) as process:
            said = gdb(looking, "-p", process.pid, commands=[f"weft gcore {core}"])
            if not core.exists():
                raise Missing(f"gdb makes no cores here: {said.strip().splitlines()[-1:]}")
        text = gdb(looking, program, core, commands=["weft tasks", "weft bt 3"])
        has_the_tasks(text)
        if program == stripped:
            has(text, "reading #3  waits: recv", "#0", "#7  0x")
            assert "corrupt stack" not in text, text
        else:
            has_the_stack_of_reading(text)
        core.unlink()


@check
def gdb_finds_the_tasks_in_the_core_of_an_abort(looking):
    pattern = Path("/proc/sys/kernel/core_pattern").read_text(encoding="utf-8").strip()
    if pattern.startswith("|") or "/" in pattern:
        raise Missing(f"the system sends cores elsewhere: {pattern}")
    with looking.target("crash", preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CORE, (-1, -1))) as process:
        process.stdin.write("\n")
        process.stdin.flush()
        process.wait(LIMIT_S)
    cores = list(looking.work.glob("core*"))
    if not cores:
        raise Missing("the system makes no cores here")
    text = gdb(looking, looking.program, cores[0], commands=["weft tasks", "weft bt 4", "weft bt 2", "backtrace"])
    cores[0].unlink()
    has(text, "  crash #1  waits: children", "    crash_soon #2  running", "    reading #4  waits: recv")
    has(text, "reading #4", "op_run", "read_request", "fiber_main")
    has(text, "it is running: see the stack of its thread", "abort", "abort_at_the_end", "crash_soon")


@check
def gdb_says_what_is_wrong_in_a_line(looking):
    text = gdb(looking, looking.program, commands=["weft tasks"])
    has(text, "there is no loop at the moment")
    text = gdb(looking, "/bin/true", commands=["weft tasks"])
    has(text, "weft: no registry is to be found")
    with looking.target("damage", 1) as process:
        text = gdb(looking, "-p", process.pid, commands=["weft tasks"])
        if "ptrace: Operation not permitted" not in text:
            has(text, "weft: the registry has version 99 (weft 0.1.0); this script knows 1")
