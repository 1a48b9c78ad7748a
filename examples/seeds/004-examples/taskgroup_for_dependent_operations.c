/*
 * The orders of a user are fetched, and then each of them, a task for each; one that fails cancels the others, and its
 * name says which it was. From "TaskGroup (Python 3.11+)", "TaskGroup for Dependent Operations".
 * Rows: S012.
 * The sample has as many requests at once as the user has orders; here they are at most four. It looks at no status.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/taskgroup_for_dependent_operations.c
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

#define ORDER_MEMBERS(M) M(INT64, id) M(INT64, total)
WF_MODEL(order, ORDER_MEMBERS)

#define ORDERS_MEMBERS(M) M(LIST(INT64), ids)
WF_MODEL(orders, ORDERS_MEMBERS)

struct work {
    struct wf_client *client;
    int64_t id;
    struct order order;
    bool processed;
};

static int process_order(struct work *work)
{
    struct wf_response response;
    const char *path = wf_arena_printf(wf_task_arena(), "/orders/%" PRId64, work->id);
    int rc = wf_get(work->client, wf_task_arena(), path, &response, .check_status = true);
    if (rc == 0) rc = wf_response_model(&response, &order_model, &work->order);
    work->processed = rc == 0;
    return rc;
}

static int process_orders(struct wf_client *client, const struct orders *orders, struct work *works)
{
    WF_SCOPE(scope, .limit = 4);
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < orders->ids.count; i++) {
        char name[32];
        works[i] = (struct work){.client = client, .id = orders->ids.items[i]};
        snprintf(name, sizeof name, "order-%" PRId64, works[i].id); /* is copied */
        rc = wf_spawn(&scope, process_order, &works[i], .name = name);
    }
    rc = wf_scope_end(&scope, rc);
    wf_each_error(&scope, error) printf("%s: %s\n", error->path, error->message);
    return rc;
}

static int fetch_and_process_orders(struct wf_client *client, int user)
{
    struct wf_response response;
    struct orders orders = {.ids = {NULL, 0}};
    const char *path = wf_arena_printf(wf_task_arena(), "/users/%d/orders", user);
    int rc = wf_get(client, wf_task_arena(), path, &response, .check_status = true);
    if (rc == 0) rc = wf_response_model(&response, &orders_model, &orders);
    if (rc < 0) return rc;
    struct work *works = wf_arena_array(wf_task_arena(), orders.ids.count, sizeof *works);
    if (works == NULL) return -ENOMEM;
    rc = process_orders(client, &orders, works);
    int processed = 0;
    for (size_t i = 0; i < orders.ids.count; i++) {
        if (!works[i].processed) continue;
        processed++;
        if (rc == 0) printf("order %" PRId64 ": total %" PRId64 "\n", works[i].order.id, works[i].order.total);
    }
    printf("user %d: %d of %zu orders processed\n", user, processed, orders.ids.count);
    return rc;
}

/* ---- The API: an order takes the longer the higher its number is ---- */

enum { ORDERS = 12 };

static int asked; /* for orders */

static int show_orders(struct wf_request *request)
{
    int64_t user;
    int rc = wf_path_int(request, "id", &user);
    if (rc < 0) return rc;
    int64_t ids[ORDERS];
    for (int i = 0; i < ORDERS; i++) ids[i] = 100 * user + i;
    return wf_reply(request, 200, &orders_model, &(struct orders){.ids = {ids, ORDERS}});
}

static int show_order(struct wf_request *request)
{
    struct order order;
    asked++;
    int rc = wf_path_int(request, "id", &order.id);
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(10 + order.id % 100));
    if (rc < 0) return rc;
    if (order.id == 203) return wf_http_error(request, 404, "no order 203");
    order.total = 5 * order.id;
    return wf_reply(request, 200, &order_model, &order);
}

static int run(struct wf_app *app)
{
    WF_CLIENT(client, .base_url = "https://api.example.com", .app = app);
    int rc = fetch_and_process_orders(&client, 1);
    if (rc < 0) return rc;
    asked = 0;
    rc = fetch_and_process_orders(&client, 2);
    printf("the API was asked for %d of them\n", asked);
    return rc == WF_ESTATUS ? 0 : rc;
}

int main(void)
{
    struct wf_app app = {.title = "Orders"};
    wf_route(&app, WF_GET, "/users/{id}/orders", show_orders, .response = &orders_model);
    wf_route(&app, WF_GET, "/orders/{id}", show_order, .response = &order_model);
    int status = wf_main(run, &app);
    wf_app_finish(&app);
    return status;
}
