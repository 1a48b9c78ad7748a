// Memory of a coroutine that waits. parked COUNT
#include "asio.hpp"

#include <unistd.h>

static Task park()
{
    Event event(context, Event::time_point::max());
    co_await event.async_wait(asio::use_awaitable);
}

int main(int argc, char **argv)
{
    long count = argument(argc, argv, 1, 1000000);
    double before = memory_bytes();
    for (long i = 0; i < count; i++) asio::co_spawn(context, park(), asio::detached);
    context.poll();
    int rc = print_result("parked", (memory_bytes() - before) / static_cast<double>(count));
    _exit(rc);  // nothing will ever wake them
}
