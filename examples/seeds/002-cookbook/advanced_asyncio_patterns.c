/*
 * A connection as a scoped resource: opened, used, and closed on every way out of its block. From "1. Advanced asyncio
 * Patterns".
 *
 * Rows: S088, S128, S131.
 *
 * The sample's connection is a dict: conn.get("SELECT ...") awaits None, and close fails in __aexit__, where it hides
 * the first error. Here the close runs after a success, a failure and a cancel, and the first error is the one that
 * comes back; a connection that was never opened is not closed.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/002-cookbook/advanced_asyncio_patterns.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

struct connection {
    bool open;
};

static int database_connect(struct connection *connection, const char *host)
{
    int rc = wf_sleep(WF_MILLISECONDS(100));
    if (rc < 0) return rc;
    if (strcmp(host, "nowhere") == 0) return wf_fail(-ECONNREFUSED, "cannot connect to %s", host);
    connection->open = true;
    printf("  connected\n");
    return 0;
}

/* Says goodbye to the server, under a cancel too, but not for ever. */
static void database_close(struct connection *connection)
{
    if (!connection->open) return;
    int rc = wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(10)));
    printf("  closed: %s\n", wf_strerror(rc));
}

static int query(const char *sql, int *rows)
{
    int rc = wf_sleep(WF_MILLISECONDS(200));
    if (rc < 0) return rc;
    if (strstr(sql, "FROM users") == NULL) return wf_fail(-EINVAL, "no such table: %s", sql);
    *rows = 3;
    return 0;
}

static int fetch_data(const char *host, const char *sql, int *rows)
{
    struct connection connection __attribute__((cleanup(database_close))) = {.open = false};
    int rc = database_connect(&connection, host);
    return rc < 0 ? rc : query(sql, rows);
}

static void show(const char *title, const char *host, const char *sql, int64_t limit)
{
    int rows = 0;
    printf("%s:\n", title);
    int rc = wf_within(limit, fetch_data(host, sql, &rows));
    if (rc == 0) printf("  %d rows\n", rows);
    else printf("  failed: %s\n", rc == -ETIME ? wf_strerror(rc) : wf_failure());
}

static int fetch_in_four_ways(void *unused)
{
    (void)unused;
    show("a query", "db", "SELECT * FROM users", WF_SECONDS(5));
    show("a query that fails", "db", "SELECT * FROM nothing", WF_SECONDS(5));
    show("a query that is cut", "db", "SELECT * FROM users", WF_MILLISECONDS(150));
    show("no connection", "nowhere", "SELECT * FROM users", WF_SECONDS(5));
    return 0;
}

int main(void)
{
    return wf_main(fetch_in_four_ways, NULL);
}
