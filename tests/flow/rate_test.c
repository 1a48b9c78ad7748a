/* Rate limiters: spacing, bursts, order, what a cancel leaves behind, keys. */
#include <stdio.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct caller {
    struct wf_rate *rate;
    int number;
    int *order, *passed;
    int64_t at;
};

static int pass(struct caller *caller)
{
    int rc = wf_rate_wait(caller->rate);
    if (rc < 0) return rc;
    caller->at = wf_now();
    if (caller->order != NULL) caller->order[(*caller->passed)++] = caller->number;
    return 0;
}

/* ---- Spacing ---- */

/* S047 */
WF_TEST(a_hundred_calls_at_ten_a_second_are_a_tenth_apart, .simulated = true, .sweep = true, .timeout = WF_MINUTES(1))
{
    struct wf_rate rate = WF_RATE(10, WF_SECONDS(1));
    static struct caller callers[100];
    int order[100], passed = 0;
    int64_t started = wf_now();
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 100; i++) {
            callers[i] = (struct caller){&rate, i, order, &passed, 0};
            wf_spawn(&scope, pass, &callers[i]);
        }
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT(wf_now() - started, 99 * WF_MILLISECONDS(100));
    for (int i = 0; i < passed; i++) WF_INVARIANT(order[i] == i);
    for (int i = 1; i < passed; i++) WF_INVARIANT(callers[i].at - callers[i - 1].at >= WF_MILLISECONDS(100));
}

WF_TEST(a_burst_passes_at_once_after_a_pause, .simulated = true, .sweep = true, .timeout = WF_MINUTES(1))
{
    struct wf_rate rate = WF_RATE(10, WF_SECONDS(1), .burst = 5);
    int64_t started = wf_now();
    for (int i = 0; i < 5; i++) WF_EXPECT_CODE(wf_rate_wait(&rate), 0);
    WF_EXPECT_INT(wf_now() - started, 0);
    WF_EXPECT_CODE(wf_rate_wait(&rate), 0);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(100));
    wf_sleep(WF_SECONDS(20)); /* however long the pause, five and not more */
    started = wf_now();
    for (int i = 0; i < 6; i++) WF_EXPECT_CODE(wf_rate_wait(&rate), 0);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(100));
}

WF_TEST(a_rate_that_does_not_divide_is_never_exceeded, .simulated = true, .sweep = true, .timeout = WF_MINUTES(1))
{
    struct wf_rate rate = WF_RATE(3, WF_SECONDS(1));
    int64_t started = wf_now();
    for (int i = 0; i < 31; i++) WF_EXPECT_CODE(wf_rate_wait(&rate), 0);
    WF_EXPECT(wf_now() - started >= WF_SECONDS(10));
    WF_EXPECT(wf_now() - started < WF_SECONDS(10) + 100);
}

/* ---- Trying ---- */

WF_TEST(a_try_says_how_long_until_it_would_pass, .simulated = true, .sweep = true)
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    int64_t left = -1;
    WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(wf_rate_try(&rate, &left), 0));
    WF_EXPECT_INT(left, 0);
    wf_sleep(WF_MILLISECONDS(300));
    WF_EXPECT_CODE(wf_rate_try(&rate, &left), -EAGAIN);
    WF_EXPECT_INT(left, WF_MILLISECONDS(700));
    wf_sleep(left);
    WF_EXPECT_CODE(wf_rate_try(&rate, NULL), 0);
    struct wf_rate_statistics statistics;
    wf_rate_statistics(&rate, &statistics);
    WF_EXPECT_INT((int64_t)statistics.passed, 2);
    WF_EXPECT_INT((int64_t)statistics.refused, 1);
}

WF_TEST(nobody_passes_those_who_wait, .simulated = true, .sweep = true)
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    WF_EXPECT_CODE(wf_rate_try(&rate, NULL), 0);
    struct caller a = {.rate = &rate}, b = {.rate = &rate};
    WF_SCOPE(scope);
    wf_spawn(&scope, pass, &a);
    wf_spawn(&scope, pass, &b);
    wf_yield();
    WF_EXPECT_INT((int64_t)wf_rate_waiting(&rate), 2);
    int64_t left;
    WF_EXPECT_CODE(wf_rate_try(&rate, &left), -EAGAIN);
    WF_EXPECT_INT(left, WF_SECONDS(3)); /* behind both */
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(b.at - a.at, WF_SECONDS(1));
}

/* ---- Cancelling ---- */

/* S047 */
WF_TEST(those_behind_a_cancelled_waiter_move_up, .simulated = true, .sweep = true)
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    struct wf_handle handles[4] = {{.result_ = 0}};
    struct caller callers[4];
    int64_t started = wf_now();
    WF_SCOPE(scope);
    for (int i = 0; i < 4; i++) {
        callers[i] = (struct caller){.rate = &rate};
        wf_spawn(&scope, pass, &callers[i], .handle = &handles[i]);
    }
    wf_sleep(WF_MILLISECONDS(500));
    wf_handle_cancel(&handles[1], "not needed");
    wf_handle_cancel(&handles[2], "not needed");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(callers[0].at - started, 0);
    WF_EXPECT_INT(callers[3].at - started, WF_SECONDS(1));
    struct wf_rate_statistics statistics;
    wf_rate_statistics(&rate, &statistics);
    WF_EXPECT_INT((int64_t)statistics.cancelled, 2);
    WF_INVARIANT(wf_rate_waiting(&rate) == 0);
}

static uint64_t timers_armed(void)
{
    struct wf_statistics statistics;
    wf_loop_statistics(&statistics);
    return statistics.timers_armed;
}

WF_TEST(a_rate_whose_waiters_all_left_may_go_out_of_use, .simulated = true, .sweep = true)
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    uint64_t before = timers_armed();
    WF_EXPECT_CODE(wf_rate_wait(&rate), 0);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(10), wf_rate_wait(&rate)), -ETIME);
    WF_INVARIANT(timers_armed() == before);
}

WF_TEST(a_turn_that_is_given_back_is_the_next_ones, .simulated = true, .sweep = true)
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    WF_EXPECT_CODE(wf_rate_return(&rate), -EPERM);
    WF_EXPECT_CODE(wf_rate_try(&rate, NULL), 0);
    struct caller waiter = {.rate = &rate};
    int64_t started = wf_now();
    WF_SCOPE(scope);
    wf_spawn(&scope, pass, &waiter);
    wf_yield();
    WF_EXPECT_CODE(wf_rate_return(&rate), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(waiter.at, started);
}

/* Many waiters, most of them cancelled at odd times: the others pass in order, and never too soon. */
WF_TEST(no_turn_is_lost_or_doubled_whoever_is_cancelled, .simulated = true, .timeout = WF_MINUTES(60),
        .unswept = "it cancels by itself")
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    static struct wf_handle handles[200];
    static struct caller callers[200];
    int order[200], passed = 0, cancelled = 0;
    int64_t started = wf_now();
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 200; i++) {
            callers[i] = (struct caller){&rate, i, order, &passed, 0};
            wf_spawn(&scope, pass, &callers[i], .handle = &handles[i]);
        }
        for (int i = 0; i < 200; i += 3) {
            wf_sleep(WF_MILLISECONDS(370));
            wf_handle_cancel(&handles[(i * 7) % 200], "not needed");
        }
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    for (int i = 0; i < 200; i++) cancelled += wf_handle_result(&handles[i]) == -ECANCELED;
    WF_EXPECT(cancelled > 20);
    WF_EXPECT_INT(passed, 200 - cancelled);
    for (int i = 0; i < passed; i++) WF_EXPECT_INT(callers[order[i]].at - started, i * WF_SECONDS(1));
    for (int i = 1; i < passed; i++) WF_EXPECT(order[i] > order[i - 1]);
}

/* ---- As a guard ---- */

static int take_now(int64_t *at)
{
    *at = wf_now();
    return 7;
}

WF_TEST(a_guarded_expression_waits_for_its_turn, .simulated = true, .sweep = true)
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    int64_t first = 0, second = 0;
    WF_EXPECT_CODE(wf_guarded(&rate, take_now(&first)), 7);
    WF_EXPECT_CODE(wf_guarded(&rate, take_now(&second)), 7);
    WF_EXPECT_INT(second - first, WF_SECONDS(1));
}

WF_TEST(a_deadline_bounds_the_wait_and_nothing_is_called_then, .simulated = true, .sweep = true)
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(60));
    struct wf_pipeline pipeline = {.within = WF_SECONDS(2), .rate = &rate};
    int64_t first = 0, second = 0;
    WF_EXPECT_CODE(wf_guarded(&pipeline, take_now(&first)), 7);
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_guarded(&pipeline, take_now(&second)), -ETIME);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(2));
    WF_INVARIANT(second == 0);
}

/* ---- Keys ---- */

static int try_key(struct wf_rate_keys *keys, int key)
{
    return wf_rate_keys_try(keys, &key, sizeof key, NULL);
}

WF_TEST(each_key_has_the_rate_to_itself, .simulated = true, .sweep = true)
{
    static const struct wf_rate each = WF_RATE(1, WF_SECONDS(1));
    struct wf_rate_keys *keys;
    int rc = wf_rate_keys_create(&each.options, 10, &keys);
    WF_EXPECT_CODE(rc, 0);
    if (rc < 0) return;
    int64_t left;
    WF_EXPECT_CODE(wf_rate_keys_try(keys, "a", 1, &left), 0);
    WF_EXPECT_INT(left, 0);
    WF_EXPECT_CODE(wf_rate_keys_try(keys, "b", 1, NULL), 0);
    WF_EXPECT_CODE(wf_rate_keys_try(keys, "", 0, NULL), 0);
    WF_EXPECT_CODE(wf_rate_keys_try(keys, "a", 1, &left), -EAGAIN);
    WF_EXPECT_INT(left, WF_SECONDS(1));
    wf_sleep(left);
    WF_EXPECT_CODE(wf_rate_keys_try(keys, "a", 1, NULL), 0);
    wf_rate_keys_destroy(keys);
}

WF_TEST(only_keys_that_are_like_new_make_room, .simulated = true, .sweep = true)
{
    static const struct wf_rate_options options = {.size = sizeof options,
                                                   .count = 1,
                                                   .per = WF_SECONDS(1),
                                                   .burst = 2};
    struct wf_rate_keys *keys;
    int rc = wf_rate_keys_create(&options, 3, &keys);
    WF_EXPECT_CODE(rc, 0);
    if (rc < 0) return;
    WF_EXPECT_CODE(try_key(keys, 1), 0);
    WF_EXPECT_CODE(try_key(keys, 1), 0); /* like new in 2 s, the others in 1 s */
    WF_EXPECT_CODE(try_key(keys, 2), 0);
    WF_EXPECT_CODE(try_key(keys, 3), 0);
    WF_EXPECT_CODE(try_key(keys, 4), -ENOBUFS);
    wf_sleep(WF_SECONDS(1));
    WF_EXPECT_CODE(try_key(keys, 4), 0);
    WF_EXPECT_CODE(try_key(keys, 5), 0);
    WF_EXPECT_CODE(try_key(keys, 6), -ENOBUFS);
    WF_EXPECT_CODE(try_key(keys, 1), 0); /* it was not forgotten: the second half of its burst is not back */
    WF_EXPECT_CODE(try_key(keys, 1), -EAGAIN);
    struct wf_rate_keys_statistics statistics;
    wf_rate_keys_statistics(keys, &statistics);
    WF_EXPECT_INT((int64_t)statistics.evicted, 2);
    WF_EXPECT_INT((int64_t)statistics.crowded, 2);
    WF_INVARIANT(statistics.keys <= 3);
    wf_rate_keys_destroy(keys);
}

/* Calls by ten thousand keys through a thousand places, against a plain array. */
WF_TEST(many_keys_agree_with_a_plain_array, .simulated = true, .timeout = WF_MINUTES(600), .unswept = "a long loop")
{
    static const struct wf_rate_options options = {.size = sizeof options,
                                                   .count = 1,
                                                   .per = WF_SECONDS(1),
                                                   .burst = 3};
    static int64_t due[10000];
    memset(due, 0, sizeof due);
    struct wf_rate_keys *keys;
    WF_EXPECT_CODE(wf_rate_keys_create(&options, 1000, &keys), 0);
    uint32_t random = 1;
    int crowded = 0, wrong = 0;
    for (int i = 0; i < 200000; i++) {
        random = random * 1664525 + 1013904223;
        int key = (int)(random >> 8) % (i % 2 ? 10000 : 100);
        if (i % 64 == 0) wf_sleep(WF_MILLISECONDS(200));
        int64_t now = wf_now();
        bool may = due[key] - WF_SECONDS(2) <= now;
        int rc = try_key(keys, key);
        crowded += rc == -ENOBUFS;
        wrong += rc != -ENOBUFS && rc != (may ? 0 : -EAGAIN);
        if (rc == 0) due[key] = (due[key] > now ? due[key] : now) + WF_SECONDS(1);
    }
    WF_EXPECT_INT(wrong, 0);
    WF_EXPECT_INT(crowded, 0);
    struct wf_rate_keys_statistics statistics;
    wf_rate_keys_statistics(keys, &statistics);
    WF_EXPECT(statistics.evicted > 10000);
    wf_rate_keys_destroy(keys);
}

/* ---- Bad input ---- */

static struct wf_rate bad_rates[] = {
    WF_RATE(0, WF_SECONDS(1)),
    WF_RATE(-1, WF_SECONDS(1)),
    WF_RATE(1, 0),
    WF_RATE(1, -1),
    WF_RATE(1, WF_SECONDS(1), .burst = -1),
    WF_RATE(2, 1),
    WF_RATE(1, WF_SECONDS(1), .burst = INT64_MAX),
    WF_RATE(1, INT64_MAX),
    {.options = {.count = 1, .per = 1}},
};

WF_TEST_EACH(a_rate_without_sense_is_refused, bad_rates, .simulated = true, .sweep = true)
{
    struct wf_rate rate = *row;
    struct wf_rate_keys *keys;
    WF_EXPECT_FAILURE(wf_rate_wait(&rate), -EINVAL, "rate: ");
    WF_EXPECT_FAILURE(wf_rate_try(&rate, NULL), -EINVAL, "rate: ");
    WF_EXPECT_FAILURE(wf_rate_keys_create(&rate.options, 5, &keys), -EINVAL, "rate: ");
}

WF_TEST(a_table_for_no_key_or_too_many_is_refused, .simulated = true, .sweep = true)
{
    static const struct wf_rate_options options = {.size = sizeof options, .count = 1, .per = WF_SECONDS(1)};
    struct wf_rate_keys *keys;
    WF_EXPECT_FAILURE(wf_rate_keys_create(&options, 0, &keys), -EINVAL, "at most 0 keys");
    WF_EXPECT_FAILURE(wf_rate_keys_create(&options, SIZE_MAX, &keys), -EINVAL, "keys");
    wf_rate_keys_destroy(NULL);
}

WF_TEST_MAIN
