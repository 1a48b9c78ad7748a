/*
 * A pool of connections that is there for a block: five are opened at once, at most twenty exist, and all are closed in
 * the end, whatever the block returned. From "Async Context Managers", "Class-Based Context Manager".
 * Rows: S087, S131.
 * The sample's close waits for ever for a connection that nobody gives back; here the wait has a bound. Its server is
 * PostgreSQL; here it is one of the program's own, over TCP, that answers each query with a number.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/class_based_context_manager.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

/* ---- The server ---- */

struct query {
    char text[24];
};

struct server {
    struct wf_listener *listener;
    int open, peak;
};

static int answer_queries(struct server *server, struct wf_stream *conn)
{
    struct query query;
    int rc;
    if (++server->open > server->peak) server->peak = server->open;
    while ((rc = wf_idle(wf_stream_read_full(conn, &query, sizeof query, NULL))) == 0) {
        int rows = strcmp(query.text, "SELECT * FROM users") == 0 ? 3 : -1;
        rc = wf_sleep(WF_MILLISECONDS(10));
        if (rc == 0) rc = wf_stream_write_all(conn, &rows, sizeof rows, NULL);
        if (rc < 0) break;
    }
    server->open--;
    return rc == WF_EEND ? 0 : rc;
}

static int serve(struct server *server)
{
    return wf_serve_streams(server->listener, answer_queries, server);
}

/* ---- Its connections ---- */

static int connect_to(void *context, void **resource)
{
    const uint16_t *port = context;
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", *port, &conn);
    if (rc == 0) *resource = conn;
    return rc;
}

static void disconnect(void *context, void *resource)
{
    (void)context;
    wf_stream_close(resource);
}

/* Returns how many rows were found. */
static int fetch(struct wf_pool *pool, struct query query)
{
    int rows = -1;
    WF_BORROW(conn, pool);
    if (conn.code < 0) return conn.code;
    int rc = wf_stream_write_all(conn.resource, &query, sizeof query, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn.resource, &rows, sizeof rows, NULL);
    if (rc < 0) wf_pool_discard(&conn); /* an answer may be under way */
    return rc < 0 ? rc : rows < 0 ? wf_fail(-EBADMSG, "what is \"%s\"?", query.text) : rows;
}

/* ---- A pool for the time of a function ---- */

static int with_pool(uint16_t port, int (*body)(struct wf_pool *, struct server *), struct server *server)
{
    struct wf_pool *pool;
    WF_SCOPE(scope);
    int rc =
        wf_pool_create(&pool, &scope, .open = connect_to, .close = disconnect, .context = &port, .min = 5, .max = 20);
    if (rc == 0) rc = wf_pool_warm(pool);
    if (rc == 0) rc = body(pool, server);
    if (pool != NULL) wf_ignore(wf_within(WF_SECONDS(5), wf_pool_drain(pool)));
    wf_pool_destroy(pool);
    return wf_scope_end(&scope, rc); /* what the body returned: closing hides no error */
}

static int find_users(struct wf_pool **pool)
{
    int rc = fetch(*pool, (struct query){"SELECT * FROM users"});
    return rc < 0 ? rc : 0;
}

static int use_pool(struct wf_pool *pool, struct server *server)
{
    struct wf_pool *pools[100];
    int rc = wf_sleep(WF_MILLISECONDS(10)); /* until the server has seen them */
    printf("opened: %d connections\n", server->open);
    if (rc == 0) rc = fetch(pool, (struct query){"SELECT * FROM users"});
    if (rc < 0) return rc;
    printf("Found %d users\n", rc);
    for (size_t i = 0; i < WF_COUNT(pools); i++) pools[i] = pool;
    rc = wf_gather(pools, WF_COUNT(pools), find_users);
    printf("a hundred at once: at most %d connections\n", server->peak);
    return rc;
}

static int make_mistake(struct wf_pool *pool, struct server *server)
{
    (void)server;
    return fetch(pool, (struct query){"SELEKT * FROM users"});
}

static int run(void *unused)
{
    struct server server = {.open = 0};
    (void)unused;
    int rc = wf_tcp_listen("127.0.0.1", 0, &server.listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, &server, .daemon = true);
    uint16_t port = wf_listener_port(server.listener);
    rc = with_pool(port, use_pool, &server);
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(10));
    printf("closed: %d connections\n", server.open);
    int wrong = with_pool(port, make_mistake, &server);
    printf("an error inside: %s\n", wrong < 0 ? wf_failure() : "none");
    wrong = with_pool(1, use_pool, &server);
    printf("nobody there: %s\n", wrong < 0 ? wf_failure() : "somebody");
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(server.listener);
    return rc;
}

int main(void)
{
    wf_log_set_level("pool", WF_OFF); /* which tells of the server that is not there */
    return wf_main(run, NULL);
}
