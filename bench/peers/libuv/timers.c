/* libuv has no tasks: one timer handle for each sleep, its callback counts. timers COUNT [warm] */
#include "../../measure.h"

#include <uv.h>

static uv_timer_t *timers;
static size_t fired;

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
    fired++;
}

static void sleep_all(uv_loop_t *loop, size_t count)
{
    uint32_t random = 1;
    uv_update_time(loop);
    for (size_t i = 0; i < count; i++) {
        uv_timer_init(loop, &timers[i]);
        uv_timer_start(&timers[i], on_timer, random_milliseconds(&random), 0);
    }
    uv_run(loop, UV_RUN_DEFAULT);
    for (size_t i = 0; i < count; i++) uv_close((uv_handle_t *)&timers[i], NULL);
    uv_run(loop, UV_RUN_DEFAULT);
}

int main(int argc, char **argv)
{
    size_t count = (size_t)argument(argc, argv, 1, 100000);
    uv_loop_t *loop = uv_default_loop();
    double started = cpu_seconds();
    timers = calloc(count, sizeof *timers);
    if (timers == NULL) return 1;
    if (argc > 2) {
        sleep_all(loop, count);
        fired = 0;
        started = cpu_seconds();
    }
    sleep_all(loop, count);
    if (fired != count) return 1;
    return print_result("timers", cpu_seconds() - started);
}
