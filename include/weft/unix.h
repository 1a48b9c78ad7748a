/*
 * Unix sockets, between processes of one machine: streams of bytes (weft/stream.h), datagrams and packets
 * (weft/socket.h), descriptors that go along, and who is at the other end.
 *
 *     struct wf_listener *listener;
 *     int rc = wf_unix_listen("/run/app.sock", &listener, .mode = 0600, .replace = true);
 *     if (rc < 0) return rc;
 *     struct wf_stream *conn;
 *     while ((rc = wf_unix_accept(listener, &conn)) >= 0) wf_spawn(&scope, serve, conn);
 *     wf_listener_close(listener);                       // the file goes too
 *
 * A name is a path of at most 107 bytes, or "@" and an abstract name, which is no file and goes with its socket;
 * streams, packets and datagrams have abstract names of their own.
 *
 * Packets are both: like a connection they are reliable, in order, and have an end; like datagrams they keep their
 * borders.
 */
#ifndef WEFT_UNIX_H
#define WEFT_UNIX_H

#include <weft/socket.h>
#include <weft/stream.h>
#include <weft/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_unix_listen_options {
    size_t size; /* filled by the macro */
    struct wf_listener **out_;
    int backlog;  /* connections that wait to be accepted; default 4096, cut by the system */
    mode_t mode;  /* of the file, less the umask; who may write to it may connect; default 0777 */
    bool replace; /* a file whose socket is gone is in nobody's way; one that still answers is left alone */
    bool packets; /* for wf_unix_accept_packets */
    void *reserved_[2];
};

/*
 * wf_unix_listen(path, &listener, .option = value, ...). wf_listener_close removes the file.
 * With `.replace` a listener that is there already sees a connection that ends at once: that is how it is asked.
 * Suspends: never. Owns: wf_listener_close.
 * Errors: -EADDRINUSE when the name is taken, or somebody is just taking it; -EACCES, -ENOENT, -ENOTDIR for the
 * directory; -ENOTSOCK when a file of another kind is in the way; -ENAMETOOLONG, -EINVAL for the name; -EMFILE,
 * -ENOMEM. The message has the path.
 */
#define wf_unix_listen(path, ...)                                                                                      \
    wf_unix_listen_((path), &(struct wf_unix_listen_options){.size = sizeof(struct wf_unix_listen_options),            \
                                                             .out_ = __VA_ARGS__})

/*
 * The next connection, as a stream or as a socket of packets.
 * Suspends: until there is one. On cancel: none was taken. An idle wait: -ESHUTDOWN once the scope drains.
 * Owns: wf_stream_close, wf_socket_close.
 * Errors: -ECANCELED, -EBADF when closed meanwhile; -EPROTOTYPE for a listener of another kind; -EMFILE, -ENFILE,
 * -ENOMEM (the connection stays in the backlog).
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_unix_accept(struct wf_listener *listener, struct wf_stream **stream);
WF_API WF_SUSPENDS WF_CHECKED int wf_unix_accept_packets(struct wf_listener *listener, struct wf_socket **socket);

/*
 * Connects.
 * Suspends: while the listener has no room. On cancel: no connection is left. Owns: wf_stream_close, wf_socket_close.
 * Errors: -ECANCELED, -ENOENT, -EACCES; -ECONNREFUSED when nobody listens there; -EPROTOTYPE when the file is of
 * another kind; -EMFILE, -ENOMEM. The message has the path.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_unix_connect(const char *path, struct wf_stream **stream);
WF_API WF_SUSPENDS WF_CHECKED int wf_unix_connect_packets(const char *path, struct wf_socket **socket);

struct wf_unix_options {
    size_t size; /* filled by the macro */
    struct wf_socket **out_;
    const char *peer; /* connected to that name: sends there, receives from there only */
    mode_t mode;      /* of the file, as above */
    bool replace;     /* as above */
    void *reserved_[2];
};

/*
 * wf_unix_open(path, &socket, .option = value, ...): a socket of datagrams, bound to a name, which others send to and
 * answer to; NULL: to none. Datagrams between Unix sockets are not lost: sending waits for room.
 * Suspends: never. Owns: wf_socket_close, which removes the file.
 * Errors: as wf_unix_listen, and of `.peer` as wf_unix_connect.
 */
#define wf_unix_open(path, ...)                                                                                        \
    wf_unix_open_((path), &(struct wf_unix_options){.size = sizeof(struct wf_unix_options), .out_ = __VA_ARGS__})

/* Two ends that are connected. Suspends: never. Owns: closing each end. Errors: -EMFILE, -ENFILE, -ENOMEM. */
WF_API int wf_unix_pair(struct wf_stream **a, struct wf_stream **b);
WF_API int wf_unix_pair_packets(struct wf_socket **a, struct wf_socket **b);

/* ---- Who it is ---- */

struct wf_unix_owner {
    pid_t pid; /* of the process that connected or listened then; it may have ended since */
    uid_t uid;
    gid_t gid;
};

/* Suspends: never. Errors: -EOPNOTSUPP for anything else than a Unix socket, -ENOTCONN. */
WF_API int wf_unix_peer_owner(const struct wf_stream *stream, struct wf_unix_owner *owner);
WF_API int wf_unix_packets_owner(const struct wf_socket *socket, struct wf_unix_owner *owner);

/* ---- Descriptors ---- */

enum {
    WF_UNIX_FDS_MAX = 64, /* that go along at once */
};

/*
 * Writes all bytes, at least one, and the descriptors go with the first of them. The receiver gets duplicates: yours
 * stay yours, to be closed whenever you like. Returns 0.
 * Suspends: until all are taken. On cancel: as wf_stream_write_all; the descriptors went if any byte did.
 * Errors: as wf_stream_write_all; -EINVAL for no bytes or more descriptors than may go, -EBADF for a bad one,
 * -EOPNOTSUPP for anything else than a Unix socket, -ETOOMANYREFS for too many on their way.
 */
WF_API WF_SUSPENDS int wf_unix_send_fds(struct wf_stream *stream, const void *bytes, size_t size, const int *fds,
                                        int count);

/*
 * Reads what is there, as wf_stream_read, and the descriptors that came with it: `*count` is the room in `fds`, and
 * then how many came. They are yours, close-on-exec, for wf_stream_wrap or wf_close_fd. Returns the count of bytes; 0
 * at the end. Whoever reads by other calls loses the descriptors that come: they are closed.
 * Suspends: until bytes, the end or an error. On cancel: nothing was consumed.
 * Errors: as wf_stream_read; -EMSGSIZE when there was no room for all the descriptors, and then all of them are closed,
 * and the bytes are gone.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_unix_receive_fds(struct wf_stream *stream, void *buffer, size_t size, int *fds,
                                                          int *count);

/*
 * The same with one message of a socket of packets or datagrams.
 * Suspends: until it was taken, or came. On cancel: none was. Errors: also those of wf_socket_send, wf_socket_receive.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_unix_send_message(struct wf_socket *socket, const void *bytes, size_t size,
                                                           const int *fds, int count);
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_unix_receive_message(struct wf_socket *socket, void *buffer, size_t size,
                                                              int *fds, int *count);

WF_API int wf_unix_listen_(const char *path, const struct wf_unix_listen_options *options);
WF_API int wf_unix_open_(const char *path, const struct wf_unix_options *options);

#ifdef __cplusplus
}
#endif
#endif
