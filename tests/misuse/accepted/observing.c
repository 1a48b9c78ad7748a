// Lines, bindings, timed operations and metrics under strict warnings, nested too.
#include <weft/weft.h>

WF_COUNTER(plain, "plain_total", "Without labels.");
WF_COUNTER(labelled, "labelled_total", "With labels.", .labels = {"method", "status"}, .series_max = 20);
WF_GAUGE(depth, "depth", "A depth.");
WF_HISTOGRAM(latency, "latency_seconds", "A time.", .seconds = true);
WF_HISTOGRAM(sizes, "sizes", "A size.", .buckets = {10, 100, 1000});

int observe(const char *name, int64_t number);
int observe(const char *name, int64_t number)
{
    WF_REQUEST_CONTEXT(request, .name = "GET /", .traceparent = name);
    WF_CONTEXT(bound, WF_TEXT("customer", name), WF_INT("order", number));
    wf_log(WF_INFO, "no fields");
    wf_log(number < 0 ? WF_ERROR : WF_DEBUG, "one", WF_NS("took", wf_now() - request.started));
    if (number > 3) wf_log(WF_WARN, "two", WF_BOOL("late", number > 5), WF_DOUBLE("ratio", 0.5));
    else wf_logf(WF_INFO, "%s has %lld", name, (long long)number);
    {
        WF_CONTEXT(inner, WF_SECRET("token", name));
        WF_TIMED(timer, "inner");
        wf_timed_end(&timer, (int)number);
    }
    wf_counter_add(&plain, 1);
    wf_counter_add(wf_counter_at(&labelled, "GET", name), 1);
    wf_gauge_set(&depth, number);
    wf_histogram_observe(&latency, number);
    wf_histogram_observe(&sizes, number);
    wf_each_request(active) number += active->started;
    return wf_timed("outer", wf_timed("inner", wf_within(WF_SECONDS(1), wf_sleep(number))));
}
