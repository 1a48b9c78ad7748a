"""Memory of a task that waits on an event. parked LOOP COUNT"""

import asyncio
import os

from measure import argument, memory_bytes, print_result, run


async def main():
    count = argument(1, 1000000)
    loop = asyncio.get_running_loop()
    event = asyncio.Event()
    before = memory_bytes()
    tasks = [loop.create_task(event.wait()) for _ in range(count)]
    await asyncio.sleep(0)
    print_result("parked", (memory_bytes() - before) / len(tasks))
    os._exit(0)  # waking and freeing a million tasks takes longer than all the rest


run(main())
