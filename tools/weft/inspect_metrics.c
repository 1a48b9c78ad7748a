/* What a program counts: its metrics, each a sum over the cells of all threads. */
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "inspect.h"

enum {
    METRICS_MAX = 4096,
    SERIES_MAX = 32768,
    BLOCKS_MAX = 1024,
    CELLS_MAX = 64,
    LABELS_MAX = 4,
    VALUE_MAX = 129,
    TEXT_SIZE = 8192
};

struct reading {
    struct memory *memory;
    const struct registry *registry;
    struct snapshot *snapshot;
    uint64_t blocks[BLOCKS_MAX + 1]; /* of cells: the shared ones, and those of each thread */
    size_t block_count;
    uint64_t cells_max;
    struct seen_metric *metrics;
    size_t count, room;
};

static uint64_t word_at(struct reading *reading, uint64_t address)
{
    uint64_t word = 0;
    read_memory(reading->memory, address, &word, sizeof word);
    return word;
}

static uint64_t registry_word(struct reading *reading, enum wanted field)
{
    const struct registry *registry = reading->registry;
    return word_at(reading, registry->address + registry->at[AT_REGISTRY_METRICS].offset + registry->at[field].offset);
}

static void find_blocks(struct reading *reading)
{
    reading->cells_max = registry_word(reading, AT_METRICS_CELLS);
    reading->blocks[reading->block_count++] = registry_word(reading, AT_METRICS_SHARED);
    uint64_t block = word_at(reading, registry_word(reading, AT_METRICS_BLOCKS));
    while (block != 0 && reading->block_count <= BLOCKS_MAX) {
        reading->blocks[reading->block_count++] = block;
        block = word_at(reading, block + 8 * reading->cells_max);
    }
}

/* Adds up so many cells from one on, over all threads. */
static void sum_cells(struct reading *reading, uint64_t cell, size_t count, uint64_t *sums)
{
    uint64_t cells[CELLS_MAX];
    memset(sums, 0, count * sizeof *sums);
    for (size_t i = 0; i < reading->block_count; i++) {
        if (!read_memory(reading->memory, reading->blocks[i] + 8 * cell, cells, count * sizeof *cells)) continue;
        for (size_t k = 0; k < count; k++) sums[k] += cells[k];
    }
}

/* "name=value, name=value" of a series; its values lie one after the other, each with a final zero. */
static const char *labels_text(struct reading *reading, const char *metric, uint64_t values)
{
    uint64_t count = member(reading->registry, metric, AT_METRIC_LABEL_COUNT);
    if (count == 0 || count > LABELS_MAX) return "";
    const char *names = metric + reading->registry->at[AT_METRIC_LABELS].offset;
    char *text = store_take(&reading->snapshot->store, TEXT_SIZE), *end = text;
    for (uint64_t i = 0; i < count; i++) {
        uint64_t name;
        char byte = 1;
        memcpy(&name, names + 8 * i, sizeof name);
        const char *value = fresh_text(reading->memory, reading->snapshot, values);
        const char *label = text_at(reading->memory, reading->snapshot, name);
        size_t left = TEXT_SIZE - (size_t)(end - text);
        int size = snprintf(end, left, "%s%s=%s", i > 0 ? ", " : "", label, value);
        if (size < 0 || (size_t)size >= left) break;
        end += size;
        for (size_t at = 0; at < VALUE_MAX && byte != '\0' && read_memory(reading->memory, values, &byte, 1); at++)
            values++;
    }
    return text;
}

static void take_series(struct reading *reading, const char *metric, uint64_t address, const char *series)
{
    const struct registry *registry = reading->registry;
    uint64_t cell = member(registry, series, AT_SERIES_CELL), buckets = member(registry, metric, AT_METRIC_BUCKETS);
    uint64_t kind = member(registry, metric, AT_METRIC_KIND), sums[CELLS_MAX];
    bool histogram = kind == 2; /* enum wf_metric_kind: counter, gauge, histogram */
    size_t cells = histogram ? buckets + 2 : 1;
    if (cell == 0 || cells > CELLS_MAX || cell + cells > reading->cells_max || reading->count == SERIES_MAX) return;
    sum_cells(reading, cell, cells, sums);
    struct seen_metric seen = {.series = address, .value = (int64_t)sums[cells - 1], .histogram = histogram};
    for (size_t i = 0; histogram && i + 1 < cells; i++) seen.observed += sums[i];
    if (seen.value == 0 && seen.observed == 0) return;
    seen.counts = kind != 1;
    seen.seconds = member(registry, metric, AT_METRIC_SECONDS) != 0;
    seen.name = text_at(reading->memory, reading->snapshot, member(registry, metric, AT_METRIC_NAME));
    seen.labels = labels_text(reading, metric, member(registry, series, AT_SERIES_VALUES));
    if (reading->count == reading->room) {
        size_t room = reading->room > 0 ? 2 * reading->room : 64;
        struct seen_metric *larger = store_take(&reading->snapshot->store, room * sizeof *larger);
        if (reading->count > 0) memcpy(larger, reading->metrics, reading->count * sizeof *larger);
        reading->metrics = larger;
        reading->room = room;
    }
    reading->metrics[reading->count++] = seen;
}

static void take_metric(struct reading *reading, const char *metric)
{
    static char series[RECORD_MAX];
    uint64_t address = member(reading->registry, metric, AT_METRIC_SERIES);
    for (size_t i = 0; address != 0 && i < SERIES_MAX; i++) {
        if (!read_memory(reading->memory, address, series, reading->registry->at[AT_SERIES].size)) return;
        take_series(reading, metric, address, series);
        address = member(reading->registry, series, AT_SERIES_NEXT);
    }
}

size_t read_metrics(struct memory *memory, const struct registry *registry, struct snapshot *snapshot,
                    struct seen_metric **metrics)
{
    static char metric[RECORD_MAX];
    static struct reading reading;
    reading = (struct reading){.memory = memory, .registry = registry, .snapshot = snapshot};
    find_blocks(&reading);
    uint64_t address = word_at(&reading, registry_word(&reading, AT_METRICS_FIRST));
    for (size_t i = 0; address != 0 && i < METRICS_MAX; i++) {
        if (!read_memory(memory, address, metric, registry->at[AT_METRIC].size)) break;
        take_metric(&reading, metric);
        address = member(registry, metric, AT_METRIC_NEXT);
    }
    *metrics = reading.metrics;
    return reading.count;
}
