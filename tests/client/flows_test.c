/* What programs do with a client: calls that depend on each other, many at once, another source, and the end. */
#include <stdio.h>
#include <string.h>

#include "rig.h"

/* ---- The app ---- */

static struct {
    int under_way, most; /* requests */
} load;

static int take_a_while(struct wf_request *request)
{
    if (++load.under_way > load.most) load.most = load.under_way;
    int rc = wf_sleep(WF_MILLISECONDS(500));
    load.under_way--;
    return rc < 0 ? rc : wf_reply_text(request, 200, "done");
}

static int list_orders(struct wf_request *request)
{
    return wf_reply_text(request, 200, "1 2 3 4");
}

static int show_order(struct wf_request *request)
{
    int64_t id;
    int rc = wf_path_int(request, "id", &id);
    if (rc == 0 && id != 3) rc = wf_sleep(WF_SECONDS(1));
    if (rc < 0) return rc;
    return id == 3 ? wf_http_error(request, 404, "order 3 is gone") : wf_reply_text(request, 200, "order");
}

static int fail(struct wf_request *request)
{
    return wf_http_error(request, 500, "the cache is down");
}

static int dribble(struct wf_request *request)
{
    int rc = wf_reply_begin(request, 200, "text/plain", -1);
    while (rc == 0) {
        rc = wf_reply_write(request, "x", 1);
        if (rc == 0) rc = wf_reply_flush(request);
        if (rc == 0) rc = wf_sleep(WF_SECONDS(1));
    }
    return rc;
}

static void declare(struct wf_app *app)
{
    load.under_way = load.most = 0;
    wf_route(app, WF_GET, "/while", take_a_while);
    wf_route(app, WF_GET, "/api/while", take_a_while);
    wf_route(app, WF_GET, "/orders", list_orders);
    wf_route(app, WF_GET, "/orders/{id}", show_order);
    wf_route(app, WF_GET, "/cache", fail);
    wf_route(app, WF_GET, "/dribble", dribble);
}

/* ---- One after the other, and at once ---- */

struct ask {
    struct wf_client *client;
    struct wf_response response;
};

static int ask(struct ask *one)
{
    return wf_get(one->client, wf_task_arena(), "/while", &one->response, .check_status = true);
}

static int ask_many(struct wf_client *client, size_t count)
{
    struct ask *all = wf_arena_alloc(wf_task_arena(), count * sizeof *all);
    if (all == NULL) return -ENOMEM;
    for (size_t i = 0; i < count; i++) all[i] = (struct ask){.client = client};
    return wf_gather(all, count, ask);
}

WF_TEST(ten_calls_at_once_take_as_long_as_one, .simulated = true, .timeout = WF_MINUTES(1))
{
    RIG(rig, declare);
    int64_t began = wf_now();
    for (int i = 0; i < 10; i++)
        if (!WF_EXPECT_CODE(GET(rig, "/while"), 0)) return;
    WF_EXPECT(wf_now() - began >= WF_SECONDS(5));
    began = wf_now();
    if (!WF_EXPECT_CODE(ask_many(rig.client, 10), 0)) return;
    WF_EXPECT(wf_now() - began <= WF_MILLISECONDS(650));
}

WF_TEST(a_host_sees_no_more_connections_than_thirty, .simulated = true, .timeout = WF_MINUTES(1),
        .unswept = "two hundred calls are one call many times")
{
    RIG(rig, declare);
    struct wf_client_statistics statistics;
    if (!WF_EXPECT_CODE(ask_many(rig.client, 200), 0)) return;
    wf_client_statistics(rig.client, &statistics);
    WF_EXPECT_INT((int64_t)statistics.opened, 30);
    WF_EXPECT_INT(load.most, 30);
    WF_EXPECT_INT(statistics.waiting_peak, 170);
}

WF_TEST(more_than_may_wait_are_refused, .simulated = true)
{
    RIG(rig, declare, .limits = {.per_host = 1, .waiting = 1});
    WF_EXPECT_CODE(ask_many(rig.client, 3), WF_EFULL);
}

WF_TEST(a_wait_for_a_connection_has_its_own_limit, .simulated = true)
{
    RIG(rig, declare, .limits = {.per_host = 1}, .times = {.pool = WF_MILLISECONDS(100)});
    struct ask all[2] = {{.client = rig.client}, {.client = rig.client}};
    int codes[2] = {0, 0};
    if (!WF_EXPECT_CODE(wf_gather(all, 2, ask, .collect = codes), 0)) return;
    WF_EXPECT_CODE(codes[0], 0);
    WF_EXPECT_CODE(codes[1], -ETIME);
}

WF_TEST(a_total_cuts_a_body_that_dribbles, .simulated = true, .timeout = WF_MINUTES(1))
{
    RIG(rig, declare, .times = {.total = WF_SECONDS(10)});
    int64_t began = wf_now();
    WF_EXPECT_CODE(GET(rig, "/dribble"), -ETIME);
    WF_EXPECT_INT((wf_now() - began) / WF_SECONDS(1), 10);
    WF_EXPECT_PART(wf_failure(), "while reading the body");
}

/* ---- Calls that depend on each other ---- */

struct order {
    struct wf_client *client;
    int id;
    char name[16];
};

static int load_order(struct order *order)
{
    struct wf_response response;
    char path[32];
    snprintf(path, sizeof path, "/orders/%d", order->id);
    return wf_get(order->client, wf_task_arena(), path, &response, .check_status = true);
}

static int load_all(struct wf_client *client, const char *list, struct order orders[4], char failed[80])
{
    WF_SCOPE(scope, .limit = 4);
    int rc = 0;
    for (int i = 0; rc == 0 && i < 4; i++) {
        orders[i] = (struct order){.client = client, .id = list[i * 2] - '0'};
        snprintf(orders[i].name, sizeof orders[i].name, "order-%d", orders[i].id);
        rc = wf_spawn(&scope, load_order, &orders[i], .name = orders[i].name);
    }
    rc = wf_scope_end(&scope, rc);
    const struct wf_error *error = wf_scope_errors(&scope);
    snprintf(failed, 80, "%s", error != NULL ? error->path : "");
    return rc;
}

WF_TEST(one_order_that_fails_cancels_the_others_and_is_named, .simulated = true)
{
    RIG(rig, declare);
    struct order orders[4];
    char failed[80];
    if (!WF_EXPECT_CODE(GET(rig, "/orders"), 0)) return;
    int64_t began = wf_now();
    WF_EXPECT_CODE(load_all(rig.client, said(&rig), orders, failed), WF_ESTATUS);
    WF_EXPECT_PART(failed, "order-3");
    WF_EXPECT(wf_now() - began < WF_SECONDS(1));
}

/* ---- Another source ---- */

static int ask_either(struct rig *rig, const char *first, const char *second)
{
    int rc = wf_within(WF_MILLISECONDS(100), GET(*rig, first, .check_status = true));
    if (rc != -ETIME) return rc;
    char why[200];
    snprintf(why, sizeof why, "%s", wf_failure());
    rc = GET(*rig, second, .check_status = true);
    return rc == WF_ESTATUS ? wf_fail(rc, "%s; %s", why, wf_failure()) : rc;
}

WF_TEST(another_source_answers_where_the_first_is_slow, .simulated = true)
{
    RIG(rig, declare);
    if (WF_EXPECT_CODE(ask_either(&rig, "/while", "/orders"), 0)) WF_EXPECT_TEXT(said(&rig), "1 2 3 4");
    if (WF_EXPECT_CODE(ask_either(&rig, "/orders", "/cache"), 0)) WF_EXPECT_TEXT(said(&rig), "1 2 3 4");
    WF_EXPECT_CODE(ask_either(&rig, "/while", "/cache"), WF_ESTATUS);
    WF_EXPECT_PART(wf_failure(), "/while");
    WF_EXPECT_PART(wf_failure(), "the cache is down");
}

/* ---- Bases ---- */

static const struct base {
    const char *base, *path, *url;
} bases[] = {
    {"http://server/api", "/while", "http://server/api/while"},
    {"http://server/api/", "/while", "http://server/api/while"},
    {"http://server/api/", "while", "http://server/api/while"},
    {"http://server/api", "while", "http://server/api/while"},
    {"http://server", "/orders?x=1", "http://server/orders?x=1"},
    {"http://server/orders", "", "http://server/orders"},
    {"http://server/orders?a=b", "?c=d", "http://server/orders?c=d"},
    {"http://server/api", "http://other/orders", "http://other/orders"},
};

WF_TEST_EACH(a_path_joins_the_base, bases, .simulated = true)
{
    struct rig rig __attribute__((cleanup(finish_rig))) = {.app = {.title = "t"}};
    declare(&rig.app);
    WF_CLIENT(client, .base_url = row->base, .app = &rig.app);
    rig.client = &client;
    if (!WF_EXPECT_CODE(GET(rig, row->path), 0)) return;
    WF_EXPECT_TEXT(rig.response.url, row->url);
    WF_EXPECT_INT(rig.response.status, 200);
}

/* ---- The end ---- */

static int leave_by(struct rig *rig, int code)
{
    struct wf_response response;
    WF_CLIENT(client, .base_url = "http://server", .app = &rig->app);
    int rc = wf_fetch_open(&client, wf_task_arena(), WF_GET, "/dribble", &response);
    return rc < 0 ? rc : code; /* with an answer that is still open */
}

WF_TEST(leaving_the_block_closes_whatever_is_open)
{
    struct rig rig __attribute__((cleanup(finish_rig))) = {.app = {.title = "t"}};
    declare(&rig.app);
    WF_EXPECT_CODE(leave_by(&rig, 0), 0);
    WF_EXPECT_CODE(leave_by(&rig, -EPROTO), -EPROTO);
}

WF_TEST(a_client_can_be_closed_twice_and_opened_again)
{
    struct rig rig __attribute__((cleanup(finish_rig))) = {.app = {.title = "t"}};
    struct wf_client client = {.private_ = NULL};
    declare(&rig.app);
    WF_BACKGROUND(background);
    rig.client = &client;
    for (int i = 0; i < 2; i++) {
        if (!WF_EXPECT_CODE(wf_client_open(&client, &background, .base_url = "http://server", .app = &rig.app), 0))
            return;
        WF_EXPECT_CODE(wf_client_open(&client, &background), -EALREADY);
        WF_EXPECT_CODE(GET(rig, "/orders"), 0);
        wf_client_close(&client);
        wf_client_close(&client);
        WF_EXPECT_CODE(GET(rig, "/orders"), -EBADF);
    }
}

WF_TEST_MAIN
