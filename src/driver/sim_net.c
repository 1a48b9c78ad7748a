/*
 * The simulated network: pipes and TCP, as queues of bytes between ends.
 *
 *     end A --out--> [ arrived | under way ] --in--> end B        a pipe has one queue, a connection two
 *
 * What is written to a connection goes out as a segment and arrives after the latency of the moment, in order. One
 * that is lost, or cannot pass because of a partition, is sent again later and later; after fifteen times the sender
 * gives up (RFC 1122, 4.2.3.5, with Linux's numbers). A queue belongs to both of its ends and goes with the last.
 */
#include <string.h>
#include <weft/stream.h>
#include <weft/time.h>

#include "base/memory.h"
#include "driver/sim.h"

enum {
    QUEUE_SIZE = 65536,
    SEGMENTS_MAX = 32, /* under way; what is written meanwhile joins the last of them */
    SENDINGS_MAX = 15,
    HANDSHAKES_MAX = 6,
    LATENCY_DEFAULT_NS = 20000,
};

static const double partial_default = 0.25;
static const int64_t resend_first = WF_MILLISECONDS(200), resend_last = WF_SECONDS(120),
                     handshake_first = WF_SECONDS(1);

struct segment {
    size_t size; /* 0: the end of what is written */
    int64_t due;
};

struct sim_queue {
    unsigned references;
    bool local; /* of a pipe: nothing is ever under way */
    bool ended; /* nothing more is written */
    bool reader_gone, reader_crashed;
    size_t first, arrived, used; /* from first on: what can be read, and what is under way behind it */
    struct sim_end *writer, *reader;
    struct wf_sim_host *from, *to;
    struct segment segments[SEGMENTS_MAX];
    unsigned first_segment, under_way, sendings;
    struct wf_timer_ arrival;
    char bytes[QUEUE_SIZE];
};

/* ---- Queues ---- */

static struct sim_queue *join(struct sim_end *writer, struct sim_end *reader)
{
    struct sim_queue *queue = memory_alloc(sizeof *queue);
    if (queue == NULL) return NULL;
    memset(queue, 0, offsetof(struct sim_queue, bytes));
    queue->references = 2;
    queue->writer = writer;
    queue->reader = reader;
    queue->from = writer->host;
    queue->to = reader->host;
    writer->out = queue;
    reader->in = queue;
    return queue;
}

static void drop(struct sim *sim, struct sim_queue *queue)
{
    if (--queue->references > 0) return;
    timer_disarm(&sim->events, &queue->arrival);
    memory_free(queue);
}

/* The connection is over for this end: its next transfer says why, later ones find it broken. */
static void fail(struct sim *sim, struct sim_end *end, int code)
{
    if (end == NULL || end->broken) return;
    end->error = code;
    end->broken = true;
    sim_stir(sim, end);
}

static struct segment *segment_at(struct sim_queue *queue, unsigned index)
{
    return &queue->segments[(queue->first_segment + index) % SEGMENTS_MAX];
}

static void give_up_sending(struct sim *sim, struct sim_queue *queue)
{
    queue->under_way = 0;
    fail(sim, queue->writer, -ETIMEDOUT);
}

static void arrive(struct wf_timer_ *timer)
{
    struct sim *sim = sim_of(current_loop);
    struct sim_queue *queue = (struct sim_queue *)((char *)timer - offsetof(struct sim_queue, arrival));
    struct segment *segment = segment_at(queue, 0);
    if (!sim_reaches(queue->from, queue->to) || queue->to->crashed) {
        if (++queue->sendings > SENDINGS_MAX) return give_up_sending(sim, queue);
        int64_t wait = resend_first << queue->sendings;
        sim_later(sim, timer, wait < resend_last ? wait : resend_last, arrive);
        return;
    }
    queue->sendings = 0;
    queue->arrived += segment->size;
    bool peer_said_goodbye = queue->writer != NULL && queue->writer->in != NULL && queue->writer->in->ended;
    if (queue->reader_crashed || (queue->reader_gone && segment->size > 0))
        fail(sim, queue->writer, peer_said_goodbye ? -EPIPE : -ECONNRESET);
    queue->first_segment = (queue->first_segment + 1) % SEGMENTS_MAX;
    if (--queue->under_way > 0) sim_later(sim, timer, segment_at(queue, 0)->due - sim->now, arrive);
    sim_stir(sim, queue->reader);
}

static int64_t time_under_way(struct sim *sim)
{
    const struct wf_sim_faults *faults = &sim->faults;
    int64_t most = faults->latency_max > 0 ? faults->latency_max : LATENCY_DEFAULT_NS;
    int64_t time = sim_between(sim, faults->latency_min, most);
    int64_t resend = resend_first;
    while (sim_chance(sim, faults->lost) && resend < resend_last) {
        time += resend;
        resend *= 2;
    }
    return time;
}

static void send_segment(struct sim *sim, struct sim_queue *queue, size_t size)
{
    if (queue->local) {
        queue->arrived += size;
        return sim_stir(sim, queue->reader);
    }
    int64_t due = sim->now + time_under_way(sim);
    struct segment *last = queue->under_way > 0 ? segment_at(queue, queue->under_way - 1) : NULL;
    if (last != NULL && due < last->due) due = last->due;
    if (queue->under_way == SEGMENTS_MAX) {
        last->size += size;
        return;
    }
    *segment_at(queue, queue->under_way++) = (struct segment){.size = size, .due = due};
    if (queue->under_way == 1) sim_later(sim, &queue->arrival, due - sim->now, arrive);
}

static void end_writing(struct sim *sim, struct sim_queue *queue)
{
    if (queue->ended) return;
    queue->ended = true;
    send_segment(sim, queue, 0);
}

/* ---- Closing ---- */

static void leave_writing(struct sim *sim, struct sim_end *end, bool reset)
{
    struct sim_queue *queue = end->out;
    if (queue == NULL) return;
    if (reset) fail(sim, queue->reader, -ECONNRESET);
    else if (!end->broken) end_writing(sim, queue);
    queue->writer = NULL;
    drop(sim, queue);
}

static void leave_reading(struct sim *sim, struct sim_end *end)
{
    struct sim_queue *queue = end->in;
    if (queue == NULL) return;
    queue->reader_gone = true;
    queue->reader = NULL;
    if (queue->local) sim_stir(sim, queue->writer);
    drop(sim, queue);
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
        sim_end_close(sim, waiting);
    }
}

/* Silence: nothing goes out any more, and what comes in is answered by whoever runs there next. */
void sim_net_crash(struct sim_end *end)
{
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
    if (end->kind != END_SOCKET || end->broken || !sim_chance(sim, sim->faults.reset)) return false;
    fail(sim, end, -ECONNRESET);
    fail(sim, end->out->reader, -ECONNRESET);
    return true;
}

static size_t part(struct sim *sim, size_t most)
{
    double partial = sim->faults.partial;
    return sim_part(sim, most, partial == 0 ? partial_default : partial);
}

static size_t take_bytes(struct sim *sim, struct sim_queue *queue, char *buffer, size_t size_max)
{
    size_t size = part(sim, size_max < queue->arrived ? size_max : queue->arrived);
    size_t straight = QUEUE_SIZE - queue->first < size ? QUEUE_SIZE - queue->first : size;
    memcpy(buffer, queue->bytes + queue->first, straight);
    memcpy(buffer + straight, queue->bytes, size - straight);
    queue->arrived -= size;
    queue->used -= size;
    queue->first = queue->used == 0 ? 0 : (queue->first + size) % QUEUE_SIZE;
    return size;
}

static bool try_read(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result)
{
    struct sim_queue *queue = end->in;
    *result = -ENOTCONN;
    if (queue == NULL) return true;
    if (connection_breaks(sim, end) && told_error(end, result)) return true;
    if (queue->arrived > 0) {
        *result = (int64_t)take_bytes(sim, queue, op->buffer, op->size);
        sim_stir(sim, queue->writer);
        return true;
    }
    if (told_error(end, result)) return true;
    return end->broken || (queue->ended && queue->under_way == 0);
}

static size_t put_bytes(struct sim *sim, struct sim_queue *queue, const char *buffer, size_t size_max)
{
    size_t room = QUEUE_SIZE - queue->used, at = (queue->first + queue->used) % QUEUE_SIZE;
    size_t size = part(sim, size_max < room ? size_max : room);
    size_t straight = QUEUE_SIZE - at < size ? QUEUE_SIZE - at : size;
    memcpy(queue->bytes + at, buffer, straight);
    memcpy(queue->bytes, buffer + straight, size - straight);
    queue->used += size;
    return size;
}

static size_t put_message(struct sim *sim, struct sim_queue *queue, const struct msghdr *message)
{
    size_t total = 0;
    for (size_t i = 0; i < message->msg_iovlen && queue->used < QUEUE_SIZE; i++) {
        const struct iovec *bytes = &message->msg_iov[i];
        size_t size = put_bytes(sim, queue, bytes->iov_base, bytes->iov_len);
        total += size;
        if (size < bytes->iov_len) break;
    }
    return total;
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
    *result = (int64_t)(op->kind == OP_SEND_MESSAGE ? put_message(sim, queue, op->buffer)
                                                    : put_bytes(sim, queue, op->buffer, op->size));
    send_segment(sim, queue, (size_t)*result);
    return true;
}

unsigned sim_net_readiness(const struct sim_end *end)
{
    if (end->kind == END_LISTENER) return end->first != NULL ? WF_READABLE : 0;
    if (end->broken || (end->in == NULL && end->out == NULL)) return WF_READABLE | WF_WRITABLE;
    unsigned found = 0;
    if (end->in != NULL && (end->in->arrived > 0 || (end->in->ended && end->in->under_way == 0))) found |= WF_READABLE;
    if (end->out != NULL && (end->out->used < QUEUE_SIZE || end->out->reader_gone)) found |= WF_WRITABLE;
    return found;
}

/* ---- Connecting ---- */

static in_port_t port_of(const struct sockaddr *address)
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
    for (size_t i = 0; i < sim->ends_room; i++) {
        struct sim_end *end = sim->ends[i];
        bool here = end != NULL && end->kind == END_LISTENER && end->port == port && end->host == host;
        if (here && listens_to(end, v6)) return end;
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

static int connect_ends(struct sim *sim, struct sim_end *client, struct sim_end *listener)
{
    struct sim_end *server = sim_end_new(sim, listener->host, END_SOCKET);
    if (server == NULL) return -ENOMEM;
    if (join(client, server) == NULL || join(server, client) == NULL) {
        sim_end_close(sim, server);
        return -ENOMEM;
    }
    server->port = listener->port;
    server->v6 = client->v6;
    if (client->port == 0) client->port = sim->next_port++;
    client->peer = name_of(server);
    server->peer = name_of(client);
    if (listener->last != NULL && listener->first != NULL) listener->last->next = server;
    else listener->first = server;
    listener->last = server;
    listener->waiting++;
    sim_stir(sim, listener);
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
        op->driver_data = (uint64_t)(2 * time_under_way(sim)) + 1; /* there and back */
        return false;
    }
    if (!sim_reaches(end->host, host) || host->crashed) return ask_again(op, result);
    struct sim_end *listener = listener_at(sim, host, port_of(op->address), end->v6);
    *result = -ECONNREFUSED;
    if (listener == NULL) return true;
    if (listener->waiting >= listener->backlog) return ask_again(op, result);
    *result = connect_ends(sim, end, listener);
    return true;
}

static bool try_accept(struct sim *sim, struct sim_end *end, const struct wf_task *task, int64_t *result)
{
    uint32_t most = sim->faults.descriptors_max;
    *result = -EMFILE;
    if (most > 0 && end->host->descriptors >= most) return true;
    struct sim_end *accepted = end->first;
    if (accepted == NULL) return false;
    end->first = accepted->next;
    accepted->next = NULL;
    end->waiting--;
    *result = sim_end_open(sim, accepted, task);
    return true;
}

bool sim_net_try(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result)
{
    switch (op->kind) {
    case OP_ACCEPT:
        return try_accept(sim, end, op->wait.task, result);
    case OP_CONNECT:
        return try_connect(sim, end, op, result);
    case OP_RECV:
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
    if ((family != AF_INET && family != AF_INET6) || type != SOCK_STREAM) return -EAFNOSUPPORT;
    struct sim_end *end = sim_end_new(sim, sim_host_of(sim, loop->running), END_SOCKET);
    if (end == NULL) return -ENOMEM;
    end->v6 = family == AF_INET6;
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
        struct sim_queue *queue = join(sim_end_of(sim, ends[1]), sim_end_of(sim, ends[0]));
        if (queue == NULL) rc = -ENOMEM;
        else queue->local = true;
    }
    if (rc == 0) return 0;
    if (ends[1] >= 0) sim_end_close(sim, sim_end_of(sim, ends[1]));
    if (ends[0] >= 0) sim_end_close(sim, sim_end_of(sim, ends[0]));
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
    (void)size;
    struct sim *sim = sim_of(loop);
    struct sim_end *end = sim_end_of(sim, fd);
    if (sim_host_at(sim, end->host, address) != end->host) return -EADDRNOTAVAIL;
    in_port_t port = port_of(address);
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
    end->kind = END_LISTENER;
    end->backlog = backlog > 0 ? (size_t)backlog : 1;
    return 0;
}

int sim_net_set_option(struct loop *loop, int fd, int level, int name, int value)
{
    struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (level == SOL_SOCKET && name == SO_LINGER) end->lingers_not = value == 0;
    if (level == IPPROTO_IPV6 && name == IPV6_V6ONLY) end->v6_only = value != 0;
    return 0;
}

static void give_name(const struct wf_address *name, struct sockaddr *address, socklen_t *size)
{
    memcpy(address, &name->any, *size < name->size ? *size : name->size);
    *size = name->size;
}

int sim_net_local_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size)
{
    struct wf_address name = name_of(sim_end_of(sim_of(loop), fd));
    give_name(&name, address, size);
    return 0;
}

int sim_net_peer_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size)
{
    const struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end->peer.size == 0) return -ENOTCONN;
    give_name(&end->peer, address, size);
    return 0;
}

int sim_net_shutdown(struct loop *loop, int fd, int how)
{
    struct sim_end *end = sim_end_of(sim_of(loop), fd);
    if (end->out == NULL || end->broken) return -ENOTCONN;
    if (how == SHUT_RD) return -EOPNOTSUPP;
    end_writing(sim_of(loop), end->out);
    return 0;
}
