/*
 * The words that every other header uses: marks on functions, error codes, memory, and the one place where
 * the library prints.
 *
 *     int rc = wf_sleep(WF_SECONDS(1));
 *     if (rc < 0) fprintf(stderr, "woken early: %s\n", wf_strerror(rc));
 *
 * Every fallible call returns `>= 0` for success and a negative error code for failure: `-errno`, or one of the
 * codes below. errno itself is never used and is undefined after a suspension.
 */
#ifndef WEFT_BASE_H
#define WEFT_BASE_H

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WF_VERSION_MAJOR 0
#define WF_VERSION_MINOR 1
#define WF_VERSION_PATCH 0
#define WF_VERSION "0.1.0"

/* Exported by the shared library; everything else stays inside. */
#define WF_API __attribute__((visibility("default")))

/* This call may switch to other tasks: shared data may have changed when it returns. A function without this mark
 * never suspends. */
#define WF_SUSPENDS

/* A cancel cannot cut this wait short; its comment says what bounds it. */
#define WF_UNCANCELLABLE

/* The result carries data or ownership: the compiler complains when it is dropped. */
#define WF_CHECKED __attribute__((warn_unused_result))

#define WF_PRINTF_(text, first) __attribute__((__format__(__printf__, text, first)))

/* Number of elements of an array (not of a pointer). */
#define WF_COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Drops the result of a WF_CHECKED call, aloud. */
#define wf_ignore(expression) ((void)!(expression))

#define WF_JOIN_(a, b) WF_JOIN__(a, b)
#define WF_JOIN__(a, b) a##b
#define WF_TEXT_(a) WF_TEXT__(a)
#define WF_TEXT__(a) #a
#define WF_FIRST_(...) WF_FIRST__(__VA_ARGS__, 0)
#define WF_FIRST__(first, ...) first
#define WF_HERE_ __FILE__ ":" WF_TEXT_(__LINE__)

/* Codes of weft's own; all others are -errno. */
enum wf_error_code {
    WF_EEND = -4096,  /* the stream ended before all the bytes that were asked for had come */
    WF_EOPEN = -4097, /* the circuit breaker is open */
    WF_EFULL = -4098, /* as many are waiting as may, or the wait had become too long: refused */
    WF_ESTATUS = -4099, /* the answer came, and its status says that it failed */
};

/*
 * The text of an error code of either kind, positive or negative.
 * Owns: a static string. Threads: any.
 */
WF_API const char *wf_strerror(int code);

/*
 * Memory. The library takes all of its heap memory through one allocator, which a program may replace before its
 * first wf_run: to count, to limit, or to fail on purpose. `resize` and `release` are never given NULL; `allocate`
 * must return memory aligned for any type, or NULL. All three may be called on worker threads too.
 */
struct wf_allocator {
    void *(*allocate)(void *context, size_t size);
    void *(*resize)(void *context, void *memory, size_t size);
    void (*release)(void *context, void *memory);
    void *context;
};

/*
 * Replaces the allocator; NULL restores malloc, realloc and free.
 * Errors: -EBUSY while any loop is running or memory of the old allocator is still held.
 * Threads: only before the first or after the last wf_run.
 */
WF_API int wf_set_allocator(const struct wf_allocator *allocator);

/* How many blocks of the allocator are held at this moment, over all threads. Threads: any. */
WF_API size_t wf_allocated_blocks(void);

/*
 * Everything the library has to say to a person (a leak, a deadlock, a misuse) goes through one hook, one call for
 * each complete message, text without a final newline. The default writes to standard error; nothing ever goes to
 * standard output. The hook must not suspend. NULL restores the default.
 * Threads: set it before the first wf_run; it may be called on any thread.
 */
typedef void wf_report_hook(void *context, const char *text);
WF_API void wf_set_report(wf_report_hook *hook, void *context);
WF_API void wf_report(const char *format, ...) WF_PRINTF_(1, 2);

#ifdef __cplusplus
}
#endif
#endif
