/* The cache past a value's time: given at once while it is loaded anew, given where a load fails; failures that are
 * kept. */
#include "cache.h"

#define STALE(scope_of) .ttl = WF_SECONDS(10), .stale = WF_SECONDS(30), .scope = &(scope_of)

WF_TEST(a_stale_value_is_given_at_once_and_loaded_anew_once, SWEPT)
{
    SHOP(shop);
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), STALE(scope)), 0)) {
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        shop.takes = WF_SECONDS(1);
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(10)), 0);
        for (int i = 0; i < 5; i++) WF_EXPECT_NO_SUSPENSION(WF_EXPECT_INT(ask(&shop, "ada"), 1));
        WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(500)), 0);
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), 0);
        WF_EXPECT_NO_SUSPENSION(WF_EXPECT_INT(ask(&shop, "ada"), 2));
        WF_EXPECT_INT(shop.loads, 2);
        WF_EXPECT_INT((int64_t)statistics_of(&shop).stale, 6);
        WF_EXPECT_INT((int64_t)statistics_of(&shop).hits, 7);
        WF_EXPECT_INT((int64_t)statistics_of(&shop).misses, 1);
    }
    close_shop(&shop);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(past_its_stale_time_a_value_is_not_given, SWEPT)
{
    SHOP(shop);
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), STALE(scope)), 0)) {
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        shop.takes = WF_SECONDS(1);
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(40)), 0);
        WF_EXPECT_INT(ask(&shop, "ada"), 2);
    }
    close_shop(&shop);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refresh_that_fails_leaves_the_value_until_its_end_and_is_logged, SWEPT)
{
    SHOP(shop);
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), STALE(scope), .name = "users"), 0)) {
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        shop.code = -EIO;
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(10)), 0);
        for (int i = 0; i < 3; i++) {
            WF_EXPECT_INT(ask(&shop, "ada"), 1);
            WF_EXPECT_CODE(wf_yield(), 0); /* it fails at once */
        }
        WF_EXPECT_INT(shop.loads, 4);
        WF_EXPECT_PART(wf_test_log(), "level=warn module=cache msg=\"refresh failed\" name=users error=");
        const char *first = strstr(wf_test_log(), "refresh failed");
        WF_EXPECT(first == NULL || strstr(first + 1, "refresh failed") == NULL); /* once a second */
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(30) - 1), 0);
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        WF_EXPECT_CODE(wf_sleep(1), 0);
        WF_EXPECT_FAILURE(ask(&shop, "ada"), -EIO, "no ada today");
    }
    close_shop(&shop);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(who_comes_past_the_stale_time_waits_for_the_refresh_under_way, SWEPT)
{
    SHOP(shop);
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), STALE(scope)), 0)) {
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        shop.takes = WF_SECONDS(20);
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(30)), 0);
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(10)), 0);
        WF_EXPECT_INT(ask(&shop, "ada"), 2);
        WF_EXPECT_INT(shop.loads, 2);
    }
    close_shop(&shop);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(where_the_scope_of_refreshes_is_cancelled_waiters_load_for_themselves, SWEPT)
{
    SHOP(shop);
    struct reader reader = {.shop = &shop, .key = "ada"};
    WF_SCOPE(outer);
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), STALE(scope)), 0)) {
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        shop.takes = WF_SECONDS(20);
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(30)), 0);
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(10)), 0);
        wf_spawn(&outer, read_item, &reader);
        wf_yield();
    }
    wf_scope_cancel(&scope, "the app ends");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
    WF_EXPECT_INT(reader.number, 3);
    close_shop(&shop);
}

WF_TEST(where_no_daemon_can_be_started_the_stale_value_is_given_all_the_same, SWEPT)
{
    SHOP(shop);
    WF_SCOPE(app);
    if (WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), STALE(app)), 0)) {
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(10)), 0);
        wf_scope_cancel(&app, "the app ends");
        WF_EXPECT_INT(wf_shielded(WF_SECONDS(1), ask(&shop, "ada")), 1);
        WF_EXPECT_INT(shop.loads, 1);
        WF_INVARIANT(statistics_of(&shop).loading == 0);
    }
    close_shop(&shop);
    WF_EXPECT_CODE(wf_scope_join(&app), 0);
}

WF_TEST(destroying_a_cache_before_its_refresh_has_begun_leaves_nothing, SWEPT)
{
    SHOP(shop);
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), STALE(scope)), 0)) {
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(10)), 0);
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        close_shop(&shop);
        WF_EXPECT_CODE(wf_yield(), 0);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(shop.loads, 1);
}

WF_TEST(a_computed_value_is_never_stale, SWEPT)
{
    SHOP(shop);
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), STALE(scope)), 0)) {
        const struct item *item;
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(10)), 0);
        int rc = wf_cache_get_or_compute(shop.cache, wf_key_text("ada"), wf_task_arena(), load_item, &shop, &item);
        if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_INT(item->number, 2);
    }
    close_shop(&shop);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Where a load fails ---- */

WF_TEST(an_older_value_stands_in_for_a_load_that_fails, SWEPT)
{
    struct reader readers[3];
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .ttl = WF_SECONDS(10),
                                        .stale_if_error = WF_SECONDS(60)),
                        0))
        return;
    WF_EXPECT_INT(ask(&shop, "ada"), 1);
    shop.code = -EIO;
    shop.takes = WF_SECONDS(1);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(10)), 0);
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 3; i++) {
            readers[i] = (struct reader){.shop = &shop, .key = "ada"};
            wf_spawn(&scope, read_item, &readers[i]);
        }
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    for (int i = 0; i < 3; i++) WF_EXPECT_INT(readers[i].number, 1);
    WF_EXPECT_INT(shop.loads, 2); /* it was tried */
    WF_EXPECT_INT((int64_t)statistics_of(&shop).stale_errors, 1);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(58)), 0);
    WF_EXPECT_CODE(ask(&shop, "ada"), -EIO); /* the load ends when that time is over */
    shop.code = 0;
    WF_EXPECT_INT(ask(&shop, "ada"), 4);
}

/* ---- Failures that are kept ---- */

WF_TEST(that_something_is_not_there_is_kept_too, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .ttl = WF_SECONDS(300),
                                        .negative_ttl = WF_SECONDS(5)),
                        0))
        return;
    shop.code = -ENOENT;
    WF_EXPECT_FAILURE(ask(&shop, "ada"), -ENOENT, "no ada today");
    wf_ignore(wf_fail(-EIO, "something else"));
    WF_EXPECT_FAILURE(ask(&shop, "ada"), -ENOENT, "no ada today");
    const struct item *item;
    WF_EXPECT_FAILURE(wf_cache_peek(shop.cache, wf_key_text("ada"), wf_task_arena(), &item), -ENOENT, "no ada today");
    WF_EXPECT_INT(shop.loads, 1);
    WF_EXPECT_INT((int64_t)statistics_of(&shop).negative, 1);
    shop.code = 0;
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(5)), 0);
    WF_EXPECT_INT(ask(&shop, "ada"), 2);
    shop.code = -EIO; /* this may change with the next attempt */
    WF_EXPECT_CODE(ask(&shop, "grace"), -EIO);
    WF_EXPECT_CODE(ask(&shop, "grace"), -EIO);
    WF_EXPECT_INT(shop.loads, 4);
}

static bool is_io(int code)
{
    return code == -EIO;
}

WF_TEST(which_failures_are_kept_and_how_long_is_the_programs_to_say, SWEPT)
{
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .negative_ttl = WF_SECONDS(5),
                                        .negative = is_io),
                        0))
        return;
    shop.code = -ENOENT;
    WF_EXPECT_CODE(ask(&shop, "ada"), -ENOENT);
    shop.code = -EIO;
    shop.ttl = WF_SECONDS(1);
    WF_EXPECT_CODE(ask(&shop, "ada"), -EIO);
    WF_EXPECT_CODE(ask(&shop, "ada"), -EIO);
    WF_EXPECT_INT(shop.loads, 2);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), 0);
    shop.ttl = -1;
    WF_EXPECT_CODE(ask(&shop, "ada"), -EIO);
    WF_EXPECT_CODE(ask(&shop, "ada"), -EIO);
    WF_EXPECT_INT(shop.loads, 4);
}

WF_TEST(that_it_is_gone_replaces_a_stale_value, SWEPT)
{
    SHOP(shop);
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), STALE(scope),
                                       .stale_if_error = WF_SECONDS(30), .negative_ttl = WF_SECONDS(5)),
                       0)) {
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        shop.code = -ENOENT;
        WF_EXPECT_CODE(wf_sleep(WF_SECONDS(10)), 0);
        WF_EXPECT_INT(ask(&shop, "ada"), 1);
        WF_EXPECT_CODE(wf_yield(), 0);
        WF_EXPECT_CODE(ask(&shop, "ada"), -ENOENT);
    }
    close_shop(&shop);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
