/* The contract of context, log and metrics: nothing of it ever suspends. ../contract.h says what the lines mean. */
#include <string.h>
#include <unistd.h>

#include "../contract.h"

WF_COUNTER(counter, "contract_total", "Counts.", .labels = {"kind"});
WF_GAUGE(gauge, "contract_gauge", "Goes up and down.", .labels = {"kind"});
WF_HISTOGRAM(histogram, "contract_histogram", "Adds up.", .labels = {"kind"});

static struct wf_field any;

WF_TEST(naming_values_and_looking_them_up_never_suspends, .rule = "1.7")
{
    const struct wf_field *found = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(WF_TEXT, any = WF_TEXT("k", "text"));
    STAYS(WF_BYTES, any = WF_BYTES("k", "bytes", 5));
    STAYS(WF_INT, any = WF_INT("k", -1));
    STAYS(WF_UINT, any = WF_UINT("k", 1));
    STAYS(WF_DOUBLE, any = WF_DOUBLE("k", 0.5));
    STAYS(WF_BOOL, any = WF_BOOL("k", true));
    STAYS(WF_NS, any = WF_NS("k", 1));
    STAYS(WF_CODE, any = WF_CODE("k", -EIO));
    STAYS(WF_SECRET, any = WF_SECRET("k", "text"));
    STAYS(WF_POINTER, any = WF_POINTER("k", &scope));
    STAYS(WF_CONTEXT, WF_CONTEXT(bound, WF_TEXT("customer", "ada")); found = wf_context_get("customer"));
    WF_EXPECT(found != NULL);
    WF_CONTEXT(bound, WF_TEXT("customer", "ada"), WF_POINTER("scope", &scope));
    STAYS(wf_context_get, WF_EXPECT(wf_context_get("customer") != NULL));
    STAYS(wf_context_text, WF_EXPECT_TEXT(wf_context_text("customer"), "ada"));
    STAYS(wf_context_pointer, WF_EXPECT(wf_context_pointer("scope") == &scope));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(being_a_request_never_suspends, .rule = "1.7")
{
    struct wf_trace trace;
    char text[WF_TRACEPARENT_SIZE];
    size_t count = 0;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(WF_REQUEST_CONTEXT, WF_REQUEST_CONTEXT(request, .name = "short"));
    WF_REQUEST_CONTEXT(request, .name = "long");
    STAYS(wf_request_current, WF_EXPECT(wf_request_current() == &request));
    STAYS(wf_context_put, WF_EXPECT_CODE(wf_context_put(WF_INT("order", 17)), 0));
    STAYS(wf_each_request, wf_each_request(active) count++);
    WF_EXPECT_INT((int64_t)count, 1);
    STAYS(wf_trace_format, wf_trace_format(&request.trace, text));
    STAYS(wf_trace_parse, WF_EXPECT_CODE(wf_trace_parse(text, &trace), 0));
    STAYS(wf_wall_now, (void)wf_wall_now());
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static void ignore_line(void *context, enum wf_log_level level, const char *line, size_t size)
{
    (void)context;
    (void)level;
    (void)line;
    (void)size;
}

WF_TEST(logging_never_suspends, .rule = "1.7 8.5")
{
    struct wf_log_statistics statistics;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_log, wf_log(WF_INFO, "line", WF_INT("n", 1)));
    STAYS(wf_logf, wf_logf(WF_INFO, "line %d", 2));
    STAYS(wf_log_enabled, WF_EXPECT(wf_log_enabled(WF_INFO)));
    STAYS(WF_TIMED, WF_TIMED(timer, "block"));
    WF_TIMED(timer, "operation");
    STAYS(wf_timed_end, WF_EXPECT_CODE(wf_timed_end(&timer, -EIO), -EIO));
    STAYS(wf_timed, WF_EXPECT_INT(wf_timed("expression", 7), 7));
    STAYS(wf_log_set_level, WF_EXPECT_CODE(wf_log_set_level("contract", WF_WARN), 0));
    STAYS(wf_log_set_format, WF_EXPECT_CODE(wf_log_set_format(WF_LOG_JSON), 0));
    STAYS(wf_log_set_hook, wf_log_set_hook(ignore_line, NULL));
    STAYS(wf_log_statistics, wf_log_statistics(&statistics));
    STAYS(wf_log_set_output, WF_EXPECT_CODE(wf_log_set_output(STDERR_FILENO), 0));
    STAYS(wf_log_stop, WF_EXPECT_CODE(wf_log_stop(0), 0));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int ignore_text(void *context, const char *bytes, size_t size)
{
    (void)context;
    (void)bytes;
    return size > 0 ? 0 : -EINVAL;
}

WF_TEST(counting_and_reading_never_suspend, .rule = "1.7 8.5")
{
    struct wf_counter *counted = NULL;
    struct wf_gauge *measured = NULL;
    struct wf_histogram *added = NULL;
    uint64_t count;
    int64_t sum;
    char *text = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(WF_COUNTER, counted = &counter);
    STAYS(WF_GAUGE, measured = &gauge);
    STAYS(WF_HISTOGRAM, added = &histogram);
    STAYS(wf_counter_at, counted = wf_counter_at(&counter, "a"));
    STAYS(wf_gauge_at, measured = wf_gauge_at(&gauge, "a"));
    STAYS(wf_histogram_at, added = wf_histogram_at(&histogram, "a"));
    STAYS(wf_counter_add, wf_counter_add(counted, 1));
    STAYS(wf_gauge_set, wf_gauge_set(measured, 1));
    STAYS(wf_gauge_add, wf_gauge_add(measured, 1));
    STAYS(wf_histogram_observe, wf_histogram_observe(added, 1));
    STAYS(wf_counter_value, WF_EXPECT(wf_counter_value(counted) > 0));
    STAYS(wf_gauge_value, WF_EXPECT_INT(wf_gauge_value(measured), 2));
    STAYS(wf_histogram_value, wf_histogram_value(added, &count, &sum));
    STAYS(wf_metrics_text, WF_EXPECT_CODE(wf_metrics_text(wf_scope_arena(&scope), &text), 0));
    STAYS(wf_metrics_write, WF_EXPECT_CODE(wf_metrics_write(ignore_text, NULL), 0));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
