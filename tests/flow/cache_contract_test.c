/* The contract of the cache: ../contract.h says what the lines mean. */
#include "../contract.h"

static int load_after_a_turn(int *loads, struct wf_load *load)
{
    ++*loads;
    load->value = loads;
    return wf_yield();
}

WF_TEST(a_refused_get_loads_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_cache *cache = NULL;
    int loads = 0;
    const int *value;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_cache_create,
          WF_EXPECT_CODE(wf_cache_create(&cache, WF_LOAD(load_after_a_turn, &loads), .ttl = WF_SECONDS(1)), 0));
    if (cache != NULL) {
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "before the calls");
        struct wf_arena *arena = wf_scope_arena(&cancelled);
        struct wf_key key = wf_key_text("a");
        REFUSED(wf_cache_get, wf_cache_get(cache, key, arena, &value));
        REFUSED(wf_cache_get_or_compute, wf_cache_get_or_compute(cache, key, arena, load_after_a_turn, &loads, &value));
        WF_EXPECT_CODE(wf_cache_put(cache, key, &loads, sizeof loads, 0), 0);
        WF_EXPECT_CODE(wf_cache_get(cache, key, arena, &value), -ECANCELED); /* what is there, too */
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    }
    WF_EXPECT_INT(loads, 0);
    STAYS(wf_cache_destroy, wf_cache_destroy(cache));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(what_loads_nothing_never_suspends, .rule = "1.7")
{
    struct wf_cache *cache = NULL;
    struct wf_cache_statistics statistics;
    int number = 17;
    const int *value;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_key_text, WF_EXPECT_INT((int64_t)wf_key_text("ada").size, 3));
    STAYS(wf_key_bytes, WF_EXPECT_INT((int64_t)wf_key_bytes("ada", 2).size, 2));
    STAYS(WF_KEY, WF_EXPECT_INT((int64_t)WF_KEY(number).size, sizeof number));
    if (WF_EXPECT_CODE(wf_cache_create(&cache), 0)) {
        struct wf_arena *arena = wf_scope_arena(&scope);
        STAYS(wf_cache_put, WF_EXPECT_CODE(wf_cache_put(cache, WF_KEY(number), &number, sizeof number, 0), 0));
        STAYS(wf_cache_peek, WF_EXPECT_CODE(wf_cache_peek(cache, WF_KEY(number), arena, &value), 0));
        STAYS(wf_cache_invalidate, wf_cache_invalidate(cache, WF_KEY(number)));
        STAYS(wf_cache_invalidate_all, wf_cache_invalidate_all(cache));
        STAYS(wf_cache_statistics, wf_cache_statistics(cache, &statistics));
    }
    wf_cache_destroy(cache);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
