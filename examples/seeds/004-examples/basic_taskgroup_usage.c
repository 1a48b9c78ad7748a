/*
 * Twenty items at once, in a scope: when it is left, all are done. From "TaskGroup (Python 3.11+)", "Basic TaskGroup
 * Usage".
 * Rows: S009.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/basic_taskgroup_usage.c
 */
#include <stdio.h>
#include <weft/weft.h>

enum { ITEMS = 20 };

struct item {
    int id;
    const char *status;
};

static int process_item(struct item *item)
{
    int rc = wf_sleep(WF_MILLISECONDS(100)); /* stands for some waiting */
    if (rc == 0) item->status = "processed";
    return rc;
}

/* The first failure would cancel the others. */
static int process_all_items(struct item *items, size_t count)
{
    WF_SCOPE(scope);
    for (size_t i = 0; i < count; i++) wf_spawn(&scope, process_item, &items[i]);
    return wf_scope_join(&scope);
}

static int run(void *unused)
{
    struct item items[ITEMS];
    (void)unused;
    for (int i = 0; i < ITEMS; i++) items[i] = (struct item){.id = i + 1};
    int64_t began = wf_now();
    int rc = process_all_items(items, ITEMS);
    if (rc < 0) return rc;
    for (int i = 0; i < ITEMS; i++) printf("item %d: %s\n", items[i].id, items[i].status);
    printf("Processed %d items, in %.1f s\n", ITEMS, wf_seconds(wf_now() - began));
    return 0;
}

int main(void)
{
    return wf_main(run, NULL);
}
