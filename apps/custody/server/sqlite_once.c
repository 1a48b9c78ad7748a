/* What was answered to an idempotency key, for a day. */
#include "sqlite_storage.h"

enum { KEPT_FOR_S = 24 * 3600 };

/* Those that are too old go when another one comes: two at a time, so that they become fewer. */
static int forget_old(struct connection *connection)
{
    struct query query = query_of(connection, "DELETE FROM idempotency_keys WHERE rowid IN (SELECT rowid FROM "
                                              "idempotency_keys WHERE created_at <= ?1 ORDER BY created_at LIMIT 2)");
    query_bind_number(&query, 1, connection->now - INT64_C(1000000) * KEPT_FOR_S);
    return query_run(&query);
}

static int read_said(struct query *query, struct wf_arena *arena, struct once *once)
{
    if (!query_same_bytes(query, 0, once->body_hash, sizeof once->body_hash)) return REFUSED_KEY_REUSED;
    once->said.status = (int)query_number(query, 1);
    once->said.body = query_text(query, 2, arena);
    once->said.location = query_text(query, 3, arena);
    once->replayed = true;
    return 0;
}

int once_find(struct connection *connection, struct wf_arena *arena, struct once *once)
{
    if (once == NULL) return 0;
    once->replayed = false;
    if (once->key == NULL) return 0;
    struct query query = query_of(connection, "SELECT body_hash, status, body, location FROM idempotency_keys "
                                              "WHERE subject = ?1 AND path = ?2 AND key = ?3 AND created_at > ?4");
    query_bind_text(&query, 1, once->subject);
    query_bind_text(&query, 2, once->path);
    query_bind_text(&query, 3, once->key);
    query_bind_number(&query, 4, connection->now - INT64_C(1000000) * KEPT_FOR_S);
    int rc = query_next(&query) ? read_said(&query, arena, once) : 0;
    int ended = query_end(&query);
    return ended < 0 ? ended : rc;
}

static int keep(struct connection *connection, const struct once *once)
{
    struct query query = query_of(connection, "INSERT OR REPLACE INTO idempotency_keys (subject, path, key, body_hash, "
                                              "status, body, location, created_at) "
                                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
    query_bind_text(&query, 1, once->subject);
    query_bind_text(&query, 2, once->path);
    query_bind_text(&query, 3, once->key);
    query_bind_bytes(&query, 4, once->body_hash, sizeof once->body_hash);
    query_bind_number(&query, 5, once->said.status);
    query_bind_text(&query, 6, once->said.body);
    query_bind_text(&query, 7, once->said.location);
    query_bind_number(&query, 8, connection->now);
    return query_run(&query);
}

int once_keep(struct connection *connection, struct wf_arena *arena, struct once *once, const void *value)
{
    if (once == NULL || once->say == NULL) return 0;
    once->said = (struct said){0};
    int rc = once->say(value, arena, &once->said);
    if (rc < 0 || once->key == NULL || once->said.status < 200 || once->said.status > 299) return rc < 0 ? rc : 0;
    rc = forget_old(connection);
    return rc < 0 ? rc : keep(connection, once);
}
