/*
 * The log: one line for each event, a message and named values, written by a thread of its own so that no task ever
 * waits for whoever reads it.
 *
 *     #define WF_LOG_MODULE "orders" // before the first weft header; the file's name without it
 *     #include <weft/weft.h>
 *
 *     wf_log(WF_INFO, "order accepted", WF_TEXT("customer", name), WF_INT("quantity", n), WF_NS("took", took_ns));
 *     wf_logf(WF_WARN, "%zu orders are late", late);
 *
 *     2026-03-01T09:30:00.000125Z INFO  orders: order accepted customer=ada quantity=3 took=1.25ms task=main#1
 *
 * What is bound around the line (WF_CONTEXT, WF_REQUEST_CONTEXT: weft/context.h) is added by itself, in every task and
 * every job on a thread below; of equal keys the innermost is written. A level that is off costs a load and a compare,
 * and its values are not evaluated.
 *
 * Lines go into a ring of 256 KiB in memory of their own; one thread, started by the first line, writes them out. When
 * the ring is full because nobody reads, lines are dropped and counted, and "messages were dropped" says how many once
 * there is room. Lines of one thread keep their order. A line has 8 KiB at most: what is longer is cut, and says so by
 * cut=true. At exit, and at a crash, what is in the ring is written as far as somebody reads. A forked child begins
 * with an empty ring, and writes at once where it logs outside of tasks, since it will soon exec or exit.
 *
 * Environment: WEFT_LOG=warn,orders=debug sets levels; WEFT_LOG_FORMAT=console, logfmt or json; NO_COLOR.
 * Threads: any, unless something else is said. Not from signal handlers.
 */
#ifndef WEFT_LOG_H
#define WEFT_LOG_H

#include <weft/context.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wf_log_level {
    WF_DEBUG = 1,
    WF_INFO, /* the default: this and what is above */
    WF_WARN,
    WF_ERROR,
    WF_OFF, /* as a setting: nothing */
};

/* The module of this file. A shared library that has logged stays loaded. */
#ifndef WF_LOG_MODULE
#define WF_LOG_MODULE __BASE_FILE__
#endif

struct wf_log_module {
    const char *name_; /* a name, or the path of a file */
    int level_;        /* from here on lines are written; 0: not looked up yet */
    struct wf_log_module *next_;
};

__attribute__((unused)) static struct wf_log_module wf_log_module_ = {WF_LOG_MODULE, 0, NULL};

/* ---- Lines ---- */

/* wf_log(level, message, field, ...): see weft/context.h for the fields. Nothing is kept after the call.
 * Suspends: never. */
#define wf_log(level, ...)                                                                                             \
    (wf_log_wanted_(&wf_log_module_, (level))                                                                          \
         ? wf_log_(&wf_log_module_, (level), WF_FIRST_(__VA_ARGS__),                                                   \
                   (const struct wf_field[]){WF_REST_(__VA_ARGS__, ) wf_field_end_()})                                 \
         : (void)0)

/* The same with a message made by printf's rules, and no fields. Suspends: never. */
#define wf_logf(level, ...)                                                                                            \
    (wf_log_wanted_(&wf_log_module_, (level)) ? wf_logf_(&wf_log_module_, (level), __VA_ARGS__) : (void)0)

/* Would a line of this level be written? For what is costly to prepare. Suspends: never. */
#define wf_log_enabled(level) wf_log_wanted_(&wf_log_module_, (level))

/* ---- Timed operations ---- */

/* How long something took, and how it ended. */
struct wf_stopwatch {
    struct wf_log_module *module_;
    const char *name_;
    int64_t started_;
    bool ended_;
};

/*
 * WF_TIMED(variable, "load orders") logs "load orders started" (debug), and, when the block is left, how it ended, with
 * duration_ms on the monotonic clock: "completed" (info), "failed" with the error (warn), "cancelled" with the reason
 * (info). The result is told by `return wf_timed_end(&variable, rc)`; left without that, it is "cancelled" in a task
 * that is, and "ended" else. wf_timed(name, expression) is the same around an expression, whose value it has.
 */
#define WF_TIMED(variable, name)                                                                                       \
    struct wf_stopwatch variable                                                                                       \
        __attribute__((cleanup(wf_timed_leave_), unused)) = {&wf_log_module_, (name),                                  \
                                                             wf_timed_begin_(&wf_log_module_, name), false}

#define wf_timed(name, ...) WF_TIMED_AROUND_(WF_JOIN_(wf_timed_, __COUNTER__), name, __VA_ARGS__)

/* Tells the result; only the first call counts. Returns `rc`. Suspends: never. */
WF_API int wf_timed_end(struct wf_stopwatch *stopwatch, int rc);

/* ---- Settings ---- */

/*
 * From which level on the lines of a module are written; NULL: of all that have no setting of their own.
 * The module "task" logs each task's start and end (debug), on loops that begin after it was set, and on the caller's.
 * Errors: -EINVAL for a level that there is not, or a name that is empty or over 31 bytes; -ENOSPC past 64 names.
 */
WF_API int wf_log_set_level(const char *module, enum wf_log_level level);

enum wf_log_format {
    WF_LOG_AUTO,    /* console on a terminal, logfmt else */
    WF_LOG_CONSOLE, /* for people; coloured on a terminal, unless NO_COLOR is set */
    WF_LOG_LOGFMT,  /* key=value */
    WF_LOG_JSON,    /* an object a line */
};

/* Errors: -EINVAL. */
WF_API int wf_log_set_format(enum wf_log_format format);

/*
 * Where lines go: a descriptor, standard error by default; it stays yours. A pipe, terminal or socket is written
 * without blocking, whatever its flags are, which are left alone. What is in the ring is written to the old one first,
 * as wf_log_stop does with a bound of 1 s.
 * Errors: -EBADF. Threads: any outside of tasks: it may block.
 */
WF_API int wf_log_set_output(int fd);

/*
 * Gives each complete line (with its newline, in the chosen format) to a function instead, on the thread that logs, one
 * call at a time. It must not suspend; lines that it logs itself are dropped. NULL: to the descriptor again.
 */
typedef void wf_log_hook(void *context, enum wf_log_level level, const char *line, size_t size);
WF_API void wf_log_set_hook(wf_log_hook *hook, void *context);

/*
 * Writes out what is in the ring and ends the thread; the next line starts it again. Waits no longer than `bound_ns`
 * for a reader who takes nothing, then drops the rest. At exit that is done with a bound of 1 s.
 * Errors: -ETIME when lines were dropped. Threads: any outside of tasks: it blocks.
 */
WF_API int wf_log_stop(int64_t bound_ns);

struct wf_log_statistics {
    uint64_t lines[WF_OFF]; /* of each level: written, or on their way */
    uint64_t dropped;       /* no room, no reader, or logged by the hook itself */
    uint64_t cut;           /* were too long */
};
WF_API void wf_log_statistics(struct wf_log_statistics *statistics);

/* ---- What the macros stand on: private ---- */

WF_API int wf_log_resolve_(struct wf_log_module *module);
WF_API void wf_log_(struct wf_log_module *module, enum wf_log_level level, const char *message,
                    const struct wf_field *fields);
WF_API void wf_logf_(struct wf_log_module *module, enum wf_log_level level, const char *format, ...) WF_PRINTF_(3, 4);
WF_API int64_t wf_timed_begin_(struct wf_log_module *module, const char *name);
WF_API void wf_timed_leave_(struct wf_stopwatch *stopwatch);

static inline bool wf_log_wanted_(struct wf_log_module *module, enum wf_log_level level)
{
    int from = __atomic_load_n(&module->level_, __ATOMIC_RELAXED);
    return (int)level >= from && (from != 0 || (int)level >= wf_log_resolve_(module));
}

#define WF_REST_(first, ...) __VA_ARGS__

#define WF_TIMED_AROUND_(variable, name, ...)                                                                          \
    __extension__({                                                                                                    \
        WF_TIMED(variable, name);                                                                                      \
        __typeof__(__VA_ARGS__) WF_JOIN_(variable, _value) = (__VA_ARGS__);                                            \
        wf_timed_end(&variable, WF_JOIN_(variable, _value) < 0 ? (int)WF_JOIN_(variable, _value) : 0);                 \
        WF_JOIN_(variable, _value);                                                                                    \
    })

#ifdef __cplusplus
}
#endif
#endif
