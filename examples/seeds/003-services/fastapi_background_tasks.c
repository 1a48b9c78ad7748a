/*
 * An order is answered, and then its mail is sent. From "Background Tasks", "FastAPI Background Tasks".
 * Rows: S069, S071.
 * The sample makes a client for each mail, looks at no answer, and nobody hears of a mail that was not sent; here all
 * mails share one client, and what fails goes to the log. The next request of the same connection waits for the task
 * before it; what takes longer belongs into a set of background tasks (004-examples/usage_with_fastapi.c).
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/fastapi_background_tasks.c
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

#define ASKED_MEMBERS(M) M(STRING, customer_email, .format = WF_EMAIL) M(INT64, quantity, .min = 1)
WF_MODEL(order_asked, ASKED_MEMBERS)

#define ORDER_MEMBERS(M) M(INT64, id) M(STRING, customer_email) M(INT64, quantity)
WF_MODEL(order, ORDER_MEMBERS)

#define MAIL_MEMBERS(M) M(STRING, to) M(STRING, subject) M(STRING, body)
WF_MODEL(mail, MAIL_MEMBERS)

struct shop {
    int64_t orders;
    struct wf_client *mails; /* to the mail service */
};

struct task {
    struct wf_client *client;
    struct wf_arena *arena; /* the request's, which lives until the mail is out */
    struct mail mail;
};

static int send_email(struct task *task)
{
    struct wf_response response;
    return wf_post(task->client, task->arena, "/send", &response, .model = &mail_model, .value = &task->mail,
                   .check_status = true);
}

static int create_order(struct wf_request *request)
{
    struct shop *shop = wf_request_state(request);
    struct wf_arena *arena = wf_request_arena(request);
    const struct order_asked *asked = wf_body_value(request);
    struct order order = {.id = ++shop->orders, .customer_email = asked->customer_email, .quantity = asked->quantity};
    struct task *task = wf_arena_alloc(arena, sizeof *task);
    if (task == NULL) return -ENOMEM;
    *task = (struct task){.client = shop->mails, .arena = arena};
    task->mail = (struct mail){.to = order.customer_email, .subject = "Order Confirmation"};
    task->mail.body = wf_arena_printf(arena, "Your order %" PRId64 " has been placed.", order.id);
    int rc = wf_after_reply(request, send_email, task);
    return rc < 0 ? rc : wf_reply(request, 201, &order_model, &order);
}

/* ---- A mail service that takes its time ---- */

static int64_t began;

static int accept_mail(struct wf_request *request)
{
    const struct mail *mail = wf_body_value(request);
    int rc = wf_sleep(WF_SECONDS(2));
    if (rc < 0) return rc;
    printf("%.1f s: mail to %s: %s\n", wf_seconds(wf_now() - began), mail->to, mail->body);
    if (strcmp(mail->to, "nobody@example.com") == 0) return wf_http_error(request, 400, "no such mailbox");
    return wf_reply_empty(request, 202);
}

/* ---- A customer ---- */

static int place_order(struct wf_client *customer, const char *json)
{
    struct wf_response response;
    int rc = wf_post(customer, wf_task_arena(), "/orders", &response, .json = json);
    if (rc == 0) printf("%.1f s: %d %s\n", wf_seconds(wf_now() - began), response.status, response.body);
    return rc;
}

static int place_orders(struct shop *shop)
{
    struct wf_app mail_service = {.title = "Mails"}, app = {.title = "Shop", .state = shop};
    wf_route(&mail_service, WF_POST, "/send", accept_mail, .body = &mail_model);
    wf_route(&app, WF_POST, "/orders", create_order, .body = &order_asked_model, .response = &order_model);
    began = wf_now();
    int rc;
    {
        WF_CLIENT(mails, .base_url = "https://api.email.com", .app = &mail_service);
        WF_CLIENT(customer, .base_url = "https://shop.example", .app = &app);
        shop->mails = &mails;
        rc = place_order(&customer, "{\"customer_email\": \"ada@example.com\", \"quantity\": 2}");
        if (rc == 0) rc = place_order(&customer, "{\"customer_email\": \"ada\", \"quantity\": 0}");
        if (rc == 0) rc = place_order(&customer, "{\"customer_email\": \"nobody@example.com\", \"quantity\": 1}");
        if (rc == 0) rc = wf_sleep(WF_SECONDS(5)); /* the customer has gone; the mail goes out */
    }
    wf_app_finish(&app);
    wf_app_finish(&mail_service);
    return rc;
}

static void show_line(void *context, enum wf_log_level level, const char *line, size_t size)
{
    (void)context, (void)level;
    printf("log: %.*s", (int)size, line);
}

int main(void)
{
    struct shop shop = {.orders = 0};
    wf_log_set_format(WF_LOG_LOGFMT);
    wf_log_set_hook(show_line, NULL);
    return wf_main(place_orders, &shop);
}
