/* Memory of a task that waits on an event, its guarded stack included. parked COUNT */
#include "../measure.h"

#include <weft/weft.h>

struct crowd {
    struct wf_event event;
    long waiting;
};

static int wait_for(struct crowd *crowd)
{
    crowd->waiting++;
    return wf_event_wait(&crowd->event);
}

static int measure(const long *count)
{
    struct crowd crowd = {.event = WF_EVENT};
    double before = memory_bytes();
    WF_SCOPE(scope);
    int rc = 0;
    for (long i = 0; i < *count && rc >= 0; i++) rc = wf_spawn(&scope, wait_for, &crowd);
    while (rc >= 0 && crowd.waiting < *count) rc = wf_yield();
    if (rc >= 0) rc = print_result("parked", (memory_bytes() - before) / (double)*count);
    wf_event_set(&crowd.event);
    return wf_scope_end(&scope, rc);
}

int main(int argc, char **argv)
{
    long count = argument(argc, argv, 1, 1000000);
    return wf_main(measure, &count);
}
