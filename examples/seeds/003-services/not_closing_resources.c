/*
 * A connection that nobody closes, and a client that closes itself. From "Common Pitfalls", "4. Not Closing Resources".
 * Rows: S062, S152.
 * What is open when the loop ends is reported, with the place where it was opened. A client cannot be forgotten as in
 * the sample: it is closed where its block ends, with all of its connections.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/not_closing_resources.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

static int bad_example(uint16_t port)
{
    static struct wf_stream *conn; /* never closed */
    int rc = wf_tcp_connect("127.0.0.1", port, &conn);
    if (rc == 0) printf("bad: connected\n");
    return rc;
}

static int good_example(const char *url)
{
    struct wf_response response;
    WF_CLIENT(client);
    int rc = wf_get(&client, wf_task_arena(), url, &response, .check_status = true);
    if (rc == 0) printf("good: %s\n", response.body);
    return rc;
}

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "hello");
}

static int serve(struct wf_listener *listener)
{
    struct wf_app app = {.title = "Hello"};
    wf_route(&app, WF_GET, "/", hello);
    int rc = wf_serve(&app, .listener = listener);
    wf_app_finish(&app);
    return rc;
}

static int run(void *unused)
{
    struct wf_listener *listener;
    (void)unused;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, listener, .daemon = true);
    uint16_t port = wf_listener_port(listener);
    rc = good_example(wf_arena_printf(wf_task_arena(), "http://127.0.0.1:%u/", port));
    if (rc == 0) rc = bad_example(port);
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(listener);
    return rc;
}

static void show_report(void *context, const char *text)
{
    (void)context;
    const char *place = strstr(text, "not_closing_resources.c:"); /* where libdw is installed */
    if (strncmp(text, "a descriptor", 12) != 0) return;           /* the simulated world says so, too */
    printf("weft reports: a descriptor was not closed");
    if (place != NULL) printf(", opened at %.*s", (int)strcspn(place, " "), place);
    printf("\n");
}

int main(void)
{
    wf_set_report(show_report, NULL);
    return wf_main(run, NULL);
}
