/*
 * Retry around any expression that gives an int or an ssize_t: `>= 0` is success, `-errno` a failure.
 *
 *     rc = wf_retry(fetch(url, &page), .attempts = 5, .base = WF_MILLISECONDS(100), .jitter = WF_JITTER_FULL);
 *
 * The expression is evaluated again while it fails with something that another attempt may mend. A cancel never is
 * such a thing. The code of the last attempt is what comes back, and the message that goes with it (wf_failure, the
 * errors of a scope) lists the attempts: "3 attempts in 1.2 s: -111 Connection refused, ...".
 *
 * Each attempt that fails and is followed by another one is a line of the log (module "retry"), and so is the end of
 * them; both are counted (weft_retries_total, weft_retries_exhausted_total). A call that succeeds at once says nothing.
 *
 * Many callers that retry in step are a load of their own: give them .jitter, and a budget that they share.
 * What is retried must bear to be done twice. Threads: the tasks of one loop.
 */
#ifndef WEFT_RETRY_H
#define WEFT_RETRY_H

#include <weft/scope.h>
#include <weft/task.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_pipeline;
struct wf_breaker;
struct wf_rate;
struct wf_bulkhead;

/* How the waits grow, from `base`, up to `cap`. */
enum wf_backoff {
    WF_EXPONENTIAL, /* 1, 2, 4, 8, ... times base (default) */
    WF_FIXED,       /* base */
    WF_FIBONACCI,   /* 1, 1, 2, 3, 5, ... times base */
};

/* What chance does to a wait, by "Exponential Backoff And Jitter" (M. Brooker, AWS Architecture Blog, 2015). */
enum wf_jitter {
    WF_JITTER_NONE,         /* the wait as it is (default) */
    WF_JITTER_FULL,         /* anything up to the wait */
    WF_JITTER_EQUAL,        /* half of it, and anything up to the other half */
    WF_JITTER_DECORRELATED, /* anything from base to three times the wait before; instead of a backoff */
};

/* One attempt, when it is over. */
struct wf_attempt {
    const char *name; /* of the retry or the pipeline, or NULL */
    int number;       /* from 1 */
    int code;         /* 0 for a success of any value */
    int64_t started, ended;
    int64_t wait; /* until the next attempt; -1: it was the last */
};

/* What many callers may retry together; see below. */
struct wf_retry_budget;

struct wf_retry_options {
    size_t size;             /* filled by the macro */
    int attempts;            /* calls in all; 0: 3; 1: no retry */
    enum wf_backoff backoff; /* how the waits grow */
    enum wf_jitter jitter;   /* what chance does to them */
    int64_t base;            /* the first wait; 0: 100 ms */
    int64_t cap;             /* the longest wait; 0: 60 s */
    int64_t within;          /* for all attempts and waits together, then -ETIME; 0: no bound of its own */
    int64_t attempt_timeout; /* for each attempt, which then ends with -ETIME; 0: none */
    bool (*on)(int code);    /* may another attempt mend this error? default: wf_is_transient */
    struct wf_retry_budget *budget;
    void (*on_attempt)(void *context, const struct wf_attempt *attempt); /* after each, before the wait; must not */
    void *context;                                                       /* suspend */
    const char *name;                                                    /* for messages and hooks */
    char end_;
};

/*
 * wf_retry(expression, .option = value, ...) gives the value of the first attempt that succeeds, else the code of the
 * last one. It stops when the attempts are used up, the predicate says no, the task is cancelled, the deadline (its
 * own or an outer one) leaves no time for the next wait, or the budget is empty. The expression must not jump out.
 * Suspends: between attempts. On cancel: returns -ECANCELED at once, whatever .on says.
 * Errors: the last attempt's; -ETIME when .within has passed; -EINVAL, with a message, for options that make no sense:
 * then the expression was not evaluated. Threads: inside a task.
 */
#define wf_retry(...) WF_RETRY_(WF_JOIN_(wf_retry_, __COUNTER__), __VA_ARGS__, .end_ = 0)

/* Options to keep, for a pipeline: static const struct wf_retry_options twice = WF_RETRY(.attempts = 2); */
#define WF_RETRY(...)                                                                                                  \
    {                                                                                                                  \
        .size = sizeof(struct wf_retry_options), __VA_ARGS__                                                           \
    }

/*
 * What is transient by nature, and the default of .on: -ECONNREFUSED, -ECONNRESET, -ECONNABORTED, -EPIPE, WF_EEND (the
 * peer went away), -ETIMEDOUT, -ETIME (an attempt took too long), -EHOSTUNREACH, -ENETUNREACH, -ENETDOWN, -ENETRESET,
 * -EHOSTDOWN, -EAGAIN. Suspends: never. Threads: any.
 */
WF_API bool wf_is_transient(int code);

/*
 * Said by an attempt, or a child of its scopes: the peer asks not to be called again for so long (Retry-After). The
 * next wait is at least that, also past .cap. Suspends: never. Errors: -ENOENT outside a retry; -EINVAL below 0.
 */
WF_API int wf_retry_after(int64_t duration_ns);

/* ---- Budget ---- */

struct wf_retry_statistics {
    uint64_t calls;   /* that began */
    uint64_t retries; /* that were granted */
    uint64_t refused; /* for want of a token */
};

/*
 * A bucket of tokens shared by callers, so that retries never multiply the load of a peer that is down: each call adds
 * a part of a token, so does time, each retry takes one (as Finagle's RetryBudget does). Declare it static, or where
 * all callers see it; zero means the default.
 *
 *     static struct wf_retry_budget budget = {.percent = 10, .per_second = 1};
 */
struct wf_retry_budget {
    int percent;    /* retries for 100 calls; default 10; -1: none */
    int per_second; /* and so many a second in any case; default 1; -1: none */
    int burst;      /* tokens at most, and at first; default 10 */
    bool ready_;
    int64_t tokens_, at_;
    struct wf_retry_statistics statistics_;
    void *reserved_[2];
};

/* Suspends: never. */
WF_API void wf_retry_budget_statistics(const struct wf_retry_budget *budget, struct wf_retry_statistics *statistics);

/* ---- What the macros stand on: private ---- */

enum { WF_HISTORY_ = 8 };

/* That a breaker let a call through: to be told of its end. */
struct wf_permit_ {
    uint32_t generation;
    bool held, probe;
    int64_t began; /* where its time matters */
};

/* A call under way, on the stack of its caller; not initialised as a whole, because it is long. */
struct wf_call_ {
    const struct wf_retry_options *retry_; /* NULL: one attempt */
    const struct wf_pipeline *pipeline_;
    struct wf_breaker *breaker_;
    struct wf_rate *rate_;
    struct wf_bulkhead *bulkhead_;
    const char *place_;
    int code_; /* of the last attempt */
    int number_;
    uint8_t state_;
    bool scoped_;     /* the scope is open */
    bool inside_;     /* of the bulkhead */
    uint8_t stopped_; /* why there was no further attempt */
    int64_t began_, attempt_began_;
    int64_t entered_;         /* the bulkhead, where it wants to know */
    bool watched_;            /* a hook wants to see attempts */
    int64_t within_;          /* 0: no bound */
    int64_t deadline_;        /* of all attempts together */
    int64_t attempt_timeout_; /* 0: none */
    int64_t hint_, wait_;     /* by wf_retry_after; the last wait */
    struct wf_permit_ permit_;
    int past_[WF_HISTORY_]; /* codes of failed attempts, by number */
    struct wf_binding binding_;
    struct wf_scope scope_; /* of an attempt, where it has a deadline */
};

/* True: the expression is to be evaluated (again). False: code_ is what came of it. */
WF_API WF_SUSPENDS bool wf_call_next_(struct wf_call_ *call);
WF_API void wf_call_abandon_(struct wf_call_ *call);

static inline void wf_call_leave_(struct wf_call_ *call)
{
    if (__builtin_expect(call->state_ != 0, 0)) wf_call_abandon_(call);
}

static inline void wf_call_begin_(struct wf_call_ *call, const struct wf_retry_options *retry, const char *place)
{
    call->retry_ = retry;
    call->pipeline_ = NULL;
    call->breaker_ = NULL;
    call->rate_ = NULL;
    call->bulkhead_ = NULL;
    call->place_ = place;
    call->state_ = 0;
}

#define WF_RETRY_(call_name, expression, ...)                                                                          \
    WF_CALL_(call_name,                                                                                                \
             wf_call_begin_(&call_name,                                                                                \
                            &(struct wf_retry_options){.size = sizeof(struct wf_retry_options), __VA_ARGS__},          \
                            WF_HERE_),                                                                                 \
             expression)

#define WF_CALL_(call_name, opening, ...)                                                                              \
    __extension__({                                                                                                    \
        struct wf_call_ call_name __attribute__((cleanup(wf_call_leave_)));                                            \
        opening;                                                                                                       \
        __typeof__(__VA_ARGS__) WF_JOIN_(call_name, _value) = 0;                                                       \
        while (wf_call_next_(&call_name)) {                                                                            \
            WF_JOIN_(call_name, _value) = (__VA_ARGS__);                                                               \
            call_name.code_ = WF_JOIN_(call_name, _value) < 0 ? (int)WF_JOIN_(call_name, _value) : 0;                  \
        }                                                                                                              \
        if (call_name.code_ < 0) WF_JOIN_(call_name, _value) = call_name.code_;                                        \
        WF_JOIN_(call_name, _value);                                                                                   \
    })

#ifdef __cplusplus
}
#endif
#endif
