/* Is a vehicle releasable: one, many at once, and what was last said. */
#include <string.h>

#include "server.h"

static const struct work counted = {.is_check = true};

/* ---- One ---- */

static int check_one(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    struct custody_releasability result;
    char buffer[CUSTODY_VIN_MAX + 1];
    const char *vin = vin_of_path(request, buffer);
    struct caller *caller;
    int code = 0, rc = wf_depend(request, &gate, &caller);
    if (rc < 0) return rc;
    rc = storage_check(sandbox->storage, wf_request_arena(request), &vin, 1, &result, &code);
    leave_checks(caller);
    if (rc == 0) rc = code;
    return rc != 0 ? refuse_result(request, rc) : wf_reply(request, 200, &custody_releasability_model, &result);
}

static int show_cached(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    struct custody_releasability result;
    char buffer[CUSTODY_VIN_MAX + 1];
    const char *vin = vin_of_path(request, buffer);
    int rc = storage_cached(sandbox->storage, wf_request_arena(request), vin, &result);
    if (rc == -ENOENT) return refuse(request, 404, "not_cached", "%s was never checked", vin);
    return rc != 0 ? refuse_result(request, rc) : wf_reply(request, 200, &custody_releasability_model, &result);
}

/* ---- Many ---- */

struct many {
    size_t count;
    const char *vins[CUSTODY_BATCH_MAX];  /* normalized; NULL: it is none, */
    const char *wrong[CUSTODY_BATCH_MAX]; /* for this reason */
    struct custody_releasability results[CUSTODY_BATCH_MAX];
    int codes[CUSTODY_BATCH_MAX];
};

static int normalize_all(struct wf_request *request, const struct custody_batch *batch, struct many *many)
{
    const struct sandbox *sandbox = wf_request_state(request);
    struct wf_arena *arena = wf_request_arena(request);
    many->count = batch->vins.count;
    for (size_t i = 0; i < many->count; i++) {
        char vin[CUSTODY_VIN_MAX + 1];
        many->wrong[i] = custody_vin_normalize(sandbox->options.vin_policy, batch->vins.items[i], vin);
        if (many->wrong[i] == NULL && (many->vins[i] = wf_arena_strdup(arena, vin)) == NULL) return -ENOMEM;
    }
    return 0;
}

static int fill_row(struct wf_arena *arena, const struct many *many, size_t i, struct custody_batch_row *row)
{
    row->ok = many->wrong[i] == NULL && many->codes[i] == 0;
    row->has.result = row->ok;
    row->has.error = !row->ok;
    if (row->ok) row->result = many->results[i];
    else if (many->wrong[i] == NULL) {
        row->error.code = refusal_code(many->codes[i]);
        row->error.message = refusal_message(many->codes[i]);
    } else {
        row->error.code = invalid_vin;
        row->error.message = wf_arena_printf(arena, "\"%s\" is no VIN: %s", row->vin, many->wrong[i]);
    }
    return row->ok || row->error.message != NULL ? 0 : -ENOMEM;
}

static int reply_many(struct wf_request *request, const struct custody_batch *batch, const struct many *many)
{
    struct wf_arena *arena = wf_request_arena(request);
    struct custody_batch_row *rows = wf_arena_zero(arena, many->count * sizeof *rows);
    int rc = rows == NULL ? -ENOMEM : 0;
    for (size_t i = 0; i < many->count && rc == 0; i++) {
        rows[i].vin = batch->vins.items[i];
        rc = fill_row(arena, many, i, &rows[i]);
    }
    if (rc < 0) return rc;
    struct custody_batch_answer answer = {.results = {.items = rows, .count = many->count}};
    return wf_reply(request, 200, &custody_batch_answer_model, &answer);
}

static int check_many(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    const struct custody_batch *batch = wf_body_value(request);
    struct wf_arena *arena = wf_request_arena(request);
    struct many *many = wf_arena_new(arena, struct many);
    struct caller *caller;
    int rc = wf_depend(request, &gate, &caller);
    if (rc < 0 || many == NULL) return rc < 0 ? rc : -ENOMEM;
    rc = normalize_all(request, batch, many);
    if (rc == 0) rc = storage_check(sandbox->storage, arena, many->vins, many->count, many->results, many->codes);
    leave_checks(caller);
    return rc != 0 ? refuse_result(request, rc) : reply_many(request, batch, many);
}

void releasability_routes(struct wf_app *app)
{
    wf_route(app, WF_GET, "/releasability/{vin}", check_one, .needs = {&gate}, .scopes = "custody:read",
             .check = check_path_vin, .response = &custody_releasability_model, .arg = (void *)(uintptr_t)&counted,
             .name = "check_vin", .tag = "releasability", .summary = "Is the vehicle releasable?");
    wf_route(app, WF_GET, "/releasability/{vin}/cached", show_cached, .needs = {&gate}, .scopes = "custody:read",
             .check = check_path_vin, .response = &custody_releasability_model, .name = "get_cached",
             .tag = "releasability", .summary = "What the last check of it said");
    wf_route(app, WF_POST, "/releasability:batch", check_many, .needs = {&gate, &strict_body}, .scopes = "custody:read",
             .check = check_no_query, .body = &custody_batch_model, .response = &custody_batch_answer_model,
             .arg = (void *)(uintptr_t)&counted, .name = "check_batch", .tag = "releasability",
             .summary = "Up to 500 vehicles at once, answered in order");
}
