"""Two tasks that yield to each other. switch LOOP SWITCHES"""

import asyncio

from measure import argument, print_result, run, wall_seconds


async def yield_times(count):
    for _ in range(count):
        await asyncio.sleep(0)


async def main():
    switches = argument(1, 200000)
    started = wall_seconds()
    await asyncio.gather(yield_times(switches // 2), yield_times(switches // 2))
    print_result("switch", (wall_seconds() - started) * 1e9 / switches)


run(main())
