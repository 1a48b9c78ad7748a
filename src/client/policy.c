/*
 * From one call to the requests that it takes:
 *
 *     pipeline: retries, breaker, rate
 *         -> logins: one more request with a new token after a 401
 *             -> redirects, up to a number of them
 *                 -> attempt.c
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <weft/pipeline.h>
#include <weft/task.h>
#include <weft/time.h>

#include "client/client.h"
#include "client/login.h"
#include "http/date.h"

/* An answer that is not the last one. */
static int pass_over(struct call *call)
{
    int rc = body_pass(call);
    if (call->wire != NULL) call->wire->protocol->leave(call);
    body_finish(call);
    call->response->trailers = (struct wf_headers){.count = 0};
    return rc;
}

static int go_to(struct call *call, const struct wf_url *url)
{
    struct origin *origin = pool_origin(call->client, url);
    if (origin == NULL) return -ENOMEM;
    if (call->origin != NULL) pool_leave_origin(call->client, call->origin);
    call->origin = origin;
    call->url = *url;
    return 0;
}

static int ask(struct call *call, bool refresh)
{
    int rc = call_build_headers(call, refresh);
    if (rc == 0) rc = call_attempt(call);
    return rc == 0 ? cookies_receive(call) : rc;
}

/* ---- Logins ---- */

static int ask_with_login(struct call *call)
{
    int rc = ask(call, false);
    if (rc < 0 || call->response->status != 401) return rc;
    if (!login_can_refresh(call) || !payload_rewind(&call->payload)) return 0;
    rc = pass_over(call);
    return rc < 0 ? rc : ask(call, true);
}

/* ---- Redirects (RFC 9110 section 15.4) ---- */

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* 303 asks for something else by GET; so do, by custom, 301 and 302 after a POST. */
static void change_method(struct call *call)
{
    int status = call->response->status;
    bool to_get = (status == 303 && call->method != WF_HEAD) || (status <= 302 && call->method == WF_POST);
    if (!to_get) return;
    call->method = WF_GET;
    call->without_body = true;
}

static bool is_http(const struct wf_url *url)
{
    return strcmp(url->scheme, "http") == 0 || strcmp(url->scheme, "https") == 0;
}

static int follow(struct call *call, const char *location)
{
    const char *text;
    struct wf_url url = {.scheme = ""};
    int rc = wf_url_join(call->url.text, location, call->arena, &text);
    if (rc == 0) rc = wf_url_parse(text, call->arena, &url);
    if (rc == -ENOMEM) return rc;
    if (rc < 0 || !is_http(&url))
        return call_fail(call, -EPROTO, "a redirect to \"%.200s\", which is no URL of HTTP", location);
    rc = pass_over(call);
    if (rc < 0) return rc;
    change_method(call);
    call->response->redirects++;
    call->client->statistics.redirects++;
    return go_to(call, &url);
}

static int redirects_max(const struct call *call)
{
    int own = call->options->redirects;
    return own != 0 ? own : call->client->options.redirects;
}

/* A body that cannot be sent again is not: then the redirect is the answer. */
static int ask_and_follow(struct call *call)
{
    for (;;) {
        int rc = ask_with_login(call), max = redirects_max(call);
        if (rc < 0 || max < 0 || !is_redirect(call->response->status)) return rc;
        const char *location = wf_headers_find(&call->response->headers, "location");
        bool same_body = call->response->status > 303 || call->method != WF_POST;
        if (location == NULL || (same_body && !payload_rewind(&call->payload))) return 0;
        if (call->response->redirects >= (uint32_t)max) return call_fail(call, -ELOOP, "more than %d redirects", max);
        rc = follow(call, location);
        if (rc < 0) return rc;
    }
}

/* ---- Retries ---- */

enum { WAIT_MAX = 365 * 86400 }; /* seconds; who asks for more is waited for as long */

/* Seconds, or a date (RFC 9110 section 10.2.3). */
static void heed_retry_after(const struct call *call)
{
    const char *value = wf_headers_find(&call->response->headers, "retry-after");
    if (value == NULL) return;
    char *end;
    int64_t seconds = strtol(value, &end, 10);
    if (end == value || *end != '\0') seconds = (int64_t)date_read(value) - wf_wall_now() / WF_SECONDS(1);
    if (seconds > WAIT_MAX) seconds = WAIT_MAX;
    if (seconds > 0) wf_ignore(wf_retry_after(seconds * WF_SECONDS(1)));
}

static bool asks_to_come_again(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* As if nothing had been asked yet. */
static int start_over(struct call *call)
{
    int rc = pass_over(call);
    if (rc < 0) return rc;
    call->response->status = 0;
    call->method = call->first_method;
    call->without_body = false;
    call->why = NULL;
    payload_rewind(&call->payload);
    return go_to(call, &call->first_url);
}

/* In a pipeline, "not now" is a failure like any other: -EAGAIN. */
static int try_once(struct call *call)
{
    int rc = start_over(call);
    if (rc < 0) return rc;
    rc = ask_and_follow(call);
    if (rc < 0 || !asks_to_come_again(call->response->status)) return rc;
    heed_retry_after(call);
    return call_fail(call, -EAGAIN, "the answer was %d %s", call->response->status,
                     wf_status_reason(call->response->status));
}

int call_run(struct call *call)
{
    const struct wf_pipeline *pipeline = call->client->options.pipeline;
    int rc = pipeline == NULL ? start_over(call) : 0;
    if (pipeline == NULL) return rc < 0 ? rc : ask_and_follow(call);
    struct wf_pipeline own = *pipeline;
    if (!call_may_repeat(call)) own.retry = NULL;
    rc = wf_guarded(&own, try_once(call));
    if (rc == -EAGAIN && call->response->status != 0) return 0;
    return rc < 0 ? call_fail_as_told(call, rc) : rc;
}
