/*
 * Three queries at once, for one page: the slowest decides how long it takes, and each result has its place whoever is
 * done first. From "Concurrent Execution", "asyncio.gather - Parallel Execution".
 * Rows: S006.
 * In the sample a query that fails leaves the others running; here it cancels them.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/asyncio_gather.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct dashboard {
    char user[32];
    int orders, notifications;
};

static int query(const char *what, int64_t takes)
{
    int rc = wf_sleep(takes);
    if (rc == 0) printf("%s: there\n", what);
    else printf("%s: cancelled\n", what);
    return rc;
}

static int get_user(struct dashboard *dashboard)
{
    int rc = query("user", WF_MILLISECONDS(100));
    if (rc == 0) snprintf(dashboard->user, sizeof dashboard->user, "Ada");
    return rc;
}

static int get_recent_orders(struct dashboard *dashboard)
{
    int rc = query("orders", WF_MILLISECONDS(50));
    if (rc == 0) dashboard->orders = 3;
    return rc;
}

static int get_notifications(struct dashboard *dashboard)
{
    int rc = query("notifications", WF_MILLISECONDS(20));
    if (rc == 0) dashboard->notifications = 7;
    return rc;
}

static int no_notifications(struct dashboard *dashboard)
{
    int rc = get_notifications(dashboard);
    return rc < 0 ? rc : wf_fail(-ECONNRESET, "no notifications today");
}

static int get_dashboard_data(struct dashboard *dashboard)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, get_user, dashboard);
    wf_spawn(&scope, get_recent_orders, dashboard);
    wf_spawn(&scope, get_notifications, dashboard);
    return wf_scope_join(&scope);
}

static int get_less(struct dashboard *dashboard)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, get_user, dashboard);
    wf_spawn(&scope, get_recent_orders, dashboard);
    wf_spawn(&scope, no_notifications, dashboard);
    return wf_scope_join(&scope);
}

static int show(void *unused)
{
    struct dashboard dashboard = {.orders = 0};
    (void)unused;
    int64_t began = wf_now();
    int rc = get_dashboard_data(&dashboard);
    if (rc < 0) return rc;
    printf("%s, %d orders, %d notifications, after %.2f s\n", dashboard.user, dashboard.orders, dashboard.notifications,
           wf_seconds(wf_now() - began));
    began = wf_now();
    rc = get_less(&dashboard);
    printf("one fails: %s, after %.2f s\n", rc < 0 ? wf_failure() : "nothing", wf_seconds(wf_now() - began));
    return 0;
}

int main(void)
{
    return wf_main(show, NULL);
}
