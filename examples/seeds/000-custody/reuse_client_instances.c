/*
 * Best Practices 1, Reuse Client Instances: the same calls by one client, and by a new one each time.
 *
 * Rows: S061, S060.
 * Run it: weft run examples/seeds/000-custody/reuse_client_instances.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>

enum { CALLS = 200 };

static int check(struct custody_client *client)
{
    struct custody_releasability result;
    int rc = custody_check_vin(client, wf_task_arena(), "9HGBH41JXMN999999", &result);
    wf_arena_reset(wf_task_arena());
    return rc;
}

static int by_one_client(void)
{
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")));
    int rc = 0;
    for (int i = 0; rc == 0 && i < CALLS; i++) rc = check(&client);
    return rc;
}

static int by_a_client_each(void)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < CALLS; i++) {
        CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN"))); /* connects anew */
        rc = check(&client);
    }
    return rc;
}

static int compare(void *unused)
{
    (void)unused;
    int64_t began = wf_now();
    int rc = by_one_client();
    int64_t reused = wf_now() - began;
    began = wf_now();
    if (rc == 0) rc = by_a_client_each();
    int64_t anew = wf_now() - began;
    if (rc < 0) return rc;
    printf("one client for %d calls: %.1f ms\n", CALLS, (double)reused / 1e6);
    printf("a client for each call: %.1f ms\n", (double)anew / 1e6);
    return 0;
}

int main(void)
{
    return wf_main(compare, NULL);
}
