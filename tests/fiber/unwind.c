/* Something for a debugger to look at: tests/fiber/unwind.sh runs it. A task three calls deep, and a parked one. */
#include <stdio.h>
#include <weft/weft.h>

void stop_here(volatile int *depth);

__attribute__((noinline)) void stop_here(volatile int *depth)
{
    ++*depth;
}

static __attribute__((noinline)) int inner(volatile int *depth)
{
    stop_here(depth);
    return *depth;
}

static int running_task(int *depth)
{
    int rc = inner(depth);
    return rc < 0 ? rc : 0;
}

static int parked_task(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(60));
}

static int look_at_me(void *unused)
{
    (void)unused;
    int depth = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, parked_task, NULL, .daemon = true);
    wf_spawn(&scope, running_task, &depth);
    return wf_scope_join(&scope);
}

int main(void)
{
    return wf_main(look_at_me, NULL);
}
