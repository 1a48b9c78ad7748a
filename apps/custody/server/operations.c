/* What those who run the sandbox ask it, and what only a sandbox has. */
#include <string.h>
#include <weft/health.h>
#include <weft/metrics.h>

#include "server.h"

/* ---- Open to all ---- */

static int show_health(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    int rc = wf_within(WF_SECONDS(2), storage_ping(sandbox->storage));
    if (rc == -ECANCELED) return rc;
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, wf_request_arena(request), 0);
    wf_json_open_object(&writer);
    wf_json_write_key(&writer, "status");
    wf_json_write_string(&writer, rc == 0 ? "ok" : "failing");
    wf_json_close_object(&writer);
    int added = wf_reply_header(request, "Cache-Control", "no-store");
    return added < 0 ? added : wf_reply_json(request, rc == 0 ? 200 : 503, &writer);
}

WF_GAUGE(checks_now, "custody_checks_in_flight", "Requests for a check that are being worked on.");
WF_GAUGE(checks_peak, "custody_checks_in_flight_peak", "The most of them at once since the start, or the last reset.");

static int show_metrics(struct wf_request *request)
{
    const struct sandbox *sandbox = wf_request_state(request);
    wf_gauge_set(&checks_now, sandbox->checks_now);
    wf_gauge_set(&checks_peak, sandbox->checks_peak);
    return wf_metrics_handler(request);
}

/* Paths are as from the base, which is said once: what is behind the opening brace of the document follows it. */
static int describe(struct wf_request *request, struct sandbox *sandbox)
{
    static const char servers[] = "{\"servers\":[{\"url\":\"" BASE_PATH "\"}],";
    struct wf_json_writer writer;
    const char *text = NULL;
    wf_json_writer_init(&writer, wf_request_arena(request), 0);
    int rc = wf_app_write_openapi(&sandbox->v1, &writer);
    if (rc >= 0) rc = wf_json_write_end(&writer, &text, NULL);
    if (rc < 0) return rc;
    sandbox->description = wf_arena_printf(&sandbox->arena, "%s%s", servers, text + 1);
    return sandbox->description != NULL ? 0 : -ENOMEM;
}

static int show_description(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    int rc = sandbox->description == NULL ? describe(request, sandbox) : 0;
    if (rc < 0) return rc;
    return wf_reply_bytes(request, 200, "application/json", sandbox->description, strlen(sandbox->description));
}

#define HEALTH_MEMBERS(M) M(STRING, status, .example = "ok")
WF_MODEL(health_answer, HEALTH_MEMBERS, .name = "Health")

void open_routes(struct wf_app *app, bool hidden)
{
    wf_route(app, WF_GET, "/healthz", show_health, .check = check_no_query, .response = &health_answer_model,
             .hidden = hidden, .tag = "operations", .name = "health");
    wf_route(app, WF_GET, "/openapi.json", show_description, .check = check_no_query, .hidden = hidden,
             .tag = "operations", .name = "openapi", .summary = "This document");
    wf_route(app, WF_GET, "/metrics", show_metrics, .check = check_no_query, .hidden = hidden, .tag = "operations",
             .name = "metrics", .summary = "Numbers in Prometheus' text format");
}

/* ---- Of a sandbox only ---- */

/* The number of the last event, so that who follows them can begin near their end. */
#define CHECKED_MEMBERS(M) M(LIST(MODEL(custody_releasability)), vehicles) M(INT64, last_event)
WF_MODEL(checked_answer, CHECKED_MEMBERS, .name = "Checked")

#define CHECKED_QUERY_MEMBERS(M) M(INT32, limit, .preset = "50", .min = 1, .max = CUSTODY_LIMIT_MAX)
WF_MODEL(checked_query, CHECKED_QUERY_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

/* For the page: the vehicles that were checked last. */
static int show_checked(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    const struct checked_query *query = wf_query_value(request);
    struct wf_arena *arena = wf_request_arena(request);
    struct custody_releasability *found = wf_arena_array(arena, CUSTODY_LIMIT_MAX, sizeof *found);
    size_t count = 0;
    int rc = found == NULL ? -ENOMEM : storage_checked(sandbox->storage, arena, query->limit, found, &count);
    struct checked_answer answer = {
        .vehicles = {.items = found, .count = count},
        .last_event = storage_last_event(sandbox->storage),
    };
    return rc != 0 ? refuse_result(request, rc) : wf_reply(request, 200, &checked_answer_model, &answer);
}

#define PEAK_MEMBERS(M) M(INT64, in_flight) M(INT64, peak)
WF_MODEL(peak_answer, PEAK_MEMBERS, .name = "Peak")

static int reply_peak(struct wf_request *request, const struct sandbox *sandbox, int peak)
{
    struct peak_answer answer = {.in_flight = sandbox->checks_now, .peak = peak};
    return wf_reply(request, 200, &peak_answer_model, &answer);
}

static int show_peak(struct wf_request *request)
{
    const struct sandbox *sandbox = wf_request_state(request);
    return reply_peak(request, sandbox, sandbox->checks_peak);
}

/* Begins to count anew, and says what it was. */
static int reset_peak(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    int before = sandbox->checks_peak;
    sandbox->checks_peak = sandbox->checks_now;
    return reply_peak(request, sandbox, before);
}

void sandbox_routes(struct wf_app *app)
{
    wf_route(app, WF_POST, "/_sandbox/faults", order_fault, .needs = {&gate, &strict_body}, .scopes = "custody:write",
             .check = check_fault, .body = &fault_order_model, .status = 204, .tag = "sandbox", .name = "order_fault",
             .summary = "Has requests fail or wait, for demonstrations and tests");
    wf_route(app, WF_GET, "/_sandbox/checked", show_checked, .needs = {&gate}, .scopes = "custody:read",
             .query = &checked_query_model, .hidden = true);
    wf_route(app, WF_GET, "/_sandbox/peak", show_peak, .needs = {&gate}, .scopes = "custody:read",
             .check = check_no_query, .hidden = true);
    wf_route(app, WF_POST, "/_sandbox/peak", reset_peak, .needs = {&gate, &strict_body}, .scopes = "custody:write",
             .check = check_no_query, .hidden = true);
}
