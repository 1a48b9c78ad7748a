/* TCP: names to addresses, listening, accepting, connecting. */
#include <weft/tcp.h>

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weft/executor.h>
#include <weft/task.h>

#include "base/memory.h"
#include "core/loop.h"
#include "net/descriptor.h"
#include "net/listener.h"

enum { BACKLOG_DEFAULT = 4096 };

/* ---- Names ---- */

struct lookup {
    const char *host;
    char port[6];
    int flags;
    struct addrinfo *found;
};

static int look_up(struct lookup *lookup)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = lookup->flags};
    int rc = getaddrinfo(lookup->host, lookup->port, &hints, &lookup->found);
    if (rc == EAI_SYSTEM) return -errno;
    if (rc == EAI_MEMORY) return -ENOMEM;
    if (rc == EAI_AGAIN) return -EAGAIN;
    return rc == 0 ? 0 : -ENOENT;
}

/* Numeric addresses at once; names as the driver knows them, else on a thread, as the system resolves them. */
static int resolve(struct loop *loop, const char *host, uint16_t port, bool passive, struct addrinfo **found)
{
    const struct driver *driver = loop->driver;
    struct lookup lookup = {.host = host, .flags = AI_NUMERICHOST | AI_NUMERICSERV | (passive ? AI_PASSIVE : 0)};
    snprintf(lookup.port, sizeof lookup.port, "%u", (unsigned)port);
    int rc = look_up(&lookup);
    if (rc == -ENOENT && host != NULL && driver->host_address != NULL) {
        lookup.host = driver->host_address(loop, host);
        rc = lookup.host != NULL ? look_up(&lookup) : -ENOENT;
    } else if (rc == -ENOENT && host != NULL) {
        lookup.flags &= ~AI_NUMERICHOST;
        rc = wf_offload(look_up, &lookup);
    }
    *found = rc == 0 ? lookup.found : NULL;
    if (rc == -ENOENT) return wf_fail(rc, "%s: no such host", host != NULL ? host : "any address");
    return rc;
}

/* ---- Listening ---- */

void listener_release(struct desc *desc)
{
    struct wf_listener *listener = (struct wf_listener *)((char *)desc - offsetof(struct wf_listener, desc));
    memory_free(listener->path);
    memory_free(listener);
}

static int open_listener(struct loop *loop, const struct addrinfo *address, const struct wf_tcp_listen_options *options)
{
    const struct driver *driver = loop->driver;
    int fd = driver->socket(loop, address->ai_family, SOCK_STREAM, 0);
    if (fd < 0) return fd;
    int rc = driver->set_option(loop, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0 && options->reuse_port) rc = driver->set_option(loop, fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0) rc = driver->bind(loop, fd, address->ai_addr, address->ai_addrlen);
    if (rc == 0) rc = driver->listen(loop, fd, options->backlog > 0 ? options->backlog : BACKLOG_DEFAULT);
    if (rc == 0) return fd;
    driver->close_fd(loop, fd);
    return rc;
}

int wf_tcp_listen_(const char *host, uint16_t port, const struct wf_tcp_listen_options *options)
{
    struct loop *loop = LOOP_HERE();
    if (options->size != sizeof *options || options->out_ == NULL || options->backlog < 0) return -EINVAL;
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct addrinfo *addresses;
    rc = resolve(loop, host, port, true, &addresses);
    if (rc < 0) return rc;
    for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next) {
        rc = open_listener(loop, address, options);
        if (rc >= 0) break;
    }
    freeaddrinfo(addresses);
    if (rc < 0)
        return wf_fail(rc, "cannot listen on %s port %u: %s", host != NULL ? host : "*", (unsigned)port,
                       wf_strerror(rc));
    struct wf_listener *listener = memory_zero(sizeof *listener);
    if (listener == NULL) {
        loop->driver->close_fd(loop, rc);
        return -ENOMEM;
    }
    listener->desc.socket = true;
    desc_init(&listener->desc, rc, listener_release);
    *options->out_ = listener;
    return 0;
}

/* The stream comes first: for lack of memory no connection may be lost that was already taken. */
int wf_tcp_accept(struct wf_listener *listener, struct wf_stream **stream)
{
    struct loop *loop = LOOP_HERE();
    struct fd_stream *accepted = fd_stream_alloc(true, true);
    if (accepted == NULL) {
        int rc = wait_check(true);
        return rc < 0 ? rc : -ENOMEM;
    }
    struct op op;
    op.kind = OP_ACCEPT;
    op.desc = &listener->desc;
    int64_t fd = op_run(&op);
    if (fd < 0) {
        memory_free(accepted);
        return (int)fd;
    }
    loop->driver->set_option(loop, (int)fd, IPPROTO_TCP, TCP_NODELAY, 1);
    fd_stream_begin(accepted, (int)fd);
    *stream = &accepted->stream;
    return 0;
}

int wf_listener_local(const struct wf_listener *listener, struct wf_address *address)
{
    (void)LOOP_HERE();
    return desc_address(&listener->desc, false, address);
}

uint16_t wf_listener_port(const struct wf_listener *listener)
{
    struct wf_address address;
    return wf_listener_local(listener, &address) == 0 ? wf_address_port(&address) : 0;
}

void wf_listener_close(struct wf_listener *listener)
{
    if (listener == NULL) return;
    struct loop *loop = LOOP_ALIVE();
    if (listener->path != NULL) loop->driver->remove_name(loop, listener->path);
    desc_close(&listener->desc);
}

/* ---- Connecting ---- */

static int connect_to(struct loop *loop, const struct addrinfo *address, struct wf_stream **out)
{
    int fd = loop->driver->socket(loop, address->ai_family, SOCK_STREAM, 0);
    if (fd < 0) return fd;
    struct fd_stream *stream;
    int rc = fd_stream_new(fd, true, true, &stream);
    if (rc < 0) return rc;
    loop->driver->set_option(loop, stream->desc.fd, IPPROTO_TCP, TCP_NODELAY, 1);
    struct op op;
    op.kind = OP_CONNECT;
    op.desc = &stream->desc;
    op.address = address->ai_addr;
    op.address_size = address->ai_addrlen;
    rc = (int)op_run(&op);
    if (rc < 0) wf_stream_close(&stream->stream);
    else *out = &stream->stream;
    return rc;
}

int wf_tcp_connect(const char *host, uint16_t port, struct wf_stream **stream)
{
    struct loop *loop = LOOP_HERE();
    if (host == NULL) return -EINVAL;
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct addrinfo *addresses;
    rc = resolve(loop, host, port, false, &addresses);
    if (rc < 0) return rc;
    for (const struct addrinfo *address = addresses; address != NULL; address = address->ai_next) {
        rc = connect_to(loop, address, stream);
        if (rc >= 0 || rc == -ECANCELED) break;
    }
    freeaddrinfo(addresses);
    if (rc >= 0 || rc == -ECANCELED) return rc;
    return wf_fail(rc, "cannot connect to %s port %u: %s", host, (unsigned)port, wf_strerror(rc));
}
