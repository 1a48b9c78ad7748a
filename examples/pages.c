/*
 * A generator over pages: straight code on both sides. A page is fetched when the orders of the one before are used up,
 * and leaving the block early closes the source before the next statement.
 *
 *     weft run examples/pages.c
 */
#include <stdio.h>
#include <weft/weft.h>

enum { PAGE_SIZE = 50 };

/* Three pages of orders, each a round trip away. */
struct shop {
    int fetches;
    bool connected;
};

static int fetch_page(struct shop *shop, int page, int orders[PAGE_SIZE])
{
    shop->fetches++;
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc < 0) return rc;
    int count = page < 3 ? PAGE_SIZE : 0;
    for (int i = 0; i < count; i++) orders[i] = page * PAGE_SIZE + i;
    return count;
}

static int all_orders(struct wf_generator *out, struct shop *shop)
{
    int orders[PAGE_SIZE], page = 0, count, rc;
    shop->connected = true;
    do {
        rc = count = fetch_page(shop, page++, orders);
        for (int i = 0; i < count && rc >= 0; i++) rc = wf_emit(out, &orders[i]);
    } while (count > 0 && rc >= 0);
    shop->connected = false;
    return rc;
}

static int count_orders(struct shop *shop)
{
    WF_GENERATOR(orders, all_orders, shop, int);
    int order, rc, count = 0;
    while ((rc = wf_next(&orders, &order)) > 0) count++;
    printf("%d orders, %d fetches\n", count, shop->fetches);
    return rc;
}

static int find_order(struct shop *shop, int wanted)
{
    int order = -1, rc;
    {
        WF_GENERATOR(orders, all_orders, shop, int);
        while ((rc = wf_next(&orders, &order)) > 0)
            if (order == wanted) break;
    }
    printf("found order %d, %d fetches, the connection is %s\n", order, shop->fetches,
           shop->connected ? "open" : "closed");
    return rc;
}

static int show_both(void *unused)
{
    (void)unused;
    struct shop all = {.fetches = 0}, some = {.fetches = 0};
    int rc = count_orders(&all);
    return rc < 0 ? rc : find_order(&some, 60);
}

int main(void)
{
    return wf_main(show_both, NULL);
}
