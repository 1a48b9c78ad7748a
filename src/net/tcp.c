/*
 * TCP: listening and accepting.
 *
 * A listener has a place for each address of its name. Of one place, the usual case, an accept is one operation. Of
 * several, an accept is a task for each; when two of them have a connection at once, the second is kept for the next
 * accept. So that nobody sleeps beside one that is kept, one accept goes at a time there and the others queue behind.
 */
#include "net/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <weft/sync.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/memory.h"
#include "net/descriptor.h"
#include "net/listener.h"
#include "net/names.h"

enum { BACKLOG_DEFAULT = 4096, FAST_OPEN_QUEUE = 256, PORT_TRIES = 16 };

/* ---- Options ---- */

int tcp_check_keepalive(const struct wf_keepalive *keepalive)
{
    if (keepalive->idle < 0 || keepalive->interval < 0 || keepalive->count > INT32_MAX)
        return wf_fail(-EINVAL, "keepalive: durations below 0 make no sense");
    if (keepalive->idle == 0 && (keepalive->interval > 0 || keepalive->count > 0))
        return wf_fail(-EINVAL, "keepalive without .idle sends no probes");
    return 0;
}

static int seconds_of(int64_t duration_ns)
{
    int64_t seconds = duration_ns / WF_SECONDS(1) + (duration_ns % WF_SECONDS(1) > 0 ? 1 : 0);
    return seconds < INT16_MAX ? (int)seconds : INT16_MAX; /* the most that Linux takes */
}

static int set_keepalive(struct loop *loop, int fd, const struct wf_keepalive *keepalive)
{
    const struct driver *driver = loop->driver;
    int rc = driver->set_option(loop, fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    if (rc == 0) rc = driver->set_option(loop, fd, IPPROTO_TCP, TCP_KEEPIDLE, seconds_of(keepalive->idle));
    if (rc == 0 && keepalive->interval > 0)
        rc = driver->set_option(loop, fd, IPPROTO_TCP, TCP_KEEPINTVL, seconds_of(keepalive->interval));
    if (rc == 0 && keepalive->count > 0)
        rc = driver->set_option(loop, fd, IPPROTO_TCP, TCP_KEEPCNT, (int)keepalive->count);
    return rc;
}

int tcp_set_options(struct loop *loop, int fd, bool delay, const struct wf_keepalive *keepalive)
{
    int rc = delay ? 0 : loop->driver->set_option(loop, fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return rc == 0 && keepalive->idle > 0 ? set_keepalive(loop, fd, keepalive) : rc;
}

/* ---- Opening ---- */

static int set_listening_options(struct loop *loop, int fd, int family, const struct wf_tcp_listen_options *options)
{
    const struct driver *driver = loop->driver;
    int rc = driver->set_option(loop, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (rc == 0 && options->reuse_port) rc = driver->set_option(loop, fd, SOL_SOCKET, SO_REUSEPORT, 1);
    if (rc == 0 && family == AF_INET6) rc = driver->set_option(loop, fd, IPPROTO_IPV6, IPV6_V6ONLY, options->v6_only);
    return rc == 0 ? tcp_set_options(loop, fd, options->delay, &options->keepalive) : rc;
}

static int open_place(struct loop *loop, const struct wf_address *address, const struct wf_tcp_listen_options *options)
{
    const struct driver *driver = loop->driver;
    int fd = driver->socket(loop, address->any.sa_family, SOCK_STREAM, 0);
    if (fd < 0) return fd;
    int rc = set_listening_options(loop, fd, address->any.sa_family, options);
    if (rc == 0) rc = driver->bind(loop, fd, &address->any, address->size);
    if (rc == 0) rc = driver->listen(loop, fd, options->backlog > 0 ? options->backlog : BACKLOG_DEFAULT);
    if (rc == 0 && options->fast_open) rc = driver->set_option(loop, fd, IPPROTO_TCP, TCP_FASTOPEN, FAST_OPEN_QUEUE);
    if (rc == 0) return fd;
    driver->close_fd(loop, fd);
    return rc;
}

static bool is_not_here(int code)
{
    return code == -EADDRNOTAVAIL || code == -EAFNOSUPPORT;
}

/* At all of these, at one port. An address that is not this machine's counts only if there is no other. */
static int open_places(struct loop *loop, struct wf_listener *listener, const struct wf_address *addresses,
                       size_t count, const struct wf_tcp_listen_options *options)
{
    int missing = -EADDRNOTAVAIL;
    for (size_t i = 0; i < count; i++) {
        struct wf_address address = addresses[i];
        if (listener->count > 0) wf_address_set_port(&address, wf_listener_port(listener));
        int fd = open_place(loop, &address, options);
        if (fd >= 0) listener_add(listener, fd);
        else if (is_not_here(fd)) missing = fd;
        else return fd;
    }
    return listener->count > 0 ? 0 : missing;
}

/* The port that was free for the first address may be taken at the second: then another one. */
static int open_listener(struct loop *loop, const struct wf_address *addresses, size_t count,
                         const struct wf_tcp_listen_options *options)
{
    bool any_port = wf_address_port(&addresses[0]) == 0;
    for (int tries = 1;; tries++) {
        struct wf_listener *listener = listener_new(count);
        if (listener == NULL) return -ENOMEM;
        int rc = open_places(loop, listener, addresses, count, options);
        bool again = rc == -EADDRINUSE && any_port && listener->count > 0 && tries < PORT_TRIES;
        if (rc == 0) *options->out_ = listener;
        else wf_listener_close(listener);
        if (!again) return rc;
    }
}

/* One socket for both families, where the machine has both. */
static int listen_everywhere(struct loop *loop, uint16_t port, const struct wf_tcp_listen_options *options)
{
    struct wf_address any = {.size = 0};
    (void)address_numeric("::", port, &any);
    int rc = open_listener(loop, &any, 1, options);
    if (!is_not_here(rc) || options->v6_only) return rc;
    (void)address_numeric("0.0.0.0", port, &any);
    return open_listener(loop, &any, 1, options);
}

static int listen_at(struct loop *loop, const char *host, uint16_t port, const struct wf_tcp_listen_options *options)
{
    struct wf_address numeric;
    if (host == NULL) return listen_everywhere(loop, port, options);
    if (address_numeric(host, port, &numeric)) return open_listener(loop, &numeric, 1, options);
    struct wf_arena arena;
    const struct wf_address *addresses;
    wf_arena_init(&arena);
    int rc = wf_resolve(host, port, &arena, &addresses);
    if (rc > WF_LISTEN_ADDRESSES_MAX) rc = WF_LISTEN_ADDRESSES_MAX;
    if (rc >= 0) rc = open_listener(loop, addresses, (size_t)rc, options);
    wf_arena_finish(&arena);
    return rc;
}

int wf_tcp_listen_(const char *host, uint16_t port, const struct wf_tcp_listen_options *options)
{
    struct loop *loop = LOOP_HERE();
    if (options->size != sizeof *options || options->out_ == NULL || options->backlog < 0) return -EINVAL;
    int rc = wait_check(false);
    if (rc == 0) rc = tcp_check_keepalive(&options->keepalive);
    if (rc < 0) return rc;
    rc = listen_at(loop, host, port, options);
    if (rc >= 0 || rc == -ECANCELED) return rc;
    return wf_fail(rc, "cannot listen on %s port %u: %s", host != NULL ? host : "*", (unsigned)port,
                   failure_text(loop->running, rc));
}

/* ---- Accepting ---- */

/* The stream comes first: for lack of memory no connection may be lost that was already taken. */
static int accept_at(struct listening *place, struct fd_stream **out)
{
    struct fd_stream *accepted = fd_stream_alloc(true, true);
    if (accepted == NULL) return -ENOMEM;
    struct op op;
    op.kind = OP_ACCEPT;
    op.desc = &place->desc;
    int64_t fd = op_run(&op);
    if (fd < 0) {
        memory_free(accepted);
        return (int)fd;
    }
    fd_stream_begin(accepted, (int)fd);
    *out = accepted;
    return 0;
}

struct accepting {
    struct listening *place;
    struct fd_stream *stream;
};

static int accept_one(struct accepting *accepting)
{
    return accept_at(accepting->place, &accepting->stream);
}

/* What a second place had at the same time is kept; of a listener that was closed meanwhile nobody will take it. */
static void keep(struct wf_listener *listener, struct fd_stream *stream)
{
    if (listener->closed) wf_stream_abort(&stream->stream);
    else listener->kept[listener->kept_count++] = stream;
}

static int accept_anywhere(struct wf_listener *listener, struct fd_stream **out)
{
    struct accepting accepting[WF_LISTEN_ADDRESSES_MAX];
    int rc;
    {
        WF_SCOPE(scope, .policy = WF_FIRST_DONE, .name = "accept");
        rc = 0;
        for (uint32_t i = 0; i < listener->count; i++) {
            accepting[i] = (struct accepting){.place = &listener->places[i]};
            if (rc == 0) rc = wf_spawn(&scope, accept_one, &accepting[i]);
        }
        rc = wf_scope_end(&scope, rc);
    }
    *out = NULL;
    for (uint32_t i = 0; i < listener->count; i++) {
        if (accepting[i].stream == NULL) continue;
        if (*out == NULL) *out = accepting[i].stream;
        else keep(listener, accepting[i].stream);
    }
    return *out != NULL ? 0 : rc;
}

static int accept_in_turn(struct wf_listener *listener, struct fd_stream **out)
{
    int rc = wf_mutex_lock(&listener->turn);
    if (rc < 0) return rc;
    if (listener->closed) rc = -EBADF;
    else if (listener->kept_count > 0) *out = listener->kept[--listener->kept_count];
    else rc = accept_anywhere(listener, out);
    wf_mutex_unlock(&listener->turn);
    return rc;
}

static int accept_at_several(struct wf_listener *listener, struct fd_stream **out)
{
    listener_keep(listener);
    int rc = accept_in_turn(listener, out);
    listener_drop(listener);
    return rc;
}

int wf_tcp_accept(struct wf_listener *listener, struct wf_stream **stream)
{
    (void)LOOP_HERE();
    int rc = wait_check(true); /* a task that was cancelled before it began may find the listener gone */
    if (rc < 0) return rc;
    if (listener->closed) return (int)wait_skipped(-EBADF);
    struct fd_stream *accepted;
    rc = listener->count == 1 ? accept_at(&listener->places[0], &accepted) : accept_at_several(listener, &accepted);
    if (rc == 0) *stream = &accepted->stream;
    return rc;
}
