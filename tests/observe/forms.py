#!/usr/bin/env python3
"""The JSON of dumps and of the flight record, read by a strict parser: forms.py BUILD

A dump is held against what docs/debugging.md says of its members, the record against the format of traces: each turn
that begins ends, one at a time, in the order of time; each wait too.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

NUMBER, TEXT, BOOL, LIST, OBJECT = int, str, bool, list, dict
DUMP = {"weft_dump": NUMBER, "version": TEXT, "pid": NUMBER, "wall_ns": NUMBER, "driver": TEXT, "alive": NUMBER,
        "runnable": NUMBER, "operations": NUMBER, "passes": NUMBER, "root": OBJECT, "hidden": NUMBER}
SCOPE = {"name": (TEXT, type(None)), "place": TEXT, "children": NUMBER, "limit": NUMBER, "tasks": LIST}
SCOPE_PERHAPS = {"deadline_left_ns": NUMBER, "cancelled": OBJECT}
TASK = {"name": TEXT, "id": NUMBER, "count": NUMBER, "last_id": NUMBER, "place": TEXT, "state": TEXT, "turns": NUMBER,
        "daemon": BOOL, "draining": BOOL, "scopes": LIST}
TASK_PERHAPS = {"waits": OBJECT, "deadline_left_ns": NUMBER, "cancelled": OBJECT, "stack": OBJECT, "frames": LIST}
WAIT = {"for": TEXT, "waited_ns": NUMBER}
WAIT_PERHAPS = {"descriptor": NUMBER, "peer": TEXT, "detail": TEXT}
FRAME = {"module": TEXT, "offset": NUMBER}
FRAME_PERHAPS = {"function": TEXT, "file": TEXT, "line": NUMBER}

passed = failed = 0


def claim(what, holds, shown=""):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    if not holds:
        print(f"FAILED {what}: {shown}")


def has_members(value, needed, perhaps=None):
    perhaps = perhaps or {}
    wrong = [name for name, kind in needed.items() if not isinstance(value.get(name), kind)]
    wrong += [name for name, kind in perhaps.items() if name in value and not isinstance(value[name], kind)]
    return wrong + [name for name in value if name not in needed and name not in perhaps]


def check_task(task, wrong, counted):
    wrong += has_members(task, TASK, TASK_PERHAPS)
    counted[0] += task["count"]
    if task["state"] == "waits":
        wrong += has_members(task["waits"], WAIT, WAIT_PERHAPS)
    for frame in task.get("frames", []):
        wrong += has_members(frame, FRAME, FRAME_PERHAPS)
    for scope in task["scopes"]:
        check_scope(scope, wrong, counted)


def check_scope(scope, wrong, counted):
    wrong += has_members(scope, SCOPE, SCOPE_PERHAPS)
    for task in scope["tasks"]:
        check_task(task, wrong, counted)


def check_dump(line):
    dump = json.loads(line)
    wrong, counted = has_members(dump, DUMP), [0]
    check_scope(dump["root"], wrong, counted)
    claim("a dump has the members that are documented", not wrong, wrong)
    claim("every task is counted in some entry", counted[0] + dump["hidden"] == dump["alive"], counted)
    (scope,) = dump["root"]["tasks"][0]["scopes"]
    claim("names are as they were", scope["name"] == 'a "scope"', scope["name"])
    kinds = {task["name"]: task for task in scope["tasks"]}
    claim("tasks that are alike are one entry", kinds["wait_for_event"]["count"] == 50, kinds)
    claim("a wait has its descriptor", kinds["read_forever"]["waits"].get("descriptor", -1) >= 0, kinds)


def check_turns(events):
    open_turn, last, pairs = None, 0.0, 0
    for event in events:
        if event["ph"] in "BE":
            if event["ts"] < last or (event["ph"] == "B") == (open_turn is not None):
                return f"at {event}"
            last, open_turn = event["ts"], event if event["ph"] == "B" else None
            pairs += event["ph"] == "E"
    return "" if open_turn is None and pairs > 20 else f"{pairs} pairs, open: {open_turn}"


def check_waits(events):
    waiting = {}
    for event in events:
        if event["ph"] == "b":
            if event["id"] in waiting:
                return f"twice: {event}"
            waiting[event["id"]] = event
        elif event["ph"] == "e":
            began = waiting.pop(event["id"], None)
            if began is None or began["name"] != event["name"] or began["ts"] > event["ts"]:
                return f"{began} ends as {event}"
    return f"open: {waiting}" if waiting else ""


def check_record(text):
    events = json.loads(text)["traceEvents"]
    claim("each turn that begins ends, one after the other", check_turns(events) == "", check_turns(events))
    claim("each wait that begins ends", check_waits(events) == "", check_waits(events))
    names = {event["name"] for event in events if "name" in event}
    claim("spawns, wakes, cancels and timers are there",
          {"spawn wait_for_event", "cancel wait_for_event", "wake wait_for_event", "timer of a?name"} <= names, names)
    left = {event["args"]["left"] for event in events if event["ph"] == "E"}
    claim("a turn says why it ended", {"an event", "sleep", "yielded", "ended", "still runs"} <= left, left)


def main():
    program = Path(sys.argv[1]) / "tests" / "observe_forms"
    for driver in ["epoll", "sim"]:
        done = subprocess.run([program], env={**os.environ, "WEFT_DRIVER": driver}, capture_output=True, text=True,
                              timeout=60)
        claim("the program succeeds", done.returncode == 0 and done.stderr == "", done.stderr)
        dump, record = done.stdout.split("\n", 1)
        check_dump(dump)
        check_record(record)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
