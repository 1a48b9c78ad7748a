/*
 * A relay is two lines of pieces, one for each direction, each with a task that fills it and one that empties it:
 *
 *     from --fill--> [ piece, piece, ..., the end ] --empty--> to
 *
 * so that a delay does not slow down what comes behind it: a piece knows when it came, and is due a delay after that.
 * All that may happen to a piece on its way is decided when it is due, by the settings of that moment.
 */
#include "testing/relay.h"

#include <string.h>

#include "base/memory.h"

enum {
    HELD_MAX = 65536, /* bytes of a line; then its sender has to wait */
    CHUNK_SIZE = 2048,
    PARTS_A_SECOND = 64, /* a limited rate is written in so many parts */
};

struct relay_piece {
    struct relay_piece *next;
    int64_t came_at;
    size_t size; /* 0: the end */
    char bytes[];
};

static void pulse(struct wf_event *event)
{
    wf_event_set(event);
    wf_event_clear(event);
}

void relay_changed(struct relay *relay)
{
    pulse(&relay->to_server.changed);
    pulse(&relay->to_client.changed);
}

/* A failure that is told in one direction; where that stalls, it is not told. */
static int fails(struct relay_way *way, int code)
{
    int rc = 0;
    while (way->flow->stall && rc == 0) rc = wf_event_wait(&way->changed);
    return rc < 0 ? rc : code;
}

/* ---- Filling ---- */

static int wait_for_room(struct relay_way *way)
{
    int rc = 0;
    while (way->held == HELD_MAX && rc == 0) rc = wf_event_wait(&way->room);
    return rc;
}

static int append(struct relay_way *way, const char *bytes, size_t size)
{
    struct relay_piece *piece = memory_alloc(sizeof *piece + size);
    if (piece == NULL) return -ENOMEM;
    piece->next = NULL;
    piece->came_at = wf_now();
    piece->size = size;
    memcpy(piece->bytes, bytes, size);
    if (way->last != NULL) way->last->next = piece;
    else way->first = piece;
    way->last = piece;
    way->held += size;
    pulse(&way->came);
    return 0;
}

static int fill(struct relay_way *way)
{
    const struct relay *relay = way->relay;
    char bytes[CHUNK_SIZE];
    ssize_t got;
    do {
        int rc = wait_for_room(way);
        if (rc < 0) return rc;
        size_t room = HELD_MAX - way->held;
        got = wf_stream_read(way->from, bytes, room < sizeof bytes ? room : sizeof bytes);
        if (relay->watch != NULL && got != -ECANCELED)
            rc = relay->watch(relay->context, way == &relay->to_server, bytes, got);
        if (rc == 0) rc = got < 0 ? fails(way, (int)got) : append(way, bytes, (size_t)got);
        if (rc < 0) return rc;
    } while (got > 0);
    return 0;
}

/* ---- Emptying ---- */

static void drop_first(struct relay_way *way)
{
    struct relay_piece *piece = way->first;
    way->first = piece->next;
    if (way->first == NULL) way->last = NULL;
    way->held -= piece->size;
    memory_free(piece);
    pulse(&way->room);
}

static int64_t later(int64_t time, int64_t duration)
{
    int64_t sum;
    return __builtin_add_overflow(time, duration, &sum) ? WF_FOREVER : sum;
}

static int64_t due_at(const struct relay_way *way, const struct relay_piece *piece)
{
    const struct wf_flow *flow = way->flow;
    if (flow->stall) return WF_FOREVER;
    int64_t due = later(piece->came_at, flow->delay);
    if (flow->bytes_per_second == 0) return due;
    double seconds = (double)way->part / (double)flow->bytes_per_second;
    int64_t next = seconds < 1e9 ? later(way->part_at, (int64_t)(seconds * 1e9)) : WF_FOREVER;
    return next > due ? next : due;
}

static int wait_until_due(struct relay_way *way, const struct relay_piece *piece)
{
    int64_t due;
    while (!way->cut && (due = due_at(way, piece)) > wf_now()) {
        int rc = wf_until(due, wf_event_wait(&way->changed));
        if (rc < 0 && rc != -ETIME) return rc;
    }
    return 0;
}

static bool at_cut(const struct relay_way *way)
{
    return !way->cut && way->flow->cut_after > 0 && way->passed >= way->flow->cut_after;
}

static int cut(struct relay_way *way)
{
    way->cut = true;
    return way->flow->cut_resets ? -ECONNRESET : wf_stream_shutdown(way->to);
}

/* How much of what is left goes with one write. */
static size_t part_of(const struct relay_way *way, size_t left)
{
    const struct wf_flow *flow = way->flow;
    uint64_t most = left;
    if (flow->bytes_per_second > 0 && most > flow->bytes_per_second / PARTS_A_SECOND + 1)
        most = flow->bytes_per_second / PARTS_A_SECOND + 1;
    if (flow->cut_after > 0 && most > flow->cut_after - way->passed) most = flow->cut_after - way->passed;
    return (size_t)most;
}

static int write_part(struct relay_way *way, const char *bytes, size_t size)
{
    size_t done;
    int rc = wf_stream_write_all(way->to, bytes, size, &done);
    way->passed += done;
    *way->counted += done;
    way->part = done;
    way->part_at = wf_now();
    return rc < 0 ? fails(way->back, rc) : 0;
}

static int pass(struct relay_way *way, const struct relay_piece *piece)
{
    for (size_t done = 0; done < piece->size && !way->cut; done += way->part) {
        int rc = wait_until_due(way, piece);
        if (rc == 0 && at_cut(way)) return cut(way);
        if (rc == 0) rc = write_part(way, piece->bytes + done, part_of(way, piece->size - done));
        if (rc == 0 && at_cut(way)) rc = cut(way);
        if (rc < 0) return rc;
    }
    return 0;
}

static int pass_end(struct relay_way *way, const struct relay_piece *end)
{
    int rc = wait_until_due(way, end);
    if (rc < 0 || way->cut) return rc;
    rc = wf_stream_shutdown(way->to);
    return rc == -ENOTCONN ? 0 : rc; /* it is gone already */
}

static int empty(struct relay_way *way)
{
    for (;;) {
        const struct relay_piece *piece;
        int rc = 0;
        while ((piece = way->first) == NULL && rc == 0) rc = wf_event_wait(&way->came);
        if (piece == NULL) return rc;
        if (piece->size == 0) return pass_end(way, piece);
        rc = pass(way, piece);
        if (rc < 0) return rc;
        drop_first(way);
    }
}

/* ---- Both ways ---- */

static void close_both(struct relay *relay, bool reset)
{
    void (*end)(struct wf_stream * stream) = reset ? wf_stream_abort : wf_stream_close;
    end(relay->to_server.from);
    end(relay->to_client.from);
    while (relay->to_server.first != NULL) drop_first(&relay->to_server);
    while (relay->to_client.first != NULL) drop_first(&relay->to_client);
}

int relay_run(struct relay *relay)
{
    relay->to_server.relay = relay->to_client.relay = relay;
    relay->to_server.back = &relay->to_client;
    relay->to_client.back = &relay->to_server;
    WF_SCOPE(scope, .name = "relay");
    int rc = wf_spawn(&scope, fill, &relay->to_server, .name = "fill-to-server");
    if (rc == 0) rc = wf_spawn(&scope, empty, &relay->to_server, .name = "empty-to-server");
    if (rc == 0) rc = wf_spawn(&scope, fill, &relay->to_client, .name = "fill-to-client");
    if (rc == 0) rc = wf_spawn(&scope, empty, &relay->to_client, .name = "empty-to-client");
    rc = wf_scope_end(&scope, rc);
    close_both(relay, rc < 0);
    return rc;
}
