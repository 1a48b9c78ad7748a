/*
 * An event source: a call whose answer does not end, and another one when it does (HTML standard, section 9.2).
 *
 *     not open --call, when it is due--> open --event--> handed out
 *        ^                                |
 *        |                                v
 *        \--due later, by chance-- the end of the answer, an error, silence
 *
 * When it is due is a point in time, so that a wait that is cut short goes on where it was. Chance spreads clients that
 * lost their server at the same moment.
 */
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <weft/client.h>
#include <weft/extend.h>
#include <weft/retry.h>
#include <weft/sse.h>
#include <weft/task.h>
#include <weft/time.h>

enum { ROOM = 4096, FIELDS_MAX = 40, ID_MAX = 4096, ATTEMPTS = 10, REFUSAL_MAX = 65536 };

struct wf_sse_source_ {
    struct wf_sse_source_options options;
    struct wf_arena arena; /* of the call that is open */
    struct wf_response response;
    struct wf_client_times times;
    struct wf_sse_reader reader;
    bool open;
    bool refused; /* the response is what ended it */
    int failures; /* in a row */
    int over;     /* 1: no; else what every call gives from now on */
    int64_t retry, due;
    char *id; /* of the event before; NULL: none */
    size_t first, end;
    char in[ROOM];
};

static struct wf_sse_source_ *source_of(struct wf_iterator *iterator)
{
    return ((struct wf_sse_source *)(void *)iterator)->private_;
}

/* ---- Opening ---- */

static int make_fields(struct wf_sse_source_ *source, struct wf_named *fields)
{
    unsigned count = 0;
    fields[count++] = (struct wf_named){"accept", "text/event-stream"};
    fields[count++] = (struct wf_named){"cache-control", "no-store"};
    const char *id = source->id != NULL ? source->id : source->options.last_id;
    if (id != NULL && id[0] != '\0') fields[count++] = (struct wf_named){"last-event-id", id};
    for (const struct wf_named *own = source->options.headers; own != NULL && own->name != NULL; own++) {
        if (count >= FIELDS_MAX) return wf_fail(-E2BIG, "an event source with more than %d fields", FIELDS_MAX);
        fields[count++] = *own;
    }
    return 0;
}

static bool asks_to_come_again(int status)
{
    return status == 429 || status == 500 || status == 502 || status == 503 || status == 504;
}

/* 1: events come; 0: the server wants nobody to come again. */
static int judge(const struct wf_sse_source_ *source)
{
    const struct wf_response *response = &source->response;
    const char *type = wf_response_header(response, "content-type");
    if (response->status == 204) return 0;
    if (asks_to_come_again(response->status))
        return wf_fail(-EAGAIN, "%s: the answer is %d", response->url, response->status);
    if (response->status != 200)
        return wf_fail(WF_ESTATUS, "%s: the answer is %d %s, and no events", response->url, response->status,
                       wf_status_reason(response->status));
    size_t size = type != NULL ? strcspn(type, "; \t") : 0;
    if (size == 17 && strncasecmp(type, "text/event-stream", 17) == 0) return 1;
    return wf_fail(-EPROTO, "%s: the answer is \"%s\", and no events", response->url, type != NULL ? type : "");
}

static int ask(struct wf_sse_source_ *source)
{
    struct wf_named *fields = wf_arena_array(&source->arena, FIELDS_MAX + 1, sizeof *fields);
    if (fields == NULL) return -ENOMEM;
    memset(fields, 0, (FIELDS_MAX + 1) * sizeof *fields);
    int rc = make_fields(source, fields);
    if (rc < 0) return rc;
    struct wf_fetch_options call = {.size = sizeof call,
                                    .out_ = &source->response,
                                    .headers = fields,
                                    .times = &source->times,
                                    .body_max = REFUSAL_MAX};
    rc = wf_fetch_open_(source->options.client_, &source->arena, WF_GET, source->options.url_, &call);
    bool answered = rc == WF_ESTATUS && source->response.status != 0;
    return rc == 0 || answered ? judge(source) : rc;
}

/* Whatever may be otherwise the next time. */
static bool may_come_again(int code)
{
    return code == -ETIME || wf_is_transient(code);
}

/* From the server's time to twice that; twice as long for each failure in a row. */
static void wait_longer(struct wf_sse_source_ *source)
{
    uint64_t random;
    int64_t wait = source->retry, most = source->options.retry_max;
    for (int i = 1; i < source->failures && wait < most; i++) wait *= 2;
    if (wait > most) wait = most > source->retry ? most : source->retry;
    wf_random(&random, sizeof random);
    source->due = wf_now() + wait + (int64_t)(random % (uint64_t)(wait + 1));
}

/* What the last answer says is there to be looked at, where it was an error. */
static void keep_refusal(struct wf_sse_source_ *source)
{
    if (source->response.status < 400) return;
    wf_ignore(wf_response_load(&source->response));
    source->refused = true;
}

/* 1: it is open; 0: it has ended. */
static int open_source(struct wf_sse_source_ *source)
{
    for (;;) {
        int rc = source->due > wf_now() ? wf_sleep_until(source->due) : 0;
        if (rc < 0) return rc;
        wf_arena_reset(&source->arena);
        rc = ask(source);
        if (rc == 1) break;
        bool last =
            rc == 0 || rc == -ECANCELED || !may_come_again(rc) || ++source->failures >= source->options.attempts;
        if (last && rc != -ECANCELED) keep_refusal(source);
        wf_response_close(&source->response);
        if (last) return rc;
        wait_longer(source);
    }
    wf_sse_reader_init(&source->reader, source->options.event_max);
    source->first = source->end = 0;
    source->open = true;
    source->failures = 0;
    return 1;
}

/* ---- Events ---- */

static int keep_id(struct wf_sse_source_ *source)
{
    const char *id = source->reader.id_.bytes;
    size_t size = id != NULL ? strlen(id) + 1 : 0;
    if (size == 0 || size > ID_MAX + 1 || (source->id != NULL && strcmp(id, source->id) == 0)) return 0;
    char *kept = wf_memory_resize(source->id, size);
    if (kept == NULL) return -ENOMEM;
    source->id = memcpy(kept, id, size);
    return 0;
}

static void close_source(struct wf_sse_source_ *source)
{
    if (!source->open) return;
    source->open = false;
    if (source->reader.retry_ > 0) source->retry = source->reader.retry_;
    wf_sse_reader_finish(&source->reader);
    wf_response_close(&source->response);
}

/* 1: an event; 0: there are no more bytes. */
static int take(struct wf_sse_source_ *source, struct wf_sse_news *news)
{
    while (source->first < source->end) {
        ssize_t used =
            wf_sse_reader_take(&source->reader, source->in + source->first, source->end - source->first, news);
        if (used == -EMSGSIZE) return wf_fail(-EMSGSIZE, "%s: an event is too long", source->response.url);
        if (used < 0) return (int)used;
        source->first += (size_t)used;
        int rc = keep_id(source);
        if (rc < 0 || news->data != NULL) return rc < 0 ? rc : 1;
    }
    return 0;
}

/* 1: some bytes came; 0: the stream is lost. */
static int fill(struct wf_sse_source_ *source)
{
    ssize_t got = wf_response_read(&source->response, source->in, sizeof source->in);
    if (got == -ECANCELED || got == -ESHUTDOWN || got == -ENOMEM) return (int)got;
    source->first = 0;
    source->end = got > 0 ? (size_t)got : 0;
    if (got > 0) return 1;
    close_source(source);
    wait_longer(source);
    return 0;
}

static int until_event(struct wf_sse_source_ *source, struct wf_sse_news *news)
{
    for (;;) {
        int rc = source->open ? 1 : open_source(source);
        if (rc <= 0) return rc;
        rc = take(source, news);
        if (rc != 0) return rc;
        rc = fill(source);
        if (rc < 0) return rc;
    }
}

static int next_event(struct wf_iterator *iterator, void *item)
{
    struct wf_sse_source_ *source = source_of(iterator);
    if (source == NULL) return ((struct wf_sse_source *)(void *)iterator)->failed_;
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (source->over <= 0) return source->over;
    rc = until_event(source, item);
    if (rc <= 0 && rc != -ECANCELED && rc != -ENOMEM) {
        source->over = rc;
        close_source(source);
    }
    return rc;
}

static void close_iterator(struct wf_iterator *iterator)
{
    wf_sse_source_close((struct wf_sse_source *)(void *)iterator);
}

static const struct wf_iterator_class source_class = {.next = next_event, .close = close_iterator};

/* ---- Beginning and end ---- */

void wf_sse_source_open_(const struct wf_sse_source_options *options)
{
    struct wf_sse_source *handle = options->source_;
    *handle = (struct wf_sse_source){.iterator = {&source_class, sizeof(struct wf_sse_news)}, .failed_ = -ENOMEM};
    struct wf_sse_source_ *source = wf_memory_alloc(sizeof *source);
    if (source == NULL) return;
    memset(source, 0, sizeof *source);
    source->options = *options;
    source->over = 1;
    if (source->options.attempts <= 0) source->options.attempts = ATTEMPTS;
    if (source->options.retry_max <= 0) source->options.retry_max = WF_SECONDS(60);
    source->retry = options->retry > 0 ? options->retry : WF_SECONDS(3);
    source->times.body = options->silence;
    wf_arena_init(&source->arena);
    handle->private_ = source;
}

void wf_sse_source_close(struct wf_sse_source *handle)
{
    struct wf_sse_source_ *source = handle->private_;
    if (source == NULL) return;
    handle->private_ = NULL;
    handle->failed_ = -EBADF;
    close_source(source);
    wf_arena_finish(&source->arena);
    wf_memory_free(source->id);
    wf_memory_free(source);
}

const struct wf_response *wf_sse_source_answer(const struct wf_sse_source *handle)
{
    const struct wf_sse_source_ *source = handle->private_;
    return source != NULL && source->refused ? &source->response : NULL;
}

const char *wf_sse_source_id(const struct wf_sse_source *handle)
{
    const struct wf_sse_source_ *source = handle->private_;
    if (source == NULL) return "";
    const char *id = source->id != NULL ? source->id : source->options.last_id;
    return id != NULL ? id : "";
}
