/*
 * The forgotten await. In C a function that is called runs; what can be forgotten is its result, or a task that nobody
 * waits for. From "Common Pitfalls: 2. Not Awaiting Coroutines".
 *
 * Rows: S148.
 *
 * In the sample print(result) shows a coroutine object. Here the compiler refuses a result that nobody reads (with
 * -Werror; else it warns), and a task that is left behind is reported with its place and ended; its error cannot
 * vanish either.
 *
 * Run it: weft run examples/seeds/002-cookbook/not_awaiting_coroutines.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

static WF_CHECKED int fetch_data(const char **value)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc == 0) *value = "value";
    return rc;
}

static int awaited(void)
{
    const char *value = "nothing";
    int rc = fetch_data(&value); /* without `int rc =`: ignoring return value of 'fetch_data' */
    printf("awaited: {data: %s}\n", value);
    return rc;
}

static int not_awaited(void)
{
    const char *value = "nothing";
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, fetch_data, &value);
    } /* the block is left without wf_scope_end */
    printf("not awaited: {data: %s}\n", value);
    return 0;
}

static int spawned(void)
{
    const char *value = "nothing";
    WF_SCOPE(scope);
    wf_spawn(&scope, fetch_data, &value);
    int rc = wf_scope_join(&scope);
    printf("spawned and joined: {data: %s}\n", value);
    return rc;
}

/* What weft reports goes to standard error; here its beginning goes to standard output. */
static void show_report(void *context, const char *text)
{
    (void)context;
    printf("  %.*s\n", (int)strcspn(text, "\n"), text);
}

static int run(void *unused)
{
    (void)unused;
    int rc = awaited();
    if (rc == 0) rc = not_awaited();
    if (rc == 0) rc = spawned();
    return rc;
}

int main(void)
{
    wf_set_report(show_report, NULL);
    return wf_main(run, NULL);
}
