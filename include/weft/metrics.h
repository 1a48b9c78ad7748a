/*
 * Metrics: counters, gauges and histograms, for Prometheus to read.
 *
 *     WF_COUNTER(requests, "http_requests_total", "Requests answered.", .labels = {"method", "status"});
 *     WF_HISTOGRAM(latency, "http_request_duration_seconds", "From the first byte to the last.", .seconds = true);
 *
 *     wf_counter_add(wf_counter_at(&requests, "GET", "200"), 1);
 *     wf_histogram_observe(&latency, wf_now() - started);
 *
 *     char *text;                                    // GET /metrics
 *     int rc = wf_metrics_text(arena, &text);
 *
 * They are defined at file scope, and exist from the start of the program. Counting takes no lock: every thread counts
 * in memory of its own, 256 KiB of addresses of which only what is used is touched, and whoever asks adds up. There is
 * room for 32,768 numbers (a counter or a gauge is one, a histogram its buckets and two), and 4,096 combinations of
 * label values; all of it is static, so nothing here ever fails for lack of memory. A shared library that has metrics
 * stays loaded. Names that begin with weft_ are the library's own; the loop's numbers are among them.
 *
 * Threads: any, unless something else is said.
 */
#ifndef WEFT_METRICS_H
#define WEFT_METRICS_H

#include <weft/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WF_LABELS_MAX = 4, WF_BUCKETS_MAX = 32 };

enum wf_metric_kind { WF_METRIC_COUNTER_, WF_METRIC_GAUGE_, WF_METRIC_HISTOGRAM_ };

/* What the macros below take. A definition that Prometheus could not read (a bad name, one that is taken) is left out
 * of what is written, counts nowhere, and is reported once. */
struct wf_metric {
    enum wf_metric_kind kind_;
    const char *name;                  /* [a-zA-Z_:][a-zA-Z0-9_:]*, of counters by custom ending in _total */
    const char *help;                  /* a sentence */
    const char *labels[WF_LABELS_MAX]; /* names, [a-zA-Z_][a-zA-Z0-9_]* */
    uint32_t series_max;               /* combinations of label values; default 100 */
    bool seconds;                      /* values are nanoseconds here, and written as seconds */
    int64_t buckets[WF_BUCKETS_MAX];   /* upper bounds, ascending; default: powers of two from 0.1 ms to 52 s where */
                                       /* it is seconds, powers of four from 1 to 16,777,216 else */
    struct wf_metric *next_;
    struct wf_series_ *series_, *last_series_, *other_;
    uint32_t label_count_, series_count_, bucket_count_;
    const char *error_;
    uint64_t overflows_;
};

/* One line of what is written, or a histogram's several; private. */
struct wf_series_ {
    struct wf_metric *metric;
    uint32_t cell;
    uint32_t hash;
    struct wf_series_ *next, *bucket_next; /* of the metric; of the table of all */
    const char *values;                    /* of its labels, each with a final zero */
};

struct wf_counter {
    struct wf_series_ series_;
};
struct wf_gauge {
    struct wf_series_ series_;
};
struct wf_histogram {
    struct wf_series_ series_;
};

/* ---- Definitions ---- */

/* WF_COUNTER(variable, name, help, .option = value, ...), at file scope: a number that only grows. */
#define WF_COUNTER(variable, ...) WF_METRIC_(wf_counter, variable, WF_METRIC_COUNTER_, __VA_ARGS__)
/* A number that goes up and down. */
#define WF_GAUGE(variable, ...) WF_METRIC_(wf_gauge, variable, WF_METRIC_GAUGE_, __VA_ARGS__)
/* How many values were at most so large, for each of the buckets' bounds; how many in all, and their sum. */
#define WF_HISTOGRAM(variable, ...) WF_METRIC_(wf_histogram, variable, WF_METRIC_HISTOGRAM_, __VA_ARGS__)

/* ---- Series ---- */

/*
 * wf_counter_at(metric, value, ...) gives the series of these label values, one for each label: a metric without
 * labels, to count with, or to keep. New ones are made until there are .series_max of them; after that, and for values
 * longer than 128 bytes, it is the one whose values are all "other" (how often: weft_metric_overflows_total). Another
 * number of values than labels is misuse. A metric with labels that is used without values counts as "other".
 * Suspends: never. Owns: it lives as long as the program.
 */
#define wf_counter_at(counter, ...) wf_counter_at_((counter), WF_LABEL_VALUES_(__VA_ARGS__))
#define wf_gauge_at(gauge, ...) wf_gauge_at_((gauge), WF_LABEL_VALUES_(__VA_ARGS__))
#define wf_histogram_at(histogram, ...) wf_histogram_at_((histogram), WF_LABEL_VALUES_(__VA_ARGS__))

/* ---- Counting ---- */

/* About a nanosecond: an addition in memory of the thread's own. Suspends: never. */
WF_API void wf_counter_add(struct wf_counter *counter, uint64_t amount);
/* A histogram's value, in the unit of its buckets: nanoseconds where it is .seconds. Suspends: never. */
WF_API void wf_histogram_observe(struct wf_histogram *histogram, int64_t value);
/* A gauge is one number for all threads. Suspends: never. */
WF_API void wf_gauge_set(struct wf_gauge *gauge, int64_t value);
WF_API void wf_gauge_add(struct wf_gauge *gauge, int64_t amount);

/* ---- Reading ---- */

/* Over all threads, and those that have ended. Suspends: never. */
WF_API uint64_t wf_counter_value(const struct wf_counter *counter);
WF_API int64_t wf_gauge_value(const struct wf_gauge *gauge);
WF_API void wf_histogram_value(const struct wf_histogram *histogram, uint64_t *count, int64_t *sum);

/*
 * Every metric in Prometheus' text format, version 0.0.4 (Content-Type: text/plain; version=0.0.4), in the order of
 * their definitions; in a task, also what its loop is doing (wf_loop_statistics) and the log (wf_log_statistics).
 * Errors: -ENOMEM. Suspends: never. Owns: the text is the arena's.
 */
WF_API int wf_metrics_text(struct wf_arena *arena, char **text);

/* The same, piece by piece. `write` must not suspend; what it returns below 0 ends it and is returned. Suspends: never.
 */
WF_API int wf_metrics_write(int (*write)(void *context, const char *bytes, size_t size), void *context);

/* ---- What the macros stand on: private ---- */

WF_API void wf_metric_register_(struct wf_metric *metric, struct wf_series_ *series);
WF_API struct wf_series_ *wf_series_at_(struct wf_metric *metric, const char *const *values, size_t count);

#define WF_LABEL_VALUES_(...)                                                                                          \
    (const char *const[]){__VA_ARGS__}, sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *)

#define WF_METRIC_(type, variable, metric_kind, ...)                                                                   \
    static struct wf_metric WF_JOIN_(variable, _metric_) = {.kind_ = (metric_kind), .name = __VA_ARGS__};              \
    static struct type variable;                                                                                       \
    __attribute__((constructor)) static void WF_JOIN_(variable, _register_)(void)                                      \
    {                                                                                                                  \
        wf_metric_register_(&WF_JOIN_(variable, _metric_), &variable.series_);                                         \
    }                                                                                                                  \
    static struct type variable

static inline struct wf_counter *wf_counter_at_(struct wf_counter *counter, const char *const *values, size_t count)
{
    return (struct wf_counter *)wf_series_at_(counter->series_.metric, values, count);
}
static inline struct wf_gauge *wf_gauge_at_(struct wf_gauge *gauge, const char *const *values, size_t count)
{
    return (struct wf_gauge *)wf_series_at_(gauge->series_.metric, values, count);
}
static inline struct wf_histogram *wf_histogram_at_(struct wf_histogram *histogram, const char *const *values,
                                                    size_t count)
{
    return (struct wf_histogram *)wf_series_at_(histogram->series_.metric, values, count);
}

#ifdef __cplusplus
}
#endif
#endif
