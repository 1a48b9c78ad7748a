/*
 * A call that is made again: three times at most, after 1 s and 2 s, where it timed out or nobody was there. From "HTTP
 * Client Patterns", "Retries with Exponential Backoff".
 * Rows: S040, S041, S042.
 * The sample has its last error inside a RetryError, and an answer of 503 is not tried again, because its two errors
 * are of the connection alone. Here the last error is what comes back, with all attempts in its message, and the client
 * of the second part takes 503 for a failure, too. A 404 and a cancel are never tried again.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/retries_with_exponential_backoff.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

struct api {
    struct wf_listener *listener;
    int asked, slow, busy; /* how many of the next requests are answered too late, or with 503 */
};

static bool timed_out_or_unconnected(int code)
{
    return code == -ETIME || code == -ECONNREFUSED || code == -ETIMEDOUT || code == -EHOSTUNREACH;
}

static void tell(void *context, const struct wf_attempt *attempt)
{
    (void)context;
    if (attempt->wait >= 0)
        printf("  attempt %d: %s; again in %.0f s\n", attempt->number, wf_strerror(attempt->code),
               wf_seconds(attempt->wait));
}

static int get_resource(struct wf_client *client, const char *url)
{
    struct wf_response response;
    return wf_retry(wf_get(client, wf_task_arena(), url, &response, .check_status = true), .attempts = 3,
                    .base = WF_SECONDS(1), .cap = WF_SECONDS(10), .on = timed_out_or_unconnected, .on_attempt = tell);
}

static void show(struct api *api, const char *what, struct wf_client *client, const char *url)
{
    api->asked = 0;
    int rc = get_resource(client, url);
    printf("%s: %s; requests: %d\n", what, rc < 0 ? wf_failure() : "there", api->asked);
}

static int wait_for_ever(struct wf_client *client)
{
    return get_resource(client, "/resources/1");
}

static int show_cancel(struct api *api, struct wf_client *client)
{
    struct wf_handle call = {.task_ = NULL};
    api->asked = 0;
    api->slow = 3;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_ever, client, .handle = &call);
    int rc = wf_sleep(WF_SECONDS(5));
    wf_handle_cancel(&call, "nobody needs it any more");
    rc = wf_scope_end(&scope, rc);
    printf("cancelled: %s; requests: %d\n", wf_strerror(wf_handle_result(&call)), api->asked);
    return rc;
}

static int fail(void)
{
    return -ECONNREFUSED;
}

static int use_api(struct api *api)
{
    static const struct wf_retry_options thrice = WF_RETRY(.attempts = 3, .base = WF_SECONDS(1));
    static struct wf_pipeline careful = {.retry = &thrice};
    const char *base = wf_arena_printf(wf_task_arena(), "http://127.0.0.1:%u", wf_listener_port(api->listener));
    WF_CLIENT(client, .base_url = base, .times = {.head = WF_SECONDS(30)});
    api->slow = 2;
    show(api, "too slow twice", &client, "/resources/1");
    show(api, "nobody there", &client, "http://127.0.0.1:1/resources/1");
    show(api, "not found", &client, "/nothing");
    api->busy = 2;
    show(api, "busy", &client, "/resources/1");
    WF_CLIENT(knowing, .base_url = base, .pipeline = &careful);
    api->busy = 2;
    show(api, "busy, a client that knows", &knowing, "/resources/1");
    int rc = show_cancel(api, &client);
    printf("the waits of seven attempts:\n");
    wf_ignore(wf_retry(fail(), .attempts = 7, .base = WF_SECONDS(1), .cap = WF_SECONDS(10), .on_attempt = tell));
    return rc;
}

/* ---- The API ---- */

static int show_resource(struct wf_request *request)
{
    struct api *api = wf_request_state(request);
    api->asked++;
    if (api->busy > 0) return api->busy--, wf_http_error(request, 503, "busy");
    if (api->slow == 0) return wf_reply_text(request, 200, "{}");
    api->slow--;
    int rc = wf_sleep(WF_SECONDS(60));
    return rc < 0 ? rc : wf_reply_text(request, 200, "at last");
}

static int serve(struct api *api)
{
    struct wf_app app = {.title = "Resources", .state = api};
    wf_route(&app, WF_GET, "/resources/{id}", show_resource);
    int rc = wf_serve(&app, .listener = api->listener);
    wf_app_finish(&app);
    return rc;
}

static int run(void *unused)
{
    struct api api = {.asked = 0};
    (void)unused;
    int rc = wf_tcp_listen("127.0.0.1", 0, &api.listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, &api, .daemon = true);
    rc = wf_scope_end(&scope, use_api(&api));
    wf_listener_close(api.listener);
    return rc;
}

int main(void)
{
    wf_log_set_level("retry", WF_OFF); /* which says the same on standard error */
    return wf_main(run, NULL);
}
