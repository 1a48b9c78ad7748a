/*
 * TCP: listen, accept, connect. Connections are streams (stream.h).
 *
 *     struct wf_listener *listener;
 *     int rc = wf_tcp_listen("127.0.0.1", 8080, &listener);
 *     struct wf_stream *conn;
 *     while ((rc = wf_tcp_accept(listener, &conn)) >= 0) wf_spawn(&scope, serve, conn);
 *
 * Connections have TCP_NODELAY set: weft writes when it is told to. Names are looked up as weft/names.h says.
 */
#ifndef WEFT_TCP_H
#define WEFT_TCP_H

#include <weft/address.h>
#include <weft/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_address;
struct wf_listener;

/* Probes of a connection that says nothing, so that a peer that is gone is noticed. Whole seconds, rounded up. */
struct wf_keepalive {
    int64_t idle;     /* silence before the first probe; 0: no probes */
    int64_t interval; /* between probes; 0: as the system is set */
    uint32_t count;   /* unanswered ones that end the connection, with -ETIMEDOUT; 0: as the system is set */
};

enum { WF_LISTEN_ADDRESSES_MAX = 8 };

struct wf_tcp_listen_options {
    size_t size; /* filled by the macro */
    struct wf_listener **out_;
    int backlog;                   /* connections that wait to be accepted; default 4096, cut by the system */
    bool reuse_port;               /* several listeners on one port; the kernel spreads connections */
    bool v6_only;                  /* of IPv6 addresses: not IPv4 too; with host NULL: IPv6 alone */
    bool delay;                    /* small writes wait for company (Nagle): no TCP_NODELAY on its connections */
    bool fast_open;                /* data may come with the first packet of a connection (RFC 7413) */
    struct wf_keepalive keepalive; /* of its connections */
};

/*
 * wf_tcp_listen(host, port, &listener, .option = value, ...): `host` is a numeric address, a name, or NULL for all
 * addresses, of IPv6 and IPv4; port 0 takes a free one (wf_listener_port). Of a name all addresses are listened on, at
 * the same port, up to eight; those that this machine has not, or not any more, are left out as long as there is one.
 * Suspends: only to resolve a name that is not numeric. On cancel: nothing listens. Owns: wf_listener_close.
 * Errors: -ECANCELED, -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -EMFILE, -ENOMEM; for a name as wf_resolve; with a message.
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

/*
 * The descriptor of one of the places where it listens, from 0, to pass it on to another process (weft/process.h); -1
 * past the last. It stays the listener's. Suspends: never. Threads: any, while the listener is open.
 */
WF_API int wf_listener_fd(const struct wf_listener *listener, unsigned index);

/* The file of a Unix socket stays when the listener is closed: another process listens there now. Suspends: never. */
WF_API void wf_listener_leave_file(struct wf_listener *listener);

/* Stops listening; NULL is ignored. Pending accepts end with -EBADF. Suspends: never. */
WF_API void wf_listener_close(struct wf_listener *listener);

struct wf_tcp_connect_options {
    size_t size; /* filled by the macro */
    struct wf_stream **out_;
    const struct wf_address *local; /* where to connect from; port 0: any. Addresses of its family only are tried */
    int64_t stagger;                /* until the next address is tried beside the one before; default: 250 ms */
    int family;                     /* AF_INET or AF_INET6 only; default: both */
    bool delay;                     /* small writes wait for company (Nagle): no TCP_NODELAY */
    bool fast_open;                 /* the first write goes out with the first packet, where the peer is known to take
                                       that (RFC 7413). Connecting then tells nothing: the first write or read does */
    struct wf_keepalive keepalive;
};

/*
 * wf_tcp_connect(host, port, &stream, .option = value, ...) connects to a numeric address or a name. The addresses of a
 * name are tried as RFC 8305 has it: IPv6 and IPv4 in turn, the next one when one has failed or has not answered within
 * .stagger; the first that answers wins, and the others are given up.
 * Suspends: until connected. On cancel: no connection is left. Owns: wf_stream_close.
 * Errors: those of the address that failed last, with a message that tells all: -ECONNREFUSED, -ENETUNREACH,
 * -EHOSTUNREACH, -ETIMEDOUT, -EADDRNOTAVAIL. For a name as wf_resolve; -EAFNOSUPPORT when none is of the family that
 * was asked for, or of that of .local; -EMFILE, -ENFILE, -ENOMEM, -ECANCELED.
 */
#define wf_tcp_connect(host, port, ...)                                                                                \
    wf_tcp_connect_((host), (port),                                                                                    \
                    &(struct wf_tcp_connect_options){.size = sizeof(struct wf_tcp_connect_options),                    \
                                                     .out_ = __VA_ARGS__})

WF_API WF_SUSPENDS WF_CHECKED int wf_tcp_connect_(const char *host, uint16_t port,
                                                  const struct wf_tcp_connect_options *options);
WF_API WF_SUSPENDS int wf_tcp_listen_(const char *host, uint16_t port, const struct wf_tcp_listen_options *options);

#ifdef __cplusplus
}
#endif
#endif
