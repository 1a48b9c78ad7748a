/*
 * Concurrent Operations: three vehicles are checked at once; the answers come in the order of the questions, and all of
 * it takes as long as the slowest.
 *
 * Rows: S107, S006, S098.
 * The sample has its token in the code; here the environment has it (CUSTODY_TOKEN, and CUSTODY_URL, if the sandbox is
 * not at its usual place). Its gather leaves the others running when one fails; here they are cancelled.
 *
 * Run it: weft run examples/seeds/000-custody/concurrent_operations.c
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
};

static int check(struct check *check)
{
    return custody_check_vin(check->client, check->arena, check->vin, &check->result);
}

static int check_all(void *unused)
{
    (void)unused;
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    static const char *const vins[] = {"9HGBH41JXMN999999", "1HGCM82633A123456", "2HGCM82633A789012"};
    struct check checks[WF_COUNT(vins)];
    for (size_t i = 0; i < WF_COUNT(vins); i++)
        checks[i] = (struct check){.client = &client, .arena = wf_task_arena(), .vin = vins[i]};
    int rc = wf_gather(checks, WF_COUNT(checks), check);
    if (rc < 0) return rc;
    for (size_t i = 0; i < WF_COUNT(checks); i++)
        printf("%s: %s\n", checks[i].vin, checks[i].result.is_releasable ? "Releasable" : "Not releasable");
    return 0;
}

int main(void)
{
    return wf_main(check_all, NULL);
}
