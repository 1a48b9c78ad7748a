/*
 * Counters, gauges and histograms, and the text that Prometheus reads: what GET /metrics would answer.
 *
 *     weft run examples/metrics.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

WF_COUNTER(requests, "shop_requests_total", "Requests answered.", .labels = {"method", "status"}, .series_max = 3);
WF_GAUGE(in_flight, "shop_in_flight", "Requests that are being answered.");
WF_HISTOGRAM(latency, "shop_request_duration_seconds", "How long they took.", .seconds = true,
             .buckets = {WF_MILLISECONDS(10), WF_MILLISECONDS(100), WF_SECONDS(1)});

struct request {
    const char *method, *status;
    int64_t duration_ns;
};

static int answer(const struct request *request)
{
    int64_t started = wf_now();
    wf_gauge_add(&in_flight, 1);
    int rc = wf_sleep(request->duration_ns);
    wf_gauge_add(&in_flight, -1);
    wf_counter_add(wf_counter_at(&requests, request->method, request->status), 1);
    wf_histogram_observe(&latency, wf_now() - started);
    return rc;
}

static int serve(void *unused)
{
    (void)unused;
    static const struct request served[] = {
        {"GET", "200", WF_MILLISECONDS(1)}, {"GET", "200", WF_MILLISECONDS(1)},  {"POST", "201", WF_MILLISECONDS(50)},
        {"GET", "404", WF_MILLISECONDS(1)}, {"BREW", "418", WF_MILLISECONDS(1)}, /* one too many: it counts as other */
    };
    int rc = 0;
    for (size_t i = 0; i < WF_COUNT(served) && rc == 0; i++) rc = answer(&served[i]);
    char *text, *end;
    if (rc == 0) rc = wf_metrics_text(wf_task_arena(), &text);
    if (rc < 0) return rc;
    end = strstr(text, "# HELP weft_tasks_alive"); /* the loop's own numbers follow */
    return printf("%.*s", (int)(end - text), text) < 0 ? -EIO : 0;
}

int main(void)
{
    return wf_main(serve, NULL);
}
