/*
 * A task for each sleep of random 1 to 1,000 ms; CPU time from the first spawn to the last join. timers COUNT [warm]
 *
 * With `warm` the wave runs twice and the second is measured: its stacks have been used before and were kept.
 */
#include "../measure.h"

#include <weft/weft.h>

struct plan {
    size_t count;
    bool warm;
};

static int sleep_for(const int64_t *duration_ns)
{
    return wf_sleep(*duration_ns);
}

static int sleep_all(const int64_t *durations_ns, size_t count)
{
    WF_SCOPE(scope);
    for (size_t i = 0; i < count; i++) wf_spawn(&scope, sleep_for, &durations_ns[i]);
    return wf_scope_join(&scope);
}

static int measure(const struct plan *plan)
{
    uint32_t random = 1;
    double started = cpu_seconds();
    int64_t *durations_ns = calloc(plan->count, sizeof *durations_ns);
    if (durations_ns == NULL) return -ENOMEM;
    for (size_t i = 0; i < plan->count; i++) durations_ns[i] = WF_MILLISECONDS(random_milliseconds(&random));
    int rc = 0;
    if (plan->warm) {
        rc = sleep_all(durations_ns, plan->count);
        started = cpu_seconds();
    }
    if (rc >= 0) rc = sleep_all(durations_ns, plan->count);
    double used = cpu_seconds() - started;
    free(durations_ns);
    return rc < 0 ? rc : print_result("timers", used);
}

int main(int argc, char **argv)
{
    struct plan plan = {.count = (size_t)argument(argc, argv, 1, 100000), .warm = argc > 2};
    return wf_exit_status(wf_run(measure, &plan, .stack_cache = plan.warm ? plan.count : 0));
}
