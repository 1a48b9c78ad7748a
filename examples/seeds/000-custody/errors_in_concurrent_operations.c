/*
 * Handling Errors in Concurrent Operations: one of three is no VIN; its error stands in its place, the others are
 * answered.
 *
 * Rows: S108, S007, S099, S106.
 * The sample asks whether a result is an Exception, which a cancelled call is not, and then reads is_releasable of it;
 * here each job has its code, and the error of its own task.
 *
 * Run it: weft run examples/seeds/000-custody/errors_in_concurrent_operations.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>

struct check {
    struct custody_client *client;
    struct wf_arena *arena;
    const char *vin;
    struct custody_releasability result;
    const char *error;
};

static int check(struct check *check)
{
    int rc = custody_check_vin(check->client, check->arena, check->vin, &check->result);
    if (rc < 0) check->error = wf_arena_strdup(check->arena, custody_error()->message);
    return rc;
}

static int check_all(void *unused)
{
    (void)unused;
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    static const char *const vins[] = {"9HGBH41JXMN999999", "INVALID_VIN", "1HGCM82633A123456"};
    struct check checks[WF_COUNT(vins)];
    int codes[WF_COUNT(vins)];
    for (size_t i = 0; i < WF_COUNT(vins); i++)
        checks[i] = (struct check){.client = &client, .arena = wf_task_arena(), .vin = vins[i]};
    int rc = wf_gather(checks, WF_COUNT(checks), check, .collect = codes);
    for (size_t i = 0; rc == 0 && i < WF_COUNT(checks); i++) {
        if (codes[i] < 0) printf("%s: Error - %s\n", checks[i].vin, checks[i].error);
        else printf("%s: %s\n", checks[i].vin, checks[i].result.is_releasable ? "Releasable" : "Not releasable");
    }
    return rc;
}

int main(void)
{
    return wf_main(check_all, NULL);
}
