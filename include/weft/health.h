/*
 * What those who run a server ask it: is it alive, is it ready, what are its numbers.
 *
 *     static const struct wf_health health = {.checks = {{"database", database_answers, &database}}};
 *
 *     wf_route(&app, WF_GET, "/alive", wf_health_alive, .hidden = true);
 *     wf_route(&app, WF_GET, "/ready", wf_health_ready, .hidden = true, .arg = (void *)&health);
 *     wf_route(&app, WF_GET, "/metrics", wf_metrics_handler, .hidden = true);
 *     app.metrics = app.request_ids = app.traces = app.access_log = true;
 *
 * With app.metrics there are weft_http_requests_total, by method, route and class of status ("2xx"; "none": the client
 * went before the answer), weft_http_request_duration_seconds, by method and route, and weft_http_requests_in_flight.
 * A route is its pattern, so that there are at most 1,000 series of the first and 200 of the second; what is more is
 * counted as "other". A request without a route counts as "none".
 *
 * Threads: the loop's.
 */
#ifndef WEFT_HEALTH_H
#define WEFT_HEALTH_H

#include <weft/message.h>
#include <weft/request.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WF_HEALTH_CHECKS_MAX = 16 };

struct wf_health_check {
    const char *name;        /* NULL ends the list */
    int (*check)(void *arg); /* 0, or a negative code, whose message goes to the log; it may suspend */
    void *arg;
};

struct wf_health {
    struct wf_health_check checks[WF_HEALTH_CHECKS_MAX];
    int64_t time; /* that each of them may take; default 1 s */
};

/*
 * Handlers. Alive: 200, {"status":"ok"}, as long as the loop turns. Ready: the same where all checks of the route's
 * .arg, a struct wf_health (NULL: none), give 0; else, and while the server drains, 503. They run at once, each under
 * its time, and what became of each is in the answer: {"status":"failing","checks":{"database":"timeout"}}.
 * Suspends: as an answer; as the checks do. On cancel: as an answer. Errors: as an answer.
 */
WF_API WF_SUSPENDS int wf_health_alive(struct wf_request *request);
WF_API WF_SUSPENDS int wf_health_ready(struct wf_request *request);

/* A handler: all metrics of the program, in Prometheus' text format (weft/metrics.h). Suspends: as an answer.
 * On cancel: as an answer. Errors: as an answer. */
WF_API WF_SUSPENDS int wf_metrics_handler(struct wf_request *request);

/* The identity of a request, of an app with .request_ids; else NULL. Suspends: never. */
WF_API const char *wf_request_id(const struct wf_request *request);

/*
 * Adds what makes a request to another service part of the trace that the caller works in (wf_request_current):
 * traceparent, with its span as the parent, and tracestate as it came. Outside of one it adds nothing.
 * Suspends: never. Errors: as wf_headers_add.
 */
WF_API int wf_headers_add_trace(struct wf_headers *headers, struct wf_arena *arena);

#ifdef __cplusplus
}
#endif
#endif
