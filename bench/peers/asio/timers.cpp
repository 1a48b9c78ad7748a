// A coroutine for each sleep. timers COUNT [warm]
#include "asio.hpp"

static long woken;

static Task sleep_for(std::chrono::milliseconds duration)
{
    asio::steady_timer timer(context, duration);
    co_await timer.async_wait(asio::use_awaitable);
    woken++;
}

static void sleep_all(long count)
{
    uint32_t random = 1;
    for (long i = 0; i < count; i++)
        asio::co_spawn(context, sleep_for(std::chrono::milliseconds(random_milliseconds(&random))), asio::detached);
    context.restart();
    context.run();
}

int main(int argc, char **argv)
{
    long count = argument(argc, argv, 1, 100000);
    double started = cpu_seconds();
    if (argc > 2) {
        sleep_all(count);
        woken = 0;
        started = cpu_seconds();
    }
    sleep_all(count);
    if (woken != count) return 1;
    return print_result("timers", cpu_seconds() - started);
}
