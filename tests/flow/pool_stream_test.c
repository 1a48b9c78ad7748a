/* A pool of real connections: to a server that answers, and that hangs up on all of them. */
#include <weft/testing.h>
#include <weft/weft.h>

struct site {
    struct wf_listener *listener;
    struct wf_token starts[2]; /* cancelled: the connections since that start go */
    int start;
    struct wf_pool *pool;
    int accepted, asked, failed;
};

/* ---- The server ---- */

struct conversation {
    struct wf_token *since;
    struct wf_stream *conn;
};

static int echo(struct wf_stream *conn)
{
    char byte;
    int rc;
    while ((rc = (int)wf_stream_read(conn, &byte, 1)) > 0) {
        rc = wf_stream_write_all(conn, &byte, 1, NULL);
        if (rc < 0) return rc;
    }
    return rc;
}

static int converse(struct conversation *conversation)
{
    wf_ignore(wf_linked(conversation->since, echo(conversation->conn)));
    wf_stream_close(conversation->conn);
    return 0;
}

static int accept_all(struct site *site)
{
    WF_SCOPE(clients);
    struct wf_stream *conn;
    int rc;
    while ((rc = wf_tcp_accept(site->listener, &conn)) == 0) {
        site->accepted++;
        struct conversation conversation = {&site->starts[site->start], conn};
        if (wf_spawn_copy(&clients, converse, &conversation) < 0) wf_stream_close(conn);
    }
    return wf_scope_end(&clients, rc);
}

/* ---- The pool ---- */

static int open_stream(void *context, void **resource)
{
    const struct site *site = context;
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", wf_listener_port(site->listener), &conn);
    if (rc == 0) *resource = conn;
    return rc;
}

static void close_stream(void *context, void *resource)
{
    (void)context;
    wf_stream_close(resource);
}

static int ping(void *context, void *resource)
{
    (void)context;
    char byte = '.';
    int rc = wf_stream_write_all(resource, &byte, 1, NULL);
    return rc < 0 ? rc : wf_stream_read_full(resource, &byte, 1, NULL);
}

static int ask(struct site *site)
{
    WF_BORROW(lease, site->pool);
    int rc = lease.code < 0 ? lease.code : ping(NULL, lease.resource);
    if (rc < 0 && lease.resource != NULL) wf_ignore(wf_pool_discard(&lease));
    if (rc == 0) site->asked++;
    else site->failed++;
    return rc == -ECANCELED ? rc : 0;
}

static int ask_times(struct site *site, int times)
{
    WF_SCOPE(scope);
    for (int i = 0; i < times; i++) wf_spawn(&scope, ask, site);
    return wf_scope_join(&scope);
}

static int ask_before_and_after(struct site *site)
{
    int rc = ask_times(site, 12);
    WF_EXPECT(site->accepted <= 3);
    struct wf_pool_statistics before;
    wf_pool_statistics(site->pool, &before);
    wf_token_cancel(&site->starts[site->start++], "restart");
    if (rc == 0) rc = wf_test_wait_idle();
    if (rc == 0) rc = ask_times(site, 12);
    struct wf_pool_statistics statistics;
    wf_pool_statistics(site->pool, &statistics);
    WF_EXPECT_INT((int64_t)statistics.closed[WF_POOL_UNHEALTHY], before.idle);
    WF_INVARIANT(statistics.open_peak <= 3);
    return rc;
}

static int run_site(struct site *site)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, accept_all, site, .daemon = true);
    int rc = wf_pool_create(&site->pool, &scope, .open = open_stream, .close = close_stream, .check = ping,
                            .check_after = WF_POOL_ALWAYS, .context = site, .min = 1, .max = 3);
    if (rc == 0) rc = ask_before_and_after(site);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_server_that_hangs_up_costs_no_borrower_anything, .sweep = true)
{
    struct site site = {.starts = {WF_TOKEN, WF_TOKEN}};
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &site.listener), 0)) return;
    WF_EXPECT_CODE(run_site(&site), 0);
    WF_EXPECT_INT(site.asked, 24);
    WF_EXPECT_INT(site.failed, 0);
    wf_pool_destroy(site.pool);
    wf_listener_close(site.listener);
}

WF_TEST_MAIN
