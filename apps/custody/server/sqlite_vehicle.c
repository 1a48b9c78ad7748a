/* Vehicles: who has them, where, and what holds them. */
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

int vehicle_read_blockers(struct connection *connection, struct wf_arena *arena, const char *text,
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

/* ---- Who has it ---- */

struct state_call {
    struct call call;
    const char *vin;
    struct custody_state *state;
};

static int count_pending(struct connection *connection, const char *vin, int64_t *count)
{
    struct query query = query_of(connection, "SELECT count(*) FROM authorizations WHERE vin = ?1 AND +status = 0");
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
