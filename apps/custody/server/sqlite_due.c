/* What happens by itself: authorizations expire, and transfers that were queued are completed. */
#include "sqlite_storage.h"

enum { AT_ONCE_MAX = 1000 }; /* of each in one transaction; the others follow in the next */

/* ---- On a thread, before the changes of a batch ---- */

/* SQLite would rather look through all that are open. */
#define OPEN_BY_EXPIRY "authorizations INDEXED BY authorizations_to_expire WHERE status IN (0, 1) "

static int find_expired(struct connection *connection, struct wf_arena *arena, struct custody_authorization *expired)
{
    struct query query =
        query_of(connection, "SELECT id, vin FROM " OPEN_BY_EXPIRY "AND expires_at <= ?1 ORDER BY expires_at LIMIT 1");
    query_bind_number(&query, 1, connection->now);
    bool found = query_next(&query);
    if (found)
        *expired = (struct custody_authorization){.authorization_id = query_text(&query, 0, arena),
                                                  .vin = query_text(&query, 1, arena)};
    int rc = query_end(&query);
    return rc < 0 || found ? rc : -ENOENT;
}

static int expire_one(struct connection *connection, struct wf_arena *arena)
{
    struct custody_authorization expired;
    int rc = find_expired(connection, arena, &expired);
    return rc == 0 ? authorization_set_status(connection, &expired, CUSTODY_EXPIRED, NULL) : rc;
}

static int complete_one(struct connection *connection, struct wf_arena *arena)
{
    struct custody_transfer transfer;
    int rc = transfer_find_due(connection, arena, &transfer);
    return rc == 0 ? transfer_complete(connection, &transfer) : rc;
}

/* One after another, until none is left. */
static int run_all(struct connection *connection, int (*one)(struct connection *connection, struct wf_arena *arena))
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    int rc = 0;
    for (int i = 0; rc == 0 && i < AT_ONCE_MAX; i++) {
        rc = one(connection, &arena);
        wf_arena_reset(&arena);
    }
    wf_arena_finish(&arena);
    return rc == -ENOENT ? 0 : rc;
}

int due_find(struct connection *connection)
{
    struct query query =
        query_of(connection,
                 "SELECT min(ifnull((SELECT expires_at FROM " OPEN_BY_EXPIRY "ORDER BY expires_at LIMIT 1), ?1), "
                 "ifnull((SELECT due_at FROM transfers WHERE status = 0 ORDER BY due_at LIMIT 1), ?1))");
    query_bind_number(&query, 1, INT64_MAX);
    if (query_next(&query)) connection->due = query_number(&query, 0);
    return query_end(&query);
}

int due_run(struct connection *connection)
{
    int rc = run_all(connection, complete_one);
    if (rc == 0) rc = run_all(connection, expire_one);
    return rc == 0 ? due_find(connection) : rc;
}

/* ---- On the loop ---- */

static int nothing_more(struct connection *connection, struct call *call)
{
    (void)connection;
    (void)call;
    return 0;
}

/* Until then, or a minute, because the date may be set meanwhile; or until something else is due before. */
static int wait_until(struct sqlite_storage *storage, int64_t due)
{
    int64_t left = due - wf_wall_now() / 1000;
    if (left <= 0) return -ETIME;
    int64_t wait = left < 60000000 ? WF_MICROSECONDS(left) : WF_MINUTES(1);
    return wf_within(wait, wf_event_wait(&storage->due_moved));
}

/* A batch begins with what is due: an empty one does nothing else. */
static int let_happen(struct sqlite_storage *storage)
{
    struct call call = {.kind = CALL_CHANGES, .run = nothing_more};
    int rc = call_make(storage, &call);
    if (rc == 0 || rc == -ECANCELED || rc == -ESHUTDOWN) return rc;
    return wf_sleep(WF_SECONDS(1)); /* the disk is full, perhaps: later */
}

int clock_run(struct sqlite_storage *storage)
{
    int rc = 0;
    while (rc == 0) {
        wf_event_clear(&storage->due_moved);
        rc = wait_until(storage, storage->due);
        if (rc == -ETIME) rc = storage->due <= wf_wall_now() / 1000 ? let_happen(storage) : 0;
    }
    return rc == -ESHUTDOWN ? 0 : rc;
}
