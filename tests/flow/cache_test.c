/* The cache: one load for all who ask, whoever of them is cancelled; keys; invalidating; who holds a value. */
#include "cache.h"

enum { CROWD = 100 };

static struct reader crowd[CROWD];

static void spawn_readers(struct wf_scope *scope, struct shop *shop, struct reader *readers, int count)
{
    for (int i = 0; i < count; i++) {
        readers[i] = (struct reader){.shop = shop, .key = "ada"};
        wf_spawn(scope, read_item, &readers[i]);
    }
}

/* S045 */
WF_TEST(a_hundred_who_ask_at_once_share_one_load, SWEPT)
{
    SHOP(shop);
    shop.takes = WF_SECONDS(1);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .ttl = WF_SECONDS(300)), 0)) return;
    WF_SCOPE(scope);
    spawn_readers(&scope, &shop, crowd, CROWD);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    for (int i = 0; i < CROWD; i++) WF_EXPECT_INT(crowd[i].number, 1);
    struct wf_cache_statistics statistics = statistics_of(&shop);
    WF_EXPECT_INT((int64_t)statistics.misses, CROWD);
    WF_EXPECT_INT((int64_t)statistics.shared, CROWD - 1);
    WF_EXPECT_INT((int64_t)statistics.loads, 1);
    WF_INVARIANT(statistics.loading == 0);
}

/* S045 */
WF_TEST(a_value_is_fresh_for_its_ttl_and_not_longer, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .ttl = WF_SECONDS(300)), 0)) return;
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
    WF_EXPECT_NO_SUSPENSION(WF_EXPECT_INT(ask(&shop, "ada"), 1));
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(300) - 1), 0);
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), 0);
    WF_EXPECT_INT(ask(&shop, "ada"), 2);
    struct wf_cache_statistics statistics = statistics_of(&shop);
    WF_EXPECT_INT((int64_t)statistics.hits, 2);
    WF_EXPECT_INT((int64_t)statistics.misses, 2);
    WF_EXPECT_INT((int64_t)statistics.expired, 1);
    WF_EXPECT_INT((int64_t)statistics.entries, 1);
}

WF_TEST(without_a_ttl_a_value_is_fresh_for_ever, .simulated = true, .sweep = true, .timeout = WF_FOREVER)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
    WF_EXPECT_CODE(wf_sleep(INT64_MAX / 2), 0);
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
}

WF_TEST(a_load_says_how_long_its_value_is_good, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .ttl = WF_SECONDS(300)), 0)) return;
    shop.ttl = WF_SECONDS(2);
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), 0);
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), 0);
    shop.ttl = -1;
    WF_EXPECT_INT(ask(&shop, "ada"), 2);
    shop.ttl = INT64_MAX;
    WF_EXPECT_INT(ask(&shop, "ada"), 3);
    WF_EXPECT_INT(ask(&shop, "ada"), 3);
}

/* S045 */
WF_TEST(a_failure_with_its_message_is_everybodys_and_is_not_kept, SWEPT)
{
    struct reader readers[10];
    SHOP(shop);
    shop.takes = WF_SECONDS(1);
    shop.code = -EIO;
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    WF_SCOPE(scope);
    spawn_readers(&scope, &shop, readers, 10);
    wf_yield();
    WF_EXPECT_FAILURE(ask(&shop, "ada"), -EIO, "no ada today");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    for (int i = 0; i < 10; i++) WF_EXPECT_CODE(readers[i].code, -EIO);
    WF_EXPECT_INT(shop.loads, 1);
    shop.code = 0;
    WF_EXPECT_INT(ask(&shop, "ada"), 2);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).load_failures, 1);
}

/* ---- Cancelled leaders, cancelled waiters ---- */

/* S045 */
WF_TEST(a_cancelled_leader_hands_over_and_nobody_else_is_harmed, SWEPT)
{
    struct reader readers[10];
    struct wf_handle leader = {.task_ = NULL};
    SHOP(shop);
    shop.takes = WF_SECONDS(10);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    WF_SCOPE(scope);
    struct reader first = {.shop = &shop, .key = "ada"};
    wf_spawn(&scope, read_item, &first, .handle = &leader);
    spawn_readers(&scope, &shop, readers, 10);
    wf_sleep(WF_SECONDS(5));
    wf_handle_cancel(&leader, "not needed");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(first.code, -ECANCELED);
    for (int i = 0; i < 10; i++) WF_EXPECT_INT(readers[i].number, 2);
    WF_EXPECT_INT(shop.loads, 2);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).load_failures, 0);
    WF_INVARIANT(statistics_of(&shop).loading == 0);
}

WF_TEST(a_turn_that_comes_to_a_cancelled_waiter_passes_without_a_load, SWEPT)
{
    struct reader readers[3];
    struct wf_handle handles[3] = {{.task_ = NULL}};
    SHOP(shop);
    shop.takes = WF_SECONDS(10);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    WF_SCOPE(scope);
    for (int i = 0; i < 3; i++) {
        readers[i] = (struct reader){.shop = &shop, .key = "ada"};
        wf_spawn(&scope, read_item, &readers[i], .handle = &handles[i]);
    }
    wf_sleep(WF_SECONDS(5));
    wf_handle_cancel(&handles[0], "not needed"); /* it runs next, and hands over to the second ... */
    wf_yield();
    wf_handle_cancel(&handles[1], "not needed"); /* ... which has the turn, and has not run yet */
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(readers[2].number, 2);
    WF_EXPECT_CODE(readers[1].code, -ECANCELED);
    WF_EXPECT_INT(shop.loads, 2);
}

WF_TEST(a_load_that_never_returns_is_bounded_by_each_ones_own_deadline, SWEPT)
{
    static const int64_t patience[] = {WF_SECONDS(2), WF_SECONDS(1),
                                       WF_SECONDS(3)}; /* the leader's is the second to pass */
    struct reader readers[3];
    SHOP(shop);
    shop.takes = WF_FOREVER;
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    int64_t started = wf_now();
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 3; i++) {
            readers[i] = (struct reader){.shop = &shop, .key = "ada", .within = patience[i]};
            wf_spawn(&scope, read_item, &readers[i]);
        }
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(3));
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(readers[i].code, -ETIME);
    WF_EXPECT_INT(shop.loads, 2);
    WF_INVARIANT(statistics_of(&shop).loading == 0);
}

WF_TEST(when_all_are_cancelled_nothing_is_left, SWEPT)
{
    struct reader readers[10];
    SHOP(shop);
    shop.takes = WF_SECONDS(1);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    {
        WF_SCOPE(scope);
        spawn_readers(&scope, &shop, readers, 10);
        wf_yield();
        wf_scope_cancel(&scope, "all of them");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT(shop.loads, 1);
    WF_INVARIANT(statistics_of(&shop).loading == 0 && statistics_of(&shop).entries == 0);
    WF_EXPECT_INT(ask(&shop, "ada"), 2);
}

static bool is_anything(int code)
{
    return code < 0;
}

WF_TEST(a_cancel_that_a_load_makes_up_is_a_failure_like_any_other, SWEPT)
{
    struct reader readers[2];
    SHOP(shop);
    shop.takes = WF_SECONDS(1);
    shop.code = -ECANCELED;
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .negative_ttl = WF_SECONDS(1),
                                        .negative = is_anything),
                        0))
        return;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    spawn_readers(&scope, &shop, readers, 2);
    wf_scope_join(&scope);
    WF_EXPECT_CODE(readers[0].code, -ECANCELED);
    WF_EXPECT_CODE(readers[1].code, -ECANCELED);
    WF_EXPECT_INT(shop.loads, 1);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).entries, 0);
}

/* ---- Loads that ask ---- */

static int load_by_asking(struct shop *shop, struct wf_load *load)
{
    shop->loads++;
    int rc = wf_yield();
    if (rc < 0) return rc;
    bool first = load->key.size == 3;
    return ask(shop, first ? "grace" : "ada");
}

static int load_itself(struct shop *shop, struct wf_load *load)
{
    (void)load;
    return ask(shop, "ada");
}

WF_TEST(a_load_that_asks_for_its_own_key_is_told, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_itself, &shop), .name = "users"), 0)) return;
    WF_EXPECT_FAILURE(ask(&shop, "ada"), -EDEADLK, "users: a load asks for its own key");
    WF_EXPECT_INT((int64_t)statistics_of(&shop).loading, 0);
}

WF_TEST(two_loads_that_ask_for_each_other_are_told, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_by_asking, &shop)), 0)) return;
    WF_SCOPE(scope);
    struct reader readers[] = {{.shop = &shop, .key = "ada"}, {.shop = &shop, .key = "grace"}};
    wf_spawn(&scope, read_item, &readers[0]);
    wf_spawn(&scope, read_item, &readers[1]);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(readers[0].code, -EDEADLK);
    WF_EXPECT_CODE(readers[1].code, -EDEADLK);
    WF_INVARIANT(statistics_of(&shop).loading == 0);
}

/* ---- Invalidating ---- */

/* S046 */
WF_TEST(invalidating_beats_a_load_under_way, SWEPT)
{
    struct reader before[3], after[3];
    SHOP(shop);
    shop.takes = WF_SECONDS(10);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    WF_SCOPE(scope);
    spawn_readers(&scope, &shop, before, 3);
    wf_sleep(WF_SECONDS(5));
    wf_cache_invalidate(shop.cache, wf_key_text("ada"));
    spawn_readers(&scope, &shop, after, 3);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(6)), 0); /* the first load is over */
    for (int i = 0; i < 3; i++) WF_EXPECT_INT(before[i].number, 1);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).entries, 0);
    WF_EXPECT(!after[0].done);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    for (int i = 0; i < 3; i++) WF_EXPECT_INT(after[i].number, 2);
    WF_EXPECT_INT(ask(&shop, "ada"), 2);
}

/* S046 */
WF_TEST(invalidating_all_does_so_for_every_key, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
    WF_EXPECT_INT(ask(&shop, "grace"), 2);
    shop.takes = WF_SECONDS(1);
    WF_SCOPE(scope);
    struct reader reader = {.shop = &shop, .key = "mary"};
    wf_spawn(&scope, read_item, &reader);
    wf_yield();
    wf_cache_invalidate_all(shop.cache);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).invalidated, 2);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(reader.number, 3);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).entries, 0);
    WF_EXPECT_INT(ask(&shop, "mary"), 4);
}

WF_TEST(a_flight_that_was_invalidated_is_still_handed_over, SWEPT)
{
    struct wf_handle leader = {.task_ = NULL};
    SHOP(shop);
    shop.takes = WF_SECONDS(10);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    WF_SCOPE(scope);
    struct reader first = {.shop = &shop, .key = "ada"}, second = first;
    wf_spawn(&scope, read_item, &first, .handle = &leader);
    wf_spawn(&scope, read_item, &second);
    wf_sleep(WF_SECONDS(1));
    wf_cache_invalidate(shop.cache, wf_key_text("ada"));
    wf_handle_cancel(&leader, "not needed");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(second.number, 2);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).entries, 0);
}

/* S046 */
WF_TEST(the_empty_key_is_a_key_like_any_other, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    WF_EXPECT_INT(ask(&shop, ""), 1);
    WF_EXPECT_INT(ask(&shop, "ada"), 2);
    wf_cache_invalidate(shop.cache, wf_key_bytes(NULL, 0));
    WF_EXPECT_INT(ask(&shop, "ada"), 2);
    WF_EXPECT_INT(ask(&shop, ""), 3);
}

/* ---- Destroying ---- */

WF_TEST(destroying_a_cache_leaves_loads_to_those_who_wait, SWEPT)
{
    struct reader readers[5];
    struct wf_handle leader = {.task_ = NULL};
    SHOP(shop);
    shop.takes = WF_SECONDS(10);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    WF_SCOPE(scope);
    struct reader first = {.shop = &shop, .key = "grace"};
    wf_spawn(&scope, read_item, &first, .handle = &leader);
    spawn_readers(&scope, &shop, readers, 5);
    struct reader last = {.shop = &shop, .key = "grace"};
    wf_spawn(&scope, read_item, &last);
    wf_sleep(WF_SECONDS(5));
    for (int i = 0; i < 5; i++) WF_EXPECT(!readers[i].done);
    close_shop(&shop);
    wf_handle_cancel(&leader, "not needed");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    for (int i = 0; i < 5; i++) WF_EXPECT_INT(readers[i].number, 2);
    WF_EXPECT_INT(last.number, 3); /* it loaded by itself */
}

WF_TEST(a_value_stays_while_an_arena_holds_it, SWEPT)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .entries_max = 1), 0)) return;
    const struct item *item[3] = {NULL};
    WF_EXPECT_CODE(wf_cache_get(shop.cache, wf_key_text("ada"), &arena, &item[0]), 0);
    WF_EXPECT_CODE(wf_cache_get(shop.cache, wf_key_text("grace"), &arena, &item[1]), 0);
    wf_cache_invalidate_all(shop.cache);
    WF_EXPECT_CODE(wf_cache_get(shop.cache, wf_key_text("mary"), &arena, &item[2]), 0);
    close_shop(&shop);
    if (item[0] != NULL) WF_INVARIANT(strcmp(item[0]->name, "ada") == 0);
    if (item[1] != NULL) WF_INVARIANT(strcmp(item[1]->name, "grace") == 0);
    if (item[2] != NULL) WF_INVARIANT(strcmp(item[2]->name, "mary") == 0);
    wf_arena_finish(&arena);
}

static void note_end(const char *what)
{
    wf_test_note("%s", what);
}

static int load_resource(struct shop *shop, struct wf_load *load)
{
    shop->loads++;
    load->value = "open";
    return wf_arena_defer(load->arena, note_end, "closed");
}

WF_TEST(what_a_value_has_to_give_back_is_given_back_after_its_last_reader, SWEPT)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    const char *value;
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_resource, &shop)), 0)) return;
    WF_EXPECT_CODE(wf_cache_get(shop.cache, WF_KEY(shop.loads), &arena, &value), 0);
    wf_test_note("invalidate");
    wf_cache_invalidate_all(shop.cache);
    wf_test_note("reset");
    wf_arena_reset(&arena);
    WF_EXPECT_TEXT(wf_test_notes(), "invalidate reset closed");
    wf_arena_finish(&arena);
}

WF_TEST(an_arena_without_room_gets_nothing_and_the_cache_keeps_it, SWEPT)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    wf_arena_set_limit(&arena, 16);
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    const struct item *item = &(const struct item){.number = 7};
    WF_EXPECT_CODE(wf_cache_get(shop.cache, wf_key_text("ada"), &arena, &item), -ENOMEM);
    WF_EXPECT(item == NULL);
    WF_EXPECT_CODE(wf_cache_get(shop.cache, wf_key_text("ada"), NULL, &item), -ENOMEM);
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
    wf_arena_finish(&arena);
}

/* ---- Other ways in and out ---- */

static int compute_twice(const int *number, struct wf_load *load)
{
    int *twice = wf_arena_new(load->arena, int);
    if (twice == NULL) return -ENOMEM;
    *twice = 2 * *number;
    load->value = twice;
    return 0;
}

WF_TEST(a_call_may_bring_its_own_function, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache), 0)) return;
    const int numbers[] = {21, 4}, *value;
    int key = 17;
    struct wf_arena *arena = wf_task_arena();
    if (!WF_EXPECT_CODE(wf_cache_get_or_compute(shop.cache, WF_KEY(key), arena, compute_twice, &numbers[0], &value), 0))
        return;
    WF_EXPECT_INT(*value, 42);
    key = 18;
    WF_EXPECT_CODE(wf_cache_get_or_compute(shop.cache, WF_KEY(key), arena, compute_twice, &numbers[1], &value), 0);
    key = 17;
    if (!WF_EXPECT_CODE(wf_cache_get_or_compute(shop.cache, WF_KEY(key), arena, compute_twice, &numbers[1], &value), 0))
        return;
    WF_EXPECT_INT(*value, 42);
    WF_EXPECT_FAILURE(wf_cache_get(shop.cache, WF_KEY(key), arena, &value), -EINVAL, "made without WF_LOAD");
    WF_EXPECT(value == NULL);
}

WF_TEST(a_peek_loads_nothing_and_counts_nothing, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .ttl = WF_SECONDS(1)), 0)) return;
    const struct item *item;
    struct wf_arena *arena = wf_task_arena();
    WF_EXPECT_CODE(wf_cache_peek(shop.cache, wf_key_text("ada"), arena, &item), -ENOENT);
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
    if (WF_EXPECT_CODE(wf_cache_peek(shop.cache, wf_key_text("ada"), arena, &item), 0)) WF_EXPECT_INT(item->number, 1);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), 0);
    WF_EXPECT_CODE(wf_cache_peek(shop.cache, wf_key_text("ada"), arena, &item), -ENOENT);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).hits, 0);
    WF_EXPECT_INT(shop.loads, 1);
}

WF_TEST(what_is_put_is_copied_and_beats_a_load_under_way, SWEPT)
{
    SHOP(shop);
    shop.takes = WF_SECONDS(1);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .ttl = WF_SECONDS(10)), 0)) return;
    WF_SCOPE(scope);
    struct reader reader = {.shop = &shop, .key = "ada"};
    wf_spawn(&scope, read_item, &reader);
    wf_yield();
    struct item item = {.number = 42, .name = "ada"};
    WF_EXPECT_CODE(wf_cache_put(shop.cache, wf_key_text("ada"), &item, sizeof item, WF_SECONDS(5)), 0);
    item.number = 0;
    WF_EXPECT_INT(ask(&shop, "ada"), 42);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(reader.number, 1);
    WF_EXPECT_INT(ask(&shop, "ada"), 42);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(4)), 0);
    WF_EXPECT_INT(ask(&shop, "ada"), 2);
    const void *nothing;
    WF_EXPECT_CODE(wf_cache_put(shop.cache, wf_key_text(""), NULL, 0, 0), 0);
    WF_EXPECT_CODE(wf_cache_peek(shop.cache, wf_key_text(""), wf_task_arena(), &nothing), 0);
    WF_EXPECT(nothing != NULL);
}

/* ---- Bad input ---- */

WF_TEST(keys_without_sense_are_refused, SWEPT)
{
    static const char large[65537];
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .name = "users"), 0)) return;
    const struct item *item;
    struct wf_arena *arena = wf_task_arena();
    struct wf_key too_large = wf_key_bytes(large, sizeof large), nowhere = wf_key_bytes(NULL, 1);
    WF_EXPECT_FAILURE(wf_cache_get(shop.cache, too_large, arena, &item), -E2BIG, "users: a key of 65537 bytes");
    WF_EXPECT_FAILURE(wf_cache_peek(shop.cache, too_large, arena, &item), -E2BIG, "64 KiB are the most");
    WF_EXPECT_CODE(wf_cache_put(shop.cache, too_large, "x", 1, 0), -E2BIG);
    WF_EXPECT_FAILURE(wf_cache_get(shop.cache, nowhere, arena, &item), -EINVAL, "nowhere");
    WF_EXPECT_FAILURE(wf_cache_put(shop.cache, wf_key_text("a"), "x", 1, -1), -EINVAL, "below 0");
    wf_cache_invalidate(shop.cache, too_large);
    wf_cache_invalidate(shop.cache, nowhere);
    WF_EXPECT_CODE(wf_cache_get(shop.cache, wf_key_bytes(large, 65536), arena, &item), 0);
    WF_EXPECT_INT(shop.loads, 1);
}

static struct wf_scope some_scope;

static int load_nothing(void *context, struct wf_load *load)
{
    (void)context, (void)load;
    return 0;
}

#define OPTIONS(...)                                                                                                   \
    {                                                                                                                  \
        .size = sizeof(struct wf_cache_options), .load_ = load_nothing, __VA_ARGS__                                    \
    }

static const struct wf_cache_options bad_options[] = {
    OPTIONS(.ttl = -1),
    OPTIONS(.negative_ttl = INT64_MIN),
    OPTIONS(.stale = -1, .ttl = 1, .scope = &some_scope),
    OPTIONS(.stale_if_error = -1, .ttl = 1),
    OPTIONS(.stale = 1, .ttl = 1),
    OPTIONS(.stale = 1, .scope = &some_scope),
    OPTIONS(.stale_if_error = 1),
    OPTIONS(.negative = is_anything),
    OPTIONS(.policy = (enum wf_cache_policy)7),
    {.size = sizeof(struct wf_cache_options), .stale = 1, .ttl = 1, .scope = &some_scope},
    {.size = 8},
};

WF_TEST_EACH(options_without_sense_are_refused, bad_options, SWEPT)
{
    struct wf_cache *cache;
    WF_EXPECT_FAILURE(wf_cache_create_(&cache, row), -EINVAL, "cache: ");
    WF_EXPECT(cache == NULL);
    wf_cache_destroy(cache);
}

WF_TEST(the_largest_options_do_not_overflow, .simulated = true, .sweep = true, .timeout = WF_FOREVER)
{
    SHOP(shop);
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .ttl = INT64_MAX, .stale = INT64_MAX,
                                       .scope = &scope, .stale_if_error = INT64_MAX, .negative_ttl = INT64_MAX,
                                       .weight_max = SIZE_MAX, .entries_max = SIZE_MAX),
                       0)) {
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        WF_EXPECT_CODE(wf_sleep(INT64_MAX / 2), 0);
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        close_shop(&shop);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
