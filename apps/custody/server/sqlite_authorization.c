/* Authorizations: made once for a person and a vehicle, decided, and found again. */
#include "sqlite_storage.h"

#include <string.h>

#include "world.h"

#define COLUMNS                                                                                                        \
    "id, vin, status, origin, destination, person_identity_key, authorized_by, make_model, created_at, updated_at, "   \
    "expires_at"

static void read_row(struct query *query, struct wf_arena *arena, struct custody_authorization *result)
{
    *result = (struct custody_authorization){
        .authorization_id = query_text(query, 0, arena),
        .vin = query_text(query, 1, arena),
        .status = (int)query_number(query, 2),
        .origin = query_text(query, 3, arena),
        .destination = query_text(query, 4, arena),
        .person_identity_key = query_text(query, 5, arena),
        .authorized_by = query_text(query, 6, arena),
        .make_model = query_text(query, 7, arena),
        .created_at = query_number(query, 8) * 1000,
        .updated_at = query_number(query, 9) * 1000,
        .expires_at = query_number(query, 10) * 1000,
    };
}

int authorization_find(struct connection *connection, struct wf_arena *arena, const char *id,
                       struct custody_authorization *result)
{
    struct query query = query_of(connection, "SELECT " COLUMNS " FROM authorizations WHERE id = ?1");
    query_bind_text(&query, 1, id);
    bool found = query_next(&query);
    if (found) read_row(&query, arena, result);
    int rc = query_end(&query);
    return rc < 0 || found ? rc : -ENOENT;
}

int authorization_insert(struct connection *connection, int64_t number,
                         const struct custody_authorization *authorization)
{
    struct query query = query_of(connection, "INSERT INTO authorizations (number, " COLUMNS ") VALUES "
                                              "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)");
    query_bind_number(&query, 1, number);
    query_bind_text(&query, 2, authorization->authorization_id);
    query_bind_text(&query, 3, authorization->vin);
    query_bind_number(&query, 4, authorization->status);
    query_bind_text(&query, 5, authorization->origin);
    query_bind_text(&query, 6, authorization->destination);
    query_bind_text(&query, 7, authorization->person_identity_key);
    query_bind_text(&query, 8, authorization->authorized_by);
    query_bind_text(&query, 9, authorization->make_model);
    query_bind_number(&query, 10, authorization->created_at / 1000);
    query_bind_number(&query, 11, authorization->updated_at / 1000);
    query_bind_number(&query, 12, authorization->expires_at / 1000);
    return query_run(&query);
}

/* ---- Making one ---- */

struct authorize_call {
    struct call call;
    const struct custody_new_authorization *wanted;
    struct once *once;
    struct custody_authorization *result;
};

int authorization_refuse_second(struct connection *connection, const char *vin, const char *person)
{
    struct query query = query_of(connection, "SELECT 1 FROM authorizations WHERE vin = ?1 AND "
                                              "person_identity_key = ?2 AND status IN (0, 1)");
    query_bind_text(&query, 1, vin);
    query_bind_text(&query, 2, person);
    bool found = query_next(&query);
    int rc = query_end(&query);
    return rc < 0 ? rc : found ? REFUSED_DUPLICATE : 0;
}

/* The next number, and a time that no other has: so that their order is fixed, and a page has one place to end. */
static int next_number(struct connection *connection, int64_t *number, int64_t *created_at)
{
    struct query query = query_of(connection, "SELECT max(?1, (SELECT max(number) FROM authorizations)) + 1, "
                                              "max(?2, (SELECT max(created_at) FROM authorizations) + 1)");
    query_bind_number(&query, 1, WORLD_NUMBERS_MAX);
    query_bind_number(&query, 2, connection->now);
    if (query_next(&query)) {
        *number = query_is_null(&query, 0) ? WORLD_NUMBERS_MAX + 1 : query_number(&query, 0);
        *created_at = query_is_null(&query, 1) ? connection->now : query_number(&query, 1);
    }
    return query_end(&query);
}

static int make(struct connection *connection, struct authorize_call *asked, const char *vin)
{
    const struct custody_new_authorization *wanted = asked->wanted;
    int64_t number = 0, created_at = 0;
    int rc = next_number(connection, &number, &created_at);
    if (rc < 0) return rc;
    char id[WORLD_ID_SIZE];
    *asked->result = (struct custody_authorization){
        .authorization_id = wf_arena_strdup(asked->call.arena, world_id("AUTH", number, id)),
        .vin = vin,
        .status = CUSTODY_PENDING,
        .origin = wanted->origin,
        .destination = wanted->destination,
        .person_identity_key = wanted->person_identity_key,
        .authorized_by = wanted->authorized_by,
        .make_model = wanted->make_model,
        .created_at = created_at * 1000,
        .updated_at = created_at * 1000,
        .expires_at = created_at * 1000 + WF_MINUTES(72 * 60),
    };
    if (asked->result->authorization_id == NULL) return -ENOMEM;
    rc = authorization_insert(connection, number, asked->result);
    int64_t due = asked->result->expires_at / 1000;
    if (due < connection->due) connection->due = due;
    return rc < 0 ? rc
                  : event_add(connection, "authorization.created", vin, created_at, asked->result->authorization_id);
}

static int run_authorize(struct connection *connection, struct call *call)
{
    struct authorize_call *asked = (struct authorize_call *)call;
    struct vehicle vehicle;
    int rc = once_find(connection, call->arena, asked->once);
    if (rc != 0 || (asked->once != NULL && asked->once->replayed)) return rc;
    rc = vehicle_need(connection, call->arena, asked->wanted->vin, &vehicle);
    if (rc == 0) rc = authorization_refuse_second(connection, vehicle.vin, asked->wanted->person_identity_key);
    if (rc == 0) rc = make(connection, asked, vehicle.vin);
    return rc == 0 ? once_keep(connection, call->arena, asked->once, asked->result) : rc;
}

int sqlite_authorize(struct storage *storage, struct wf_arena *arena, const struct custody_new_authorization *wanted,
                     struct once *once, struct custody_authorization *result)
{
    struct authorize_call asked = {{.kind = CALL_CHANGES, .run = run_authorize, .arena = arena}, wanted, once, result};
    return call_make((struct sqlite_storage *)storage, &asked.call);
}

/* ---- Another status ---- */

static const char *const event_types[] = {
    [CUSTODY_APPROVED] = "authorization.approved", [CUSTODY_USED] = "authorization.used",
    [CUSTODY_REJECTED] = "authorization.rejected", [CUSTODY_CANCELLED] = "authorization.cancelled",
    [CUSTODY_EXPIRED] = "authorization.expired",
};

int authorization_set_status(struct connection *connection, struct custody_authorization *authorization, int status,
                             const struct custody_decision *who)
{
    struct query query =
        query_of(connection, "UPDATE authorizations SET status = ?2, updated_at = max(created_at, ?3), "
                             "decided_by = coalesce(?4, decided_by), reason = coalesce(?5, reason) WHERE id = ?1");
    query_bind_text(&query, 1, authorization->authorization_id);
    query_bind_number(&query, 2, status);
    query_bind_number(&query, 3, connection->now);
    query_bind_text(&query, 4, who != NULL ? who->by : NULL);
    query_bind_text(&query, 5, who != NULL ? who->reason : NULL);
    int rc = query_run(&query);
    authorization->status = status;
    int64_t now = connection->now * 1000;
    authorization->updated_at = now > authorization->created_at ? now : authorization->created_at;
    return rc < 0 ? rc
                  : event_add(connection, event_types[status], authorization->vin, connection->now,
                              authorization->authorization_id);
}

struct decide_call {
    struct call call;
    const char *id;
    enum decision decision;
    const struct custody_decision *who;
    struct once *once;
    struct custody_authorization *result;
};

static int run_decide(struct connection *connection, struct call *call)
{
    static const int becomes[] =
        {[DECIDE_APPROVE] = CUSTODY_APPROVED, [DECIDE_REJECT] = CUSTODY_REJECTED, [DECIDE_CANCEL] = CUSTODY_CANCELLED};
    struct decide_call *asked = (struct decide_call *)call;
    int rc = once_find(connection, call->arena, asked->once);
    if (rc != 0 || (asked->once != NULL && asked->once->replayed)) return rc;
    rc = authorization_find(connection, call->arena, asked->id, asked->result);
    if (rc != 0) return rc;
    bool open = asked->result->status == CUSTODY_PENDING ||
                (asked->result->status == CUSTODY_APPROVED && asked->decision == DECIDE_CANCEL);
    if (!open) return REFUSED_STATE;
    rc = authorization_set_status(connection, asked->result, becomes[asked->decision], asked->who);
    return rc == 0 ? once_keep(connection, call->arena, asked->once, asked->result) : rc;
}

int sqlite_decide(struct storage *storage, struct wf_arena *arena, const char *id, enum decision decision,
                  const struct custody_decision *who, struct once *once, struct custody_authorization *result)
{
    struct decide_call asked =
        {{.kind = CALL_CHANGES, .run = run_decide, .arena = arena}, id, decision, who, once, result};
    return call_make((struct sqlite_storage *)storage, &asked.call);
}

/* ---- Finding them ---- */

struct find_call {
    struct call call;
    const char *id;
    struct custody_authorization *result;
};

static int run_find(struct connection *connection, struct call *call)
{
    struct find_call *asked = (struct find_call *)call;
    return authorization_find(connection, call->arena, asked->id, asked->result);
}

int sqlite_authorization(struct storage *storage, struct wf_arena *arena, const char *id,
                         struct custody_authorization *result)
{
    struct find_call asked = {{.kind = CALL_READS, .run = run_find, .arena = arena}, id, result};
    return call_make((struct sqlite_storage *)storage, &asked.call);
}

struct list_call {
    struct call call;
    const struct filter *filter;
    struct place after;
    int limit;
    struct custody_page *page;
    bool more;
};

/* Of all, of a vehicle, of a status, of both: texts of their own, so that each goes by its index. The plus keeps
 * SQLite from the index of a status where there is a vehicle, which has fewer. */
#define PAGE(which)                                                                                                    \
    "SELECT " COLUMNS " FROM authorizations WHERE " which                                                              \
    "(created_at, id) < (?1, ?2) ORDER BY created_at DESC, id DESC LIMIT ?3"
#define OF_VEHICLE "vin = ?4 "
#define OF_BOTH "vin = ?4 AND +status = ?5 "
static const struct listing {
    const char *page, *count;
} listings[2][2] = {
    {{PAGE(""), "SELECT sum(count) FROM authorization_counts"},
     {PAGE("status = ?5 AND "), "SELECT sum(count) FROM authorization_counts WHERE status = ?5"}},
    {{PAGE(OF_VEHICLE "AND "), "SELECT count(*) FROM authorizations WHERE " OF_VEHICLE},
     {PAGE(OF_BOTH "AND "), "SELECT count(*) FROM authorizations WHERE " OF_BOTH}},
};

static struct query filtered(struct connection *connection, const char *sql, const struct filter *filter)
{
    struct query query = query_of(connection, sql);
    if (filter->vin != NULL) query_bind_text(&query, 4, filter->vin);
    if (filter->status >= 0) query_bind_number(&query, 5, filter->status);
    return query;
}

static int read_page(struct connection *connection, struct list_call *asked, const char *sql)
{
    struct query query = filtered(connection, sql, asked->filter);
    query_bind_number(&query, 1, asked->after.created_at);
    query_bind_text(&query, 2, asked->after.id);
    query_bind_number(&query, 3, asked->limit + 1);
    while (query_next(&query)) {
        asked->more = asked->page->authorizations.count == (size_t)asked->limit;
        if (asked->more) break;
        read_row(&query, asked->call.arena, &asked->page->authorizations.items[asked->page->authorizations.count++]);
    }
    return query_end(&query);
}

static int run_list(struct connection *connection, struct call *call)
{
    struct list_call *asked = (struct list_call *)call;
    const struct filter *filter = asked->filter;
    const struct listing *listing = &listings[filter->vin != NULL][filter->status >= 0];
    *asked->page = (struct custody_page){.total_count = 0};
    asked->page->authorizations.items =
        wf_arena_array(call->arena, (size_t)asked->limit, sizeof(struct custody_authorization));
    if (asked->page->authorizations.items == NULL) return -ENOMEM;
    int rc = read_page(connection, asked, listing->page);
    if (rc < 0) return rc;
    struct query query = filtered(connection, listing->count, filter);
    if (query_next(&query)) asked->page->total_count = query_number(&query, 0);
    return query_end(&query);
}

int sqlite_list(struct storage *storage, struct wf_arena *arena, const struct filter *filter, const struct place *after,
                int limit, struct custody_page *page, bool *more)
{
    struct list_call asked = {.call = {.kind = CALL_READS, .run = run_list, .arena = arena},
                              .filter = filter,
                              .after = after != NULL ? *after : (struct place){INT64_MAX, ""},
                              .limit = limit,
                              .page = page};
    asked.after.created_at /= after != NULL ? 1000 : 1;
    int rc = call_make((struct sqlite_storage *)storage, &asked.call);
    *more = asked.more;
    return rc;
}
