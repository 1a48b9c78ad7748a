/*
 * A task that blocks its loop, and two that do not. From "Common Pitfalls", "2. Blocking the Event Loop".
 * Rows: S147.
 * The watchdog reports the first, with its name and its stack, while it still blocks. The sample's five seconds are one
 * here.
 * Run it: weft run examples/seeds/003-services/blocking_the_event_loop.c
 */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <weft/weft.h>

static int wait_as_threads_do(void *unused)
{
    (void)unused;
    nanosleep(&(struct timespec){.tv_sec = 1}, NULL);
    return 0;
}

static int bad_example(void *unused)
{
    return wait_as_threads_do(unused);
}

static int good_example(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(1));
}

/* For what cannot be helped: a library that blocks. */
static int good_for_libraries(void *unused)
{
    (void)unused;
    return wf_offload(wait_as_threads_do, NULL);
}

static int tick(int *ticks)
{
    int rc;
    while ((rc = wf_sleep(WF_MILLISECONDS(10))) == 0) (*ticks)++;
    return rc;
}

static int show(const char *name, int (*example)(void *))
{
    int ticks = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, tick, &ticks, .daemon = true);
    wf_spawn(&scope, example, NULL, .name = name);
    int rc = wf_scope_join(&scope);
    printf("%s: the others %s\n", name, ticks >= 10 ? "went on" : "waited");
    return rc;
}

/* On the watchdog's thread. */
static void show_report(void *context, const char *text)
{
    (void)context;
    const char *number = strstr(text, " (#");
    if (number != NULL) printf("weft reports: %.*s has held its loop ...\n", (int)(number - text), text);
}

static int compare(void *unused)
{
    (void)unused;
    int rc = show("bad_example", bad_example);
    if (rc == 0) rc = show("good_example", good_example);
    if (rc == 0) rc = show("good_for_libraries", good_for_libraries);
    return rc;
}

int main(void)
{
    setlinebuf(stdout);
    wf_set_report(show_report, NULL);
    return wf_main(compare, NULL);
}
