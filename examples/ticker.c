/*
 * A source that emits on a timer: five items, one at the end of each 100 ms. It does not drift, however long the
 * consumer takes for an item.
 *
 *     weft run examples/ticker.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct item {
    int64_t id;
    char data[24];
};

static int make_item(int64_t *tick, struct item *item)
{
    item->id = *tick;
    snprintf(item->data, sizeof item->data, "item_%lld", (long long)*tick);
    return 0;
}

static int show_items(void *unused)
{
    (void)unused;
    int64_t started = wf_now();
    WF_TICKER(ticks, WF_MILLISECONDS(100));
    WF_MAP(items, &ticks, int64_t, make_item, struct item);
    WF_TAKE(five, &items, 5);
    struct item item;
    int rc;
    while ((rc = wf_next(&five, &item)) > 0) {
        printf("%s after %.1f s\n", item.data, wf_seconds(wf_now() - started));
        rc = wf_sleep(WF_MILLISECONDS(30)); /* work, which the next tick does not wait for */
        if (rc < 0) return rc;
    }
    return rc;
}

int main(void)
{
    return wf_main(show_items, NULL);
}
