/*
 * An HTTP client: pooled connections, HTTP/1.1 and HTTP/2, and everything that a call may need, under the deadline of
 * the scope that it is made in.
 *
 *     WF_CLIENT(client, .base_url = "https://api.example.org/v1", .bearer = token);
 *     struct wf_response response;
 *     int rc = wf_within(WF_SECONDS(5), wf_get(&client, arena, "/users/1", &response));
 *     if (rc == 0) rc = wf_response_check(&response);                        // 4xx and 5xx: WF_ESTATUS
 *     if (rc == 0) rc = wf_response_model(&response, &user_model, &user);
 *
 *     rc = wf_post(&client, arena, "/orders", &response, .model = &order_model, .value = &order);
 *
 *     rc = wf_fetch_open(&client, arena, WF_GET, "/export.csv", &response);   // the body as it comes
 *     char buffer[16384];
 *     ssize_t got = 0;
 *     while (rc == 0 && (got = wf_response_read(&response, buffer, sizeof buffer)) > 0) ...
 *     wf_response_close(&response);
 *
 * One client serves a whole program: it keeps connections open, and tasks share them. A connection is lent to the call
 * that came first. Any call may be cancelled at any point: what was under way is given up (a stream of HTTP/2 alone, a
 * connection of HTTP/1.1), and the rest of the pool is as it was.
 *
 * A deadline is -ETIME wherever it struck; the message (wf_failure) says where: while waiting for a connection,
 * connecting, in the TLS handshake, sending, waiting for the answer, reading its body.
 *
 * A call that is made while a request is served carries its trace on (traceparent, weft/health.h).
 *
 * A base URL and a path: they are put behind each other with one slash between them, whether the one ends with a slash
 * or the other begins with one: "https://h/api" and "/users/1" are "https://h/api/users/1". A whole URL stands for
 * itself, and so does the base where the path is "". A query of the base is left out.
 *
 * Threads: a client belongs to its loop.
 */
#ifndef WEFT_CLIENT_H
#define WEFT_CLIENT_H

#include <sys/types.h>
#include <sys/uio.h>
#include <weft/background.h>
#include <weft/generator.h>
#include <weft/message.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_app;
struct wf_call_;
struct wf_client_;
struct wf_iterator;
struct wf_model;
struct wf_pipeline;
struct wf_stream;
struct wf_tls_config;

/* A name and its value. Lists of them end with one whose name is NULL: WF_NAMED({"q", "weft"}, {"page", "2"}). */
struct wf_named {
    const char *name, *value;
};

#define WF_NAMED(...) ((const struct wf_named[]){__VA_ARGS__, {0}})

/* How long a step of a call may go without progress; each ends with -ETIME. 0: the default; negative: for ever. The
 * whole of a call has the deadline of its scope, and .total. */
struct wf_client_times {
    int64_t total;   /* everything, redirects and retries too; default: none of its own */
    int64_t pool;    /* until there is a connection for it; default: none */
    int64_t connect; /* looking up the name and connecting; default 10 s */
    int64_t tls;     /* the handshake; default 10 s */
    int64_t write;   /* without a byte that is taken; default 60 s */
    int64_t head;    /* until the head of the answer is there; default 60 s */
    int64_t body;    /* without a byte of the body; default 60 s */
};

/* What one that is called may take, and how much is open at once. 0: the default. */
struct wf_client_limits {
    uint32_t connections; /* default 100 */
    uint32_t per_host;    /* of them to one scheme, host and port; default 30 */
    uint32_t waiting;     /* calls that wait for one: the next gets WF_EFULL; default 10,000 */
    int64_t idle_time;    /* of a connection that nobody uses; default 60 s; negative: none is kept */
    int64_t lifetime;     /* of a connection in all; default: none */
    uint64_t body_max;    /* bytes of an answer that is read whole, decompressed: -EMSGSIZE; default 64 MiB */
    size_t head_max;      /* bytes of the head of an answer; default 64 KiB */
    uint32_t fields_max;  /* default 200 */
    uint32_t streams;     /* of one connection of HTTP/2, at once, where the server allows so many; default 100 */
};

/* Names and passwords go into the Authorization field (RFC 7617). */
struct wf_basic {
    const char *user, *password;
};

/* What a client tells whoever traces or counts. */
struct wf_call_report {
    enum wf_method method;
    const char *url;  /* without what is secret: user, password, fragment */
    int code, status; /* 0 or the error; the status, 0: there was no answer */
    bool reused;      /* on a connection that was there */
    const char *version;
    int64_t waited, connected, tls, answered, took; /* for a connection, connecting, its handshake, until the head came,
                                                       in all; 0: did not happen */
    uint64_t sent, received;                        /* bytes of bodies, as they travel */
};

struct wf_client_options {
    size_t size; /* filled by the macro */
    struct wf_client *client_;
    const char *base_url;           /* for paths, see above */
    const struct wf_named *headers; /* of every request; those of a call replace them */
    const char *user_agent;         /* default "weft/VERSION"; "": none */
    const struct wf_named *params;  /* added to the query of every request */

    /* Who one is; sent to the origin of .base_url alone, or to every one where there is no base. Secrets are never part
     * of a message or a report. */
    const char *bearer; /* a token (RFC 6750) */
    /* The same, asked for at need; `refresh`: the last one was answered with 401, another is needed. The token is
     * copied. One call at a time asks; the others wait for it. May suspend. */
    int (*token)(void *arg, bool refresh, struct wf_arena *arena, const char **token);
    void *token_arg;
    struct wf_basic basic;

    struct wf_client_times times;
    struct wf_client_limits limits;
    int redirects;     /* that are followed; default 10; negative: none, the answer is the 3xx */
    bool check_status; /* every call ends like wf_response_check */
    /* Around every call (weft/pipeline.h): retries, breaker, rate. Answers of 429, 502, 503 and 504 count as failures
     * (-EAGAIN), and their Retry-After is heeded; when nothing helps, the last one is the answer. What is not
     * idempotent (RFC 9110 section 9.2.2) is tried once, unless it has an Idempotency-Key. */
    struct wf_pipeline *pipeline;
    bool cookies; /* are kept, and sent back where they belong; see below */

    /* "http://user:password@host:port", "https:...", "socks5:..." (names are looked up here), "socks5h:..." (there);
     * "": none. What goes over TLS goes through a tunnel (CONNECT). NULL: as http_proxy, https_proxy, all_proxy and
     * no_proxy of the environment say, or the same in capitals; hosts of this machine are then spoken to straight.
     * no_proxy: "example.org, .below.example, 192.0.2.0/24, host:8080"; "*": all. */
    const char *proxy;
    const char *unix_path;     /* everything goes to a Unix socket */
    struct wf_address *local;  /* to connect from (weft/address.h) */
    struct wf_tls_config *tls; /* of a client; stays yours. NULL: trusts what the system trusts, or .ca_file */
    const char *ca_file;       /* PEM, instead */
    const char *pins[4];       /* SHA-256 of certificates, as 64 hexadecimal digits: the server's must be one of them */
    /* ANY: by ALPN, HTTP/1.1 without TLS; HTTP_2 without TLS: with prior knowledge. */
    enum { WF_HTTP_ANY, WF_HTTP_1, WF_HTTP_2 } version;
    bool keep_encoding; /* answers are neither asked for compressed, nor decompressed */

    struct wf_app *app; /* for tests: every connection, to whatever host, goes to this app, in memory */
    /* For tests: `record` makes calls, and adds their answers to this file, a line of JSON for each, when they were
     * read to their end; with `replay` nothing is sent: each call gets the next answer of the file to that method and
     * URL, and -ENOENT where there is none. What a request had in its fields and its body is not written. */
    const char *record, *replay;

    void (*on_call)(void *arg, const struct wf_call_report *report); /* each call that ended; must not suspend */
    void *on_call_arg;
    const char *name; /* for messages and dumps; default "client" */
    const char *place_;
};

/* Fixed size; lives in the block that opened it. */
struct wf_client {
    struct wf_client_ *private_;  /* NULL: not open */
    struct wf_background *tasks_; /* its own; NULL: another one's */
    int failed_;                  /* to be opened */
    void *reserved_[2];
};

/*
 * WF_CLIENT(client, .option = value, ...) declares the variable `client`, and opens it for the block: when that is
 * left, by whichever way, all connections are closed, and calls that are under way elsewhere end with -ESHUTDOWN.
 * Nothing is connected before the first call. What is wrong with the options is said by the calls: -EINVAL, with a
 * message.
 * Suspends: opening never; leaving, until its tasks have ended, which is soon. On cancel: goes on waiting for them.
 */
#define WF_CLIENT(...) WF_CLIENT_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)

/*
 * wf_client_open(&client, &background, .option = value, ...): the same for a client that lies elsewhere; its tasks are
 * the background's, which must outlive it.
 * Suspends: never. Owns: wf_client_close. Errors: -EALREADY where it is open; -ENOMEM. What is wrong with the options
 * is said by the calls.
 */
#define wf_client_open(client, background, ...)                                                                        \
    wf_client_open_((background), &(struct wf_client_options){.size = sizeof(struct wf_client_options),                \
                                                              .place_ = WF_HERE_,                                      \
                                                              .client_ = (client),                                     \
                                                              ##__VA_ARGS__})

/* Closes all connections; calls that are under way end with -ESHUTDOWN, later ones with -EBADF. May be said twice, and
 * the client may be opened again. Suspends: never. */
WF_API void wf_client_close(struct wf_client *client);

struct wf_client_statistics {
    uint32_t idle, busy, connecting, waiting; /* connections, and calls that wait for one, now */
    uint32_t open_peak, waiting_peak;
    uint64_t opened, failed, closed; /* connections */
    uint64_t calls, reused;          /* calls; those on a connection that was there */
    uint64_t redirects, retries;     /* of calls whose connection had gone while it was idle */
    uint64_t sent, received;         /* bytes of bodies, as they travel */
};

/* Suspends: never. */
WF_API void wf_client_statistics(const struct wf_client *client, struct wf_client_statistics *statistics);

/*
 * Opens so many connections to the origin of a URL, or as many as the limits allow, before they are needed.
 * Suspends: until they are open, or one could not be. On cancel: those that are open stay.
 * Errors: as of a call.
 */
WF_API WF_SUSPENDS int wf_client_warm(struct wf_client *client, const char *url, uint32_t count);

/* ---- Calls ---- */

/* A part of a form with files: multipart/form-data (RFC 7578). Lists end with one whose name is NULL; 1,000 parts at
 * most. Names are UTF-8; quotes and line ends in them go out as browsers write them: %22, %0D, %0A. */
struct wf_upload {
    const char *name;
    const char *value;        /* a text; or */
    const char *path;         /* a file, which is sent as it is read; or */
    const void *bytes;        /* these */
    size_t size;              /* of them */
    const char *filename;     /* default: the last part of the path */
    const char *content_type; /* default: by the file's name; none for texts */
};

#define WF_UPLOADS(...) ((const struct wf_upload[]){__VA_ARGS__, {0}})

/* All that is pointed to must live as long as the call. */
struct wf_fetch_options {
    size_t size; /* filled by the macro */
    struct wf_response *out_;
    const struct wf_named *params;  /* for the query, encoded; added to what the URL has */
    const struct wf_named *headers; /* instead of the client's of the same name; a value of NULL: without it */

    /* The body: at most one of these. */
    const char *text;              /* text/plain */
    const void *bytes;             /* application/octet-stream */
    size_t bytes_size;             /* of them */
    const char *json;              /* application/json, as it stands */
    const struct wf_model *model;  /* application/json, of */
    const void *value;             /* this */
    const struct wf_named *form;   /* application/x-www-form-urlencoded */
    const struct wf_upload *parts; /* multipart/form-data */
    const char *file;              /* a file's path; its type by its name */
    struct wf_stream *stream;      /* read to its end, */
    struct wf_iterator *items;     /* a generator's iterator: items are struct iovec; */
    int64_t length;                /* of these two in bytes, where it is known; 0: it is not */
    const char *content_type;      /* default: as said above */

    const char *bearer; /* instead of the client's */
    struct wf_basic basic;
    const struct wf_client_times *times;                       /* instead of the client's; what is 0 is the client's */
    int redirects;                                             /* 0: the client's */
    uint64_t body_max;                                         /* 0: the client's */
    bool check_status;                                         /* also where the client does not */
    void (*progress)(void *arg, uint64_t done, int64_t total); /* of an answer's body; total -1: not known */
    void *progress_arg;
    bool upgrade_;   /* wf_websocket_connect asks */
    bool whole_url_; /* parameters are part of the URL already */
};

/* An answer. It lives as long as the arena of its call. */
struct wf_response {
    int status;
    const char *version; /* "HTTP/1.1", "HTTP/2" */
    const char *url;     /* that answered, after redirects; without what is secret */
    struct wf_headers headers, trailers;
    const char *body; /* a zero byte follows; NULL while it is read in pieces */
    size_t size;
    uint32_t redirects; /* that were followed */
    struct wf_call_ *call_;
    void *reserved_[4];
};

/*
 * wf_fetch(client, arena, method, url, &response, .option = value, ...) makes a call and reads its whole answer.
 * Returns 0 for an answer of whatever status, unless it is to be checked.
 * Suspends: until all is there. On cancel: the call is given up; the server may have acted on it.
 * Errors: -EINVAL for a URL or options that make no sense; -EBADF where the client is not open, -ESHUTDOWN where it was
 * closed meanwhile; WF_EFULL where too many wait; what connecting and TLS gave (weft/tcp.h, weft/tls.h); -EPROTO for an
 * answer that is none; -ECONNRESET, WF_EEND where it ends early; -EMSGSIZE for one that is too long; -ELOOP for too
 * many redirects; -EBADMSG for a body that cannot be decompressed; WF_ESTATUS; -ETIME, -ECANCELED, -ENOMEM. Of a
 * proxy, which the message names: -EACCES where it wants another login, -ECONNREFUSED where it does not connect. All
 * but the last with a message, which names the method and the URL.
 */
#define wf_fetch(client, arena, method, url, ...)                                                                      \
    wf_fetch_((client), (arena), (method), (url), WF_FETCH_OPTIONS_(__VA_ARGS__))
#define wf_get(client, arena, url, ...) wf_fetch(client, arena, WF_GET, url, __VA_ARGS__)
#define wf_head(client, arena, url, ...) wf_fetch(client, arena, WF_HEAD, url, __VA_ARGS__)
#define wf_post(client, arena, url, ...) wf_fetch(client, arena, WF_POST, url, __VA_ARGS__)
#define wf_put(client, arena, url, ...) wf_fetch(client, arena, WF_PUT, url, __VA_ARGS__)
#define wf_patch(client, arena, url, ...) wf_fetch(client, arena, WF_PATCH, url, __VA_ARGS__)
#define wf_delete(client, arena, url, ...) wf_fetch(client, arena, WF_DELETE, url, __VA_ARGS__)

/*
 * wf_fetch_open(client, arena, method, url, &response, ...) makes a call, and returns when the head of the answer is
 * there. Its connection is the response's until the body is read to its end, or wf_response_close; the end of the arena
 * does that, too. With .check_status the answer of an error is closed.
 * Suspends: until then. On cancel: the call is given up. Errors: as wf_fetch.
 */
#define wf_fetch_open(client, arena, method, url, ...)                                                                 \
    wf_fetch_open_((client), (arena), (method), (url), WF_FETCH_OPTIONS_(__VA_ARGS__))

/*
 * Some bytes of the body, decompressed, at least one; 0 at its end, when response->trailers are there.
 * Suspends: until some are there. On cancel: none is lost. Errors: as wf_fetch; -EBADF once it is closed.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_response_read(struct wf_response *response, void *buffer, size_t size);

/* All that is left of the body, as wf_fetch does. Suspends: until all is there. On cancel: what was read is gone.
 * Errors: as wf_fetch. */
WF_API WF_SUSPENDS int wf_response_load(struct wf_response *response);

/*
 * WF_RESPONSE_PIECES(pieces, &response) declares a source of the body's pieces, as they come, to be asked by wf_next
 * and to stand below stages (weft/iterate.h): items are struct iovec, each valid until the next one. So an answer can
 * be the body of a request (.items = &pieces.iterator), or of a server's answer (wf_reply_generator).
 *
 *     struct iovec piece;
 *     while ((rc = wf_next(&pieces, &piece)) > 0) ...
 *
 * Suspends: never; its wf_next does, as wf_response_read.
 */
#define WF_RESPONSE_PIECES(name, response)                                                                             \
    struct wf_response_pieces name;                                                                                    \
    wf_response_pieces_(&name, (response))

struct wf_response_pieces {
    struct wf_iterator iterator;
    struct wf_response *response_;
    char *buffer_;
    void *reserved_[2];
};

/*
 * The body as a stream to be read, by lines (weft/reader.h), or copied elsewhere. Closing it closes the response.
 * Suspends: never. Owns: the arena, or wf_stream_close. Errors: -EBADF where there is no body to be read; -ENOMEM.
 */
WF_API int wf_response_stream(struct wf_response *response, struct wf_stream **stream);

struct wf_save_options {
    size_t size;         /* filled by the macro */
    const char *sha256;  /* that the file must have: 64 hexadecimal digits; else -EBADMSG */
    mode_t mode;         /* of a new file; default 0644 */
    uint32_t resumes;    /* so often a body that breaks off is gone on with, by another call for the rest of it (Range,
                            If-Range): of a GET whose answer has a strong ETag or a date; default 0 */
    const char *partial; /* the file in which it is while it is not whole, and which stays when it fails; default: one
                            aside, which goes. A 206 goes on behind what is in it, and any other answer begins anew. */
};

/*
 * wf_response_save(&response, path, .option = value, ...) writes the body to a file, as it comes, or as it was read.
 * The file has its old contents, or is not there, until the new ones are whole. Returns 0.
 * Suspends: until all is there, and on the disk. On cancel: the file is as it was; what .partial has stays.
 * Errors: WF_ESTATUS for another status than 2xx; -EBADMSG for another checksum; -EPROTO for a 206 that does not begin
 * where .partial ends, WF_EEND for one that ends before the whole does; -EINVAL for a checksum that is none; as
 * wf_response_read; those of the file.
 */
#define wf_response_save(response, path, ...)                                                                          \
    wf_response_save_((response), (path),                                                                              \
                      &(struct wf_save_options){.size = sizeof(struct wf_save_options), ##__VA_ARGS__})

/*
 * Is done with an answer. One whose body was read to its end gives its connection back; any other's connection is
 * closed, for the rest could be long (HTTP/2: its stream is reset). May be said twice. Suspends: never.
 */
WF_API void wf_response_close(struct wf_response *response);

/* The first field of that name; NULL: there is none. Suspends: never. */
static inline const char *wf_response_header(const struct wf_response *response, const char *name)
{
    return wf_headers_find(&response->headers, name);
}

/*
 * 0 for a status below 400, else WF_ESTATUS, with a message: method, URL, status and the beginning of the body.
 * Suspends: never.
 */
WF_API int wf_response_check(const struct wf_response *response);

/*
 * The body as JSON, by its model, in the arena of the call.
 * Suspends: never. Errors: -EBADMSG for what is no JSON, -EINVAL for what the model does not allow, each with a message
 * that names the URL, the status and the problems; -ENOMEM.
 */
WF_API int wf_response_model(const struct wf_response *response, const struct wf_model *model, void *out);

/*
 * ---- Cookies: of clients with .cookies ----
 *
 * They are kept and sent by RFC 6265, and what its successor adds (draft-ietf-httpbis-rfc6265bis): those that are
 * Secure come and go over TLS alone, "__Host-" and "__Secure-" are held to what they promise, none lasts longer than
 * 400 days. Those for public suffixes ("co.uk", by libpsl) are refused. At most 3,000, of them 50 for one domain: then
 * the one goes that was not sent for the longest time; 4 KiB of name and value each. A call that says a Cookie field of
 * its own sends that one. Where libpsl was not there to build with, calls give -EOPNOTSUPP.
 */

/*
 * What would be sent to a URL under that name, in the arena.
 * Suspends: never. Errors: -ENOENT; -EINVAL for what is no URL; -EBADF, -EOPNOTSUPP; -ENOMEM.
 */
WF_API int wf_client_cookie(struct wf_client *client, struct wf_arena *arena, const char *url, const char *name,
                            const char **value);

/*
 * Keeps one as if that URL had answered with it: "theme=dark; Path=/; Max-Age=3600".
 * Suspends: never. Errors: -EINVAL, with a message, for one that is none, or not that URL's to say; -EBADF,
 * -EOPNOTSUPP; -ENOMEM.
 */
WF_API int wf_client_cookie_set(struct wf_client *client, const char *url, const char *text);

/* Forgets those that a host may see; NULL: all. Suspends: never. */
WF_API void wf_client_cookies_clear(struct wf_client *client, const char *host);

/*
 * All of them as a text, and back, for wf_file_replace and wf_file_load: the format of cookies.txt, which curl and wget
 * write, too. Loading adds to what is there.
 * Suspends: never. Errors: -EBADMSG, with the number of the line, for a text that is none; those before it are there;
 * -EBADF, -EOPNOTSUPP; -ENOMEM.
 */
WF_API int wf_client_cookies_save(const struct wf_client *client, struct wf_arena *arena, const char **text);
WF_API int wf_client_cookies_load(struct wf_client *client, const char *text);

/* ---- What the macros stand on: private ---- */

#define WF_FETCH_OPTIONS_(...)                                                                                         \
    &(struct wf_fetch_options)                                                                                         \
    {                                                                                                                  \
        .size = sizeof(struct wf_fetch_options), .out_ = __VA_ARGS__                                                   \
    }

#define WF_CLIENT_(client_name, ...)                                                                                   \
    struct wf_client client_name __attribute__((cleanup(wf_client_leave_), unused)) = {.private_ = NULL};              \
    wf_client_begin_(&(struct wf_client_options){.size = sizeof(struct wf_client_options),                             \
                                                 .place_ = WF_HERE_,                                                   \
                                                 .client_ = &__VA_ARGS__})

WF_API void wf_client_begin_(const struct wf_client_options *options);
WF_API WF_SUSPENDS WF_UNCANCELLABLE void wf_client_leave_(struct wf_client *client);
WF_API int wf_client_open_(struct wf_background *tasks, const struct wf_client_options *options);
WF_API void wf_response_pieces_(struct wf_response_pieces *pieces, struct wf_response *response);
WF_API WF_SUSPENDS int wf_fetch_(struct wf_client *client, struct wf_arena *arena, enum wf_method method,
                                 const char *url, const struct wf_fetch_options *options);
WF_API WF_SUSPENDS int wf_fetch_open_(struct wf_client *client, struct wf_arena *arena, enum wf_method method,
                                      const char *url, const struct wf_fetch_options *options);

WF_API WF_SUSPENDS int wf_response_save_(struct wf_response *response, const char *path,
                                         const struct wf_save_options *options);

#ifdef __cplusplus
}
#endif
#endif
