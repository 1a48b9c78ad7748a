/* Rules 2.1 to 2.5: deadlines. */
#include <weft/testing.h>
#include <weft/weft.h>

WF_TEST(a_timeout_ends_a_long_call_with_ETIME, .rule = "2.3")
{
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(10), wf_sleep(WF_SECONDS(10))), -ETIME);
    int64_t took = wf_now() - started;
    WF_EXPECT(took >= WF_MILLISECONDS(10) && took < WF_SECONDS(1));
}

WF_TEST(a_call_that_ends_in_time_keeps_its_result, .rule = "2.3")
{
    WF_EXPECT_CODE(wf_within(WF_SECONDS(10), wf_sleep(WF_MILLISECONDS(1))), 0);
}

static int fail_with(int *code)
{
    return *code;
}

WF_TEST(an_error_passes_through_even_after_the_deadline, .rule = "2.3 2.4")
{
    int code = -EIO;
    WF_EXPECT_CODE(wf_within(-1, fail_with(&code)), -EIO);
    int success = 7;
    WF_EXPECT_CODE(wf_within(-1, fail_with(&success)), 7);
}

/* 2.4 */
WF_TEST(an_expired_deadline_fails_the_first_suspending_call, .rule = "2.4")
{
    struct wf_event set = WF_EVENT;
    wf_event_set(&set);
    WF_EXPECT_CODE(wf_within(0, wf_event_wait(&set)), -ETIME);
    WF_EXPECT_CODE(wf_within(-5, wf_yield()), -ETIME);
    WF_EXPECT_CODE(wf_until(0, wf_yield()), -ETIME);
    WF_EXPECT_CODE(wf_until(wf_now() - 1, wf_yield()), -ETIME);
    WF_SCOPE(scope, .timeout = -1);
    WF_EXPECT_CODE(wf_event_wait(&set), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_end(&scope, -ECANCELED), -ETIME);
    WF_EXPECT(wf_scope_expired(&scope) && wf_scope_caught(&scope));
}

WF_TEST(zero_in_options_means_none, .rule = "2.4")
{
    WF_SCOPE(scope, .timeout = 0);
    WF_EXPECT(wf_deadline() > wf_now() && !wf_scope_cancelled(&scope));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* 2.3 */
WF_TEST(an_inner_expiry_does_not_trip_the_outer_scope, .rule = "2.3")
{
    WF_SCOPE(scope, .timeout = WF_SECONDS(60));
    int rc = wf_within(WF_MILLISECONDS(1), wf_sleep(WF_SECONDS(30)));
    WF_EXPECT_CODE(rc, -ETIME);
    WF_EXPECT_CODE(wf_yield(), 0);
    WF_EXPECT_CODE(wf_scope_end(&scope, 0), 0);
    WF_EXPECT(!wf_scope_expired(&scope));
}

WF_TEST(an_outer_expiry_is_translated_by_the_outer_scope_only, .rule = "2.3")
{
    int inner = 0;
    int outer = wf_within(WF_MILLISECONDS(1), inner = wf_within(WF_SECONDS(60), wf_sleep(WF_SECONDS(30))));
    WF_EXPECT_CODE(inner, -ECANCELED);
    WF_EXPECT_CODE(outer, -ETIME);
}

static int inner_then_outer(void *unused)
{
    (void)unused;
    return wf_within(WF_MILLISECONDS(1), wf_sleep(WF_SECONDS(30)));
}

WF_TEST(an_outer_cancel_is_never_turned_into_ETIME, .rule = "2.3 3.3.4")
{
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope);
    wf_spawn(&scope, inner_then_outer, NULL, .handle = &handle);
    wf_yield();
    wf_scope_cancel(&scope, "outer");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_handle_result(&handle), -ECANCELED);
}

/* S037: 2 + 2 + 3 under 5, scaled so as to hold on a busy machine. */
WF_TEST(a_shared_absolute_deadline_cuts_the_third_operation, .rule = "2.1")
{
    int64_t started = wf_now(), deadline = started + WF_MILLISECONDS(250);
    WF_EXPECT_CODE(wf_until(deadline, wf_sleep(WF_MILLISECONDS(20))), 0);
    WF_EXPECT_CODE(wf_until(deadline, wf_sleep(WF_MILLISECONDS(20))), 0);
    WF_EXPECT_CODE(wf_until(deadline, wf_sleep(WF_SECONDS(3))), -ETIME);
    WF_EXPECT(wf_now() >= deadline && wf_now() < deadline + WF_SECONDS(2));
}

/* 2.2 */
WF_TEST(the_effective_deadline_is_the_minimum_up_to_the_nearest_shield, .rule = "2.2")
{
    WF_EXPECT(wf_remaining() <= WF_SECONDS(10));
    WF_SCOPE(outer, .timeout = WF_SECONDS(5));
    WF_SCOPE(inner, .timeout = WF_SECONDS(9));
    WF_EXPECT(wf_remaining() <= WF_SECONDS(5) && wf_remaining() > WF_SECONDS(4));
    {
        WF_SCOPE(shield, .shield = true, .timeout = WF_SECONDS(7));
        WF_EXPECT(wf_remaining() > WF_SECONDS(6));
        WF_EXPECT_CODE(wf_scope_join(&shield), 0);
    }
    WF_EXPECT_CODE(wf_scope_join(&inner), 0);
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
}

WF_TEST(a_remaining_time_is_never_0_and_stays_expired, .rule = "2.4")
{
    WF_SCOPE(scope, .timeout = -1);
    WF_EXPECT(wf_remaining() < 0);
    WF_EXPECT_CODE(wf_shielded(wf_remaining(), wf_yield()), -ETIME);
    WF_EXPECT_CODE(wf_scope_end(&scope, 0), 0);
}

/* 2.5 */
WF_TEST(a_deadline_can_be_moved_but_not_taken_back, .rule = "2.5")
{
    WF_SCOPE(scope, .timeout = WF_MILLISECONDS(1));
    wf_scope_set_deadline(&scope, WF_FOREVER);
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(5)), 0);
    wf_scope_set_deadline(&scope, wf_now() + WF_MILLISECONDS(1));
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(5)), -ECANCELED);
    wf_scope_set_deadline(&scope, WF_FOREVER);
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(1)), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_end(&scope, -ECANCELED), -ETIME);
}

static int sleep_for(int64_t *duration)
{
    return wf_sleep(*duration);
}

WF_TEST(children_share_the_deadline_and_join_says_ETIME, .rule = "3.3.5")
{
    int64_t quick = WF_MILLISECONDS(1), slow = WF_SECONDS(30);
    WF_SCOPE(scope, .timeout = WF_MILLISECONDS(10));
    wf_spawn(&scope, sleep_for, &quick);
    wf_spawn(&scope, sleep_for, &slow);
    WF_EXPECT_CODE(wf_scope_join(&scope), -ETIME);
}

static int uncancellable(void *unused)
{
    (void)unused;
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(10)));
    return 0;
}

WF_TEST(a_scope_whose_children_all_succeed_late_succeeds, .rule = "2.3 3.3")
{
    WF_SCOPE(scope, .timeout = WF_MILLISECONDS(1));
    wf_spawn(&scope, uncancellable, NULL);
    wf_yield();
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT(wf_scope_expired(&scope) && !wf_scope_caught(&scope));
}

WF_TEST(relative_durations_saturate, .rule = "2.1")
{
    WF_EXPECT_INT(wf_deadline_after(WF_FOREVER), WF_FOREVER);
    WF_EXPECT_INT(wf_deadline_after(INT64_MIN), 0);
    WF_SCOPE(scope, .timeout = WF_FOREVER);
    WF_EXPECT_CODE(wf_yield(), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_failing_primary_and_a_timeout_lead_to_the_fallback)
{
    int64_t slow = WF_SECONDS(30), quick = WF_MILLISECONDS(1);
    int rc = wf_within(WF_MILLISECONDS(5), sleep_for(&slow));
    if (rc == -ETIME) rc = sleep_for(&quick);
    WF_EXPECT_CODE(rc, 0);
}

WF_TEST_MAIN
