// Caches with and without a load, keys of all kinds, values of all types, gets inside of gets, calls that are deferred.
#include <weft/weft.h>

struct place {
    int row, column;
};

static int load(const struct place *where, struct wf_load *load)
{
    struct place *place = wf_arena_new(load->arena, struct place);
    if (place == NULL) return -ENOMEM;
    *place = *where;
    load->value = place;
    load->ttl = WF_SECONDS(1);
    return 0;
}

static void forget(const struct place *place)
{
    (void)place;
}

static bool is_kept(int code)
{
    return code == -EIO;
}

int use(struct wf_arena *arena, struct wf_scope *scope);
int use(struct wf_arena *arena, struct wf_scope *scope)
{
    static const struct place here = {1, 2};
    struct wf_cache *plain, *full;
    int rc = wf_cache_create(&plain);
    rc += wf_cache_create(&full, WF_LOAD(load, &here), .ttl = WF_SECONDS(1), .policy = WF_CACHE_LFU,
                          .negative = is_kept, .negative_ttl = 1, .stale = WF_SECONDS(1), .scope = scope);
    uint64_t number = 17;
    const unsigned char id[16] = {0};
    const struct place *place;
    const void *anything;
    rc += wf_cache_get(full, WF_KEY(number), arena, &place) + wf_cache_peek(full, WF_KEY(id), arena, &anything);
    if (wf_cache_get(full, WF_KEY(here), arena, &place) == 0 && wf_cache_get(full, wf_key_text(""), arena, &place) == 0)
        rc += wf_cache_get_or_compute(plain, wf_key_bytes(&place->row, 4), arena, load, place, &anything);
    rc += wf_cache_put(plain, wf_key_text("here"), &here, sizeof here, 0);
    rc += wf_arena_defer(arena, forget, &here);
    wf_cache_destroy(full);
    wf_cache_destroy(plain);
    return rc;
}
