// Waves of 1,000 empty coroutines; the last one to end wakes the coroutine that waits for the wave. spawn_join WAVES
#include "asio.hpp"

static constexpr int wave = 1000;

static Task empty()
{
    co_return;
}

static Task run_waves(long waves)
{
    Event done(context);
    int left = 0;
    auto on_end = [&](std::exception_ptr) {
        if (--left == 0) done.cancel();
    };
    for (long i = 0; i < waves; i++) {
        left = wave;
        done.expires_at(Event::time_point::max());
        for (int j = 0; j < wave; j++) asio::co_spawn(context, empty(), on_end);
        boost::system::error_code ignored;
        co_await done.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    }
}

static void run(long waves)
{
    asio::co_spawn(context, run_waves(waves), asio::detached);
    context.restart();
    context.run();
}

int main(int argc, char **argv)
{
    long waves = argument(argc, argv, 1, 1000);
    run(1);
    double started = wall_seconds();
    run(waves);
    return print_result("spawn_join", (wall_seconds() - started) * 1e9 / (static_cast<double>(waves) * wave));
}
