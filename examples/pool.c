/*
 * A pool of connections: twelve queries at once over three of them, one of which breaks.
 *
 *     weft run examples/pool.c
 */
#include <stdio.h>
#include <stdlib.h>
#include <weft/weft.h>

struct connection {
    int number;
    bool broken;
};

struct server {
    int opened, open, peak, answered;
};

static int open_connection(void *context, void **resource)
{
    struct server *server = context;
    struct connection *connection = malloc(sizeof *connection);
    if (connection == NULL) return -ENOMEM;
    *connection = (struct connection){.number = ++server->opened};
    if (++server->open > server->peak) server->peak = server->open;
    *resource = connection;
    return 0;
}

static void close_connection(void *context, void *resource)
{
    struct server *server = context;
    server->open--;
    free(resource);
}

struct query {
    struct wf_pool *pool;
    struct server *server;
    int number;
};

static int ask(struct query *query)
{
    WF_BORROW(lease, query->pool);  // given back on every way out
    if (lease.code < 0) return lease.code;
    struct connection *connection = lease.resource;
    int rc = wf_sleep(WF_MILLISECONDS(20));  // stands for the query
    if (query->number == 1) {
        printf("query 1: connection %d broke\n", connection->number);
        return wf_pool_discard(&lease);  // nobody gets it any more
    }
    query->server->answered += rc == 0;
    return rc;
}

static int ask_all(struct wf_pool *pool, struct server *server)
{
    struct query queries[12];
    WF_SCOPE(scope);
    for (int i = 0; i < 12; i++) {
        queries[i] = (struct query){pool, server, i};
        wf_spawn(&scope, ask, &queries[i]);
    }
    return wf_scope_join(&scope);
}

static int serve(struct server *server)
{
    struct wf_pool *pool;
    WF_SCOPE(scope);
    int rc = wf_pool_create(&pool, &scope, .open = open_connection, .close = close_connection, .context = server,
                            .min = 1, .max = 3, .name = "db");
    if (rc == 0) rc = ask_all(pool, server);
    if (rc == 0) printf("%d answers; %d opened, at most %d at once\n", server->answered, server->opened, server->peak);
    if (rc == 0) rc = wf_within(WF_SECONDS(1), wf_pool_drain(pool));
    printf("drained: %s; open: %d\n", wf_strerror(rc), server->open);
    wf_pool_destroy(pool);
    return wf_scope_end(&scope, rc);
}

int main(void)
{
    struct server server = {0};
    return wf_main(serve, &server);
}
