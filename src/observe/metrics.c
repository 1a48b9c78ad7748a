/*
 * Definitions, their series, and counting. Series are found without a lock: the table of all only grows, at the front
 * of its chains, and a series is complete before it is there.
 */
#include "observe/metrics.h"

#include <string.h>

#include "base/report.h"
#include "core/registry.h"
#include "observe/cells.h"

enum {
    SERIES_DEFAULT = 100,
    SERIES_MAX = 4096,
    CHAINS = 1024,
    VALUE_MAX = 128,
    TEXT_MAX = 256 * 1024,
};

static const int64_t seconds_bounds[] = {
    100000,     200000,     400000,     800000,      1600000,     3200000,     6400000,
    12800000,   25600000,   51200000,   102400000,   204800000,   409600000,   819200000,
    1638400000, 3276800000, 6553600000, 13107200000, 26214400000, 52428800000,
};
static const int64_t plain_bounds[] = {1, 4, 16, 64, 256, 1024, 4096, 16384, 65536, 262144, 1048576, 4194304, 16777216};

/* Guarded by the lock of the cells, but for the chains, which are read without. */
static struct wf_metric *first_metric, *last_metric;
static struct wf_series_ *chains[CHAINS];
static struct wf_series_ all_series[SERIES_MAX];
static size_t series_count;
static char texts[TEXT_MAX];
static size_t texts_used;

const struct wf_metric *metrics_first(void)
{
    return first_metric;
}

/* ---- Buckets ---- */

static bool has_own_bounds(const struct wf_metric *metric)
{
    return metric->buckets[0] != 0 || metric->buckets[1] != 0;
}

const int64_t *metric_bounds(const struct wf_metric *metric)
{
    if (has_own_bounds(metric)) return metric->buckets;
    return metric->seconds ? seconds_bounds : plain_bounds;
}

static uint32_t count_bounds(const struct wf_metric *metric)
{
    if (!has_own_bounds(metric))
        return metric->seconds ? (uint32_t)WF_COUNT(seconds_bounds) : (uint32_t)WF_COUNT(plain_bounds);
    uint32_t count = 1;
    while (count < WF_BUCKETS_MAX && metric->buckets[count] > metric->buckets[count - 1]) count++;
    return count;
}

static bool bounds_ascend(const struct wf_metric *metric)
{
    if (!has_own_bounds(metric)) return true;
    for (uint32_t i = count_bounds(metric); i < WF_BUCKETS_MAX; i++)
        if (metric->buckets[i] != 0) return false;
    return true;
}

uint32_t metric_cells(const struct wf_metric *metric)
{
    return metric->kind_ == WF_METRIC_HISTOGRAM_ ? metric->bucket_count_ + 2 : 1;
}

/* ---- Names ---- */

static bool is_name(const char *name, const char *also)
{
    if (name == NULL || name[0] == '\0' || (name[0] >= '0' && name[0] <= '9')) return false;
    for (; *name != '\0'; name++) {
        bool letter = (*name >= 'a' && *name <= 'z') || (*name >= 'A' && *name <= 'Z') || *name == '_';
        if (!letter && !(*name >= '0' && *name <= '9') && strchr(also, *name) == NULL) return false;
    }
    return true;
}

static bool labels_are_good(const struct wf_metric *metric)
{
    for (uint32_t i = 0; i < WF_LABELS_MAX; i++) {
        const char *label = metric->labels[i];
        if (i >= metric->label_count_ && label != NULL) return false; /* behind a gap */
        if (i >= metric->label_count_) continue;
        if (!is_name(label, "") || strncmp(label, "__", 2) == 0) return false;
        if (metric->kind_ == WF_METRIC_HISTOGRAM_ && strcmp(label, "le") == 0) return false;
        for (uint32_t j = 0; j < i; j++)
            if (strcmp(label, metric->labels[j]) == 0) return false;
    }
    return true;
}

/* A histogram's lines have names of their own: its name and an ending. */
static bool names_clash(const struct wf_metric *histogram, const struct wf_metric *other)
{
    static const char *const endings[] = {"", "_bucket", "_sum", "_count"};
    size_t size = strlen(histogram->name);
    if (strncmp(histogram->name, other->name, size) != 0) return false;
    size_t count = histogram->kind_ == WF_METRIC_HISTOGRAM_ ? WF_COUNT(endings) : 1;
    for (size_t i = 0; i < count; i++)
        if (strcmp(other->name + size, endings[i]) == 0) return true;
    return false;
}

static bool name_is_taken(const struct wf_metric *metric)
{
    for (const struct wf_metric *other = first_metric; other != NULL; other = other->next_)
        if (other->error_ == NULL && (names_clash(metric, other) || names_clash(other, metric))) return true;
    return false;
}

static const char *find_error(const struct wf_metric *metric)
{
    if (!is_name(metric->name, ":")) return "its name is not one that Prometheus can read";
    if (name_is_taken(metric)) return "its name is taken by another metric";
    if (!labels_are_good(metric)) return "a label's name is not one that Prometheus can read, or is there twice";
    if (metric->kind_ == WF_METRIC_HISTOGRAM_ && !bounds_ascend(metric)) return "its buckets do not ascend";
    return NULL;
}

/* ---- Series ---- */

static void link_series(struct wf_metric *metric, struct wf_series_ *series)
{
    if (metric->last_series_ != NULL) __atomic_store_n(&metric->last_series_->next, series, __ATOMIC_RELEASE);
    else __atomic_store_n(&metric->series_, series, __ATOMIC_RELEASE);
    metric->last_series_ = series;
    struct wf_series_ **chain = &chains[series->hash % CHAINS];
    series->bucket_next = *chain;
    __atomic_store_n(chain, series, __ATOMIC_RELEASE);
}

static uint32_t hash_values(const struct wf_metric *metric, const char *const *values)
{
    uint64_t hash = (uint64_t)(uintptr_t)metric * UINT64_C(0x9e3779b97f4a7c15);
    for (uint32_t i = 0; i < metric->label_count_; i++) {
        for (const char *c = values[i]; *c != '\0'; c++) hash = (hash ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
        hash = (hash ^ 0x100) * UINT64_C(0x100000001b3);
    }
    return (uint32_t)(hash >> 32);
}

static bool values_are(const struct wf_series_ *series, const char *const *values)
{
    const char *own = series->values;
    for (uint32_t i = 0; i < series->metric->label_count_; i++) {
        if (strcmp(own, values[i]) != 0) return false;
        own += strlen(own) + 1;
    }
    return true;
}

static struct wf_series_ *find_series(const struct wf_metric *metric, const char *const *values, uint32_t hash)
{
    struct wf_series_ *series = __atomic_load_n(&chains[hash % CHAINS], __ATOMIC_ACQUIRE);
    while (series != NULL && (series->hash != hash || series->metric != metric || !values_are(series, values)))
        series = series->bucket_next;
    return series;
}

static const char *keep_values(const struct wf_metric *metric, const char *const *values)
{
    size_t size = 0;
    for (uint32_t i = 0; i < metric->label_count_; i++) size += strlen(values[i]) + 1;
    if (size > TEXT_MAX - texts_used) return NULL;
    char *kept = texts + texts_used, *next = kept;
    texts_used += size;
    for (uint32_t i = 0; i < metric->label_count_; i++) next = stpcpy(next, values[i]) + 1;
    return kept;
}

/* With the lock. NULL: there is no room for more. */
static struct wf_series_ *make_series(struct wf_metric *metric, const char *const *values, uint32_t hash)
{
    if (series_count == SERIES_MAX) return NULL;
    const char *kept = keep_values(metric, values);
    uint32_t cell = kept != NULL ? cells_reserve(metric_cells(metric)) : 0;
    if (cell == 0) return NULL;
    struct wf_series_ *series = &all_series[series_count++];
    *series = (struct wf_series_){.metric = metric, .cell = cell, .hash = hash, .values = kept};
    link_series(metric, series);
    return series;
}

static bool fit(const struct wf_metric *metric, const char *const *values)
{
    for (uint32_t i = 0; i < metric->label_count_; i++)
        if (strnlen(values[i], VALUE_MAX + 1) > VALUE_MAX) return false;
    return true;
}

static struct wf_series_ *add_series(struct wf_metric *metric, const char *const *values, uint32_t hash)
{
    cells_lock();
    struct wf_series_ *series = find_series(metric, values, hash); /* another thread may have been faster */
    if (series == NULL && metric->series_count_ < metric->series_max && fit(metric, values)) {
        series = make_series(metric, values, hash);
        metric->series_count_ += series != NULL;
    }
    cells_unlock();
    if (series != NULL) return series;
    __atomic_fetch_add(&metric->overflows_, 1, __ATOMIC_RELAXED);
    return metric->other_;
}

struct wf_series_ *wf_series_at_(struct wf_metric *metric, const char *const *values, size_t count)
{
    if (count != metric->label_count_)
        misuse("the metric '%s' has %u labels and was given %zu values. Give one for each label, in their order.",
               metric->name, metric->label_count_, count);
    const char *known[WF_LABELS_MAX];
    for (size_t i = 0; i < count; i++) known[i] = values[i] != NULL ? values[i] : "";
    if (metric->error_ != NULL || count == 0) return metric->other_;
    uint32_t hash = hash_values(metric, known);
    struct wf_series_ *series = find_series(metric, known, hash);
    return series != NULL ? series : add_series(metric, known, hash);
}

/* ---- Definitions ---- */

/* A metric with labels has its series of others from the start, one without just itself. */
static void make_first_series(struct wf_metric *metric, struct wf_series_ *series)
{
    static const char *const others[WF_LABELS_MAX] = {"other", "other", "other", "other"};
    series->cell = cells_reserve(metric_cells(metric));
    series->values = metric->label_count_ > 0 ? keep_values(metric, others) : "";
    if (series->values == NULL || series->cell == 0) metric->error_ = "there are too many metrics";
    if (metric->error_ != NULL) return;
    series->hash = hash_values(metric, others);
    link_series(metric, series);
}

void wf_metric_register_(struct wf_metric *metric, struct wf_series_ *series)
{
    weft_registry.metrics.first = &first_metric;
    while (metric->label_count_ < WF_LABELS_MAX && metric->labels[metric->label_count_] != NULL) metric->label_count_++;
    if (metric->series_max == 0) metric->series_max = SERIES_DEFAULT;
    if (metric->kind_ == WF_METRIC_HISTOGRAM_) metric->bucket_count_ = count_bounds(metric);
    series->metric = metric;
    metric->other_ = series;
    cells_lock();
    metric->error_ = find_error(metric);
    if (metric->error_ == NULL) make_first_series(metric, series);
    else series->cell = 0;
    if (last_metric != NULL) last_metric->next_ = metric;
    else first_metric = metric;
    last_metric = metric;
    cells_unlock();
}

/* ---- Counting ---- */

void wf_gauge_set(struct wf_gauge *gauge, int64_t value)
{
    __atomic_store_n(&shared_cells[gauge->series_.cell], (uint64_t)value, __ATOMIC_RELAXED);
}

void wf_gauge_add(struct wf_gauge *gauge, int64_t amount)
{
    __atomic_fetch_add(&shared_cells[gauge->series_.cell], (uint64_t)amount, __ATOMIC_RELAXED);
}

/* The first bucket whose bound is not below the value. */
static uint32_t bucket_of(const struct wf_metric *metric, int64_t value)
{
    const int64_t *bounds = metric_bounds(metric);
    uint32_t low = 0, high = metric->bucket_count_;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (bounds[middle] < value) low = middle + 1;
        else high = middle;
    }
    return low;
}

void wf_histogram_observe(struct wf_histogram *histogram, int64_t value)
{
    const struct wf_metric *metric = histogram->series_.metric;
    uint32_t first = histogram->series_.cell;
    if (first == 0) return;
    wf_cell_add_(first + bucket_of(metric, value), 1);
    wf_cell_add_(first + metric->bucket_count_ + 1, (uint64_t)value);
}

/* ---- Reading ---- */

static uint64_t sum_of(uint32_t cell)
{
    cells_lock();
    uint64_t sum = cell != 0 ? cells_sum(cell) : 0;
    cells_unlock();
    return sum;
}

uint64_t wf_counter_value(const struct wf_counter *counter)
{
    return sum_of(counter->series_.cell);
}

int64_t wf_gauge_value(const struct wf_gauge *gauge)
{
    return (int64_t)sum_of(gauge->series_.cell);
}

void wf_histogram_value(const struct wf_histogram *histogram, uint64_t *count, int64_t *sum)
{
    const struct wf_metric *metric = histogram->series_.metric;
    uint32_t first = histogram->series_.cell;
    *count = 0;
    *sum = 0;
    if (first == 0) return;
    cells_lock();
    for (uint32_t i = 0; i <= metric->bucket_count_; i++) *count += cells_sum(first + i);
    *sum = (int64_t)cells_sum(first + metric->bucket_count_ + 1);
    cells_unlock();
}
