/*
 * A circuit breaker stands before a peer that may be down: after enough failures it opens, and calls fail at once with
 * WF_EOPEN instead of waiting for the peer and weighing on it. After a while it lets a few probes through, and closes
 * when they succeed.
 *
 *     static struct wf_breaker shop = WF_BREAKER(.failures = 5, .open_for = WF_SECONDS(60), .name = "shop");
 *
 *     rc = wf_guarded(&shop, wf_within(WF_SECONDS(2), fetch(url, &page)));      // pipeline.h
 *     if (rc == WF_EOPEN) show_later(wf_breaker_retry_after(&shop));
 *
 *     closed --enough failures--> open --a call comes after .open_for--> half open --.probes succeeded--> closed
 *                                  ^                                        |
 *                                  +------------ a probe failed ------------+
 *
 * A call that its caller cancels says nothing about the peer: it does not count, and a probe gives its place back. So a
 * deadline belongs inside the guard, as above: outside, it is a cancel. Results of calls that began before a
 * transition do not count any more. Each transition is a line of the log (module "breaker") and is counted
 * (weft_breaker_transitions_total). Static, or in your memory; needs no finishing. Threads: the tasks of one loop.
 */
#ifndef WEFT_BREAKER_H
#define WEFT_BREAKER_H

#include <weft/base.h>
#include <weft/time.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wf_breaker_state {
    WF_BREAKER_CLOSED,
    WF_BREAKER_OPEN,
    WF_BREAKER_HALF_OPEN,
};

struct wf_breaker;

/* Zero means the default. */
struct wf_breaker_options {
    size_t size;      /* filled by the macro */
    int failures;     /* so many in a row open it; default 5 */
    int window;       /* instead: look at the last so many calls, 1 to 256 */
    int64_t lasting;  /* instead: look at the calls of the last so long, in ten steps */
    int minimum;      /* with a window: no judgement on fewer calls; default 10, or the whole of a smaller .window */
    int percent;      /* with a window: so many failures of 100 calls open it; default 50 */
    int64_t slow;     /* with a window: a call that takes longer is slow; 0: none is */
    int slow_percent; /* and so many slow ones of 100 open it too; default 100. A slow probe counts as failed */
    int64_t open_for; /* before the first probe; default 60 s */
    int probes;       /* so many at once, and so many must succeed; default 1 */
    bool (*counts)(int code); /* is this error the peer's failure? default: wf_is_peer_failure */
    /* Called once for each transition, when it has happened; must not suspend. */
    void (*on_transition)(void *context, const struct wf_breaker *breaker, enum wf_breaker_state before,
                          enum wf_breaker_state now);
    void *context;
    const char *name; /* for messages */
};

struct wf_breaker_statistics {
    uint64_t calls;     /* let through */
    uint64_t failures;  /* that counted */
    uint64_t slow;      /* slower than .slow */
    uint64_t refused;   /* answered with WF_EOPEN */
    uint64_t cancelled; /* let through, and cut short by their callers, or by an inner guard */
    uint64_t late;      /* ended after a transition */
    uint64_t opened;    /* how often it opened */
};

enum { WF_BREAKER_WINDOW_MAX = 256, WF_BREAKER_STEPS_ = 10 };

/* One bit for each of the last calls, or sums for each tenth of a time: private. */
struct wf_breaker_step_ {
    uint32_t calls, failures, slow;
};
struct wf_breaker_window_ {
    uint64_t failed[WF_BREAKER_WINDOW_MAX / 64], slow[WF_BREAKER_WINDOW_MAX / 64];
    struct wf_breaker_step_ steps[WF_BREAKER_STEPS_], sum;
    int64_t step; /* the number of the newest step */
    uint32_t next;
};

struct wf_breaker {
    struct wf_breaker_options options;
    uint8_t state_;
    bool ready_;           /* the options were found to make sense */
    bool simple_;          /* and need neither a window nor a clock for a success */
    uint32_t generation_;  /* goes up with each transition */
    int failures_;         /* in a row, while closed */
    int probing_, probed_; /* under way, and succeeded, while half open */
    int last_code_;
    int64_t until_; /* while open */
    struct wf_breaker_window_ window_;
    struct wf_breaker_statistics statistics_;
    void *reserved_[4];
};
#define WF_BREAKER(...)                                                                                                \
    {                                                                                                                  \
        .options = {.size = sizeof(struct wf_breaker_options), __VA_ARGS__ }                                           \
    }

/*
 * Every error but those that are the caller's own fault or this machine's: -EINVAL, -ENOENT, -EEXIST, -EACCES, -EPERM,
 * -EDOM, -ERANGE, -E2BIG, -EBADF, -EFAULT, -ENOTSUP, -ENOSYS, -ENAMETOOLONG, -ENOMEM, -EMFILE, -ENFILE, -ENOSPC.
 * Suspends: never. Threads: any.
 */
WF_API bool wf_is_peer_failure(int code);

/* Suspends: never. An open one whose time has passed is still open until a call comes. */
WF_API enum wf_breaker_state wf_breaker_state(const struct wf_breaker *breaker);

/* How long until it lets a call through; 0: at once, or when a probe that is under way has ended. Suspends: never. */
WF_API int64_t wf_breaker_retry_after(const struct wf_breaker *breaker);

/* Suspends: never. */
WF_API void wf_breaker_statistics(const struct wf_breaker *breaker, struct wf_breaker_statistics *statistics);

/*
 * Writes one line about it, for dumps: "shop: open for 12 s more, last failure -111 Connection refused; 20 calls, ...".
 * Cut to `size`; gives its whole length, as snprintf does. Suspends: never.
 */
WF_API int wf_breaker_text(const struct wf_breaker *breaker, char *text, size_t size);

#ifdef __cplusplus
}
#endif
#endif
