/*
 * A rate for each of many keys: a hash table of entries that are all there from the start, and a heap of them by when
 * their next one is due, which finds one to forget. A key is like new once `due` has passed.
 *
 * The heap is lazy: `due` only grows, so `listed`, what the heap goes by, is a lower bound, and is put right only for
 * entries that come to the top while room is wanted.
 */
#include <weft/task.h>

#include "base/hash.h"
#include "base/memory.h"
#include "core/loop.h"
#include "flow/gcra.h"

enum { LOOKED_AT_MAX = 64 }; /* entries, in one search for room */

static const uint32_t none = UINT32_MAX;
static const size_t keys_limit = (size_t)1 << 30;

struct entry {
    uint64_t hash;
    int64_t due;
    int64_t listed;
    uint32_t next; /* in its bucket */
};

struct wf_rate_keys {
    int64_t interval, tolerance;
    uint64_t secret[2];
    size_t keys_max, count;
    size_t mask; /* of buckets */
    struct entry *entries;
    uint32_t *buckets;
    uint32_t *heap; /* entries, the least `listed` first */
    struct wf_rate_keys_statistics statistics;
};

/* ---- The table ---- */

static uint32_t *bucket_of(const struct wf_rate_keys *keys, uint64_t hash)
{
    return &keys->buckets[hash & keys->mask];
}

static struct entry *find(const struct wf_rate_keys *keys, uint64_t hash)
{
    uint32_t index = *bucket_of(keys, hash);
    while (index != none && keys->entries[index].hash != hash) index = keys->entries[index].next;
    return index != none ? &keys->entries[index] : NULL;
}

static void link_entry(struct wf_rate_keys *keys, uint32_t index)
{
    uint32_t *bucket = bucket_of(keys, keys->entries[index].hash);
    keys->entries[index].next = *bucket;
    *bucket = index;
}

static void unlink_entry(struct wf_rate_keys *keys, uint32_t index)
{
    uint32_t *link = bucket_of(keys, keys->entries[index].hash);
    while (*link != index) link = &keys->entries[*link].next;
    *link = keys->entries[index].next;
}

/* ---- The heap ---- */

static bool before(const struct wf_rate_keys *keys, size_t first, size_t second)
{
    return keys->entries[keys->heap[first]].listed < keys->entries[keys->heap[second]].listed;
}

static void swap(struct wf_rate_keys *keys, size_t first, size_t second)
{
    uint32_t other = keys->heap[first];
    keys->heap[first] = keys->heap[second];
    keys->heap[second] = other;
}

static void sift_up(struct wf_rate_keys *keys, size_t place)
{
    for (; place > 0 && before(keys, place, (place - 1) / 2); place = (place - 1) / 2)
        swap(keys, place, (place - 1) / 2);
}

static void sift_top_down(struct wf_rate_keys *keys)
{
    size_t place = 0;
    for (;;) {
        size_t least = place, left = 2 * place + 1, right = left + 1;
        if (left < keys->count && before(keys, left, least)) least = left;
        if (right < keys->count && before(keys, right, least)) least = right;
        if (least == place) return;
        swap(keys, place, least);
        place = least;
    }
}

static void relist_top(struct wf_rate_keys *keys)
{
    struct entry *top = &keys->entries[keys->heap[0]];
    top->listed = top->due;
    sift_top_down(keys);
}

/* ---- Room ---- */

static struct entry *take(struct wf_rate_keys *keys, uint64_t hash, uint32_t index, int64_t now)
{
    struct entry *entry = &keys->entries[index];
    *entry = (struct entry){.hash = hash, .due = now, .listed = now};
    link_entry(keys, index);
    return entry;
}

/* Forgets a key that is like new; the heap's top stands for the new one from then on. */
static struct entry *replace(struct wf_rate_keys *keys, uint64_t hash, int64_t now)
{
    for (int i = 0; i < LOOKED_AT_MAX; i++) {
        uint32_t index = keys->heap[0];
        struct entry *top = &keys->entries[index];
        if (top->due <= now) {
            unlink_entry(keys, index);
            keys->statistics.evicted++;
            top = take(keys, hash, index, now);
            sift_top_down(keys);
            return top;
        }
        if (top->listed == top->due) break;
        relist_top(keys);
    }
    keys->statistics.crowded++;
    return NULL;
}

static struct entry *add(struct wf_rate_keys *keys, uint64_t hash, int64_t now)
{
    if (keys->count == keys->keys_max) return replace(keys, hash, now);
    uint32_t index = (uint32_t)keys->count++;
    struct entry *entry = take(keys, hash, index, now);
    keys->heap[index] = index;
    sift_up(keys, index);
    return entry;
}

/* ---- The interface ---- */

int wf_rate_keys_try(struct wf_rate_keys *keys, const void *key, size_t size, int64_t *retry_after_ns)
{
    struct loop *loop = LOOP_HERE();
    int64_t now = loop_now(loop);
    uint64_t hash = hash_bytes(keys->secret, key, size);
    struct entry *entry = find(keys, hash);
    if (entry == NULL) entry = add(keys, hash, now);
    if (entry == NULL) return -ENOBUFS;
    int64_t wait = gcra_wait(entry->due, keys->tolerance, now);
    if (retry_after_ns != NULL) *retry_after_ns = wait > 0 ? wait : 0;
    if (wait > 0) {
        keys->statistics.refused++;
        return -EAGAIN;
    }
    entry->due = gcra_next(entry->due, keys->interval, now);
    keys->statistics.passed++;
    return 0;
}

static size_t power_above(size_t count)
{
    size_t power = 1;
    while (power < count) power *= 2;
    return power;
}

static int allocate(struct wf_rate_keys *keys)
{
    size_t buckets = power_above(keys->keys_max);
    keys->mask = buckets - 1;
    keys->entries = memory_alloc(keys->keys_max * sizeof *keys->entries);
    keys->buckets = memory_alloc(buckets * sizeof *keys->buckets);
    keys->heap = memory_alloc(keys->keys_max * sizeof *keys->heap);
    if (keys->entries == NULL || keys->buckets == NULL || keys->heap == NULL) return -ENOMEM;
    for (size_t i = 0; i < buckets; i++) keys->buckets[i] = none;
    return 0;
}

int wf_rate_keys_create(const struct wf_rate_options *options, size_t keys_max, struct wf_rate_keys **keys)
{
    struct loop *loop = LOOP_HERE();
    int64_t interval, tolerance;
    int rc = gcra_prepare(options, &interval, &tolerance);
    if (rc < 0) return rc;
    if (keys_max == 0 || keys_max > keys_limit) return wf_fail(-EINVAL, "a rate for at most %zu keys", keys_max);
    struct wf_rate_keys *made = memory_zero(sizeof *made);
    if (made == NULL) return -ENOMEM;
    made->interval = interval;
    made->tolerance = tolerance;
    made->keys_max = keys_max;
    loop->driver->random(loop, made->secret, sizeof made->secret);
    rc = allocate(made);
    if (rc < 0) wf_rate_keys_destroy(made);
    else *keys = made;
    return rc;
}

void wf_rate_keys_destroy(struct wf_rate_keys *keys)
{
    if (keys == NULL) return;
    memory_free(keys->entries);
    memory_free(keys->buckets);
    memory_free(keys->heap);
    memory_free(keys);
}

void wf_rate_keys_statistics(const struct wf_rate_keys *keys, struct wf_rate_keys_statistics *statistics)
{
    *statistics = keys->statistics;
    statistics->keys = keys->count;
}
