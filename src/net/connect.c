/*
 * Connecting, to the first of several addresses that answers (RFC 8305, "Happy Eyeballs Version 2").
 *
 *     [v6] ------------------------x                     an attempt is a task; the next one begins when one has failed,
 *      250 ms [v4] --------x                             or after the stagger; the scope's policy ends the losers
 *                  fails:  [v6] ------ connected
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <weft/sync.h>
#include <weft/task.h>
#include <weft/time.h>

#include "net/descriptor.h"
#include "net/names.h"
#include "net/tcp.h"

enum { FAILURES_TEXT = 400, FAST_OPEN_CONNECT = 30, BIND_ADDRESS_NO_PORT = 24 };

static const int64_t stagger_default = WF_MILLISECONDS(250);

struct race {
    struct loop *loop;
    const struct wf_tcp_connect_options *options;
    struct wf_event failed; /* set by each attempt that does */
    struct wf_stream *winner;
    int code; /* of the last failure */
    size_t failures, text_used;
    char text[FAILURES_TEXT];
};

struct attempt {
    struct race *race;
    const struct wf_address *address;
};

/* ---- One attempt ---- */

/* Which port it is from is decided when the peer is known too: so many more connections fit. */
static int bind_local(struct loop *loop, int fd, const struct wf_address *local)
{
    if (wf_address_port(local) == 0) (void)loop->driver->set_option(loop, fd, IPPROTO_IP, BIND_ADDRESS_NO_PORT, 1);
    return loop->driver->bind(loop, fd, &local->any, local->size);
}

static int prepare(struct loop *loop, int fd, const struct wf_tcp_connect_options *options)
{
    int rc = tcp_set_options(loop, fd, options->delay, &options->keepalive);
    if (rc == 0 && options->fast_open) rc = loop->driver->set_option(loop, fd, IPPROTO_TCP, FAST_OPEN_CONNECT, 1);
    if (rc == 0 && options->local != NULL) rc = bind_local(loop, fd, options->local);
    return rc;
}

static int connect_to(struct loop *loop, const struct wf_address *address, const struct wf_tcp_connect_options *options,
                      struct wf_stream **out)
{
    int fd = loop->driver->socket(loop, address->any.sa_family, SOCK_STREAM, 0);
    if (fd < 0) return fd;
    struct fd_stream *stream;
    int rc = fd_stream_new(fd, true, true, &stream);
    if (rc < 0) return rc;
    rc = prepare(loop, stream->desc.fd, options);
    struct op op;
    op.kind = OP_CONNECT;
    op.desc = &stream->desc;
    op.address = &address->any;
    op.address_size = address->size;
    if (rc == 0) rc = (int)op_run(&op);
    if (rc < 0) wf_stream_close(&stream->stream);
    else *out = &stream->stream;
    return rc;
}

/* ---- Several ---- */

static void note_failure(struct race *race, const struct wf_address *address, int code)
{
    char text[WF_ADDRESS_TEXT];
    race->code = code;
    int size = snprintf(race->text + race->text_used, sizeof race->text - race->text_used, "%s%s %s",
                        race->failures++ > 0 ? "; " : "", wf_address_text(address, text), wf_strerror(code));
    if (size > 0) race->text_used += (size_t)size;
    if (race->text_used >= sizeof race->text) race->text_used = sizeof race->text - 1;
}

static int attempt(struct attempt *attempt)
{
    struct race *race = attempt->race;
    struct wf_stream *stream = NULL;
    int rc = connect_to(race->loop, attempt->address, race->options, &stream);
    if (rc == -ECANCELED) return rc;
    if (rc < 0) {
        note_failure(race, attempt->address, rc);
        wf_event_set(&race->failed);
        return rc;
    }
    if (race->winner == NULL) race->winner = stream;
    else wf_stream_close(stream); /* two at the same time */
    return 0;
}

static int64_t stagger_of(const struct wf_tcp_connect_options *options)
{
    return options->stagger > 0 ? options->stagger : stagger_default;
}

/* Ends early when the race is over, or when one of those that run has failed. */
static int wait_for_next(struct race *race)
{
    int rc = wf_within(stagger_of(race->options), wf_event_wait(&race->failed));
    wf_event_clear(&race->failed);
    return rc == -ETIME ? 0 : rc;
}

static int run_race(struct race *race, struct attempt *attempts, size_t count)
{
    WF_SCOPE(scope, .policy = WF_FIRST_SUCCESS, .name = "connect");
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++) {
        rc = wf_spawn(&scope, attempt, &attempts[i]);
        if (rc == 0 && i + 1 < count) rc = wait_for_next(race);
    }
    return wf_scope_end(&scope, rc == -ECANCELED ? rc : 0); /* one that cannot be spawned does not end the others */
}

/* ---- Which, in which order ---- */

/* Families in turn, beginning with that of the first; within one the resolver's order stays (RFC 8305, section 4). */
static void interleave(const struct wf_address *addresses, size_t count, struct attempt *attempts, struct race *race)
{
    sa_family_t family = addresses[0].any.sa_family;
    size_t next[2] = {0, 0}, made = 0;
    for (int which = 0; made < count; which = !which) {
        size_t i = next[which];
        while (i < count && (addresses[i].any.sa_family == family) == (which != 0)) i++;
        next[which] = i + 1;
        if (i < count) attempts[made++] = (struct attempt){.race = race, .address = &addresses[i]};
    }
}

static size_t keep_family(struct wf_address *addresses, size_t count, int family)
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (addresses[i].any.sa_family == family) addresses[kept++] = addresses[i];
    return kept;
}

static int connect_first(struct race *race, struct wf_arena *arena, const struct wf_address *addresses, size_t count)
{
    struct attempt *attempts = wf_arena_array(arena, count, sizeof *attempts);
    if (attempts == NULL) return -ENOMEM;
    interleave(addresses, count, attempts, race);
    int rc = run_race(race, attempts, count);
    if (race->winner == NULL) return rc;
    *race->options->out_ = race->winner;
    return 0;
}

static int tell(const struct race *race, const char *host, uint16_t port, int rc)
{
    if (rc >= 0 || rc == -ECANCELED) return rc;
    if (race->failures > 0)
        return wf_fail(race->code, "cannot connect to %s port %u: %s", host, (unsigned)port, race->text);
    return wf_fail(rc, "cannot connect to %s port %u: %s", host, (unsigned)port, failure_text(race->loop->running, rc));
}

static int connect_by_name(struct loop *loop, const char *host, uint16_t port,
                           const struct wf_tcp_connect_options *options)
{
    int family = options->local != NULL ? options->local->any.sa_family : options->family;
    struct race race = {.loop = loop, .options = options, .failed = WF_EVENT};
    struct wf_arena arena;
    const struct wf_address *addresses;
    wf_arena_init(&arena);
    int rc = wf_resolve(host, port, &arena, &addresses);
    if (rc >= 0 && family != AF_UNSPEC) {
        struct wf_address *own = (struct wf_address *)(uintptr_t)addresses; /* they lie in the arena of this call */
        rc = (int)keep_family(own, (size_t)rc, family);
        if (rc == 0) rc = wf_fail(-EAFNOSUPPORT, "no address of it is of the family that was asked for");
    }
    if (rc == 1) rc = connect_to(loop, &addresses[0], options, options->out_);
    else if (rc > 1) rc = connect_first(&race, &arena, addresses, (size_t)rc);
    rc = tell(&race, host, port, rc);
    wf_arena_finish(&arena);
    return rc;
}

static int check(const char *host, const struct wf_tcp_connect_options *options)
{
    if (options->size != sizeof *options || options->out_ == NULL || host == NULL) return -EINVAL;
    if (options->family != AF_UNSPEC && options->family != AF_INET && options->family != AF_INET6)
        return wf_fail(-EINVAL, "family %d: TCP goes by AF_INET or AF_INET6", options->family);
    if (options->stagger < 0) return wf_fail(-EINVAL, "a stagger below 0 makes no sense");
    return tcp_check_keepalive(&options->keepalive);
}

int wf_tcp_connect_(const char *host, uint16_t port, const struct wf_tcp_connect_options *options)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check(false);
    if (rc == 0) rc = check(host, options);
    if (rc < 0) return rc;
    struct wf_address numeric;
    bool any_family = options->local == NULL && options->family == AF_UNSPEC;
    if (!any_family || !address_numeric(host, port, &numeric)) return connect_by_name(loop, host, port, options);
    rc = connect_to(loop, &numeric, options, options->out_);
    if (rc >= 0 || rc == -ECANCELED) return rc;
    return wf_fail(rc, "cannot connect to %s port %u: %s", host, (unsigned)port, wf_strerror(rc));
}
