/* Opening and closing a database: its connections, its workers, and what it holds from the start. */
#include "sqlite_storage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- On a thread ---- */

struct opening {
    struct sqlite_storage *storage;
    const struct storage_options *options;
    int64_t now; /* ns since 1970 */
    const char *message;
};

static int read_locations(struct sqlite_storage *storage, struct wf_arena *arena)
{
    struct query query = query_of(&storage->writer.connection, "SELECT id, (SELECT count(*) FROM locations) "
                                                               "FROM locations ORDER BY id");
    size_t count = 0;
    const char **locations = NULL;
    while (query_next(&query)) {
        if (locations == NULL) locations = wf_arena_array(arena, (size_t)query_number(&query, 1), sizeof *locations);
        if (locations == NULL) query.rc = -ENOMEM;
        else locations[count++] = query_text(&query, 0, arena);
    }
    storage->locations = locations;
    storage->location_count = count;
    return query_end(&query);
}

static int find_last_event(struct connection *connection)
{
    struct query query = query_of(connection, "SELECT seq FROM sqlite_sequence WHERE name = 'outbox'");
    if (query_next(&query)) connection->last_event = query_number(&query, 0);
    return query_end(&query);
}

/* What the database must have, in one transaction: another form, locations, the world of the examples. */
static int prepare(struct opening *opening)
{
    struct sqlite_storage *storage = opening->storage;
    struct connection *connection = &storage->writer.connection;
    struct wf_arena arena;
    wf_arena_init(&arena);
    int rc = connection_run(connection, "BEGIN IMMEDIATE");
    if (rc == 0) rc = schema_migrate(connection);
    if (rc == 0) rc = schema_add_locations(connection);
    if (rc == 0 && opening->options->seed) rc = schema_seed(connection, &arena, opening->now);
    if (rc == 0) rc = connection_run(connection, "COMMIT");
    wf_arena_finish(&arena);
    return rc;
}

static int read_state(struct sqlite_storage *storage)
{
    struct connection *connection = &storage->writer.connection;
    int rc = read_locations(storage, &storage->arena);
    if (rc == 0) rc = find_last_event(connection);
    if (rc == 0) rc = due_find(connection);
    if (rc == 0) rc = recent_find(connection, &storage->arena, &storage->recent);
    storage->last_event = connection->last_event;
    storage->due = connection->due;
    return rc;
}

static int open_one(struct opening *opening, struct worker *worker, bool reads_only)
{
    struct connection *connection = &worker->connection;
    connection->provision = opening->options->provision;
    connection->due = INT64_MAX;
    int rc = connection_open(connection, opening->options->where, reads_only);
    opening->message = connection->message;
    return rc;
}

static int open_all(struct opening *opening)
{
    struct sqlite_storage *storage = opening->storage;
    int rc = open_one(opening, &storage->writer, false);
    if (rc == 0) rc = prepare(opening);
    if (rc == 0) rc = read_state(storage);
    for (int i = 0; rc == 0 && i < storage->reader_count; i++) rc = open_one(opening, &storage->readers[i], true);
    return rc;
}

static int close_all(struct sqlite_storage *storage)
{
    for (int i = 0; i < storage->reader_count; i++) connection_close(&storage->readers[i].connection);
    connection_close(&storage->writer.connection);
    return 0;
}

/* ---- On the loop ---- */

static int start_worker(struct wf_scope *scope, struct sqlite_storage *storage, struct worker *worker,
                        struct lane *lane, const char *name)
{
    worker->storage = storage;
    worker->lane = lane;
    int rc = wf_try_spawn(scope, worker_run, worker, .name = name, .handle = &worker->handle, .daemon = true);
    worker->started = rc == 0;
    return rc;
}

static int start(struct wf_scope *scope, struct sqlite_storage *storage)
{
    int rc = start_worker(scope, storage, &storage->writer, &storage->writing, "storage-writer");
    for (int i = 0; rc == 0 && i < storage->reader_count; i++)
        rc = start_worker(scope, storage, &storage->readers[i], &storage->reading, "storage-reader");
    if (rc < 0) return rc;
    rc = wf_try_spawn(scope, clock_run, storage, .name = "storage-clock", .handle = &storage->clock, .daemon = true);
    storage->clock_started = rc == 0;
    return rc;
}

static void stop_task(struct wf_handle *handle, bool started)
{
    if (!started) return;
    wf_handle_cancel(handle, "the storage is closed");
    wf_shielded(WF_FOREVER, wf_handle_join(handle));
}

static void destroy(struct storage *storage)
{
    struct sqlite_storage *sqlite = (struct sqlite_storage *)storage;
    stop_task(&sqlite->clock, sqlite->clock_started);
    for (int i = 0; i < sqlite->reader_count; i++) stop_task(&sqlite->readers[i].handle, sqlite->readers[i].started);
    stop_task(&sqlite->writer.handle, sqlite->writer.started);
    if (wf_shielded(WF_FOREVER, wf_offload(close_all, sqlite)) < 0) close_all(sqlite); /* no thread: then here */
    wf_arena_finish(&sqlite->arena);
    free(sqlite);
}

static int ping(struct connection *connection, struct call *call)
{
    (void)call;
    return connection_run(connection, "SELECT 1");
}

static int sqlite_ping(struct storage *storage)
{
    struct call call = {.kind = CALL_READS, .run = ping};
    return call_make((struct sqlite_storage *)storage, &call);
}

static int compare(const void *key, const void *element)
{
    return strcmp(key, *(const char *const *)element);
}

static bool has_location(const struct storage *storage, const char *id)
{
    const struct sqlite_storage *sqlite = (const struct sqlite_storage *)storage;
    return bsearch(id, sqlite->locations, sqlite->location_count, sizeof *sqlite->locations, compare) != NULL;
}

static const struct storage_class sqlite_class = {
    .close = destroy,
    .ping = sqlite_ping,
    .has_location = has_location,
    .check = sqlite_check,
    .cached = sqlite_cached,
    .list = sqlite_list,
    .authorization = sqlite_authorization,
    .authorize = sqlite_authorize,
    .decide = sqlite_decide,
    .state = sqlite_state,
    .transfer = sqlite_transfer,
    .find_transfer = sqlite_find_transfer,
    .events = sqlite_events,
    .last_event = sqlite_last_event,
    .wait_news = sqlite_wait_news,
    .checked = sqlite_checked,
};

int sqlite_storage_open(struct wf_scope *scope, const struct storage_options *options, struct storage **storage)
{
    struct sqlite_storage *sqlite = calloc(1, sizeof *sqlite);
    if (sqlite == NULL) return -ENOMEM;
    sqlite->storage.class = &sqlite_class;
    sqlite->reader_count = strcmp(options->where, ":memory:") == 0 ? 0 : READERS;
    wf_arena_init(&sqlite->arena);
    struct opening opening = {.storage = sqlite, .options = options, .now = wf_wall_now(), .message = ""};
    int rc = wf_offload(open_all, &opening);
    if (rc < 0 && *opening.message != '\0') wf_fail(rc, "%s: %s", options->where, opening.message);
    if (rc == 0) rc = start(scope, sqlite);
    if (rc == 0) *storage = &sqlite->storage;
    else destroy(&sqlite->storage);
    return rc;
}
