/*
 * TCP: listen, accept, connect. Connections are streams (stream.h).
 *
 *     struct wf_listener *listener;
 *     int rc = wf_tcp_listen("127.0.0.1", 8080, &listener);
 *     struct wf_stream *conn;
 *     while ((rc = wf_tcp_accept(listener, &conn)) >= 0) wf_spawn(&scope, serve, conn);
 *
 * Connections have TCP_NODELAY set: weft writes when it is told to.
 */
#ifndef WEFT_TCP_H
#define WEFT_TCP_H

#include <weft/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_address;
struct wf_listener;

struct wf_tcp_listen_options {
    size_t size; /* filled by the macro */
    struct wf_listener **out_;
    int backlog;     /* connections that wait to be accepted; default 4096, cut by the system */
    bool reuse_port; /* several listeners on one port; the kernel spreads connections */
};

/*
 * wf_tcp_listen(host, port, &listener, .option = value, ...): `host` is a numeric address, a local name, or NULL for
 * all addresses; port 0 takes a free one (wf_listener_port).
 * Suspends: only to resolve a name that is not numeric. On cancel: nothing listens. Owns: wf_listener_close.
 * Errors: -ECANCELED, -EADDRINUSE, -EACCES, -ENOENT for an unknown name, -EMFILE, -ENOMEM.
 */
#define wf_tcp_listen(host, port, ...)                                                                                 \
    wf_tcp_listen_((host), (port),                                                                                     \
                   &(struct wf_tcp_listen_options){.size = sizeof(struct wf_tcp_listen_options), .out_ = __VA_ARGS__})

/*
 * The next connection.
 * Suspends: until there is one. On cancel: none was taken. An idle wait: -ESHUTDOWN once the scope drains.
 * Owns: wf_stream_close.
 * Errors: -ECANCELED, -EBADF when closed meanwhile; -EMFILE, -ENFILE, -ENOMEM (the connection stays in the backlog).
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_tcp_accept(struct wf_listener *listener, struct wf_stream **stream);

/* Where it listens. Suspends: never. */
WF_API int wf_listener_local(const struct wf_listener *listener, struct wf_address *address);

/* The port that it listens on; 0 for a Unix socket. */
WF_API uint16_t wf_listener_port(const struct wf_listener *listener);

/* Stops listening; NULL is ignored. Pending accepts end with -EBADF. Suspends: never. */
WF_API void wf_listener_close(struct wf_listener *listener);

/*
 * Connects to a numeric address or a name; addresses of a name are tried in order.
 * Suspends: until connected. On cancel: no connection is left. Errors: -ECONNREFUSED, -ENETUNREACH, -ETIMEDOUT, -ENOENT
 * for an unknown name, -EMFILE, -ENOMEM. Owns: wf_stream_close.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_tcp_connect(const char *host, uint16_t port, struct wf_stream **stream);

WF_API WF_SUSPENDS int wf_tcp_listen_(const char *host, uint16_t port, const struct wf_tcp_listen_options *options);

#ifdef __cplusplus
}
#endif
#endif
