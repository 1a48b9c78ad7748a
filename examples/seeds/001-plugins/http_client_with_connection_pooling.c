/*
 * One HTTP client for all: at most 100 connections and 30 to one host, which later calls use again; started, used and
 * stopped. From "Connection Management: HTTP Client with Connection Pooling".
 *
 * Rows: S054, S055, S056.
 *
 * In the sample a call before start() is an AttributeError on None, and an error page is parsed as if it were data.
 * Here a client that is not open says so, before the start as after the stop, and a status of 400 or more is an error.
 * That names are looked up once in their time to live is shown by tests/net/names_test.c.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/http_client_with_connection_pooling.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

static struct wf_client client; /* of the program */

/* ---- The server, which counts ---- */

static int inside, peak;

static int show_item(struct wf_request *request)
{
    if (++inside > peak) peak = inside;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    inside--;
    return rc < 0 ? rc : wf_reply_text(request, 200, "an item");
}

static int add_item(struct wf_request *request)
{
    char *body;
    size_t size;
    int rc = wf_request_body(request, &body, &size);
    if (rc < 0) return rc;
    printf("POST %s?%s, %s, X-Trace %s: %.*s\n", wf_request_path(request), wf_request_query(request),
           wf_request_header(request, "Content-Type"), wf_request_header(request, "X-Trace"), (int)size, body);
    return wf_reply_text(request, 201, "added");
}

/* ---- Who calls it ---- */

static int get_item(const char *path)
{
    struct wf_response response;
    return wf_get(&client, wf_task_arena(), path, &response, .check_status = true);
}

static int get_many(int count)
{
    struct wf_client_statistics statistics;
    int64_t started = wf_now();
    WF_SCOPE(scope);
    for (int i = 0; i < count; i++) wf_spawn(&scope, get_item, "/items/1");
    int rc = wf_scope_join(&scope);
    wf_client_statistics(&client, &statistics);
    printf("%d calls in %.1f s: at most %d at the server at once, %d connections opened, %d calls reused one\n", count,
           wf_seconds(wf_now() - started), peak, (int)statistics.opened, (int)statistics.reused);
    return rc;
}

static int use_client(void)
{
    struct wf_response response;
    int rc = get_many(200);
    if (rc == 0)
        rc = wf_post(&client, wf_task_arena(), "/items", &response, .params = WF_NAMED({"q", "red & blue"}),
                     .headers = WF_NAMED({"X-Trace", "17"}), .json = "{\"name\": \"box\"}");
    if (rc == 0) printf("answer: %d %s\n", response.status, response.body);
    if (rc < 0) return rc;
    printf("a missing page: %s\n", get_item("/missing") == WF_ESTATUS ? wf_failure() : "no error");
    return 0;
}

static int run(struct wf_app *app)
{
    printf("before the start: %s\n", wf_strerror(get_item("/items/1")));
    WF_BACKGROUND(background, .name = "client");
    int rc = wf_client_open(&client, &background, .app = app, .base_url = "http://api.example",
                            .limits = {.connections = 100, .per_host = 30}, .times = {.total = WF_SECONDS(30)});
    if (rc == 0) rc = use_client();
    wf_client_close(&client);
    wf_client_close(&client); /* may be said twice */
    printf("after the stop: %s\n", wf_strerror(get_item("/items/1")));
    return rc;
}

int main(void)
{
    struct wf_app app = {.title = "Items"};
    wf_route(&app, WF_GET, "/items/{id}", show_item);
    wf_route(&app, WF_POST, "/items", add_item);
    int status = wf_main(run, &app);
    wf_app_finish(&app);
    return status;
}
