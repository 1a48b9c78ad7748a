/* A connection of HTTP/1.x: what reading requests (h1.c) and writing answers (h1_answer.c) share. */
#ifndef WEFT_HTTP_H1_H
#define WEFT_HTTP_H1_H

#include <weft/extend.h>

#include "http/connection.h"
#include "http/h1_chunks.h"
#include "http/h1_parser.h"
#include "http/request.h"

/* Bytes that wait to go out. */
struct outgoing {
    char *bytes;
    size_t size, room;
};

enum { H1_FIRST = 1024 };

/* What is needed until a head is whole, and behind it for a body: not in a tunnel. */
struct reading {
    struct h1_parser parser;
    char first[H1_FIRST]; /* room for a request that is short */
};

/* What a request takes while it is under way:
 *
 *     in:  [ answered | begin: head | body_at: body ... parsed | not looked at yet | end: room ]
 */
struct work {
    struct wf_request request;
    struct h1 *h1;
    struct work *next;       /* among the spare ones */
    struct reading *reading; /* NULL: given back */
    struct chunks chunks;    /* of the request's body */
    char *in;
    size_t in_room, begin, body_at, parsed, end;
    char *large; /* for what is too long for the room there, kept for the next; NULL: was not needed yet */
    struct outgoing out;
};

struct h1 {
    struct connection *connection;
    struct work *work; /* NULL between requests */
    uint64_t requests;
    size_t head_room;
    bool chunked; /* the answer is */
    bool watching, taken_over;
    struct wf_handle watch;  /* valid while watching */
    struct wf_stream tunnel; /* once taken over */
};

enum { H1_PREFACE = 2 };

extern const struct exchange h1_exchange;

void work_free(struct work *work);

/* More bytes behind those that are there, where there is room: 1, 0 at the end. What was answered goes out first. */
int h1_fill(struct h1 *h1, bool idle);

/* ---- h1_body.c ---- */

ssize_t h1_read_body(struct wf_request *request, void *buffer, size_t size);
/* Reads what the handler did not want, as far as that is cheap; false: the connection has to end. */
bool h1_skip_body(struct h1 *h1);

/* ---- h1_answer.c ---- */

/* Takes bytes to be sent; sends when they are many. */
int h1_out(struct h1 *h1, const void *bytes, size_t size);
int h1_flush(struct h1 *h1);

int h1_inform(struct wf_request *request, int status);
int h1_begin(struct wf_request *request, int64_t length);
int h1_write(struct wf_request *request, const void *bytes, size_t size);
int h1_send(struct wf_request *request, struct wf_file *file, int64_t offset, uint64_t size);
int h1_flush_answer(struct wf_request *request);
int h1_end(struct wf_request *request);

static inline struct h1 *h1_of(struct wf_request *request)
{
    return ((struct work *)((char *)request - offsetof(struct work, request)))->h1;
}

/* ---- h1_tunnel.c ---- */

int h1_take_over(struct wf_request *request, struct wf_stream **stream);

/* ---- h1_watch.c ---- */

/* The end of the answer's scope ends it. */
void h1_watch(struct connection *connection);

#endif
