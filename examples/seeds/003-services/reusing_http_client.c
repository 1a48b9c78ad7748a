/*
 * One client for a whole service: opened before the first request, used by all, closed after the last. From "HTTP
 * Client Patterns", "Reusing HTTP Client".
 * Rows: S060, S066, S133.
 * The sample makes its client at the first call, in a global variable, and closes it behind a `yield` that an error
 * skips; here it is a variable of the lifespan, which nothing leaves without closing it.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/reusing_http_client.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

enum { CALLS = 1000, AT_ONCE = 50 };

struct service {
    struct wf_listener *listener;
    struct wf_app upstream; /* which the service asks */
    struct wf_client *client;
};

static int lifespan(struct wf_app *app)
{
    struct service *service = app->state;
    struct wf_client_statistics statistics;
    WF_CLIENT(client, .base_url = "https://prices.example", .app = &service->upstream);
    service->client = &client;
    printf("startup: the client is there\n");
    int rc = wf_app_run(app);
    wf_client_statistics(&client, &statistics);
    printf("shutdown: %d calls over %d connections\n", (int)statistics.calls, (int)statistics.opened);
    return rc;
}

static int show_price(struct wf_request *request)
{
    struct service *service = wf_request_state(request);
    struct wf_response price;
    int rc = wf_get(service->client, wf_request_arena(request), "/price", &price, .check_status = true);
    return rc < 0 ? rc : wf_reply_text(request, 200, price.body);
}

static int serve(struct service *service)
{
    struct wf_app app = {.title = "Shop", .lifespan = lifespan, .state = service};
    wf_route(&app, WF_GET, "/price", show_price);
    int rc = wf_serve(&app, .listener = service->listener);
    wf_app_finish(&app);
    printf("the service has ended\n");
    return rc;
}

static int answer_price(struct wf_request *request)
{
    int rc = wf_sleep(WF_MILLISECONDS(5));
    return rc < 0 ? rc : wf_reply_text(request, 200, "42");
}

/* ---- Its visitors ---- */

struct visit {
    struct wf_client *visitor;
    bool answered;
};

static int visit(struct visit *visit)
{
    struct wf_response response;
    int rc = wf_get(visit->visitor, wf_task_arena(), "/price", &response, .check_status = true);
    visit->answered = rc == 0;
    return rc;
}

static int visit_often(struct service *service)
{
    static struct visit visits[CALLS];
    int answered = 0;
    WF_CLIENT(visitor,
              .base_url = wf_arena_printf(wf_task_arena(), "http://127.0.0.1:%u", wf_listener_port(service->listener)));
    for (int i = 0; i < CALLS; i++) visits[i].visitor = &visitor;
    int rc = wf_gather(visits, CALLS, visit, .limit = AT_ONCE);
    for (int i = 0; i < CALLS; i++) answered += visits[i].answered;
    printf("%d visits answered\n", answered);
    return rc;
}

static int run(struct service *service)
{
    int rc = wf_tcp_listen("127.0.0.1", 0, &service->listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, service);
    rc = visit_often(service);
    wf_scope_drain(&scope); /* as the first SIGTERM does */
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(service->listener);
    return rc;
}

int main(void)
{
    struct service service = {.upstream = {.title = "Prices"}};
    wf_route(&service.upstream, WF_GET, "/price", answer_price);
    int status = wf_main(run, &service);
    wf_app_finish(&service.upstream);
    return status;
}
