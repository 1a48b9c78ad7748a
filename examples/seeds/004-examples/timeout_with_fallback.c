/*
 * Another server is asked when the first is too slow. From "Timeouts", "Timeout with Fallback".
 * Rows: S038.
 * The sample's client has a timeout of its own, of the same five seconds: when that is the first to strike, its error
 * is another one, and nobody asks the fallback. Here every deadline is -ETIME. When both are too slow, one error names
 * both. The first server's answer is looked at, too.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/timeout_with_fallback.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

static int get(struct wf_client *client, const char *url, struct wf_response *response)
{
    return wf_get(client, wf_task_arena(), url, response, .check_status = true);
}

static int fetch_with_fallback(struct wf_client *client, const char *primary, const char *fallback, int64_t timeout,
                               struct wf_response *response)
{
    int rc = wf_within(timeout, get(client, primary, response));
    if (rc != -ETIME) return rc;
    const char *why = wf_arena_strdup(wf_task_arena(), wf_failure());
    printf("Primary URL timed out, trying fallback\n");
    rc = wf_within(timeout, get(client, fallback, response));
    return rc < 0 && rc != -ECANCELED ? wf_fail(rc, "%s; then %s", why, wf_failure()) : rc;
}

static int show(struct wf_client *client, const char *primary, const char *fallback)
{
    struct wf_response response = {.status = 0};
    int64_t began = wf_now();
    int rc = fetch_with_fallback(client, primary, fallback, WF_SECONDS(5), &response);
    printf("%s, after %.1f s\n", rc < 0 ? wf_failure() : response.body, wf_seconds(wf_now() - began));
    return rc == -ETIME || rc == WF_ESTATUS ? 0 : rc;
}

static int run(struct wf_app *app)
{
    const char *fast = "https://primary.example/fast", *slow = "https://primary.example/slow";
    const char *near = "https://fallback.example/fast", *far = "https://fallback.example/slow";
    WF_CLIENT(client, .app = app, .times = {.head = WF_SECONDS(5)});
    int rc = show(&client, fast, near);
    if (rc == 0) rc = show(&client, slow, near);
    if (rc == 0) rc = show(&client, slow, far);
    if (rc == 0) rc = show(&client, "https://primary.example/nothing", near);
    return rc;
}

/* ---- Both servers ---- */

static int answer(struct wf_request *request)
{
    return wf_reply_text(request, 200, wf_request_host(request));
}

static int answer_late(struct wf_request *request)
{
    int rc = wf_sleep(WF_SECONDS(60));
    return rc < 0 ? rc : answer(request);
}

int main(void)
{
    struct wf_app app = {.title = "Both"};
    wf_route(&app, WF_GET, "/fast", answer);
    wf_route(&app, WF_GET, "/slow", answer_late);
    int status = wf_main(run, &app);
    wf_app_finish(&app);
    return status;
}
