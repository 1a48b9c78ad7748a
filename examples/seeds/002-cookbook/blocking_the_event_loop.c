/*
 * A call that blocks holds the loop, and with it every task; the watchdog names it while it does. On a thread, or
 * written as a wait that suspends, the same wait holds nobody. From "Common Pitfalls: 1. Blocking the Event Loop".
 *
 * Rows: S134, S147.
 *
 * The sample makes a thread pool for each call, and never shuts it down. Here the loop has one executor, whose workers
 * end with it. The 5 s of the sample are half a second.
 *
 * Run it: weft run examples/seeds/002-cookbook/blocking_the_event_loop.c
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <weft/weft.h>

/* Blocking I/O, of a library that knows nothing of tasks. */
static int blocking_operation(void *unused)
{
    (void)unused;
    nanosleep(&(struct timespec){.tv_nsec = 500000000}, NULL);
    return 42;
}

static int bad_sleep(void *unused)
{
    return blocking_operation(unused);
}

static int good_sleep(void *unused)
{
    (void)unused;
    int rc = wf_sleep(WF_MILLISECONDS(500));
    return rc < 0 ? rc : 42;
}

static int run_blocking_safely(void *unused)
{
    return wf_offload(blocking_operation, unused);
}

static int tick(int *ticks)
{
    int rc;
    while ((rc = wf_sleep(WF_MILLISECONDS(10))) == 0) ++*ticks;
    return rc;
}

static int show(const char *name, int (*fn)(void *))
{
    int ticks = 0;
    struct wf_handle handle = {0};
    WF_SCOPE(scope);
    wf_spawn(&scope, tick, &ticks, .daemon = true);
    wf_spawn(&scope, fn, NULL, .name = name, .handle = &handle);
    int rc = wf_scope_join(&scope);
    printf("%s: %d, the others ran meanwhile: %s\n", name, wf_handle_result(&handle), ticks >= 10 ? "yes" : "no");
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    int rc = show("bad_sleep", bad_sleep);
    if (rc == 0) rc = show("good_sleep", good_sleep);
    if (rc == 0) rc = show("run_blocking_safely", run_blocking_safely);
    return rc;
}

/* The watchdog's report goes to standard error; here its first line goes to standard output. */
static void show_report(void *context, const char *text)
{
    (void)context;
    printf("  %.*s\n", (int)strcspn(text, "\n"), text);
}

int main(void)
{
    wf_set_report(show_report, NULL);
    return wf_main(run, NULL);
}
