/* What the tests of the cache share: a shop whose goods are loaded, and readers who ask for them. */
#ifndef TESTS_FLOW_CACHE_H
#define TESTS_FLOW_CACHE_H

#include <stdio.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* In a simulated world, for hours if need be. */
#define SWEPT .simulated = true, .sweep = true, .timeout = WF_MINUTES(100)

struct shop {
    struct wf_cache *cache;
    int loads;          /* that were begun */
    int64_t takes;      /* each */
    int code;           /* of a failure; 0: it succeeds */
    int64_t ttl;        /* what a load says */
    size_t extra_bytes; /* of each value */
};

struct item {
    int number; /* of the load that made it */
    const char *name;
};

static inline void close_shop(struct shop *shop)
{
    wf_cache_destroy(shop->cache);
    shop->cache = NULL;
}

/* Declared before the scope of those who use it; its cache goes with the block. */
#define SHOP(name) struct shop name __attribute__((cleanup(close_shop))) = {.cache = NULL}

static inline int load_item(struct shop *shop, struct wf_load *load)
{
    int number = ++shop->loads;
    load->ttl = shop->ttl;
    int rc = shop->takes > 0 ? wf_sleep(shop->takes) : 0;
    if (rc < 0) return rc;
    const char *name = wf_arena_strndup(load->arena, load->key.size > 0 ? load->key.bytes : "", load->key.size);
    struct item *item = wf_arena_new(load->arena, struct item);
    if (name == NULL || item == NULL) return -ENOMEM;
    if (shop->extra_bytes > 0 && wf_arena_alloc(load->arena, shop->extra_bytes) == NULL) return -ENOMEM;
    *item = (struct item){number, name};
    load->value = item;
    return shop->code < 0 ? wf_fail(shop->code, "no %s today", name) : 0;
}

struct reader {
    struct shop *shop;
    const char *key;
    int64_t within; /* 0: no deadline */
    int code, number;
    bool done;
};

/* For the test's own task: the number of the load that made the value, or the code. */
static inline int ask(struct shop *shop, const char *key)
{
    if (shop->cache == NULL) return -ESHUTDOWN;
    const struct item *item;
    int rc = wf_cache_get(shop->cache, wf_key_text(key), wf_task_arena(), &item);
    if (rc < 0) return rc;
    WF_INVARIANT(strcmp(item->name, key) == 0);
    return item->number;
}

static inline int read_item(struct reader *reader)
{
    int rc =
        reader->within > 0 ? wf_within(reader->within, ask(reader->shop, reader->key)) : ask(reader->shop, reader->key);
    reader->code = rc < 0 ? rc : 0;
    reader->number = rc < 0 ? 0 : rc;
    reader->done = true;
    return rc == -ECANCELED ? rc : 0;
}

static inline struct wf_cache_statistics statistics_of(const struct shop *shop)
{
    struct wf_cache_statistics statistics;
    wf_cache_statistics(shop->cache, &statistics);
    return statistics;
}

#endif
