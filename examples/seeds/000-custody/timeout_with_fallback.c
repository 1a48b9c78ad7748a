/*
 * Timeout with Fallback: a check that takes too long is answered by what was known last, with its age; a vehicle that
 * was never checked has nothing.
 *
 * Rows: S038, S100, S106.
 * In the sample the call that it falls back to has no limit of its own, so that the whole may take for ever; the SDK's
 * has one of a second. The sandbox is told to be slow for two vehicles, and then to be as before.
 *
 * Run it: weft run examples/seeds/000-custody/timeout_with_fallback.c
 */
// weft: pkg-config custody
#include <custody/custody.h>
#include <stdio.h>
#include <stdlib.h>

/* 0 and a result; 1: nobody knows. */
static int check_or_remember(struct custody_client *client, const char *vin, int64_t limit,
                             struct custody_releasability *result)
{
    int rc = wf_within(limit, custody_check_vin(client, wf_task_arena(), vin, result));
    if (rc != -ETIME) return rc;
    printf("Timeout for %s, trying cached data...\n", vin);
    rc = custody_get_cached(client, wf_task_arena(), vin, result);
    return rc == -ENOENT ? 1 : rc;
}

static int show(struct custody_client *client, const char *vin, int64_t limit)
{
    struct custody_releasability result;
    int rc = check_or_remember(client, vin, limit, &result);
    if (rc == 1) printf("%s: nothing is known\n", vin);
    if (rc != 0) return rc < 0 ? rc : 0;
    printf("%s: %s%s\n", vin, result.is_releasable ? "Releasable" : "Not releasable",
           result.cached ? ", as of an earlier check" : "");
    return 0;
}

/* Not a part of the service: how the sandbox is made slow. */
static int make_slow(const char *vin, int delay_ms, int count)
{
    WF_CLIENT(client, .base_url = getenv("CUSTODY_URL") != NULL ? getenv("CUSTODY_URL") : CUSTODY_SANDBOX_URL,
              .bearer = getenv("CUSTODY_TOKEN"), .check_status = true);
    struct wf_response response;
    const char *fault =
        wf_arena_printf(wf_task_arena(), "{\"path\":\"/releasability/%s\",\"delay_ms\":%d,\"count\":%d}", vin, delay_ms,
                        count);
    return wf_post(&client, wf_task_arena(), "_sandbox/faults", &response, .json = fault);
}

static int check_all(void *unused)
{
    (void)unused;
    static const char known[] = "9HGBH41JXMN999999", unknown[] = "NEVERCHECKED00001";
    CUSTODY_CLIENT(client, custody_sandbox(getenv("CUSTODY_TOKEN")), .attempts = 1);
    int rc = show(&client, known, WF_SECONDS(5));
    if (rc == 0) rc = make_slow(known, 5000, 1);
    if (rc == 0) rc = show(&client, known, WF_MILLISECONDS(300));
    if (rc == 0) rc = make_slow(unknown, 5000, 1);
    if (rc == 0) rc = show(&client, unknown, WF_MILLISECONDS(300));
    return rc < 0 ? rc : make_slow(known, 0, 0);
}

int main(void)
{
    return wf_main(check_all, NULL);
}
