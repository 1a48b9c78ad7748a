/*
 * A connection of a server, and who minds it.
 *
 *     IDLE --first byte--> HEAD --whole--> ANSWERING <--> BODY, WRITING --answer is out--> IDLE
 *       |                    |                 |
 *       |                    +-- a mistake: one answer, LINGERING (what still comes is thrown away), closed
 *       +-- drained, too long without a request: closed
 *
 * The task of the connection sets its phase; the server's minder looks at all of them a few times a second, and cancels
 * the scope of one in which nothing has moved for too long. So a request arms no timer and reads no clock.
 */
#ifndef WEFT_HTTP_CONNECTION_H
#define WEFT_HTTP_CONNECTION_H

#include <weft/app.h>
#include <weft/stream.h>
#include <weft/sync.h>

#include "http/request.h"

enum phase {
    PHASE_IDLE,      /* between two requests */
    PHASE_HEAD,      /* some of a head has come */
    PHASE_ANSWERING, /* the handler works; it has no limit but the app's own */
    PHASE_BODY,      /* the handler waits for more of the body */
    PHASE_LINGERING,
};

struct server;
struct work;
struct h2_stream;

struct connection {
    struct server *server;
    struct wf_stream *stream;
    struct connection *next, *prev; /* in the server's list */
    struct wf_scope *scope;         /* what is cancelled when a phase lasts too long; NULL: nothing is */
    enum phase phase;
    uint32_t turn; /* one more with each phase that begins */
    bool secure;
    bool speaks_h2; /* by ALPN */
    bool writing;   /* of PHASE_ANSWERING: a write is under way */
    bool frugal;    /* idle without memory for a request */
    bool trimmed;   /* its stack is, since something moved last */
    /* The minder's: what it saw last, and when that was new */
    uint32_t seen_turn;
    uint64_t seen_moved;
    int64_t seen_at;
    /* Begins to look whether the client is still there, while a handler takes its time; NULL: it cannot be seen. */
    void (*watch)(struct connection *connection);
    /* Looks after what a version of HTTP has of its own, instead of the phases; NULL: nothing. */
    void (*mind)(struct connection *connection, int64_t now);
    void *protocol; /* whose these are */
};

static inline void set_phase(struct connection *connection, enum phase phase)
{
    connection->phase = phase;
    connection->turn++;
}

/* Cancels the connection's scope; `why` is one of the texts below, and is then the text of its reason. */
void connection_cut(struct connection *connection, const char *why);
extern const char cut_slow[], cut_gone[], cut_idle[];

enum { SERVER_DATE = 37 };

struct server {
    struct wf_app *app;
    struct wf_tls_config *tls; /* NULL: none is spoken */
    bool proxy_protocol;       /* each connection begins with a proxy's header */
    struct connection *connections;
    struct wf_event some; /* there is a connection to mind */
    uint64_t open;
    struct work *spare; /* memory for requests that no connection uses now */
    unsigned spares;
    struct h2_stream *spare_streams;
    unsigned spare_stream_count;
    char date[SERVER_DATE]; /* "date: ...\r\n", at most a tick old */
    int64_t date_of;        /* the second */
};

/* ---- server.c ---- */

void server_init(struct server *server, struct wf_app *app);
void server_finish(struct server *server);

/* One connection from its first byte to its last; the stream stays the caller's. */
int connection_serve(struct server *server, struct wf_stream *stream);

/*
 * Ends our side, and takes what still comes, for a while: the client has to read the last answer before the connection
 * is gone, and a reset would take it away.
 */
void connection_linger(struct connection *connection);

/* ---- minder.c ---- */

/* Until it is cancelled. */
int mind_connections(struct server *server);
void minder_set_date(struct server *server);

/* ---- h1.c ---- */

int h1_serve(struct connection *connection);

/* ---- h2.c ---- */

struct h2;

/* A connection whose first bytes, of the preface, may be here already. NULL: out of memory. */
struct h2 *h2_create(struct connection *connection, const char *bytes, size_t size);

/* Until the connection ends; NULL: it cannot begin. It is destroyed then. */
int h2_serve(struct h2 *h2);

/* ---- h2_stream.c ---- */

void h2_spares_free(struct server *server);

/* ---- app.c ---- */

/* Answers a request in every case; sets close_after where the connection cannot go on. */
void app_answer(struct wf_request *request);

/* An answer for a request that never reached the app. */
void app_refuse(struct wf_request *request, int status, const char *why);

#endif
