/*
 * A call that blocks holds the loop, and with it every task. A sibling that wants to tick each 10 ms shows for how
 * long. Bad: it blocks in a task. Good: it blocks on a thread. Best: it waits in a call that suspends.
 *
 *     weft run examples/pitfalls/blocked_loop.c
 */
#include <stdio.h>
#include <time.h>
#include <weft/weft.h>

enum { WORK_MS = 500 };

/* What a library does that knows nothing of tasks. */
static int query_and_block(void *unused)
{
    (void)unused;
    nanosleep(&(struct timespec){.tv_nsec = WORK_MS * 1000000L}, NULL);
    return 0;
}

static int bad(void)
{
    return query_and_block(NULL);
}

static int good(void)
{
    return wf_offload(query_and_block, NULL);
}

static int best(void)
{
    return wf_sleep(WF_MILLISECONDS(WORK_MS));
}

/* The longest time from one tick to the next. */
static int tick(int64_t *longest)
{
    int64_t last = wf_now();
    while (wf_sleep(WF_MILLISECONDS(10)) == 0) {
        int64_t now = wf_now();
        if (now - last > *longest) *longest = now - last;
        last = now;
    }
    return -ECANCELED;
}

static int show(const char *name, int (*form)(void))
{
    int64_t longest = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, tick, &longest, .daemon = true);
    int rc = wf_sleep(WF_MILLISECONDS(50));
    if (rc == 0) rc = form();
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(50));
    rc = wf_scope_end(&scope, rc);
    printf("%s: the others waited for up to %lld ms\n", name, (long long)(longest / WF_MILLISECONDS(1)));
    return rc;
}

static int compare(void *unused)
{
    (void)unused;
    int rc = show("bad", bad);
    if (rc == 0) rc = show("good", good);
    if (rc == 0) rc = show("best", best);
    return rc;
}

int main(void)
{
    return wf_main(compare, NULL);
}
