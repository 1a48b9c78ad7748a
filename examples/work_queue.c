/*
 * A queue of work with an order: two clerks take the urgent orders first, and the shop closes when all is done.
 *
 *     weft run examples/work_queue.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct order {
    int number;
    bool urgent;
};

static bool goes_first(const struct order *one, const struct order *other)
{
    return one->urgent && !other->urgent;
}

struct clerk {
    struct wf_channel *orders;
    int number;
};

static int serve(struct clerk *clerk)
{
    struct order order;
    int rc;
    while ((rc = wf_receive(clerk->orders, &order)) > 0) {
        printf("clerk %d: order %d%s\n", clerk->number, order.number, order.urgent ? " (urgent)" : "");
        rc = wf_sleep(WF_MILLISECONDS(20));
        if (rc < 0) return rc;
        wf_channel_done(clerk->orders);
    }
    return rc; /* 0: closed, and nothing left */
}

static int shop(void *unused)
{
    (void)unused;
    WF_PRIORITY_CHANNEL(orders, struct order, 16, goes_first);
    struct clerk clerks[] = {{&orders, 1}, {&orders, 2}};
    WF_SCOPE(scope);
    for (int i = 1; i <= 5; i++) {
        struct order order = {.number = i, .urgent = i > 3};
        int rc = wf_send(&orders, &order); /* would wait if 16 were waiting already */
        if (rc < 0) return wf_scope_end(&scope, rc);
    }
    wf_spawn(&scope, serve, &clerks[0]);
    wf_spawn(&scope, serve, &clerks[1]);
    int rc = wf_channel_join(&orders);
    wf_channel_close(&orders);
    struct wf_channel_statistics statistics;
    wf_channel_statistics(&orders, &statistics);
    printf("all done: %d sent, %d received\n", (int)statistics.sent, (int)statistics.received);
    return wf_scope_end(&scope, rc);
}

int main(void)
{
    return wf_main(shop, NULL);
}
