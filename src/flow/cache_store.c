/*
 * What is kept, in two orders: by use, whose oldest makes room under LRU, and by age. By age goes a hand that drops
 * what is over: from the oldest to the newest, some steps at a time, round after round. In this order nothing changes
 * its place, so the hand misses none; and what it has passed tells when the next round is due, so that it rests where
 * nothing can be over.
 */
#include <weft/task.h>

#include "base/arena.h"
#include "base/memory.h"
#include "base/sanitize.h"
#include "flow/cache.h"

enum {
    ALIGNMENT = 16,
    STEPS = 8,           /* of the hand in one sweep */
    SAMPLE = 16,         /* of the entries of which the least used makes room, */
    SAMPLE_BUCKETS = 64, /* from so many buckets, where most are empty */
    USES_FOR_EACH = 10,  /* entry, until all are halved */
    FAMELESS_AFTER = 31, /* halvings */
};

static size_t rounded(size_t size)
{
    return (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

int64_t later_by(int64_t time, int64_t duration)
{
    int64_t later;
    return __builtin_add_overflow(time, duration, &later) ? WF_FOREVER : later;
}

/* ---- Entries ---- */

struct entry *entry_new(struct wf_key key, uint64_t hash, size_t room)
{
    if (room > PTRDIFF_MAX / 2) return NULL;
    size_t head = rounded(sizeof(struct entry) + key.size), block = ARENA_BLOCK_HEAD + rounded(room);
    struct entry *entry = memory_alloc(head + block);
    if (entry == NULL) return NULL;
    char *own_key = (char *)(entry + 1);
    if (key.size > 0) memcpy(own_key, key.bytes, key.size);
    *entry =
        (struct entry){.node = {.hash = hash, .key = {own_key, key.size}}, .references = 1, .weight = head + block};
    wf_arena_init(&entry->arena);
    arena_lend(&entry->arena, (char *)entry + head, block);
    return entry;
}

void entry_release(struct entry *entry)
{
    if (--entry->references > 0) return;
    wf_arena_finish(&entry->arena);
    memory_free(entry);
}

int entry_lend(struct entry *entry, struct wf_arena *arena, const void **value)
{
    int rc = wf_arena_defer(arena, entry_release, entry);
    if (rc < 0) return rc;
    entry->references++;
    *value = entry->value;
    return 0;
}

int entry_failure(const struct entry *entry)
{
    return entry->value != NULL ? wf_fail(entry->code, "%s", (const char *)entry->value) : entry->code;
}

/* ---- Orders ---- */

static void enter_by_age(struct wf_cache *cache, struct entry *entry)
{
    struct ends *ends = &cache->by_age;
    entry->by_age = (struct neighbours){.older = ends->newest};
    if (ends->newest != NULL) ends->newest->by_age.newer = entry;
    else ends->oldest = entry;
    ends->newest = entry;
}

static void leave_by_age(struct wf_cache *cache, struct entry *entry)
{
    struct ends *ends = &cache->by_age;
    const struct neighbours *in = &entry->by_age;
    if (cache->hand == entry) cache->hand = in->newer;
    if (in->newer != NULL) in->newer->by_age.older = in->older;
    else ends->newest = in->older;
    if (in->older != NULL) in->older->by_age.newer = in->newer;
    else ends->oldest = in->newer;
}

static void enter_by_use(struct wf_cache *cache, struct entry *entry)
{
    struct ends *ends = &cache->by_use;
    entry->by_use = (struct neighbours){.older = ends->newest};
    if (ends->newest != NULL) ends->newest->by_use.newer = entry;
    else ends->oldest = entry;
    ends->newest = entry;
}

static void leave_by_use(struct wf_cache *cache, struct entry *entry)
{
    struct ends *ends = &cache->by_use;
    const struct neighbours *in = &entry->by_use;
    if (in->newer != NULL) in->newer->by_use.older = in->older;
    else ends->newest = in->older;
    if (in->older != NULL) in->older->by_use.newer = in->newer;
    else ends->oldest = in->newer;
}

void cache_drop(struct wf_cache *cache, struct entry *entry)
{
    leave_by_age(cache, entry);
    leave_by_use(cache, entry);
    table_remove(&cache->kept, &entry->node);
    cache->statistics.weight -= entry->weight;
    entry_release(entry);
}

/* ---- Use ---- */

static uint32_t uses_now(const struct wf_cache *cache, const struct entry *entry)
{
    uint32_t halvings = cache->epoch - entry->epoch;
    return halvings < FAMELESS_AFTER ? entry->uses >> halvings : 0;
}

static void count(struct wf_cache *cache, struct entry *entry)
{
    uint32_t uses = uses_now(cache, entry);
    entry->uses = uses < UINT32_MAX ? uses + 1 : uses;
    entry->epoch = cache->epoch;
    if (++cache->uses < USES_FOR_EACH * cache->kept.count) return;
    cache->uses = 0;
    cache->epoch++;
}

void cache_count_use(struct wf_cache *cache, struct entry *entry)
{
    if (cache->options.policy == WF_CACHE_LFU) {
        count(cache, entry);
    } else if (cache->by_use.newest != entry) {
        leave_by_use(cache, entry);
        enter_by_use(cache, entry);
    }
}

/* ---- Ageing ---- */

static void begin_round(struct wf_cache *cache)
{
    cache->hand = cache->by_age.oldest;
    cache->round_earliest = WF_FOREVER;
}

static bool drop_if_over(struct wf_cache *cache, struct entry *entry, int64_t now)
{
    if (now < entry->over_at) return false;
    cache->statistics.expired++;
    cache_drop(cache, entry);
    return true;
}

static void look_at_next(struct wf_cache *cache, int64_t now)
{
    struct entry *entry = cache->hand;
    cache->hand = entry->by_age.newer;
    if (!drop_if_over(cache, entry, now) && entry->over_at < cache->round_earliest)
        cache->round_earliest = entry->over_at;
}

void cache_sweep(struct wf_cache *cache, int64_t now)
{
    if (now < cache->sweep_at) return;
    for (int i = 0; i < STEPS; i++) {
        if (cache->hand == NULL) {
            cache->sweep_at = cache->round_earliest;
            if (now < cache->sweep_at) return;
            begin_round(cache);
        }
        if (cache->hand != NULL) look_at_next(cache, now);
    }
    cache->sweep_at = now + 1; /* once in a pass of the loop, so that hits hardly feel it */
}

/* ---- Room ---- */

static struct node *next_bucket(struct wf_cache *cache)
{
    if (cache->sample_at >= cache->kept.bucket_count) cache->sample_at = 0;
    return cache->kept.buckets[cache->sample_at++];
}

/* By buckets, since in the order of their keys' hashes entries stand as if shuffled. */
static struct entry *least_used(struct wf_cache *cache, int64_t now)
{
    struct entry *least = NULL;
    int seen = 0;
    for (int buckets = 0; buckets < SAMPLE_BUCKETS && seen < SAMPLE; buckets++) {
        struct node *next;
        for (struct node *node = next_bucket(cache); node != NULL; node = next, seen++) {
            struct entry *entry = entry_of(node);
            next = node->next;
            if (drop_if_over(cache, entry, now)) continue;
            if (least == NULL || uses_now(cache, entry) < uses_now(cache, least)) least = entry;
        }
    }
    return least != NULL ? least : cache->by_age.oldest;
}

static void evict_one(struct wf_cache *cache, int64_t now)
{
    bool by_frequency = cache->options.policy == WF_CACHE_LFU;
    struct entry *entry = by_frequency ? least_used(cache, now) : cache->by_use.oldest;
    if (entry == NULL || drop_if_over(cache, entry, now)) return;
    cache->statistics.evicted++;
    cache_drop(cache, entry);
}

static bool has_room(const struct wf_cache *cache, size_t weight)
{
    const struct wf_cache_options *options = &cache->options;
    if (cache->statistics.weight > options->weight_max - weight) return false;
    return options->entries_max == 0 || cache->kept.count < options->entries_max;
}

static size_t weight_of(const struct wf_cache *cache, const struct entry *entry)
{
    if (cache->options.weight == NULL) return entry->weight + arena_own_memory(&entry->arena);
    size_t weight = entry->code == 0 ? cache->options.weight(entry->node.key, entry->value) : 0;
    return weight > 0 ? weight : 1;
}

static void set_times(const struct wf_cache *cache, struct entry *entry, int64_t now, int64_t ttl)
{
    const struct wf_cache_options *options = &cache->options;
    int64_t longer = options->stale > options->stale_if_error ? options->stale : options->stale_if_error;
    entry->fresh_until = later_by(now, ttl);
    entry->over_at = entry->code == 0 ? later_by(entry->fresh_until, longer) : entry->fresh_until;
}

static void drop_older(struct wf_cache *cache, struct entry *entry)
{
    struct entry *older = entry_find(cache, entry->node.key, entry->node.hash);
    if (older == NULL) return;
    entry->uses = uses_now(cache, older);
    entry->epoch = cache->epoch;
    cache_drop(cache, older);
}

bool cache_keep(struct wf_cache *cache, struct entry *entry, int64_t ttl)
{
    int64_t now = current_loop->now;
    drop_older(cache, entry);
    size_t weight = weight_of(cache, entry);
    if (weight > cache->options.weight_max) {
        cache->statistics.too_heavy++;
        return false;
    }
    entry->weight = weight;
    set_times(cache, entry, now, ttl);
    cache_sweep(cache, now);
    while (!has_room(cache, weight)) evict_one(cache, now);
    entry->references++;
    cache->statistics.weight += weight;
    table_add(&cache->kept, &entry->node);
    enter_by_age(cache, entry);
    enter_by_use(cache, entry);
    cache_count_use(cache, entry);
    if (entry->over_at < cache->round_earliest) cache->round_earliest = entry->over_at;
    if (entry->over_at < cache->sweep_at) cache->sweep_at = entry->over_at;
    return true;
}
