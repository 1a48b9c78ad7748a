/*
 * Tasks that ask a cache, put, invalidate, destroy it and make another one, in any order, while loads take their time,
 * fail, ask for other keys, or are cancelled. Whoever runs next takes the next byte of the input. What is claimed: a
 * value belongs to its key, its load began after the last invalidation that its reader had seen, its time was not over,
 * it keeps its bytes while the reader's arena has it; limits hold; and nothing is left.
 */
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "fuzz.h"

enum { TASKS = 4, KEYS = 6, LOADS_MAX = 4096, DEPTH_MAX = 3 };

struct fact {
    unsigned key;
    int number;
    size_t size; /* of the bytes that follow, each the low byte of the number */
    unsigned char bytes[];
};

static struct input input;
static struct wf_cache *cache;
static struct wf_scope *daemons;
static struct wf_cache_options options;
static int loads;
static int begun_at[KEYS]; /* the number of loads when the key was invalidated last */
static int64_t over_at[LOADS_MAX];

/* ---- Keys and values ---- */

static struct wf_key key_of(unsigned number)
{
    static const char *const keys[KEYS] = {"", "a", "b", "ab", "\0\0\0", "a key of more bytes than the others have"};
    return number == 4 ? wf_key_bytes(keys[4], 3) : wf_key_text(keys[number]);
}

static unsigned number_of(struct wf_key key)
{
    for (unsigned i = 0; i < KEYS; i++) {
        struct wf_key one = key_of(i);
        if (one.size == key.size && (key.size == 0 || memcmp(one.bytes, key.bytes, key.size) == 0)) return i;
    }
    bool was_asked_for = false;
    CLAIM(was_asked_for);
    return 0;
}

static void fill(struct fact *fact, unsigned key, size_t size)
{
    *fact = (struct fact){.key = key, .number = loads, .size = size};
    memset(fact->bytes, loads & 0xff, size);
    over_at[loads] = WF_FOREVER;
}

static void check_fact(const struct fact *fact, unsigned key)
{
    CLAIM(fact->key == key);
    for (size_t i = 0; i < fact->size; i++) CLAIM(fact->bytes[i] == (fact->number & 0xff));
}

static size_t take_size(void)
{
    return take(&input, 256) * (take(&input, 8) == 0 ? 40 : 1);
}

static int64_t later(int64_t time, int64_t duration)
{
    int64_t sum;
    return __builtin_add_overflow(time, duration, &sum) ? WF_FOREVER : sum;
}

/* From now on it may be given for so long. */
static void set_over(int number, int64_t ttl)
{
    int64_t longer = options.stale > options.stale_if_error ? options.stale : options.stale_if_error;
    if (ttl == 0) ttl = options.ttl > 0 ? options.ttl : WF_FOREVER;
    over_at[number] = later(later(wf_now(), ttl), longer);
}

/* ---- Loading and asking ---- */

static int ask(unsigned key, unsigned depth);

static int load(unsigned *depth, struct wf_load *load)
{
    static const int codes[] = {0, 0, 0, -EIO, -ENOENT, -ECANCELED};
    unsigned key = number_of(load->key);
    if (loads == LOADS_MAX - 1) return -ENOSPC;
    loads++;
    size_t size = take_size();
    struct fact *fact = wf_arena_alloc(load->arena, sizeof *fact + size);
    if (fact == NULL) return -ENOMEM;
    fill(fact, key, size);
    load->value = fact;
    load->ttl = (int64_t)take(&input, 4) * (1 << take(&input, 16)) - 1;
    if (load->ttl < 0 && take(&input, 2) == 0) load->ttl = 0;
    int rc = take(&input, 2) == 0 ? wf_sleep(1 << take(&input, 20)) : 0;
    if (rc == 0 && *depth < DEPTH_MAX && take(&input, 8) == 0) rc = ask(take(&input, KEYS), *depth + 1);
    if (rc == 0) rc = codes[take(&input, 6)];
    set_over(fact->number, load->ttl > 0 ? load->ttl : 0);
    return rc;
}

static int get(unsigned key, unsigned depth, struct wf_arena *arena, const struct fact **fact)
{
    if (take(&input, 4) == 0) return wf_cache_get_or_compute(cache, key_of(key), arena, load, &depth, fact);
    if (take(&input, 6) == 0) return wf_cache_peek(cache, key_of(key), arena, fact);
    return wf_cache_get(cache, key_of(key), arena, fact);
}

static int ask(unsigned key, unsigned depth)
{
    const struct fact *fact;
    struct wf_arena arena;
    wf_arena_init(&arena);
    int begun = begun_at[key];
    int64_t asked = wf_now();
    int rc = wf_within(1 << take(&input, 24), get(key, depth, &arena, &fact));
    CLAIM((rc == 0) == (fact != NULL) || rc == -ETIME || rc == -ECANCELED);
    if (rc == 0) {
        check_fact(fact, key);
        CLAIM(fact->number > begun);
        CLAIM(asked < over_at[fact->number]);
        rc = take(&input, 2) == 0 ? wf_sleep(1 << take(&input, 20)) : 0;
        check_fact(fact, key);
    }
    wf_arena_finish(&arena);
    return rc == -ECANCELED && wf_cancelled() ? rc : 0;
}

/* ---- Changing ---- */

static void forget(unsigned key)
{
    begun_at[key] = loads;
}

static void put(unsigned key)
{
    static union {
        struct fact fact;
        char room[sizeof(struct fact) + 40 * 256];
    } made;
    if (loads == LOADS_MAX - 1) return;
    forget(key);
    loads++;
    fill(&made.fact, key, take_size());
    int64_t ttl = take(&input, 2) == 0 ? 0 : 1 << take(&input, 20);
    set_over(loads, ttl);
    int rc = wf_cache_put(cache, key_of(key), &made.fact, sizeof made.fact + made.fact.size, ttl);
    CLAIM(rc == 0 || rc == -ENOSPC);
}

static void check_limits(void)
{
    struct wf_cache_statistics statistics;
    wf_cache_statistics(cache, &statistics);
    CLAIM(statistics.weight <= options.weight_max);
    CLAIM(options.entries_max == 0 || statistics.entries <= options.entries_max);
    CLAIM((statistics.entries == 0) == (statistics.weight == 0));
}

/* Keys of the one before are forgotten with it. Its loads and daemons go on. */
static int make_cache(void)
{
    static unsigned deepest = DEPTH_MAX; /* a daemon's load asks for nothing */
    wf_cache_destroy(cache);
    for (unsigned i = 0; i < KEYS; i++) forget(i);
    options = (struct wf_cache_options){
        .size = sizeof options,
        .load_ = (int (*)(void *, struct wf_load *))load,
        .context_ = &deepest,
        .ttl = 1 + (1 << take(&input, 20)),
        .weight_max = 300 + 100 * (size_t)take(&input, 256),
        .entries_max = take(&input, 5),
        .policy = take(&input, 2) == 0 ? WF_CACHE_LRU : WF_CACHE_LFU,
        .negative_ttl = take(&input, 2) == 0 ? 0 : 1 << take(&input, 16),
        .stale = take(&input, 2) == 0 ? 0 : 1 << take(&input, 18),
        .scope = daemons,
        .stale_if_error = take(&input, 2) == 0 ? 0 : 1 << take(&input, 20),
    };
    return wf_cache_create_(&cache, &options);
}

static int step(void)
{
    unsigned key = take(&input, KEYS);
    int rc = 0;
    switch (take(&input, 16)) {
    case 0:
        wf_cache_invalidate(cache, key_of(key));
        forget(key);
        break;
    case 1:
        wf_cache_invalidate_all(cache);
        for (unsigned i = 0; i < KEYS; i++) forget(i);
        break;
    case 2:
        put(key);
        break;
    case 3:
        rc = wf_sleep(1 << take(&input, 24));
        break;
    case 4:
        rc = take(&input, 8) == 0 ? make_cache() : wf_yield();
        break;
    default:
        rc = ask(key, 0);
    }
    check_limits();
    return rc;
}

static int task(void *unused)
{
    (void)unused;
    int rc = 0;
    while (!input_over(&input) && rc == 0) rc = step();
    return rc;
}

static int use_caches(void *unused)
{
    (void)unused;
    WF_SCOPE(background);
    daemons = &background;
    int rc = make_cache();
    if (rc == 0) {
        WF_SCOPE(scope, .timeout = WF_SECONDS(100));
        for (int i = 0; i < TASKS; i++) wf_spawn(&scope, task, NULL);
        rc = wf_scope_end(&scope, 0);
    }
    wf_cache_destroy(cache);
    return wf_scope_end(&background, rc == -ETIME ? 0 : rc);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    input = (struct input){.bytes = bytes, .left = size};
    wf_sim_seed(1 + take(&input, 256));
    cache = NULL;
    loads = 0;
    memset(begun_at, 0, sizeof begun_at);
    size_t before = wf_allocated_blocks();
    int rc = wf_run(use_caches, NULL, .driver = "sim");
    CLAIM(rc == 0);
    CLAIM(wf_allocated_blocks() == before);
    return 0;
}
