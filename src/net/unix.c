/*
 * Unix sockets: their names and files, listening, accepting, connecting.
 *
 * A file that a dead process left is in the way of a new one. Whether its socket is dead is found by connecting to it.
 * Between that look and the removal somebody else may take the name over; so whoever makes or replaces a file holds a
 * lock on its directory meanwhile, and replaces nothing without it.
 */
#include <weft/unix.h>

#include <string.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/memory.h"
#include "core/loop.h"
#include "net/descriptor.h"
#include "net/listener.h"
#include "net/socket.h"

enum { BACKLOG_DEFAULT = 4096 };

static const int64_t retry_first = WF_MILLISECONDS(1), retry_last = WF_MILLISECONDS(64);

/* ---- Files ---- */

/* What a socket is bound to; its file is `path`, or NULL. */
struct place {
    const char *path;
    struct wf_address address;
    int type;
    mode_t mode;
    bool replace;
    int backlog; /* 0: it does not listen */
};

static bool is_file(const struct place *place)
{
    return place->address.local.sun_path[0] != '\0';
}

static bool answers(struct loop *loop, const struct place *place)
{
    int fd = loop->driver->socket(loop, AF_UNIX, place->type, 0);
    if (fd < 0) return true;
    int rc = loop->driver->connect_now(loop, fd, &place->address.any, place->address.size);
    loop->driver->close_fd(loop, fd);
    return rc != -ECONNREFUSED;
}

static int bind_to(struct loop *loop, int fd, const struct place *place, bool locked)
{
    const struct driver *driver = loop->driver;
    const struct wf_address *address = &place->address;
    int rc = driver->bind(loop, fd, &address->any, address->size);
    if (rc == -EADDRINUSE && is_file(place) && place->replace && locked && !answers(loop, place)) {
        rc = driver->remove_name(loop, place->path);
        if (rc == 0 || rc == -ENOENT) rc = driver->bind(loop, fd, &address->any, address->size);
    }
    return rc < 0 || place->backlog == 0 ? rc : driver->listen(loop, fd, place->backlog);
}

static int open_file(struct loop *loop, int fd, const struct place *place)
{
    int rc = place->mode != 0 ? loop->driver->set_mode(loop, fd, place->mode) : 0;
    if (rc < 0) return rc;
    int lock = loop->driver->lock_names(loop, place->path);
    rc = bind_to(loop, fd, place, lock >= 0);
    if (lock > 0) loop->driver->close_fd(loop, lock);
    return rc;
}

/* A socket that is bound there; the descriptor. */
static int open_at(struct loop *loop, const struct place *place)
{
    int fd = loop->driver->socket(loop, AF_UNIX, place->type, 0);
    if (fd < 0) return fd;
    int rc = is_file(place) ? open_file(loop, fd, place) : bind_to(loop, fd, place, false);
    if (rc == 0) return fd;
    loop->driver->close_fd(loop, fd);
    return rc;
}

static int place_at(const char *path, struct place *place)
{
    place->path = path;
    int rc = wf_address_unix(path, &place->address);
    if (rc < 0) return rc;
    if (strlen(path) < sizeof place->address.local.sun_path) return 0;
    return wf_fail(-ENAMETOOLONG, "%s: longer than the file of a Unix socket may be, 107 bytes", path);
}

/* The path, kept for the removal of the file; NULL for an abstract name. */
static int keep_path(const struct place *place, char **path)
{
    *path = NULL;
    if (!is_file(place)) return 0;
    *path = memory_copy_text(place->path);
    return *path != NULL ? 0 : -ENOMEM;
}

static int fail_at(int rc, const char *what, const char *path)
{
    return wf_fail(rc, "cannot %s %s: %s", what, path, wf_strerror(rc));
}

/* ---- Listening ---- */

int wf_unix_listen_(const char *path, const struct wf_unix_listen_options *options)
{
    struct loop *loop = LOOP_HERE();
    if (options->size != sizeof *options || options->out_ == NULL || options->backlog < 0) return -EINVAL;
    struct place place = {.type = options->packets ? SOCK_SEQPACKET : SOCK_STREAM,
                          .mode = options->mode,
                          .replace = options->replace,
                          .backlog = options->backlog > 0 ? options->backlog : BACKLOG_DEFAULT};
    int rc = place_at(path, &place);
    if (rc < 0) return rc;
    struct wf_listener *listener = listener_new(1);
    if (listener == NULL) return -ENOMEM;
    rc = keep_path(&place, &listener->path);
    if (rc == 0) rc = open_at(loop, &place);
    if (rc < 0) {
        listener_drop(listener);
        return fail_at(rc, "listen on", path);
    }
    listener->local = true;
    listener->packets = options->packets;
    listener_add(listener, rc);
    *options->out_ = listener;
    return 0;
}

static int64_t accept_one(struct wf_listener *listener)
{
    struct op op;
    op.kind = OP_ACCEPT;
    op.desc = &listener->places[0].desc;
    return op_run(&op);
}

/* For lack of memory no connection may be lost that was already taken. */
static int out_of_memory(void)
{
    int rc = wait_check(true);
    return rc < 0 ? rc : -ENOMEM;
}

int wf_unix_accept(struct wf_listener *listener, struct wf_stream **stream)
{
    (void)LOOP_HERE();
    if (!listener->local || listener->packets) return (int)wait_refused(-EPROTOTYPE);
    struct fd_stream *accepted = fd_stream_alloc(true, true);
    if (accepted == NULL) return out_of_memory();
    int64_t fd = accept_one(listener);
    if (fd < 0) {
        memory_free(accepted);
        return (int)fd;
    }
    fd_stream_begin(accepted, (int)fd);
    *stream = &accepted->stream;
    return 0;
}

int wf_unix_accept_packets(struct wf_listener *listener, struct wf_socket **socket)
{
    (void)LOOP_HERE();
    if (!listener->packets) return (int)wait_refused(-EPROTOTYPE);
    struct wf_socket *accepted = socket_alloc(AF_UNIX, true);
    if (accepted == NULL) return out_of_memory();
    int64_t fd = accept_one(listener);
    if (fd < 0) {
        memory_free(accepted);
        return (int)fd;
    }
    socket_begin(accepted, (int)fd);
    *socket = accepted;
    return 0;
}

/* ---- Connecting ---- */

/* The system does not tell when a listener has room again: asked again and again, more and more seldom. */
static int connect_to(struct loop *loop, int fd, const struct wf_address *address)
{
    int64_t wait = retry_first;
    for (;;) {
        int rc = loop->driver->connect_now(loop, fd, &address->any, address->size);
        if (rc != -EAGAIN) return rc;
        rc = wf_sleep(wait);
        if (rc < 0) return rc;
        if (wait < retry_last) wait *= 2;
    }
}

/* The descriptor of a socket that is connected. */
static int open_connected(struct loop *loop, const char *path, int type)
{
    struct wf_address address;
    int rc = wait_check(false);
    if (rc == 0) rc = wf_address_unix(path, &address);
    if (rc != 0) return rc;
    int fd = loop->driver->socket(loop, AF_UNIX, type, 0);
    rc = fd < 0 ? fd : connect_to(loop, fd, &address);
    if (rc == 0) return fd;
    if (fd >= 0) loop->driver->close_fd(loop, fd);
    return rc == -ECANCELED ? rc : fail_at(rc, "connect to", path);
}

int wf_unix_connect(const char *path, struct wf_stream **stream)
{
    int fd = open_connected(LOOP_HERE(), path, SOCK_STREAM);
    if (fd < 0) return fd;
    struct fd_stream *made;
    int rc = fd_stream_new(fd, true, true, &made);
    if (rc == 0) *stream = &made->stream;
    return (int)wait_skipped(rc);
}

int wf_unix_connect_packets(const char *path, struct wf_socket **socket)
{
    int fd = open_connected(LOOP_HERE(), path, SOCK_SEQPACKET);
    if (fd < 0) return fd;
    return (int)wait_skipped(socket_new(fd, AF_UNIX, true, socket));
}

/* ---- Datagrams ---- */

static int open_datagrams(struct loop *loop, const struct place *place, const struct wf_unix_options *options)
{
    struct wf_address peer;
    int rc = options->peer != NULL ? wf_address_unix(options->peer, &peer) : 0;
    if (rc < 0) return rc;
    int fd = place->path != NULL ? open_at(loop, place) : loop->driver->socket(loop, AF_UNIX, SOCK_DGRAM, 0);
    if (fd < 0) return fail_at(fd, "open a Unix socket", place->path != NULL ? place->path : "without a name");
    if (options->peer != NULL) rc = loop->driver->connect_now(loop, fd, &peer.any, peer.size);
    if (rc == 0) return fd;
    if (place->path != NULL && is_file(place)) loop->driver->remove_name(loop, place->path);
    loop->driver->close_fd(loop, fd);
    return fail_at(rc, "connect to", options->peer);
}

int wf_unix_open_(const char *path, const struct wf_unix_options *options)
{
    struct loop *loop = LOOP_HERE();
    if (options->size != sizeof *options || options->out_ == NULL) return -EINVAL;
    struct place place = {.type = SOCK_DGRAM, .mode = options->mode, .replace = options->replace};
    char *kept = NULL;
    int rc = path != NULL ? place_at(path, &place) : 0;
    if (rc == 0 && path != NULL) rc = keep_path(&place, &kept);
    if (rc == 0) rc = open_datagrams(loop, &place, options);
    if (rc >= 0) rc = socket_new(rc, AF_UNIX, false, options->out_);
    if (rc == 0) (*options->out_)->path = kept;
    else memory_free(kept);
    return rc;
}

/* ---- Pairs ---- */

int wf_unix_pair(struct wf_stream **a, struct wf_stream **b)
{
    struct loop *loop = LOOP_HERE();
    int ends[2];
    int rc = loop->driver->socket_pair(loop, SOCK_STREAM, ends);
    if (rc < 0) return rc;
    struct fd_stream *first = NULL, *second;
    rc = fd_stream_new(ends[0], true, true, &first);
    if (rc < 0) loop->driver->close_fd(loop, ends[1]);
    else rc = fd_stream_new(ends[1], true, true, &second);
    if (rc < 0) {
        wf_stream_close(first != NULL ? &first->stream : NULL);
        return rc;
    }
    *a = &first->stream;
    *b = &second->stream;
    return 0;
}

int wf_unix_pair_packets(struct wf_socket **a, struct wf_socket **b)
{
    struct loop *loop = LOOP_HERE();
    int ends[2];
    int rc = loop->driver->socket_pair(loop, SOCK_SEQPACKET, ends);
    if (rc < 0) return rc;
    struct wf_socket *first = NULL, *second;
    rc = socket_new(ends[0], AF_UNIX, true, &first);
    if (rc < 0) loop->driver->close_fd(loop, ends[1]);
    else rc = socket_new(ends[1], AF_UNIX, true, &second);
    if (rc < 0) {
        wf_socket_close(first);
        return rc;
    }
    *a = first;
    *b = second;
    return 0;
}

/* ---- Who it is ---- */

static int owner_of(const struct desc *desc, struct wf_unix_owner *owner)
{
    struct ucred found;
    struct wf_address address;
    int rc = desc_address(desc, false, &address);
    if (rc == 0 && address.any.sa_family != AF_UNIX) rc = -EOPNOTSUPP;
    if (rc == 0) rc = current_loop->driver->peer_owner(current_loop, desc->fd, &found);
    if (rc != 0) return rc;
    *owner = (struct wf_unix_owner){.pid = found.pid, .uid = found.uid, .gid = found.gid};
    return found.pid == 0 ? -ENOTCONN : 0;
}

int wf_unix_peer_owner(const struct wf_stream *stream, struct wf_unix_owner *owner)
{
    (void)LOOP_HERE();
    const struct fd_stream *found = fd_stream_from((struct wf_stream *)(uintptr_t)stream);
    return found != NULL ? owner_of(&found->desc, owner) : -EOPNOTSUPP;
}

int wf_unix_packets_owner(const struct wf_socket *socket, struct wf_unix_owner *owner)
{
    (void)LOOP_HERE();
    return owner_of(&socket->desc, owner);
}
