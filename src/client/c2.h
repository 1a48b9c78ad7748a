/*
 * A connection of HTTP/2 (RFC 9113) that calls share, whose frames nghttp2 reads and writes.
 *
 *     a call's task: c2_send.c: its head, and its body piece by piece -> nghttp2's queue; c2.c: waits for its stream
 *     connection's task (c2_wire.c): bytes -> nghttp2 -> c2_frames.c: heads, bodies, ends -> streams, whose calls wake
 *     writer's task (c2_wire.c): nghttp2's queue -> one buffer -> one write for all that is there
 *
 * The body of an answer waits here until its call reads it, at most C2_STREAM_WINDOW bytes: its window opens only then.
 * The connection's window opens as bytes come, so a call that does not read stops nobody else; what a connection may
 * hold is that many bytes for each of its streams (limits.streams).
 *
 * A call cut short resets its stream, and nothing else. What goes wrong with the connection ends all of its streams:
 * those that the server has not looked at are asked again elsewhere (call->untouched).
 */
#ifndef WEFT_CLIENT_C2_H
#define WEFT_CLIENT_C2_H

#include <nghttp2/nghttp2.h>

#include "client/client.h"
#include "http/h2_shared.h"

enum {
    C2_IN_ROOM = 32768,
    C2_STREAM_WINDOW = 1 << 20,     /* bytes of one body that its call has not read */
    C2_CONNECTION_WINDOW = 4 << 20, /* bytes on their way */
    C2_WRITE_MAX = 65536,           /* bytes that go out together */
    C2_STREAMS_FIRST = 100,         /* at once, before the server has said how many */
};

/*
 * The stream of a call, in the call's arena: known here from c2_open until the call leaves.
 *
 *     ASKED --head--> HEADED --END_STREAM--> ENDED
 *        \              \--reset, connection over--> FAILED (closed, and not ended)
 *         \---------------reset, connection over--> FAILED
 */
struct c2_stream {
    struct call *call;
    struct c2 *c2;
    struct c2_stream *next, *prev; /* of the connection */
    int32_t id;
    struct wf_event moved; /* something of it has changed */

    /* The answer */
    bool headed;      /* its head is there */
    bool ended;       /* all of it is */
    bool closed;      /* nothing comes or goes any more */
    bool reset_by_it; /* by the server */
    int code;         /* why it is closed and not ended */
    size_t head_size;
    unsigned interim;
    char *body; /* what has come and was not read: from `first` to `end` */
    size_t first, end, room;

    /* The request's body: what its task has lent, until all is taken */
    const char *lent;
    size_t lent_size;
    bool lent_all;          /* it is the last of it */
    bool deferred;          /* nghttp2 asks no more until it is told that there is something */
    struct wf_scope *lends; /* that its task sends in; NULL: it does not */
};

struct c2 {
    struct wire *wire;
    nghttp2_session *session;
    struct wf_scope *scope; /* of its two tasks; NULL: they have not begun, or ended */
    struct c2_stream *streams;
    struct wf_event to_send;
    char *out;
    size_t out_size, out_room;
    struct h2_rate nuisances;
    int64_t quiet_at;  /* since then something is waited for, and nothing has come; 0: nothing is */
    int64_t pinged_at; /* asked whether the server is there; 0: it was not, or has been heard since */
    bool running;      /* its task has not ended */
    bool closing;      /* the pool has given it up, and it says goodbye */
    bool left;         /* the server reads no more; what it has said before is still to be read */
    bool deaf;         /* nghttp2 reads no more */
    const char *fault; /* of the server, for which a callback gave up */
    uint32_t goodbye;  /* why the server says that it ends the connection */
    int code;          /* why it is over; 0: it is not */
    char why[200];
    char in[C2_IN_ROOM];
};

/* ---- c2.c ---- */

/* Its call is to look at it again. */
void c2_wake(struct c2_stream *stream);

/* It will not be answered, and this is why; the first reason counts. */
void c2_fail(struct c2_stream *stream, int code, const char *why);

/* The server wants no more of the request: it has refused it, or nothing goes any more. */
bool c2_has_said_no(const struct c2_stream *stream);

/* Suspends until something of it has changed. */
int c2_wait(struct c2_stream *stream);

/* ---- c2_wire.c ---- */

/* A fault. */
extern const char c2_flood[];

/* There is something to be sent. */
void c2_kick(struct c2 *c2);

/* What nghttp2 answered to what it was told: where it had no memory, the connection cannot go on. */
void c2_check(struct c2 *c2, int outcome);

/* Has the server not even answered a PING? Sends one where that is in doubt. */
bool c2_is_lost(struct c2 *c2);

/* The connection is over: nothing new begins, and what is under way fails. The first reason counts. */
void c2_end(struct c2 *c2, int code, const char *why);

/* The pool gives it up: it says goodbye; its memory is freed when neither its tasks nor calls need it. May be said
 * twice. */
void c2_close(struct wire *wire);

/* ---- c2_frames.c ---- */

/* NULL: out of memory. */
nghttp2_session *c2_session_create(struct c2 *c2);

/* ---- c2_send.c ---- */

/* The head of the request, and of a short body all. */
int c2_submit(struct c2_stream *stream);

/* What is left of the body, until the server has taken it or has said no. Suspends. */
int c2_send_body(struct c2_stream *stream);

#endif
