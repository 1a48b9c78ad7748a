"""Waves of 1,000 empty tasks, each wave joined. spawn_join LOOP WAVES"""

import asyncio

from measure import argument, print_result, run, wall_seconds

WAVE = 1000


async def empty():
    pass


async def run_wave(loop):
    for task in [loop.create_task(empty()) for _ in range(WAVE)]:
        await task


async def main():
    waves = argument(1, 50)
    loop = asyncio.get_running_loop()
    await run_wave(loop)
    started = wall_seconds()
    for _ in range(waves):
        await run_wave(loop)
    print_result("spawn_join", (wall_seconds() - started) * 1e9 / (waves * WAVE))


run(main())
