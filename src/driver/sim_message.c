/*
 * Messages of the simulated world: the boxes that they come into, and Unix sockets of datagrams and of packets. What
 * goes between hosts is in sim_udp.c.
 *
 *     UDP:   send --latency, lost, duplicated, reordered, cut off--> found by its address --> box --> receive
 *     Unix:  send ------------------------------------------------> box, or waits for room --> receive
 */
#include "driver/sim_message.h"

#include <string.h>
#include <weft/stream.h>

#include "base/memory.h"

enum {
    LOCAL_SIZE_MAX = 212960,
    BOX_BYTES_MAX = 212992,
    LOCAL_MESSAGES_MAX = 10, /* net.unix.max_dgram_qlen */
};

static const double partial_default = 0.25;

/* ---- Boxes ---- */

int sim_message_begin(struct sim_end *end)
{
    end->box = memory_zero(sizeof *end->box);
    if (end->box == NULL) return -ENOMEM;
    end->kind = END_MESSAGES;
    end->box->hops = 1;
    return 0;
}

void sim_message_join(struct sim_end *one, struct sim_end *other)
{
    one->box->partner = other;
    other->box->partner = one;
    one->box->paired = other->box->paired = true;
}

void box_put(struct sim *sim, struct sim_end *end, struct sim_message *message)
{
    struct sim_box *box = end->box;
    message->next = NULL;
    if (box->last != NULL) box->last->next = message;
    else box->first = message;
    box->last = message;
    box->count++;
    box->bytes += message->size;
    sim_stir(sim, end);
}

/* The descriptors that it has still got are closed. */
static void take_out(struct sim *sim, struct sim_box *box)
{
    struct sim_message *message = box->first;
    box->first = message->next;
    if (box->first == NULL) box->last = NULL;
    box->count--;
    box->bytes -= message->size;
    sim_rights_drop(sim, message->rights);
    memory_free(message);
}

bool box_has_room(const struct sim_end *end, size_t size)
{
    const struct sim_box *box = end->box;
    if (box->count > 0 && box->bytes + size > BOX_BYTES_MAX) return false;
    return end->type != SOCK_DGRAM || end->family != AF_UNIX || box->count < LOCAL_MESSAGES_MAX;
}

/* Who waits for room may be any Unix socket of the host. */
static void stir_senders(struct sim *sim, const struct sim_end *end)
{
    if (end->family != AF_UNIX) return;
    for (struct sim_end *sender = sim->ends; sender != NULL; sender = sender->later)
        if (sender->box != NULL && sender->family == AF_UNIX && sender->host == end->host) sim_stir(sim, sender);
}

size_t message_size(const struct msghdr *header)
{
    size_t size = 0;
    for (size_t i = 0; i < header->msg_iovlen; i++) size += header->msg_iov[i].iov_len;
    return size;
}

static void copy_bytes(char *out, const struct msghdr *header, size_t skip, size_t size)
{
    for (size_t i = 0; i < header->msg_iovlen && size > 0; i++) {
        const struct iovec *part = &header->msg_iov[i];
        size_t from = skip < part->iov_len ? skip : part->iov_len;
        size_t step = part->iov_len - from < size ? part->iov_len - from : size;
        memcpy(out, (const char *)part->iov_base + from, step);
        out += step;
        size -= step;
        skip -= from;
    }
}

struct sim_message *message_new(const struct msghdr *header, size_t skip, size_t size)
{
    struct sim_message *message = memory_alloc(sizeof *message + size);
    if (message == NULL) return NULL;
    memset(message, 0, sizeof *message);
    message->size = size;
    copy_bytes(message->bytes, header, skip, size);
    return message;
}

void box_fail(struct sim *sim, struct sim_end *end, int code)
{
    end->error = code;
    sim_stir(sim, end);
}

void sim_message_close(struct sim *sim, struct sim_end *end)
{
    struct sim_box *box = end->box;
    struct sim_end *partner = box->partner;
    bool unread = box->first != NULL;
    while (box->first != NULL) take_out(sim, box);
    if (partner != NULL) {
        partner->box->partner = NULL;
        partner->box->ended = true;
        if (unread && end->type == SOCK_SEQPACKET) box_fail(sim, partner, -ECONNRESET);
        sim_stir(sim, partner);
    }
    stir_senders(sim, end);
    memory_free(box);
    end->box = NULL;
}

void sim_message_crash(struct sim_end *end)
{
    while (end->box->first != NULL) take_out(sim_of(current_loop), end->box);
    end->broken = true;
    end->error = -ENETDOWN;
}

/* ---- Sending by a Unix socket ---- */

static int find_receiver(struct sim *sim, const struct sim_end *end, const struct msghdr *header, struct sim_end **to)
{
    struct wf_address name = end->peer;
    *to = end->box->partner;
    if (end->box->paired) return *to != NULL ? 0 : end->type == SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
    if (header->msg_name != NULL && wf_address_from(header->msg_name, header->msg_namelen, &name) < 0) return -EINVAL;
    if (name.size == 0) return -ENOTCONN;
    int rc = sim_unix_find(sim, end, &name, to);
    if (rc == -ENOENT && header->msg_name == NULL) rc = -ECONNREFUSED; /* it was there when this was connected */
    if (rc == 0 && ((*to)->box == NULL || (*to)->type != end->type)) return -EPROTOTYPE;
    return rc;
}

static bool send_locally(struct sim *sim, struct sim_end *end, const struct msghdr *header, int64_t *result)
{
    struct sim_end *to;
    size_t size = message_size(header);
    *result = find_receiver(sim, end, header, &to);
    if (*result == 0 && size > LOCAL_SIZE_MAX) *result = -EMSGSIZE;
    if (*result < 0) return true;
    if (!box_has_room(to, size)) return false;
    struct sim_message *message = message_new(header, 0, size);
    *result = message != NULL ? (int64_t)size : -ENOMEM;
    if (message == NULL) return true;
    message->from = end->name;
    int rc = sim_rights_take(sim, header, &message->rights);
    if (rc == 0) {
        box_put(sim, to, message);
    } else {
        memory_free(message);
        *result = rc;
    }
    return true;
}

static bool try_send(struct sim *sim, struct sim_end *end, const struct msghdr *header, int64_t *result)
{
    *result = end->error;
    end->error = 0;
    if (*result != 0) return true;
    if (end->family == AF_UNIX) return send_locally(sim, end, header, result);
    *result = sim_udp_send(sim, end, header);
    return true;
}

int64_t sim_message_send_now(struct loop *loop, int fd, const struct msghdr *header)
{
    struct sim *sim = sim_of(loop);
    int64_t result;
    struct sim_end *end = sim_end_of(sim, fd);
    if (end == NULL) return -EBADF;
    return try_send(sim, end, header, &result) ? result : -EAGAIN;
}

/* ---- Receiving ---- */

static size_t give_bytes(const struct sim_message *message, const struct msghdr *header)
{
    size_t done = 0;
    for (size_t i = 0; i < header->msg_iovlen && done < message->size; i++) {
        size_t left = message->size - done, room = header->msg_iov[i].iov_len;
        size_t step = left < room ? left : room;
        memcpy(header->msg_iov[i].iov_base, message->bytes + done, step);
        done += step;
    }
    return done;
}

static int64_t give(struct sim *sim, struct sim_message *message, struct msghdr *header)
{
    size_t done = give_bytes(message, header);
    socklen_t size = message->from.size;
    if (header->msg_name != NULL)
        memcpy(header->msg_name, &message->from.any, size < header->msg_namelen ? size : header->msg_namelen);
    header->msg_namelen = header->msg_name != NULL ? size : 0;
    header->msg_flags = done < message->size ? MSG_TRUNC : 0;
    sim_rights_give(sim, message->rights, header);
    message->rights = NULL;
    return (int64_t)done;
}

static bool try_receive(struct sim *sim, struct sim_end *end, struct msghdr *header, int64_t *result)
{
    struct sim_box *box = end->box;
    *result = end->error;
    end->error = 0;
    if (*result != 0) return true;
    if (box->first != NULL) {
        *result = give(sim, box->first, header);
        take_out(sim, box);
        stir_senders(sim, end);
        return true;
    }
    if (end->type == SOCK_SEQPACKET && !box->paired) *result = -ENOTCONN;
    if (!end->broken && !(end->type == SOCK_SEQPACKET && (box->ended || !box->paired))) return false;
    header->msg_flags = 0;
    header->msg_controllen = 0;
    return true;
}

/* ---- Operations ---- */

static bool try_one(struct sim *sim, struct sim_end *end, bool sends, struct msghdr *header, int64_t *result)
{
    return sends ? try_send(sim, end, header, result) : try_receive(sim, end, header, result);
}

/* As many as go; chance may stop it before. The error of one that is not the first is told by the next call. */
static bool try_many(struct sim *sim, struct sim_end *end, bool sends, struct op *op, int64_t *result)
{
    struct mmsghdr *headers = op->buffer;
    double partial = sim->faults.partial == 0 ? partial_default : sim->faults.partial;
    size_t most = sim_part(sim, op->size, partial), done = 0;
    while (done < most && (done == 0 || end->error == 0)) {
        int64_t one;
        bool over = try_one(sim, end, sends, &headers[done].msg_hdr, &one);
        if (done == 0 && (!over || one < 0)) {
            *result = one;
            return over;
        }
        if (!over || one < 0) break;
        headers[done++].msg_len = (unsigned)one;
    }
    *result = (int64_t)done;
    return true;
}

bool sim_message_try(struct sim *sim, struct sim_end *end, struct op *op, int64_t *result)
{
    switch (op->kind) {
    case OP_SEND_MESSAGE:
    case OP_RECEIVE_MESSAGE:
        return try_one(sim, end, op->kind == OP_SEND_MESSAGE, op->buffer, result);
    case OP_SEND_MANY:
    case OP_RECEIVE_MANY:
        return try_many(sim, end, op->kind == OP_SEND_MANY, op, result);
    default:
        *result = -EOPNOTSUPP;
        return true;
    }
}

unsigned sim_message_readiness(const struct sim_end *end)
{
    bool something = end->box->first != NULL || end->error != 0 || end->broken || end->box->ended;
    return WF_WRITABLE | (something ? WF_READABLE : 0);
}
