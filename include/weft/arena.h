/*
 * An arena hands out memory that is all given back at once. What a call returns lives in an arena that the caller
 * passed, so a handler needs no free.
 *
 *     struct wf_arena arena;
 *     wf_arena_init(&arena);
 *     char *name = wf_arena_printf(&arena, "order-%d", 17);
 *     ...
 *     wf_arena_finish(&arena);
 *
 * A null pointer is an arena that has no memory left: what wf_task_arena gives can be passed on unchecked.
 * Memory past its reset is poisoned under AddressSanitizer. Threads: an arena belongs to one loop.
 */
#ifndef WEFT_ARENA_H
#define WEFT_ARENA_H

#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_arena_block_;
struct wf_arena_deferred_;

struct wf_arena {
    struct wf_arena_block_ *block_;       /* the newest block, NULL before the first allocation */
    char *next_;                          /* first free byte of it */
    char *end_;                           /* one past its last byte */
    size_t used_;                         /* bytes handed out since the last reset */
    size_t limit_;                        /* no more than this may be handed out; 0: no limit */
    struct wf_arena_deferred_ *deferred_; /* calls to be made when the memory goes, the last one first */
    struct wf_arena_block_ *lent_;        /* the first block, where it is not the arena's own */
    void *reserved_[1];
};

/* An empty arena; takes no memory until it is used. */
WF_API void wf_arena_init(struct wf_arena *arena);

/* Bytes that the arena may hand out; past that, allocation fails. 0, the default, means no limit. */
WF_API void wf_arena_set_limit(struct wf_arena *arena, size_t bytes);

/* Makes the deferred calls and gives back everything that was handed out, keeping the newest block for reuse unless it
 * is very large. */
WF_API void wf_arena_reset(struct wf_arena *arena);

/* Makes the deferred calls and gives back everything, memory included. The arena may be used again. */
WF_API void wf_arena_finish(struct wf_arena *arena);

/* Bytes handed out since the last reset. */
WF_API size_t wf_arena_used(const struct wf_arena *arena);

/*
 * `size` bytes aligned for any type, not cleared (wf_arena_zero clears them). A size of 0 is a valid, distinct pointer.
 * Returns NULL when memory or the limit is exhausted.
 */
WF_API WF_CHECKED void *wf_arena_alloc(struct wf_arena *arena, size_t size);
WF_API WF_CHECKED void *wf_arena_zero(struct wf_arena *arena, size_t size);

/* An array of `count` cleared elements, checked for overflow; NULL as above. */
WF_API WF_CHECKED void *wf_arena_array(struct wf_arena *arena, size_t count, size_t element_size);

/* One cleared object of a type. */
#define wf_arena_new(arena, type) ((type *)wf_arena_zero((arena), sizeof(type)))

/* Copies of bytes or text; text is always terminated. NULL as above. */
WF_API WF_CHECKED void *wf_arena_copy(struct wf_arena *arena, const void *bytes, size_t size);
WF_API WF_CHECKED char *wf_arena_strdup(struct wf_arena *arena, const char *text);
WF_API WF_CHECKED char *wf_arena_strndup(struct wf_arena *arena, const char *text, size_t size_max);
WF_API WF_CHECKED char *wf_arena_printf(struct wf_arena *arena, const char *format, ...) WF_PRINTF_(2, 3);
WF_API WF_CHECKED char *wf_arena_vprintf(struct wf_arena *arena, const char *format, va_list arguments)
    WF_PRINTF_(2, 0);

/*
 * wf_arena_defer(arena, fn, arg) has `void fn(T *arg)` called when the arena is reset or finished, the last one
 * deferred first, while its memory is still there: for what has to be closed or given back and lives as long as the
 * arena. The compiler checks that `fn` takes a pointer of arg's type. The call must not suspend; it may allocate and
 * defer again. Takes 32 bytes of the arena. Suspends: never. Errors: -ENOMEM: then `fn` will not be called.
 */
#define wf_arena_defer(arena, fn, arg) wf_arena_defer_((arena), WF_DEFERRED_FN_(fn, arg), (arg))

WF_API WF_CHECKED int wf_arena_defer_(struct wf_arena *arena, void (*fn)(void *arg), const void *arg);

/* The function as it will be called, after the compiler has checked it against its argument. */
#define WF_DEFERRED_FN_(fn, arg) ((void)sizeof(((fn)(arg), 0)), (void (*)(void *))(fn))

#ifdef __cplusplus
}
#endif
#endif
