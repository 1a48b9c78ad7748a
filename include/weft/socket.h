/*
 * A socket that keeps the borders of messages: UDP (weft/udp.h), and Unix sockets of datagrams and of packets
 * (weft/unix.h). What is sent in one call is received in one call, or not at all.
 *
 *     struct wf_socket *socket;
 *     int rc = wf_udp_open("127.0.0.1", 5353, &socket);
 *     if (rc < 0) return rc;
 *     char bytes[1500];
 *     struct wf_address from;
 *     ssize_t size;
 *     while ((size = wf_socket_receive(socket, bytes, sizeof bytes, &from)) >= 0)
 *         if (wf_socket_send(socket, bytes, (size_t)size, &from) < 0) break;
 *     wf_socket_close(socket);
 *
 * Any number of tasks may send and receive at a time: a message goes to exactly one of them.
 * A buffer may live on the caller's stack: no call returns while the kernel still uses it.
 * Threads: the loop that opened the socket.
 */
#ifndef WEFT_SOCKET_H
#define WEFT_SOCKET_H

#include <weft/address.h>
#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_socket;

enum {
    WF_MESSAGES_MAX = 16, /* that one call sends or receives */
};

/*
 * Sends one message, whole or not at all. `to` NULL: to the peer that the socket is connected to. Returns its size.
 * That it was sent says nothing of its arrival.
 * Suspends: until the system took it. On cancel: nothing was sent.
 * Errors: -ECANCELED, -EBADF when the socket was closed meanwhile; -EMSGSIZE for more than a message may have,
 * -EDESTADDRREQ for no address at all, -ENETUNREACH, -EACCES for a broadcast that was not allowed; -ECONNREFUSED where
 * nobody was there for an earlier one (connected sockets; then this one was not sent); -EPIPE, -ECONNREFUSED when a
 * Unix socket's peer is gone; -EINVAL for an empty packet; the system's.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_socket_send(struct wf_socket *socket, const void *bytes, size_t size,
                                                     const struct wf_address *to);

/*
 * Receives one message. Returns its size, which may be 0; `*from` (may be NULL) is who sent it.
 * Suspends: until there is one. On cancel: none was taken.
 * Errors: -ECANCELED, -EBADF; -EMSGSIZE when it is longer than `size`: the first `size` bytes are there, the others are
 * gone; -ECONNREFUSED as above; WF_EEND when the peer of a socket of packets has ended.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_socket_receive(struct wf_socket *socket, void *buffer, size_t size,
                                                        struct wf_address *from);

/* One of many. */
struct wf_message {
    void *bytes;
    size_t size;               /* to send: how many bytes; to receive: the room, then how many came */
    struct wf_address address; /* to whom (size 0: the connected peer); from whom */
    /* Several messages in one, each of that size and the last of the rest; 0: it is one. Sent so by UDP, the system
     * cuts them (at most 64 of them, 64 KiB in all). Received so only where the socket was opened with `.coalesce`. */
    uint16_t segment;
    bool cut; /* received: it was longer than the room, and the rest is gone */
};

/*
 * The same with several at once, which costs less for each. Returns how many, at least one and at most `count` and
 * WF_MESSAGES_MAX. Sending stops before the first that fails; its error comes when it is the first of a call. Receiving
 * takes what is there.
 * Suspends: until the first is sent, or came. On cancel: none was. Errors: as above, without -EMSGSIZE of receiving
 * (`.cut`); -EINVAL for a count below 1.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_socket_send_many(struct wf_socket *socket, const struct wf_message *messages,
                                                      int count);
WF_API WF_SUSPENDS WF_CHECKED int wf_socket_receive_many(struct wf_socket *socket, struct wf_message *messages,
                                                         int count);

/*
 * Closes at once; NULL is ignored. Calls that other tasks have pending on it end with -EBADF. The file of a Unix socket
 * goes with it. Suspends: never.
 */
WF_API void wf_socket_close(struct wf_socket *socket);

/* Where it is, and where it is connected to. Suspends: never. Errors: -ENOTCONN. */
WF_API int wf_socket_local(const struct wf_socket *socket, struct wf_address *address);
WF_API int wf_socket_peer(const struct wf_socket *socket, struct wf_address *address);

/* The descriptor underneath, to ask or to set options. It stays the socket's. Suspends: never. */
WF_API int wf_socket_fd(const struct wf_socket *socket);

#ifdef __cplusplus
}
#endif
#endif
