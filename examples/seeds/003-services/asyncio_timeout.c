/*
 * A request within five seconds, everything included: connecting, the answer, its body. From "Timeouts",
 * "asyncio.timeout (Python 3.11+)".
 * Rows: S036, S053.
 * The sample parses whatever comes as JSON, an error's page too; here its status is looked at first.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/asyncio_timeout.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/weft.h>

static int fetch_with_timeout(struct wf_client *client, const char *url, struct wf_response *response)
{
    return wf_within(WF_SECONDS(5), wf_get(client, wf_task_arena(), url, response, .check_status = true));
}

static void show(struct wf_client *client, const char *url)
{
    struct wf_response response = {.status = 0};
    int64_t began = wf_now();
    int rc = fetch_with_timeout(client, url, &response);
    printf("%s: %s: %s, after %.1f s\n", url, wf_strerror(rc), rc < 0 ? wf_failure() : response.body,
           wf_seconds(wf_now() - began));
}

static int ask_all(struct wf_app *app)
{
    WF_CLIENT(client, .base_url = "https://api.example.com", .app = app);
    show(&client, "/fast");
    show(&client, "/slow");
    show(&client, "/dribbling");
    show(&client, "/broken");
    /* An inner deadline is nobody else's, and an outer one is not taken for the inner. */
    struct wf_response response;
    int rc = wf_within(WF_SECONDS(2), fetch_with_timeout(&client, "/slow", &response));
    printf("two seconds around it: %s\n", wf_strerror(rc));
    rc = wf_within(WF_SECONDS(60), (wf_ignore(fetch_with_timeout(&client, "/slow", &response)), wf_sleep(1)));
    printf("a minute around it: %s\n", wf_strerror(rc));
    return rc;
}

/* ---- The server ---- */

static int answer_fast(struct wf_request *request)
{
    return wf_reply_bytes(request, 200, "application/json", "{\"ok\": true}", 12);
}

static int answer_slowly(struct wf_request *request)
{
    int rc = wf_sleep(WF_SECONDS(10));
    return rc < 0 ? rc : answer_fast(request);
}

static int dribble(struct wf_request *request)
{
    int rc = wf_reply_begin(request, 200, "application/json", -1);
    while (rc == 0 && (rc = wf_reply_write(request, " ", 1)) == 0)
        if ((rc = wf_reply_flush(request)) == 0) rc = wf_sleep(WF_MILLISECONDS(100));
    return rc;
}

static int answer_broken(struct wf_request *request)
{
    return wf_http_error(request, 500, "out of order");
}

int main(void)
{
    struct wf_app app = {.title = "API"};
    wf_route(&app, WF_GET, "/fast", answer_fast);
    wf_route(&app, WF_GET, "/slow", answer_slowly);
    wf_route(&app, WF_GET, "/dribbling", dribble);
    wf_route(&app, WF_GET, "/broken", answer_broken);
    int status = wf_main(ask_all, &app);
    wf_app_finish(&app);
    return status;
}
