/*
 * A server that ends well: SIGTERM while requests are under way; they are answered, nothing new is taken, the
 * background tasks end, and "Shutdown complete" is the last line. From "Best Practices: 2. Graceful Shutdown".
 *
 * Rows: S126, S127, S133.
 *
 * The sample's handler starts a task that nobody refers to, its list of tasks is never filled, and it cancels at once
 * what is under way. Here the first signal drains for up to five seconds, the second would cancel, the third would end
 * the process.
 *
 * Run it: weft run examples/seeds/001-plugins/graceful_shutdown.c
 */
// weft: pkg-config weft-http
#include <signal.h>
#include <stdio.h>
#include <unistd.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

enum { CALLS = 20 };

static int answer_slowly(struct wf_request *request)
{
    int rc = wf_sleep(WF_MILLISECONDS(300));
    return rc < 0 ? rc : wf_reply_text(request, 200, "done");
}

static int beat(void *unused)
{
    (void)unused;
    int rc = wf_sleep(WF_FOREVER);
    printf("the background task ends: %s\n", wf_strerror(rc));
    return rc;
}

/* Around the serving: what the handlers use is there before the first request, and goes after the last. */
static int with_background(struct wf_app *app)
{
    WF_BACKGROUND(background, .name = "server", .grace = -1);
    int rc = wf_background_start(&background, beat, NULL, .name = "heartbeat");
    if (rc == 0) rc = wf_app_run(app);
    printf("the last request was answered\n");
    int ended = wf_background_shutdown(&background);
    return rc < 0 ? rc : ended;
}

static void say_stopping(struct wf_app *app)
{
    (void)app;
    printf("Shutting down gracefully...\n");
}

/* ---- Who calls, in the middle of it ---- */

static int answered;

struct call {
    struct wf_client *client;
    struct wf_response response;
};

static int make_call(struct call *call)
{
    return wf_get(call->client, wf_task_arena(), "/", &call->response, .check_status = true);
}

static int call_and_signal(const char *base)
{
    struct call calls[CALLS];
    WF_CLIENT(client, .base_url = base);
    for (int i = 0; i < CALLS; i++) calls[i] = (struct call){.client = &client};
    WF_SCOPE(scope);
    struct wf_handle handles[CALLS] = {0};
    for (int i = 0; i < CALLS; i++) wf_spawn(&scope, make_call, &calls[i], .handle = &handles[i]);
    int rc = wf_sleep(WF_MILLISECONDS(100)); /* all are under way */
    kill(getpid(), SIGTERM);                 /* as systemd, or an operator, would */
    rc = wf_scope_end(&scope, rc);
    for (int i = 0; i < CALLS; i++) answered += wf_handle_result(&handles[i]) == 0;
    return rc;
}

static int run(struct wf_app *app)
{
    struct wf_listener *listener;
    char base[40];
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    snprintf(base, sizeof base, "http://127.0.0.1:%u", wf_listener_port(listener));
    WF_SCOPE(scope);
    rc = wf_scope_on_drain(&scope, say_stopping, app);
    if (rc == 0) rc = wf_spawn(&scope, call_and_signal, base);
    if (rc == 0) rc = wf_serve(app, .listener = listener);
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(listener);
    return rc;
}

int main(void)
{
    struct wf_app app = {.title = "Server", .lifespan = with_background};
    wf_route(&app, WF_GET, "/", answer_slowly);
    wf_log_set_level("background", WF_OFF); /* which would say the same on standard error */
    int rc = wf_run(run, &app, .signals = true, .grace = WF_SECONDS(5));
    wf_app_finish(&app);
    printf("%d of %d requests were answered\n", answered, CALLS);
    if (rc == 0) printf("Shutdown complete\n");
    return wf_exit_status(rc);
}
