/*
 * A request and its answer, however they travel. One byte of a request from the socket to its handler, and back:
 *
 *     stream -> exchange (h1.c: llhttp; h2.c: nghttp2) -> head, checked (head.c) -> app_answer (app.c)
 *        -> middleware -> route (router.c) -> handler -> reply.c -> exchange -> stream
 *
 * An exchange is one request on its connection; the app knows no other word for it.
 */
#ifndef WEFT_HTTP_REQUEST_H
#define WEFT_HTTP_REQUEST_H

#include <weft/message.h>
#include <weft/scope.h>

struct wf_app;
struct wf_request;
struct route;
struct deferred_work;
struct depended;
struct wf_file;
struct forwarded;
struct wf_stream;

/* What a version of HTTP does for one request. All but `close_after` may suspend. */
struct exchange {
    const char *version; /* "HTTP/1.1" */
    /* Some bytes of the body; 0: it has ended. -EBADMSG when what came is none. */
    ssize_t (*read)(struct wf_request *request, void *buffer, size_t size);
    /* An interim answer with the fields of the answer so far: 100, 103. */
    int (*inform)(struct wf_request *request, int status);
    /* The head of the answer: request->status and request->answer. `length` of the body; -1: not known. */
    int (*begin)(struct wf_request *request, int64_t length);
    int (*write)(struct wf_request *request, const void *bytes, size_t size);
    /* So many bytes of a file, that are part of what was announced; NULL: they are read and written. */
    int (*send)(struct wf_request *request, struct wf_file *file, int64_t offset, uint64_t size);
    /* What was written has to go now. */
    int (*flush)(struct wf_request *request);
    /* The body is complete; request->trailers may follow it. */
    int (*end)(struct wf_request *request);
    /* Takes the connection over after a 101 (or a 200 to CONNECT over HTTP/2). */
    int (*take_over)(struct wf_request *request, struct wf_stream **stream);
    /* The peer, or NULL. */
    struct wf_stream *(*stream)(struct wf_request *request);
};

enum answer_state {
    ANSWER_NONE,  /* nothing is said yet; 1xx do not count */
    ANSWER_BEGUN, /* the head is out, the body under way */
    ANSWER_ENDED,
};

enum { CAPTURES_MAX = 8 };

/* A piece of the path that a pattern gave a name to. */
struct capture {
    const char *name;  /* the pattern's */
    const char *value; /* as it was sent, a part of the path */
    size_t size;
    char *decoded; /* in the arena, once it was asked for */
};

struct wf_request {
    struct wf_arena arena; /* of this request */
    const struct exchange *exchange;
    struct wf_app *app, *root; /* the one whose middleware or handler works on it; the outermost */
    struct wf_app *target;     /* the one whose routes count, perhaps below others */
    const char *path_here;     /* what of the path is `app`'s */
    const struct route *route; /* NULL: none matches */
    unsigned allowed;          /* a bit for each method that the path has; valid without a route */
    struct wf_scope *scope;    /* cancelled when the client goes away; NULL for a test's */

    /* The head */
    enum wf_method method;
    bool http10;           /* whose client knows neither chunks nor interim answers */
    bool secure;           /* came over TLS */
    bool wants_continue;   /* and has not been told to */
    const char *path;      /* as it was sent, without the query; begins with '/', or is "*" */
    const char *query;     /* NULL: none */
    const char *protocol;  /* of an extended CONNECT, "websocket" (RFC 8441); NULL: it is none */
    const char *authority; /* the host that was asked for, perhaps with a port; "" for none */
    struct wf_headers headers;
    unsigned captured;

    /* The body */
    int64_t length;     /* in bytes; 0: there is none; -1: not known before its end */
    uint64_t body_read; /* so far */
    uint64_t body_max;  /* a longer one is refused */
    bool body_ended;
    int body_error;                     /* 0, or why the rest cannot be had */
    char *body;                         /* all of it, once somebody has asked for that; NULL: nobody has */
    size_t body_size;
    struct wf_headers request_trailers; /* that came behind it */

    /* The answer */
    enum answer_state state;
    int status;
    struct wf_headers answer, trailers;
    const char *content_type; /* NULL: none */
    int64_t answer_length;    /* that was announced; -1: none was */
    uint64_t answer_written;
    bool close_after;  /* no further request on this connection */
    bool without_body; /* HEAD, 204, 304: what is written goes nowhere */
    bool broken;       /* and cannot be completed any more */
    bool client_gone;  /* its connection broke while it was written */

    const struct forwarded *forwarded; /* what proxies say; NULL: nobody has asked */

    /* What the app keeps for it */
    unsigned next_middleware;
    struct deferred_work *after; /* to be done after the answer, in order */
    struct deferred_work **after_end;
    struct depended *depended; /* what it depends on, the last opened first; NULL: nothing */
    unsigned depended_count;   /* that were opened so far, or tried to */
    bool depended_closed;      /* they are being closed: there are no new ones */
    void *path_value, *query_value, *field_value, *cookie_value, *body_value; /* validated, by the route's models */
    struct compressor *compressor;     /* what is in front of the exchange: of the answer, */
    struct decompressor *decompressor; /* of the body */
    int outcome;                       /* what the handler returned */

    struct capture captures[CAPTURES_MAX]; /* last: only those that are counted mean anything */
};

/* Everything but the arena is new. */
void request_begin(struct wf_request *request, const struct exchange *exchange, struct wf_app *app);

/* Splits the target in place. False: it is none (RFC 9112 section 3.2). */
bool request_set_target(struct wf_request *request, char *target, size_t size);

/* A body that is announced too long: 413, and -EMSGSIZE. Else 0. */
int request_refuse_too_long(struct wf_request *request);

/* A cookie of the request, as it was sent; all zero before the first. */
struct cookie {
    const char *name, *value; /* not terminated */
    size_t name_size, value_size;
    uint32_t after_header;
    const char *rest;
};

/* On to the next one (RFC 6265 section 5.4: "a=1; b=2"); false: there is none. */
bool request_next_cookie(const struct wf_request *request, struct cookie *cookie);

#endif
