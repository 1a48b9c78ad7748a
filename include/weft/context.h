/*
 * What a piece of work is about, for everything below it: named values that each log line carries by itself, and the
 * request that they belong to, with the identity that W3C Trace Context gives it.
 *
 *     static int handle(struct order *order)
 *     {
 *         WF_REQUEST_CONTEXT(request, .name = "POST /orders", .traceparent = order->traceparent);
 *         WF_CONTEXT(bound, WF_TEXT("customer", order->customer), WF_INT("order", order->number));
 *         wf_log(WF_INFO, "accepted");        // ... customer=ada order=17 trace_id=... span_id=...
 *         return process(order);              // and so does every line below, in tasks and on threads
 *     }
 *
 * They are bindings (WF_BIND): they hold until the C block is left; tasks spawned in scopes that were opened inside see
 * them, and so do jobs on threads; the parent and siblings never do. A task that captures its spawner's task-locals
 * (.context = WF_CONTEXT_CURRENT) has a copy that outlives the block.
 */
#ifndef WEFT_CONTEXT_H
#define WEFT_CONTEXT_H

#include <string.h>
#include <weft/arena.h>
#include <weft/task.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Named values ---- */

enum wf_field_kind {
    WF_FIELD_NONE, /* ends a list */
    WF_FIELD_TEXT,
    WF_FIELD_BYTES, /* text without a terminating zero */
    WF_FIELD_INT,
    WF_FIELD_UINT,
    WF_FIELD_DOUBLE,
    WF_FIELD_BOOL,
    WF_FIELD_DURATION, /* nanoseconds; written as milliseconds, the key then ends in _ms */
    WF_FIELD_CODE,     /* an error code; written as its text, or as "ok" */
    WF_FIELD_SECRET,   /* text that is written as *** */
    WF_FIELD_POINTER,  /* not written at all */
};

struct wf_field {
    const char *key;
    enum wf_field_kind kind;
    union {
        const char *text; /* NULL is allowed */
        void *pointer;
        int64_t integer; /* also of WF_FIELD_UINT, as its bits */
        double real;
    };
    size_t size; /* of text */
};

/* WF_TEXT(key, value) and its like name a value; they are written where a list of fields is asked for. The key and text
 * are not copied: they must live as long as what they are given to says. */
#define WF_TEXT(key, text) wf_field_text_((key), (text), WF_FIELD_TEXT)
#define WF_BYTES(key, bytes, size) wf_field_bytes_((key), (bytes), (size))
#define WF_INT(key, integer) wf_field_integer_((key), (integer), WF_FIELD_INT)
#define WF_UINT(key, integer) wf_field_unsigned_((key), (integer))
#define WF_DOUBLE(key, real) wf_field_double_((key), (real))
#define WF_BOOL(key, truth) wf_field_integer_((key), (truth) ? 1 : 0, WF_FIELD_BOOL)
#define WF_NS(key, duration_ns) wf_field_integer_((key), (duration_ns), WF_FIELD_DURATION)
#define WF_CODE(key, code) wf_field_integer_((key), (code), WF_FIELD_CODE)
#define WF_SECRET(key, text) wf_field_text_((key), (text), WF_FIELD_SECRET)
#define WF_POINTER(key, pointer) wf_field_pointer_((key), (pointer))

/*
 * WF_CONTEXT(variable, field, ...) binds fields until the C block is left. The innermost of the same key wins. Keys and
 * text must live as long as the block.
 */
#define WF_CONTEXT(variable, ...)                                                                                      \
    const struct wf_field WF_JOIN_(variable, _fields_)[] = {__VA_ARGS__, wf_field_end_()};                             \
    WF_BIND(variable, &wf_context_fields_, WF_JOIN_(variable, _fields_))

/* The innermost field of that key, or NULL: bound by WF_CONTEXT, or put into the request. Suspends: never. */
WF_API const struct wf_field *wf_context_get(const char *key);

/* Its text, where it is text or a secret; its pointer, where it is one; else NULL. Suspends: never. */
WF_API const char *wf_context_text(const char *key);
WF_API void *wf_context_pointer(const char *key);

/* ---- The identity of a request ---- */

struct wf_trace {
    uint8_t trace_id[16]; /* of the whole, across services; never all zero */
    uint8_t span_id[8];   /* of this part of it; never all zero */
    uint8_t flags;        /* WF_TRACE_SAMPLED */
};

#define WF_TRACE_SAMPLED 1

/* What wf_trace_format writes, with its final zero. */
#define WF_TRACEPARENT_SIZE 56

/*
 * Reads the value of a `traceparent` header (W3C Trace Context, level 1), strictly: lower-case digits, no blanks, no
 * zero identity; a version that is not known yet counts as far as it agrees with version 00.
 * Errors: -EINVAL, and nothing was written. Suspends: never. Threads: any.
 */
WF_API int wf_trace_parse(const char *traceparent, struct wf_trace *trace);

/* Writes such a value, for a request to another service. Suspends: never. Threads: any. */
WF_API void wf_trace_format(const struct wf_trace *trace, char text[WF_TRACEPARENT_SIZE]);

/* ---- The request ---- */

struct wf_request_value_;

struct wf_request_context {
    struct wf_binding binding_;
    const char *name;       /* NULL: none was given */
    struct wf_trace trace;  /* the trace that it came with, or a new one; a span of its own */
    uint8_t parent_id[8];   /* the span that it came from; all zero: it began here */
    int64_t started;        /* wf_now */
    const char *tracestate; /* what other services have to say about the trace; NULL: nothing */
    struct wf_request_value_ *values_;
    struct wf_request_context *next_, *prev_; /* the active ones of the loop */
    struct wf_arena arena_;
    void *reserved_[3];
};

struct wf_request_options {
    size_t size; /* filled by the macro */
    struct wf_request_context *request_;
    const char *name;        /* for people; must outlive the block */
    const char *traceparent; /* the header that it came with; NULL, or not a valid one: a new trace begins */
    const char *tracestate;  /* the header that came with it, must outlive the block; counts with a valid one only */
    bool sampled;            /* of a new trace: asks the services behind to record it too */
};

/*
 * WF_REQUEST_CONTEXT(variable, .option = value, ...) opens a request: until the C block is left, everything below it
 * belongs to that request, its lines say so (trace_id, span_id, request), and it is in the registry of active ones.
 * Identities come from the random numbers of the loop. Requests nest: the inner one has the outer one's trace, and its
 * span as parent, unless a traceparent says otherwise.
 * Threads: inside a task.
 */
#define WF_REQUEST_CONTEXT(...) WF_REQUEST_CONTEXT_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)

/* The request that the caller belongs to, or NULL outside of one. In a task that captured its context it is a copy.
 * Suspends: never. Threads: any. */
WF_API const struct wf_request_context *wf_request_current(void);

/*
 * Adds a named value to the request: found by wf_context_get from every task of the request, and in its log lines from
 * now on. Key and text are copied; what a pointer points to must live as long as the request, and is not seen where the
 * context was captured. A value that is there stays.
 * Errors: -ENOENT outside of a request; -EALREADY where that key was put before; -EINVAL for a field without key;
 * -ENOMEM. Suspends: never. Threads: inside a task.
 */
WF_API int wf_context_put(struct wf_field field);

/*
 * The requests that are active on this loop, the oldest first; the body must not suspend.
 *
 *     wf_each_request(request) printf("%s for %.1f s\n", request->name, wf_seconds(wf_now() - request->started));
 */
#define wf_each_request(request)                                                                                       \
    for (const struct wf_request_context *request = wf_request_first_(); request != NULL; request = request->next_)

/* ---- What the macros stand on: private ---- */

WF_API extern const struct wf_local wf_context_fields_;
WF_API void wf_request_open_(const struct wf_request_options *options);
WF_API void wf_request_leave_(struct wf_request_context *request);
WF_API const struct wf_request_context *wf_request_first_(void);

#define WF_REQUEST_CONTEXT_(variable, ...)                                                                             \
    struct wf_request_context variable __attribute__((cleanup(wf_request_leave_))) = {.name = NULL};                   \
    wf_request_open_(&(struct wf_request_options){.size = sizeof(struct wf_request_options), .request_ = &__VA_ARGS__})

static inline struct wf_field wf_field_integer_(const char *key, int64_t integer, enum wf_field_kind kind)
{
    struct wf_field field;
    field.key = key;
    field.kind = kind;
    field.integer = integer;
    field.size = 0;
    return field;
}

static inline struct wf_field wf_field_unsigned_(const char *key, uint64_t integer)
{
    return wf_field_integer_(key, (int64_t)integer, WF_FIELD_UINT);
}

static inline struct wf_field wf_field_double_(const char *key, double real)
{
    struct wf_field field = wf_field_integer_(key, 0, WF_FIELD_DOUBLE);
    field.real = real;
    return field;
}

static inline struct wf_field wf_field_text_(const char *key, const char *text, enum wf_field_kind kind)
{
    struct wf_field field = wf_field_integer_(key, 0, kind);
    field.text = text;
    field.size = text != NULL ? strlen(text) : 0;
    return field;
}

static inline struct wf_field wf_field_bytes_(const char *key, const char *bytes, size_t size)
{
    struct wf_field field = wf_field_integer_(key, 0, WF_FIELD_BYTES);
    field.text = bytes;
    field.size = bytes != NULL ? size : 0;
    return field;
}

static inline struct wf_field wf_field_pointer_(const char *key, void *pointer)
{
    struct wf_field field = wf_field_integer_(key, 0, WF_FIELD_POINTER);
    field.pointer = pointer;
    return field;
}

static inline struct wf_field wf_field_end_(void)
{
    return wf_field_integer_(NULL, 0, WF_FIELD_NONE);
}

#ifdef __cplusplus
}
#endif
#endif
