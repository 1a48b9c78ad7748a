/*
 * The cache as its users see it: options, asking, putting, invalidating. A hit takes this path, and reads no clock:
 * time is that of the loop's pass.
 */
#include "flow/cache.h"

#include <weft/task.h>

#include "base/hash.h"
#include "base/memory.h"

#define WEIGHT_DEFAULT ((size_t)64 << 20)

/* ---- The options ---- */

static int check_durations(const struct wf_cache_options *options, const char *name)
{
    bool negative = options->ttl < 0 || options->negative_ttl < 0 || options->stale < 0 || options->stale_if_error < 0;
    if (negative) return wf_fail(-EINVAL, "%s: a duration below 0", name);
    if (options->stale == 0 && options->stale_if_error == 0) return 0;
    if (options->ttl == 0) return wf_fail(-EINVAL, "%s: .stale counts from the end of a .ttl, and there is none", name);
    bool nobody_loads = options->scope == NULL || options->load_ == NULL;
    if (options->stale > 0 && nobody_loads)
        return wf_fail(-EINVAL, "%s: .stale needs a .scope for the daemons that load anew, and WF_LOAD(...)", name);
    return 0;
}

static int check(const struct wf_cache_options *options)
{
    const char *name = options->name != NULL ? options->name : "cache";
    if (options->size != sizeof *options)
        return wf_fail(-EINVAL, "%s: it was not made by wf_cache_create(...), or for another version of weft", name);
    if (options->policy != WF_CACHE_LRU && options->policy != WF_CACHE_LFU)
        return wf_fail(-EINVAL, "%s: there is no policy %d", name, (int)options->policy);
    if (options->negative != NULL && options->negative_ttl == 0)
        return wf_fail(-EINVAL, "%s: .negative says which failures are kept, and no .negative_ttl for how long", name);
    return check_durations(options, name);
}

int wf_cache_create_(struct wf_cache **cache, const struct wf_cache_options *options)
{
    struct loop *loop = LOOP_HERE();
    *cache = NULL;
    int rc = check(options);
    if (rc < 0) return rc;
    struct wf_cache *made = memory_zero(sizeof *made);
    if (made == NULL) return -ENOMEM;
    made->options = *options;
    if (options->weight_max == 0) made->options.weight_max = WEIGHT_DEFAULT;
    made->sweep_at = made->round_earliest = WF_FOREVER;
    loop->driver->random(loop, made->secret, sizeof made->secret);
    if (table_init(&made->kept) < 0 || table_init(&made->flights) < 0) {
        wf_cache_destroy(made);
        return -ENOMEM;
    }
    *cache = made;
    return 0;
}

static void drop_all(struct wf_cache *cache)
{
    while (cache->by_age.oldest != NULL) cache_drop(cache, cache->by_age.oldest);
}

void wf_cache_destroy(struct wf_cache *cache)
{
    if (cache == NULL) return;
    flight_detach_all(cache);
    drop_all(cache);
    table_finish(&cache->kept);
    table_finish(&cache->flights);
    memory_free(cache);
}

/* ---- Asking ---- */

static int check_key(const struct wf_cache *cache, struct wf_key key)
{
    if (key.size > KEY_SIZE_MAX)
        return wf_fail(-E2BIG, "%s: a key of %zu bytes; 64 KiB are the most", cache_name(cache), key.size);
    if (key.bytes == NULL && key.size > 0)
        return wf_fail(-EINVAL, "%s: a key of %zu bytes that are nowhere", cache_name(cache), key.size);
    return 0;
}

static inline bool is_valid(struct wf_key key)
{
    return key.size - 1 < KEY_SIZE_MAX && key.bytes != NULL;
}

static int answer(struct wf_cache *cache, struct entry *entry, struct wf_arena *arena, const void **value)
{
    cache->statistics.hits++;
    cache_count_use(cache, entry);
    if (entry->code == 0) return entry_lend(entry, arena, value);
    cache->statistics.negative++;
    return entry_failure(entry);
}

static bool is_stale(const struct wf_cache *cache, const struct entry *entry, int64_t now)
{
    return entry->code == 0 && now < later_by(entry->fresh_until, cache->options.stale);
}

/* What is not fresh: given all the same, or loaded. `may_be_stale`: a daemon could load it anew. */
static int take_from_elsewhere(const struct request *request, struct entry *entry, bool may_be_stale,
                               struct wf_arena *arena, const void **value)
{
    struct wf_cache *cache = request->cache;
    int64_t now = current_loop->now;
    if (entry != NULL && may_be_stale && is_stale(cache, entry, now)) {
        cache->statistics.stale++;
        flight_refresh(request, entry);
        return answer(cache, entry, arena, value);
    }
    if (entry != NULL && entry->over_at <= now) {
        cache->statistics.expired++;
        cache_drop(cache, entry);
    }
    return flight_take(request, arena, value);
}

static inline int take(struct wf_cache *cache, struct wf_key key, struct wf_arena *arena, const void **value,
                       int (*load)(void *, struct wf_load *), const void *context, bool may_be_stale)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check_in(loop, false);
    if (rc == 0 && !is_valid(key)) rc = check_key(cache, key);
    if (rc < 0) return rc;
    if (__builtin_expect(loop->now >= cache->sweep_at, 0)) cache_sweep(cache, loop->now);
    uint64_t hash = hash_bytes(cache->secret, key.bytes, key.size);
    struct entry *entry = entry_find(cache, key, hash);
    if (entry != NULL && loop->now < entry->fresh_until) {
        rc = answer(cache, entry, arena, value);
    } else {
        struct request request = {.cache = cache, .key = key, .hash = hash, .load = load};
        request.context = (void *)(uintptr_t)context;
        rc = take_from_elsewhere(&request, entry, may_be_stale, arena, value);
    }
    return (int)wait_skipped_in(loop, rc);
}

int wf_cache_get_(struct wf_cache *cache, struct wf_key key, struct wf_arena *arena, const void **value)
{
    if (cache->options.load_ == NULL)
        return wf_fail(-EINVAL, "%s: made without WF_LOAD(...); use wf_cache_get_or_compute", cache_name(cache));
    return take(cache, key, arena, value, cache->options.load_, cache->options.context_, cache->options.stale > 0);
}

int wf_cache_compute_(struct wf_cache *cache, struct wf_key key, struct wf_arena *arena,
                      int (*fn)(void *, struct wf_load *), const void *arg, const void **value)
{
    return take(cache, key, arena, value, fn, arg, false);
}

int wf_cache_peek_(struct wf_cache *cache, struct wf_key key, struct wf_arena *arena, const void **value)
{
    int64_t now = LOOP_HERE()->now;
    int rc = check_key(cache, key);
    if (rc < 0) return rc;
    uint64_t hash = hash_bytes(cache->secret, key.bytes, key.size);
    struct entry *entry = entry_find(cache, key, hash);
    if (entry == NULL || (now >= entry->fresh_until && !is_stale(cache, entry, now))) return -ENOENT;
    return entry->code < 0 ? entry_failure(entry) : entry_lend(entry, arena, value);
}

/* ---- Changing ---- */

static int forget(struct wf_cache *cache, struct wf_key key, uint64_t hash)
{
    flight_detach(cache, key, hash);
    struct entry *entry = entry_find(cache, key, hash);
    if (entry == NULL) return 0;
    cache_drop(cache, entry);
    return 1;
}

int wf_cache_put(struct wf_cache *cache, struct wf_key key, const void *bytes, size_t size, int64_t ttl_ns)
{
    (void)LOOP_ALIVE();
    int rc = check_key(cache, key);
    if (rc < 0) return rc;
    if (ttl_ns < 0) return wf_fail(-EINVAL, "%s: a time to live below 0", cache_name(cache));
    uint64_t hash = hash_bytes(cache->secret, key.bytes, key.size);
    struct entry *entry = entry_new(key, hash, size > 0 ? size : 1);
    if (entry != NULL) entry->value = wf_arena_copy(&entry->arena, bytes, size);
    flight_detach(cache, key, hash);
    if (entry == NULL) {
        forget(cache, key, hash);
        return -ENOMEM;
    }
    if (ttl_ns == 0) ttl_ns = cache->options.ttl > 0 ? cache->options.ttl : WF_FOREVER;
    if (!cache_keep(cache, entry, ttl_ns)) rc = wf_fail(-ENOSPC, "%s: heavier than the cache", cache_name(cache));
    entry_release(entry);
    return rc;
}

void wf_cache_invalidate(struct wf_cache *cache, struct wf_key key)
{
    if (key.size > 0 && !is_valid(key)) return;
    uint64_t hash = hash_bytes(cache->secret, key.bytes, key.size);
    cache->statistics.invalidated += (uint64_t)forget(cache, key, hash);
}

void wf_cache_invalidate_all(struct wf_cache *cache)
{
    flight_detach_all(cache);
    cache->statistics.invalidated += cache->kept.count;
    drop_all(cache);
}

void wf_cache_statistics(const struct wf_cache *cache, struct wf_cache_statistics *statistics)
{
    *statistics = cache->statistics;
    statistics->entries = cache->kept.count;
    statistics->loading = cache->flights.count;
}
