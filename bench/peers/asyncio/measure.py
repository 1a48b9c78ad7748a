"""What the Python programs share. Each takes the loop to run on as its first argument: asyncio or uvloop."""

import asyncio
import sys
import time

cpu_seconds = time.process_time
wall_seconds = time.perf_counter


def memory_bytes():
    """What the kernel counts: resident pages and the page tables that map them."""
    with open("/proc/self/status") as status:
        return sum(int(line.split()[1]) * 1024 for line in status if line.startswith(("VmRSS:", "VmPTE:")))


def argument(index, otherwise):
    """The index-th argument after the loop's name as a count, or what to use without it."""
    return int(sys.argv[index + 1]) if len(sys.argv) > index + 1 else otherwise


def random_milliseconds(state=1):
    """The sleeps of the timers program: the same 1..1000 in every language."""
    while True:
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        yield state % 1000 + 1


def run(main):
    """Runs the coroutine on the loop that the first argument names."""
    if sys.argv[1] == "uvloop":
        import uvloop

        uvloop.install()
    return asyncio.run(main)


def print_result(name, value):
    print(f"{name} {value:.9g}", flush=True)
