/*
 * A request, as its handler sees it, and the answer.
 *
 *     const char *agent = wf_request_header(request, "User-Agent");
 *     int64_t limit;
 *     int rc = wf_query_int(request, "limit", 20, &limit);
 *     if (rc < 0) return rc;                                     // not a number: 422, answered already
 *     wf_reply_header(request, "Cache-Control", "no-store");
 *     return wf_reply_text(request, 200, "hello");
 *
 * Everything that a call gives lives as long as the request. Threads: the loop's.
 */
#ifndef WEFT_REQUEST_H
#define WEFT_REQUEST_H

#include <weft/message.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_app;
struct wf_model;
struct wf_request;
struct wf_address;
struct wf_json_writer;
struct wf_stream;
struct wf_tls_info;

/* ---- What was asked ---- */

/* None of these suspends. Texts live as long as the request; NULL where something is not there. */
WF_API enum wf_method wf_request_method(const struct wf_request *request);
WF_API const char *wf_request_path(const struct wf_request *request);    /* as it was sent, without the query */
WF_API const char *wf_request_query(const struct wf_request *request);   /* as it was sent; NULL: there is none */
WF_API const char *wf_request_scheme(const struct wf_request *request);  /* "http" or "https" */
WF_API const char *wf_request_host(const struct wf_request *request);    /* perhaps with a port; "" for none */
WF_API const char *wf_request_version(const struct wf_request *request); /* "HTTP/1.1" */
WF_API const char *wf_request_header(const struct wf_request *request, const char *name); /* the first; NULL: none */
WF_API const struct wf_headers *wf_request_headers(const struct wf_request *request);
WF_API const char *wf_request_cookie(struct wf_request *request, const char *name); /* NULL: none */
WF_API int64_t wf_request_length(const struct wf_request *request); /* of the body; -1: not known before its end */
WF_API int wf_request_status(const struct wf_request *request);     /* of the answer; 0: none yet */
WF_API struct wf_arena *wf_request_arena(struct wf_request *request);
WF_API struct wf_app *wf_request_app(const struct wf_request *request);
WF_API void *wf_request_state(const struct wf_request *request); /* app->state */
WF_API void *wf_request_arg(const struct wf_request *request);   /* the route's .arg */

/*
 * Who is asking: what trusted proxies say (app->trusted_proxies), else where the connection comes from. The scheme and
 * the host above are theirs, too. A port that no proxy tells is 0. Suspends: never. Errors: -EOPNOTSUPP for a stream
 * without an address.
 */
WF_API int wf_request_peer(const struct wf_request *request, struct wf_address *address);

/*
 * What was agreed on by TLS: version, cipher, the name that the client asked for, its certificates (weft/tls.h). All of
 * it lives as long as the request. Suspends: never. Errors: -EINVAL when it did not come over TLS; -ENOMEM.
 */
WF_API int wf_request_tls(struct wf_request *request, struct wf_tls_info *info);

/* A named segment of the path, decoded; NULL: the pattern has no such name. Suspends: never. */
WF_API const char *wf_path_text(struct wf_request *request, const char *name);

/* The same as a number. What is none is answered with 422. Suspends: as an answer does. On cancel: as an answer.
 * Errors: -EINVAL; -ENOENT for a name that the pattern does not have. */
WF_API WF_SUSPENDS int wf_path_int(struct wf_request *request, const char *name, int64_t *value);

/* A parameter of the query, decoded: the first of that name; NULL: it is not there. Suspends: never. */
WF_API const char *wf_query_text(struct wf_request *request, const char *name);

/* The same as a number, with what it is when it is not there. What is none is answered with 422. Suspends: as an answer
 * does. On cancel: as an answer. Errors: -EINVAL. */
WF_API WF_SUSPENDS int wf_query_int(struct wf_request *request, const char *name, int64_t otherwise, int64_t *value);

/* ---- The body ---- */

/*
 * Some bytes of the body, at least one; 0 at its end. Suspends: until some are there. On cancel: none is lost.
 * Errors: -EMSGSIZE past the limit, -EBADMSG for a broken one, -ECONNRESET when it ends early, -ECANCELED.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_request_read(struct wf_request *request, void *buffer, size_t size);

/*
 * The whole body, in the request's arena, terminated; asked for again it is the same. What is wrong with it is answered
 * already: 413, 400. Suspends: until all came. On cancel: what was read is gone. Errors: as above; -ENOMEM.
 */
WF_API WF_SUSPENDS int wf_request_body(struct wf_request *request, char **bytes, size_t *size);

/* A field that came behind the body; NULL: there is none, or the body has not been read to its end. Suspends: never. */
WF_API const char *wf_request_trailer(const struct wf_request *request, const char *name);

/*
 * The body as JSON, by its model, into *out. What is wrong with it is answered already: 422 with all its problems, 400,
 * 413. Suspends: until all came. On cancel: what was read is gone. Errors: -EINVAL, -EBADMSG, -EMSGSIZE; -ENOMEM.
 */
WF_API WF_SUSPENDS int wf_request_model(struct wf_request *request, const struct wf_model *model, void *out);

/*
 * The inputs that the route has models for, parsed and checked: a struct of the model, or NULL where it has none.
 * Suspends: never.
 */
WF_API void *wf_path_value(const struct wf_request *request);
WF_API void *wf_query_value(const struct wf_request *request);
WF_API void *wf_header_value(const struct wf_request *request); /* members are named in small letters */
WF_API void *wf_cookie_value(const struct wf_request *request);
WF_API void *wf_body_value(const struct wf_request *request); /* of .body or .form */

/* ---- The answer ---- */

/* A field of the answer, before it is made. Suspends: never. Errors: as wf_headers_add. */
WF_API int wf_reply_header(struct wf_request *request, const char *name, const char *value);

/*
 * A whole answer: a text, bytes of some type, nothing. Returns 0, which a handler may return.
 * Suspends: while the client does not take it. On cancel: the connection ends. Errors: the connection's; -EINVAL for a
 * status outside of 200 to 599.
 */
WF_API WF_SUSPENDS int wf_reply_text(struct wf_request *request, int status, const char *text);
WF_API WF_SUSPENDS int wf_reply_bytes(struct wf_request *request, int status, const char *content_type,
                                      const void *bytes, size_t size);
WF_API WF_SUSPENDS int wf_reply_empty(struct wf_request *request, int status);

/* A value as JSON, by its model; what a writer has (weft/json.h). Suspends: as above. On cancel: as above. Errors: as
 * above; the writer's. */
WF_API WF_SUSPENDS int wf_reply(struct wf_request *request, int status, const struct wf_model *model,
                                const void *value);
WF_API WF_SUSPENDS int wf_reply_json(struct wf_request *request, int status, struct wf_json_writer *writer);

/* Sends the client elsewhere: 301, 302, 303, 307 or 308. Suspends: as above. On cancel: as above. Errors: as above. */
WF_API WF_SUSPENDS int wf_reply_redirect(struct wf_request *request, int status, const char *location);

/*
 * An answer in pieces: begun, written, ended. `length` is the whole body's; -1: not known. Every piece waits until the
 * client has taken most of those before. Suspends: as above. On cancel: the connection ends.
 * Errors: as above; -EMSGSIZE for more than was announced, -EINVAL for less.
 */
WF_API WF_SUSPENDS int wf_reply_begin(struct wf_request *request, int status, const char *content_type, int64_t length);
WF_API WF_SUSPENDS int wf_reply_write(struct wf_request *request, const void *bytes, size_t size);
WF_API WF_SUSPENDS int wf_reply_flush(struct wf_request *request);
WF_API WF_SUSPENDS int wf_reply_end(struct wf_request *request);

/* A field after the body, where the client can take one (HTTP/1.1 in chunks, HTTP/2). Suspends: never. Errors: as
 * wf_headers_add. */
WF_API int wf_reply_trailer(struct wf_request *request, const char *name, const char *value);

/* 103 with the fields that were added so far (RFC 8297), or 100. Suspends: as above. On cancel: as above. Errors: as
 * above. */
WF_API WF_SUSPENDS int wf_reply_inform(struct wf_request *request, int status);

/*
 * An error as the answer, {"detail": "..."}, from any depth. Returns a negative code that a handler may return, because
 * nothing more is answered then; -ECANCELED where the client is gone. Suspends: as above. On cancel: as above.
 */
WF_API WF_SUSPENDS int wf_http_error(struct wf_request *request, int status, const char *format, ...) WF_PRINTF_(3, 4);

struct wf_problem_options {
    size_t size;          /* filled by the macro */
    const char *type;     /* a URI that says what kind of problem it is; default "about:blank": what the status says */
    const char *title;    /* of the kind; default: the status's words */
    const char *detail;   /* of this one; NULL: nothing */
    const char *instance; /* a URI of this one; default: the path */
};

/*
 * wf_reply_problem(request, status, .type = "https://...", .detail = ...) is the same as problem details (RFC 9457),
 * application/problem+json, in any app; of one with .problem_details all errors are.
 * Suspends: as above. On cancel: as above. Errors: a negative code in every case, as above.
 */
#define wf_reply_problem(request, status, ...)                                                                         \
    wf_reply_problem_((request), (status),                                                                             \
                      &(struct wf_problem_options){.size = sizeof(struct wf_problem_options), __VA_ARGS__})

/*
 * wf_after_reply(request, fn, arg) has `int fn(T *arg)` run on the connection's task when the answer is out, before the
 * request's dependencies are closed and before the next request. What it fails with goes to the log.
 * Suspends: never. Errors: -ENOMEM.
 */
#define wf_after_reply(request, fn, arg)                                                                               \
    wf_after_reply_((request), ((void)sizeof((fn)(arg)), (int (*)(void *))(fn)), (arg))

WF_API WF_SUSPENDS int wf_reply_problem_(struct wf_request *request, int status,
                                         const struct wf_problem_options *options);
WF_API int wf_after_reply_(struct wf_request *request, int (*fn)(void *), const void *arg);

#ifdef __cplusplus
}
#endif
#endif
