/*
 * A page that needs four answers: one after the other, and at once. All calls share one client, so they share its
 * connections; the slowest call decides how long it takes, and a failure of one cancels the others.
 *
 *     weft run examples/http_dashboard.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

enum { PARTS = 4 };

struct part {
    struct wf_client *client;
    struct wf_arena *arena;
    const char *path;
    struct wf_response response;
};

static int load(struct part *part)
{
    return wf_get(part->client, part->arena, part->path, &part->response, .check_status = true);
}

static int load_one_by_one(struct part parts[PARTS])
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < PARTS; i++) rc = load(&parts[i]);
    return rc;
}

static int load_at_once(struct part parts[PARTS])
{
    WF_SCOPE(scope, .timeout = WF_SECONDS(5));
    for (int i = 0; i < PARTS; i++) wf_spawn(&scope, load, &parts[i], .name = parts[i].path);
    return wf_scope_join(&scope);
}

static void show(const char *how, const struct part parts[PARTS], int64_t took)
{
    printf("%s:", how);
    for (int i = 0; i < PARTS; i++) printf(" %s", parts[i].response.body);
    printf(", in %d tenths of a second\n", (int)(took / WF_MILLISECONDS(100)));
}

static int compare(const char *base)
{
    WF_CLIENT(client, .base_url = base);
    static const char *const paths[PARTS] = {"/user", "/orders", "/notices", "/weather"};
    struct wf_client_statistics statistics;
    struct part parts[PARTS];
    for (int i = 0; i < PARTS; i++)
        parts[i] = (struct part){.client = &client, .arena = wf_task_arena(), .path = paths[i]};
    int64_t began = wf_now();
    int rc = load_one_by_one(parts);
    if (rc < 0) return rc;
    show("one by one", parts, wf_now() - began);
    wf_client_statistics(&client, &statistics);
    printf("connections so far: %d\n", (int)statistics.opened);
    began = wf_now();
    rc = load_at_once(parts);
    if (rc < 0) return rc;
    show("at once", parts, wf_now() - began);
    wf_client_statistics(&client, &statistics);
    printf("connections so far: %d\n", (int)statistics.opened);
    rc = wf_get(&client, wf_task_arena(), "/nothing", &parts[0].response, .check_status = true);
    printf("what fails says so: %s\n", wf_failure());
    return rc == WF_ESTATUS ? 0 : rc;
}

/* ---- The server ---- */

static int answer_slowly(struct wf_request *request)
{
    int rc = wf_sleep(WF_MILLISECONDS(100));
    return rc < 0 ? rc : wf_reply_text(request, 200, wf_request_path(request) + 1);
}

static void declare_routes(struct wf_app *app)
{
    wf_route(app, WF_GET, "/user", answer_slowly);
    wf_route(app, WF_GET, "/orders", answer_slowly);
    wf_route(app, WF_GET, "/notices", answer_slowly);
    wf_route(app, WF_GET, "/weather", answer_slowly);
}

static int serve(struct wf_listener *listener)
{
    struct wf_app app = {.title = "Dashboard"};
    declare_routes(&app);
    int rc = wf_serve(&app, .listener = listener);
    wf_app_finish(&app);
    return rc;
}

static int run(void *unused)
{
    struct wf_listener *listener;
    char base[64];
    (void)unused;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    snprintf(base, sizeof base, "http://127.0.0.1:%u", wf_listener_port(listener));
    WF_SCOPE(scope);
    rc = wf_spawn(&scope, serve, listener, .daemon = true);
    if (rc == 0) rc = compare(base);
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(listener);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
