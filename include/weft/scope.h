/*
 * Scopes own tasks. A scope is a block of C that carries children, a deadline and a cancel state; leaving it waits for
 * every child, so no task outlives the variables it was given.
 *
 *     static int load_dashboard(struct dashboard *d)
 *     {
 *         WF_SCOPE(scope, .timeout = WF_SECONDS(5));
 *         wf_spawn(&scope, load_user, &d->user);
 *         wf_spawn(&scope, load_orders, &d->orders);
 *         return wf_scope_join(&scope);       // 0, the first error, or -ETIME
 *     }
 *
 * What children use is declared BEFORE the scope: cleanup runs in reverse order of declaration, so a variable declared
 * after the scope is dead while children may still run.
 *
 * Threads: a scope belongs to the task that opened it and to that task's loop. Only tasks of the same loop may spawn
 * into it or cancel it; anything else aborts.
 */
#ifndef WEFT_SCOPE_H
#define WEFT_SCOPE_H

#include <weft/base.h>
#include <weft/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_arena;
struct wf_task;
struct wf_token;
struct wf_wait;
struct wf_context;

/* ---- Reasons ---- */

enum wf_reason_kind {
    WF_REASON_NONE,
    WF_REASON_EXPLICIT,    /* wf_scope_cancel or wf_handle_cancel */
    WF_REASON_DEADLINE,    /* the scope's deadline passed */
    WF_REASON_SIBLING,     /* another child failed, or won */
    WF_REASON_PARENT_LEFT, /* the opener left the scope with an error, or without ending it */
    WF_REASON_SHUTDOWN,    /* the program was asked to end */
    WF_REASON_MISUSE,      /* a rule was broken: deadlock */
    WF_REASON_TOKEN,       /* a token that the scope is linked to was cancelled */
};

/* Why a scope was cancelled. The first reason wins. */
struct wf_reason {
    enum wf_reason_kind kind;
    const char *text;  /* for people; never NULL once cancelled */
    const char *place; /* "file:line" of the scope, or of the cancel call */
    char task[40];     /* name of the task that cancelled, cut; "" for the loop itself */
};

/* ---- Errors ---- */

/* One failure, as the list of a scope keeps it. Valid until the scope's block is left. */
struct wf_error {
    int code;            /* negative */
    bool taken;          /* handled: not passed on to the enclosing scope */
    const char *path;    /* "main > orders > order-17": the task that failed, from the loop's main task */
    const char *message; /* what wf_fail said, or the text of the code */
    struct wf_error *next;
};

/* ---- The scope ---- */

enum wf_policy {
    WF_FAIL_FAST,     /* the first error cancels the other children (default) */
    WF_COLLECT,       /* errors are listed, nothing is cancelled */
    WF_FIRST_SUCCESS, /* the first child that succeeds cancels the others; errors count only if all fail */
    WF_FIRST_DONE,    /* the first child that ends, either way, cancels the others and gives the result */
};

/* A place in the tree of cancellation: private. */
struct wf_node_ {
    struct wf_node_ *parent;        /* NULL for the root */
    struct wf_node_ *inner;         /* the scope that the owner opened directly inside this node */
    const struct wf_reason *reason; /* valid once requested */
    uint32_t flags;
};

/* A timer: private. */
struct wf_timer_ {
    int64_t deadline;
    uint64_t sequence;             /* equal deadlines fire in the order they were armed */
    struct wf_timer_ *next, *prev; /* neighbours in a slot of the wheel, or siblings in the heap */
    struct wf_timer_ *child;       /* first child in the heap */
    void (*fire)(struct wf_timer_ *timer);
    uint16_t slot; /* where it hangs; 0: not armed */
};

struct wf_drain_hook_;

struct wf_queue_ {
    struct wf_wait *first, *last;
};

/* Something to be done when a task ends while it still holds it: private. */
struct wf_end_hook_ {
    struct wf_end_hook_ *next;
    void (*run)(struct wf_end_hook_ *hook);
};

/* Fixed size; every member is private and named here only so that the struct can live on your stack. */
struct wf_scope {
    struct wf_node_ node_;
    void *loop_;
    struct wf_task *owner_;
    struct wf_task *children_, *last_child_;    /* alive, in the order they were spawned */
    struct wf_task *finished_, *last_finished_; /* ended and not yet handed out (.keep_finished) */
    struct wf_queue_ spawners_;                 /* tasks that wait for room under the limit */
    struct wf_wait *joiner_;                    /* the opener, while it waits for children */
    struct wf_timer_ timer_;
    struct wf_reason reason_;
    struct wf_error *errors_, *last_error_;
    struct wf_arena *arena_;
    const struct wf_context *context_;
    const char *name_, *place_;
    uint32_t alive_, daemons_, limit_, granted_;
    uint32_t error_count_, dropped_;
    int first_error_, outcome_, result_;
    uint8_t policy_, state_;
    bool keep_finished_, decided_, cut_, caught_;
    void (*leave_)(struct wf_scope *scope); /* of a construct that opened it for itself, and ends it when overtaken */
    struct wf_token *token_;
    struct wf_scope *next_linked_, *prev_linked_; /* to the same token */
    struct wf_drain_hook_ *drain_hooks_;          /* the last registered first */
    void *reserved_[1];
};

struct wf_scope_options {
    size_t size; /* filled by the macro */
    struct wf_scope *scope_;
    int64_t timeout;  /* duration from now; 0: none; negative: already expired */
    int64_t deadline; /* absolute; 0: none; the earlier of the two counts */
    enum wf_policy policy;
    uint32_t limit;         /* spawning suspends while so many children are alive; 0: no limit */
    bool shield;            /* hides outer cancellation; needs a timeout or a deadline (WF_FOREVER, if it must be) */
    struct wf_token *token; /* cancelling it cancels the scope too (token.h) */
    bool keep_finished;     /* hand out ended children by wf_scope_next; else they are forgotten at once */
    const char *name;       /* for dumps and error paths; must outlive the scope */
    const char *place_;
};

/*
 * WF_SCOPE(name, .option = value, ...) declares the variable `name` and opens it as a scope of the current task.
 * Leaving the C block closes it in any case, but the way out is wf_scope_end: leaving without it cancels the children,
 * waits for them, and hands errors to the enclosing scope.
 * Suspends: opening never; leaving without wf_scope_end, until the last child has ended. On cancel: goes on waiting for
 * the children, which are cancelled too.
 */
#define WF_SCOPE(...) WF_SCOPE_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)

/*
 * Ends the scope and closes it; call it exactly once, from the task that opened it, innermost scope first.
 * `rc >= 0`: waits for all children. `rc < 0`: cancels them, then waits.
 * Returns, in this order: the body's own error if it came first; under WF_FIRST_SUCCESS and WF_FIRST_DONE the deciding
 * child's result; the first real error of a child; and where a cancel cut the body or a child short, -ECANCELED for
 * an outer scope's or a token's, -ETIME for this scope's deadline, 0 for its own wf_scope_cancel (then wf_scope_caught
 * is true); else `rc`.
 * Suspends: until the last child has ended. On cancel: goes on waiting; bounded by the children, which are cancelled
 * too.
 * Errors: any that the body or a child returned. Threads: the opener.
 */
WF_API WF_SUSPENDS WF_UNCANCELLABLE int wf_scope_end(struct wf_scope *scope, int rc);

/*
 * wf_scope_end(scope, 0).
 * Suspends: until the last child has ended. On cancel: goes on waiting for the children, which are cancelled too.
 */
WF_SUSPENDS WF_UNCANCELLABLE static inline int wf_scope_join(struct wf_scope *scope)
{
    return wf_scope_end(scope, 0);
}

/*
 * Asks everything in the scope to end: from now on every cancellable suspending call inside it returns -ECANCELED.
 * Permanent and idempotent; the first reason wins. `why` is for people and must outlive the scope (a literal, usually).
 * Suspends: never. Threads: tasks of the scope's loop.
 */
#define wf_scope_cancel(scope, why) wf_scope_cancel_at_((scope), (why), WF_HERE_)

/* Moves the deadline (absolute; WF_FOREVER: none). Never takes back a cancel. Suspends: never. */
WF_API void wf_scope_set_deadline(struct wf_scope *scope, int64_t deadline_ns);

/* Asks the idle waits inside (accept, what is marked by wf_idle) to end with -ESHUTDOWN; everything in flight goes on.
 * Suspends: never. */
WF_API void wf_scope_drain(struct wf_scope *scope);

/*
 * wf_scope_on_drain(scope, fn, arg) has `void fn(T *arg)` called once, when a drain reaches the scope; at once, where
 * one has already. Of several scopes the inner ones come first, of several functions in one the last registered: so
 * what takes in (a listener) is told before what it uses (a pool). It is called on the loop, perhaps outside of tasks,
 * and must not suspend: it sets an event, closes a listener, says that the service stops (weft/service.h).
 * Suspends: never. Owns: the scope, until the block is left. Errors: -ENOMEM.
 */
#define wf_scope_on_drain(scope, fn, arg)                                                                              \
    wf_scope_on_drain_((scope), ((void)sizeof(((fn)(arg), 0)), (void (*)(void *))(fn)), (arg))

/* Was the scope cancelled (requested)? Did its deadline do it (expired)? Did it end because of that (caught)?
 * Suspends: never. */
WF_API bool wf_scope_cancelled(const struct wf_scope *scope);
WF_API bool wf_scope_expired(const struct wf_scope *scope);
WF_API bool wf_scope_caught(const struct wf_scope *scope);

/* Why; kind WF_REASON_NONE when it was not cancelled. Valid until the block is left. */
WF_API const struct wf_reason *wf_scope_reason(const struct wf_scope *scope);

/* Children that are alive now, daemons included. */
WF_API size_t wf_scope_alive(const struct wf_scope *scope);

/* An arena that the opener and the children may fill; given back when the block is left. NULL: out of
 * memory; allocating from it fails, too. */
WF_API struct wf_arena *wf_scope_arena(struct wf_scope *scope);

/*
 * The errors of a scope, in time, from its end until its block is left. `wf_take_error` marks one as handled;
 * `wf_scope_rest` returns the code of the first that was not, or 0; and what wf_scope_end returned, where nothing is
 * listed (-ETIME, -ECANCELED). What was not taken is what the enclosing scope will list.
 *
 *     wf_each_error(&scope, error)
 *         if (error->code == -EINVAL) wf_take_error(error);
 *     return wf_scope_rest(&scope);
 */
#define wf_each_error(scope, error)                                                                                    \
    for (struct wf_error *error = wf_scope_errors(scope); error != NULL; error = error->next)
WF_API struct wf_error *wf_scope_errors(const struct wf_scope *scope);
static inline void wf_take_error(struct wf_error *error)
{
    error->taken = true;
}
WF_API int wf_scope_rest(const struct wf_scope *scope);

/* Errors that did not fit into the list (it holds 64). */
WF_API size_t wf_scope_errors_dropped(const struct wf_scope *scope);

/*
 * Gives back to the system what the stack of the task that opened the scope holds beyond where the task waits: for one
 * that has waited long, after it had called deep. It costs a system call, and the task some page faults once it calls
 * deep again. Nothing happens while the task is not suspended. Suspends: never. Threads: the scope's.
 */
WF_API void wf_scope_trim(struct wf_scope *scope);

/* ---- Children ---- */

/*
 * A handle is your memory, declared before the scope, all zero. The child's result is written there; it can be joined
 * any number of times and gives the same answer.
 */
struct wf_handle {
    struct wf_task *task_; /* NULL once the child has ended */
    struct wf_queue_ waiters_;
    struct wf_reason reason_;
    int result_;
    uint8_t state_;
    void *reserved_[2];
};

enum wf_context_from {
    WF_CONTEXT_SCOPE,   /* those of the place where the scope was opened (default) */
    WF_CONTEXT_CURRENT, /* the spawner's, captured */
};

struct wf_spawn_options {
    size_t size; /* filled by the macro */
    const void *arg_;
    const char *name;             /* for dumps and error paths, copied; default: the function's name */
    struct wf_handle *handle;     /* where the result goes */
    size_t stack_size;            /* bytes; default 48 KiB; rounded up */
    bool daemon;                  /* does not keep the scope open: cancelled when the other children have ended */
    enum wf_context_from context; /* whose task-locals the child inherits */
    const char *function_;
    const char *place_;
    size_t copy_size_;
};

/*
 * wf_spawn(scope, fn, arg, .option = value, ...) starts `int fn(T *arg)` as a child of the scope. The compiler checks
 * that `fn` takes a pointer of arg's type and returns int.
 *
 * Returned 0: the function will run, at least to its first suspension point; it starts after the spawner's next
 * suspension, in order.
 * Suspends: only while the scope's limit is reached. On cancel: nothing runs, the caller keeps the argument.
 * Owns: the child, once 0 was returned, what `arg` points to; until then, and after a failure, the caller.
 * Errors: -ECANCELED; -ENOMEM, -EINVAL, -EAGAIN past .tasks_max (these count as a failed child, so an unchecked spawn
 * cannot vanish).
 * Threads: tasks of the scope's loop.
 */
#define wf_spawn(scope, fn, ...)                                                                                       \
    wf_spawn_((scope), WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)), WF_SPAWN_OPTIONS_(fn, 0, __VA_ARGS__))

/* The same, but never suspends and is never remembered as a failure. Errors: also -EAGAIN when the limit is reached. */
#define wf_try_spawn(scope, fn, ...)                                                                                   \
    wf_try_spawn_((scope), WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)), WF_SPAWN_OPTIONS_(fn, 0, __VA_ARGS__))

/*
 * The same as wf_spawn, but the child gets its own shallow copy of `*arg`, freed when it ends.
 * Suspends: only while the scope's limit is reached. On cancel: nothing runs, nothing was copied.
 */
#define wf_spawn_copy(scope, fn, ...)                                                                                  \
    wf_spawn_((scope), WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)),                                                        \
              WF_SPAWN_OPTIONS_(fn, sizeof(*(WF_FIRST_(__VA_ARGS__))), __VA_ARGS__))

/*
 * Spawns and waits until the child calls wf_ready. Returns what wf_ready was given; a child that ends before that gives
 * its error (or -EPROTO where it succeeded), and that error is not one of the scope's.
 * Suspends: until ready. On cancel: the child is cancelled and has ended. Errors: as wf_spawn, and the child's.
 */
#define wf_spawn_ready(scope, fn, ...)                                                                                 \
    wf_spawn_ready_((scope), WF_TASK_FN_(fn, WF_FIRST_(__VA_ARGS__)), WF_SPAWN_OPTIONS_(fn, 0, __VA_ARGS__))

/* Said by the child: it is ready. `value >= 0`. Only the first call counts. Suspends: never. */
WF_API void wf_ready(int value);

/*
 * Waits for the child of a handle and returns its result; -ECANCELED also where the child was cancelled.
 * Suspends: until the child has ended. On cancel: the child goes on. Errors: the child's; -EINVAL for a handle that was
 * never spawned. Threads: the scope's loop.
 */
WF_API WF_SUSPENDS int wf_handle_join(struct wf_handle *handle);

/* Cancels that one child; its outcome is then "cancelled", not an error of its scope. Suspends: never. */
#define wf_handle_cancel(handle, why) wf_handle_cancel_at_((handle), (why), WF_HERE_)

/* Has the child ended? Its result; -EINPROGRESS before that. Suspends: never. */
WF_API bool wf_handle_done(const struct wf_handle *handle);
WF_API int wf_handle_result(const struct wf_handle *handle);

enum wf_wait_for {
    WF_ALL_DONE,
    WF_ANY_DONE,
    WF_ANY_FAILED, /* or all done */
};

/*
 * Waits for a set of handles without cancelling anything. Returns how many of them have ended; ask each by
 * wf_handle_done. With a timeout (wf_within) the pending ones go on.
 * Suspends: until the condition holds. On cancel: nothing is changed. Errors: -ECANCELED, -EINVAL.
 */
WF_API WF_SUSPENDS int wf_wait_handles(struct wf_handle *const *handles, size_t count, enum wf_wait_for condition);

/* An ended child of a scope opened with .keep_finished. */
struct wf_finished {
    void *arg;                /* what it was spawned with; NULL for its own copy (wf_spawn_copy) */
    struct wf_handle *handle; /* its handle or NULL */
    int result;
};

/*
 * The next child to end, in completion order. Returns 1, or 0 when no child is left.
 * Suspends: until one has ended. On cancel: none is lost. Errors: -ECANCELED, -EINVAL without .keep_finished.
 */
WF_API WF_SUSPENDS int wf_scope_next(struct wf_scope *scope, struct wf_finished *finished);

/* ---- A deadline around an expression ---- */

/*
 * wf_within(duration, expression) gives the expression's value, or -ETIME when the duration passed first; 0 and less
 * are expired. wf_until takes an absolute deadline. wf_shielded hides outer cancellation from the expression, for
 * cleanup that must talk to the world, but not for ever.
 * Suspends: as the expression does, never by itself. On cancel: as the expression.
 */
#define wf_within(duration_ns, ...)                                                                                    \
    WF_AROUND_(WF_JOIN_(wf_around_, __COUNTER__), wf_timeout_(duration_ns), 0, false, __VA_ARGS__)
#define wf_until(deadline_ns, ...)                                                                                     \
    WF_AROUND_(WF_JOIN_(wf_around_, __COUNTER__), 0, wf_at_(deadline_ns), false, __VA_ARGS__)
#define wf_shielded(duration_ns, ...)                                                                                  \
    WF_AROUND_(WF_JOIN_(wf_around_, __COUNTER__), wf_timeout_(duration_ns), 0, true, __VA_ARGS__)

/* ---- Waiting for nothing in particular ---- */

/*
 * wf_idle(expression) says that its task has nothing under way: it waits for the next request. What it waits for is
 * then an idle wait, which a drain ends with -ESHUTDOWN; once the scope drains, it does not begin. Otherwise it gives
 * the expression's value.
 *
 *     ssize_t got = wf_idle(wf_within(WF_SECONDS(60), wf_stream_read(conn, buffer, sizeof buffer)));
 *
 * Suspends: as the expression does, never by itself. On cancel: as the expression.
 */
#define wf_idle(...) WF_IDLE_(WF_JOIN_(wf_idle_, __COUNTER__), __VA_ARGS__)

/* ---- What the macros stand on: private ---- */

#define WF_IDLE_(name, ...)                                                                                            \
    __extension__({                                                                                                    \
        const bool name __attribute__((cleanup(wf_idle_end_), unused)) = wf_idle_begin_();                             \
        __typeof__(__VA_ARGS__) WF_JOIN_(name, _value) = (__VA_ARGS__);                                                \
        WF_JOIN_(name, _value);                                                                                        \
    })

WF_API bool wf_idle_begin_(void);
WF_API void wf_idle_end_(const bool *before);

WF_API void wf_scope_open_(const struct wf_scope_options *options);
WF_API WF_SUSPENDS WF_UNCANCELLABLE void wf_scope_leave_(struct wf_scope *scope);
WF_API void wf_scope_cancel_at_(struct wf_scope *scope, const char *why, const char *place);
WF_API int wf_scope_on_drain_(struct wf_scope *scope, void (*fn)(void *), const void *arg);
WF_API void wf_handle_cancel_at_(struct wf_handle *handle, const char *why, const char *place);
WF_API WF_SUSPENDS int wf_spawn_(struct wf_scope *scope, int (*fn)(void *), const struct wf_spawn_options *options);
WF_API int wf_try_spawn_(struct wf_scope *scope, int (*fn)(void *), const struct wf_spawn_options *options);
WF_API WF_SUSPENDS int wf_spawn_ready_(struct wf_scope *scope, int (*fn)(void *),
                                       const struct wf_spawn_options *options);

static inline int64_t wf_timeout_(int64_t duration_ns)
{
    return duration_ns <= 0 ? -1 : duration_ns;
}
static inline int64_t wf_at_(int64_t deadline_ns)
{
    return deadline_ns <= 0 ? 1 : deadline_ns;
}

#define WF_SCOPE_(scope_name, ...)                                                                                     \
    struct wf_scope scope_name __attribute__((cleanup(wf_scope_leave_))) = {.state_ = 0};                              \
    wf_scope_open_(&(                                                                                                  \
        struct wf_scope_options){.size = sizeof(struct wf_scope_options), .place_ = WF_HERE_, .scope_ = &__VA_ARGS__})

#define WF_AROUND_(scope_name, timeout_ns, deadline_ns, shielded, ...)                                                 \
    __extension__({                                                                                                    \
        WF_SCOPE_(scope_name, scope_name, .timeout = (timeout_ns), .deadline = (deadline_ns), .shield = (shielded));   \
        __typeof__(__VA_ARGS__) WF_JOIN_(scope_name, _value) = (__VA_ARGS__);                                          \
        WF_AROUND_END_(scope_name, WF_JOIN_(scope_name, _value));                                                      \
        WF_JOIN_(scope_name, _value);                                                                                  \
    })

/* Ends the scope around an expression; the value becomes what the scope makes of it. */
#define WF_AROUND_END_(scope_name, value)                                                                              \
    if ((value) < 0) (value) = wf_scope_end(&scope_name, (int)(value));                                                \
    else {                                                                                                             \
        int WF_JOIN_(scope_name, _end) = wf_scope_end(&scope_name, 0);                                                 \
        if (WF_JOIN_(scope_name, _end) < 0) (value) = WF_JOIN_(scope_name, _end);                                      \
    }

/* A constant that compiles only where `fn(arg)` is a valid call whose result is an int: a task function returns int. */
#define WF_TASK_FUNCTION_RETURNS_INT_(fn, arg) sizeof(_Generic((fn)(arg), int : 'i'))

/* The function as the library calls it, after the compiler has checked it against its argument. */
#define WF_TASK_FN_(fn, arg) ((void)WF_TASK_FUNCTION_RETURNS_INT_(fn, arg), (int (*)(void *))(fn))

#define WF_SPAWN_OPTIONS_(fn, copy, ...)                                                                               \
    (&(struct wf_spawn_options){.size = sizeof(struct wf_spawn_options),                                               \
                                .function_ = #fn,                                                                      \
                                .place_ = WF_HERE_,                                                                    \
                                .copy_size_ = (copy),                                                                  \
                                .arg_ = __VA_ARGS__})

#ifdef __cplusplus
}
#endif
#endif
