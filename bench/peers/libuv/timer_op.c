/* Starts and stops a timer beside others that are live. timer_op LIVE OPERATIONS */
#include "../../measure.h"

#include <uv.h>

static void on_timer(uv_timer_t *timer)
{
    (void)timer;
}

int main(int argc, char **argv)
{
    size_t live = (size_t)argument(argc, argv, 1, 100);
    long operations = argument(argc, argv, 2, 1000000);
    uint32_t random = 1;
    uv_loop_t *loop = uv_default_loop();
    uv_timer_t *timers = calloc(live, sizeof *timers);
    uv_timer_t timeout;
    if (timers == NULL) return 1;
    for (size_t i = 0; i < live; i++) {
        uv_timer_init(loop, &timers[i]);
        uv_timer_start(&timers[i], on_timer, 60000 + random_milliseconds(&random), 0);
    }
    uv_timer_init(loop, &timeout);
    double started = wall_seconds();
    for (long i = 0; i < operations; i++) {
        uv_timer_start(&timeout, on_timer, 60000 + random_milliseconds(&random), 0);
        uv_timer_stop(&timeout);
    }
    return print_result("timer_op", (wall_seconds() - started) * 1e9 / (double)operations);
}
