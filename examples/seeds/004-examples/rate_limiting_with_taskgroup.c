/*
 * All or nothing: five requests at a time, and the first failure cancels those under way and those that wait for their
 * turn. From "Rate Limiting with Semaphore", "Rate Limiting with TaskGroup".
 * Rows: S010, S017.
 * The semaphore is the sample's; WF_SCOPE(scope, .limit = 5) does the same with five tasks in place of twenty.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/rate_limiting_with_taskgroup.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

enum { URLS = 20, MAX_CONCURRENT = 5 };

struct fetch {
    struct wf_client *client;
    struct wf_semaphore *semaphore;
    int item;
    size_t size;
};

static int get_item(struct fetch *fetch)
{
    struct wf_response response;
    const char *path = wf_arena_printf(wf_task_arena(), "/items/%d", fetch->item);
    int rc = wf_within(WF_SECONDS(30), wf_get(fetch->client, wf_task_arena(), path, &response, .check_status = true));
    if (rc == 0) fetch->size = response.size;
    return rc;
}

static int fetch_one(struct fetch *fetch)
{
    int rc = wf_semaphore_acquire(fetch->semaphore);
    if (rc < 0) return rc;
    rc = get_item(fetch);
    wf_semaphore_release(fetch->semaphore);
    return rc;
}

static int rate_limited_taskgroup(struct fetch *fetches)
{
    WF_SCOPE(scope);
    for (int i = 0; i < URLS; i++) wf_spawn(&scope, fetch_one, &fetches[i]);
    return wf_scope_join(&scope);
}

/* ---- The API ---- */

struct api {
    int broken; /* this item cannot be had */
    int asked, now, peak;
};

static int show_item(struct wf_request *request)
{
    struct api *api = wf_request_state(request);
    int64_t id;
    int rc = wf_path_int(request, "id", &id);
    if (rc < 0) return rc;
    api->asked++;
    if (++api->now > api->peak) api->peak = api->now;
    rc = wf_sleep(WF_MILLISECONDS(100));
    api->now--;
    if (rc < 0) return rc;
    if (id == api->broken) return wf_http_error(request, 500, "item %d is broken", api->broken);
    return wf_reply_text(request, 200, "{}");
}

static void show(struct api *api, struct wf_client *client, int broken)
{
    struct wf_semaphore semaphore = WF_SEMAPHORE(MAX_CONCURRENT);
    struct fetch fetches[URLS];
    int got = 0;
    for (int i = 0; i < URLS; i++) fetches[i] = (struct fetch){.client = client, .semaphore = &semaphore, .item = i};
    *api = (struct api){.broken = broken};
    int64_t began = wf_now();
    int rc = rate_limited_taskgroup(fetches);
    for (int i = 0; i < URLS; i++) got += fetches[i].size > 0;
    printf("%s: %d of %d fetched in %.1f s, %d requests, at most %d at once\n", rc < 0 ? wf_failure() : "all well", got,
           URLS, wf_seconds(wf_now() - began), api->asked, api->peak);
}

static int run(struct wf_app *app)
{
    WF_CLIENT(client, .base_url = "https://api.example.com", .app = app);
    show(app->state, &client, -1);
    show(app->state, &client, 7);
    return 0;
}

int main(void)
{
    struct api api = {.broken = -1};
    struct wf_app app = {.title = "Items", .state = &api};
    wf_route(&app, WF_GET, "/items/{id}", show_item);
    int status = wf_main(run, &app);
    wf_app_finish(&app);
    return status;
}
