"""Starts and cancels a timer beside others that are live. timer_op LOOP LIVE OPERATIONS"""

import asyncio
from itertools import islice

from measure import argument, print_result, random_milliseconds, run, wall_seconds


def nothing():
    pass


async def main():
    live, operations = argument(1, 100), argument(2, 200000)
    loop = asyncio.get_running_loop()
    for duration in islice(random_milliseconds(), live):
        loop.call_later(60 + duration / 1000, nothing)
    # Cancelled timers stay in asyncio's heap until a turn of the loop sweeps them out: a turn now and then is part
    # of the price.
    started = wall_seconds()
    for count, duration in enumerate(islice(random_milliseconds(), operations)):
        loop.call_later(60 + duration / 1000, nothing).cancel()
        if count % 100 == 99:
            await asyncio.sleep(0)
    print_result("timer_op", (wall_seconds() - started) * 1e9 / operations)


run(main())
