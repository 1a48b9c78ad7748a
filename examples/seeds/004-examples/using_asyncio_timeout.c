/*
 * An operation of ten seconds, cut after two. From "Timeouts", "Using asyncio.timeout() (Python 3.11+)".
 * Rows: S036.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/using_asyncio_timeout.c
 */
#include <stdio.h>
#include <weft/weft.h>

static int slow_operation(const char **result)
{
    int rc = wf_sleep(WF_SECONDS(10));
    if (rc == 0) *result = "Done";
    return rc;
}

static int with_timeout(const char **result)
{
    int rc = wf_within(WF_SECONDS(2), slow_operation(result));
    if (rc != -ETIME) return rc; /* a cancel from further out is no timeout of ours */
    printf("Operation timed out after 2 seconds\n");
    *result = "None";
    return 0;
}

static int run(void *unused)
{
    const char *result = NULL;
    (void)unused;
    int64_t began = wf_now();
    int rc = with_timeout(&result);
    if (rc < 0) return rc;
    printf("Result: %s, after %.1f s\n", result, wf_seconds(wf_now() - began));
    began = wf_now();
    rc = wf_within(WF_SECONDS(1), with_timeout(&result)); /* the outer deadline is the earlier one */
    printf("a second around it: %s, after %.1f s\n", wf_strerror(rc), wf_seconds(wf_now() - began));
    return 0;
}

int main(void)
{
    return wf_main(run, NULL);
}
