/*
 * Many URLs at once, a few at a time. None disturbs another: each has its status and its text, or says why not, in the
 * order that they were asked for.
 *
 *     weft run examples/http_fetch_many.c [URL...]
 *
 * Without arguments it asks a server of its own.
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

enum { AT_ONCE = 5 };

struct page {
    struct wf_client *client;
    struct wf_arena *arena; /* of all of them */
    const char *url;
    struct wf_response response;
    const char *error; /* NULL: there is an answer */
};

/* What goes wrong is a part of the result; only a cancel of the whole is none. */
static int fetch(struct page *page)
{
    int rc = wf_within(WF_SECONDS(1), wf_get(page->client, page->arena, page->url, &page->response));
    if (rc == -ETIME) page->error = "timeout";
    else if (rc < 0) page->error = wf_arena_strdup(page->arena, wf_failure());
    return rc == -ECANCELED ? rc : 0;
}

static int fetch_all(char **urls, size_t count)
{
    struct wf_arena *arena = wf_task_arena();
    WF_CLIENT(client);
    struct page *pages = wf_arena_alloc(arena, count * sizeof *pages);
    if (pages == NULL) return -ENOMEM;
    for (size_t i = 0; i < count; i++) pages[i] = (struct page){.client = &client, .arena = arena, .url = urls[i]};
    int rc = wf_gather(pages, count, fetch, .limit = AT_ONCE);
    if (rc < 0) return rc;
    for (size_t i = 0; i < count; i++) {
        const struct page *page = &pages[i];
        if (page->error != NULL) printf("%s: %s\n", page->url, page->error);
        else printf("%s: %d, %zu bytes\n", page->url, page->response.status, page->response.size);
    }
    return 0;
}

/* ---- A server to ask ---- */

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "hello");
}

static int slow(struct wf_request *request)
{
    int rc = wf_sleep(WF_SECONDS(30));
    return rc < 0 ? rc : wf_reply_text(request, 200, "at last");
}

static int serve(struct wf_listener *listener)
{
    struct wf_app app = {.title = "Pages"};
    wf_route(&app, WF_GET, "/hello", hello);
    wf_route(&app, WF_GET, "/slow", slow);
    int rc = wf_serve(&app, .listener = listener);
    wf_app_finish(&app);
    return rc;
}

static int ask_own_server(void)
{
    static const char *const paths[] = {"hello", "nothing", "slow", "hello"};
    struct wf_listener *listener;
    char *urls[WF_COUNT(paths) + 1];
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    rc = wf_spawn(&scope, serve, listener, .daemon = true);
    for (size_t i = 0; i < WF_COUNT(paths); i++)
        urls[i] = wf_arena_printf(wf_task_arena(), "http://127.0.0.1:%u/%s", wf_listener_port(listener), paths[i]);
    urls[WF_COUNT(paths)] = wf_arena_strdup(wf_task_arena(), "http://127.0.0.1:1/nobody");
    if (rc == 0) rc = fetch_all(urls, WF_COUNT(urls));
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(listener);
    return rc;
}

struct arguments {
    char **urls;
    size_t count;
};

static int run(struct arguments *arguments)
{
    return arguments->count > 0 ? fetch_all(arguments->urls, arguments->count) : ask_own_server();
}

int main(int argc, char **argv)
{
    struct arguments arguments = {argv + 1, (size_t)argc - 1};
    return wf_main(run, &arguments);
}
