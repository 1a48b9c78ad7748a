/*
 * An HTTP server: routes, handlers, and what happens around them.
 *
 *     static int show_user(struct wf_request *request)
 *     {
 *         int64_t id;
 *         int rc = wf_path_int(request, "id", &id);              // not a number: 422, answered already
 *         if (rc < 0) return rc;
 *         const char *name = find_name(id);
 *         if (name == NULL) return wf_http_error(request, 404, "no user %" PRId64, id);
 *         return wf_reply_text(request, 200, name);
 *     }
 *
 *     int main(int argc, char **argv)
 *     {
 *         struct wf_app app = {.title = "Users"};
 *         wf_route(&app, WF_GET, "/users/{id}", show_user);      // a wrong route surfaces in wf_serve
 *         return wf_serve_main(&app, argc, argv);
 *     }
 *
 * What a handler returns is answered so:
 *
 *     an answer was made already      it stands, whatever is returned
 *     0 and more                      204, no content
 *     -ENOENT 404, -EACCES and -EPERM 403, -EEXIST 409, -EINVAL 422, -EMSGSIZE 413, -EBADMSG 400,
 *     -EBUSY, -EAGAIN, -ENOMEM, WF_EFULL and WF_EOPEN 503, -ETIME and -ETIMEDOUT 504
 *     -ECANCELED                      nothing: the client has gone, or the server ends
 *     any other error                 500, without a word of what is inside; the log has it, except that the client
 *                                     left in the middle of the answer
 *
 * The message of wf_fail goes into answers below 500 only. Two answers to one request are a mistake of the program,
 * which ends it with a message.
 *
 * Threads: routes are declared before it serves; then the app is only read. Without .spread it belongs to one loop.
 * With it handlers, middleware and on_request run on all loops at once, each request from its first byte to its last
 * on one: what they share (wf_request_state, arguments of routes) is yours to protect, with atomics, weft/shared.h, or
 * one of everything for each loop (wf_loop_index). Streams, locks, channels and pools belong to one loop. The lifespan
 * is called once, on the loop of wf_serve.
 */
#ifndef WEFT_APP_H
#define WEFT_APP_H

#include <weft/message.h>
#include <weft/request.h>
#include <weft/scope.h>
#include <weft/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_app_;
struct wf_dependency;
struct wf_problems;
struct wf_tls_config;

enum { WF_NEEDS_MAX = 8 };

/* What a client may take of the server. Zero means the default; each refusal is an answer of its own. */
struct wf_http_limits {
    int64_t head_time;    /* from a request's first byte to the end of its head: 408; default 10 s */
    int64_t body_time;    /* without a byte of a body that is waited for: 408; default 30 s */
    int64_t write_time;   /* without a byte of an answer that is taken: cut; default 30 s */
    int64_t idle_time;    /* between two requests: closed; default 75 s */
    int64_t handler_time; /* of a handler: 504; default: none */
    size_t line_max;      /* of the request line: 414; default 8 KiB */
    size_t head_max;      /* of all fields: 431; default 64 KiB */
    uint32_t fields_max;  /* 431; default 100 */
    uint64_t body_max;    /* 413; default 1 MiB; a route may have its own */
    uint64_t skip_max;    /* of a body that no handler read: past it the connection is closed; default 256 KiB */
    uint32_t connections; /* at once; others wait; default 10,000 */
    uint32_t streams;     /* of one HTTP/2 connection, at once; default 100 */
    uint32_t per_peer;    /* connections of one address (of IPv6: of 64 bits), at once: 503, where TLS is spoken a
                             reset; default 1,000. Not counted: this machine, Unix sockets, trusted proxies. Where
                             a proxy's header says whose a connection is, that counts */
};

enum wf_slashes {
    WF_SLASH_REDIRECT, /* "/users/" goes to "/users", or the other way, where only that is a route: 307 (default) */
    WF_SLASH_STRICT,   /* they are two paths */
    WF_SLASH_IGNORE,   /* they are one */
};

/* An error that is to be answered. */
struct wf_error_answer {
    int status;
    const char *detail;                 /* for people; from 500 on the status's words, unless the program gave others */
    const struct wf_problems *problems; /* with an input (weft/model.h), of 422 and 400; NULL: it is something else */
};

struct wf_app {
    const char *title, *version, *description; /* of the API, for its documentation */
    /* What surrounds the serving: opens what the handlers need, calls wf_app_run, closes it again. Its error before
     * that call means that the server never listens. */
    int (*lifespan)(struct wf_app *app);
    void *state; /* yours: wf_request_state gives it to handlers */
    struct wf_http_limits limits;
    enum wf_slashes slashes;
    /* Whose word counts about whom they ask for (Forwarded, or X-Forwarded-For, -Proto and -Host): addresses and
     * networks, "127.0.0.1, 10.0.0.0/8, ::1, unix", at most 64. NULL: nobody's. */
    const char *trusted_proxies;
    /* The outermost app serves its documentation at /openapi.json and, for people, at /docs, unless it has routes of
     * its own there, or this says no. Routes of mounted apps are in it, except for those of apps that say no. */
    bool no_docs;
    const struct wf_dependency *needs[WF_NEEDS_MAX]; /* of every route, also of apps below (weft/depend.h) */
    /* What is told of requests, each off by default; of the app that is served, for all below it (weft/health.h). */
    bool access_log;      /* a line of the log for each, at the level of information */
    bool request_ids;     /* X-Request-Id, the client's where it is sound: in the answer and in all lines of the log */
    const char *request_id_letters; /* of which a sound one consists; default "A-Z a-z 0-9 - . _ ~ + / = : @" */
    bool traces;          /* each is part of a trace (weft/context.h): traceparent and tracestate, W3C Trace Context */
    bool metrics;         /* each is counted, by method, route and status */
    bool problem_details; /* errors are application/problem+json (RFC 9457) instead of {"detail": ...} */
    /* What errors look like instead, in routes of this app and of those below it that do not say: writes the body, as
     * JSON; must not suspend. `error_model` is its form, for the documentation. */
    int (*write_error)(struct wf_request *request, const struct wf_error_answer *error, struct wf_json_writer *writer);
    const struct wf_model *error_model;
    /* Of the app that is served: hears of every request once it is answered; must not suspend. */
    void (*on_request)(const struct wf_request *request, void *arg);
    void *on_request_arg;
    struct wf_app_ *private_;
    int lost_; /* a declaration, for want of memory */
    void *reserved_[2];
};

/* ---- Routes ---- */

typedef int wf_handler(struct wf_request *request);

struct wf_route_options {
    size_t size; /* filled by the macro */
    /* What of the request is parsed and checked before the handler is called: all mistakes together are one 422. */
    const struct wf_model *path, *query, *header, *cookie, *body, *form;
    /* Adds to the problems (wf_problems_add) what models cannot see, whether they found any or not: values that they
     * could not read are 0 or NULL then. Returns 0, or what wf_problems_add gave; -EBADMSG makes the answer a 400. */
    int (*check)(struct wf_request *request, struct wf_problems *problems);
    const struct wf_model *response; /* of the 200 or 201, for the documentation */
    int status;                      /* of a success, for the documentation; default 200 */
    const char *name, *summary, *description, *tag;
    const struct wf_dependency *needs[WF_NEEDS_MAX]; /* opened before anything else is looked at (weft/depend.h) */
    const char *scopes;                              /* that a token has to have, "orders:read orders:write" */
    uint64_t body_max;                               /* default: the app's */
    bool no_head;                                    /* of GET: HEAD is another method here, 405 */
    bool hidden;                                     /* not in the documentation */
    void *arg;                                       /* wf_request_arg gives it to the handler */
    const char *function_, *place_;
};

/*
 * wf_route(&app, method, pattern, handler, .option = value, ...) has a handler called for a method and the paths that
 * match. A pattern is a path with {names} for whole segments, or with an ending, {name}:verb, and at the end perhaps
 * {name:rest} for all that follows. Fixed segments win over names with an ending, these over names, names over a rest.
 * GET routes answer HEAD too; OPTIONS and 405 come by themselves. What is wrong with a route (a bad pattern, the same
 * one twice) is said by wf_serve. Without a name, the documentation has the handler's; a second route of that name gets
 * a number. Suspends: never.
 */
#define wf_route(app, method, pattern, handler, ...)                                                                   \
    wf_route_((app), (method), (pattern), (handler),                                                                   \
              &(struct wf_route_options){.size = sizeof(struct wf_route_options),                                      \
                                         .function_ = #handler,                                                        \
                                         .place_ = WF_HERE_,                                                           \
                                         __VA_ARGS__})

/* Everything below a path is another app's, which has its own routes and middleware, inside of what the outer one has
 * around its own. Its lifespan is not run. Suspends: never. */
WF_API void wf_mount(struct wf_app *app, const char *prefix, struct wf_app *inner);

/*
 * wf_app_use(&app, middleware, arg) puts `int middleware(struct wf_request *request, T *arg)` around every handler, the
 * first one outermost; it calls wf_continue for what is inside. Suspends: never.
 */
#define wf_app_use(app, middleware, arg)                                                                               \
    wf_app_use_((app), ((void)sizeof((middleware)((struct wf_request *)NULL, (arg))), (wf_middleware *)(middleware)),  \
                (void *)(uintptr_t)(arg))
typedef int wf_middleware(struct wf_request *request, void *arg);

/* The rest of the middleware, and the handler. Suspends: as they do. On cancel: as they do. Errors: theirs. */
WF_API WF_SUSPENDS int wf_continue(struct wf_request *request);

/* ---- Serving ---- */

struct wf_http_serve_options {
    size_t size;                  /* filled by the macro */
    const char *host;             /* an address, or NULL: every one */
    uint16_t port;                /* 0: a free one, see `listening` */
    const char *unix_path;        /* instead: a Unix socket */
    struct wf_listener *listener; /* instead: one of yours, which stays yours */
    bool inherited;               /* instead: the sockets that were opened for this process (weft/service.h) */
    bool spread;                  /* on every loop of the run, see below */
    bool reuse_port;              /* each loop that serves has a socket of its own at the port: see below */
    struct wf_tls_config *tls;    /* of a server: TLS is spoken; offer {"h2", "http/1.1"} there as .alpn */
    bool proxy_protocol;          /* each connection begins with a header of the PROXY protocol, version 1 or 2, that
                                     says whose it is; one without is closed */
    /* Is called when connections can come; `port` is 0 for a Unix socket. */
    void (*listening)(struct wf_app *app, uint16_t port, void *arg);
    void *listening_arg;
};

/*
 * wf_serve(&app, .port = 8080, ...) runs the app until it is drained or cancelled. Returns 0 after a drain in which
 * everything under way was answered.
 *
 * In a run of several loops (weft/loops.h), .spread has all of them serve. One accepts, and each connection goes to the
 * loop that has the fewest; limits.connections is for all together. With .reuse_port each loop has a socket of its own:
 * cheaper where connections are short, and as even as the kernel's hash is; each takes its part of limits.connections,
 * and another program of the same user may listen at the same port. Inherited sockets are all served; when there are
 * fewer than loops, their connections go to all loops. A drain ends all of it, a cancel as well.
 *
 * Suspends: until then. On cancel: what is under way is cut.
 * Errors: -EINVAL for a wrong route, or options that exclude each other, with a message; -ENOENT when nothing was
 * inherited; what listening gave; the lifespan's.
 */
#define wf_serve(app, ...)                                                                                             \
    wf_http_serve_((app), &(struct wf_http_serve_options){.size = sizeof(struct wf_http_serve_options), __VA_ARGS__})

/* Said by a lifespan: serves. Suspends: until told to stop. On cancel: cut. Errors: as wf_serve. */
WF_API WF_SUSPENDS int wf_app_run(struct wf_app *app);

/* wf_serve in a loop of its own, with options from the command line and the environment (--help says which), signals
 * and a grace. Returns the exit status. Suspends: never; it is for main. */
WF_API int wf_serve_main(struct wf_app *app, int argc, char **argv);

/*
 * Serves one connection, whatever kind of stream it is, until it ends; the stream stays yours. For tests without
 * sockets: one end of a wf_stream_pair. Suspends: until the end. On cancel: cut. Errors: -EINVAL for a wrong route;
 * -ECONNABORTED when an answer broke off, which the client should see by wf_stream_abort; the stream's.
 */
WF_API WF_SUSPENDS int wf_app_serve_stream(struct wf_app *app, struct wf_stream *stream);

/*
 * Writes the app's description, an OpenAPI 3.1 document: what /openapi.json answers, for a program that only prints it.
 * Models of bodies and answers are in components.schemas, by their names. Suspends: never.
 * Errors: -EINVAL for a wrong route; -EEXIST for two models of one name, -E2BIG for more than 4,096 routes or 1,000
 * models, all with a message; the writer's.
 */
WF_API int wf_app_write_openapi(struct wf_app *app, struct wf_json_writer *writer);

/* Gives back what the app's routes took. Suspends: never. */
WF_API void wf_app_finish(struct wf_app *app);

/* ---- What the macros stand on: private ---- */

WF_API void wf_route_(struct wf_app *app, enum wf_method method, const char *pattern, wf_handler *handler,
                      const struct wf_route_options *options);
WF_API void wf_app_use_(struct wf_app *app, wf_middleware *middleware, const void *arg);
WF_API WF_SUSPENDS int wf_http_serve_(struct wf_app *app, const struct wf_http_serve_options *options);

#ifdef __cplusplus
}

#include <weft/cxx_http.h>
#endif
#endif
