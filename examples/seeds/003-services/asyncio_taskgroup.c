/*
 * A batch in a scope: leaving it waits for all, the results have the order of the items, and the first failure cancels
 * the rest. From "Concurrent Execution", "asyncio.TaskGroup (Python 3.11+)".
 * Rows: S009, S010.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/asyncio_taskgroup.c
 */
#include <stdio.h>
#include <weft/weft.h>

enum { ITEMS = 20 };

struct item {
    int number, result;
    bool bad;
};

static int process_item(struct item *item)
{
    if (item->bad) return wf_fail(-EINVAL, "item %d is bad", item->number);
    int rc = wf_sleep(WF_MILLISECONDS(100));
    if (rc == 0) item->result = 2 * item->number;
    return rc;
}

static int process_batch(struct item *items, size_t count)
{
    WF_SCOPE(scope);
    for (size_t i = 0; i < count; i++) wf_spawn(&scope, process_item, &items[i]);
    return wf_scope_join(&scope);
}

static int process_twice(void *unused)
{
    struct item items[ITEMS];
    (void)unused;
    for (int i = 0; i < ITEMS; i++) items[i] = (struct item){.number = i};
    int64_t began = wf_now();
    int rc = process_batch(items, ITEMS);
    if (rc < 0) return rc;
    for (int i = 0; i < ITEMS; i++) printf("%d ", items[i].result);
    printf("after %.2f s\n", wf_seconds(wf_now() - began));

    for (int i = 0; i < ITEMS; i++) items[i] = (struct item){.number = i, .bad = i == 13};
    began = wf_now();
    rc = process_batch(items, ITEMS);
    int done = 0;
    for (int i = 1; i < ITEMS; i++) done += items[i].result != 0;
    printf("%s: %d done, after %.2f s\n", rc < 0 ? wf_failure() : "?", done, wf_seconds(wf_now() - began));
    return 0;
}

int main(void)
{
    return wf_main(process_twice, NULL);
}
