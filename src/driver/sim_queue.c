#include "driver/sim_queue.h"

#include <string.h>
#include <weft/time.h>

#include "base/memory.h"

enum {
    SENDINGS_MAX = 15,
    LATENCY_DEFAULT_NS = 20000,
};

static const double partial_default = 0.25;
static const int64_t resend_first = WF_MILLISECONDS(200), resend_last = WF_SECONDS(120);

/* ---- Queues ---- */

struct sim_queue *queue_join(struct sim_end *writer, struct sim_end *reader)
{
    struct sim_queue *queue = memory_alloc(sizeof *queue);
    if (queue == NULL) return NULL;
    memset(queue, 0, offsetof(struct sim_queue, bytes));
    queue->references = 2;
    queue->last_rights = &queue->rights;
    queue->writer = writer;
    queue->reader = reader;
    queue->from = writer->host;
    queue->to = reader->host;
    writer->out = queue;
    reader->in = queue;
    return queue;
}

static struct sim_rights *next_rights(struct sim_queue *queue)
{
    struct sim_rights *rights = queue->rights;
    queue->rights = rights->next;
    if (queue->rights == NULL) queue->last_rights = &queue->rights;
    return rights;
}

void queue_drop(struct sim *sim, struct sim_queue *queue)
{
    if (--queue->references > 0) return;
    timer_disarm(&sim->events, &queue->arrival);
    while (queue->rights != NULL) sim_rights_drop(sim, next_rights(queue));
    memory_free(queue);
}

void queue_fail(struct sim *sim, struct sim_end *end, int code)
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
    queue_fail(sim, queue->writer, -ETIMEDOUT);
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
        queue_fail(sim, queue->writer, peer_said_goodbye ? -EPIPE : -ECONNRESET);
    queue->first_segment = (queue->first_segment + 1) % SEGMENTS_MAX;
    if (--queue->under_way > 0) sim_later(sim, timer, segment_at(queue, 0)->due - sim->now, arrive);
    sim_stir(sim, queue->reader);
}

int64_t queue_time_under_way(struct sim *sim)
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

void queue_send(struct sim *sim, struct sim_queue *queue, size_t size)
{
    if (queue->local) {
        queue->arrived += size;
        return sim_stir(sim, queue->reader);
    }
    int64_t due = sim->now + queue_time_under_way(sim);
    struct segment *last = queue->under_way > 0 ? segment_at(queue, queue->under_way - 1) : NULL;
    if (last != NULL && due < last->due) due = last->due;
    if (queue->under_way == SEGMENTS_MAX) {
        last->size += size;
        return;
    }
    *segment_at(queue, queue->under_way++) = (struct segment){.size = size, .due = due};
    if (queue->under_way == 1) sim_later(sim, &queue->arrival, due - sim->now, arrive);
}

void queue_end(struct sim *sim, struct sim_queue *queue)
{
    if (queue->ended) return;
    queue->ended = true;
    queue_send(sim, queue, 0);
}

/* ---- Bytes ---- */

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

/* Nothing is read past the first byte with descriptors, but as the first of a transfer. */
int64_t queue_take(struct sim *sim, struct sim_queue *queue, struct op *op)
{
    bool message = op->kind == OP_RECEIVE_MESSAGE;
    struct msghdr *header = op->buffer;
    size_t size = op->size;
    if (message) header->msg_flags = 0;
    struct sim_rights *rights = queue->rights != NULL && queue->rights->at == 0 ? next_rights(queue) : NULL;
    if (queue->rights != NULL && queue->rights->at < size) size = queue->rights->at;
    if (message) sim_rights_give(sim, rights, header);
    else sim_rights_drop(sim, rights);
    size = take_bytes(sim, queue, message ? header->msg_iov->iov_base : op->buffer, size);
    for (rights = queue->rights; rights != NULL; rights = rights->next) rights->at -= size;
    return (int64_t)size;
}

size_t queue_put(struct sim *sim, struct sim_queue *queue, const char *buffer, size_t size_max)
{
    size_t room = QUEUE_SIZE - queue->used, at = (queue->first + queue->used) % QUEUE_SIZE;
    size_t size = part(sim, size_max < room ? size_max : room);
    size_t straight = QUEUE_SIZE - at < size ? QUEUE_SIZE - at : size;
    memcpy(queue->bytes + at, buffer, straight);
    memcpy(queue->bytes, buffer + straight, size - straight);
    queue->used += size;
    return size;
}

size_t queue_put_message(struct sim *sim, struct sim_queue *queue, const struct msghdr *message)
{
    size_t total = 0;
    for (size_t i = 0; i < message->msg_iovlen && queue->used < QUEUE_SIZE; i++) {
        const struct iovec *bytes = &message->msg_iov[i];
        size_t size = queue_put(sim, queue, bytes->iov_base, bytes->iov_len);
        total += size;
        if (size < bytes->iov_len) break;
    }
    return total;
}

void queue_add_rights(struct sim_queue *queue, struct sim_rights *rights)
{
    rights->at = queue->used;
    *queue->last_rights = rights;
    queue->last_rights = &rights->next;
}
