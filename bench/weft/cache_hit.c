/* Hits in a cache of 1,000 keys, each by a request that asks once and then resets its arena. cache_hit HITS */
#include "../measure.h"

#include <weft/weft.h>

enum { KEYS = 1000 };

static char keys[KEYS][16];

static int load(long *loads, struct wf_load *load)
{
    long *value = wf_arena_new(load->arena, long);
    if (value == NULL) return -ENOMEM;
    *value = ++*loads;
    load->value = value;
    return 0;
}

static int ask(struct wf_cache *cache, struct wf_arena *arena, long hits, long *sum)
{
    uint32_t state = 1;
    int rc = 0;
    for (long i = 0; i < hits && rc == 0; i++) {
        const long *value;
        state = state * 1664525 + 1013904223;
        rc = wf_cache_get(cache, wf_key_text(keys[(state >> 8) % KEYS]), arena, &value);
        if (rc == 0) *sum += *value;
        wf_arena_reset(arena);
    }
    return rc;
}

static int measure(const long *hits)
{
    struct wf_cache *cache;
    struct wf_arena arena;
    long loads = 0, sum = 0;
    wf_arena_init(&arena);
    for (int i = 0; i < KEYS; i++) snprintf(keys[i], sizeof keys[i], "user:%d", i);
    int rc = wf_cache_create(&cache, WF_LOAD(load, &loads), .ttl = WF_MINUTES(5));
    if (rc == 0) rc = ask(cache, &arena, 200 * KEYS, &sum);
    long loaded = loads;
    double started = wall_seconds();
    if (rc == 0) rc = ask(cache, &arena, *hits, &sum);
    double seconds = wall_seconds() - started;
    wf_arena_finish(&arena);
    wf_cache_destroy(cache);
    if (rc < 0) return rc;
    if (loaded != KEYS || loads != loaded || sum == 0) return -EPROTO;
    return print_result("cache_hit", seconds * 1e9 / (double)*hits);
}

int main(int argc, char **argv)
{
    long hits = argument(argc, argv, 1, 10000000);
    return wf_main(measure, &hits);
}
