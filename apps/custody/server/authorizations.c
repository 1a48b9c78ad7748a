/* Authorizations: a page of them, one of them, a new one, and what is decided about one. */
#include <string.h>

#include "server.h"

/* ---- Lists ---- */

#define LIST_MEMBERS(M)                                                                                                \
    M(STRING, vin, .optional = true)                                                                                   \
    M(ENUM, status, .optional = true, .values = CUSTODY_STATUSES)                                                      \
    M(INT32, limit, .preset = "50", .min = 1, .max = CUSTODY_LIMIT_MAX)                                                \
    M(STRING, cursor, .optional = true, .description = "next_cursor of the page before, with the same filters")
WF_MODEL(list_query, LIST_MEMBERS, .unknown = WF_UNKNOWN_REFUSED)

/* As the query has it; a VIN that is one is normalized, into `vin`. */
static struct cursor_filter filter_of(struct wf_request *request, const struct list_query *query,
                                      char vin[CUSTODY_VIN_MAX + 1])
{
    const struct sandbox *sandbox = wf_request_state(request);
    const char *status = wf_query_text(request, "status");
    bool normal = query->vin != NULL && custody_vin_normalize(sandbox->options.vin_policy, query->vin, vin) == NULL;
    return (struct cursor_filter){
        .vin = normal               ? vin
               : query->vin != NULL ? query->vin
                                    : "",
        .status = status != NULL ? status : "",
    };
}

static int check_cursor(struct wf_request *request, struct wf_problems *problems, const struct list_query *query)
{
    struct place place;
    char id[16], vin[CUSTODY_VIN_MAX + 1];
    struct cursor_filter filter = filter_of(request, query, vin);
    if (query->cursor == NULL || cursor_read(wf_request_state(request), &filter, query->cursor, &place, id)) return 0;
    problems->where = "query";
    int rc = wf_problems_add(problems, "cursor", bad_cursor, "this is no cursor of this list");
    return rc == -ENOMEM ? rc : -EBADMSG;
}

/* A number as one is written; a model takes 50.0, too. */
static int check_limit(struct wf_request *request, struct wf_problems *problems)
{
    const char *limit = wf_query_text(request, "limit");
    if (limit == NULL || limit[strspn(limit, "0123456789")] == '\0') return 0;
    problems->where = "query";
    return wf_problems_add(problems, "limit", "int_parsing", "it is no whole number");
}

static int check_list(struct wf_request *request, struct wf_problems *problems)
{
    const struct list_query *query = wf_query_value(request);
    int rc = check_query(request, problems, &list_query_model);
    if (rc != -ENOMEM) rc = check_limit(request, problems);
    if (rc == -ENOMEM || query == NULL) return rc;
    if (query->vin != NULL) rc = check_vin(request, problems, "query", "vin", query->vin);
    return rc == -ENOMEM ? rc : check_cursor(request, problems, query);
}

static int add_cursor(struct wf_request *request, const struct cursor_filter *filter, bool more,
                      struct custody_page *page)
{
    page->has.next_cursor = more && page->authorizations.count > 0;
    page->null.next_cursor = !page->has.next_cursor;
    if (page->null.next_cursor) return 0;
    const struct custody_authorization *last = &page->authorizations.items[page->authorizations.count - 1];
    struct place place = {.created_at = last->created_at, .id = last->authorization_id};
    char *text = wf_arena_alloc(wf_request_arena(request), CURSOR_SIZE + 1);
    if (text == NULL) return -ENOMEM;
    cursor_make(wf_request_state(request), filter, &place, text);
    page->next_cursor = text;
    return 0;
}

static int list_page(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    const struct list_query *query = wf_query_value(request);
    char vin[CUSTODY_VIN_MAX + 1], id[16];
    struct cursor_filter shown = filter_of(request, query, vin);
    struct filter filter = {.vin = query->vin != NULL ? vin : NULL, .status = query->has.status ? query->status : -1};
    struct place place;
    bool behind = query->cursor != NULL && cursor_read(sandbox, &shown, query->cursor, &place, id), more = false;
    struct custody_page page = {.total_count = 0};
    int rc = storage_list(sandbox->storage, wf_request_arena(request), &filter, behind ? &place : NULL, query->limit,
                          &page, &more);
    if (rc == 0) rc = add_cursor(request, &shown, more, &page);
    return rc != 0 ? refuse_result(request, rc) : wf_reply(request, 200, &custody_page_model, &page);
}

static int show_one(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    struct custody_authorization found;
    const char *id = wf_path_text(request, "id");
    int rc = storage_authorization(sandbox->storage, wf_request_arena(request), id, &found);
    return rc != 0 ? refuse_result(request, rc) : wf_reply(request, 200, &custody_authorization_model, &found);
}

/* ---- A new one ---- */

static int check_new(struct wf_request *request, struct wf_problems *problems)
{
    const struct custody_new_authorization *wanted = wf_body_value(request);
    int rc = check_query(request, problems, NULL);
    if (rc != -ENOMEM) rc = check_key(request, problems);
    if (rc == -ENOMEM || wanted == NULL || wanted->vin == NULL) return rc;
    return check_vin(request, problems, "body", "vin", wanted->vin);
}

static int say_new(const void *value, struct wf_arena *arena, struct said *said)
{
    const struct custody_authorization *made = value;
    said->status = 201;
    said->location = wf_arena_printf(arena, BASE_PATH "/authorizations/%s", made->authorization_id);
    return said->location == NULL ? -ENOMEM : say_model(&custody_authorization_model, made, arena, said);
}

static int create_one(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    struct custody_new_authorization wanted = *(const struct custody_new_authorization *)wf_body_value(request);
    struct custody_authorization made;
    char vin[CUSTODY_VIN_MAX + 1];
    struct once once;
    wf_ignore(custody_vin_normalize(sandbox->options.vin_policy, wanted.vin, vin));
    wanted.vin = vin;
    int rc = once_begin(request, &once);
    if (rc < 0) return rc;
    once.say = say_new;
    rc = storage_authorize(sandbox->storage, wf_request_arena(request), &wanted, &once, &made);
    return reply_once(request, rc, &once);
}

/* ---- Decisions ---- */

static int check_decision(struct wf_request *request, struct wf_problems *problems)
{
    int rc = check_query(request, problems, NULL);
    return rc == -ENOMEM ? rc : check_key(request, problems);
}

static int say_decided(const void *value, struct wf_arena *arena, struct said *said)
{
    said->status = 200;
    return say_model(&custody_authorization_model, value, arena, said);
}

static int decide(struct wf_request *request)
{
    struct sandbox *sandbox = wf_request_state(request);
    const struct work *work = wf_request_arg(request);
    struct custody_authorization decided;
    struct once once;
    int rc = once_begin(request, &once);
    if (rc < 0) return rc;
    once.say = say_decided;
    rc = storage_decide(sandbox->storage, wf_request_arena(request), wf_path_text(request, "id"), work->decision,
                        wf_body_value(request), &once, &decided);
    return reply_once(request, rc, &once);
}

static void decision_route(struct wf_app *app, const char *pattern, const struct work *work, const char *name)
{
    wf_route(app, WF_POST, pattern, decide, .needs = {&gate, &strict_body}, .scopes = "custody:write",
             .check = check_decision, .body = &custody_decision_model, .response = &custody_authorization_model,
             .arg = (void *)(uintptr_t)work, .name = name, .tag = "authorizations");
}

void authorization_routes(struct wf_app *app)
{
    static const struct work approve = {.decision = DECIDE_APPROVE}, reject = {.decision = DECIDE_REJECT},
                             cancel = {.decision = DECIDE_CANCEL};
    wf_route(app, WF_GET, "/authorizations", list_page, .needs = {&gate}, .scopes = "custody:read", .check = check_list,
             .query = &list_query_model, .response = &custody_page_model, .name = "list_authorizations",
             .tag = "authorizations", .summary = "A page of them, newest first");
    wf_route(app, WF_POST, "/authorizations", create_one, .needs = {&gate, &strict_body}, .scopes = "custody:write",
             .check = check_new, .body = &custody_new_authorization_model, .response = &custody_authorization_model,
             .status = 201, .name = "create_authorization", .tag = "authorizations",
             .description = "With an Idempotency-Key it is made once, however often it is asked for.");
    wf_route(app, WF_GET, "/authorizations/{id}", show_one, .needs = {&gate}, .scopes = "custody:read",
             .check = check_no_query, .response = &custody_authorization_model, .name = "get_authorization",
             .tag = "authorizations");
    decision_route(app, "/authorizations/{id}:approve", &approve, "approve_authorization");
    decision_route(app, "/authorizations/{id}:reject", &reject, "reject_authorization");
    decision_route(app, "/authorizations/{id}:cancel", &cancel, "cancel_authorization");
}
