/*
 * Many URLs at once over one client. None disturbs another: each has its status and its JSON, or why not, in the order
 * that they were asked for. From "2. Concurrent Request Handling with aiohttp".
 *
 * Rows: S053, S057.
 *
 * The sample's str(e) is empty for some errors, and a page that is no JSON loses its status. Here every error says
 * something, and the status stays. The sample asks the outside world; here a server in the same program answers, one of
 * its pages a byte each second, which only a total of 10 s cuts.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/concurrent_request_handling.c
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

#define USER_MEMBERS(M) M(INT64, id) M(STRING, name)
WF_MODEL(user, USER_MEMBERS)

struct page {
    struct wf_client *client;
    struct wf_arena *arena; /* of all of them */
    const char *url;
    struct wf_response response; /* its status is 0 where there was no answer */
    struct user user;
    const char *error; /* NULL: there is a user */
};

/* What goes wrong is a part of the result; only a cancel of the whole is none. */
static int fetch_url(struct page *page)
{
    int rc = wf_within(WF_SECONDS(10), wf_get(page->client, page->arena, page->url, &page->response));
    if (rc == 0) rc = wf_response_check(&page->response);
    if (rc == 0) rc = wf_response_model(&page->response, &user_model, &page->user);
    if (rc == -ETIME) page->error = "timeout";
    else if (rc < 0) page->error = wf_arena_strdup(page->arena, wf_failure());
    return rc == -ECANCELED ? rc : 0;
}

static void show(const struct page *page)
{
    if (page->error == NULL) printf("%s: %d, user %" PRId64 "\n", page->url, page->response.status, page->user.id);
    else printf("%s: %d, error: %s\n", page->url, page->response.status, page->error);
}

static int fetch_multiple_urls(const char *const *urls, size_t count)
{
    WF_CLIENT(client);
    struct page *pages = wf_arena_alloc(wf_task_arena(), count * sizeof *pages);
    if (pages == NULL) return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        pages[i] = (struct page){.client = &client, .arena = wf_task_arena(), .url = urls[i]};
    int64_t started = wf_now();
    int rc = wf_gather(pages, count, fetch_url, .limit = 5);
    for (size_t i = 0; rc == 0 && i < count; i++) show(&pages[i]);
    printf("%zu URLs in %.1f s\n", count, wf_seconds(wf_now() - started));
    return rc;
}

/* ---- The server ---- */

static int answer_user(struct wf_request *request)
{
    struct user user = {.name = "Ada"};
    int rc = wf_path_int(request, "id", &user.id);
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(500));
    return rc < 0 ? rc : wf_reply(request, 200, &user_model, &user);
}

static int answer_page(struct wf_request *request)
{
    return wf_reply_text(request, 200, "<html>no JSON</html>");
}

/* Each byte comes in time for a limit of inactivity; only a total ends that. */
static int dribble(struct wf_request *request)
{
    int rc = wf_reply_begin(request, 200, "application/json", 100);
    for (int i = 0; i < 100 && rc == 0; i++) {
        rc = wf_reply_write(request, " ", 1);
        if (rc == 0) rc = wf_reply_flush(request);
        if (rc == 0) rc = wf_sleep(WF_SECONDS(1));
    }
    return rc;
}

struct server {
    struct wf_app *app;
    struct wf_listener *listener;
};

static int serve(struct server *server)
{
    return wf_serve(server->app, .listener = server->listener);
}

static int run(struct wf_app *app)
{
    struct server server = {.app = app};
    int rc = wf_tcp_listen("127.0.0.1", 8000, &server.listener); /* of the simulated network */
    if (rc < 0) return rc;
    static const char *const urls[] = {
        "http://127.0.0.1:8000/users/1", "http://127.0.0.1:8000/users/2", "http://127.0.0.1:8000/dribble",
        "http://127.0.0.1:8000/page",    "http://127.0.0.1:8000/missing", "http://127.0.0.1:1/nobody",
        "http://127.0.0.1:8000/users/3",
    };
    WF_SCOPE(scope);
    rc = wf_spawn(&scope, serve, &server, .daemon = true);
    if (rc == 0) rc = fetch_multiple_urls(urls, WF_COUNT(urls));
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(server.listener);
    return rc;
}

int main(void)
{
    struct wf_app app = {.title = "Users"};
    wf_route(&app, WF_GET, "/users/{id}", answer_user);
    wf_route(&app, WF_GET, "/page", answer_page);
    wf_route(&app, WF_GET, "/dribble", dribble);
    int status = wf_main(run, &app);
    wf_app_finish(&app);
    return status;
}
