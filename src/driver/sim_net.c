/* The simulated network: pipes, TCP and streams of Unix sockets, as queues of bytes between ends (sim_queue.h). */
#include <string.h>
#include <weft/stream.h>
#include <weft/time.h>

#include "base/memory.h"
#include "driver/sim_queue.h"

enum { HANDSHAKES_MAX = 6 };

static const int64_t handshake_first = WF_SECONDS(1);

/* ---- Closing ---- */

static void leave_writing(struct sim *sim, struct sim_end *end, bool reset)
{
    struct sim_queue *queue = end->out;
    if (queue == NULL) return;
    if (reset) queue_fail(sim, queue->reader, -ECONNRESET);
    else if (!end->broken) queue_end(sim, queue);
    queue->writer = NULL;
    queue_drop(sim, queue);
}

static void leave_reading(struct sim *sim, struct sim_end *end)
{
    struct sim_queue *queue = end->in;
    if (queue == NULL) return;
    queue->reader_gone = true;
    queue->reader = NULL;
    if (queue->local) sim_stir(sim, queue->writer);
    queue_drop(sim, queue);
}

/* What the peer sent and nobody read turns the goodbye of a connection into a reset. */
void sim_net_close(struct sim *sim, struct sim_end *end)
{
    bool unread = end->in != NULL && end->in->used > 0;
    leave_writing(sim, end, end->kind == END_SOCKET && !end->broken && (unread || end->lingers_not));
    leave_reading(sim, end);
    while (end->first != NULL) {
        struct sim_end *waiting = end->first;
        end->first = waiting->next;
        waiting->lingers_not = true;
        sim_end_drop(sim, waiting);
    }
}

/* Silence: nothing goes out any more, and what comes in is answered by whoever runs there next. */
void sim_net_crash(struct sim_end *end)
{
    if (end->box != NULL) return sim_message_crash(end);
    if (end->kind != END_SOCKET) return;
    end->broken = true;
    end->error = -ENETDOWN;
    if (end->out != NULL) {
        timer_disarm(&sim_of(current_loop)->events, &end->out->arrival);
        end->out->under_way = 0;
    }
    if (end->in != NULL) end->in->reader_crashed = true;
}

/* ---- Reading and writing ---- */

static bool told_error(struct sim_end *end, int64_t *result)
{
    *result = end->error;
    end->error = 0;
    return *result != 0;
}

static bool connection_breaks(struct sim *sim, struct sim_end *end)
{
    if (end->kind != END_SOCKET || end->family == AF_UNIX || end->broken || !sim_chance(sim, sim->faults.reset))
        return false;
    queue_fail(sim, end, -ECONNRESET);
    queue_fail(sim, end->out->reader, -ECONNRESET);
    return true;
}

/* At the end no descriptors come either. */
static void give_nothing(struct op *op)
{
    struct msghdr *header = op->buffer;
    if (op->kind != OP_RECEIVE_MESSAGE) return;
    header->msg_flags = 0;
    header->msg_controllen = 0;
}

static bool try_read(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result)
{
    struct sim_queue *queue = end->in;
    *result = -ENOTCONN;
    if (queue == NULL) return true;
    if (connection_breaks(sim, end) && told_error(end, result)) return true;
    if (queue->arrived > 0) {
        *result = queue_take(sim, queue, op);
        sim_stir(sim, queue->writer);
        return true;
    }
    if (told_error(end, result)) return true;
    bool over = end->broken || (queue->ended && queue->under_way == 0);
    if (over) give_nothing(op);
    return over;
}

static bool try_write(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result)
{
    struct sim_queue *queue = end->out;
    *result = -ENOTCONN;
    if (queue == NULL) return true;
    connection_breaks(sim, end);
    if (told_error(end, result)) return true;
    *result = -EPIPE;
    if (end->broken || queue->ended || (queue->local && queue->reader_gone)) return true;
    if (queue->used == QUEUE_SIZE) return false;
    struct msghdr *header = op->kind == OP_SEND_MESSAGE ? op->buffer : NULL;
    if (header != NULL && header->msg_controllen > 0) {
        struct sim_rights *rights;
        *result = sim_rights_take(sim, header, &rights);
        if (*result < 0) return true;
        if (rights != NULL) queue_add_rights(queue, rights);
    }
    *result = (int64_t)(op->kind == OP_SEND_MESSAGE ? queue_put_message(sim, queue, op->buffer)
                                                    : queue_put(sim, queue, op->buffer, op->size));
    queue_send(sim, queue, (size_t)*result);
    return true;
}

unsigned sim_net_readiness(const struct sim_end *end)
{
    if (end->kind == END_MESSAGES) return sim_message_readiness(end);
    if (end->kind == END_LISTENER) return end->first != NULL ? WF_READABLE : 0;
    if (end->broken || (end->in == NULL && end->out == NULL)) return WF_READABLE | WF_WRITABLE;
    unsigned found = 0;
    if (end->in != NULL && (end->in->arrived > 0 || (end->in->ended && end->in->under_way == 0))) found |= WF_READABLE;
    if (end->out != NULL && (end->out->used < QUEUE_SIZE || end->out->reader_gone)) found |= WF_WRITABLE;
    return found;
}

/* ---- Connecting ---- */

in_port_t sim_net_port(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6) return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

/* One of IPv6 that is bound to all addresses takes IPv4 too, unless it was told not to. */
static bool listens_to(const struct sim_end *end, bool v6)
{
    return end->v6 == v6 || (end->v6 && end->any && !end->v6_only);
}

static struct sim_end *listener_at(const struct sim *sim, const struct wf_sim_host *host, in_port_t port, bool v6)
{
    for (struct sim_end *end = sim->ends; end != NULL; end = end->later) {
        bool listens = end->kind == END_LISTENER && end->family != AF_UNIX;
        if (listens && end->port == port && end->host == host && listens_to(end, v6)) return end;
    }
    return NULL;
}

static struct wf_address name_of(const struct sim_end *end)
{
    struct wf_address name = {.size = sizeof name.v4};
    if (end->v6) {
        name.size = sizeof name.v6;
        name.v6.sin6_family = AF_INET6;
        name.v6.sin6_port = htons(end->port);
        name.v6.sin6_addr = end->host->address6;
        return name;
    }
    name.v4.sin_family = AF_INET;
    name.v4.sin_port = htons(end->port);
    name.v4.sin_addr.s_addr = end->host->address;
    return name;
}

void sim_net_offer(struct sim *sim, struct sim_end *listener, struct sim_end *server)
{
    if (listener->last != NULL && listener->first != NULL) listener->last->next = server;
    else listener->first = server;
    listener->last = server;
    listener->waiting++;
    server->references++;
    sim_stir(sim, listener);
}

int sim_net_join(struct sim_end *one, struct sim_end *other)
{
    if (queue_join(one, other) == NULL || queue_join(other, one) == NULL) return -ENOMEM;
    one->out->local = one->in->local = true;
    return 0;
}

static int connect_ends(struct sim *sim, struct sim_end *client, struct sim_end *listener)
{
    struct sim_end *server = sim_end_new(sim, listener->host, END_SOCKET);
    if (server == NULL) return -ENOMEM;
    server->family = listener->family;
    if (queue_join(client, server) == NULL || queue_join(server, client) == NULL) {
        sim_end_close(sim, server);
        return -ENOMEM;
    }
    server->port = listener->port;
    server->v6 = client->v6;
    if (client->port == 0) client->port = sim->next_port++;
    client->peer = name_of(server);
    server->peer = name_of(client);
    sim_net_offer(sim, listener, server);
    return 0;
}

/* No answer: asked again after one second, two, four ... as the system's SYN packets are. */
static bool ask_again(struct op *op, int64_t *result)
{
    int64_t before = (int64_t)op->driver_data;
    int64_t wait = before < handshake_first ? handshake_first : before * 2;
    op->driver_data = (uint64_t)wait;
    *result = -ETIMEDOUT;
    return wait > handshake_first << HANDSHAKES_MAX;
}

static bool try_connect(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result)
{
    struct wf_sim_host *host = sim_host_at(sim, end->host, op->address);
    *result = end->in != NULL ? -EISCONN : -ENETUNREACH;
    if (end->in != NULL || host == NULL) return true;
    if (host != end->host && op->driver_data == 0 && sim->faults.latency_max > 0) {
        op->driver_data = (uint64_t)(2 * queue_time_under_way(sim)) + 1; /* there and back */
        return false;
    }
    if (!sim_reaches(end->host, host) || host->crashed) return ask_again(op, result);
    struct sim_end *listener = listener_at(sim, host, sim_net_port(op->address), end->v6);
    *result = -ECONNREFUSED;
    if (listener == NULL) return true;
    if (listener->waiting >= listener->backlog) return ask_again(op, result);
    *result = connect_ends(sim, end, listener);
    return true;
}

static bool try_accept(struct sim *sim, struct sim_end *end, const struct wf_task *task, int64_t *result)
{
    struct sim_end *accepted = end->first;
    uint32_t most = sim->faults.descriptors_max;
    *result = -EMFILE;
    if (accepted == NULL) return most > 0 && end->host->descriptors >= most;
    *result = sim_end_open(sim, accepted, task);
    if (*result < 0) return true; /* it goes on waiting */
    end->first = accepted->next;
    accepted->next = NULL;
    end->waiting--;
    sim_end_drop(sim, accepted);
    return true;
}

char *sim_pipe_part(const struct sim_end *end, size_t *size)
{
    struct sim_queue *pipe = end->out != NULL ? end->out : end->in;
    size_t at = end->out != NULL ? (pipe->first + pipe->used) % QUEUE_SIZE : pipe->first;
    *size = end->out != NULL ? QUEUE_SIZE - pipe->used : pipe->arrived;
    if (*size > QUEUE_SIZE - at) *size = QUEUE_SIZE - at;
    return pipe->bytes + at;
}

void sim_pipe_moved(struct sim_end *end, size_t size)
{
    struct sim_queue *pipe = end->out != NULL ? end->out : end->in;
    if (end->out == NULL) pipe->first = (pipe->first + size) % QUEUE_SIZE;
    pipe->used += end->out == NULL ? 0 - size : size;
    pipe->arrived += end->out == NULL ? 0 - size : size;
}

bool sim_net_try(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result)
{
    if (end->kind == END_MESSAGES) return sim_message_try(sim, end, op, result);
    switch (op->kind) {
    case OP_ACCEPT:
        return try_accept(sim, end, op->wait.task, result);
    case OP_CONNECT:
        return try_connect(sim, end, op, result);
    case OP_RECV:
    case OP_RECEIVE_MESSAGE:
    case OP_READ:
        return try_read(sim, end, op, result);
    case OP_SEND:
    case OP_SEND_MESSAGE:
    case OP_WRITE:
        return try_write(sim, end, op, result);
    default:
        *result = -EINVAL;
        return true;
    }
}

/* ---- Calls that do not wait ---- */

int sim_net_socket(struct loop *loop, int family, int type, int protocol)
{
    (void)protocol;
    struct sim *sim = sim_of(loop);
    if (family != AF_INET && family != AF_INET6 && family != AF_UNIX) return -EAFNOSUPPORT;
    if (type == SOCK_SEQPACKET && family != AF_UNIX) return -EPROTONOSUPPORT;
    struct sim_end *end = sim_end_new(sim, sim_host_of(sim, loop->running), END_SOCKET);
    if (end == NULL) return -ENOMEM;
    end->v6 = family == AF_INET6;
    end->family = family;
    end->type = type;
    if (type != SOCK_STREAM && sim_message_begin(end) < 0) {
        sim_end_close(sim, end);
        return -ENOMEM;
    }
    return sim_end_open(sim, end, loop->running);
}

static int pipe_end(struct loop *loop)
{
    struct sim *sim = sim_of(loop);
    struct sim_end *end = sim_end_new(sim, sim_host_of(sim, loop->running), END_PIPE);
    return end != NULL ? sim_end_open(sim, end, loop->running) : -ENOMEM;
}

int sim_net_pipe(struct loop *loop, int ends[2])
{
    struct sim *sim = sim_of(loop);
    ends[0] = pipe_end(loop);
    ends[1] = ends[0] < 0 ? ends[0] : pipe_end(loop);
    int rc = ends[1] < 0 ? ends[1] : 0;
    if (rc == 0) {
        struct sim_queue *queue = queue_join(sim_end_of(sim, ends[1]), sim_end_of(sim, ends[0]));
        if (queue == NULL) rc = -ENOMEM;
        else queue->local = true;
    }
    if (rc == 0) return 0;
    if (ends[1] >= 0) sim_fd_close(sim, ends[1]);
    if (ends[0] >= 0) sim_fd_close(sim, ends[0]);
    return rc;
}

static bool is_any(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6)
        return IN6_IS_ADDR_UNSPECIFIED(&((const struct sockaddr_in6 *)(const void *)address)->sin6_addr);
    return ((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr == htonl(INADDR_ANY);
}

int sim_net_bind(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size)
{
    struct sim *sim = sim_of(loop);
    struct sim_end *end = sim_end_of(sim, fd);
    struct wf_address name;
    if (end == NULL) return -EBADF;
    int rc = wf_address_from(address, size, &name);
    if (rc < 0 || address->sa_family != end->family) return -EAFNOSUPPORT;
    if (end->family == AF_UNIX) return sim_unix_bind(sim, end, &name);
    if (end->box != NULL) return sim_udp_bind(sim, end, &name);
    if (sim_host_at(sim, end->host, address) != end->host) return -EADDRNOTAVAIL;
    in_port_t port = sim_net_port(address);
    end->any = is_any(address);
    bool both = listens_to(end, !end->v6);
    if (port != 0 && listener_at(sim, end->host, port, end->v6) != NULL) return -EADDRINUSE;
    if (port != 0 && both && listener_at(sim, end->host, port, false) != NULL) return -EADDRINUSE;
    end->port = port != 0 ? port : sim->next_port++;
    return 0;
}

int sim_net_listen(struct loop *loop, int fd, int backlog)
{
    struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end == NULL) return -EBADF;
    end->kind = END_LISTENER;
    end->backlog = backlog > 0 ? (size_t)backlog : 1;
    return 0;
}

int sim_net_set_option(struct loop *loop, int fd, int level, int name, int value)
{
    struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end == NULL) return -EBADF;
    if (level == SOL_SOCKET && name == SO_LINGER) end->lingers_not = value == 0;
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY) end->v6_only = value != 0;
    return end->box != NULL ? sim_udp_set_option(end, level, name, value) : 0;
}

static void give_name(const struct wf_address *name, struct sockaddr *address, socklen_t *size)
{
    memcpy(address, &name->any, *size < name->size ? *size : name->size);
    *size = name->size;
}

int sim_net_local_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size)
{
    const struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end == NULL) return -EBADF;
    struct wf_address name = end->box != NULL || end->family == AF_UNIX ? end->name : name_of(end);
    if (name.size == 0)
        name = (struct wf_address){.size = sizeof(sa_family_t), .any.sa_family = (sa_family_t)end->family};
    give_name(&name, address, size);
    return 0;
}

int sim_net_peer_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size)
{
    const struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end == NULL) return -EBADF;
    if (end->peer.size == 0) return -ENOTCONN;
    give_name(&end->peer, address, size);
    return 0;
}

int sim_net_shutdown(struct loop *loop, int fd, int how)
{
    struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end == NULL) return -EBADF;
    if (end->out == NULL || end->broken) return -ENOTCONN;
    if (how == SHUT_RD) return -EOPNOTSUPP;
    queue_end(sim_of(loop), end->out);
    return 0;
}
