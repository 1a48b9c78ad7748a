/* Lanes and their workers: many calls become one job, one transaction, and one wait for the disk. */
#include "sqlite_storage.h"

#include <stdio.h>
#include <string.h>

/* ---- On the loop: into the lane, and out of it ---- */

static void put(struct lane *lane, struct call *call)
{
    call->next = NULL;
    if (lane->first == NULL) {
        lane->first = call;
        wf_semaphore_release(&lane->work);
    } else lane->last->next = call;
    lane->last = call;
}

static void call_off(struct lane *lane, struct call *call)
{
    struct call *before = NULL;
    for (struct call *other = lane->first; other != call; other = other->next) before = other;
    if (before != NULL) before->next = call->next;
    else lane->first = call->next;
    if (lane->last == call) lane->last = before;
}

/* The caller's arena may be used by others while the call is on its thread: it gets one of its own, which goes with
 * it. */
static int give_arena(struct call *call)
{
    if (call->arena == NULL) return 0;
    struct wf_arena *own = wf_arena_new(call->arena, struct wf_arena);
    if (own == NULL) return -ENOMEM;
    wf_arena_init(own);
    int rc = wf_arena_defer(call->arena, wf_arena_finish, own);
    call->arena = own;
    return rc;
}

int call_make(struct sqlite_storage *storage, struct call *call)
{
    struct lane *lane = call->kind == CALL_READS && storage->reader_count > 0 ? &storage->reading : &storage->writing;
    if (lane->closed) return wf_fail(-ESHUTDOWN, "the storage is closed");
    int given = give_arena(call);
    if (given < 0) return given;
    call->done = (struct wf_event)WF_EVENT;
    put(lane, call);
    int rc = wf_event_wait(&call->done);
    if (rc < 0 && !call->taken) {
        call_off(lane, call);
        return rc;
    }
    if (rc < 0) wf_shielded(WF_FOREVER, wf_event_wait(&call->done));
    return call->message[0] != '\0' ? wf_fail(call->rc, "%s", call->message) : call->rc;
}

static void answer(struct call *call, int rc, const char *message)
{
    call->rc = rc;
    snprintf(call->message, sizeof call->message, "%s", message);
    wf_event_set(&call->done); /* and the caller's stack may be gone at its next turn */
}

/* ---- On a thread: a batch ---- */

struct batch {
    struct connection *connection;
    struct call *calls[BATCH_MAX];
    size_t count;
    bool writes, changes;
    int64_t now;
};

/* Checks by themselves need not wait for the disk. Outside of a transaction only. */
static int set_synced(struct connection *connection, bool synced)
{
    if (connection->synced == synced) return 0;
    const char *sql = synced ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL";
    if (sqlite3_exec(connection->db, sql, NULL, NULL, NULL) != SQLITE_OK) return connection_failed(connection);
    connection->synced = synced;
    return 0;
}

static int begin(struct batch *batch)
{
    struct connection *connection = batch->connection;
    if (!batch->writes) return connection_run(connection, "BEGIN");
    int rc = set_synced(connection, batch->changes);
    if (rc == 0) rc = connection_run(connection, "BEGIN IMMEDIATE");
    if (rc == 0 && batch->changes && connection->due <= connection->now) rc = due_run(connection);
    return rc;
}

/* A refusal, or a fault, takes back what the call did before it. */
static int run_apart(struct connection *connection, struct call *call)
{
    int64_t last_event = connection->last_event;
    int rc = connection_run(connection, "SAVEPOINT call");
    if (rc < 0) return rc;
    call->rc = call->run(connection, call);
    if (call->rc < 0 && sqlite3_get_autocommit(connection->db)) return call->rc; /* it took all the others with it */
    if (call->rc < 0) snprintf(call->message, sizeof call->message, "%s", connection->message);
    if (call->rc == 0) return connection_run(connection, "RELEASE call");
    connection->last_event = last_event;
    rc = connection_run(connection, "ROLLBACK TO call");
    return rc < 0 ? rc : connection_run(connection, "RELEASE call");
}

static int run_calls(struct batch *batch)
{
    struct connection *connection = batch->connection;
    int rc = 0;
    for (size_t i = 0; rc == 0 && i < batch->count; i++) {
        struct call *call = batch->calls[i];
        connection->message[0] = '\0';
        if (call->kind != CALL_READS) rc = run_apart(connection, call);
        else {
            call->rc = call->run(connection, call);
            snprintf(call->message, sizeof call->message, "%s", call->rc < 0 ? connection->message : "");
        }
    }
    return rc;
}

static void fail_all(struct batch *batch, int rc, const char *message)
{
    for (size_t i = 0; i < batch->count; i++) {
        batch->calls[i]->rc = rc;
        snprintf(batch->calls[i]->message, SQLITE_MESSAGE_MAX, "%s", message);
    }
}

static int run_batch(struct batch *batch)
{
    struct connection *connection = batch->connection;
    int64_t last_event = connection->last_event, due = connection->due;
    connection->now = batch->now;
    int rc = begin(batch);
    if (rc == 0) rc = run_calls(batch);
    if (rc == 0) rc = connection_run(connection, "COMMIT");
    if (rc == 0) return 0;
    fail_all(batch, rc, connection->message);
    if (!sqlite3_get_autocommit(connection->db)) connection_run(connection, "ROLLBACK");
    connection->last_event = last_event;
    connection->due = due;
    return 0;
}

/* ---- On the loop: the worker ---- */

static void take(struct lane *lane, struct batch *batch)
{
    while (batch->count < BATCH_MAX && lane->first != NULL) {
        struct call *call = lane->first;
        lane->first = call->next;
        call->taken = true;
        batch->calls[batch->count++] = call;
        batch->writes |= call->kind != CALL_READS;
        batch->changes |= call->kind == CALL_CHANGES;
    }
    if (lane->first != NULL) wf_semaphore_release(&lane->work);
}

static void tell(struct sqlite_storage *storage, const struct connection *connection)
{
    if (connection->due != storage->due) {
        storage->due = connection->due;
        wf_event_set(&storage->due_moved);
    }
    if (connection->last_event == storage->last_event) return;
    storage->last_event = connection->last_event;
    wf_event_set(&storage->news);
    wf_event_clear(&storage->news); /* woken once, each looks for itself */
}

static int work(struct worker *worker)
{
    struct batch batch = {.connection = &worker->connection, .now = wf_wall_now() / 1000};
    take(worker->lane, &batch);
    if (batch.count == 0) return 0;
    int rc = wf_offload(run_batch, &batch);
    if (rc == -ECANCELED) fail_all(&batch, -ESHUTDOWN, "the storage is closed");
    else if (rc < 0) fail_all(&batch, rc, "no thread for the storage");
    else if (batch.writes) tell(worker->storage, batch.connection);
    for (size_t i = 0; i < batch.count; i++) wf_event_set(&batch.calls[i]->done);
    return rc == -ECANCELED ? rc : 0;
}

static void turn_away(struct lane *lane)
{
    lane->closed = true;
    while (lane->first != NULL) {
        struct call *call = lane->first;
        lane->first = call->next;
        call->taken = true;
        answer(call, -ESHUTDOWN, "the storage is closed");
    }
}

int worker_run(struct worker *worker)
{
    int rc = 0;
    while (rc == 0) {
        rc = wf_semaphore_acquire(&worker->lane->work);
        if (rc == 0) rc = work(worker);
    }
    turn_away(worker->lane);
    return rc;
}
