/* Metrics: counting, label values and their bound, the text for Prometheus, what the library counts itself (S125). */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "observe/event.h" /* what the policies say */

WF_COUNTER(plain, "test_plain_total", "Without labels.");
WF_COUNTER(requests, "test_requests_total", "Requests answered.\nA \\ second line.", .labels = {"method", "status"},
           .series_max = 3);
WF_COUNTER(waited, "test_waited_seconds_total", "Time.", .seconds = true);
WF_GAUGE(depth, "test_depth", "A depth.");
WF_GAUGE(depths, "test_depths", "Depths.", .labels = {"queue"});
WF_HISTOGRAM(latency, "test_latency_seconds", "From first to last.", .seconds = true);
WF_HISTOGRAM(sizes, "test_sizes", "Sizes.", .labels = {"kind"}, .buckets = {10, 100, 1000});
WF_HISTOGRAM(signed_sizes, "test_signed_sizes", "Both sides of zero.", .buckets = {-10, 0, 10});

/* What Prometheus could not read. */
WF_COUNTER(bad_name, "test-bad", "A dash.");
WF_COUNTER(bad_label, "test_bad_label_total", "A digit first.", .labels = {"1st"});
WF_COUNTER(own_label, "test_own_label_total", "Not for users.", .labels = {"__name__"});
WF_COUNTER(same_labels, "test_same_labels_total", "Twice.", .labels = {"a", "a"});
WF_COUNTER(taken, "test_plain_total", "The name is taken.");
WF_COUNTER(taken_part, "test_sizes_count", "A line of a histogram.");
WF_HISTOGRAM(bad_le, "test_bad_le", "The label of buckets.", .labels = {"le"});
WF_HISTOGRAM(bad_buckets, "test_bad_buckets", "Down.", .buckets = {1, 3, 2});

/* ---- A strict reader of the format ---- */

struct reading {
    const char *at;
    char family[80], kind[16];
    char families[60][80];
    size_t family_count;
    char seen[400][256]; /* names with labels */
    size_t seen_count;
    char labels[256]; /* of the histogram's series that is being read */
    double last_bound, last_count;
};

static struct reading reading;
static char no_text[1], *exposition = no_text;

static bool refuse(const char *why)
{
    WF_EXPECT_TEXT(why, "");
    wf_test_note("%.80s", reading.at);
    return false;
}

static size_t name_size(const char *text, bool colons)
{
    size_t size = strspn(text, colons ? "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789:"
                                      : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");
    return *text >= '0' && *text <= '9' ? 0 : size;
}

static bool read_word(char *word, size_t size)
{
    size_t length = strcspn(reading.at, " \n");
    if (length == 0 || length >= size) return false;
    memcpy(word, reading.at, length);
    word[length] = '\0';
    reading.at += length;
    return true;
}

static bool read_help(void)
{
    reading.at += 7;
    if (!read_word(reading.family, sizeof reading.family)) return refuse("a name is missing");
    if (name_size(reading.family, true) != strlen(reading.family)) return refuse("a bad name");
    for (size_t i = 0; i < reading.family_count; i++)
        if (strcmp(reading.families[i], reading.family) == 0) return refuse("a family is there twice");
    strcpy(reading.families[reading.family_count++], reading.family);
    for (; *reading.at != '\n'; reading.at++)
        if (*reading.at == '\\' && *++reading.at != 'n' && *reading.at != '\\') return refuse("a bad escape");
    char expected[120];
    size_t size = (size_t)snprintf(expected, sizeof expected, "\n# TYPE %s ", reading.family);
    if (strncmp(reading.at, expected, size) != 0) return refuse("no type behind the help");
    reading.at += size;
    if (!read_word(reading.kind, sizeof reading.kind) || *reading.at != '\n') return refuse("a bad type");
    reading.labels[0] = '\0';
    return true;
}

/* {name="value",...}; the bound of a bucket apart. */
static bool read_labels(char *labels, size_t size, char *bound, size_t bound_size)
{
    size_t used = 0;
    while (*reading.at++ != '}') {
        size_t name = name_size(reading.at, false);
        const char *from = reading.at;
        if (name == 0 || reading.at[name] != '=' || reading.at[name + 1] != '"') return refuse("a bad label");
        bool is_bound = name == 2 && strncmp(from, "le", 2) == 0;
        reading.at += name + 2;
        const char *value = reading.at;
        for (; *reading.at != '"'; reading.at++) {
            if (*reading.at == '\n' || *reading.at == '\0') return refuse("a label without end");
            if (*reading.at == '\\' && strchr("\\\"n", *++reading.at) == NULL) return refuse("a bad escape");
        }
        if (is_bound) snprintf(bound, bound_size, "%.*s", (int)(reading.at - value), value);
        else used += (size_t)snprintf(labels + used, size - used, "%.*s,", (int)(reading.at + 1 - from), from);
        reading.at++;
        if (*reading.at != ',' && *reading.at != '}') return refuse("a bad end of a label");
    }
    return true;
}

static bool read_bucket(const char *ending, const char *labels, const char *bound, double value)
{
    if (strcmp(ending, "_bucket") == 0) {
        double limit = strcmp(bound, "+Inf") == 0 ? 1e300 : strtod(bound, NULL);
        bool first = strcmp(labels, reading.labels) != 0 || reading.labels[0] == '\0' || reading.last_bound == 1e301;
        if (!first && (limit <= reading.last_bound || value < reading.last_count))
            return refuse("buckets do not add up");
        snprintf(reading.labels, sizeof reading.labels, "%s", labels);
        reading.last_bound = limit;
        reading.last_count = value;
        return true;
    }
    if (strcmp(ending, "_sum") == 0) return reading.last_bound == 1e300 || refuse("no +Inf before the sum");
    if (strcmp(ending, "_count") != 0) return refuse("a strange line of a histogram");
    if (value != reading.last_count) return refuse("the count is not that of +Inf");
    reading.last_bound = 1e301;
    return true;
}

static bool read_sample(void)
{
    const char *from = reading.at;
    size_t family = strlen(reading.family), size = name_size(reading.at, true);
    char ending[16] = "", labels[256] = "", bound[32] = "", *end;
    if (size < family || strncmp(reading.at, reading.family, family) != 0 || size - family >= sizeof ending)
        return refuse("a line of another family");
    memcpy(ending, reading.at + family, size - family);
    reading.at += size;
    if (*reading.at == '{' && !read_labels(labels, sizeof labels, bound, sizeof bound)) return false;
    char *seen = reading.seen[reading.seen_count++];
    snprintf(seen, sizeof reading.seen[0], "%.*s", (int)(reading.at - from), from);
    for (size_t i = 0; i + 1 < reading.seen_count; i++)
        if (strcmp(reading.seen[i], seen) == 0) return refuse("a series is there twice");
    if (*reading.at++ != ' ') return refuse("no blank before the number");
    double value = strtod(reading.at, &end);
    if (end == reading.at || *end != '\n') return refuse("a bad number");
    reading.at = end;
    if (strcmp(reading.kind, "histogram") == 0) return read_bucket(ending, labels, bound, value);
    if (strcmp(reading.kind, "counter") == 0 && value < 0) return refuse("a counter below zero");
    return ending[0] == '\0' || refuse("an ending of no histogram");
}

/* Reads all of it, so that lines can be looked for in `exposition`. */
static void expect_valid(struct wf_arena *arena)
{
    wf_test_allow_reports(); /* of what is left out */
    exposition = no_text;
    if (!WF_EXPECT_CODE(wf_metrics_text(arena, &exposition), 0)) return;
    memset(&reading, 0, sizeof reading);
    reading.at = exposition;
    while (*reading.at != '\0' && reading.seen_count < WF_COUNT(reading.seen)) {
        bool good = strncmp(reading.at, "# HELP ", 7) == 0 ? read_help() : read_sample();
        if (!good) return;
        WF_EXPECT(*reading.at++ == '\n');
    }
    WF_EXPECT(*reading.at == '\0');
}

static void expect_text(const char *part)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    expect_valid(&arena);
    WF_EXPECT_PART(exposition, part);
    wf_arena_finish(&arena);
}

/* The number of a line, or 0 where it is not there: tests run more than once in a process, and metrics stay. */
static int64_t number_of(const char *series)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    expect_valid(&arena);
    char line[160];
    snprintf(line, sizeof line, "\n%s ", series);
    const char *found = strstr(exposition, line);
    int64_t number = found != NULL ? strtoll(found + strlen(line), NULL, 10) : 0;
    wf_arena_finish(&arena);
    return number;
}

/* ---- Counting ---- */

WF_TEST(what_could_not_be_read_is_left_out_and_said_once, .plain = true)
{
    static bool before;
    struct wf_arena arena;
    wf_arena_init(&arena);
    expect_valid(&arena);
    static const char *const absent[] = {"test-bad",          "test_bad_label", "test_own_label", "test_same_labels",
                                         "The name is taken", "A line of a",    "test_bad_le",    "test_bad_buckets"};
    for (size_t i = 0; i < WF_COUNT(absent); i++) WF_EXPECT(strstr(exposition, absent[i]) == NULL);
    wf_arena_finish(&arena);
    size_t lines = 0;
    for (const char *at = wf_test_reports(); (at = strstr(at, "is left out: ")) != NULL; at++) lines++;
    WF_EXPECT_INT((int64_t)lines, before ? 0 : 8);
    if (before) return; /* once in the life of a program */
    before = true;
    WF_EXPECT_PART(wf_test_reports(),
                   "the metric 'test-bad' is left out: its name is not one that Prometheus can read");
    WF_EXPECT_PART(wf_test_reports(), "the metric 'test_bad_buckets' is left out: its buckets do not ascend");
    expect_text("test_plain_total");
}

WF_TEST(using_what_was_left_out_counts_nowhere, .plain = true)
{
    wf_counter_add(&bad_name, 1);
    wf_counter_add(wf_counter_at(&bad_label, "x"), 1);
    wf_counter_add(wf_counter_at(&own_label, "x"), 1);
    wf_counter_add(wf_counter_at(&same_labels, "x", "y"), 1);
    wf_counter_add(&taken, 1);
    wf_counter_add(&taken_part, 1);
    wf_histogram_observe(wf_histogram_at(&bad_le, "x"), 1);
    wf_histogram_observe(&bad_buckets, 1);
    WF_EXPECT_INT((int64_t)wf_counter_value(&bad_name), 0);
    WF_EXPECT_INT((int64_t)wf_counter_value(&taken), 0);
}

WF_TEST(a_counter_counts)
{
    uint64_t before = wf_counter_value(&plain);
    wf_counter_add(&plain, 1);
    wf_counter_add(&plain, 41);
    WF_EXPECT_INT((int64_t)(wf_counter_value(&plain) - before), 42);
    WF_EXPECT_INT(number_of("test_plain_total"), (int64_t)before + 42);
}

WF_TEST(a_counter_of_time_is_in_seconds)
{
    uint64_t before = wf_counter_value(&waited) % 1000000000;
    wf_counter_add(&waited, 2000000000 - before + 500000000);
    char line[64];
    snprintf(line, sizeof line, "\ntest_waited_seconds_total %" PRIu64 ".5\n", wf_counter_value(&waited) / 1000000000);
    expect_text(line);
    wf_counter_add(&waited, 500000000);
}

WF_TEST(a_gauge_is_set_and_moved)
{
    wf_gauge_set(&depth, 10);
    wf_gauge_add(&depth, -13);
    WF_EXPECT_INT(wf_gauge_value(&depth), -3);
    wf_gauge_set(wf_gauge_at(&depths, "mail"), 7);
    expect_text("# TYPE test_depth gauge\ntest_depth -3\n");
    expect_text("\ntest_depths{queue=\"mail\"} 7\n");
}

/* What the values changed in each line of a histogram; `lines` ends with NULL. */
static void expect_growth(struct wf_histogram *histogram, const int64_t *values, size_t count, const char *const *lines,
                          const int64_t *growth)
{
    int64_t before[8] = {0};
    for (size_t i = 0; lines[i] != NULL; i++) before[i] = number_of(lines[i]);
    for (size_t i = 0; i < count; i++) wf_histogram_observe(histogram, values[i]);
    for (size_t i = 0; lines[i] != NULL; i++) WF_EXPECT_INT(number_of(lines[i]) - before[i], growth[i]);
}

WF_TEST(a_histogram_adds_up)
{
    static const char *const lines[] = {"test_sizes_bucket{kind=\"page\",le=\"10\"}",
                                        "test_sizes_bucket{kind=\"page\",le=\"100\"}",
                                        "test_sizes_bucket{kind=\"page\",le=\"1000\"}",
                                        "test_sizes_bucket{kind=\"page\",le=\"+Inf\"}",
                                        "test_sizes_sum{kind=\"page\"}",
                                        "test_sizes_count{kind=\"page\"}",
                                        NULL};
    struct wf_histogram *pages = wf_histogram_at(&sizes, "page");
    uint64_t count_before, count;
    int64_t sum_before, sum;
    wf_histogram_value(pages, &count_before, &sum_before);
    expect_growth(pages, (int64_t[]){1, 10, 11, 100, 5000}, 5, lines, (int64_t[]){2, 4, 4, 5, 5122, 5});
    wf_histogram_value(pages, &count, &sum);
    WF_EXPECT_INT((int64_t)(count - count_before), 5);
    WF_EXPECT_INT(sum - sum_before, 5122);
}

WF_TEST(a_histogram_of_times_is_in_seconds)
{
    static const char *const lines[] = {"test_latency_seconds_bucket{le=\"0.0001\"}",
                                        "test_latency_seconds_bucket{le=\"0.0002\"}",
                                        "test_latency_seconds_bucket{le=\"52.4288\"}",
                                        "test_latency_seconds_bucket{le=\"+Inf\"}",
                                        "test_latency_seconds_sum",
                                        NULL};
    expect_growth(&latency, (int64_t[]){WF_MICROSECONDS(200), WF_MINUTES(5), WF_SECONDS(1) - WF_MICROSECONDS(200)}, 3,
                  lines, (int64_t[]){0, 1, 2, 3, 301});
}

WF_TEST(values_below_zero_have_their_bucket)
{
    static const char *const lines[] = {"test_signed_sizes_bucket{le=\"-10\"}", "test_signed_sizes_bucket{le=\"0\"}",
                                        "test_signed_sizes_sum", NULL};
    expect_growth(&signed_sizes, (int64_t[]){-1000, 0}, 2, lines, (int64_t[]){1, 2, -1000});
}

WF_TEST(help_and_label_values_are_escaped)
{
    wf_gauge_set(wf_gauge_at(&depths, "a\"b\\c\nd\xff"), 1);
    wf_gauge_set(wf_gauge_at(&depths, (const char *)NULL), 2);
    expect_text("# HELP test_requests_total Requests answered.\\nA \\\\ second line.\n");
    expect_text("test_depths{queue=\"a\\\"b\\\\c\\nd\xef\xbf\xbd\"} 1\n");
    expect_text("test_depths{queue=\"\"} 2\n");
}

/* ---- Label values ---- */

WF_TEST(past_their_maximum_label_values_count_as_other)
{
    char long_value[200];
    memset(long_value, 'x', sizeof long_value - 1);
    long_value[sizeof long_value - 1] = '\0';
    struct wf_counter *other = wf_counter_at(&requests, "other", "other");
    WF_EXPECT(wf_counter_at(&requests, "GET", long_value) == other);
    struct wf_counter *first = wf_counter_at(&requests, "GET", "200");
    WF_EXPECT(first != other && wf_counter_at(&requests, "GET", "200") == first);
    WF_EXPECT(wf_counter_at(&requests, "GET2", "00") != first);
    WF_EXPECT(wf_counter_at(&requests, "", "GET200") != first);
    WF_EXPECT(wf_counter_at(&requests, "POST", "200") == other);
    WF_EXPECT(wf_counter_at(&requests, "GET", "200") == first);
    int64_t others = number_of("test_requests_total{method=\"other\",status=\"other\"}");
    int64_t overflows = number_of("weft_metric_overflows_total{metric=\"test_requests_total\"}");
    wf_counter_add(wf_counter_at(&requests, "PUT", "200"), 5);
    wf_counter_add(&requests, 1);
    WF_EXPECT_INT(number_of("test_requests_total{method=\"other\",status=\"other\"}") - others, 6);
    WF_EXPECT_INT(number_of("weft_metric_overflows_total{metric=\"test_requests_total\"}") - overflows, 1);
}

WF_TEST(a_wrong_number_of_values_is_misuse, .dies = "has 2 labels and was given 1 values", .plain = true)
{
    wf_counter_at(&requests, "GET");
}

/* ---- Threads ---- */

enum { THREADS = 4, TIMES = 100000 };

static void *count_on_thread(void *unused)
{
    for (int i = 0; i < TIMES; i++) {
        wf_counter_add(&plain, 1);
        wf_gauge_add(&depth, 1);
        if (i % 100 == 0) wf_histogram_observe(wf_histogram_at(&sizes, "thread"), i);
    }
    return unused;
}

WF_TEST(nothing_that_threads_count_is_lost_also_when_they_end, .plain = true)
{
    uint64_t before = wf_counter_value(&plain), count_before, count;
    int64_t depth_before = wf_gauge_value(&depth), sum;
    wf_histogram_value(wf_histogram_at(&sizes, "thread"), &count_before, &sum);
    pthread_t threads[THREADS];
    for (int i = 0; i < THREADS; i++) WF_EXPECT_CODE(pthread_create(&threads[i], NULL, count_on_thread, NULL), 0);
    for (uint64_t last = 0; last < before + THREADS * TIMES;) {
        uint64_t now = wf_counter_value(&plain);
        WF_EXPECT(now >= last);
        last = now;
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    WF_EXPECT_INT((int64_t)(wf_counter_value(&plain) - before), THREADS * TIMES);
    WF_EXPECT_INT(wf_gauge_value(&depth) - depth_before, THREADS * TIMES);
    wf_histogram_value(wf_histogram_at(&sizes, "thread"), &count, &sum);
    WF_EXPECT_INT((int64_t)(count - count_before), THREADS * TIMES / 100);
}

/* ---- Writing ---- */

WF_TEST(the_loop_and_the_log_are_there_inside_a_task)
{
    wf_log(WF_WARN, "one line");
    expect_text("# TYPE weft_tasks_alive gauge\nweft_tasks_alive ");
    expect_text("# TYPE weft_loop_passes_total counter\nweft_loop_passes_total ");
    expect_text("\nweft_job_wait_max_seconds 0");
    expect_text("\nweft_log_lines_total{level=\"warn\"} ");
}

WF_TEST(passes_are_counted)
{
    struct wf_statistics before, after;
    wf_loop_statistics(&before);
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(1)), 0);
    wf_loop_statistics(&after);
    WF_EXPECT(after.passes >= before.passes + 3);
}

WF_TEST(no_memory_for_the_text_is_said, .sweep = true)
{
    wf_test_allow_reports();
    struct wf_arena arena;
    wf_arena_init(&arena);
    char *text = NULL;
    int rc = wf_metrics_text(&arena, &text);
    WF_INVARIANT(rc == -ENOMEM || strstr(text, "weft_log_dropped_total") != NULL);
    wf_arena_finish(&arena);
    WF_EXPECT_CODE(rc, 0);
}

static int refuse_second(void *context, const char *bytes, size_t size)
{
    int *calls = context;
    (void)bytes;
    (void)size;
    return ++*calls < 2 ? 0 : -EPIPE;
}

WF_TEST(a_failing_writer_is_not_called_again)
{
    int calls = 0;
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_metrics_write(refuse_second, &calls), -EPIPE);
    WF_EXPECT_INT(calls, 2);
}

/* ---- Policies ---- */

static size_t count_parts(const char *text, const char *part)
{
    size_t count = 0;
    for (const char *at = text; (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

WF_TEST(each_retry_and_transition_is_logged_once_and_counted)
{
    static const char *const lines[] = {"weft_retries_total{name=\"fetch\"}",
                                        "weft_retries_exhausted_total{name=\"fetch\"}",
                                        "weft_breaker_transitions_total{name=\"bank\",to=\"half_open\"}"};
    int64_t before[WF_COUNT(lines)];
    for (size_t i = 0; i < WF_COUNT(lines); i++) before[i] = number_of(lines[i]);
    event_retry("fetch", 1, WF_MILLISECONDS(250), -ECONNRESET);
    event_retries_over("fetch", 2, -ETIME, "its deadline would pass");
    event_breaker("bank", BREAKER_CLOSED, BREAKER_OPEN, -ETIMEDOUT);
    event_breaker("bank", BREAKER_OPEN, BREAKER_HALF_OPEN, 0);
    event_breaker("bank", BREAKER_HALF_OPEN, BREAKER_CLOSED, 0);
    const char *log = wf_test_log();
    WF_EXPECT_INT((int64_t)count_parts(log, "\n"), 5);
    WF_EXPECT_PART(log, "level=warn module=retry msg=\"attempt failed\" name=fetch attempt=1 delay_ms=250 "
                        "error=\"Connection reset by peer\" task=");
    WF_EXPECT_PART(log, "level=warn module=retry msg=\"attempts are over\" name=fetch attempts=2 error=");
    WF_EXPECT_PART(log, " reason=\"its deadline would pass\" task=");
    WF_EXPECT_PART(log,
                   "level=warn module=breaker msg=\"breaker opened\" name=bank from=closed error=\"Connection timed "
                   "out\" task=");
    WF_EXPECT_PART(log, "level=info module=breaker msg=\"breaker half-opened\" name=bank from=open task=");
    WF_EXPECT_PART(log, "level=info module=breaker msg=\"breaker closed\" name=bank from=half_open task=");
    for (size_t i = 0; i < WF_COUNT(lines); i++) WF_EXPECT_INT(number_of(lines[i]) - before[i], 1);
}

WF_TEST_MAIN
