/* What the runner promises to a test: a fresh loop, a deadline, its row, expectations that answer, reports to read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- The body ---- */

WF_TEST(a_body_is_a_task)
{
    WF_EXPECT(wf_in_task());
    WF_EXPECT_TEXT(wf_task_name(), "a_body_is_a_task");
    WF_EXPECT_INT((int64_t)wf_task_id(), 1);
}

WF_TEST(a_plain_body_is_none, .plain = true)
{
    WF_EXPECT(!wf_in_task());
}

WF_TEST(a_body_has_a_deadline)
{
    WF_EXPECT(wf_remaining() > WF_SECONDS(5) && wf_remaining() <= WF_SECONDS(10));
}

WF_TEST(a_deadline_can_be_chosen, .timeout = WF_MINUTES(5))
{
    WF_EXPECT(wf_remaining() > WF_MINUTES(4));
}

WF_TEST(a_deadline_can_be_renounced, .timeout = WF_FOREVER)
{
    WF_EXPECT(wf_remaining() > WF_MINUTES(60 * 24 * 365));
}

WF_TEST(a_simulated_test_is_simulated_on_every_driver, .simulated = true)
{
    WF_EXPECT(wf_simulated());
    WF_EXPECT_TEXT(wf_driver_name(), "sim");
}

WF_TEST(a_real_test_is_never_simulated, .real = true)
{
    WF_EXPECT(!wf_simulated());
}

/* ---- Rows ---- */

static const struct sum {
    const char *name;
    int a, b, sum;
} sums[] = {{"small", 1, 2, 3}, {"none", 0, 0, 0}, {"less than none", -5, 2, -3}};

WF_TEST_EACH(a_body_runs_once_for_each_row, sums)
{
    WF_EXPECT_INT(row->a + row->b, row->sum);
    WF_EXPECT_INT(row - sums, (int64_t)wf_test_row());
}

static const char *name_of_sum(size_t row)
{
    return sums[row].name;
}

WF_TEST_EACH(rows_can_have_names, sums, .row_name = name_of_sum, .timeout = WF_SECONDS(1))
{
    WF_EXPECT_INT(row->sum - row->b, row->a);
}

static const int64_t numbers[] = {1, 2, 4};

WF_TEST_EACH(a_table_may_hold_anything, numbers, .plain = true)
{
    WF_EXPECT_INT(*row, INT64_C(1) << wf_test_row());
}

/* ---- Expectations ---- */

WF_TEST(an_expectation_tells_whether_it_held)
{
    WF_EXPECT(WF_EXPECT(true) && WF_EXPECT_INT(1, 1) && WF_EXPECT_CODE(-EINVAL, -EINVAL));
    WF_EXPECT(WF_EXPECT_TEXT("a", "a") && WF_EXPECT_PART("abc", "b") && WF_INVARIANT(true));
    WF_EXPECT(!wf_test_failed());
}

static int refuse(const char *why)
{
    return wf_fail(-EPERM, "refused: %s", why);
}

WF_TEST(a_failure_is_known_by_its_code_and_its_message)
{
    WF_EXPECT(WF_EXPECT_FAILURE(refuse("too late"), -EPERM, "too late"));
    WF_EXPECT(WF_EXPECT_FAILURE(refuse("too early"), -EPERM, "refused: too early"));
    WF_EXPECT(WF_EXPECT_FAILURE(refuse("whatever"), -EPERM, ""));
}

static int refuse_twice(void *unused)
{
    (void)unused;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, refuse, "one", .name = "first");
    wf_spawn(&scope, refuse, "two", .name = "second");
    int rc = wf_scope_join(&scope);
    WF_EXPECT(WF_EXPECT_ERROR(&scope, -EPERM, "two") && WF_EXPECT_ERROR(&scope, -EPERM, "refuse_twice > first"));
    wf_each_error(&scope, error) wf_take_error(error);
    return rc;
}

WF_TEST(an_error_of_a_group_is_known_by_its_code_and_its_path_or_message)
{
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, refuse_twice, NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EPERM);
    WF_EXPECT_ERROR(&scope, -EPERM, "refuse_twice");
}

WF_TEST(suspension_is_seen)
{
    WF_EXPECT_CODE(WF_EXPECT_SUSPENDS(wf_yield()), 0);
    WF_EXPECT_CODE(WF_EXPECT_SUSPENDS(wf_sleep(1)), 0);
    WF_EXPECT_INT(WF_EXPECT_NO_SUSPENSION(2 + 2), 4);
    struct wf_event set = WF_EVENT;
    wf_event_set(&set);
    WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(wf_event_wait(&set)), 0);
}

/* ---- Reports ---- */

WF_TEST(reports_can_be_expected_and_read)
{
    wf_test_allow_reports();
    WF_EXPECT_TEXT(wf_test_reports(), "");
    wf_report("the %s is on", "lamp");
    wf_report("off");
    WF_EXPECT_TEXT(wf_test_reports(), "the lamp is on\noff\n");
}

WF_TEST(reports_begin_anew_with_each_test)
{
    WF_EXPECT_TEXT(wf_test_reports(), "");
}

WF_TEST(a_flood_of_reports_is_cut)
{
    wf_test_allow_reports();
    for (int i = 0; i < 10000; i++) wf_report("again and again and again: %d", i);
    WF_EXPECT(strlen(wf_test_reports()) > 10000);
}

/* ---- Death ---- */

WF_TEST(a_process_may_die_of_a_misuse, .dies = "wf_use(&", .plain = true)
{
    fprintf(stderr, "wf_use(&nothing)");
    abort();
}

WF_TEST(a_process_may_die_by_an_exit, .dies = "leaving")
{
    fprintf(stderr, "leaving\n");
    exit(3);
}

WF_TEST(a_dying_process_may_say_much, .dies = "0 1 2 3 4", .plain = true)
{
    for (int i = 0; i < 100000; i++) fprintf(stderr, "%d ", i);
    _exit(1);
}

/* ---- Injection by hand ---- */

static int yield_often(int *yields)
{
    int rc = 0;
    while (*yields < 10 && (rc = wf_yield()) == 0) ++*yields;
    return rc;
}

static int yields_until(uint64_t suspension, bool in_flight, bool *happened)
{
    int yields = 0;
    WF_SCOPE(scope);
    wf_test_cancel_at(&scope, suspension, in_flight);
    wf_ignore(yield_often(&yields));
    *happened = wf_test_cancel_end();
    wf_ignore(wf_scope_join(&scope));
    return yields;
}

WF_TEST(a_cancel_comes_at_the_suspension_that_was_asked_for)
{
    bool happened;
    WF_EXPECT_INT(yields_until(1, false, &happened), 0);
    WF_EXPECT(happened);
    WF_EXPECT_INT(yields_until(4, false, &happened), 3);
    WF_EXPECT(happened);
    WF_EXPECT_INT(yields_until(11, false, &happened), 10);
    WF_EXPECT(!happened);
    WF_EXPECT_INT(yields_until(0, false, &happened), 10);
    WF_EXPECT(!happened);
}

WF_TEST(an_expectation_still_counts_after_an_injection_by_hand)
{
    bool happened;
    yields_until(1, false, &happened);
    WF_EXPECT(happened && !wf_test_failed());
}

/* In a sweep each run ends, whatever was injected; the last one is whole. */
WF_TEST(a_sweep_comes_to_an_end, .sweep = true)
{
    int yields = 0;
    if (WF_EXPECT_CODE(yield_often(&yields), 0)) WF_EXPECT_INT(yields, 10);
    WF_INVARIANT(yields <= 10);
    WF_INVARIANT(yields == 10 || wf_test_injected());
}

WF_TEST_MAIN
