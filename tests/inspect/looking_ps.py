"""weft ps."""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import time

from looking import Missing, check, has, needs

TASKS_MANY = 100_000
LOOKS = 150


@check
def the_tree_names_tasks_scopes_waits_descriptors_and_cancels(looking):
    with looking.target("tree") as process:
        text = looking.ps(process.pid)
        has(text, f"inspect_target, process {process.pid}, weft 0.1.0: ", "loop 0, thread ", " tasks, ",
            "  tree #1  waits: children, for ", "  (spawned at ", "target.c:")
        has(text, "    accepting #2  waits: accept fd ", "(tcp 127.0.0.1:")
        has(text, "    reading #", "waits: recv fd ", "(tcp 127.0.0.1:", " peer 127.0.0.1:", "KiB of stack\n")
        has(text, "wait_for_event #", "waits: an event, for ")
        has(text, "[scope closing at ", ", 1 of 4, cancelled: for \"the\" test]", "holding on #")
        has(text, "worker-* \xd7 4, #", "waits: children", "[scope group at ", ", with a deadline]", "nap \xd7 3, #")
        has(text, "    keep_ended #12  waits: sleep", "      ended #", "  ended  (spawned at ")
        has(text, "strange \\x1b[31m\\xff name #")


@check
def each_task_has_its_line_when_that_is_wanted(looking):
    with looking.target("tree") as process:
        flat = looking.ps(process.pid, "--flat")
        for name in ("worker-0", "worker-3", "accepting"):
            has(flat, f"  {name} #")
        assert flat.count("  nap #") == 12
        sleeping = looking.ps(process.pid, "--state", "sleep", "--limit=5")
        assert sleeping.count("waits: sleep, ends in 59 min 59 s, for ") == 5, sleeping
        has(sleeping, "more; see --limit\n")


@check
def every_loop_of_a_process_is_seen(looking):
    with looking.target("loops", 3) as process:
        seen = json.loads(looking.ps(process.pid, "--json"))
        threads = {int(thread) for thread in os.listdir(f"/proc/{process.pid}/task")}
        assert len(seen["loops"]) == 3 and {loop["thread"] for loop in seen["loops"]} <= threads
        sleeping = [task["loop"] for task in seen["tasks"] if task.get("waits_for") == "sleep"]
        assert sorted(sleeping) == [0, 1, 2], seen["tasks"]
        has(looking.ps(process.pid), "loop 0, thread ", "loop 1, thread ", "loop 2, thread ")


@check
def json_says_the_same_and_is_json(looking):
    with looking.target("tree") as process:
        seen = json.loads(looking.ps(process.pid, "--json"))
        assert seen["schema"] == 1 and seen["pid"] == process.pid and seen["moving"] == 0 and "damaged" not in seen
        tasks = {task["name"]: task for task in seen["tasks"]}
        numbers = {task["id"] for task in seen["tasks"]}
        assert seen["loops"][0]["tasks"] == len(numbers) == len(seen["tasks"])
        assert all(task.get("parent", 1) in numbers for task in seen["tasks"])
        reading, closing = tasks["reading"], tasks["be_cancelled"]
        assert reading["waits_for"] == "recv" and reading["kind"] == "tcp" and ":" in reading["peer"]
        assert reading["stack_used"] % 4096 == 0 and 0 < reading["stack_used"] <= reading["stack_size"]
        assert closing["scopes"][0]["cancelled"]["why"] == 'for "the" test'
        assert closing["scopes"][0]["limit"] == 4
        assert 0 < reading["waits_ns"] < 60e9
        assert tasks["strange \\x1b[31m\\xff name"]["daemon"]
        assert 2900e9 < tasks["worker-2"]["scopes"][0]["deadline_in_ns"] < 3000e9


@check
def stacks_have_the_functions_that_wait(looking):
    with looking.target("tree") as process:
        text = looking.ps(process.pid, "--stacks")
        has(text, "    reading #", "| op_run", "| wf_stream_read", "| read_inner", "| read_request", "| fiber_main")
        has(text, "    consume #", "| ", "consume")
        seen = json.loads(looking.ps(process.pid, "--stacks", "--json"))
        frames = {task["name"]: task.get("frames") for task in seen["tasks"]}
        assert any(frame.get("function", "").startswith("read_request") for frame in frames["reading"])
        assert all(frame["module"] for frame in frames["reading"])


@check
def a_stripped_copy_and_the_other_drivers_are_looked_into_as_well(looking):
    needs("strip")
    stripped = str(looking.work / "stripped")
    subprocess.run(["strip", "-o", stripped, looking.program], check=True)
    with looking.target("tree", program=stripped) as process:
        has(looking.ps("stripped"), f"stripped, process {process.pid}", "reading #", "waits: recv")
    with looking.target("many", 3, variables={"WEFT_DRIVER": "epoll"}) as process:
        has(looking.ps(process.pid), ", epoll: 4 tasks", "nap \xd7 3, #2 ... #4")


@check
def what_is_read_while_tasks_come_and_go_makes_sense(looking):
    with looking.target("churn") as process:
        seen_tasks = 0
        for _ in range(LOOKS):
            seen = json.loads(looking.ps(process.pid, "--json", "--limit", 0))
            assert "damaged" not in seen, seen["damaged"]
            numbers = {task["id"] for task in seen["tasks"]}
            names = {task["id"]: task["name"] for task in seen["tasks"]}
            for task in seen["tasks"]:
                if task["state"] == "moving":
                    continue
                seen_tasks += 1
                assert task["name"] in ("churn", "below", "short_lived") or task["name"].startswith("born "), task
                assert "target.c:" in task["spawned_at"], task
                assert task.get("waits_for", "") in ("", "sleep", "children", "room under the scope's limit"), task
                if task.get("parent") in numbers:
                    wanted = "born " if task["name"] == "below" else "churn"
                    assert names[task["parent"]].startswith(wanted), task
        assert seen_tasks > LOOKS // 10, seen_tasks  # most of them move while they are read
        assert process.poll() is None


@check
def a_hundred_thousand_tasks_take_under_a_second_of_work(looking):
    with looking.target("many", TASKS_MANY) as process:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        text = looking.ps(process.pid)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        work_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        has(text, f"nap \xd7 {TASKS_MANY}, #")
        assert work_s < 1, f"{work_s:.2f} s"


def state_of(pid):
    """R, S, D; T or t of one that is stopped."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as status:
        return status.read().rpartition(")")[2].split()[0]


@check
def the_process_is_never_stopped_nor_traced(looking):
    """Nor could it be: the command has no call that stops a process. What it oversleeps is for people to compare."""
    needs("nm")
    calls = subprocess.run(["nm", "-D", "--undefined-only", looking.weft], capture_output=True, text=True, check=True)
    assert "process_vm_readv" in calls.stdout
    assert not {"ptrace", "kill", "tgkill", "process_vm_writev"} & set(re.findall(r"\w+", calls.stdout))
    with looking.target("gap", 20_000) as process:
        states, end = set(), time.monotonic() + 2
        while time.monotonic() < end:
            words = [looking.weft, "ps", "--json", str(process.pid)]
            with subprocess.Popen(words, stdout=subprocess.DEVNULL) as command:
                while command.poll() is None:
                    states.add(state_of(process.pid))
        assert states and states <= {"R", "S", "D"}, states
        with open(f"/proc/{process.pid}/status", encoding="utf-8") as status:
            assert "TracerPid:\t0\n" in status.read()
        process.stdin.write("\n")
        process.stdin.flush()
        overslept_ms = int(process.stdout.readline()) / 1e6
        print(f"a task that wakes each ms overslept {overslept_ms:.1f} ms at most while it was looked at")


@check
def a_process_that_is_stopped_is_read_all_the_same(looking):
    with looking.target("many", 1000) as process:
        os.kill(process.pid, signal.SIGSTOP)
        has(looking.ps(process.pid), "nap \xd7 1000")


@check
def who_cannot_be_looked_into_is_said_in_one_line(looking):
    looking.refuses(1, "there is no such process", "ps", 2**22 + 1)
    looking.refuses(1, "there is no process called 'no such name'", "ps", "no such name")
    looking.refuses(1, "it does not run weft", "ps", os.getpid())
    looking.refuses(2, "ps needs a process", "ps")
    looking.refuses(2, "--limit takes a number", "ps", "1", "--limit", "few")
    looking.refuses(2, "does not know '--fast'", "ps", "--fast", "1")
    with looking.target("many", 1) as one, looking.target("many", 1) as other:
        looking.refuses(1, "2 processes are called 'inspect_target': ", "ps", "inspect_target")
        gone = one.pid, other.pid
    looking.refuses(1, "there is no such process", "ps", gone[0])


@check
def another_users_process_is_refused_with_what_it_takes(looking):
    if os.geteuid() != 0:
        raise Missing("only root can be somebody else")
    command = looking.work / "weft"
    shutil.copy(looking.weft, command)
    looking.work.chmod(0o755)
    nobody = {"user": 65534, "group": 65534, "extra_groups": [], "cwd": "/"}
    with looking.target("many", 1) as process:
        ran = subprocess.run([str(command), "ps", str(process.pid)], capture_output=True, text=True, **nobody)
        assert ran.returncode == 1 and "CAP_SYS_PTRACE" in ran.stderr, ran.stderr


@check
def another_version_and_damage_are_said_not_guessed_at(looking):
    refused = {1: "its registry has version 99 (weft 0.1.0); this command, of weft 0.1.0, knows 1",
               2: "its registry is damaged", 3: "its registry is damaged", 4: "does not say where task.wait is"}
    for number, part in refused.items():
        with looking.target("damage", number) as process:
            looking.refuses(1, part, "ps", process.pid)
    for number in (5, 7):
        with looking.target("damage", number) as process:
            has(looking.ps(process.pid), "damaged: ")
    with looking.target("damage", 6) as process:
        looking.ps(process.pid)


@check
def a_process_that_ends_or_becomes_another_one_meanwhile_is_an_error_or_a_whole_picture(looking):
    for _ in range(20):
        with looking.target("many", 20_000) as process:
            command = subprocess.Popen([looking.weft, "ps", str(process.pid)], stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, text=True)
            time.sleep(0.002)  # real time: somewhere in the middle
            process.kill()
            out, err = command.communicate(timeout=20)
            assert command.returncode in (0, 1), command.returncode
            assert err.count("\n") == (command.returncode == 1), err
            assert out == "" or out.startswith("inspect_target, process "), out[:200]
