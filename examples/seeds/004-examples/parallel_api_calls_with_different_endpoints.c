/*
 * A dashboard of four answers, asked for at once over one client. From "Concurrent Execution with asyncio.gather()",
 * "Parallel API Calls with Different Endpoints".
 * Rows: S006, S058.
 * The sample looks at no status, and when one call fails the other three go on for nobody; here the first failure, a
 * status of an error too, cancels the rest.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/parallel_api_calls_with_different_endpoints.c
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

enum { USER, ORDERS, NOTIFICATIONS, SETTINGS, PARTS };

struct part {
    struct wf_client *client;
    struct wf_arena *arena;
    const char *path;
    struct wf_response response;
};

static int fetch(struct part *part)
{
    return wf_get(part->client, part->arena, part->path, &part->response, .check_status = true);
}

static int fetch_dashboard_data(struct wf_client *client, struct wf_arena *arena, int64_t id, struct part parts[PARTS])
{
    static const char *const ends[PARTS] = {"", "/orders", "/notifications", "/settings"};
    for (int i = 0; i < PARTS; i++) {
        const char *path = wf_arena_printf(arena, "/users/%" PRId64 "%s", id, ends[i]);
        parts[i] = (struct part){.client = client, .arena = arena, .path = path};
    }
    return wf_gather(parts, PARTS, fetch);
}

static int show_dashboards(struct wf_app *app)
{
    struct part parts[PARTS];
    struct wf_client_statistics statistics;
    WF_CLIENT(client, .base_url = "https://api.example.com", .app = app);
    int64_t began = wf_now();
    int rc = fetch_dashboard_data(&client, wf_task_arena(), 1, parts);
    if (rc < 0) return rc;
    for (int i = 0; i < PARTS; i++) printf("%s: %s\n", parts[i].path, parts[i].response.body);
    wf_client_statistics(&client, &statistics);
    printf("after %.1f s, over %d connections\n", wf_seconds(wf_now() - began), (int)statistics.opened);
    began = wf_now();
    rc = fetch_dashboard_data(&client, wf_task_arena(), 2, parts);
    printf("%s, after %.1f s\n", rc < 0 ? wf_failure() : "there is a user 2", wf_seconds(wf_now() - began));
    return rc == WF_ESTATUS ? 0 : rc;
}

/* ---- The API ---- */

struct endpoint {
    int64_t takes;
    const char *json;
};

static const struct endpoint endpoints[PARTS] = {
    {WF_MILLISECONDS(100), "{\"id\": 1, \"name\": \"Ada\"}"},
    {WF_MILLISECONDS(400), "[17, 18, 21]"},
    {WF_MILLISECONDS(200), "[]"},
    {WF_MILLISECONDS(300), "{\"theme\": \"dark\"}"},
};

static int answer(struct wf_request *request)
{
    const struct endpoint *endpoint = wf_request_arg(request);
    int64_t id;
    int rc = wf_path_int(request, "id", &id);
    if (rc == 0) rc = wf_sleep(endpoint->takes);
    if (rc < 0) return rc;
    if (id != 1) return wf_http_error(request, 404, "no user %" PRId64, id);
    return wf_reply_bytes(request, 200, "application/json", endpoint->json, strlen(endpoint->json));
}

int main(void)
{
    struct wf_app app = {.title = "Users"};
    wf_route(&app, WF_GET, "/users/{id}", answer, .arg = (void *)&endpoints[USER]);
    wf_route(&app, WF_GET, "/users/{id}/orders", answer, .arg = (void *)&endpoints[ORDERS]);
    wf_route(&app, WF_GET, "/users/{id}/notifications", answer, .arg = (void *)&endpoints[NOTIFICATIONS]);
    wf_route(&app, WF_GET, "/users/{id}/settings", answer, .arg = (void *)&endpoints[SETTINGS]);
    int status = wf_main(show_dashboards, &app);
    wf_app_finish(&app);
    return status;
}
