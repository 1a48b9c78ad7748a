/*
 * Timeouts: a limit around a call, which knows nothing of it.
 *
 * Rows: S035, S099.
 * Run it: weft run examples/seeds/000-custody/timeouts.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>

static int check(struct custody_client *client, int64_t limit)
{
    struct custody_releasability result;
    int rc = wf_within(limit, custody_check_vin(client, wf_task_arena(), "9HGBH41JXMN999999", &result));
    if (rc == -ETIME) return puts("Operation timed out") < 0;
    if (rc == 0) printf("Releasable: %s\n", result.is_releasable ? "true" : "false");
    return rc;
}

static int check_twice(void *unused)
{
    (void)unused;
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    int rc = check(&client, WF_SECONDS(5));
    return rc < 0 ? rc : check(&client, 1); /* a nanosecond */
}

int main(void)
{
    return wf_main(check_twice, NULL);
}
