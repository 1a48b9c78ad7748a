/*
 * An HTTP client inside. One call from its options to its answer, and back:
 *
 *     fetch.c: options -> call -> policy.c: redirects, logins, cookies -> attempt.c: one request, one answer
 *         -> pool.c: a connection, or a turn; -> dial.c: TCP, proxy, TLS
 *         -> protocol (c1.c: HTTP/1.1; c2*.c: HTTP/2): head and body out, head in
 *     -> body.c: the body, as it travels -> decompressed -> whole, or in pieces
 *
 * Everything up to the head runs in the caller's task. HTTP/1.1 needs no other; a connection of HTTP/2 has two.
 */
#ifndef WEFT_CLIENT_CLIENT_H
#define WEFT_CLIENT_CLIENT_H

#include <weft/client.h>
#include <weft/scope.h>
#include <weft/stream.h>
#include <weft/sync.h>
#include <weft/token.h>
#include <weft/url.h>

#include "client/payload.h"
#include "http/h1_chunks.h"

struct c2;
struct call;
struct client;
struct decoder;
struct jar;
struct proxy;
struct origin;
struct wire;

/* ---- Connections ---- */

/* What a version of HTTP does for a call. None but `ask` and `read` suspend. */
struct protocol {
    const char *version;
    /* Sends the request, and reads the head of the answer, past interim ones. */
    int (*ask)(struct call *call);
    /* Some bytes of the body, as it travels; 0 at its end, with the trailers in the response. Where it waits, it is in
     * STEP_BODY. */
    ssize_t (*read)(struct call *call, void *buffer, size_t size);
    /* The call is over, or given up, and lets go of its connection. */
    void (*leave)(struct call *call);
    /* Ends the connection, whatever is under way, and frees it as soon as nobody uses it. Of HTTP/2 it is said again
     * when the last call has left. */
    void (*close)(struct wire *wire);
};

struct wire {
    struct client *client;
    struct origin *origin;
    const struct protocol *protocol;
    struct wf_stream *stream; /* NULL: closed by the client's end */
    struct wire *next, *prev; /* in one of the lists below */
    int64_t opened_at, idle_since;
    uint64_t calls;
    bool proxied; /* the origin's proxy takes the requests: whole URLs are asked for */

    /* HTTP/1.1 */
    char *in; /* bytes that came, from `first` to `end` */
    size_t first, end, room;
    struct chunks chunks; /* of the body that is being read */

    /* HTTP/2 */
    struct c2 *c2;
    uint32_t streams, streams_max; /* that are used; that may be */
    bool leaving;                  /* it ends with its last call */
    bool retired, gone;            /* nothing new may begin; it is closed, and no part of the pool any more */
};

struct wire_list {
    struct wire *first, *last;
};

/* All connections to one scheme, host and port. */
struct origin {
    struct origin *next; /* in its bucket */
    const char *host;
    uint16_t port;
    bool secure;
    bool upgrades;             /* its connections become WebSockets, and so are of HTTP/1.1 */
    bool tunnelled;            /* through an HTTP proxy, which does not see what is said */
    const struct proxy *proxy; /* between; NULL: none */
    enum { SPEAKS_UNKNOWN, SPEAKS_1, SPEAKS_2 } speaks;
    struct wire_list idle, lent; /* of HTTP/1.1; what came back last is first */
    struct wire_list shared;     /* of HTTP/2 */
    struct waiter *first, *last;
    uint32_t open, connecting; /* connections; of them those that are being made */
    uint32_t users;            /* calls that hold on to it */
};

enum { ORIGIN_BUCKETS = 64 };

/* The proxies of a client: for origins without TLS, and with. */
struct proxies {
    const struct proxy *plain, *secure; /* NULL: none */
    const char *none_for;               /* NO_PROXY; NULL: nothing */
    bool by_environment;
};

struct client {
    struct wf_client_options options; /* with defaults filled in; texts lie in the arena */
    struct wf_background *tasks;
    struct wf_arena arena;
    uint32_t references; /* the handle's, and one for each call and task */
    bool closed;
    struct wf_token closing; /* cancelled when it is */
    int mistake;             /* of its options */
    char mistake_text[256];
    struct wf_url base; /* text NULL: there is none */
    struct wf_tls_config *tls;
    struct wf_once tls_made, tape_loaded;
    struct tape *tape; /* what is left of it */
    struct proxies proxies;
    struct wf_tls_config *tls_of_1; /* for HTTP/1.1 alone: to proxies that speak TLS themselves, for WebSockets */
    struct wf_once tls_of_1_made;
    struct origin *origins[ORIGIN_BUCKETS];
    struct jar *jar; /* of cookies; NULL: none are kept */
    char *token;     /* that its callback gave last */
    uint64_t token_turn;
    struct wf_mutex token_lock;
    uint64_t tickets; /* waiters are served in this order */
    bool minding;     /* a task closes what is idle for too long */
    struct wf_client_statistics statistics;
};

/* ---- Calls ---- */

enum step { STEP_BEGIN, STEP_POOL, STEP_CONNECT, STEP_TLS, STEP_WRITE, STEP_HEAD, STEP_BODY, STEPS };

/* How the end of a body is found (RFC 9112 section 6.3). */
enum framing { FRAMING_NONE, FRAMING_LENGTH, FRAMING_CHUNKS, FRAMING_CLOSE };

enum { FIELDS_FIRST = 8 }; /* of a request, without asking for memory */

struct call {
    struct client *client;
    struct wf_arena *arena; /* the caller's */
    const struct wf_fetch_options *options;
    struct wf_response *response;
    struct wf_client_times times;
    int64_t began, deadline; /* of .total; WF_FOREVER: none */
    bool over;               /* nothing is held any more */
    int code;                /* that its caller got last */

    /* The request */
    enum wf_method method, first_method;
    struct wf_url url, first_url;
    struct wf_headers headers; /* all that go out, but Host and those of framing */
    struct wf_header first_fields[FIELDS_FIRST];
    struct payload payload;
    uint64_t token_turn; /* of the client's token, where that was sent */
    bool without_body;   /* since a redirect changed the method */
    bool tunnel;         /* the connection becomes a stream after a 101, or a 200 to CONNECT */

    /* Where it is */
    struct origin *origin;
    struct wire *wire; /* NULL: none any more */
    void *part;        /* of its version of HTTP: a stream of HTTP/2 */
    enum step step;
    int64_t step_at, step_took[STEPS + 1];
    bool reused, answered; /* on a connection that was there; a byte of an answer has come */
    bool untouched;        /* the server says that it has not looked at the request */
    const char *why;       /* it fails; NULL: its code says it */

    /* The answer's body */
    enum framing framing;
    bool keep_alive, in_body, body_ended;
    uint64_t body_left;  /* FRAMING_LENGTH */
    int64_t body_length; /* as it travels; -1: not known */
    struct decoder *decoder;
    bool decoded;   /* by it: what was read is not what travelled */
    int body_error; /* that every further read gives */
    char *kept;     /* of it, for the tape */
    size_t kept_size, kept_room;
    uint64_t sent, received;
};

/* ---- call.c ---- */

static inline bool has_body(const struct call *call)
{
    return call->payload.content_type != NULL && !call->without_body;
}

/* A step begins. Gives how long it may go without progress. */
int64_t call_step(struct call *call, enum step step);

/* An expression that is cut after that time: -ETIME. */
#define IN_STEP(call, step, ...) wf_within(call_step((call), (step)), __VA_ARGS__)

/* Notes why it fails; the first reason counts. Gives the code. */
int call_fail(struct call *call, int code, const char *format, ...) WF_PRINTF_(3, 4);
/* The same with what the failing function said (wf_failure). */
int call_fail_as_told(struct call *call, int code);

/* The code as the caller gets it, with a message that says where it was. */
int call_end(const struct call *call, int code);

/* Nothing of it is needed any more: its connection and what it holds go back. Never suspends. May be said twice. */
void call_leave(struct call *call);

/* ---- client.c ---- */

void client_release(struct client *client);

/* ---- pool.c ---- */

/* NULL: out of memory. Held until pool_leave_origin. */
struct origin *pool_origin(struct client *client, const struct wf_url *url);
void pool_leave_origin(struct client *client, struct origin *origin);

/* Gives call->wire: one that is there, or a new one. Suspends. */
int pool_acquire(struct call *call);

/* A connection of HTTP/1.1 that can take another call; one that cannot is closed. */
void pool_release(struct wire *wire);
void pool_discard(struct wire *wire);

/* A stream of HTTP/2 has ended; how many there may be has changed; nothing new may begin on the connection. */
void pool_release_stream(struct wire *wire);
void pool_set_streams(struct wire *wire, uint32_t streams_max);
void pool_retire(struct wire *wire);

/* Closes everything. */
void pool_close(struct client *client);

/* ---- dial.c ---- */

/* A connection to the call's origin. Suspends. */
int dial(struct call *call, struct wire **wire);

/* ---- policy.c ---- */

/* From the call's URL through logins, redirects and retries to the head of the last answer. Suspends. */
int call_run(struct call *call);

/* ---- headers.c ---- */

/* The fields of the request to call->url. Suspends where a token is asked for. */
int call_build_headers(struct call *call, bool refresh);

/* ---- cookie_file.c ---- */

/* Adds the Cookie field, unless the caller said one; takes those of the answer's head. -ENOMEM. */
int cookies_send(struct call *call);
int cookies_receive(struct call *call);

/* ---- attempt.c ---- */

/* Does it do no harm to send the call twice? */
bool call_may_repeat(const struct call *call);

/* The request to its URL as it stands, and the head of the answer. Suspends. */
int call_attempt(struct call *call);

/* ---- body.c ---- */

/* The head is there: what follows? */
int body_begin(struct call *call);
ssize_t body_read(struct call *call, void *buffer, size_t size);
/* What is left of an answer that is not the last one is read, where that is cheap, so that its connection can be used
 * again, or where it goes onto a tape. Suspends. */
int body_pass(struct call *call);
/* All that is left, in the arena. Suspends. */
int body_load(struct call *call);
/* Never suspends. */
void body_finish(struct call *call);

/* ---- c1.c, c2.c ---- */

extern const struct protocol http1, http2;

/* Starts the tasks of a connection, which greet the server. */
int c2_begin(struct wire *wire);

#endif
