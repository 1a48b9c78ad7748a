/*
 * Ten thousand tasks sleep at once, on one thread. All of it takes as long as one sleep.
 *
 *     weft run examples/many_sleeps.c
 */
#include <stdio.h>
#include <weft/weft.h>

enum { TASKS = 10000 };

static int nap(int *awake)
{
    int rc = wf_sleep(WF_SECONDS(1));
    if (rc < 0) return rc;
    (*awake)++; /* no lock: tasks of one loop take turns only where they suspend */
    return 0;
}

static int sleep_together(const int *tasks)
{
    int64_t started = wf_now();
    int awake = 0;
    WF_SCOPE(scope);
    for (int i = 0; i < *tasks; i++) wf_spawn(&scope, nap, &awake);
    int rc = wf_scope_join(&scope);
    printf("%d tasks slept 1 second each: %.1f seconds in all\n", awake, wf_seconds(wf_now() - started));
    return rc;
}

int main(void)
{
    static const int tasks = TASKS;
    return wf_main(sleep_together, &tasks);
}
