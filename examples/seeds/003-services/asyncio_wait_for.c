/*
 * A deadline around a call, and an error of one's own when it passes. From "Timeouts", "asyncio.wait_for (older
 * Python)".
 * Rows: S035.
 * What was cut has cleaned up before the caller goes on.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/asyncio_wait_for.c
 */
#include <stdio.h>
#include <weft/weft.h>

static int fetch_url(int64_t takes)
{
    int rc = wf_sleep(takes);
    if (rc < 0) printf("  fetch_url: cleaned up\n");
    return rc;
}

static int fetch_with_timeout(int64_t takes)
{
    int rc = wf_within(WF_SECONDS(5), fetch_url(takes));
    return rc == -ETIME ? wf_fail(-EREMOTEIO, "external service: request timed out") : rc;
}

static void show(const char *what, int64_t takes)
{
    int64_t began = wf_now();
    int rc = fetch_with_timeout(takes);
    printf("%s: %s, after %.1f s\n", what, rc < 0 ? wf_failure() : "done", wf_seconds(wf_now() - began));
}

static int show_all(void *unused)
{
    (void)unused;
    show("1 s", WF_SECONDS(1));
    show("10 s", WF_SECONDS(10));
    int64_t began = wf_now();
    int rc = wf_within(0, fetch_url(WF_SECONDS(1))); /* passed already: the first wait fails */
    printf("no time at all: %s, after %.1f s\n", wf_strerror(rc), wf_seconds(wf_now() - began));
    rc = wf_within(WF_SECONDS(2), fetch_with_timeout(WF_SECONDS(10))); /* not the inner one's timeout */
    printf("cut by a deadline further out: %s\n", wf_strerror(rc));
    return 0;
}

int main(void)
{
    return wf_main(show_all, NULL);
}
