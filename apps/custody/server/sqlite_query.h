/*
 * Statements of one connection: prepared once, kept, and told apart by the address of their text.
 *
 *     struct query query = query_of(connection, "SELECT custodian FROM vehicles WHERE vin = ?1");
 *     query_bind_text(&query, 1, vin);
 *     if (query_next(&query)) custodian = query_text(&query, 0, arena);
 *     return query_end(&query);                       // 0, or the first thing that went wrong
 *
 * Nothing here suspends: all of it belongs on a thread for what blocks. Threads: one at a time.
 */
#ifndef CUSTODY_SQLITE_QUERY_H
#define CUSTODY_SQLITE_QUERY_H

#include <sqlite3.h>
#include <weft/weft.h>

enum {
    STATEMENTS_MAX = 96,
    SQLITE_MESSAGE_MAX = 160,
};

struct statement {
    const char *sql;
    sqlite3_stmt *prepared;
};

struct connection {
    sqlite3 *db;
    struct statement statements[STATEMENTS_MAX];
    size_t statement_count;
    char message[SQLITE_MESSAGE_MAX]; /* of the last failure */
    bool provision;
    bool synced;        /* a commit waits for the disk */
    int64_t now;        /* us since 1970: when the batch began */
    int64_t due;        /* us: when something happens by itself; at the earliest */
    int64_t last_event; /* its number */
};

struct query {
    struct connection *connection;
    sqlite3_stmt *prepared; /* NULL: it could not be */
    int rc;
};

/* Reads and writes, or reads only. */
WF_CHECKED int connection_open(struct connection *connection, const char *where, bool reads_only);
void connection_close(struct connection *connection);

/* Notes what SQLite says; -ENOMEM or -EIO. */
int connection_failed(struct connection *connection);

/* The same for what we found out ourselves. */
int connection_says(struct connection *connection, const char *message);

/* The text must be a literal. */
struct query query_of(struct connection *connection, const char *sql);

/* Parameters, from 1. What is bound must stay until the end. A text that is NULL is NULL. */
void query_bind_text(struct query *query, int at, const char *text);
void query_bind_number(struct query *query, int at, int64_t number);
void query_bind_bytes(struct query *query, int at, const void *bytes, size_t size);

/* Is there another row? */
bool query_next(struct query *query);

/* Columns of the row, from 0. The text is in the arena; NULL where the column is, or memory has run out. */
int64_t query_number(struct query *query, int at);
const char *query_text(struct query *query, int at, struct wf_arena *arena);
bool query_is_null(struct query *query, int at);
bool query_same_bytes(struct query *query, int at, const void *bytes, size_t size);

/* Ready for the next time. 0, or what went wrong. */
int query_end(struct query *query);

/* For those without rows: all of it, and its end. */
int query_run(struct query *query);
int connection_run(struct connection *connection, const char *sql);

#endif
