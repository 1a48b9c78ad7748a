/*
 * What a cache is made of, and the life of an entry and of a load.
 *
 *     entry:  entry_new --cache_keep--> kept --replaced, evicted, expired, invalidated--> dropped --last reader--> gone
 *                 \--not kept: only its readers have it-------------------------------------^
 *
 *     flight: opened, in the table --landed: its waiters have the result--> freed
 *                 |                        ^
 *                 +--invalidated-----------+   out of the table: who asks then does not find it, and nothing is kept
 *
 * A flight belongs to its leader, the task that loads; the leader of one that is not begun yet, by a daemon, is NULL. A
 * leader that is cancelled hands the flight to the first waiter.
 */
#ifndef WEFT_FLOW_CACHE_H
#define WEFT_FLOW_CACHE_H

#include <string.h>
#include <weft/cache.h>

#include "core/loop.h"

enum { KEY_SIZE_MAX = 64 * 1024 };

/* ---- cache_table.c: a hash table that grows by one bucket at a time ---- */

/* What an entry and a flight are in a table. */
struct node {
    struct node *next; /* in its bucket */
    uint64_t hash;
    struct wf_key key;
};

struct table {
    struct node **buckets;
    size_t bucket_count, room; /* in use; allocated */
    size_t mask;               /* the least power of two that is not below bucket_count, less one */
    size_t count;
};

int table_init(struct table *table);
void table_finish(struct table *table);
void table_add(struct table *table, struct node *node);
void table_remove(struct table *table, struct node *node);

static inline struct node **table_bucket(const struct table *table, uint64_t hash)
{
    size_t index = hash & table->mask;
    if (index >= table->bucket_count) index &= table->mask >> 1;
    return &table->buckets[index];
}

static inline bool node_is(const struct node *node, struct wf_key key, uint64_t hash)
{
    return node->hash == hash && node->key.size == key.size &&
           (key.size == 0 || memcmp(node->key.bytes, key.bytes, key.size) == 0);
}

static inline struct node *table_find(const struct table *table, struct wf_key key, uint64_t hash)
{
    struct node *node = *table_bucket(table, hash);
    while (node != NULL && !node_is(node, key, hash)) node = node->next;
    return node;
}

/* ---- cache_store.c: entries, and which of them are kept ---- */

struct neighbours {
    struct entry *newer, *older;
};

struct ends {
    struct entry *newest, *oldest;
};

/*
 * One allocation: this, the key, and the arena's first block. What a hit looks at comes last, so that it lies together
 * with the key and a small value.
 */
struct entry {
    struct wf_arena arena;
    int64_t over_at; /* never given from then on */
    size_t weight;
    uint32_t uses, epoch; /* under LFU: how often, and in which epoch that was counted */
    bool refreshing;      /* past its ttl, and a daemon loads it anew */
    struct neighbours by_age;
    struct node node;
    int64_t fresh_until;
    struct neighbours by_use;
    const void *value;   /* of a failure: its message, or NULL */
    uint32_t references; /* of readers, and of the cache or the one who loads it */
    int code;            /* of a failure; else 0 */
};

static inline struct entry *entry_of(struct node *node)
{
    return (struct entry *)((char *)node - offsetof(struct entry, node));
}

struct wf_cache {
    struct table kept;
    uint64_t secret[2];
    int64_t sweep_at; /* nothing has to leave before */
    struct ends by_use, by_age;
    struct wf_cache_options options;
    struct wf_cache_statistics statistics;
    struct entry *hand;     /* the next to be looked at, from the oldest to the newest; NULL: the round is over */
    int64_t round_earliest; /* when the first of those is over that the hand has passed, or that came, in this round */
    uint64_t uses;          /* under LFU: in this epoch */
    uint32_t epoch;
    size_t sample_at; /* the bucket from which it looks for the least used */
    struct table flights;
    int64_t logged_at; /* the last failure of a daemon, by the clock of the loop; 0: none yet */
};

/* What is kept under that key, fresh or not; NULL: nothing. */
static inline struct entry *entry_find(const struct wf_cache *cache, struct wf_key key, uint64_t hash)
{
    struct node *node = table_find(&cache->kept, key, hash);
    return node != NULL ? entry_of(node) : NULL;
}

/* Room for so many bytes in its first block; with one reference. NULL: out of memory. */
struct entry *entry_new(struct wf_key key, uint64_t hash, size_t room);
void entry_release(struct entry *entry);

/* Gives the entry to an arena, which holds it from then on. -ENOMEM: it does not. */
int entry_lend(struct entry *entry, struct wf_arena *arena, const void **value);

/* The code of a failure that is repeated, with its message. */
int entry_failure(const struct entry *entry);

/* Keeps the entry, in place of one with its key, fresh for `ttl` > 0. False: it is heavier than the cache. The caller's
 * reference stays the caller's. */
bool cache_keep(struct wf_cache *cache, struct entry *entry, int64_t ttl);
void cache_drop(struct wf_cache *cache, struct entry *entry);
void cache_count_use(struct wf_cache *cache, struct entry *entry);
/* When it is due: looks at some entries, and drops those whose time is over. */
void cache_sweep(struct wf_cache *cache, int64_t now);

int64_t later_by(int64_t time, int64_t duration);

static inline const char *cache_name(const struct wf_cache *cache)
{
    return cache->options.name != NULL ? cache->options.name : "cache";
}

/* ---- cache_flight.c: loads under way ---- */

/* What somebody asks for. */
struct request {
    struct wf_cache *cache; /* may be gone once its flight has left it */
    struct wf_key key;
    uint64_t hash;
    int (*load)(void *context, struct wf_load *load);
    void *context;
};

/* The value of a key that is not there, by a load of one's own or another one's. */
int flight_take(const struct request *request, struct wf_arena *arena, const void **value);

/* Has a daemon load the entry anew, unless one does. */
void flight_refresh(const struct request *request, struct entry *entry);

/* The load of that key, or of all, will not be kept. */
void flight_detach(struct wf_cache *cache, struct wf_key key, uint64_t hash);
void flight_detach_all(struct wf_cache *cache);

#endif
