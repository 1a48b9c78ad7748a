/* Opens and leaves a scope with a timeout, beside other timers that are live. timer_op LIVE OPERATIONS */
#include "../measure.h"

#include <weft/weft.h>

struct plan {
    size_t live;
    long operations;
};

static int sleep_for(const int64_t *duration_ns)
{
    return wf_sleep(*duration_ns);
}

static int64_t random_minute(uint32_t *random)
{
    return WF_MINUTES(1) + WF_MILLISECONDS(random_milliseconds(random));
}

static int arm_and_cancel(int64_t timeout_ns)
{
    WF_SCOPE(scope, .timeout = timeout_ns);
    return wf_scope_join(&scope);
}

static int measure(const struct plan *plan)
{
    uint32_t random = 1;
    int64_t *durations_ns = calloc(plan->live, sizeof *durations_ns);
    if (durations_ns == NULL) return -ENOMEM;
    int rc = 0;
    {
        WF_SCOPE(sleepers);
        for (size_t i = 0; i < plan->live; i++) {
            durations_ns[i] = random_minute(&random);
            wf_spawn(&sleepers, sleep_for, &durations_ns[i]);
        }
        wf_yield();  /* now all of them sleep */
        double started = wall_seconds();
        for (long i = 0; i < plan->operations && rc >= 0; i++) rc = arm_and_cancel(random_minute(&random));
        double seconds = wall_seconds() - started;
        if (rc >= 0) rc = print_result("timer_op", seconds * 1e9 / (double)plan->operations);
        wf_scope_cancel(&sleepers, "measured");
        rc = wf_scope_end(&sleepers, rc);
    }
    free(durations_ns);
    return rc;
}

int main(int argc, char **argv)
{
    struct plan plan = {.live = (size_t)argument(argc, argv, 1, 100), .operations = argument(argc, argv, 2, 1000000)};
    return wf_main(measure, &plan);
}
