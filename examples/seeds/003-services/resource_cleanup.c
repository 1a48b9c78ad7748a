/*
 * A pool that is there for a block, and a connection of it for a block inside: both are closed in the end, the inner
 * one first, whatever happened. From "Context Managers", "Resource Cleanup".
 * Rows: S087, S128, S130.
 * The sample calls a method that its pool does not have. Its engine is one of PostgreSQL; here a connection is a
 * number, and opening one takes time.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/resource_cleanup.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

struct database {
    int opened, closed;
};

static int open_connection(void *context, void **connection)
{
    struct database *database = context;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    if (rc < 0) return rc;
    int *number = malloc(sizeof *number);
    if (number == NULL) return -ENOMEM;
    *number = ++database->opened;
    printf("  connection %d opened\n", *number);
    *connection = number;
    return 0;
}

static void close_connection(void *context, void *connection)
{
    struct database *database = context;
    database->closed++;
    printf("  connection %d closed\n", *(int *)connection);
    free(connection);
}

static int execute(const int *connection, int result)
{
    int rc = wf_sleep(WF_MILLISECONDS(20));
    if (rc < 0) return rc;
    return result < 0 ? wf_fail(result, "connection %d: no such table", *connection) : result;
}

static int use_connection(struct wf_pool *pool, int result)
{
    WF_BORROW(connection, pool); /* given back when this block is left */
    return connection.code < 0 ? connection.code : execute(connection.resource, result);
}

static int use_pool(struct database *database, int result)
{
    struct wf_pool *pool;
    WF_SCOPE(scope);
    int rc = wf_pool_create(&pool, &scope, .open = open_connection, .close = close_connection, .context = database);
    if (rc == 0) rc = use_connection(pool, result);
    wf_pool_destroy(pool);
    return wf_scope_end(&scope, rc);
}

static void show(const char *way, struct database *database, int rc)
{
    printf("%s: %s; %d opened, %d closed\n", way, wf_strerror(rc), database->opened, database->closed);
}

static int use_all_ways(void *unused)
{
    struct database database = {.opened = 0};
    (void)unused;
    show("success", &database, use_pool(&database, 0));
    show("error", &database, use_pool(&database, -ENOENT));
    show("cancel in the connection", &database, wf_within(WF_MILLISECONDS(110), use_pool(&database, 0)));
    show("cancel before it", &database, wf_within(WF_MILLISECONDS(50), use_pool(&database, 0)));
    return 0;
}

int main(void)
{
    return wf_main(use_all_ways, NULL);
}
