/*
 * Ten thousand items, all at once or fifty at a time. From "Common Pitfalls", "3. Creating Too Many Concurrent Tasks".
 * Rows: S023, S151.
 * The sample's cure lets no more than fifty queries run, but it still makes ten thousand tasks; the last form makes
 * fifty. The database here refuses more than a hundred queries at once.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/creating_too_many_concurrent_tasks.c
 */
#include <stdio.h>
#include <weft/weft.h>

enum { ITEMS = 10000, LIMIT = 50, QUERIES_MAX = 100 };

static struct wf_semaphore semaphore = WF_SEMAPHORE(LIMIT);
static int queries, queries_peak;
static uint64_t tasks_peak;

static int get_item(const int *id)
{
    struct wf_statistics now;
    wf_loop_statistics(&now);
    if (now.tasks_alive > tasks_peak) tasks_peak = now.tasks_alive;
    if (queries == QUERIES_MAX) return wf_fail(-EBUSY, "item %d: too many queries", *id);
    if (++queries > queries_peak) queries_peak = queries;
    int rc = wf_sleep(WF_MILLISECONDS(1));
    queries--;
    return rc;
}

static int limited_get(const int *id)
{
    int rc = wf_semaphore_acquire(&semaphore);
    if (rc < 0) return rc;
    rc = get_item(id);
    wf_semaphore_release(&semaphore);
    return rc;
}

static int bad_example(int *ids, int *codes)
{
    return wf_gather(ids, ITEMS, get_item, .collect = codes);
}

static int good_example(int *ids, int *codes)
{
    return wf_gather(ids, ITEMS, limited_get, .collect = codes);
}

static int best_example(int *ids, int *codes)
{
    return wf_gather(ids, ITEMS, get_item, .collect = codes, .limit = LIMIT);
}

static int show(const char *name, int (*example)(int *, int *))
{
    static int ids[ITEMS], codes[ITEMS];
    int failed = 0;
    for (int i = 0; i < ITEMS; i++) ids[i] = i;
    queries_peak = 0;
    tasks_peak = 0;
    int rc = example(ids, codes);
    for (int i = 0; i < ITEMS; i++) failed += codes[i] < 0;
    printf("%s: %d failed, at most %d queries and %d tasks at once\n", name, failed, queries_peak, (int)tasks_peak);
    return rc;
}

static int compare(void *unused)
{
    (void)unused;
    int rc = show("bad", bad_example);
    if (rc == 0) rc = show("good", good_example);
    if (rc == 0) rc = show("best", best_example);
    return rc;
}

int main(void)
{
    return wf_main(compare, NULL);
}
