/*
 * The simulated network: pipes and TCP, as queues of bytes between ends.
 *
 *     end A --out--> [ queue ] --in--> end B        a pipe has one queue, a connection two
 *
 * A queue belongs to both of its ends and goes with the last of them. A listener keeps the ends that were connected and
 * not yet accepted.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "base/memory.h"
#include "driver/sim.h"

enum { QUEUE_SIZE = 65536 };

struct queue {
    unsigned references;
    bool writer_gone, reader_gone, reset;
    size_t first, used;
    struct sim_end *writer, *reader;
    char bytes[QUEUE_SIZE];
};

enum end_kind { END_SOCKET, END_LISTENER, END_PIPE };

struct sim_end {
    enum end_kind kind;
    int fd;
    struct desc *desc; /* NULL: not attached (yet) */
    struct queue *in, *out;
    uint16_t port; /* its own */
    bool resets;   /* its close is a reset: SO_LINGER of 0 */
    size_t backlog, waiting;
    struct sim_end *first, *last; /* of a listener: connected, not accepted */
    struct sim_end *next;
};

/* ---- Ends and queues ---- */

static struct sim_end *end_of(struct sim *sim, int fd)
{
    return sim->ends[fd - SIM_FD_FIRST];
}

static struct sim_end *end_new(struct sim *sim, enum end_kind kind)
{
    size_t index = 0;
    while (index < sim->ends_room && sim->ends[index] != NULL) index++;
    if (index == sim->ends_room) {
        size_t room = sim->ends_room == 0 ? 64 : sim->ends_room * 2;
        struct sim_end **larger = memory_resize(sim->ends, room * sizeof(struct sim_end *));
        if (larger == NULL) return NULL;
        memset(larger + sim->ends_room, 0, (room - sim->ends_room) * sizeof(struct sim_end *));
        sim->ends = larger;
        sim->ends_room = room;
    }
    struct sim_end *end = memory_zero(sizeof *end);
    if (end == NULL) return NULL;
    end->kind = kind;
    end->fd = SIM_FD_FIRST + (int)index;
    sim->ends[index] = end;
    return end;
}

static bool join(struct sim_end *writer, struct sim_end *reader)
{
    struct queue *queue = memory_alloc(sizeof *queue);
    if (queue == NULL) return false;
    queue->references = 2;
    queue->writer_gone = queue->reader_gone = queue->reset = false;
    queue->first = queue->used = 0;
    queue->writer = writer;
    queue->reader = reader;
    writer->out = queue;
    reader->in = queue;
    return true;
}

static void stir(struct sim *sim, struct sim_end *end)
{
    if (end != NULL) sim_stir(sim, end->desc);
}

static void leave_queue(struct sim *sim, struct queue *queue, bool writes)
{
    if (queue == NULL) return;
    if (writes) {
        queue->writer_gone = true;
        queue->writer = NULL;
        stir(sim, queue->reader);
    } else {
        queue->reader_gone = true;
        queue->reader = NULL;
        stir(sim, queue->writer);
    }
    if (--queue->references == 0) memory_free(queue);
}

/* What the peer sent and nobody read turns the goodbye of a connection into a reset. */
void sim_net_close(struct sim *sim, int fd)
{
    struct sim_end *end = end_of(sim, fd);
    sim->ends[fd - SIM_FD_FIRST] = NULL;
    if (end->kind == END_SOCKET && end->in != NULL && end->in->used > 0 && end->out != NULL) end->out->reset = true;
    if (end->resets && end->in != NULL && end->out != NULL) end->out->reset = end->in->reset = true;
    leave_queue(sim, end->out, true);
    leave_queue(sim, end->in, false);
    while (end->first != NULL) {
        struct sim_end *waiting = end->first;
        end->first = waiting->next;
        sim_net_close(sim, waiting->fd);
    }
    memory_free(end);
}

void sim_net_finish(struct sim *sim)
{
    for (size_t i = 0; i < sim->ends_room; i++)
        if (sim->ends[i] != NULL) sim_net_close(sim, sim->ends[i]->fd);
    memory_free(sim->ends);
}

void sim_net_attach(struct sim *sim, struct desc *desc)
{
    if (desc->fd >= SIM_FD_FIRST) end_of(sim, desc->fd)->desc = desc;
}

/* ---- Reading and writing ---- */

static bool try_read(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result)
{
    struct queue *queue = end->in;
    if (queue == NULL) {
        *result = -ENOTCONN;
        return true;
    }
    if (queue->reset) {
        *result = -ECONNRESET;
        return true;
    }
    if (queue->used == 0) {
        *result = 0;
        return queue->writer_gone;
    }
    size_t size = sim_part(sim, op->size < queue->used ? op->size : queue->used);
    for (size_t i = 0; i < size; i++) ((char *)op->buffer)[i] = queue->bytes[(queue->first + i) % QUEUE_SIZE];
    queue->first = (queue->first + size) % QUEUE_SIZE;
    queue->used -= size;
    stir(sim, queue->writer);
    *result = (int64_t)size;
    return true;
}

static bool try_write(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result)
{
    struct queue *queue = end->out;
    if (queue == NULL || queue->reader_gone || queue->writer_gone) {
        *result = queue == NULL ? -ENOTCONN : -EPIPE;
        return true;
    }
    size_t room = QUEUE_SIZE - queue->used;
    if (room == 0) return false;
    size_t size = sim_part(sim, op->size < room ? op->size : room);
    for (size_t i = 0; i < size; i++)
        queue->bytes[(queue->first + queue->used + i) % QUEUE_SIZE] = ((const char *)op->buffer)[i];
    queue->used += size;
    stir(sim, queue->reader);
    *result = (int64_t)size;
    return true;
}

/* ---- Connecting ---- */

static uint16_t port_of(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET6) return ntohs(((const struct sockaddr_in6 *)(const void *)address)->sin6_port);
    return ntohs(((const struct sockaddr_in *)(const void *)address)->sin_port);
}

static struct sim_end *listener_at(const struct sim *sim, uint16_t port)
{
    for (size_t i = 0; i < sim->ends_room; i++) {
        struct sim_end *end = sim->ends[i];
        if (end != NULL && end->kind == END_LISTENER && end->port == port) return end;
    }
    return NULL;
}

static int connect_ends(struct sim *sim, struct sim_end *client, struct sim_end *listener)
{
    struct sim_end *server = end_new(sim, END_SOCKET);
    if (server == NULL) return -ENOMEM;
    if (!join(client, server) || !join(server, client)) {
        sim_net_close(sim, server->fd);
        return -ENOMEM;
    }
    server->port = listener->port;
    client->port = sim->next_port++;
    if (listener->last != NULL) listener->last->next = server;
    else listener->first = server;
    listener->last = server;
    listener->waiting++;
    stir(sim, listener);
    return 0;
}

static bool try_connect(struct sim *sim, struct sim_end *end, const struct op *op, int64_t *result)
{
    struct sim_end *listener = listener_at(sim, port_of(op->address));
    *result = -ECONNREFUSED;
    if (listener == NULL) return true;
    if (listener->waiting >= listener->backlog) return false;
    *result = connect_ends(sim, end, listener);
    return true;
}

static bool try_accept(struct sim_end *end, int64_t *result)
{
    struct sim_end *accepted = end->first;
    if (accepted == NULL) return false;
    end->first = accepted->next;
    if (end->first == NULL) end->last = NULL;
    end->waiting--;
    accepted->next = NULL;
    *result = accepted->fd;
    return true;
}

bool sim_net_try(struct sim *sim, struct op *op, int64_t *result)
{
    struct sim_end *end = end_of(sim, op->desc->fd);
    switch (op->kind) {
    case OP_ACCEPT:
        return try_accept(end, result);
    case OP_CONNECT:
        return try_connect(sim, end, op, result);
    case OP_RECV:
    case OP_READ:
        return try_read(sim, end, op, result);
    case OP_SEND:
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
    if ((family != AF_INET && family != AF_INET6) || type != SOCK_STREAM) return -EAFNOSUPPORT;
    struct sim_end *end = end_new(sim_of(loop), END_SOCKET);
    return end != NULL ? end->fd : -ENOMEM;
}

int sim_net_pipe(struct loop *loop, int ends[2])
{
    struct sim *sim = sim_of(loop);
    struct sim_end *reader = end_new(sim, END_PIPE), *writer = reader != NULL ? end_new(sim, END_PIPE) : NULL;
    if (writer != NULL && join(writer, reader)) {
        ends[0] = reader->fd;
        ends[1] = writer->fd;
        return 0;
    }
    if (writer != NULL) sim_net_close(sim, writer->fd);
    if (reader != NULL) sim_net_close(sim, reader->fd);
    return -ENOMEM;
}

int sim_net_bind(struct loop *loop, int fd, const struct sockaddr *address, socklen_t size)
{
    (void)size;
    struct sim *sim = sim_of(loop);
    uint16_t port = port_of(address);
    if (port != 0 && listener_at(sim, port) != NULL) return -EADDRINUSE;
    end_of(sim, fd)->port = port != 0 ? port : sim->next_port++;
    return 0;
}

int sim_net_listen(struct loop *loop, int fd, int backlog)
{
    struct sim_end *end = end_of(sim_of(loop), fd);
    end->kind = END_LISTENER;
    end->backlog = backlog > 0 ? (size_t)backlog : 1;
    return 0;
}

int sim_net_set_option(struct loop *loop, int fd, int level, int name, int value)
{
    if (level == SOL_SOCKET && name == SO_LINGER) end_of(sim_of(loop), fd)->resets = value == 0;
    return 0;
}

int sim_net_local_name(struct loop *loop, int fd, struct sockaddr *address, socklen_t *size)
{
    struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(end_of(sim_of(loop), fd)->port)};
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(address, &name, *size < sizeof name ? *size : sizeof name);
    *size = sizeof name;
    return 0;
}

int sim_net_shutdown(struct loop *loop, int fd, int how)
{
    struct sim_end *end = end_of(sim_of(loop), fd);
    if (end->out == NULL) return -ENOTCONN;
    if (how == SHUT_RD) return -EOPNOTSUPP;
    end->out->writer_gone = true;
    stir(sim_of(loop), end->out->reader);
    return 0;
}
