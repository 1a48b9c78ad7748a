/* Transfers: a credential is used, and a vehicle gets another custodian, now or in a moment. */
#include "sqlite_storage.h"

#include <string.h>

#include "world.h"

#define COLUMNS                                                                                                        \
    "id, vin, transfer_type, credential_id, location_id, from_custodian, to_custodian, status, created_at, "           \
    "completed_at"

static void read_row(struct query *query, struct wf_arena *arena, struct custody_transfer *result)
{
    bool completed = !query_is_null(query, 9);
    *result = (struct custody_transfer){
        .transfer_id = query_text(query, 0, arena),
        .vin = query_text(query, 1, arena),
        .transfer_type = query_text(query, 2, arena),
        .credential_id = query_text(query, 3, arena),
        .location_id = query_text(query, 4, arena),
        .from_custodian = query_text(query, 5, arena),
        .to_custodian = query_text(query, 6, arena),
        .status = (int)query_number(query, 7),
        .created_at = query_number(query, 8) * 1000,
        .completed_at = completed ? query_number(query, 9) * 1000 : 0,
        .has.completed_at = completed,
        .null.completed_at = !completed,
    };
}

/* ---- The end of one ---- */

static int set_completed(struct connection *connection, const struct custody_transfer *transfer)
{
    struct query query = query_of(connection, "UPDATE transfers SET status = 1, completed_at = ?2, from_custodian = ?3 "
                                              "WHERE id = ?1");
    query_bind_text(&query, 1, transfer->transfer_id);
    query_bind_number(&query, 2, transfer->completed_at / 1000);
    query_bind_text(&query, 3, transfer->from_custodian);
    return query_run(&query);
}

static int set_custodian(struct connection *connection, const struct custody_transfer *transfer)
{
    struct query query = query_of(connection, "UPDATE vehicles SET custodian = ?2, location_id = ?3, since = ?4, "
                                              "last_transfer_id = ?5 WHERE vin = ?1");
    query_bind_text(&query, 1, transfer->vin);
    query_bind_text(&query, 2, transfer->to_custodian);
    query_bind_text(&query, 3, transfer->location_id);
    query_bind_number(&query, 4, transfer->completed_at / 1000);
    query_bind_text(&query, 5, transfer->transfer_id);
    return query_run(&query);
}

int transfer_complete(struct connection *connection, struct custody_transfer *transfer)
{
    int64_t now = connection->now > transfer->created_at / 1000 ? connection->now : transfer->created_at / 1000;
    transfer->status = CUSTODY_COMPLETED;
    transfer->completed_at = now * 1000;
    transfer->has.completed_at = true;
    transfer->null.completed_at = false;
    int rc = set_completed(connection, transfer);
    if (rc == 0) rc = set_custodian(connection, transfer);
    return rc < 0 ? rc : event_add(connection, "custody.transferred", transfer->vin, now, transfer->transfer_id);
}

/* Who has the vehicle may have changed since it was asked for. */
int transfer_find_due(struct connection *connection, struct wf_arena *arena, struct custody_transfer *transfer)
{
    struct query query =
        query_of(connection, "SELECT id, vin, transfer_type, credential_id, transfers.location_id, "
                             "(SELECT custodian FROM vehicles WHERE vehicles.vin = transfers.vin), to_custodian, "
                             "status, created_at, completed_at FROM transfers "
                             "WHERE status = 0 AND due_at <= ?1 ORDER BY due_at LIMIT 1");
    query_bind_number(&query, 1, connection->now);
    bool found = query_next(&query);
    if (found) read_row(&query, arena, transfer);
    int rc = query_end(&query);
    return rc < 0 || found ? rc : -ENOENT;
}

/* ---- The beginning ---- */

struct transfer_call {
    struct call call;
    const struct custody_new_transfer *wanted;
    struct once *once;
    struct custody_transfer *result;
};

/* These give the vehicle to the person of the credential, and only where nothing holds it. */
static bool is_release(const char *type)
{
    return strcmp(type, "PICKUP") == 0 || strcmp(type, "GATE_OUT") == 0 || strcmp(type, "DEALER_RELEASE") == 0;
}

static int check_credential(struct connection *connection, const struct transfer_call *asked,
                            struct custody_authorization *credential)
{
    int rc = authorization_find(connection, asked->call.arena, asked->wanted->credential_id, credential);
    if (rc == -ENOENT) return REFUSED_NOT_APPROVED;
    if (rc < 0) return rc;
    if (strcmp(credential->vin, asked->wanted->vin) != 0) return REFUSED_OTHER_VIN;
    return credential->status == CUSTODY_APPROVED ? 0 : REFUSED_NOT_APPROVED;
}

static int find_owner(struct connection *connection, struct wf_arena *arena, const char *location, const char **owner)
{
    struct query query = query_of(connection, "SELECT owner FROM locations WHERE id = ?1");
    query_bind_text(&query, 1, location);
    *owner = query_next(&query) ? query_text(&query, 0, arena) : NULL;
    int rc = query_end(&query);
    return rc < 0 ? rc : *owner == NULL ? connection_says(connection, "there is no such location") : 0;
}

static int next_number(struct connection *connection, int64_t *number)
{
    struct query query = query_of(connection, "SELECT coalesce(max(number), 0) + 1 FROM transfers");
    if (query_next(&query)) *number = query_number(&query, 0);
    return query_end(&query);
}

static int insert(struct connection *connection, int64_t number, const struct custody_transfer *transfer)
{
    struct query query =
        query_of(connection, "INSERT INTO transfers (number, id, vin, transfer_type, credential_id, location_id, "
                             "from_custodian, to_custodian, status, created_at, due_at) "
                             "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, ?9, ?10)");
    query_bind_number(&query, 1, number);
    query_bind_text(&query, 2, transfer->transfer_id);
    query_bind_text(&query, 3, transfer->vin);
    query_bind_text(&query, 4, transfer->transfer_type);
    query_bind_text(&query, 5, transfer->credential_id);
    query_bind_text(&query, 6, transfer->location_id);
    query_bind_text(&query, 7, transfer->from_custodian);
    query_bind_text(&query, 8, transfer->to_custodian);
    query_bind_number(&query, 9, connection->now);
    query_bind_number(&query, 10, connection->now + TRANSFER_DELAY_US);
    return query_run(&query);
}

static int accept_transfer(struct connection *connection, const struct transfer_call *asked,
                           const struct vehicle *vehicle, const char *to)
{
    const struct custody_new_transfer *wanted = asked->wanted;
    int64_t number = 0;
    int rc = next_number(connection, &number);
    if (rc < 0) return rc;
    char id[WORLD_ID_SIZE];
    *asked->result = (struct custody_transfer){
        .transfer_id = wf_arena_strdup(asked->call.arena, world_id("TRF", number, id)),
        .vin = vehicle->vin,
        .transfer_type = wanted->transfer_type,
        .credential_id = wanted->credential_id,
        .location_id = wanted->location_id,
        .from_custodian = vehicle->custodian,
        .to_custodian = to,
        .status = CUSTODY_QUEUED,
        .created_at = connection->now * 1000,
        .null.completed_at = true,
    };
    if (asked->result->transfer_id == NULL) return -ENOMEM;
    return insert(connection, number, asked->result);
}

static int make(struct connection *connection, struct transfer_call *asked)
{
    const struct custody_new_transfer *wanted = asked->wanted;
    struct wf_arena *arena = asked->call.arena;
    struct vehicle vehicle;
    struct custody_authorization credential;
    const char *to;
    int rc = vehicle_find(connection, arena, wanted->vin, &vehicle);
    if (rc == 0) rc = check_credential(connection, asked, &credential);
    if (rc == 0 && is_release(wanted->transfer_type) && vehicle_is_held(&vehicle)) rc = REFUSED_NOT_RELEASABLE;
    if (rc == 0) rc = find_owner(connection, arena, wanted->location_id, &to);
    if (rc != 0) return rc;
    if (is_release(wanted->transfer_type)) to = credential.person_identity_key;
    rc = authorization_set_status(connection, &credential, CUSTODY_USED, NULL);
    if (rc == 0) rc = accept_transfer(connection, asked, &vehicle, to);
    if (rc == 0 && !wanted->async) rc = transfer_complete(connection, asked->result);
    int64_t due = connection->now + TRANSFER_DELAY_US;
    if (wanted->async && due < connection->due) connection->due = due;
    return rc;
}

static int run_transfer(struct connection *connection, struct call *call)
{
    struct transfer_call *asked = (struct transfer_call *)call;
    int rc = once_find(connection, call->arena, asked->once);
    if (rc != 0 || (asked->once != NULL && asked->once->replayed)) return rc;
    rc = make(connection, asked);
    return rc == 0 ? once_keep(connection, call->arena, asked->once, asked->result) : rc;
}

int sqlite_transfer(struct storage *storage, struct wf_arena *arena, const struct custody_new_transfer *wanted,
                    struct once *once, struct custody_transfer *result)
{
    struct transfer_call asked = {{.kind = CALL_CHANGES, .run = run_transfer, .arena = arena}, wanted, once, result};
    return call_make((struct sqlite_storage *)storage, &asked.call);
}

/* ---- Finding it ---- */

struct find_call {
    struct call call;
    const char *id;
    struct custody_transfer *result;
};

static int run_find(struct connection *connection, struct call *call)
{
    struct find_call *asked = (struct find_call *)call;
    struct query query = query_of(connection, "SELECT " COLUMNS " FROM transfers WHERE id = ?1");
    query_bind_text(&query, 1, asked->id);
    bool found = query_next(&query);
    if (found) read_row(&query, call->arena, asked->result);
    int rc = query_end(&query);
    return rc < 0 || found ? rc : -ENOENT;
}

int sqlite_find_transfer(struct storage *storage, struct wf_arena *arena, const char *id,
                         struct custody_transfer *result)
{
    struct find_call asked = {{.kind = CALL_READS, .run = run_find, .arena = arena}, id, result};
    return call_make((struct sqlite_storage *)storage, &asked.call);
}
