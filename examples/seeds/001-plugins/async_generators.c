/*
 * A stream of items, one each tenth of a second, transformed and filtered on its way. From "Stream Processing: Async
 * Generators".
 *
 * Rows: S026, S027.
 *
 * The sample's loop stands at the top of a module, where `async for` is no valid Python, and waits for the source and
 * for the transformation in turn. Here the second form transforms two items at once, in their order; and a consumer
 * that stops has its source stopped.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/async_generators.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct item {
    int id;
    char data[20];
    bool invalid, processed;
};

static int emitted;

static int generate_stream(struct wf_generator *out, const int *count)
{
    int rc = 0;
    for (int i = 0; i < *count && rc == 0; i++) {
        struct item item = {.id = i, .invalid = i % 10 == 7};
        snprintf(item.data, sizeof item.data, "item_%d", i);
        rc = wf_sleep(WF_MILLISECONDS(100));
        if (rc == 0) rc = wf_emit(out, &item);
        emitted += rc == 0;
    }
    return rc;
}

static int transform_item(struct item *item, struct item *result)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    *result = *item;
    result->processed = true;
    return rc;
}

static bool should_include(const struct item *item)
{
    return !item->invalid;
}

struct tally {
    int count, last;
};

static int add(struct tally *tally, const struct item *item)
{
    if (!item->processed || item->id <= tally->last) return wf_fail(-EPROTO, "%d came out of order", item->id);
    if (tally->count++ < 3) printf("{id: %d, data: %s, processed: true}\n", item->id, item->data);
    tally->last = item->id;
    return 0;
}

static int one_at_a_time(int count)
{
    struct tally tally = {.last = -1};
    int64_t started = wf_now();
    WF_GENERATOR(stream, generate_stream, &count, struct item);
    WF_MAP(processed, &stream, struct item, transform_item, struct item);
    WF_FILTER(valid, &processed, struct item, should_include);
    int64_t rc = wf_fold(&valid, struct item, add, &tally);
    printf("one at a time: %d of %d items in %.1f s\n", tally.count, count, wf_seconds(wf_now() - started));
    return rc < 0 ? (int)rc : 0;
}

static int two_at_once(int count)
{
    struct tally tally = {.last = -1};
    int64_t started = wf_now();
    WF_GENERATOR(stream, generate_stream, &count, struct item);
    WF_BUFFERED(processed, &stream, struct item, transform_item, struct item, 2);
    WF_FILTER(valid, &processed, struct item, should_include);
    int64_t rc = wf_fold(&valid, struct item, add, &tally);
    printf("two at once: %d of %d items in %.1f s\n", tally.count, count, wf_seconds(wf_now() - started));
    return rc < 0 ? (int)rc : 0;
}

static int stop_early(int count)
{
    struct item item;
    emitted = 0;
    {
        WF_GENERATOR(stream, generate_stream, &count, struct item);
        int rc = wf_next(&stream, &item);
        if (rc < 0) return rc;
    } /* the source is closed here */
    int rc = wf_sleep(WF_SECONDS(1));
    printf("stopped after item %d: the source made %d\n", item.id, emitted);
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    int rc = one_at_a_time(100);
    if (rc == 0) rc = two_at_once(100);
    if (rc == 0) rc = stop_early(100);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
