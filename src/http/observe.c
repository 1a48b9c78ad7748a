/* What is told of requests: their identities, their lines in the log, their numbers. */
#define WF_LOG_MODULE "http"
#include "http/observe.h"

#include <string.h>
#include <weft/context.h>
#include <weft/extend.h>
#include <weft/health.h>
#include <weft/log.h>
#include <weft/metrics.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/app.h"

enum { ID_MAX = 128, STATE_MAX = 512, SERIES_MAX = 1000, ROUTES_MAX = 200 };

static const char id_field[] = "X-Request-Id";

WF_COUNTER(requests, "weft_http_requests_total", "Requests that were answered.",
           .labels = {"method", "route", "status"}, .series_max = SERIES_MAX);
WF_HISTOGRAM(durations, "weft_http_request_duration_seconds", "From the whole head to the end of the answer.",
             .labels = {"method", "route"}, .series_max = ROUTES_MAX, .seconds = true);
WF_GAUGE(in_flight, "weft_http_requests_in_flight", "Requests whose answers are being made.");

/* ---- Numbers ---- */

static const char *status_class(int status)
{
    static const char *const classes[] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    return classes[status >= 100 && status < 600 ? status / 100 : 0];
}

static void count(struct wf_request *request, int64_t took_ns)
{
    const char *method = wf_method_name(request->method), *route = app_name_route(request);
    wf_gauge_add(&in_flight, -1);
    wf_counter_add(wf_counter_at(&requests, method, route, status_class(request->status)), 1);
    wf_histogram_observe(wf_histogram_at(&durations, method, route), took_ns);
}

/* ---- Lines ---- */

static void log_request(const struct wf_request *request, int64_t took_ns)
{
    wf_log(WF_INFO, "request", WF_TEXT("method", wf_method_name(request->method)), WF_TEXT("path", request->path),
           WF_INT("status", request->status), WF_INT("bytes", (int64_t)request->answer_written),
           WF_NS("took", took_ns));
}

void observe_answered(struct wf_request *request, const struct observed *observed)
{
    int64_t took_ns = wf_now() - observed->began;
    if (request->root->access_log) log_request(request, took_ns);
    if (request->root->metrics) count(request, took_ns);
}

/* ---- Identities ---- */

/* What goes into lines of other people's tools and back to the client must not be able to mean anything there. */
static bool is_sound(const struct wf_app *app, const char *id)
{
    static const char all[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=:@";
    const char *letters = app->request_id_letters != NULL ? app->request_id_letters : all;
    size_t size = strspn(id, letters);
    return size > 0 && size <= ID_MAX && id[size] == '\0';
}

static const char *make_id(struct wf_arena *arena)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t bytes[16];
    char *text = wf_arena_alloc(arena, 2 * sizeof bytes + 1);
    if (text == NULL) return NULL;
    wf_random_bytes(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++) {
        text[2 * i] = digits[bytes[i] >> 4];
        text[2 * i + 1] = digits[bytes[i] & 15];
    }
    text[2 * sizeof bytes] = '\0';
    return text;
}

static const char *identify(struct wf_request *request)
{
    const char *id = wf_headers_find(&request->headers, id_field);
    if (id == NULL || !is_sound(request->root, id)) id = make_id(&request->arena);
    return id != NULL && wf_reply_header(request, id_field, id) == 0 ? id : NULL;
}

const char *wf_request_id(const struct wf_request *request)
{
    return request->root->request_ids ? wf_headers_find(&request->answer, id_field) : NULL;
}

/* ---- What is no request ---- */

void observe_refusing(struct wf_request *request)
{
    if (request->root->request_ids) wf_ignore(identify(request) != NULL);
}

void observe_refused(const struct wf_request *request)
{
    if (request->root->metrics)
        wf_counter_add(wf_counter_at(&requests, "none", "none", status_class(request->status)), 1);
}

/* ---- In a context ---- */

typedef void answer_fn(struct wf_request *request, struct observed *observed);

static void answer_timed(struct wf_request *request, answer_fn *answer)
{
    struct observed observed = {.began = wf_now()};
    if (request->root->metrics) wf_gauge_add(&in_flight, 1);
    answer(request, &observed);
}

static void answer_with_id(struct wf_request *request, answer_fn *answer)
{
    const char *id = request->root->request_ids ? identify(request) : NULL;
    if (id == NULL) {
        answer_timed(request, answer);
        return;
    }
    WF_CONTEXT(bound, WF_TEXT("request_id", id));
    answer_timed(request, answer);
}

/* Of several fields they are one list (RFC 9110 section 5.3). NULL: none, or one that is too long to be passed on. */
static const char *join_states(struct wf_request *request)
{
    uint32_t after = 0;
    const char *field, *all = NULL;
    while ((field = wf_headers_next(&request->headers, "tracestate", &after)) != NULL) {
        if (all != NULL) all = wf_arena_printf(&request->arena, "%s,%s", all, field);
        else all = field;
        if (all == NULL || strlen(all) > STATE_MAX) return NULL;
    }
    return all;
}

static void answer_in_trace(struct wf_request *request, answer_fn *answer)
{
    app_find_route(request);
    const char *route = app_name_route(request);
    const char *name = wf_arena_printf(&request->arena, "%s %s", wf_method_name(request->method), route);
    WF_REQUEST_CONTEXT(context, .name = name, .tracestate = join_states(request),
                       .traceparent = wf_headers_find(&request->headers, "traceparent"));
    answer_with_id(request, answer);
}

void observe(struct wf_request *request, answer_fn *answer)
{
    if (request->root->traces) answer_in_trace(request, answer);
    else answer_with_id(request, answer);
}

/* ---- What goes out ---- */

int wf_headers_add_trace(struct wf_headers *headers, struct wf_arena *arena)
{
    const struct wf_request_context *context = wf_request_current();
    if (context == NULL) return 0;
    char text[WF_TRACEPARENT_SIZE];
    wf_trace_format(&context->trace, text);
    int rc = wf_headers_add(headers, arena, "traceparent", text);
    if (rc < 0 || context->tracestate == NULL) return rc;
    return wf_headers_add(headers, arena, "tracestate", context->tracestate);
}
