/*
 * The macros of the cache, and of what is deferred to an arena, for C++: options as a struct in place of named
 * arguments.
 *
 *     wf_cache_options options = {};
 *     options.ttl = WF_SECONDS(300);
 *     rc = wf_cache_create(&cache, WF_LOAD(load_user, &database), options);
 *
 *     const user *found;
 *     rc = wf_cache_get(cache, wf_key_text("ada"), arena, &found);
 *
 * Included by weft/cxx.h; needs C++17.
 */
#ifndef WEFT_CXX_CACHE_H
#define WEFT_CXX_CACHE_H

#include <weft/base.h>

#ifdef __cplusplus

#include <weft/arena.h>
#include <weft/cache.h>

#undef WF_KEY
#undef WF_LOAD
#undef wf_arena_defer
#undef wf_cache_create
#undef wf_cache_get
#undef wf_cache_get_or_compute
#undef wf_cache_peek

namespace wf_cxx
{
template <class Arg> int defer(wf_arena *arena, void (*fn)(Arg *), Arg *arg)
{
    return wf_arena_defer_(arena, reinterpret_cast<void (*)(void *)>(fn), arg);
}

/* Text would be the bytes of the pointer. */
wf_key key_of(const char *) = delete;

template <class Object> wf_key key_of(const Object &object)
{
    static_assert(__is_trivially_copyable(Object), "the bytes of such an object are no key");
    return wf_key_bytes(&object, sizeof object);
}

using load_function = int (*)(void *, wf_load *);

inline int cache_create(wf_cache **cache, wf_cache_options options = {})
{
    options.size = sizeof options;
    return wf_cache_create_(cache, &options);
}

template <class Arg>
int cache_create(wf_cache **cache, int (*fn)(Arg *, wf_load *), Arg *arg, wf_cache_options options = {})
{
    options.load_ = reinterpret_cast<load_function>(fn);
    options.context_ = arg;
    return cache_create(cache, options);
}

template <class Value> int cache_get(wf_cache *cache, wf_key key, wf_arena *arena, const Value **value)
{
    const void *found = nullptr;
    int rc = wf_cache_get_(cache, key, arena, &found);
    *value = static_cast<const Value *>(found);
    return rc;
}

template <class Arg, class Value>
int cache_compute(wf_cache *cache, wf_key key, wf_arena *arena, int (*fn)(Arg *, wf_load *), Arg *arg,
                  const Value **value)
{
    const void *found = nullptr;
    int rc = wf_cache_compute_(cache, key, arena, reinterpret_cast<load_function>(fn), arg, &found);
    *value = static_cast<const Value *>(found);
    return rc;
}

template <class Value> int cache_peek(wf_cache *cache, wf_key key, wf_arena *arena, const Value **value)
{
    const void *found = nullptr;
    int rc = wf_cache_peek_(cache, key, arena, &found);
    *value = static_cast<const Value *>(found);
    return rc;
}
}  // namespace wf_cxx

#define wf_arena_defer(arena, fn, arg) wf_cxx::defer((arena), (fn), (arg))
#define WF_KEY(object) wf_cxx::key_of(object)
#define WF_LOAD(fn, arg) (fn), (arg)
#define wf_cache_create(...) wf_cxx::cache_create(__VA_ARGS__)
#define wf_cache_get(...) wf_cxx::cache_get(__VA_ARGS__)
#define wf_cache_get_or_compute(...) wf_cxx::cache_compute(__VA_ARGS__)
#define wf_cache_peek(...) wf_cxx::cache_peek(__VA_ARGS__)

#endif
#endif
