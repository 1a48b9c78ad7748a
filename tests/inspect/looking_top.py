"""weft top: pages, JSON, and the screen on a terminal of ours."""

import contextlib
import json
import signal
import sys

from looking import ROOT, check, has

sys.path.insert(0, str(ROOT / "tools" / "pictures"))
from screen import Terminal  # noqa: E402


@contextlib.contextmanager
def screen_of(looking, process, *words, **options):
    terminal = Terminal([looking.weft, "top", str(process.pid), "--delay", "0.2", *words], **options)
    try:
        yield terminal
    finally:
        terminal.close()


def rows(text):
    """The names in the table, from the top."""
    lines = text.split("\n")
    head = next((i for i, line in enumerate(lines) if "TURNS/S" in line), len(lines))
    return [line[34:].split("#")[0].strip() for line in lines[head + 1:] if "#" in line]


def top_json(looking, process, *words):
    ran = looking.run("top", process.pid, "--json", *words)
    assert ran.returncode == 0 and ran.stderr == "", ran.stderr
    return [json.loads(line) for line in ran.stdout.splitlines()]


@check
def pages_and_json_say_who_runs_and_how_long(looking):
    with looking.target("work") as process:
        views = top_json(looking, process, "--batch", 2, "--limit", 0)
        assert [view["schema"] for view in views] == [1, 1]
        view = views[-1]
        tasks = {task["name"]: task for task in view["tasks"]}
        assert view["samples"] > 20 and view["tasks_alive"] == len(view["tasks"])
        assert view["tasks"][0]["name"] == "reindex", view["tasks"][:3]
        assert tasks["reindex"]["run"] > tasks["compress"]["run"] > tasks["reading"]["run"] == 0
        assert tasks["reindex"]["longest_ns"] > 4e6, "a slice of 12 ms, cut by whoever else has the machine"
        assert tasks["heartbeat"]["turns_per_s"] > tasks["reindex"]["turns_per_s"] > 1
        assert tasks["reading"]["still_ns"] > 1e9
        assert sum(state["tasks"] for state in view["states"]) == view["tasks_alive"]
        assert {"recv", "accept", "children", "sleep"} <= {state["what"] for state in view["states"]}
        loop = view["loops"][0]
        assert loop["cpu"] > 0.05 and loop["turns_per_s"] > 10 and loop["longest_ns"] > 1e6
        text = looking.run("top", process.pid, "--once", "--sort=turns", "--filter", "e").stdout
        assert rows(text)[0] == "heartbeat", text
        has(text, f"inspect_target ({process.pid}), weft 0.1.0  ", "loop 0 uring  cpu ", "tasks: sleep ")


@check
def the_screen_sorts_filters_moves_and_shows_stacks(looking):
    with looking.target("work") as process, screen_of(looking, process) as terminal:
        terminal.until(lambda text: " samples  by run" in text and rows(text)[:1] == ["reindex"])
        assert terminal.screen.alternate and terminal.screen.cursor_hidden
        has(terminal.screen.text(), "q quit  j k move")
        terminal.type("n")
        terminal.until(lambda text: "by name" in text and rows(text)[:1] == ["accepting"])
        terminal.type("t")
        terminal.until(lambda text: "by turns" in text and rows(text)[:1] == ["heartbeat"])
        terminal.type("/reading\r")
        terminal.until(lambda text: "with reading" in text and rows(text) == ["reading"])
        terminal.type("\r")
        text = terminal.until(lambda text: "wf_stream_read" in text)
        has(text, "reading #", "spawned at", "recv", "op_run", "wf_stream_read", "read_request", "Enter or Esc back")
        terminal.type("\x1b")
        terminal.until(lambda text: rows(text) == ["reading"])
        terminal.type("\x1b")
        terminal.until(lambda text: "with reading" not in text and len(rows(text)) > 5)
        terminal.type("n\x1b[B\x1b[Bj")
        terminal.until(lambda text: selected(terminal).startswith("consume"))
        terminal.type("k")
        terminal.until(lambda text: selected(terminal).startswith("compress"))
        terminal.type("q")
        assert terminal.end() == (0, "")
        assert terminal.is_as_before()


def selected(terminal):
    """The name in the line in reverse below the head of the table."""
    lines = [row for row in terminal.screen.cells if row[0][1] == "reverse"]
    return "".join(character for character, _ in lines[-1])[34:] if len(lines) > 1 else ""


@check
def metrics_are_read_from_outside(looking):
    with looking.target("work") as process:
        view = top_json(looking, process, "--batch", 2)[-1]
        metrics = {metric["name"]: metric for metric in view["metrics"]}
        rounds, durations = metrics["test_rounds_total"], metrics["test_duration_seconds"]
        assert rounds["labels"] == "kind=quick, size=small" and rounds["value"] > 10 and rounds["per_s"] > 1
        assert durations["sum"] == 3_000_000 * durations["count"], durations
        with screen_of(looking, process) as terminal:
            terminal.until(lambda text: "q quit" in text)
            terminal.type("m")
            text = terminal.until(lambda text: "test_rounds_total" in text)
            has(text, "test_rounds_total{kind=quick, size=small}", "3.0ms", "test_duration_seconds")
            terminal.type("m")
            terminal.until(lambda text: len(rows(text)) > 5)


@check
def the_screen_fits_whatever_size_the_terminal_gets(looking):
    with looking.target("work") as process, screen_of(looking, process, lines=40, columns=150) as terminal:
        terminal.until(lambda text: len(rows(text)) > 25)
        for lines, columns in ((10, 40), (5, 20), (2, 5), (50, 200)):
            terminal.resize(lines, columns)
            shown = "inspect_target"[:columns]
            terminal.until(lambda text: text.startswith(shown))
        terminal.until(lambda text: len(rows(text)) > 25)
        terminal.type("q")
        assert terminal.end()[0] == 0


@check
def the_terminal_is_as_before_on_every_way_out(looking):
    with looking.target("many", 5) as process:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGSEGV):
            with screen_of(looking, process) as terminal:
                terminal.until(lambda text: "#" in text)
                terminal.process.send_signal(number)
                status, _ = terminal.end()
                assert status == (-signal.SIGSEGV if number == signal.SIGSEGV else 0), status
                assert terminal.is_as_before(), number
        with screen_of(looking, process) as terminal:
            terminal.until(lambda text: "#" in text)
            process.kill()
            process.wait()
            status, said = terminal.end()
            assert status == 1 and terminal.is_as_before()
            has(said, f"weft: process {process.pid}: the process has ended\n")


@check
def a_process_that_becomes_another_program_is_let_go_of(looking):
    with looking.target("exec") as process, screen_of(looking, process) as terminal:
        terminal.until(lambda text: "become_another" in text)
        process.stdin.write("\n")
        process.stdin.flush()
        status, said = terminal.end()
        assert status == 1 and terminal.is_as_before()
        assert "runs another program now" in said or "has ended" in said, said


@check
def without_a_terminal_or_with_nonsense_it_says_so(looking):
    with looking.target("many", 1) as process:
        looking.refuses(2, "top needs a terminal; see --once and --batch", "top", process.pid)
        looking.refuses(2, "--delay does not take 'soon'", "top", process.pid, "--delay", "soon")
        looking.refuses(2, "--sort does not take 'size'", "top", process.pid, "--sort=size")
        looking.refuses(2, "top does not know '--fast'", "top", "--fast", process.pid)
        looking.refuses(2, "--json goes with --batch", "top", "--json", process.pid)
    looking.refuses(1, "there is no such process", "top", "--once", process.pid)
