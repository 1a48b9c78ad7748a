/*
 * A deadline around a call: 10 s of work are cut after 3 s, cleaned up, and a message takes the place of the result.
 * From "Variations: Timeout Handling".
 *
 * Rows: S035.
 *
 * Old versions of wait_for lost a result, or hid a cancel from outside, when either came together with the timeout.
 * Here a result that is there when the deadline is stays a result; a cancel of the caller stays one; and a deadline
 * that has passed lets nothing begin that would wait.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/timeout_handling.c
 */
#include <stdio.h>
#include <weft/weft.h>

static int fetch_data(int64_t takes)
{
    int rc = wf_sleep(takes);
    if (rc < 0) wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(50))); /* gives something back to the server */
    if (rc < 0) printf("  cleaned up\n");
    return rc < 0 ? rc : 200;
}

static int fetch_with_timeout(const char *url, int64_t takes, int64_t limit)
{
    int64_t started = wf_now();
    int rc = wf_within(limit, fetch_data(takes));
    if (rc == -ETIME) printf("  {error: Request timed out, url: %s}", url);
    else if (rc < 0) printf("  %s", wf_strerror(rc));
    else printf("  {data: result}");
    printf(", after %.2f s\n", wf_seconds(wf_now() - started));
    return rc;
}

static int fetch_under_cancel(void *unused)
{
    (void)unused;
    return fetch_with_timeout("https://slow-api.com", WF_SECONDS(10), WF_SECONDS(3));
}

static int run(void *unused)
{
    (void)unused;
    printf("10 s under 3 s:\n");
    fetch_with_timeout("https://slow-api.com", WF_SECONDS(10), WF_SECONDS(3));
    printf("2.999 s under 3 s:\n");
    fetch_with_timeout("https://slow-api.com", WF_MILLISECONDS(2999), WF_SECONDS(3));
    printf("nothing left:\n");
    fetch_with_timeout("https://slow-api.com", WF_SECONDS(10), 0);

    printf("cancelled from outside after 1 s:\n");
    struct wf_handle handle = {0};
    WF_SCOPE(scope);
    wf_spawn(&scope, fetch_under_cancel, NULL, .handle = &handle);
    int rc = wf_sleep(WF_SECONDS(1));
    wf_handle_cancel(&handle, "nobody wants it any more");
    return wf_scope_end(&scope, rc);
}

int main(void)
{
    return wf_main(run, NULL);
}
