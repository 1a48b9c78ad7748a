/* The tables, how older databases become like them, and what is in them from the start. */
#include "sqlite_storage.h"

#include <inttypes.h>
#include <stdio.h>

#include "world.h"

/*
 * Each step once, in this order; PRAGMA user_version is how many a database has had. Steps are never changed, only
 * added. Times are microseconds since 1970. A status is the number of its word: enum custody_status,
 * custody_transfer_state.
 */
static const char *const steps[] = {
    "CREATE TABLE locations ("
    "  id TEXT PRIMARY KEY,"
    "  owner TEXT NOT NULL"
    ") WITHOUT ROWID;"

    "CREATE TABLE vehicles ("
    "  vin TEXT PRIMARY KEY,"
    "  custodian TEXT NOT NULL,"
    "  location_id TEXT NOT NULL REFERENCES locations,"
    "  since INTEGER NOT NULL,"
    "  last_transfer_id TEXT REFERENCES transfers(id),"
    "  blockers TEXT NOT NULL" /* a list of Blocker, in JSON */
    ") WITHOUT ROWID;"

    "CREATE TABLE releasability_checks ("
    "  vin TEXT PRIMARY KEY REFERENCES vehicles,"
    "  checked_at INTEGER NOT NULL,"
    "  blockers TEXT NOT NULL"
    ") WITHOUT ROWID;"

    "CREATE TABLE authorizations ("
    "  number INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  vin TEXT NOT NULL REFERENCES vehicles,"
    "  status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 5),"
    "  origin TEXT NOT NULL,"
    "  destination TEXT NOT NULL,"
    "  person_identity_key TEXT NOT NULL,"
    "  authorized_by TEXT NOT NULL,"
    "  make_model TEXT NOT NULL,"
    "  created_at INTEGER NOT NULL,"
    "  updated_at INTEGER NOT NULL,"
    "  expires_at INTEGER NOT NULL,"
    "  decided_by TEXT,"
    "  reason TEXT"
    ");"
    "CREATE UNIQUE INDEX open_authorizations ON authorizations (vin, person_identity_key) WHERE status IN (0, 1);"
    "CREATE INDEX authorizations_to_expire ON authorizations (expires_at) WHERE status IN (0, 1);"
    "CREATE INDEX authorizations_in_order ON authorizations (created_at, id);"
    "CREATE INDEX authorizations_of_vehicle ON authorizations (vin, created_at, id, status);"
    "CREATE INDEX authorizations_of_status ON authorizations (status, created_at, id);"

    "CREATE TABLE transfers ("
    "  number INTEGER PRIMARY KEY,"
    "  id TEXT NOT NULL UNIQUE,"
    "  vin TEXT NOT NULL REFERENCES vehicles,"
    "  transfer_type TEXT NOT NULL,"
    "  credential_id TEXT NOT NULL UNIQUE REFERENCES authorizations(id)," /* it serves once */
    "  location_id TEXT NOT NULL REFERENCES locations,"
    "  from_custodian TEXT NOT NULL,"
    "  to_custodian TEXT NOT NULL,"
    "  status INTEGER NOT NULL CHECK (status BETWEEN 0 AND 2),"
    "  created_at INTEGER NOT NULL,"
    "  completed_at INTEGER CHECK ((completed_at IS NULL) = (status = 0)),"
    "  due_at INTEGER NOT NULL"
    ");"
    "CREATE INDEX transfers_to_complete ON transfers (due_at) WHERE status = 0;"

    "CREATE TABLE idempotency_keys ("
    "  subject TEXT NOT NULL,"
    "  path TEXT NOT NULL,"
    "  key TEXT NOT NULL,"
    "  body_hash BLOB NOT NULL,"
    "  status INTEGER NOT NULL,"
    "  body TEXT NOT NULL,"
    "  location TEXT,"
    "  created_at INTEGER NOT NULL,"
    "  UNIQUE (subject, path, key)"
    ");"
    "CREATE INDEX idempotency_keys_in_order ON idempotency_keys (created_at);"

    "CREATE TABLE outbox ("
    "  number INTEGER PRIMARY KEY AUTOINCREMENT,"
    "  type TEXT NOT NULL,"
    "  vin TEXT NOT NULL,"
    "  at INTEGER NOT NULL,"
    "  subject_id TEXT NOT NULL"
    ");",

    /* For who follows one vehicle; and for how many there are of a status, which would have to be counted for each page
     * of a list. */
    "CREATE INDEX outbox_of_vehicle ON outbox (vin, number);"
    "CREATE TABLE authorization_counts ("
    "  status INTEGER PRIMARY KEY,"
    "  count INTEGER NOT NULL"
    ");"
    "INSERT INTO authorization_counts SELECT status, count(*) FROM authorizations GROUP BY status;"
    "CREATE TRIGGER authorization_made AFTER INSERT ON authorizations BEGIN"
    "  INSERT INTO authorization_counts VALUES (new.status, 1) ON CONFLICT DO UPDATE SET count = count + 1;"
    " END;"
    "CREATE TRIGGER authorization_changed AFTER UPDATE OF status ON authorizations BEGIN"
    "  UPDATE authorization_counts SET count = count - 1 WHERE status = old.status;"
    "  INSERT INTO authorization_counts VALUES (new.status, 1) ON CONFLICT DO UPDATE SET count = count + 1;"
    " END;",
};

static int version_of(struct connection *connection, int64_t *version)
{
    struct query query = query_of(connection, "PRAGMA user_version");
    *version = query_next(&query) ? query_number(&query, 0) : 0;
    return query_end(&query);
}

static int run_script(struct connection *connection, const char *sql)
{
    return sqlite3_exec(connection->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : connection_failed(connection);
}

static int make_steps(struct connection *connection, int64_t version)
{
    int rc = 0;
    for (size_t i = (size_t)version; rc == 0 && i < WF_COUNT(steps); i++) rc = run_script(connection, steps[i]);
    char sql[48];
    snprintf(sql, sizeof sql, "PRAGMA user_version = %zu", WF_COUNT(steps));
    return rc < 0 ? rc : run_script(connection, sql);
}

/* In a transaction: a database has all the steps, or those that it had. */
int schema_migrate(struct connection *connection)
{
    int64_t version;
    int rc = version_of(connection, &version);
    if (rc < 0) return rc;
    if (version >= 0 && version <= (int64_t)WF_COUNT(steps)) return make_steps(connection, version);
    snprintf(connection->message, sizeof connection->message,
             "it has version %" PRId64 ", and this program knows those up to %zu", version, WF_COUNT(steps));
    return -EIO;
}

/* ---- From the start ---- */

static int add_location(struct connection *connection, const struct location *location)
{
    struct query query = query_of(connection, "INSERT OR IGNORE INTO locations VALUES (?1, ?2)");
    query_bind_text(&query, 1, location->id);
    query_bind_text(&query, 2, location->owner);
    return query_run(&query);
}

int schema_add_locations(struct connection *connection)
{
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < world_location_count; i++) rc = add_location(connection, &world_locations[i]);
    return rc;
}

static int add_authorization(struct connection *connection, int number, int64_t now)
{
    struct world_room room;
    struct custody_authorization authorization;
    world_authorization(number, now, &room, &authorization);
    int rc = authorization_refuse_second(connection, authorization.vin, authorization.person_identity_key);
    if (rc == REFUSED_DUPLICATE) return 0; /* somebody has come before the example */
    return rc < 0 ? rc : authorization_insert(connection, number, &authorization);
}

static int have_authorizations(struct connection *connection, bool *have)
{
    struct query query = query_of(connection, "SELECT 1 FROM authorizations WHERE number <= ?1 LIMIT 1");
    query_bind_number(&query, 1, WORLD_NUMBERS_MAX);
    *have = query_next(&query);
    return query_end(&query);
}

int schema_seed(struct connection *connection, struct wf_arena *arena, int64_t now)
{
    int rc = 0;
    struct vehicle vehicle;
    for (const char *const *vin = world_vins; rc == 0 && *vin != NULL; vin++)
        rc = vehicle_provide(connection, arena, *vin, &vehicle);
    bool have = false;
    if (rc == 0) rc = have_authorizations(connection, &have);
    for (int number = 1; rc == 0 && !have && number <= WORLD_AUTHORIZATIONS; number++)
        rc = add_authorization(connection, number, now);
    return rc;
}
