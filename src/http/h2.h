/*
 * A connection of HTTP/2 (RFC 9113), whose frames nghttp2 reads and writes.
 *
 *     connection's task: reads bytes -> nghttp2 -> h2_frames.c: heads, bodies, resets -> streams
 *     stream's task, one for each: app_answer -> exchange (h2_answer.c, h2_body.c) -> nghttp2's queue
 *     writer's task: nghttp2's queue -> one buffer -> one write for all that is there
 *
 * One read wakes the tasks of all streams that it brought, and the writer comes behind them: so many answers are one
 * write. What a stream may take is limited: its body by the window, which opens only as the handler reads, its answer
 * by OUT_MAX, past which the handler waits.
 */
#ifndef WEFT_HTTP_H2_H
#define WEFT_HTTP_H2_H

#include <nghttp2/nghttp2.h>

#include "http/connection.h"
#include "http/h2_shared.h"
#include "http/request.h"

struct h2;

enum {
    H2_IN_ROOM = 8192,
    H2_STREAM_WINDOW = 256 << 10,   /* bytes of one body that no handler has read */
    H2_CONNECTION_WINDOW = 1 << 20, /* of all bodies of a connection */
    H2_OUT_MAX = 16384,             /* of one answer that the client has not taken */
    H2_WRITE_MAX = 65536,           /* bytes that go out together */
    H2_RECENT = 128,                /* streams that ended lately and are remembered */
    H2_SPARES_MAX = 128,            /* streams whose memory a server keeps */
    H2_OUT_SPARE = 1024,            /* and with so much room for an answer */
};

/*
 * A stream: a request and its answer. It lives until its task and nghttp2 are both done with it.
 *
 *     HEADS --head is whole--> RUNNING --task ends--> LEFT --all of it is out--> released
 *                                 |                              ^
 *                                 +-- reset: scope cancelled ----+
 */
struct h2_stream {
    struct wf_request request;
    struct h2 *h2;
    int32_t id;
    struct h2_stream *next, *prev; /* of the connection; among the spare ones */
    bool running;                  /* its task has not ended */
    bool closed;                   /* nghttp2 is done with it */
    bool client_done;              /* its END_STREAM has come */
    bool answer_gone;              /* ours has gone */

    /* The head, as it comes */
    size_t head_size;
    int refused; /* the status that the head is worth, 0: it is sound */
    const char *why;
    char *target; /* :path */
    const char *host, *protocol;
    unsigned cookies;

    /* The body that has come and was not read */
    char *body;
    size_t body_first, body_end, body_room;
    struct wf_event came; /* more of it, or its end */
    bool waits_for_body, body_late;
    uint64_t skipped; /* of what nobody read */

    /* The answer that has not gone */
    char *out;
    size_t out_first, out_end, out_room;
    const char *lent; /* by a handler that waits until all of it is taken */
    size_t lent_size;
    struct wf_event taken;
    bool deferred; /* nghttp2 asks no more until it is told that there is something */
    bool answer_ended;
    char status_text[4], length_text[24];

    /* The minder's: what it saw last, and when that was new */
    uint32_t moved, seen_moved;
    int64_t seen_at;
    struct h2_tunnel *tunnel; /* in the arena */
};

struct h2 {
    struct connection *connection;
    nghttp2_session *session;
    struct wf_scope *scope; /* of the writer and the streams */
    struct h2_stream *streams;
    uint32_t count;
    struct wf_event to_send;
    char *out;
    size_t out_size, out_room;

    struct h2_stream *heading; /* whose head is coming */
    bool in_head;              /* a head is, of a stream that may be none */
    bool greeted;              /* the client's settings have come */
    bool over;                 /* everything that had to be said is out */
    uint32_t error;            /* why a callback gave up: a code of RFC 9113 section 7 */
    int32_t highest;           /* stream that was opened */
    int32_t recent[H2_RECENT]; /* ids, the latest before next_recent; negative: we reset it, and what still comes */
    unsigned next_recent;      /* was sent before that was known */
    struct h2_rate resets, nuisances;

    enum { H2_OPEN, H2_WARNED, H2_GOING } drain;
    uint64_t seen_written;
    int64_t written_at, head_at, idle_at; /* the minder's */
    size_t in_end;
    char in[H2_IN_ROOM];
};

extern const struct exchange h2_exchange;

/* ---- h2.c ---- */

/* There is something to be sent. */
void h2_kick(struct h2 *h2);

/* Where nghttp2 had no memory for what has to be said, the connection cannot go on. */
void h2_check(struct h2 *h2, int outcome);

/* Ends a stream with a code. */
void h2_reset(struct h2 *h2, int32_t id, uint32_t code);

/* Says goodbye with a code, and why nothing more is taken; the connection ends when that is out. */
void h2_refuse(struct h2 *h2, uint32_t code);

/* ---- h2_frames.c: what comes ---- */

/* NULL: out of memory. */
nghttp2_session *h2_session_create(struct h2 *h2);

/* ---- h2_head.c ---- */

/* A field of a head or of trailers. */
int h2_add_field(struct h2_stream *stream, nghttp2_headers_category category, const uint8_t *name, size_t name_size,
                 const uint8_t *value, size_t value_size);

/* The head is whole: what of it has to be refused? */
void h2_check_head(struct h2_stream *stream);

/* ---- h2_stream.c ---- */

/* NULL: out of memory, or there are too many. */
struct h2_stream *h2_stream_open(struct h2 *h2, int32_t id);

/* Begins to answer. */
void h2_stream_start(struct h2_stream *stream);

/* nghttp2 is done with it; `code` is 0, or that of a reset. */
void h2_stream_closed(struct h2_stream *stream, uint32_t code);

/* Frees it, whatever it holds. */
void h2_stream_free(struct h2_stream *stream);

/* ---- h2_body.c ---- */

int h2_body_append(struct h2_stream *stream, const uint8_t *bytes, size_t size);
ssize_t h2_body_read(struct wf_request *request, void *buffer, size_t size);

/* What has come will not be read; nor will what comes, which passes `size` bytes at a time until it is too much. */
void h2_body_drop(struct h2_stream *stream);
void h2_body_skip(struct h2_stream *stream, size_t size);

/* The answer is out. A client that still sends may finish, so that it sees the answer, unless that is too much. */
void h2_body_leave(struct h2_stream *stream);

/* ---- h2_answer.c ---- */

int h2_inform(struct wf_request *request, int status);
int h2_begin(struct wf_request *request, int64_t length);
int h2_write(struct wf_request *request, const void *bytes, size_t size);
int h2_flush(struct wf_request *request);
int h2_end(struct wf_request *request);

/* ---- h2_tunnel.c ---- */

/* The stream's bytes, both ways, as a wf_stream (RFC 8441). */
int h2_take_over(struct wf_request *request, struct wf_stream **stream);

/* Its request is over. Whoever still has the stream may close it, as long as the memory of the request lives. */
void h2_tunnel_end(struct h2_tunnel *tunnel);

/* ---- h2_minder.c ---- */

void h2_mind(struct connection *connection, int64_t now);

static inline struct h2_stream *h2_stream_of(struct wf_request *request)
{
    return (struct h2_stream *)((char *)request - offsetof(struct h2_stream, request));
}

#endif
