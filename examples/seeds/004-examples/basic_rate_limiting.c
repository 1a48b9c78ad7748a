/*
 * A hundred URLs, ten at a time; who fails is said, and left out. From "Rate Limiting with Semaphore", "Basic Rate
 * Limiting".
 * Rows: S017, S023.
 * The sample makes a hundred tasks, of which ninety wait, and a client for each request, so that no connection is ever
 * used again; here there are ten tasks at most, and one client.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/basic_rate_limiting.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

enum { URLS = 100, MAX_CONCURRENT = 10 };

struct fetch {
    struct wf_client *client;
    struct wf_arena *arena; /* of all of them */
    const char *url;
    struct wf_response response;
};

static int fetch_one(struct fetch *fetch)
{
    int rc = wf_within(WF_SECONDS(30),
                       wf_get(fetch->client, fetch->arena, fetch->url, &fetch->response, .check_status = true));
    if (rc < 0 && rc != -ECANCELED) printf("Error fetching %s: %s\n", fetch->url, wf_failure());
    return rc;
}

static int fetch_with_rate_limit(struct fetch *fetches, size_t count, uint32_t max_concurrent, int *codes)
{
    return wf_gather(fetches, count, fetch_one, .limit = max_concurrent, .collect = codes);
}

static int fetch_items(const char *base)
{
    struct wf_client_statistics statistics;
    static struct fetch fetches[URLS];
    int codes[URLS], successful = 0;
    WF_CLIENT(client);
    for (int i = 0; i < URLS; i++) {
        const char *url = wf_arena_printf(wf_task_arena(), "%s/items/%d", base, i);
        fetches[i] = (struct fetch){.client = &client, .arena = wf_task_arena(), .url = url};
    }
    int64_t began = wf_now();
    int rc = fetch_with_rate_limit(fetches, URLS, MAX_CONCURRENT, codes);
    if (rc < 0) return rc;
    for (int i = 0; i < URLS; i++) successful += codes[i] == 0;
    wf_client_statistics(&client, &statistics);
    printf("Successfully fetched %d/%d in %.1f s over %d connections\n", successful, URLS, wf_seconds(wf_now() - began),
           (int)statistics.opened);
    return 0;
}

/* ---- The API ---- */

struct api {
    struct wf_listener *listener;
    int now, peak;
};

static int show_item(struct wf_request *request)
{
    struct api *api = wf_request_state(request);
    int64_t id;
    int rc = wf_path_int(request, "id", &id);
    if (rc < 0) return rc;
    if (++api->now > api->peak) api->peak = api->now;
    rc = wf_sleep(WF_MILLISECONDS(100));
    api->now--;
    if (rc < 0) return rc;
    if (id % 40 == 13) return wf_http_error(request, 404, "there is no such item");
    return wf_reply_bytes(request, 200, "application/json", "{}", 2);
}

static int serve(struct api *api)
{
    struct wf_app app = {.title = "Items", .state = api};
    wf_route(&app, WF_GET, "/items/{id}", show_item);
    int rc = wf_serve(&app, .listener = api->listener);
    wf_app_finish(&app);
    return rc;
}

static int run(void *unused)
{
    struct api api = {.now = 0};
    (void)unused;
    int rc = wf_tcp_listen("127.0.0.1", 0, &api.listener);
    if (rc < 0) return rc;
    const char *base = wf_arena_printf(wf_task_arena(), "http://127.0.0.1:%u", wf_listener_port(api.listener));
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, &api, .daemon = true);
    rc = wf_scope_end(&scope, fetch_items(base));
    wf_listener_close(api.listener);
    printf("the server had at most %d requests at once\n", api.peak);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
