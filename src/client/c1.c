/* A call over a connection of HTTP/1.1, which is its own until the body of the answer has been read. */
#include "client/c1.h"

#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>

enum {
    IN_ROOM = 16384,
    DIRECT = 4096,    /* bytes of a reader's buffer that make it worth reading into it */
    INTERIM_MAX = 20, /* answers before the answer */
};

/* ---- Bytes ---- */

ssize_t c1_receive(struct call *call, void *buffer, size_t size)
{
    struct wire *wire = call->wire;
    if (wire->stream == NULL) return -ESHUTDOWN;
    ssize_t got = wf_stream_read(wire->stream, buffer, size);
    if (got < 0 && wire->stream == NULL) return -ESHUTDOWN;
    if (got > 0) call->answered = true;
    return got;
}

/* More behind what is there. 0 at the end. */
static ssize_t fill(struct call *call, size_t room_max)
{
    struct wire *wire = call->wire;
    if (wire->first == wire->end) wire->first = wire->end = 0;
    if (wire->end == wire->room && wire->first > 0) {
        memmove(wire->in, wire->in + wire->first, wire->end - wire->first);
        wire->end -= wire->first;
        wire->first = 0;
    }
    if (wire->end == wire->room) {
        size_t room = wire->room == 0 ? IN_ROOM : wire->room * 2;
        if (wire->room >= room_max) return -EMSGSIZE;
        char *in = wf_memory_resize(wire->in, room);
        if (in == NULL) return -ENOMEM;
        wire->in = in;
        wire->room = room;
    }
    ssize_t got = c1_receive(call, wire->in + wire->end, wire->room - wire->end);
    if (got > 0) wire->end += (size_t)got;
    return got;
}

/* ---- Heads ---- */

/* Where the empty line ends that ends the head; 0: it has not come. */
static size_t find_head_end(const char *bytes, size_t size, size_t from)
{
    const char *at = bytes + (from > 3 ? from - 3 : 0), *end = bytes + size;
    while ((at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        at++;
        if (at < end && *at == '\n') return (size_t)(at + 1 - bytes);
        if (end - at >= 2 && at[0] == '\r' && at[1] == '\n') return (size_t)(at + 2 - bytes);
    }
    return 0;
}

/* The bytes of one head, in the arena. */
static int take_head(struct call *call, char **text, size_t *size)
{
    struct wire *wire = call->wire;
    size_t head_max = call->client->options.limits.head_max, looked = 0;
    for (;;) {
        size_t there = wire->end - wire->first;
        *size = there > looked ? find_head_end(wire->in + wire->first, there, looked) : 0;
        if (*size > 0) break;
        looked = there;
        ssize_t got = there > head_max ? -EMSGSIZE : fill(call, head_max + IN_ROOM);
        if (got == -EMSGSIZE)
            return call_fail(call, -EMSGSIZE, "the head of the answer is longer than %zu bytes", head_max);
        if (got < 0) return (int)got;
        if (got == 0)
            return call_fail(call, -ECONNRESET, "the server closed the connection %s",
                             there > 0 ? "in the middle of its answer's head" : "without an answer");
    }
    *text = wf_arena_copy(call->arena, wire->in + wire->first, *size);
    wire->first += *size;
    return *text != NULL ? 0 : -ENOMEM;
}

/* Past interim answers, whose fields are not the answer's (RFC 9110 section 15.2). */
static int read_head(struct call *call)
{
    char *text = NULL;
    size_t size = 0;
    for (unsigned i = 0; i <= INTERIM_MAX; i++) {
        int rc = take_head(call, &text, &size);
        if (rc == 0) rc = c1_parse_head(call, text, size);
        if (rc < 0) return rc;
        int status = call->response->status;
        if (status == 101 && !call->tunnel) return call_fail(call, -EPROTO, "an upgrade that nobody asked for");
        if (status >= 200 || status == 101) return 0;
    }
    return call_fail(call, -EPROTO, "more than %d interim answers", INTERIM_MAX);
}

static int ask(struct call *call)
{
    struct wire *wire = call->wire;
    call->response->version = "HTTP/1.1";
    wire->chunks = (struct chunks){.state = CHUNK_SIZE};
    return c1_send(call, read_head);
}

/* ---- Bodies ---- */

static int ended_early(struct call *call)
{
    return call_fail(call, WF_EEND, "the answer ended before its body was complete");
}

static ssize_t read_counted(struct call *call, void *buffer, size_t size)
{
    struct wire *wire = call->wire;
    if (call->framing == FRAMING_LENGTH && call->body_left < size) size = (size_t)call->body_left;
    ssize_t got = 0;
    if (wire->first == wire->end && size < DIRECT) {
        got = fill(call, IN_ROOM);
        if (got < 0) return got;
    }
    if (wire->first < wire->end) {
        got = (ssize_t)(wire->end - wire->first < size ? wire->end - wire->first : size);
        memcpy(buffer, wire->in + wire->first, (size_t)got);
        wire->first += (size_t)got;
    } else if (size >= DIRECT) got = c1_receive(call, buffer, size);
    if (got <= 0) return got;
    if (call->framing == FRAMING_LENGTH) call->body_left -= (uint64_t)got;
    return got;
}

static ssize_t read_chunked(struct call *call, void *buffer, size_t size)
{
    struct wire *wire = call->wire;
    for (;;) {
        if (wire->first == wire->end) {
            ssize_t got = fill(call, IN_ROOM);
            if (got < 0) return got;
            if (got == 0) return ended_early(call);
        }
        size_t there = wire->end - wire->first, used = 0;
        ssize_t got = chunks_take(&wire->chunks, wire->in + wire->first, there < size ? there : size, buffer, &used,
                                  &call->response->trailers, call->arena);
        wire->first += used;
        if (got < 0) return call_fail(call, -EPROTO, "the chunks of the answer are none");
        if (got > 0 || wire->chunks.state == CHUNK_ENDED) return got;
    }
}

static ssize_t read_body(struct call *call, void *buffer, size_t size)
{
    if (call->framing == FRAMING_CHUNKS)
        return call->wire->chunks.state == CHUNK_ENDED ? 0 : read_chunked(call, buffer, size);
    if (call->framing == FRAMING_NONE || (call->framing == FRAMING_LENGTH && call->body_left == 0)) return 0;
    ssize_t got = read_counted(call, buffer, size);
    return got == 0 && call->framing == FRAMING_LENGTH ? ended_early(call) : got;
}

/* ---- The end ---- */

static void leave(struct call *call)
{
    struct wire *wire = call->wire;
    if (wire == NULL) return;
    call->wire = NULL;
    bool sound = call->body_ended && call->keep_alive && wire->stream != NULL && wire->first == wire->end;
    if (sound) pool_release(wire);
    else pool_discard(wire);
}

static void close_wire(struct wire *wire)
{
    wf_stream_close(wire->stream);
    wf_memory_free(wire->in);
    wf_memory_free(wire);
}

const struct protocol http1 = {.version = "HTTP/1.1",
                               .ask = ask,
                               .read = read_body,
                               .leave = leave,
                               .close = close_wire};
