/* The cache's room: what leaves it, and in which order; what an entry weighs; entries whose time is over. */
#include "cache.h"

static bool has(struct shop *shop, const char *key)
{
    const struct item *item;
    return wf_cache_peek(shop->cache, wf_key_text(key), wf_task_arena(), &item) == 0;
}

/* The keys that are there, in the order of the alphabet. */
static const char *keys_there(struct shop *shop)
{
    static char text[27];
    size_t count = 0;
    for (char letter = 'a'; letter <= 'z'; letter++)
        if (has(shop, (char[]){letter, '\0'})) text[count++] = letter;
    text[count] = '\0';
    return text;
}

static void ask_for_each(struct shop *shop, const char *letters)
{
    for (; *letters != '\0'; letters++) WF_EXPECT(ask(shop, (char[]){*letters, '\0'}) > 0);
}

WF_TEST(what_was_not_used_for_longest_makes_room, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .entries_max = 3), 0)) return;
    ask_for_each(&shop, "abca");
    WF_EXPECT_TEXT(keys_there(&shop), "abc");
    ask_for_each(&shop, "d");
    WF_EXPECT_TEXT(keys_there(&shop), "acd");
    ask_for_each(&shop, "ce");
    WF_EXPECT_TEXT(keys_there(&shop), "cde");
    ask_for_each(&shop, "f");
    WF_EXPECT_TEXT(keys_there(&shop), "cef");
    WF_EXPECT_INT((int64_t)statistics_of(&shop).evicted, 3);
    WF_INVARIANT(statistics_of(&shop).entries <= 3);
}

WF_TEST(what_is_used_least_makes_room, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .entries_max = 3,
                                        .policy = WF_CACHE_LFU),
                        0))
        return;
    ask_for_each(&shop, "aaabbbbcc");
    ask_for_each(&shop, "d");
    WF_EXPECT_TEXT(keys_there(&shop), "abd");
    ask_for_each(&shop, "e");
    WF_EXPECT_TEXT(keys_there(&shop), "abe");
    ask_for_each(&shop, "eeeef");
    WF_EXPECT_TEXT(keys_there(&shop), "bef");
    WF_EXPECT_INT((int64_t)statistics_of(&shop).evicted, 3);
    WF_INVARIANT(statistics_of(&shop).entries <= 3);
}

/* Uses are halved with every thirty of all three; the others have some ten in each of the rounds. */
WF_TEST(old_fame_fades, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .entries_max = 3,
                                        .policy = WF_CACHE_LFU),
                        0))
        return;
    ask_for_each(&shop, "bcd");
    for (int i = 0; i < 1000; i++) ask_for_each(&shop, "a");
    int rounds = 0;
    while (rounds < 100 && has(&shop, "a") && !wf_cancelled() && !wf_test_injected()) {
        ask_for_each(&shop, rounds % 2 == 0 ? "bbbbbbbbbbccccccccccd" : "ddddddddddbbbbbbbbbbc");
        rounds++;
    }
    WF_EXPECT(rounds >= 2 && rounds <= 10);
}

WF_TEST(fame_outlives_a_reload, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .entries_max = 2,
                                        .policy = WF_CACHE_LFU),
                        0))
        return;
    ask_for_each(&shop, "aaaab");
    struct item item = {.number = 9, .name = "a"};
    WF_EXPECT_CODE(wf_cache_put(shop.cache, wf_key_text("a"), &item, sizeof item, 0), 0);
    ask_for_each(&shop, "bc");
    WF_EXPECT_TEXT(keys_there(&shop), "ac");
}

/* Fifty keys are asked for again and again, and between any two of them three that never come again: under LRU these
 * wash out the others. Gives how often one of the fifty was loaded after the first time. */
static int scan(enum wf_cache_policy policy)
{
    int reloads = 0;
    char key[16];
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .entries_max = 100, .policy = policy),
                        0))
        return 0;
    for (int i = 0; i < 5000; i++) {
        int before = shop.loads;
        snprintf(key, sizeof key, "often%d", i % 50);
        WF_EXPECT(ask(&shop, key) > 0);
        if (i >= 50) reloads += shop.loads - before;
        for (int j = 0; i >= 500 && j < 3; j++) {
            snprintf(key, sizeof key, "once%d", 3 * i + j);
            WF_EXPECT(ask(&shop, key) > 0);
        }
    }
    return reloads;
}

WF_TEST(a_scan_does_not_wash_out_what_is_used_often, .simulated = true, .unswept = "thousands of steps")
{
    WF_EXPECT(scan(WF_CACHE_LRU) > 4000);
    WF_EXPECT(scan(WF_CACHE_LFU) < 200);
}

/* ---- Weight ---- */

WF_TEST(all_entries_together_weigh_no_more_than_they_may, SWEPT)
{
    SHOP(shop);
    shop.extra_bytes = 1000;
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .weight_max = 10000), 0)) return;
    for (char letter = 'a'; letter <= 'z'; letter++) {
        ask_for_each(&shop, (char[]){letter, '\0'});
        WF_INVARIANT(statistics_of(&shop).weight <= 10000);
    }
    struct wf_cache_statistics statistics = statistics_of(&shop);
    WF_EXPECT(statistics.entries >= 5 && statistics.entries <= 9);
    WF_EXPECT_INT((int64_t)(statistics.entries + statistics.evicted), 26);
    wf_cache_invalidate_all(shop.cache);
    WF_INVARIANT(statistics_of(&shop).weight == 0 && statistics_of(&shop).entries == 0);
}

WF_TEST(a_small_value_costs_no_kilobyte, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
    WF_EXPECT(statistics_of(&shop).weight <= 400);
    int number = 7;
    WF_EXPECT_CODE(wf_cache_put(shop.cache, wf_key_text("ada"), &number, sizeof number, 0), 0);
    WF_EXPECT(statistics_of(&shop).weight <= 280);
}

WF_TEST(what_is_heavier_than_the_cache_is_given_and_not_kept, SWEPT)
{
    static const char bytes[2000];
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .weight_max = 1000), 0)) return;
    ask_for_each(&shop, "ab");
    shop.extra_bytes = 2000;
    WF_EXPECT_INT(ask(&shop, "c"), 3);
    WF_EXPECT_INT(ask(&shop, "c"), 4);
    WF_EXPECT_TEXT(keys_there(&shop), "ab"); /* nothing went for it */
    WF_EXPECT_FAILURE(wf_cache_put(shop.cache, wf_key_text("a"), bytes, sizeof bytes, 0), -ENOSPC,
                      "heavier than the cache");
    WF_EXPECT_TEXT(keys_there(&shop), "b"); /* it is known to be out of date */
    WF_EXPECT_INT((int64_t)statistics_of(&shop).too_heavy, 3);
}

static size_t weigh_by_key(struct wf_key key, const void *value)
{
    (void)value;
    return key.size > 1 ? (size_t)1 << 20 : 0;
}

WF_TEST(a_program_may_weigh_by_itself, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .weight = weigh_by_key,
                                        .weight_max = 4),
                        0))
        return;
    ask_for_each(&shop, "abcdef");
    WF_EXPECT_INT((int64_t)statistics_of(&shop).weight, 4); /* 0 counts as 1 */
    WF_EXPECT_TEXT(keys_there(&shop), "cdef");
    WF_EXPECT(ask(&shop, "heavy") > 0);
    WF_EXPECT_TEXT(keys_there(&shop), "cdef");
}

/* ---- Age ---- */

WF_TEST(entries_whose_time_is_over_leave_though_nobody_asks_for_them, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    shop.ttl = WF_FOREVER;
    ask_for_each(&shop, "abc"); /* older than those whose time will be over */
    shop.ttl = WF_SECONDS(1);
    ask_for_each(&shop, "defghijklmnopqrstuvwxyz");
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(2)), 0);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).entries, 26);
    for (int i = 0; i < 5; i++) {
        ask_for_each(&shop, "a"); /* a hit */
        WF_EXPECT_CODE(wf_sleep(1), 0);
    }
    WF_EXPECT_INT((int64_t)statistics_of(&shop).entries, 3);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).expired, 23);
    WF_EXPECT_INT(shop.loads, 26);
}

WF_TEST(what_is_to_be_looked_at_next_may_leave_before, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    shop.ttl = WF_SECONDS(1);
    ask_for_each(&shop, "abcdefghijklmnopqrstuvwxyz");
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), 0);
    WF_EXPECT_INT(ask(&shop, "z"), 27); /* looks at the oldest eight before it asks, and at the next when it keeps */
    while (statistics_of(&shop).entries > 1 && !wf_test_injected()) {
        for (const char *letter = "acegikmoqsuwy"; *letter != '\0'; letter++)
            wf_cache_invalidate(shop.cache, wf_key_bytes(letter, 1));
        WF_EXPECT_CODE(wf_sleep(1), 0);
        WF_EXPECT_INT(ask(&shop, "z"), 27);
    }
    WF_EXPECT_INT((int64_t)(statistics_of(&shop).expired + statistics_of(&shop).invalidated), 26);
    WF_EXPECT(statistics_of(&shop).invalidated > 0);
}

/* New ones come all the time, with times of all lengths: no more than a few that are over are ever there. */
WF_TEST(a_cache_that_is_used_does_not_fill_with_what_is_over, .simulated = true, .timeout = WF_MINUTES(1),
        .unswept = "thousands of steps")
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop)), 0)) return;
    char key[16];
    for (int i = 0; i < 5000; i++) {
        shop.ttl = WF_MILLISECONDS(1 + i * 37 % 100);
        snprintf(key, sizeof key, "%d", i);
        WF_EXPECT(ask(&shop, key) > 0);
        WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(1)), 0);
    }
    WF_EXPECT(statistics_of(&shop).entries < 150); /* some 50 are fresh */
}

WF_TEST_MAIN
