/* Checks: kept with their answers, and which came last. */
#include "sqlite_storage.h"

#include <stdio.h>
#include <string.h>

struct check_call {
    struct call call;
    const char *const *vins;
    size_t count;
    struct custody_releasability *results;
    int *codes;
};

static int keep_check(struct connection *connection, const struct vehicle *vehicle)
{
    struct query query =
        query_of(connection, "INSERT INTO releasability_checks VALUES (?1, ?2, ?3) ON CONFLICT (vin) "
                             "DO UPDATE SET checked_at = excluded.checked_at, blockers = excluded.blockers");
    query_bind_text(&query, 1, vehicle->vin);
    query_bind_number(&query, 2, connection->now);
    query_bind_text(&query, 3, vehicle->blockers);
    return query_run(&query);
}

static int check_one(struct connection *connection, struct wf_arena *arena, const char *vin,
                     struct custody_releasability *result)
{
    struct vehicle vehicle;
    int rc = vehicle_need(connection, arena, vin, &vehicle);
    if (rc == 0) rc = keep_check(connection, &vehicle);
    if (rc != 0) return rc;
    *result = (struct custody_releasability){.vin = vehicle.vin, .checked_at = connection->now * 1000};
    return vehicle_read_blockers(connection, arena, vehicle.blockers, result);
}

static int run_check(struct connection *connection, struct call *call)
{
    struct check_call *check = (struct check_call *)call;
    int rc = 0;
    for (size_t i = 0; rc >= 0 && i < check->count; i++) {
        if (check->vins[i] == NULL) continue;
        rc = check_one(connection, call->arena, check->vins[i], &check->results[i]);
        check->codes[i] = rc;
    }
    return rc < 0 ? rc : 0;
}

/* To the front, and what is there once already goes. */
static void remember(struct recent *recent, const char *vin)
{
    size_t at = 0;
    while (at < recent->count && strcmp(recent->vins[at], vin) != 0) at++;
    if (at == recent->count && at < RECENT_MAX) recent->count++;
    if (at == RECENT_MAX) at--;
    memmove(recent->vins[1], recent->vins[0], at * sizeof recent->vins[0]);
    snprintf(recent->vins[0], sizeof recent->vins[0], "%s", vin);
}

int sqlite_check(struct storage *storage, struct wf_arena *arena, const char *const *vins, size_t count,
                 struct custody_releasability *results, int *codes)
{
    struct sqlite_storage *sqlite = (struct sqlite_storage *)storage;
    struct check_call check = {{.kind = CALL_CHECKS, .run = run_check, .arena = arena}, vins, count, results, codes};
    int rc = call_make(sqlite, &check.call);
    for (size_t i = 0; rc == 0 && i < count; i++)
        if (vins[i] != NULL && codes[i] == 0) remember(&sqlite->recent, vins[i]);
    return rc;
}

/* ---- What was checked ---- */

struct cached_call {
    struct call call;
    const char *vin;
    struct custody_releasability *result;
};

static int read_check(struct query *query, struct wf_arena *arena, struct custody_releasability *result)
{
    int64_t checked_at = query_number(query, 1), age = query->connection->now - checked_at;
    *result = (struct custody_releasability){.vin = query_text(query, 0, arena),
                                             .checked_at = checked_at * 1000,
                                             .cached = true,
                                             .age_s = age > 0 ? (double)age / 1e6 : 0};
    const char *blockers = query_text(query, 2, arena);
    return blockers != NULL ? vehicle_read_blockers(query->connection, arena, blockers, result) : -ENOMEM;
}

static int find_check(struct connection *connection, struct wf_arena *arena, const char *vin,
                      struct custody_releasability *result)
{
    struct query query = query_of(connection, "SELECT vin, checked_at, blockers FROM releasability_checks "
                                              "WHERE vin = ?1");
    query_bind_text(&query, 1, vin);
    int rc = query_next(&query) ? read_check(&query, arena, result) : -ENOENT;
    int ended = query_end(&query);
    return ended < 0 ? ended : rc;
}

static int run_cached(struct connection *connection, struct call *call)
{
    struct cached_call *cached = (struct cached_call *)call;
    return find_check(connection, call->arena, cached->vin, cached->result);
}

int sqlite_cached(struct storage *storage, struct wf_arena *arena, const char *vin,
                  struct custody_releasability *result)
{
    struct cached_call cached = {{.kind = CALL_READS, .run = run_cached, .arena = arena}, vin, result};
    return call_make((struct sqlite_storage *)storage, &cached.call);
}

/* ---- What was checked last ---- */

struct recent_call {
    struct call call;
    struct recent recent; /* as it was when the call was made */
    struct custody_releasability *results;
};

static int run_recent(struct connection *connection, struct call *call)
{
    struct recent_call *asked = (struct recent_call *)call;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < asked->recent.count; i++)
        rc = find_check(connection, call->arena, asked->recent.vins[i], &asked->results[i]);
    return rc;
}

int sqlite_checked(struct storage *storage, struct wf_arena *arena, int limit, struct custody_releasability *results,
                   size_t *count)
{
    struct sqlite_storage *sqlite = (struct sqlite_storage *)storage;
    struct recent_call asked = {{.kind = CALL_READS, .run = run_recent, .arena = arena}, sqlite->recent, results};
    if ((size_t)limit < asked.recent.count) asked.recent.count = (size_t)limit;
    int rc = call_make(sqlite, &asked.call);
    *count = rc == 0 ? asked.recent.count : 0;
    return rc;
}

/* Once, when the database is opened: it has no index for it, which would cost each check more than all the rest. */
int recent_find(struct connection *connection, struct wf_arena *arena, struct recent *recent)
{
    struct query query = query_of(connection, "SELECT vin FROM (SELECT vin, checked_at FROM releasability_checks "
                                              "ORDER BY checked_at DESC LIMIT ?1) ORDER BY checked_at");
    query_bind_number(&query, 1, RECENT_MAX);
    while (query_next(&query)) {
        const char *vin = query_text(&query, 0, arena);
        if (vin != NULL) remember(recent, vin);
    }
    return query_end(&query);
}
