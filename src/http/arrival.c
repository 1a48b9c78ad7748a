#include "http/arrival.h"

#include <string.h>
#include <weft/task.h>
#include <weft/tls.h>

#include "http/app.h"
#include "http/crowd.h"
#include "http/forwarded.h"
#include "http/lent.h"
#include "http/proxy_header.h"

struct arrival {
    struct lent lent;
    struct wf_stream *tls; /* NULL: there is none */
};

/* ---- A proxy's header ---- */

static int read_header(struct lent *lent, struct proxy_header *header)
{
    ssize_t used = 0;
    while (used == 0 && lent->end < PROXY_HEADER_MAX) {
        ssize_t got = wf_stream_read(lent->under, lent->bytes + lent->end, PROXY_HEADER_MAX - lent->end);
        if (got <= 0) return got < 0 ? (int)got : WF_EEND;
        lent->end += (size_t)got;
        used = proxy_header_parse(lent->bytes, lent->end, header);
    }
    if (used <= 0) return wf_fail(-EBADMSG, "the connection does not begin with a header of the PROXY protocol");
    lent->first = (size_t)used;
    return 0;
}

/* What came behind the header is the first that is read. */
static int take_header(struct lent *lent)
{
    struct proxy_header header = {.has_addresses = false};
    lent->bytes = wf_memory_alloc(PROXY_HEADER_MAX);
    if (lent->bytes == NULL) return -ENOMEM;
    int rc = read_header(lent, &header);
    if (rc < 0) return rc;
    lent->has_addresses = header.has_addresses;
    lent->peer = header.source;
    lent->local = header.destination;
    if (lent->first < lent->end) return 0;
    wf_memory_free(lent->bytes);
    lent->bytes = NULL;
    return 0;
}

/* ---- TLS ---- */

/* Whose stream it is does not matter: one that came as TLS is looked at, too. */
static int look_at_tls(struct connection *connection)
{
    struct wf_arena arena;
    struct wf_tls_info info;
    wf_arena_init(&arena);
    int rc = wf_tls_info(connection->stream, &arena, &info);
    connection->secure = rc == 0;
    connection->speaks_h2 = rc == 0 && info.alpn != NULL && strcmp(info.alpn, "h2") == 0;
    wf_arena_finish(&arena);
    return rc == -ENOMEM ? rc : 0;
}

static int shake_hands(struct arrival *arrival, struct connection *connection)
{
    int rc = wf_tls_accept(&arrival->lent.stream, connection->server->tls, &arrival->tls);
    if (rc == 0) connection->stream = arrival->tls;
    return rc;
}

/* ---- All of it ---- */

/* A proxy that is trusted comes for many. */
static int enter_crowd(struct connection *connection)
{
    const struct server *server = connection->server;
    const struct wf_app_ *app = server->app->private_;
    struct wf_address peer;
    if (server->crowd == NULL || wf_stream_peer(connection->stream, &peer) < 0) return 0;
    if (app->trusted_count > 0 && forwarded_trusts(app, &peer)) return 0;
    return crowd_enter(server->crowd, &peer, app->limits.per_peer, &connection->peer);
}

static int arrive(struct arrival *arrival, struct connection *connection)
{
    const struct server *server = connection->server;
    connection->stream = &arrival->lent.stream;
    int rc = server->proxy_protocol ? take_header(&arrival->lent) : 0;
    if (rc == 0) rc = enter_crowd(connection);
    return rc == 0 && server->tls != NULL ? shake_hands(arrival, connection) : rc;
}

static int arrive_in_time(struct arrival *arrival, struct connection *connection)
{
    set_phase(connection, PHASE_HEAD);
    WF_SCOPE(scope);
    connection->scope = &scope;
    int rc = arrive(arrival, connection);
    connection->scope = NULL;
    bool slow = wf_scope_cancelled(&scope) && wf_scope_reason(&scope)->text == cut_slow;
    rc = wf_scope_end(&scope, rc);
    return slow ? -ETIMEDOUT : rc;
}

int arrival_begin(struct connection *connection, struct arrival **arrival)
{
    const struct server *server = connection->server;
    *arrival = NULL;
    if (server->tls == NULL && !server->proxy_protocol) {
        int rc = enter_crowd(connection);
        return rc == 0 ? look_at_tls(connection) : rc;
    }
    struct arrival *made = wf_memory_alloc(sizeof *made);
    if (made == NULL) return -ENOMEM;
    made->tls = NULL;
    lent_init(&made->lent, connection->stream);
    *arrival = made;
    int rc = arrive_in_time(made, connection);
    return rc == 0 ? look_at_tls(connection) : rc;
}

void arrival_end(struct arrival *arrival, bool abort)
{
    if (arrival == NULL) return;
    if (arrival->tls != NULL && abort) wf_stream_abort(arrival->tls);
    else wf_stream_close(arrival->tls);
    lent_finish(&arrival->lent);
    wf_memory_free(arrival);
}
