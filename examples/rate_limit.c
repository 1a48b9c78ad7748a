/*
 * At most so many at once and so many a second: 30 calls, 5 at a time, 100 a second, evenly spaced.
 *
 *     weft run examples/rate_limit.c
 */
#include <stdio.h>
#include <weft/weft.h>

static struct wf_bulkhead five = WF_BULKHEAD(5, 100);
static struct wf_rate hundred = WF_RATE(100, WF_SECONDS(1));

struct service {
    int inside, peak, calls;
    int64_t last, least_gap;
};

static int call(struct service *service)
{
    int64_t now = wf_now(), gap = now - service->last;
    if (service->calls++ == 1 || gap < service->least_gap) service->least_gap = gap;
    service->last = now;
    if (++service->inside > service->peak) service->peak = service->inside;
    int rc = wf_sleep(WF_MILLISECONDS(20));
    service->inside--;
    return rc;
}

static int use(struct service *service)
{
    return wf_guarded(&five, wf_guarded(&hundred, call(service)));
}

static int use_thirty_times(struct service *service)
{
    int64_t started = wf_now();
    WF_SCOPE(scope);
    for (int i = 0; i < 30; i++) wf_spawn(&scope, use, service);
    int rc = wf_scope_join(&scope);
    printf("%d calls in %.1f s, at most %d at once, never less than %lld ms apart\n", service->calls,
           wf_seconds(wf_now() - started), service->peak, (long long)(service->least_gap / WF_MILLISECONDS(1)));
    return rc;
}

int main(void)
{
    struct service service = {.least_gap = WF_FOREVER};
    return wf_main(use_thirty_times, &service);
}
