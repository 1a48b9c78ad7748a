/*
 * Ten users, one after another and at once, from a server that takes half a second for each. Who cannot be fetched is
 * left out, and said. From "Concurrent Execution with asyncio.gather()", "Fetch Multiple Resources Concurrently".
 * Rows: S007, S008.
 * The sample does not take a cancel for an error, and so counts it as a user; here a cancel ends the whole.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/fetch_multiple_resources_concurrently.c
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

enum { USERS = 10 };

#define USER_MEMBERS(M) M(INT64, id) M(STRING, name)
WF_MODEL(user, USER_MEMBERS)

struct fetch {
    struct wf_client *client;
    struct wf_arena *arena; /* of all of them */
    int64_t id;
    struct user user;
    const char *message; /* of its failure */
};

static int fetch_json(struct fetch *fetch)
{
    struct wf_response response;
    const char *path = wf_arena_printf(fetch->arena, "/users/%" PRId64, fetch->id);
    int rc = wf_within(WF_SECONDS(30), wf_get(fetch->client, fetch->arena, path, &response, .check_status = true));
    if (rc == 0) rc = wf_response_model(&response, &user_model, &fetch->user);
    if (rc < 0 && rc != -ECANCELED) fetch->message = wf_arena_strdup(fetch->arena, wf_failure());
    return rc;
}

static int fetch_one_by_one(struct fetch *fetches, int *codes)
{
    for (int i = 0; i < USERS; i++) codes[i] = fetch_json(&fetches[i]);
    return 0;
}

static int fetch_all_users(struct fetch *fetches, int *codes)
{
    return wf_gather(fetches, USERS, fetch_json, .collect = codes);
}

static int show(struct wf_client *client, const char *how, int (*fetch)(struct fetch *, int *))
{
    struct fetch fetches[USERS];
    int codes[USERS], got = 0;
    for (int i = 0; i < USERS; i++)
        fetches[i] = (struct fetch){.client = client, .arena = wf_task_arena(), .id = i + 1};
    int64_t began = wf_now();
    int rc = fetch(fetches, codes);
    if (rc < 0) return rc;
    for (int i = 0; i < USERS; i++) {
        if (codes[i] < 0) printf("Failed to fetch user: %s\n", fetches[i].message);
        else got += fetches[i].user.id == i + 1; /* each in its place */
    }
    printf("%s: Fetched %d users in %.1f s\n", how, got, wf_seconds(wf_now() - began));
    return 0;
}

/* ---- The API ---- */

static int show_user(struct wf_request *request)
{
    int64_t id;
    int rc = wf_path_int(request, "id", &id);
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(500));
    if (rc < 0) return rc;
    if (id == 4) return wf_http_error(request, 404, "no user 4");
    if (id == 7) return wf_http_error(request, 500, "out of order");
    return wf_reply(request, 200, &user_model, &(struct user){.id = id, .name = "somebody"});
}

static int serve(struct wf_listener *listener)
{
    struct wf_app app = {.title = "Users"};
    wf_route(&app, WF_GET, "/users/{id}", show_user, .response = &user_model);
    int rc = wf_serve(&app, .listener = listener);
    wf_app_finish(&app);
    return rc;
}

static int compare(void *unused)
{
    struct wf_listener *listener;
    (void)unused;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    const char *base = wf_arena_printf(wf_task_arena(), "http://127.0.0.1:%u", wf_listener_port(listener));
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, listener, .daemon = true);
    {
        WF_CLIENT(client, .base_url = base);
        rc = show(&client, "Sequential", fetch_one_by_one);
        if (rc == 0) rc = show(&client, "Concurrent", fetch_all_users);
    }
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(listener);
    return rc;
}

int main(void)
{
    return wf_main(compare, NULL);
}
