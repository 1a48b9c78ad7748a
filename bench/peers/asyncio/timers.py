"""A task for each sleep. timers LOOP COUNT [warm]"""

import asyncio
import sys
from itertools import islice

from measure import argument, cpu_seconds, print_result, random_milliseconds, run


async def sleep_all(count):
    loop = asyncio.get_running_loop()
    durations = islice(random_milliseconds(), count)
    for task in [loop.create_task(asyncio.sleep(duration / 1000)) for duration in durations]:
        await task


async def main():
    count = argument(1, 100000)
    started = cpu_seconds()
    if sys.argv[3:] == ["warm"]:
        await sleep_all(count)
        started = cpu_seconds()
    await sleep_all(count)
    print_result("timers", cpu_seconds() - started)


run(main())
