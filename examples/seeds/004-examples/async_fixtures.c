/*
 * Fixtures that use each other: a pool for all tests of the file, and a user for each test, gone after it. From
 * "Testing Async Code", "Async Fixtures".
 * Rows: S144, S145.
 * The sample's fixtures are plain ones, which pytest-asyncio does not wait for, and its clean-up is skipped when a test
 * is cancelled. Its database is PostgreSQL; here it is a table in memory, behind a pool of two connections.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/async_fixtures.c --verbose
 */
#include <stdio.h>
#include <weft/testing.h>
#include <weft/weft.h>

enum { ROWS = 8 };

struct database {
    char users[ROWS][32]; /* by id; empty: none */
    int connections;
};

static struct database database;

/* ---- Connections: one is a pointer to the database ---- */

static int open_connection(void *context, void **connection)
{
    struct database *to = context;
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    to->connections++;
    *connection = to;
    return 0;
}

static void close_connection(void *context, void *connection)
{
    struct database *from = context;
    (void)connection;
    from->connections--;
}

/* Returns the new row's id. */
static int insert_user(struct wf_pool *pool, const char *name)
{
    WF_BORROW(conn, pool);
    if (conn.code < 0) return conn.code;
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    for (int id = 0; id < ROWS; id++)
        if (database.users[id][0] == '\0') return snprintf(database.users[id], 32, "%s", name) > 0 ? id : -EINVAL;
    return -ENOSPC;
}

static int delete_user(struct wf_pool *pool, int id)
{
    WF_BORROW(conn, pool);
    if (conn.code < 0) return conn.code;
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc == 0) database.users[id][0] = '\0';
    return rc;
}

static int fetch_user(struct wf_pool *pool, int id, char name[32])
{
    WF_BORROW(conn, pool);
    if (conn.code < 0) return conn.code;
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc == 0) snprintf(name, 32, "%s", database.users[id]);
    return rc < 0 ? rc : name[0] != '\0';
}

/* ---- Fixtures ---- */

WF_FIXTURE(db_pool, .life = WF_PER_SUITE)
{
    struct wf_pool *pool;
    WF_SCOPE(scope);
    int rc = wf_pool_create(&pool, &scope, .open = open_connection, .close = close_connection, .context = &database,
                            .max = 2);
    if (rc == 0) rc = wf_provide(pool);
    wf_pool_destroy(pool);
    return wf_scope_end(&scope, rc);
}

/* The shield is for a test that was cancelled. */
WF_FIXTURE(test_user, .uses = {&db_pool})
{
    struct wf_pool *pool = wf_use(&db_pool);
    int id = insert_user(pool, "Test User");
    if (id < 0) return id;
    int rc = wf_provide(&id);
    int deleted = wf_shielded(WF_SECONDS(1), delete_user(pool, id));
    return rc < 0 ? rc : deleted;
}

/* ---- Tests ---- */

WF_TEST(test_with_fixtures, .uses = {&db_pool, &test_user})
{
    char name[32] = "";
    const int *id = wf_use(&test_user);
    if (WF_EXPECT_CODE(fetch_user(wf_use(&db_pool), *id, name), 1)) WF_EXPECT_TEXT(name, "Test User");
}

WF_TEST(test_that_the_row_is_gone, .uses = {&db_pool})
{
    char name[32] = "";
    WF_EXPECT_CODE(fetch_user(wf_use(&db_pool), 0, name), 0);
    WF_EXPECT_INT(database.connections, 1); /* the same one for all of this */
}

WF_TEST_MAIN
