/*
 * Best Practices 4, Bound Concurrency for Batch Operations: any number of vehicles, never more than so many at once;
 * and what a service that takes many in one request makes of it.
 *
 * Rows: S023, S109, S099.
 * The sample makes a task for every item before the first may begin; here never more than the limit exist.
 *
 * Run it: weft run examples/seeds/000-custody/bound_concurrency.c 100 10
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>

enum { VINS_MAX = CUSTODY_BATCH_MAX };

struct batch {
    int count;
    uint32_t at_once;
    char vins[VINS_MAX][CUSTODY_VIN_MAX + 1];
};

struct check {
    struct custody_client *client;
    const char *vin;
    bool is_releasable;
};

static int bounded_check(struct check *check)
{
    struct custody_releasability result;
    int rc = custody_check_vin(check->client, wf_task_arena(), check->vin, &result);
    if (rc == 0) check->is_releasable = result.is_releasable;
    return rc;
}

static int process_batch(struct custody_client *client, struct batch *batch)
{
    static struct check checks[VINS_MAX];
    for (int i = 0; i < batch->count; i++) checks[i] = (struct check){.client = client, .vin = batch->vins[i]};
    int rc = wf_gather(checks, (size_t)batch->count, bounded_check, .limit = batch->at_once), releasable = 0;
    for (int i = 0; rc == 0 && i < batch->count; i++) releasable += checks[i].is_releasable;
    if (rc == 0) printf("one by one, %u at once: %d of %d releasable\n", batch->at_once, releasable, batch->count);
    return rc;
}

static int process_at_once(struct custody_client *client, struct batch *batch)
{
    static struct custody_batch_row rows[VINS_MAX];
    const char *vins[VINS_MAX];
    for (int i = 0; i < batch->count; i++) vins[i] = batch->vins[i];
    int rc = custody_check_batch(client, wf_task_arena(), vins, (size_t)batch->count, rows), releasable = 0;
    for (int i = 0; rc == 0 && i < batch->count; i++) releasable += rows[i].ok && rows[i].result.is_releasable;
    if (rc == 0) printf("in one request: %d of %d releasable\n", releasable, batch->count);
    return rc;
}

static int run(struct batch *batch)
{
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    int rc = process_batch(&client, batch);
    return rc < 0 ? rc : process_at_once(&client, batch);
}

int main(int argc, char **argv)
{
    static struct batch batch = {.count = 100, .at_once = 10};
    if (argc > 1) batch.count = atoi(argv[1]);
    if (argc > 2) batch.at_once = (uint32_t)atoi(argv[2]);
    if (batch.count < 1 || batch.count > VINS_MAX) return fprintf(stderr, "1 to %d vehicles\n", VINS_MAX), 2;
    for (int i = 0; i < batch.count; i++) snprintf(batch.vins[i], sizeof batch.vins[i], "VIN%012d", i);
    return wf_main(run, &batch);
}
