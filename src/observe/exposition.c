/*
 * Prometheus' text format, version 0.0.4:
 *
 *     # HELP http_requests_total Requests answered.
 *     # TYPE http_requests_total counter
 *     http_requests_total{method="GET",status="200"} 17
 *     latency_seconds_bucket{le="0.1"} 3
 *     latency_seconds_bucket{le="+Inf"} 4
 *     latency_seconds_sum 0.75
 *     latency_seconds_count 4
 *
 * The lock is held for the numbers of one series at a time, and never while somebody else's code writes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/report.h"
#include "base/utf8.h"
#include "observe/cells.h"
#include "observe/metrics.h"

/* ---- Bytes ---- */

static void flush(struct exposition *out)
{
    if (out->rc >= 0 && out->used > 0) out->rc = out->write(out->context, out->bytes, out->used);
    out->used = 0;
}

static void put(struct exposition *out, const char *bytes, size_t size)
{
    while (size > 0) {
        size_t room = sizeof out->bytes - out->used, part = size < room ? size : room;
        memcpy(out->bytes + out->used, bytes, part);
        out->used += part;
        bytes += part;
        size -= part;
        if (out->used == sizeof out->bytes) flush(out);
    }
}

static void put_text(struct exposition *out, const char *text)
{
    put(out, text, strlen(text));
}

/* `quote`: inside quotes. */
static void put_escaped(struct exposition *out, const char *text, bool quote)
{
    for (size_t left = strlen(text); left > 0;) {
        size_t length = utf8_character(text, left);
        if (length == 0) put_text(out, UTF8_REPLACEMENT);
        else if (*text == '\\') put_text(out, "\\\\");
        else if (*text == '\n') put_text(out, "\\n");
        else if (*text == '"' && quote) put_text(out, "\\\"");
        else put(out, text, length);
        if (length == 0) length = 1;
        text += length;
        left -= length;
    }
}

/* ---- Numbers ---- */

static void put_number(struct exposition *out, uint64_t value)
{
    char text[24];
    put(out, text, (size_t)snprintf(text, sizeof text, "%" PRIu64, value));
}

static void put_signed(struct exposition *out, int64_t value)
{
    char text[24];
    put(out, text, (size_t)snprintf(text, sizeof text, "%" PRId64, value));
}

/* Exact, without final zeros. */
static void put_seconds(struct exposition *out, int64_t duration_ns)
{
    uint64_t value = duration_ns < 0 ? -(uint64_t)duration_ns : (uint64_t)duration_ns;
    char text[40];
    int size = snprintf(text, sizeof text, "%s%" PRIu64 ".%09" PRIu64, duration_ns < 0 ? "-" : "", value / 1000000000,
                        value % 1000000000);
    while (text[size - 1] == '0') size--;
    if (text[size - 1] == '.') size--;
    put(out, text, (size_t)size);
}

static void put_value(struct exposition *out, const struct wf_metric *metric, uint64_t value)
{
    if (metric->seconds) put_seconds(out, (int64_t)value);
    else if (metric->kind_ == WF_METRIC_COUNTER_) put_number(out, value);
    else put_signed(out, (int64_t)value);
}

/* ---- Lines ---- */

void exposition_family(struct exposition *out, const char *name, const char *help, const char *kind)
{
    put_text(out, "# HELP ");
    put_text(out, name);
    put_text(out, " ");
    put_escaped(out, help != NULL ? help : "", false);
    put_text(out, "\n# TYPE ");
    put_text(out, name);
    put_text(out, " ");
    put_text(out, kind);
    put_text(out, "\n");
}

void exposition_number(struct exposition *out, const char *name, uint64_t value)
{
    put_text(out, name);
    put_text(out, " ");
    put_number(out, value);
    put_text(out, "\n");
}

void exposition_seconds(struct exposition *out, const char *name, int64_t duration_ns)
{
    put_text(out, name);
    put_text(out, " ");
    put_seconds(out, duration_ns);
    put_text(out, "\n");
}

static void put_label(struct exposition *out, const char *before, const char *label, const char *value)
{
    put_text(out, before);
    put_text(out, label);
    put_text(out, "=\"");
    put_escaped(out, value, true);
    put_text(out, "\"");
}

void exposition_labelled(struct exposition *out, const char *name, const char *label, const char *value, uint64_t n)
{
    put_text(out, name);
    put_label(out, "{", label, value);
    put_text(out, "} ");
    put_number(out, n);
    put_text(out, "\n");
}

/* Name and labels; `bound`: also of a bucket, NULL for the one above all bounds; `ending`: of the name. */
static void begin_line(struct exposition *out, const struct wf_series_ *series, const char *ending,
                       const int64_t *bound)
{
    const struct wf_metric *metric = series->metric;
    const char *value = series->values, *before = "{";
    put_text(out, metric->name);
    put_text(out, ending);
    for (uint32_t i = 0; i < metric->label_count_; i++) {
        put_label(out, before, metric->labels[i], value);
        value += strlen(value) + 1;
        before = ",";
    }
    if (strcmp(ending, "_bucket") == 0) {
        put_text(out, before);
        put_text(out, "le=\"");
        if (bound == NULL) put_text(out, "+Inf");
        else if (metric->seconds) put_seconds(out, *bound);
        else put_signed(out, *bound);
        put_text(out, "\"");
        before = ",";
    }
    put_text(out, *before == ',' ? "} " : " ");
}

static void write_histogram(struct exposition *out, const struct wf_series_ *series, const uint64_t *cells)
{
    const struct wf_metric *metric = series->metric;
    const int64_t *bounds = metric_bounds(metric);
    uint64_t count = 0;
    for (uint32_t i = 0; i <= metric->bucket_count_; i++) {
        count += cells[i];
        begin_line(out, series, "_bucket", i < metric->bucket_count_ ? &bounds[i] : NULL);
        put_number(out, count);
        put_text(out, "\n");
    }
    begin_line(out, series, "_sum", NULL);
    put_value(out, metric, cells[metric->bucket_count_ + 1]);
    put_text(out, "\n");
    begin_line(out, series, "_count", NULL);
    put_number(out, count);
    put_text(out, "\n");
}

/* The series of others is only worth a line when there are some. */
static bool is_empty(const struct wf_series_ *series, const uint64_t *cells)
{
    if (series->metric->label_count_ == 0 || series != series->metric->other_) return false;
    for (uint32_t i = 0; i < metric_cells(series->metric); i++)
        if (cells[i] != 0) return false;
    return true;
}

static void write_series(struct exposition *out, const struct wf_series_ *series)
{
    uint64_t cells[WF_BUCKETS_MAX + 2];
    cells_lock();
    for (uint32_t i = 0; i < metric_cells(series->metric); i++) cells[i] = cells_sum(series->cell + i);
    cells_unlock();
    if (is_empty(series, cells)) return;
    if (series->metric->kind_ == WF_METRIC_HISTOGRAM_) return write_histogram(out, series, cells);
    begin_line(out, series, "", NULL);
    put_value(out, series->metric, cells[0]);
    put_text(out, "\n");
}

static void write_metric(struct exposition *out, const struct wf_metric *metric)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    exposition_family(out, metric->name, metric->help, kinds[metric->kind_]);
    const struct wf_series_ *series = __atomic_load_n(&metric->series_, __ATOMIC_ACQUIRE);
    for (; series != NULL; series = __atomic_load_n(&series->next, __ATOMIC_ACQUIRE)) write_series(out, series);
}

/* ---- The whole ---- */

static void report_errors(void)
{
    static bool reported;
    if (__atomic_exchange_n(&reported, true, __ATOMIC_RELAXED)) return;
    for (const struct wf_metric *metric = metrics_first(); metric != NULL; metric = metric->next_)
        if (metric->error_ != NULL)
            wf_report("the metric '%s' is left out: %s", metric->name != NULL ? metric->name : "", metric->error_);
}

int wf_metrics_write(int (*write)(void *context, const char *bytes, size_t size), void *context)
{
    struct exposition out = {.write = write, .context = context};
    report_errors();
    for (const struct wf_metric *metric = metrics_first(); metric != NULL && out.rc >= 0; metric = metric->next_)
        if (metric->error_ == NULL) write_metric(&out, metric);
    exposition_runtime(&out);
    flush(&out);
    return out.rc < 0 ? out.rc : 0;
}

struct growing {
    struct wf_arena *arena;
    char *text;
    size_t size, room;
};

/* Always with room for a final zero. */
static int append(void *context, const char *bytes, size_t size)
{
    struct growing *growing = context;
    if (growing->room - growing->size <= size) {
        size_t room = 2 * (growing->room + size);
        char *larger = wf_arena_alloc(growing->arena, room);
        if (larger == NULL) return -ENOMEM;
        if (growing->size > 0) memcpy(larger, growing->text, growing->size);
        growing->text = larger;
        growing->room = room;
    }
    memcpy(growing->text + growing->size, bytes, size);
    growing->size += size;
    return 0;
}

int wf_metrics_text(struct wf_arena *arena, char **text)
{
    struct growing growing = {.arena = arena};
    int rc = wf_metrics_write(append, &growing);
    if (rc == 0) rc = append(&growing, "", 1);
    if (rc == 0) *text = growing.text;
    return rc;
}
