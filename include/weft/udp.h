/*
 * UDP: sockets of datagrams, bound or connected, multicast and broadcast. They send and receive by weft/socket.h.
 *
 *     struct wf_socket *socket;
 *     int rc = wf_udp_connect("192.0.2.53", 53, &socket);
 *     if (rc < 0) return rc;
 *     char answer[512];
 *     ssize_t size = wf_socket_send(socket, question, sizeof question, NULL);
 *     if (size > 0) size = wf_within(WF_SECONDS(2), wf_socket_receive(socket, answer, sizeof answer, NULL));
 *     wf_socket_close(socket);
 *
 * A connected socket receives from its peer only, and is told when nobody is there: -ECONNREFUSED, by the next call.
 */
#ifndef WEFT_UDP_H
#define WEFT_UDP_H

#include <weft/socket.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_udp_options {
    size_t size; /* filled by the macro */
    struct wf_socket **out_;
    bool reuse_address; /* several sockets on one port, each gets every multicast datagram */
    bool reuse_port;    /* several sockets on one port; the kernel spreads datagrams by sender */
    bool broadcast;     /* may send to broadcast addresses */
    bool only_v6;       /* a socket on "::" leaves IPv4 alone */
    bool coalesce;      /* wf_socket_receive_many may give several datagrams of one sender in one message */
    int receive_buffer_bytes, send_buffer_bytes; /* of the system; default: the system's; cut by it */
    void *reserved_[2];
};

/*
 * wf_udp_open(host, port, &socket, .option = value, ...): a socket that is bound: `host` is a numeric address, a local
 * name, or NULL for all IPv4 addresses; port 0 takes a free one (wf_socket_local).
 * Suspends: only to resolve a name that is not numeric. On cancel: nothing is open. Owns: wf_socket_close.
 * Errors: -ECANCELED, -EADDRINUSE, -EADDRNOTAVAIL, -EACCES, -ENOENT for an unknown name, -EMFILE, -ENOMEM; the message
 * names host and port.
 */
#define wf_udp_open(host, port, ...)                                                                                   \
    wf_udp_open_((host), (port), &(struct wf_udp_options){.size = sizeof(struct wf_udp_options), .out_ = __VA_ARGS__})

/*
 * The same for a socket that is connected, from a port that the system chooses.
 * Suspends: as above. On cancel: nothing is open. Owns: wf_socket_close. Errors: as above, -ENETUNREACH.
 */
#define wf_udp_connect(host, port, ...)                                                                                \
    wf_udp_connect_((host), (port),                                                                                    \
                    &(struct wf_udp_options){.size = sizeof(struct wf_udp_options), .out_ = __VA_ARGS__})

/*
 * Receives what is sent to a group from now on, or not any more; over the interface of that index (wf_interfaces), 0:
 * the system's choice. The socket is bound to the group's port, and to all addresses or the group's.
 * Suspends: never. Errors: -EINVAL for what is no multicast address or of another family, -ENODEV, -EADDRINUSE when it
 * is in the group already, -EADDRNOTAVAIL when it is not, -ENOBUFS for too many groups.
 */
WF_API int wf_udp_join(struct wf_socket *socket, const struct wf_address *group, unsigned interface_index);
WF_API int wf_udp_leave(struct wf_socket *socket, const struct wf_address *group, unsigned interface_index);

struct wf_udp_multicast {
    unsigned interface_index; /* over which it goes out; 0: the system's choice */
    int hops;                 /* 0: not beyond this host, 255 at most; the system's default is 1 */
    bool not_to_self;         /* receivers on this host do not get it */
};

/* How this socket sends to groups. Suspends: never. Errors: -EINVAL, -ENODEV. */
WF_API int wf_udp_set_multicast(struct wf_socket *socket, const struct wf_udp_multicast *multicast);

WF_API WF_SUSPENDS int wf_udp_open_(const char *host, uint16_t port, const struct wf_udp_options *options);
WF_API WF_SUSPENDS int wf_udp_connect_(const char *host, uint16_t port, const struct wf_udp_options *options);

#ifdef __cplusplus
}
#endif
#endif
