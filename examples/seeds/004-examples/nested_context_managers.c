/*
 * A client that says when it comes and goes, and a deadline inside it. From "Async Context Managers", "Nested Context
 * Managers".
 * Rows: S062, S130.
 * The sample says that it has closed its client only when all went well; here it does in any case.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/nested_context_managers.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

static void print_closed(const char **base_url)
{
    printf("Closed client for %s\n", *base_url);
}

/* Leaving the block closes the client, and then says so: what was declared last goes first. */
#define MANAGED_CLIENT(client, url, the_app)                                                                           \
    const char *client##_url __attribute__((cleanup(print_closed), unused)) = (url);                                   \
    printf("Creating client for %s\n", client##_url);                                                                  \
    WF_CLIENT(client, .base_url = client##_url, .app = (the_app))

static int get_users(struct wf_app *app, const char *path, struct wf_response *response)
{
    MANAGED_CLIENT(client, "https://api.example.com", app);
    return wf_within(WF_SECONDS(30), wf_get(&client, wf_task_arena(), path, response, .check_status = true));
}

static void show(struct wf_app *app, const char *path)
{
    struct wf_response response = {.status = 0};
    int64_t began = wf_now();
    int rc = get_users(app, path, &response);
    printf("%s, after %.0f s\n", rc < 0 ? wf_failure() : response.body, wf_seconds(wf_now() - began));
}

static int run(struct wf_app *app)
{
    struct wf_response response;
    show(app, "/users");
    show(app, "/nothing");
    show(app, "/slow");
    int rc = wf_within(WF_SECONDS(2), get_users(app, "/slow", &response));
    printf("cut from further out: %s\n", wf_strerror(rc));
    return 0;
}

/* ---- The API ---- */

static int list_users(struct wf_request *request)
{
    return wf_reply_bytes(request, 200, "application/json", "[\"Ada\", \"Grace\"]", 16);
}

static int list_slowly(struct wf_request *request)
{
    int rc = wf_sleep(WF_MINUTES(1));
    return rc < 0 ? rc : list_users(request);
}

int main(void)
{
    struct wf_app app = {.title = "Users"};
    wf_route(&app, WF_GET, "/users", list_users);
    wf_route(&app, WF_GET, "/slow", list_slowly);
    int status = wf_main(run, &app);
    wf_app_finish(&app);
    return status;
}
