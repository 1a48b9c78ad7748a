/*
 * A limiter of both: at most 5 calls at once, and at most 10 starts a second. A hundred calls take 9.9 s, and no two of
 * them start closer than 0.1 s. From "5. Rate Limiting with Semaphores".
 *
 * Rows: S047, S017.
 *
 * The sample's acquire is a bare async generator, which `async with` refuses; mended, its five tasks read the same
 * last_request, and twenty calls pass in 0.8 s. Here the turns are given out one by one, before anybody sleeps, and one
 * who is cancelled while waiting costs the others nothing.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/rate_limiting.c
 */
#include <stdio.h>
#include <weft/weft.h>

static struct wf_bulkhead five = WF_BULKHEAD(5, 100);
static struct wf_rate ten_a_second = WF_RATE(10, WF_SECONDS(1));

struct calls {
    int64_t took;
    int count, inside, peak;
    int64_t last_start, closest;
};

static int request(struct calls *calls)
{
    int64_t now = wf_now();
    if (calls->count++ > 0 && now - calls->last_start < calls->closest) calls->closest = now - calls->last_start;
    calls->last_start = now;
    if (++calls->inside > calls->peak) calls->peak = calls->inside;
    int rc = wf_sleep(calls->took);
    calls->inside--;
    return rc;
}

static int rate_limited_fetch(struct calls *calls)
{
    return wf_guarded(&five, wf_guarded(&ten_a_second, request(calls)));
}

static int fetch_with_limits(int64_t took)
{
    struct calls calls = {.took = took, .closest = WF_FOREVER};
    int64_t started = wf_now();
    WF_SCOPE(scope);
    for (int i = 0; i < 100; i++) wf_spawn(&scope, rate_limited_fetch, &calls);
    int rc = wf_scope_join(&scope);
    printf("%d calls of %.1f s: %.1f s, at most %d at once, never closer than %.3f s\n", calls.count, wf_seconds(took),
           wf_seconds(wf_now() - started), calls.peak, wf_seconds(calls.closest));
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    int rc = fetch_with_limits(WF_MILLISECONDS(100));      /* the rate decides */
    return rc < 0 ? rc : fetch_with_limits(WF_SECONDS(1)); /* the number at once does */
}

int main(void)
{
    return wf_main(run, NULL);
}
