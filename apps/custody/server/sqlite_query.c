/* Statements of SQLite, prepared once for each connection. */
#include "sqlite_query.h"

#include <stdio.h>
#include <string.h>

enum { BUSY_MS = 5000 };

/* ---- Connections ---- */

int connection_failed(struct connection *connection)
{
    int code = connection->db != NULL ? sqlite3_errcode(connection->db) : SQLITE_NOMEM;
    snprintf(connection->message, sizeof connection->message, "%s",
             connection->db != NULL ? sqlite3_errmsg(connection->db) : "out of memory");
    return (code & 0xff) == SQLITE_NOMEM ? -ENOMEM : -EIO;
}

int connection_says(struct connection *connection, const char *message)
{
    snprintf(connection->message, sizeof connection->message, "%s", message);
    return -EIO;
}

/* Whatever the connection is told, once. */
static int pragma(struct connection *connection, const char *sql)
{
    return sqlite3_exec(connection->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : connection_failed(connection);
}

int connection_open(struct connection *connection, const char *where, bool reads_only)
{
    int flags = SQLITE_OPEN_NOMUTEX | (reads_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    if (sqlite3_open_v2(where, &connection->db, flags, NULL) != SQLITE_OK) return connection_failed(connection);
    sqlite3_extended_result_codes(connection->db, 1);
    sqlite3_busy_timeout(connection->db, BUSY_MS);
    int rc = pragma(connection, "PRAGMA foreign_keys = ON; PRAGMA temp_store = MEMORY; PRAGMA synchronous = FULL");
    if (rc == 0 && !reads_only) rc = pragma(connection, "PRAGMA journal_mode = WAL");
    connection->synced = true;
    return rc;
}

void connection_close(struct connection *connection)
{
    for (size_t i = 0; i < connection->statement_count; i++) sqlite3_finalize(connection->statements[i].prepared);
    sqlite3_close(connection->db);
    *connection = (struct connection){.db = NULL};
}

/* ---- Queries ---- */

static sqlite3_stmt *prepare(struct connection *connection, const char *sql)
{
    for (size_t i = 0; i < connection->statement_count; i++)
        if (connection->statements[i].sql == sql) return connection->statements[i].prepared;
    if (connection->statement_count == STATEMENTS_MAX) return NULL;
    sqlite3_stmt *prepared;
    if (sqlite3_prepare_v3(connection->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &prepared, NULL) != SQLITE_OK)
        return NULL;
    connection->statements[connection->statement_count++] = (struct statement){sql, prepared};
    return prepared;
}

struct query query_of(struct connection *connection, const char *sql)
{
    struct query query = {.connection = connection, .prepared = prepare(connection, sql)};
    if (query.prepared == NULL && connection->statement_count == STATEMENTS_MAX)
        query.rc = connection_says(connection, "more statements than a connection keeps");
    else if (query.prepared == NULL) query.rc = connection_failed(connection);
    return query;
}

static void check(struct query *query, int code)
{
    if (code != SQLITE_OK && query->rc == 0) query->rc = connection_failed(query->connection);
}

void query_bind_text(struct query *query, int at, const char *text)
{
    if (query->rc == 0) check(query, sqlite3_bind_text(query->prepared, at, text, -1, SQLITE_STATIC));
}

void query_bind_number(struct query *query, int at, int64_t number)
{
    if (query->rc == 0) check(query, sqlite3_bind_int64(query->prepared, at, number));
}

void query_bind_bytes(struct query *query, int at, const void *bytes, size_t size)
{
    if (query->rc == 0) check(query, sqlite3_bind_blob64(query->prepared, at, bytes, size, SQLITE_STATIC));
}

bool query_next(struct query *query)
{
    if (query->rc < 0) return false;
    int code = sqlite3_step(query->prepared);
    if (code != SQLITE_ROW && code != SQLITE_DONE) query->rc = connection_failed(query->connection);
    return code == SQLITE_ROW;
}

int64_t query_number(struct query *query, int at)
{
    return sqlite3_column_int64(query->prepared, at);
}

const char *query_text(struct query *query, int at, struct wf_arena *arena)
{
    if (query_is_null(query, at)) return NULL;
    const unsigned char *text = sqlite3_column_text(query->prepared, at);
    char *copy = text != NULL ? wf_arena_strdup(arena, (const char *)text) : NULL;
    if (copy == NULL && query->rc == 0) query->rc = -ENOMEM;
    return copy;
}

bool query_is_null(struct query *query, int at)
{
    return sqlite3_column_type(query->prepared, at) == SQLITE_NULL;
}

bool query_same_bytes(struct query *query, int at, const void *bytes, size_t size)
{
    const void *found = sqlite3_column_blob(query->prepared, at);
    return found != NULL && (size_t)sqlite3_column_bytes(query->prepared, at) == size &&
           memcmp(found, bytes, size) == 0;
}

int query_end(struct query *query)
{
    if (query->prepared != NULL) {
        sqlite3_reset(query->prepared);
        sqlite3_clear_bindings(query->prepared);
    }
    return query->rc;
}

int query_run(struct query *query)
{
    while (query_next(query)) {}
    return query_end(query);
}

int connection_run(struct connection *connection, const char *sql)
{
    struct query query = query_of(connection, sql);
    return query_run(&query);
}
