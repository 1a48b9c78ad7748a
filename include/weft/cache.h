/*
 * A cache: what was loaded is kept for a time, and however many ask at once, it is loaded once.
 *
 *     static int load_user(struct database *database, struct wf_load *load)
 *     {
 *         struct user *user = wf_arena_new(load->arena, struct user);    // lives as long as anybody uses it
 *         if (user == NULL) return -ENOMEM;
 *         load->value = user;
 *         return find_user(database, load->key, load->arena, user);
 *     }
 *
 *     struct wf_cache *cache;
 *     rc = wf_cache_create(&cache, WF_LOAD(load_user, &database), .ttl = WF_SECONDS(300));
 *
 *     const struct user *user;
 *     rc = wf_cache_get(cache, wf_key_text("ada"), arena, &user);        // valid until the arena is reset or finished
 *
 * A value is not copied for its readers: the arena of a reader holds it, also when the cache has dropped it meanwhile.
 * That costs 32 bytes of the arena for each get. Values are const: all readers see the same bytes.
 *
 * Of those who ask for what is not there, the first one's task runs the load; the others wait, first in, first out, and
 * share its result or its error. If it is cancelled, the next one loads for itself and those behind it. So a deadline
 * or a cancel ends only its own caller's wait. Invalidating beats a load that is under way: who asked before gets its
 * result, which is not kept; who asks afterwards starts another one.
 *
 * Threads: the tasks of one loop.
 */
#ifndef WEFT_CACHE_H
#define WEFT_CACHE_H

#include <string.h>
#include <weft/arena.h>
#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_cache;

/* ---- Keys ---- */

/* Bytes, 64 KiB at most, which are copied where they are kept. No bytes are a key like any other. */
struct wf_key {
    const void *bytes;
    size_t size;
};

static inline struct wf_key wf_key_bytes(const void *bytes, size_t size)
{
    struct wf_key key = {bytes, size};
    return key;
}

/* Without its final zero. Threads: any. */
static inline struct wf_key wf_key_text(const char *text)
{
    return wf_key_bytes(text, strlen(text));
}

/* The bytes of a variable: a number, or a struct whose every byte has been set, padding too. Text is refused by the
 * compiler: it would be the bytes of the pointer. */
#define WF_KEY(object)                                                                                                 \
    _Generic((object), char * : wf_key_of_text_, const char * : wf_key_of_text_, default : wf_key_bytes)(              \
        &(object), sizeof(object))

struct wf_key wf_key_of_text_(const void *bytes, size_t size) __attribute__((error("for text use wf_key_text")));

/* ---- Loading ---- */

/* One load, for the function that does it. */
struct wf_load {
    struct wf_key key;      /* valid until the function returns */
    struct wf_arena *arena; /* what the value is made of; lives as long as the cache or a reader has the value */
    const void *value;      /* to be set */
    int64_t ttl;            /* of this value, or of this failure; 0: as the cache's options say; below: not kept */
    void *reserved_[2];
};

/*
 * WF_LOAD(fn, arg), as an option, gives the cache its `int fn(T *arg, struct wf_load *load)`, where `arg` is a T *,
 * which the compiler checks. It returns 0 or above with load->value set, or a code below 0: the message that it set
 * (wf_fail) comes with the code to all who wait. It runs in the task of one of those who asked, and so under that
 * task's deadline; what it needs must live until the last get has returned.
 */
#define WF_LOAD(fn, arg) .load_ = WF_LOAD_FN_(fn, arg), .context_ = (arg)

/* ---- A cache ---- */

enum wf_cache_policy {
    WF_CACHE_LRU, /* what has not been used for longest makes room (default) */
    WF_CACHE_LFU, /* what is used least, of 16 that are looked at in turn; uses are halved whenever there have been */
                  /* ten for each entry, so that old fame fades: the reset of TinyLFU (G. Einziger, R. Friedman, */
                  /* B. Manes, "TinyLFU: A Highly Efficient Cache Admission Policy", 2017) */
};

struct wf_cache_options {
    size_t size; /* filled by the macro */
    int (*load_)(void *context, struct wf_load *load);
    const void *context_;
    int64_t ttl;                 /* how long a value is fresh, from the end of its load; 0: for ever */
    size_t weight_max;           /* of all entries together; 0: 64 MiB */
    size_t entries_max;          /* 0: as many as the weight allows */
    enum wf_cache_policy policy; /* what makes room */
    size_t (*weight)(struct wf_key key, const void *value); /* default: the bytes that the entry takes; 0 counts as 1 */
    int64_t negative_ttl;       /* how long a failure is kept, with its message; 0: failures are not */
    bool (*negative)(int code); /* which ones; default: -ENOENT only; never -ECANCELED */
    int64_t stale;              /* for so long after its ttl a value is given at once, while it is loaded anew ... */
    struct wf_scope *scope;     /* ... by a daemon of this scope, which must outlive the cache */
    int64_t stale_if_error;     /* for so long after its ttl a value is given where the load fails */
    const char *name;           /* for messages and the log; must outlive the cache */
    char end_;
};

/*
 * wf_cache_create(&cache, .option = value, ...). Owns: the caller, until wf_cache_destroy. Suspends: never.
 * Errors: -EINVAL, with a message, for options that make no sense: durations below 0, .stale without .scope, a load or
 * a .ttl; -ENOMEM.
 */
#define wf_cache_create(...) WF_CACHE_CREATE_(__VA_ARGS__, .end_ = 0)

/*
 * NULL is ignored. Values stay valid for those who have them. Loads that are under way go on: who waits for one gets
 * its result. Suspends: never.
 */
WF_API void wf_cache_destroy(struct wf_cache *cache);

/*
 * wf_cache_get(cache, key, arena, &value) gives the value of a key, loading it where that is due; `value` is a pointer
 * to const, valid until the arena is reset or finished, and NULL after a failure. A value past its ttl is given while
 * .stale lasts, and one daemon loads it anew.
 * Suspends: while it is loaded, and to be fair. On cancel: the next that waits for it loads it; nothing is lost.
 * Errors: the load's, or the kept one's, with its message; -ECANCELED; -EDEADLK for a load that asks for its own key,
 * or two that ask for each other's; -E2BIG for a key over 64 KiB; -EINVAL without a load; -ENOMEM, also of the arena.
 */
#define wf_cache_get(cache, key, arena, value)                                                                         \
    WF_CACHE_OUT_(WF_JOIN_(wf_cache_, __COUNTER__), value, wf_cache_get_, (cache), (key), (arena))

/*
 * wf_cache_get_or_compute(cache, key, arena, fn, arg, &value) does the same with `int fn(T *arg, struct wf_load *load)`
 * in place of the cache's load. Who waits for a load of the same key shares its result, whichever function it runs.
 * .stale does not count here: `arg` is gone when this call has returned.
 * Suspends: while it is computed, and to be fair. On cancel: as wf_cache_get. Errors: as wf_cache_get.
 */
#define wf_cache_get_or_compute(cache, key, arena, fn, arg, value)                                                     \
    WF_CACHE_OUT_(WF_JOIN_(wf_cache_, __COUNTER__), value, wf_cache_compute_, (cache), (key), (arena),                 \
                  WF_LOAD_FN_(fn, arg), (arg))

/*
 * wf_cache_peek(cache, key, arena, &value) gives what is there, fresh or within .stale, and loads nothing. It is not
 * counted, neither as a hit nor as a use.
 * Suspends: never. Errors: -ENOENT where nothing is; a failure that is kept; -E2BIG, -EINVAL, -ENOMEM as above.
 */
#define wf_cache_peek(cache, key, arena, value)                                                                        \
    WF_CACHE_OUT_(WF_JOIN_(wf_cache_, __COUNTER__), value, wf_cache_peek_, (cache), (key), (arena))

/*
 * Keeps a copy of these bytes, aligned for any type, as the value of a key, for `ttl_ns` (0: as the options say).
 * Whatever comes of it, an older value is gone, and a load that is under way is not kept.
 * Suspends: never. Errors: -E2BIG for a key over 64 KiB and -EINVAL for a ttl below 0, which change nothing; -ENOSPC
 * for a value heavier than the cache; -ENOMEM.
 */
WF_API int wf_cache_put(struct wf_cache *cache, struct wf_key key, const void *bytes, size_t size, int64_t ttl_ns);

/* Drops what is there, and what a load that is under way will bring. Suspends: never. */
WF_API void wf_cache_invalidate(struct wf_cache *cache, struct wf_key key);
WF_API void wf_cache_invalidate_all(struct wf_cache *cache);

struct wf_cache_statistics {
    uint64_t hits;          /* answered by what was there, those two included: */
    uint64_t stale;         /* ... past its ttl, */
    uint64_t negative;      /* ... by a failure that was kept */
    uint64_t misses;        /* not there, or past its ttl */
    uint64_t shared;        /* those of them that waited for another one's load */
    uint64_t loads;         /* that were begun, in the background too */
    uint64_t load_failures; /* those of them that failed, but for cancels */
    uint64_t stale_errors;  /* those of them that were answered by an older value (.stale_if_error) */
    uint64_t evicted;       /* entries that made room */
    uint64_t expired;       /* that were dropped because their time was over */
    uint64_t invalidated;   /* that were dropped on demand */
    uint64_t too_heavy;     /* values that were not kept because they are heavier than the cache */
    size_t entries, weight; /* now. What only readers still hold is not counted */
    size_t loading;         /* keys that are being loaded now */
};

/* Suspends: never. */
WF_API void wf_cache_statistics(const struct wf_cache *cache, struct wf_cache_statistics *statistics);

/* ---- What the macros stand on: private ---- */

WF_API int wf_cache_create_(struct wf_cache **cache, const struct wf_cache_options *options);
WF_API WF_SUSPENDS WF_CHECKED int wf_cache_get_(struct wf_cache *cache, struct wf_key key, struct wf_arena *arena,
                                                const void **value);
WF_API WF_SUSPENDS WF_CHECKED int wf_cache_compute_(struct wf_cache *cache, struct wf_key key, struct wf_arena *arena,
                                                    int (*fn)(void *, struct wf_load *), const void *arg,
                                                    const void **value);
WF_API WF_CHECKED int wf_cache_peek_(struct wf_cache *cache, struct wf_key key, struct wf_arena *arena,
                                     const void **value);

#define WF_CACHE_CREATE_(cache, ...)                                                                                   \
    wf_cache_create_((cache), &(struct wf_cache_options){.size = sizeof(struct wf_cache_options), __VA_ARGS__})

/* What came out is assigned, so that the compiler sees whether it may be. */
#define WF_CACHE_OUT_(variable, out, function, ...)                                                                    \
    __extension__({                                                                                                    \
        const void *variable = NULL;                                                                                   \
        int WF_JOIN_(variable, _code) = function(__VA_ARGS__, &variable);                                              \
        *(out) = variable;                                                                                             \
        WF_JOIN_(variable, _code);                                                                                     \
    })

/* The function as the library calls it, after the compiler has checked it against its argument. */
#define WF_LOAD_FN_(fn, arg)                                                                                           \
    ((void)sizeof(_Generic((fn)((arg), (struct wf_load *)NULL), int : 'i')), (int (*)(void *, struct wf_load *))(fn))

#ifdef __cplusplus
}
#endif
#endif
