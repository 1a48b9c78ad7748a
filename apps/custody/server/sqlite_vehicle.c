/* Vehicles: who has them, and whether they may go. */
#include "sqlite_storage.h"

#include <string.h>

#include "world.h"

/* ---- Blockers, as they are stored ---- */

static const char no_blockers[] = "[]";

struct blockers {
    struct custody_blocker *items;
    size_t count;
};
WF_MEMBER(blockers_member, LIST(MODEL(custody_blocker)))

static int blockers_text(struct wf_arena *arena, const struct world_vehicle *provided, const char **text)
{
    struct blockers blockers = {(struct custody_blocker *)provided->blockers, provided->blocker_count};
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, arena, 4096);
    wf_member_write(&blockers_member, &blockers, &writer);
    return wf_json_write_end(&writer, text, NULL);
}

static int blockers_of(struct connection *connection, struct wf_arena *arena, const char *text,
                       struct custody_releasability *result)
{
    struct blockers blockers = {0};
    int rc = strcmp(text, no_blockers) == 0
                 ? 0
                 : wf_member_parse(&blockers_member, arena, text, strlen(text), &blockers, NULL);
    if (rc < 0 && rc != -ENOMEM) return connection_says(connection, "a vehicle's blockers cannot be read");
    result->blockers.items = blockers.items;
    result->blockers.count = blockers.count;
    result->is_releasable = blockers.count == 0;
    return rc;
}

bool vehicle_is_held(const struct vehicle *vehicle)
{
    return strcmp(vehicle->blockers, no_blockers) != 0;
}

/* ---- Vehicles ---- */

static int provide(struct wf_arena *arena, const char *vin, struct vehicle *vehicle)
{
    struct world_vehicle provided;
    world_vehicle(vin, &provided);
    *vehicle = (struct vehicle){
        .vin = wf_arena_strdup(arena, vin),
        .custodian = provided.location->owner,
        .location_id = provided.location->id,
        .since = provided.since / 1000,
    };
    return vehicle->vin == NULL ? -ENOMEM : blockers_text(arena, &provided, &vehicle->blockers);
}

int vehicle_find(struct connection *connection, struct wf_arena *arena, const char *vin, struct vehicle *vehicle)
{
    *vehicle = (struct vehicle){.stored = false};
    struct query query = query_of(connection, "SELECT vin, custodian, location_id, since, last_transfer_id, blockers "
                                              "FROM vehicles WHERE vin = ?1");
    query_bind_text(&query, 1, vin);
    if (query_next(&query)) {
        vehicle->vin = query_text(&query, 0, arena);
        vehicle->custodian = query_text(&query, 1, arena);
        vehicle->location_id = query_text(&query, 2, arena);
        vehicle->since = query_number(&query, 3);
        vehicle->last_transfer_id = query_text(&query, 4, arena);
        vehicle->blockers = query_text(&query, 5, arena);
        vehicle->stored = true;
    }
    int rc = query_end(&query);
    if (rc < 0 || vehicle->stored) return rc;
    return connection->provision ? provide(arena, vin, vehicle) : REFUSED_UNKNOWN_VIN;
}

static int store(struct connection *connection, struct vehicle *vehicle)
{
    struct query query = query_of(connection, "INSERT OR IGNORE INTO vehicles (vin, custodian, location_id, since, "
                                              "blockers) VALUES (?1, ?2, ?3, ?4, ?5)");
    query_bind_text(&query, 1, vehicle->vin);
    query_bind_text(&query, 2, vehicle->custodian);
    query_bind_text(&query, 3, vehicle->location_id);
    query_bind_number(&query, 4, vehicle->since);
    query_bind_text(&query, 5, vehicle->blockers);
    vehicle->stored = true;
    return query_run(&query);
}

int vehicle_need(struct connection *connection, struct wf_arena *arena, const char *vin, struct vehicle *vehicle)
{
    int rc = vehicle_find(connection, arena, vin, vehicle);
    return rc == 0 && !vehicle->stored ? store(connection, vehicle) : rc;
}

int vehicle_provide(struct connection *connection, struct wf_arena *arena, const char *vin, struct vehicle *vehicle)
{
    int rc = provide(arena, vin, vehicle);
    return rc == 0 ? store(connection, vehicle) : rc;
}

/* ---- Checks ---- */

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
    return blockers_of(connection, arena, vehicle.blockers, result);
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

int sqlite_check(struct storage *storage, struct wf_arena *arena, const char *const *vins, size_t count,
                 struct custody_releasability *results, int *codes)
{
    struct check_call check = {{.kind = CALL_CHECKS, .run = run_check, .arena = arena}, vins, count, results, codes};
    return call_make((struct sqlite_storage *)storage, &check.call);
}

/* ---- What was checked ---- */

struct checked_call {
    struct call call;
    const char *vin;
    int limit;
    struct custody_releasability *results;
    size_t count;
};

static int read_check(struct query *query, struct checked_call *checked, struct custody_releasability *result)
{
    struct wf_arena *arena = checked->call.arena;
    int64_t checked_at = query_number(query, 1), age = query->connection->now - checked_at;
    *result = (struct custody_releasability){.vin = query_text(query, 0, arena),
                                             .checked_at = checked_at * 1000,
                                             .cached = true,
                                             .age_s = age > 0 ? (double)age / 1e6 : 0};
    const char *blockers = query_text(query, 2, arena);
    return blockers != NULL ? blockers_of(query->connection, arena, blockers, result) : -ENOMEM;
}

static int run_cached(struct connection *connection, struct call *call)
{
    struct checked_call *checked = (struct checked_call *)call;
    struct query query = query_of(connection, "SELECT vin, checked_at, blockers FROM releasability_checks "
                                              "WHERE vin = ?1");
    query_bind_text(&query, 1, checked->vin);
    int rc = -ENOENT;
    if (query_next(&query)) rc = read_check(&query, checked, checked->results);
    int ended = query_end(&query);
    return ended < 0 ? ended : rc;
}

int sqlite_cached(struct storage *storage, struct wf_arena *arena, const char *vin,
                  struct custody_releasability *result)
{
    struct checked_call cached = {{.kind = CALL_READS, .run = run_cached, .arena = arena}, vin, 1, result, 0};
    return call_make((struct sqlite_storage *)storage, &cached.call);
}

static int run_checked(struct connection *connection, struct call *call)
{
    struct checked_call *checked = (struct checked_call *)call;
    struct query query = query_of(connection, "SELECT vin, checked_at, blockers FROM releasability_checks "
                                              "ORDER BY checked_at DESC LIMIT ?1");
    query_bind_number(&query, 1, checked->limit);
    int rc = 0;
    while (rc == 0 && query_next(&query)) rc = read_check(&query, checked, &checked->results[checked->count++]);
    int ended = query_end(&query);
    return ended < 0 ? ended : rc;
}

int sqlite_checked(struct storage *storage, struct wf_arena *arena, int limit, struct custody_releasability *results,
                   size_t *count)
{
    struct checked_call checked = {{.kind = CALL_READS, .run = run_checked, .arena = arena}, NULL, limit, results, 0};
    int rc = call_make((struct sqlite_storage *)storage, &checked.call);
    *count = rc == 0 ? checked.count : 0;
    return rc;
}

/* ---- Who has it ---- */

struct state_call {
    struct call call;
    const char *vin;
    struct custody_state *state;
};

static int count_pending(struct connection *connection, const char *vin, int64_t *count)
{
    struct query query = query_of(connection, "SELECT count(*) FROM authorizations WHERE vin = ?1 AND status = 0");
    query_bind_text(&query, 1, vin);
    *count = query_next(&query) ? query_number(&query, 0) : 0;
    return query_end(&query);
}

static int run_state(struct connection *connection, struct call *call)
{
    struct state_call *asked = (struct state_call *)call;
    struct vehicle vehicle;
    int rc = vehicle_find(connection, call->arena, asked->vin, &vehicle);
    if (rc != 0) return rc;
    *asked->state = (struct custody_state){
        .vin = vehicle.vin,
        .current_custodian = vehicle.custodian,
        .current_location = vehicle.location_id,
        .since = vehicle.since * 1000,
        .last_transfer_id = vehicle.last_transfer_id,
        .null.last_transfer_id = vehicle.last_transfer_id == NULL,
        .has.last_transfer_id = vehicle.last_transfer_id != NULL,
    };
    return count_pending(connection, vehicle.vin, &asked->state->pending_authorizations);
}

int sqlite_state(struct storage *storage, struct wf_arena *arena, const char *vin, struct custody_state *state)
{
    struct state_call asked = {{.kind = CALL_READS, .run = run_state, .arena = arena}, vin, state};
    return call_make((struct sqlite_storage *)storage, &asked.call);
}
