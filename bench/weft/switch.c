/* Two tasks that yield to each other through the scheduler. switch SWITCHES */
#include "../measure.h"

#include <weft/weft.h>

static int yield_times(const long *count)
{
    for (long i = 0; i < *count; i++) wf_yield();
    return 0;
}

static int measure(const long *switches)
{
    long half = *switches / 2;
    double started = wall_seconds();
    WF_SCOPE(scope);
    wf_spawn(&scope, yield_times, &half);
    wf_spawn(&scope, yield_times, &half);
    int rc = wf_scope_join(&scope);
    if (rc < 0) return rc;
    return print_result("switch", (wall_seconds() - started) * 1e9 / (double)*switches);
}

int main(int argc, char **argv)
{
    long switches = argument(argc, argv, 1, 20000000);
    return wf_main(measure, &switches);
}
