/*
 * HTTP/1.x on a connection: requests one after the other, each answered before the next is looked at.
 *
 * Answers are collected while further requests are there already, and go out together before the connection waits. The
 * memory for a request is the server's, and taken once the first bytes are there: so a few are hot, and an idle
 * connection has none.
 */
#include "http/h1.h"

#include <stdio.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/app.h"
#include "http/h1_parser.h"

enum {
    IN_ROOM = 8192,
    BODY_ROOM = 1024,
    SPARES_MAX = 64, /* of the server, kept for the next request */
};

/* In a drain: for a request that is on its way, of a client that does not know yet. */
static const int64_t last_chance = WF_MILLISECONDS(250);

static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"; /* RFC 9113 section 3.4 */

/* ---- Memory ---- */

static struct work *new_work(const struct server *server)
{
    struct work *work = wf_memory_alloc(sizeof *work);
    if (work == NULL) return NULL;
    work->reading = wf_memory_alloc(sizeof *work->reading);
    if (work->reading == NULL) {
        wf_memory_free(work);
        return NULL;
    }
    wf_arena_init(&work->request.arena);
    h1_parser_init(&work->reading->parser, &server->app->private_->head_limits);
    work->large = NULL;
    work->out = (struct outgoing){.bytes = NULL};
    return work;
}

/* For a request that begins with these bytes. */
static int take_work(struct h1 *h1, const char *bytes, size_t size)
{
    struct server *server = h1->connection->server;
    struct work *work = server->spare;
    if (work != NULL) {
        server->spare = work->next;
        server->spares--;
    } else if ((work = new_work(server)) == NULL) {
        return -ENOMEM;
    }
    work->in = memcpy(work->reading->first, bytes, size);
    work->in_room = H1_FIRST;
    work->begin = work->parsed = 0;
    work->end = size;
    work->h1 = h1;
    h1->work = work;
    return 0;
}

static void free_in(struct work *work)
{
    bool shared = work->in == work->large || (work->reading != NULL && work->in == work->reading->first);
    if (!shared) wf_memory_free(work->in);
}

void work_free(struct work *work)
{
    wf_arena_finish(&work->request.arena);
    wf_memory_free(work->reading);
    wf_memory_free(work->large);
    wf_memory_free(work->out.bytes);
    wf_memory_free(work);
}

static void give_work(struct h1 *h1)
{
    struct work *work = h1->work;
    struct server *server = h1->connection->server;
    h1->work = NULL;
    if (work == NULL) return;
    free_in(work);
    if (server->spares >= SPARES_MAX || work->reading == NULL) {
        work_free(work);
        return;
    }
    wf_arena_reset(&work->request.arena);
    work->out.size = 0;
    work->next = server->spare;
    server->spare = work;
    server->spares++;
}

/* ---- Coming in ---- */

static char *large_room(struct work *work)
{
    if (work->large == NULL) work->large = wf_memory_alloc(IN_ROOM);
    return work->large;
}

/* What has come so far goes to a room of so many bytes; NULL: there is none. */
static int move_in(struct work *work, char *in, size_t room)
{
    if (in == NULL) return -ENOMEM;
    memcpy(in, work->in, work->end);
    h1_parser_moved(&work->reading->parser, work->in + work->end, in - work->in);
    free_in(work);
    work->in = in;
    work->in_room = room;
    return 0;
}

/* What has been answered goes, then the buffer grows. */
static int make_more_room(struct h1 *h1, size_t least, size_t room_max)
{
    struct work *work = h1->work;
    if (work->begin > 0) {
        memmove(work->in, work->in + work->begin, work->end - work->begin);
        h1_parser_moved(&work->reading->parser, work->in + work->end, -(ptrdiff_t)work->begin);
        work->parsed -= work->begin;
        work->end -= work->begin;
        work->begin = 0;
        if (work->in_room - work->end >= least) return 0;
    }
    size_t room = work->in_room < IN_ROOM ? IN_ROOM : work->in_room * 2;
    if (room > room_max) room = room_max;
    if (room < work->end + least) return -EMSGSIZE;
    return move_in(work, room == IN_ROOM ? large_room(work) : wf_memory_alloc(room), room);
}

/* Room behind what is there. */
static int make_room(struct h1 *h1, size_t least, size_t room_max)
{
    const struct work *work = h1->work;
    return work->in_room - work->end >= least ? 0 : make_more_room(h1, least, room_max);
}

/* Between two requests: -ESHUTDOWN in a drain, when nothing was on its way. */
static ssize_t read_idle(struct wf_stream *stream, void *buffer, size_t size)
{
    ssize_t got = wf_idle(wf_stream_read(stream, buffer, size));
    if (got == -ESHUTDOWN) got = wf_within(last_chance, wf_stream_read(stream, buffer, size));
    return got == -ETIME ? -ESHUTDOWN : got;
}

/* More bytes behind those that are there: 1, 0 at the end. What was answered goes out first. */
int h1_fill(struct h1 *h1, bool idle)
{
    struct work *work = h1->work;
    int rc = h1_flush(h1);
    if (rc < 0) return rc;
    struct wf_stream *stream = h1->connection->stream;
    char *to = work->in + work->end;
    size_t room = work->in_room - work->end;
    ssize_t got = idle ? read_idle(stream, to, room) : wf_stream_read(stream, to, room);
    if (got <= 0) return (int)got;
    work->end += (size_t)got;
    return 1;
}

/* ---- A head ---- */

/* Empty lines before a request are skipped (RFC 9112 section 2.2). False: there is half of one. */
static bool skip_empty_lines(struct work *work)
{
    while (work->end - work->begin >= 2 && memcmp(work->in + work->begin, "\r\n", 2) == 0) work->begin += 2;
    work->parsed = work->begin;
    return work->end - work->begin != 1 || work->in[work->begin] != '\r';
}

/* HTTP/2 with prior knowledge begins like a request. 1: it does; 0: not, or not yet to be said. */
static int is_preface(const struct h1 *h1)
{
    const struct work *work = h1->work;
    size_t size = work->end - work->begin;
    if (h1->requests > 0 || size < 4) return 0;
    size_t compared = size < sizeof preface - 1 ? size : sizeof preface - 1;
    if (memcmp(work->in + work->begin, preface, compared) != 0) return 0;
    return compared == sizeof preface - 1 ? 1 : -EAGAIN;
}

static enum h1_found parse(struct work *work)
{
    size_t used = 0;
    char *from = work->in + work->parsed;
    enum h1_found found = h1_parse_head(&work->reading->parser, from, work->end - work->parsed, &used);
    work->parsed += used;
    return found;
}

/* The first bytes of a request came when it had just been decided that none was to be waited for any more: they are the
 * next scope's. */
static bool is_late(const struct h1 *h1)
{
    return wf_scope_cancelled(h1->connection->scope);
}

static bool has_unread(const struct h1 *h1)
{
    return h1->work != NULL && h1->work->end > h1->work->begin;
}

/* A whole head from the bytes that are there and those that come. */
static int read_head(struct h1 *h1, enum h1_found *found)
{
    struct work *work = h1->work;
    struct connection *connection = h1->connection;
    *found = H1_MORE;
    for (;;) {
        if (work->end > work->parsed) {
            bool whole = work->parsed > work->begin || skip_empty_lines(work);
            int rc = is_preface(h1);
            if (rc == 1) return H1_PREFACE;
            if (rc == 0 && whole && work->end > work->parsed) *found = parse(work);
            if (*found != H1_MORE) return 1;
        }
        bool idle = work->end == work->begin;
        if (connection->phase != (idle ? PHASE_IDLE : PHASE_HEAD))
            set_phase(connection, idle ? PHASE_IDLE : PHASE_HEAD);
        int rc = make_room(h1, 1, h1->head_room);
        if (rc == 0) rc = h1_fill(h1, idle);
        if (rc == 1 && idle && is_late(h1)) return -ECANCELED;
        if (rc <= 0) return rc == 0 && !idle ? -ECONNRESET : rc;
    }
}

static struct wf_stream *stream_of(struct wf_request *request)
{
    return h1_of(request)->connection->stream;
}

const struct exchange h1_exchange = {
    .version = "HTTP/1.1",
    .read = h1_read_body,
    .inform = h1_inform,
    .begin = h1_begin,
    .write = h1_write,
    .send = h1_send,
    .flush = h1_flush_answer,
    .end = h1_end,
    .take_over = h1_take_over,
    .stream = stream_of,
};

/* ---- A request ---- */

static __attribute__((noinline)) void refuse(struct h1 *h1)
{
    struct work *work = h1->work;
    work->request.body_ended = true;
    set_phase(h1->connection, PHASE_ANSWERING);
    WF_SCOPE(scope);
    h1->connection->scope = &scope;
    app_refuse(&work->request, work->reading->parser.status, work->reading->parser.why);
    int rc = h1_flush(h1);
    h1->connection->scope = NULL;
    if (wf_scope_end(&scope, rc) == 0 && rc == 0) connection_linger(h1->connection);
}

/* With the head there; 1: on to the next; 0: the connection ends. */
static int answer(struct h1 *h1)
{
    struct work *work = h1->work;
    struct wf_request *request = &work->request;
    h1->requests++;
    request->body_ended = request->length == 0;
    request->secure = h1->connection->secure;
    request->close_after = !work->reading->parser.keep_alive;
    work->body_at = work->parsed;
    work->chunks = (struct chunks){.state = CHUNK_SIZE};
    h1->watching = false;
    set_phase(h1->connection, PHASE_ANSWERING);
    app_answer(request);
    if (h1->taken_over) return 0;
    if (!request->close_after && !request->body_ended && !h1_skip_body(h1)) request->close_after = true;
    if (!request->close_after) return 1;
    int rc = h1_flush(h1);
    if (rc < 0 || !request->broken) return rc;
    return request->state == ANSWER_NONE ? -ESHUTDOWN : -ECONNABORTED; /* by a reset, for it has no end */
}

enum after {
    GO_ON,
    REFUSE,      /* the head is none */
    WAIT_LONG,   /* nothing has come for a while */
    SAY_GOODBYE, /* the last answer is out */
    END,
};

static enum after refuse_slow(struct h1 *h1)
{
    h1->work->reading->parser.status = 408;
    h1->work->reading->parser.why = "the head of the request took too long";
    return REFUSE;
}

/* What was answered makes room; what came behind it is the next request. */
static void put_away(struct work *work)
{
    work->begin = work->parsed;
    if (work->begin == work->end) work->begin = work->parsed = work->end = 0;
    wf_arena_reset(&work->request.arena);
}

/* Some bytes of a request: 1; 0: there will be none. What was answered goes out before. The bytes come to the stack
 * first, where they are in nobody's way once a handler is called. */
static __attribute__((noinline)) int wait_for_request(struct h1 *h1)
{
    struct connection *connection = h1->connection;
    char first[H1_FIRST];
    if (h1->work != NULL) {
        if (has_unread(h1)) return 1;
        int rc = h1_flush(h1);
        give_work(h1);
        if (rc < 0) return rc;
    }
    if (connection->phase != PHASE_IDLE) set_phase(connection, PHASE_IDLE);
    ssize_t got = read_idle(connection->stream, first, sizeof first);
    if (got <= 0) return (int)got;
    int rc = take_work(h1, first, (size_t)got);
    return rc == 0 ? 1 : rc;
}

/* What the body needs behind the head, and a byte by which it is seen that the client has gone. */
static size_t body_room(const struct work *work)
{
    int64_t length = work->request.length;
    return length >= 0 && (uint64_t)length <= work->end - work->parsed ? 1 : BODY_ROOM;
}

/* Who asks for an upgrade may stay long with this request: it lies in no more room than it needs, and nothing of it
 * where heads are read. */
static int make_narrow(struct work *work)
{
    struct wf_headers *fields = &work->request.headers;
    size_t room = work->end + body_room(work);
    if (fields->list == work->reading->parser.first) {
        fields->list = wf_arena_copy(&work->request.arena, fields->list, fields->count * sizeof *fields->list);
        if (fields->list == NULL) return -ENOMEM;
        fields->room_ = fields->count;
    }
    return move_in(work, wf_memory_alloc(room), room);
}

/* One request; 1: it is answered, or, where `*whole` is false, its head is none. */
static int serve_request(struct h1 *h1, struct wf_scope *scope, bool *whole)
{
    *whole = false;
    int rc = wait_for_request(h1);
    if (rc == 1 && is_late(h1)) rc = -ECANCELED;
    if (rc <= 0) return rc;
    struct work *work = h1->work;
    enum h1_found found = H1_MORE;
    request_begin(&work->request, &h1_exchange, h1->connection->server->app);
    work->request.scope = scope;
    h1_parser_begin(&work->reading->parser, &work->request);
    rc = read_head(h1, &found);
    *whole = rc == 1 && found == H1_WHOLE;
    if (!*whole) return rc;
    /* What is read from now on moves no head. */
    rc = work->reading->parser.upgrades ? make_narrow(work) : make_room(h1, body_room(work), h1->head_room + BODY_ROOM);
    return rc == 0 ? answer(h1) : rc;
}

/* Requests in one scope, which the minder cuts when one takes too long. It ends with a watch, which reads ahead. */
static enum after serve_requests(struct h1 *h1, int *rc)
{
    struct connection *connection = h1->connection;
    bool whole;
    WF_SCOPE(scope);
    connection->scope = &scope;
    while ((*rc = serve_request(h1, &scope, &whole)) == 1 && whole && !h1->watching && !wf_scope_cancelled(&scope))
        put_away(h1->work);
    connection->scope = NULL;
    const char *cut = wf_scope_cancelled(&scope) ? wf_scope_reason(&scope)->text : NULL;
    *rc = wf_scope_end(&scope, *rc);
    if (cut == cut_idle) return has_unread(h1) ? GO_ON : WAIT_LONG;
    if (cut == cut_slow && connection->phase == PHASE_HEAD) return refuse_slow(h1);
    if (*rc == 1) return whole ? GO_ON : REFUSE;
    return whole && *rc == 0 && cut == NULL && !h1->taken_over ? SAY_GOODBYE : END;
}

/* Requests until the connection ends, or nothing has come for a while. */
static __attribute__((noinline)) enum after talk(struct h1 *h1, struct h2 **h2, int *rc)
{
    enum after after;
    while ((after = serve_requests(h1, rc)) == GO_ON) put_away(h1->work);
    const struct work *work = h1->work;
    if (after == REFUSE && work != NULL) refuse(h1);
    if (after == SAY_GOODBYE) connection_linger(h1->connection);
    if (*rc == H1_PREFACE && work != NULL)
        *h2 = h2_create(h1->connection, work->in + work->begin, work->end - work->begin);
    give_work(h1);
    return after;
}

static __attribute__((noinline)) int wait_a_last_time(int fd)
{
    return wf_within(last_chance, wf_wait_fd(fd, WF_READABLE));
}

/* Without room for a request: what the others have left on the stack can be given back. */
static __attribute__((noinline)) int wait_frugally(struct connection *connection)
{
    connection->frugal = true;
    set_phase(connection, PHASE_IDLE);
    WF_SCOPE(scope);
    connection->scope = &scope;
    int fd = wf_stream_fd(connection->stream);
    int rc = wf_idle(wf_wait_fd(fd, WF_READABLE));
    if (rc == -ESHUTDOWN) rc = wait_a_last_time(fd);
    connection->scope = NULL;
    connection->frugal = false;
    bool cut = wf_scope_cancelled(&scope);
    rc = wf_scope_end(&scope, rc);
    return rc < 0 || !cut ? rc : -ESHUTDOWN;
}

int h1_serve(struct connection *connection)
{
    struct h1 h1 = {.connection = connection};
    struct h2 *h2 = NULL;
    int rc = 0;
    h1.head_room = connection->server->app->private_->head_limits.head_max + IN_ROOM;
    connection->watch = h1_watch;
    connection->protocol = &h1;
    while (rc >= 0 && talk(&h1, &h2, &rc) == WAIT_LONG) {
        if (wf_stream_fd(connection->stream) >= 0) rc = wait_frugally(connection);
        else if (connection->frugal) break;
        else connection->frugal = true; /* in memory: there is nothing to wait by */
    }
    return rc == H1_PREFACE ? h2_serve(h2) : rc;
}
