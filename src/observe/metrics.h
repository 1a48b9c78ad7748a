/* What definitions, counting and writing of metrics share. */
#ifndef WEFT_OBSERVE_METRICS_H
#define WEFT_OBSERVE_METRICS_H

#include <weft/metrics.h>

/* All of them, in the order of their definitions; follow next_. */
const struct wf_metric *metrics_first(void);

/* The upper bounds of its buckets: metric->bucket_count_ of them. */
const int64_t *metric_bounds(const struct wf_metric *metric);

/* How many cells a series of the metric has: a histogram's are those of its buckets, of what is above, and the sum. */
uint32_t metric_cells(const struct wf_metric *metric);

/* ---- exposition.c ---- */

struct exposition {
    int (*write)(void *context, const char *bytes, size_t size);
    void *context;
    int rc;
    size_t used;
    char bytes[512];
};

void exposition_family(struct exposition *out, const char *name, const char *help, const char *kind);
/* A line without labels. */
void exposition_number(struct exposition *out, const char *name, uint64_t value);
void exposition_seconds(struct exposition *out, const char *name, int64_t duration_ns);
/* A line with one label. */
void exposition_labelled(struct exposition *out, const char *name, const char *label, const char *value, uint64_t n);

/* ---- runtime.c ---- */

/* What the library counts without a metric of its own: the loop, the log, the metrics themselves. */
void exposition_runtime(struct exposition *out);

#endif
