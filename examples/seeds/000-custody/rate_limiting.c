/*
 * Rate Limiting with Semaphores: a hundred vehicles, at most ten at a time.
 *
 * Rows: S109, S017, S023.
 * The sample makes all hundred tasks at once, and has them wait for the semaphore; here ten exist. It would also fail
 * as a whole if one failed, which is what its hundred VINs are for: the sandbox knows them all.
 *
 * Run it: weft run examples/seeds/000-custody/rate_limiting.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>

enum { VINS = 100, AT_ONCE = 10 };

static int inside, peak;

struct check {
    struct custody_client *client;
    char vin[CUSTODY_VIN_MAX + 1];
    bool is_releasable;
};

static int check(struct check *check)
{
    struct custody_releasability result;
    if (++inside > peak) peak = inside;
    int rc = custody_check_vin(check->client, wf_task_arena(), check->vin, &result); /* its arena ends with the task */
    inside--;
    if (rc == 0) check->is_releasable = result.is_releasable;
    return rc;
}

static int check_all(void *unused)
{
    (void)unused;
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    static struct check checks[VINS];
    for (int i = 0; i < VINS; i++) {
        checks[i].client = &client;
        snprintf(checks[i].vin, sizeof checks[i].vin, "VIN%012d", i);
    }
    int rc = wf_gather(checks, VINS, check, .limit = AT_ONCE);
    if (rc < 0) return rc;
    int releasable = 0;
    for (int i = 0; i < VINS; i++) releasable += checks[i].is_releasable;
    printf("Processed %d VINs\n", VINS);
    printf("%d releasable, at most %d at a time\n", releasable, peak);
    return 0;
}

int main(void)
{
    return wf_main(check_all, NULL);
}
