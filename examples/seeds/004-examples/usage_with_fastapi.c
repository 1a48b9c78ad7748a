/*
 * An order is answered at once; its mail is a background task, which the shutdown of the app waits for. From
 * "Background Tasks", "Usage with FastAPI".
 * Rows: S066, S072, S133.
 * The sample's tasks are a global variable of the process, and its shutdown is skipped where serving failed; here they
 * are a variable of the lifespan, which nothing leaves without ending them.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/usage_with_fastapi.c
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

#define ASKED_MEMBERS(M) M(STRING, item, .min = 1)
WF_MODEL(order_asked, ASKED_MEMBERS)

#define ORDER_MEMBERS(M) M(INT64, id) M(STRING, item)
WF_MODEL(order, ORDER_MEMBERS)

struct shop {
    struct wf_listener *listener;
    struct wf_background *tasks;
    int64_t orders;
};

static int64_t began;

static void say(const char *what)
{
    printf("%.1f s: %s\n", wf_seconds(wf_now() - began), what);
}

static void on_error(void *context, const char *name, int code, const char *message)
{
    (void)context, (void)code;
    printf("%.1f s: Failed to send email: %s: %s\n", wf_seconds(wf_now() - began), name, message);
}

static int lifespan(struct wf_app *app)
{
    struct shop *shop = app->state;
    WF_BACKGROUND(tasks, .grace = WF_SECONDS(10), .on_error = on_error);
    shop->tasks = &tasks;
    say("startup");
    int rc = wf_app_run(app);
    say("the last request is answered; shutdown");
    int ended = wf_background_shutdown(&tasks);
    say("background tasks have ended");
    return rc < 0 ? rc : ended;
}

/* The task has a copy of the number: the request is gone by then. */
static int send_order_confirmation(const int64_t *id)
{
    int rc = wf_sleep(WF_SECONDS(2)); /* a mail server */
    if (rc < 0) return rc;
    if (*id == 2) return wf_fail(-ECONNREFUSED, "order %" PRId64 " has no address", *id);
    printf("%.1f s: %s: sent\n", wf_seconds(wf_now() - began), wf_task_name());
    return 0;
}

static int create_order(struct wf_request *request)
{
    struct shop *shop = wf_request_state(request);
    const struct order_asked *asked = wf_body_value(request);
    struct order order = {.id = ++shop->orders, .item = asked->item};
    char name[40];
    snprintf(name, sizeof name, "email-order-%" PRId64, order.id);
    int rc = wf_background_start_copy(shop->tasks, send_order_confirmation, &order.id, .name = name);
    return rc < 0 ? rc : wf_reply(request, 201, &order_model, &order); /* too many tasks: 503 */
}

static int serve(struct shop *shop)
{
    struct wf_app app = {.title = "Shop", .state = shop, .lifespan = lifespan};
    wf_route(&app, WF_POST, "/orders", create_order, .body = &order_asked_model, .response = &order_model,
             .status = 201);
    int rc = wf_serve(&app, .listener = shop->listener);
    wf_app_finish(&app);
    return rc;
}

static int place_orders(const char *base)
{
    struct wf_response response;
    WF_CLIENT(customer, .base_url = base);
    int rc = 0;
    for (int i = 0; rc == 0 && i < 3; i++) {
        rc = wf_post(&customer, wf_task_arena(), "/orders", &response, .json = "{\"item\": \"tea\"}");
        if (rc == 0) printf("%.1f s: %d %s\n", wf_seconds(wf_now() - began), response.status, response.body);
        if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(500));
    }
    return rc;
}

static int run(void *unused)
{
    struct shop shop = {.orders = 0};
    (void)unused;
    began = wf_now();
    int rc = wf_tcp_listen("127.0.0.1", 0, &shop.listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, &shop);
    rc = place_orders(wf_arena_printf(wf_task_arena(), "http://127.0.0.1:%u", wf_listener_port(shop.listener)));
    wf_scope_drain(&scope); /* as the first SIGTERM does */
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(shop.listener);
    return rc;
}

int main(void)
{
    wf_log_set_level("background", WF_OFF); /* which says on standard error what on_error says */
    return wf_main(run, NULL);
}
