"""The probes for tracers (USDT): notes that name a nop each, in the program and in a stripped copy."""

import re
import subprocess

from looking import check, has, needs

# Each probe, and how many values its note must locate.
WANTED = {"spawn": 3, "resume": 2, "suspend": 3, "yield": 2, "pass": 2, "cancel": 2, "end": 3}


def notes(program):
    needs("readelf")
    text = subprocess.run(["readelf", "-nW", program], capture_output=True, text=True, check=True).stdout
    found = re.findall(r"Provider: weft\s+Name: (\w+)\s+Location: (0x[0-9a-f]+), .*?Semaphore: (0x[0-9a-f]+)\s+"
                       r"Arguments: ([^\n]*)", text)
    return [(name, int(location, 16), int(semaphore, 16), values.split(" 8@")) for name, location, semaphore, values
            in found]



@check
def every_probe_has_a_note_with_its_values_and_no_semaphore(looking):
    found = notes(looking.program)
    assert {name for name, *_ in found} == set(WANTED), found
    for name, _, semaphore, values in found:
        assert semaphore == 0, name
        assert len(re.split(r" (?=-?8@)", " 8@".join(values))) == WANTED[name], (name, values)


@check
def a_probe_is_one_nop(looking):
    needs("objdump")
    for name, location, *_ in notes(looking.program):
        text = subprocess.run(["objdump", "-d", f"--start-address={location:#x}", f"--stop-address={location + 1:#x}",
                               looking.program], capture_output=True, text=True, check=True).stdout
        assert re.search(r"\snop\s*$", text) or re.search(r"\bnop\n", text + "\n"), (name, text)


@check
def stripping_leaves_the_probes(looking):
    needs("strip")
    stripped = str(looking.work / "no_symbols")
    subprocess.run(["strip", "-o", stripped, looking.program], check=True)
    assert notes(stripped) == notes(looking.program)


@check
def gdb_stops_at_a_probe_and_reads_its_values(looking):
    needs("gdb")
    ran = subprocess.run(["gdb", "-q", "-nx", "-batch", "-ex", "set debuginfod enabled off", "-ex",
                          "break -probe-stap weft:suspend", "-ex", "run many 1 > /dev/null", "-ex",
                          "printf \"task %d %s waits: %s\\n\", $_probe_arg0, (char *)$_probe_arg1, "
                          "(char *)$_probe_arg2",
                          "-ex", "kill", looking.program], capture_output=True, text=True, timeout=60, check=False)
    has(ran.stdout, "task 1 many waits: sleep")
