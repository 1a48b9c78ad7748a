/* What is logged by itself: timed operations (S123), tasks (S125). */
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static size_t count_parts(const char *part)
{
    size_t count = 0;
    for (const char *at = wf_test_log(); (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

/* ---- Timed operations ---- */

static int load(int64_t duration_ns, int rc)
{
    WF_TIMED(timer, "load orders");
    int slept = wf_sleep(duration_ns);
    return wf_timed_end(&timer, slept < 0 ? slept : rc);
}

WF_TEST(success_is_timed, .simulated = true)
{
    WF_EXPECT_CODE(load(WF_MILLISECONDS(120), 3), 3);
    WF_EXPECT_PART(wf_test_log(), "level=info module=events_test msg=\"load orders completed\" duration_ms=120 task=");
    WF_EXPECT_INT((int64_t)count_parts("\n"), 1);
}

WF_TEST(an_error_is_timed, .simulated = true)
{
    WF_EXPECT_CODE(load(WF_MICROSECONDS(1500), -ENOENT), -ENOENT);
    WF_EXPECT_PART(wf_test_log(), "level=warn module=events_test msg=\"load orders failed\" duration_ms=1.5 "
                                  "error=\"No such file or directory\" task=");
    WF_EXPECT_INT((int64_t)count_parts("\n"), 1);
}

WF_TEST(a_cancel_is_timed_and_says_why, .simulated = true)
{
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), load(WF_SECONDS(5), 0)), -ETIME);
    WF_EXPECT_PART(wf_test_log(), "level=info module=events_test msg=\"load orders cancelled\" duration_ms=5 reason=");
    WF_EXPECT_INT((int64_t)count_parts("\n"), 1);
}

static void leave_early(void)
{
    WF_TIMED(timer, "look");
    wf_sleep(WF_MILLISECONDS(2));
}

WF_TEST(a_block_that_is_left_without_a_result_is_timed, .simulated = true)
{
    leave_early();
    WF_EXPECT_PART(wf_test_log(), "msg=\"look ended\" duration_ms=2 task=");
    WF_EXPECT_INT((int64_t)count_parts("\n"), 1);
}

static int leave_early_when_cancelled(void *unused)
{
    (void)unused;
    leave_early();
    return 0;
}

WF_TEST(a_cancelled_block_that_is_left_without_a_result_is_cancelled, .simulated = true)
{
    wf_ignore(wf_within(WF_MILLISECONDS(1), leave_early_when_cancelled(NULL)));
    WF_EXPECT_PART(wf_test_log(), "msg=\"look cancelled\" duration_ms=1 reason=");
    WF_EXPECT_INT((int64_t)count_parts("\n"), 1);
}

WF_TEST(an_expression_is_timed_and_keeps_its_value, .simulated = true)
{
    WF_EXPECT_CODE(wf_timed("nap", wf_sleep(WF_SECONDS(1))), 0);
    WF_EXPECT_INT(wf_timed("sum", INT64_C(5000000000) + 1), 5000000001);
    WF_EXPECT_CODE(wf_timed("nest", wf_timed("egg", -EIO)), -EIO);
    WF_EXPECT_PART(wf_test_log(), "msg=\"nap completed\" duration_ms=1000 ");
    WF_EXPECT_PART(wf_test_log(), "msg=\"egg failed\" duration_ms=0 error=");
    WF_EXPECT_PART(wf_test_log(), "msg=\"nest failed\" duration_ms=0 error=");
}

WF_TEST(the_start_is_said_to_those_who_debug, .simulated = true)
{
    WF_EXPECT_CODE(wf_log_set_level("events_test", WF_DEBUG), 0);
    WF_EXPECT_CODE(load(1, 0), 0);
    WF_EXPECT_PART(wf_test_log(), "level=debug module=events_test msg=\"load orders started\" task=");
    WF_EXPECT_INT((int64_t)count_parts("\n"), 2);
}

WF_TEST(whatever_happens_an_operation_ends_once, .sweep = true)
{
    wf_ignore(load(WF_MILLISECONDS(1), 0));
    WF_INVARIANT(count_parts("load orders ") == 1);
}

/* ---- Tasks ---- */

static int child(const int *rc)
{
    int slept = wf_sleep(WF_MILLISECONDS(1));
    return slept < 0 ? slept : *rc;
}

WF_TEST(tasks_are_not_logged_by_default)
{
    int rc = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, child, &rc);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_log(), "");
}

WF_TEST(each_task_is_logged_once_when_it_starts_and_once_when_it_ends, .sweep = true)
{
    int good = 0, bad = -EIO;
    WF_EXPECT_CODE(wf_log_set_level("task", WF_DEBUG), 0);
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, child, &good, .name = "good");
    wf_spawn(&scope, child, &bad, .name = "bad");
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
    WF_EXPECT_INT((int64_t)count_parts("\n"), 4);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"task started\" child=good child_id="), 1);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"task started\" child=bad child_id="), 1);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"task ended\" result=ok place="), 1);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"task ended\" result=\"Input/output error\" place="), 1);
    WF_INVARIANT(count_parts("task started") == count_parts("task ended"));
}

static int spawn_past_the_limit(void *unused)
{
    (void)unused;
    int rc = 0;
    wf_log_set_level("task", WF_DEBUG);
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_try_spawn(&scope, child, &rc), 0);
    WF_EXPECT_CODE(wf_try_spawn(&scope, child, &rc), -EAGAIN);
    wf_log_set_level("task", WF_INFO);
    WF_EXPECT_CODE(wf_try_spawn(&scope, child, &rc), -EAGAIN);
    return wf_scope_join(&scope);
}

WF_TEST(the_limit_of_tasks_holds_with_and_without_the_log, .plain = true)
{
    WF_EXPECT_CODE(wf_run(spawn_past_the_limit, NULL, .tasks_max = 2), 0);
    WF_EXPECT_INT((int64_t)count_parts("task started"), 1);
}

WF_TEST_MAIN
