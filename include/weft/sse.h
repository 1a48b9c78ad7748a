/*
 * Server-sent events (the text/event-stream of the HTML standard): an answer that goes on as long as there is news.
 *
 *     static int news(struct wf_request *request)
 *     {
 *         struct wf_sse events;
 *         int rc = wf_sse_begin(request, &events);
 *         struct line line;
 *         while (rc == 0 && (rc = wf_sse_wait(&events, wf_receive(&lines, &line))) > 0)
 *             rc = wf_sse_send(&events, .event = "line", .id = line.id, .data = line.text);
 *         return rc;
 *     }
 *
 * Each event goes out at once, and waits while the client does not read. A browser that was cut off comes again by
 * itself and says the id of the last event that it saw: wf_sse_last_id.
 *
 * Threads: the loop's.
 */
#ifndef WEFT_SSE_H
#define WEFT_SSE_H

#include <weft/base.h>
#include <weft/generator.h>
#include <weft/request.h>
#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_client;
struct wf_named;
struct wf_response;

/* ---- Sending ---- */

struct wf_sse {
    struct wf_request *request_;
    int64_t heartbeat_;
    void *reserved_[4];
};

struct wf_sse_options {
    size_t size; /* filled by the macro */
    struct wf_sse *out_;
    int64_t heartbeat; /* without news, then a comment, so that nobody between takes the line for dead; default 15 s;
                          negative: none */
};

/*
 * wf_sse_begin(request, &events, .option = value, ...) answers 200 with an open end. Returns 0.
 * Suspends: until the head is out. On cancel: the connection ends. Errors: the connection's; -ENOMEM.
 */
#define wf_sse_begin(request, ...)                                                                                     \
    wf_sse_begin_((request), &(struct wf_sse_options){.size = sizeof(struct wf_sse_options), .out_ = __VA_ARGS__})

/* The id of the last event that this client saw, when it comes again; NULL: it comes for the first time.
 * Suspends: never. */
WF_API const char *wf_sse_last_id(const struct wf_request *request);

/*
 * wf_sse_wait(&events, expression) gives the expression's value. While it waits, heartbeats go out; for that the
 * expression is cut short and evaluated again, so it has to be a call that loses nothing when it is cancelled, and an
 * -ETIME of its own is not told apart. A drain ends it with -ESHUTDOWN; a handler that returns that ends the answer in
 * order. Suspends: as the expression. On cancel: as the expression.
 * Errors: the expression's, the connection's.
 */
#define wf_sse_wait(events, ...) WF_SSE_WAIT_(WF_JOIN_(wf_news_, __COUNTER__), (events), __VA_ARGS__)

struct wf_sse_event {
    size_t size;         /* filled by the macro */
    const char *event;   /* its kind; NULL: "message" */
    const char *id;      /* NULL: as before */
    const char *data;    /* of any number of lines; NULL: none, and then no event is seen */
    const char *comment; /* that nobody sees */
    int64_t retry;       /* after which time the client shall come again; 0: as before */
};

/*
 * wf_sse_send(&events, .data = ..., ...) sends an event. Returns 0.
 * Suspends: while the client does not take it. On cancel: the connection ends.
 * Errors: -EINVAL for an event or an id with a line end; -ENOMEM; the connection's.
 */
#define wf_sse_send(events, ...)                                                                                       \
    wf_sse_send_((events), &(struct wf_sse_event){.size = sizeof(struct wf_sse_event), __VA_ARGS__})

/* ---- Reading: for clients ---- */

struct wf_sse_buffer_ {
    char *bytes;
    size_t size, room;
};

/* Takes a stream of events apart, however its bytes come. */
struct wf_sse_reader {
    struct wf_sse_buffer_ line_, data_, event_, id_;
    size_t size_max_;
    int64_t retry_;
    uint8_t mark_; /* how much of a byte order mark came */
    bool began_, after_cr_, told_, has_data_;
    void *reserved_[4];
};

struct wf_sse_news {
    const char *event, *id, *data; /* terminated; "message" and "" where none was said */
    size_t data_size;
    int64_t retry; /* the last that was said; 0: none */
};

/* `size_max` bytes of one event at most; 0: 1 MiB. Suspends: never. Owns: wf_sse_reader_finish. */
WF_API void wf_sse_reader_init(struct wf_sse_reader *reader, size_t size_max);
WF_API void wf_sse_reader_finish(struct wf_sse_reader *reader);

/*
 * Takes bytes up to the end of the first event among them. Returns how many it took; where the event is whole,
 * news->data is not NULL, and all texts are valid until the next call.
 * Suspends: never. Errors: -EMSGSIZE for an event that is too long; -ENOMEM; for good.
 */
WF_API WF_CHECKED ssize_t wf_sse_reader_take(struct wf_sse_reader *reader, const char *bytes, size_t size,
                                             struct wf_sse_news *news);

/* ---- An event source: a client that comes again ---- */

struct wf_sse_source_;

/* Lives in the block that declared it. An iterator (weft/generator.h) of struct wf_sse_news, whose texts are valid
 * until the next one. */
struct wf_sse_source {
    struct wf_iterator iterator;
    struct wf_sse_source_ *private_;
    int failed_;
    void *reserved_[2];
};

/* All that is pointed to must live as long as the source. */
struct wf_sse_source_options {
    size_t size; /* filled by the macro */
    struct wf_sse_source *source_;
    struct wf_client *client_;
    const char *url_;
    const struct wf_named *headers; /* besides those of the client (WF_NAMED) */
    const char *last_id;            /* of the last event that was seen, to begin behind it; NULL: from now on */
    int64_t retry;                  /* until it comes again, where the server does not say; default 3 s */
    int64_t retry_max;              /* the longest wait after failures in a row, which double it; default 60 s */
    int attempts;                   /* that fail in a row, and it ends with their error; default 10 */
    int64_t silence;  /* so long without a byte, and the stream is given up; default: the client's .body */
    size_t event_max; /* bytes of an event: -EMSGSIZE; default 1 MiB */
};

/*
 * WF_SSE_SOURCE(name, client, url, .option = value, ...) declares the variable `name`: the events of a URL, by a client
 * (weft/client.h), for as long as they come.
 *
 *     WF_SSE_SOURCE(source, &client, "/events");
 *     struct wf_sse_news news;
 *     while ((rc = wf_next(&source, &news)) > 0) printf("%s: %s\n", news.event, news.data);
 *
 * A stream that ends, breaks, or is silent is opened again, behind the last event that was seen (Last-Event-ID): after
 * the server's time, or up to twice that, by chance, and twice as late for each failure in a row. 429, 500 and 502 to
 * 504 are failures, too. wf_next gives 0 after a 204, which is how a server ends it; WF_ESTATUS for another status,
 * -EPROTO for an answer that is no stream of events, -EMSGSIZE, and what the last attempt gave: for good.
 * Suspends: never; wf_next until there is an event. On cancel: none is lost.
 */
#define WF_SSE_SOURCE(name, ...) WF_SSE_SOURCE_(name, __VA_ARGS__, .size = sizeof(struct wf_sse_source_options))

/* Ends it before its block does; wf_next gives -EBADF. May be said twice. Suspends: never. */
WF_API void wf_sse_source_close(struct wf_sse_source *source);

/* The answer of 400 or more that ended it, with its body (NULL past 64 KiB); NULL: it goes on, or ended otherwise.
 * Lives until the source is closed. Suspends: never. */
WF_API const struct wf_response *wf_sse_source_answer(const struct wf_sse_source *source);

/* The id of the last event, to begin behind it another time; "": there was none. Valid until the next event.
 * Suspends: never. */
WF_API const char *wf_sse_source_id(const struct wf_sse_source *source);

/* ---- What the macros stand on: private ---- */

#define WF_SSE_SOURCE_(name, client, url, ...)                                                                         \
    struct wf_sse_source name __attribute__((cleanup(wf_sse_source_close), unused)) = {.failed_ = 0};                  \
    wf_sse_source_open_(                                                                                               \
        &(struct wf_sse_source_options){.source_ = &name, .client_ = (client), .url_ = (url), __VA_ARGS__})

WF_API void wf_sse_source_open_(const struct wf_sse_source_options *options);

#define WF_SSE_WAIT_(name, events, ...)                                                                                \
    __extension__({                                                                                                    \
        struct wf_sse *WF_JOIN_(name, _of) = (events);                                                                 \
        __typeof__(__VA_ARGS__) name;                                                                                  \
        do name = wf_idle(wf_within(wf_sse_patience_(WF_JOIN_(name, _of)), __VA_ARGS__));                              \
        while (name == -ETIME && (name = wf_sse_beat_(WF_JOIN_(name, _of))) == 0);                                     \
        name;                                                                                                          \
    })

WF_API WF_SUSPENDS int wf_sse_begin_(struct wf_request *request, const struct wf_sse_options *options);
WF_API WF_SUSPENDS int wf_sse_send_(struct wf_sse *events, const struct wf_sse_event *event);
WF_API WF_SUSPENDS int wf_sse_beat_(struct wf_sse *events);
static inline int64_t wf_sse_patience_(const struct wf_sse *events)
{
    return events->heartbeat_ > 0 ? events->heartbeat_ : WF_FOREVER;
}

#ifdef __cplusplus
}

#include <weft/cxx_http.h>
#endif
#endif
