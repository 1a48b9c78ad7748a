// Two coroutines that post themselves behind each other. switch SWITCHES
#include "asio.hpp"

static Task yield_times(long count)
{
    for (long i = 0; i < count; i++) co_await asio::post(asio::use_awaitable);
}

int main(int argc, char **argv)
{
    long switches = argument(argc, argv, 1, 4000000);
    asio::co_spawn(context, yield_times(switches / 2), asio::detached);
    asio::co_spawn(context, yield_times(switches / 2), asio::detached);
    double started = wall_seconds();
    context.run();
    return print_result("switch", (wall_seconds() - started) * 1e9 / static_cast<double>(switches));
}
