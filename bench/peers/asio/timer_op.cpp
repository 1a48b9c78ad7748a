// Arms and cancels a timer beside others that are live. timer_op LIVE OPERATIONS
#include "asio.hpp"

#include <deque>

int main(int argc, char **argv)
{
    long live = argument(argc, argv, 1, 100);
    long operations = argument(argc, argv, 2, 1000000);
    uint32_t random = 1;
    auto duration = [&] { return std::chrono::milliseconds(60000 + random_milliseconds(&random)); };
    auto ignore = [](boost::system::error_code) {};
    std::deque<asio::steady_timer> timers;
    for (long i = 0; i < live; i++) timers.emplace_back(context, duration()).async_wait(ignore);

    asio::steady_timer timeout(context);
    double started = wall_seconds();
    for (long i = 0; i < operations; i++) {
        timeout.expires_after(duration());
        timeout.async_wait(ignore);
        timeout.cancel();
        context.poll();  // delivers the cancelled wait, else they would pile up
    }
    return print_result("timer_op", (wall_seconds() - started) * 1e9 / static_cast<double>(operations));
}
