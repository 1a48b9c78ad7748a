/*
 * A pool of two to ten connections with a health check. From "Connection Management: Connection Pooling".
 *
 * Rows: S087.
 *
 * The sample looks at the number of connections and opens another one after an await, so it exceeds its maximum; a
 * release then waits for ever on the full queue; where an unhealthy one is dropped, nobody wakes the one who waits; a
 * lock lets one connect at a time, and each growth costs 100 ms. Here opening counts before it begins, connections are
 * opened at once, and what is broken is replaced, for the first that waits.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/connection_pooling.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

struct connection {
    int number;
    bool dead;
};

struct database {
    int opened, open, peak, pings;
    int users; /* that are served */
};

static int create_connection(void *context, void **resource)
{
    struct database *database = context;
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL) return -ENOMEM;
    *connection = (struct connection){.number = ++database->opened};
    if (++database->open > database->peak) database->peak = database->open;
    int rc = wf_sleep(WF_MILLISECONDS(50));
    if (rc == 0) *resource = connection;
    else database->open--;
    if (rc < 0) free(connection);
    return rc;
}

static void close_connection(void *context, void *resource)
{
    struct database *database = context;
    database->open--;
    free(resource);
}

static int ping(void *context, void *resource)
{
    struct database *database = context;
    const struct connection *connection = resource;
    database->pings++;
    return connection->dead ? -EPIPE : 0;
}

struct user {
    struct wf_pool *pool;
    struct database *database;
};

static int use_connection(struct user *user)
{
    WF_BORROW(lease, user->pool); /* given back on every way out */
    if (lease.code < 0) return lease.code;
    struct connection *connection = lease.resource;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    connection->dead = connection->number == 3; /* dies while it is used; nobody notices but the check */
    user->database->users += rc == 0;
    return rc;
}

static int serve_at_once(struct wf_pool *pool, struct database *database, int users)
{
    struct user user = {pool, database};
    int64_t started = wf_now();
    WF_SCOPE(scope);
    for (int i = 0; i < users; i++) wf_spawn(&scope, use_connection, &user);
    int rc = wf_scope_join(&scope);
    printf("%d users in %.2f s: %d open, at most %d, %d opened so far\n", users, wf_seconds(wf_now() - started),
           database->open, database->peak, database->opened);
    return rc;
}

static int run(struct database *database)
{
    struct wf_pool *pool;
    WF_SCOPE(scope);
    int rc = wf_pool_create(&pool, &scope, .open = create_connection, .close = close_connection, .check = ping,
                            .context = database, .min = 2, .max = 10, .check_after = WF_SECONDS(5));
    if (rc == 0) rc = wf_pool_warm(pool);
    printf("initialized: %d open\n", database->open);
    if (rc == 0) rc = serve_at_once(pool, database, 50);
    if (rc == 0) rc = wf_sleep(WF_SECONDS(10)); /* long enough that a connection is asked before it is lent again */
    if (rc == 0) rc = serve_at_once(pool, database, 50);
    printf("%d users were served, %d pings\n", database->users, database->pings);
    if (rc == 0) rc = wf_within(WF_SECONDS(1), wf_pool_drain(pool));
    printf("drained: %d open\n", database->open);
    wf_pool_destroy(pool);
    return wf_scope_end(&scope, rc);
}

int main(void)
{
    static struct database database;
    wf_log_set_level("pool", WF_OFF); /* that one was replaced is a line of the log, too */
    return wf_main(run, &database);
}
