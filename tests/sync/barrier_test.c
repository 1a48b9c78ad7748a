/* Rules 4.1 and 4.3 for barriers. The sweeps cut each test everywhere. */
#include <weft/testing.h>
#include <weft/weft.h>

struct runner {
    struct wf_barrier *barrier;
    int rounds, rc, places;
};

static int run_rounds(struct runner *runner)
{
    for (int i = 0; i < runner->rounds; i++) {
        runner->rc = wf_barrier_wait(runner->barrier);
        if (runner->rc < 0) return 0;
        runner->places |= 1 << runner->rc;
        wf_test_note("%d", i);
    }
    return 0;
}

WF_TEST(nobody_goes_on_before_the_last_has_come, .rule = "4.3", .sweep = true)
{
    struct wf_barrier barrier = WF_BARRIER(3);
    struct runner runners[3];
    WF_SCOPE(scope);
    for (size_t i = 0; i < 3; i++) {
        runners[i] = (struct runner){.barrier = &barrier, .rounds = 2};
        if (i == 2) WF_EXPECT_CODE(wf_test_wait_idle(), 0);
        WF_EXPECT_TEXT(wf_test_notes(), "");
        wf_spawn(&scope, run_rounds, &runners[i]);
    }
    if (wf_test_injected()) wf_scope_cancel(&scope, "perhaps one does not come");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "0 0 0 1 1 1");
    struct wf_sync_statistics now;
    wf_barrier_statistics(&barrier, &now);
    WF_EXPECT_INT((int64_t)now.passed, 6);
    WF_EXPECT_INT((int64_t)now.waited, 4);
}

WF_TEST(everybody_learns_its_place_in_the_order_of_arrival, .rule = "4.1", .sweep = true)
{
    struct wf_barrier barrier = WF_BARRIER(3);
    struct runner runners[2];
    WF_SCOPE(scope);
    for (size_t i = 0; i < 2; i++) {
        runners[i] = (struct runner){.barrier = &barrier, .rounds = 1};
        wf_spawn(&scope, run_rounds, &runners[i]);
    }
    wf_yield();
    if (wf_test_injected()) wf_barrier_abort(&barrier);
    WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(wf_barrier_wait(&barrier)), 2);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(runners[0].rc, 0);
    WF_EXPECT_CODE(runners[1].rc, 1);
}

WF_TEST(a_cancelled_waiter_is_not_counted, .rule = "1.3 4.3", .sweep = true)
{
    struct wf_barrier barrier = WF_BARRIER(3);
    struct runner runners[3];
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope);
    for (size_t i = 0; i < 3; i++) {
        runners[i] = (struct runner){.barrier = &barrier, .rounds = 1, .rc = 9};
        if (i == 2) {
            wf_yield();
            wf_handle_cancel(&handle, "not needed");
        }
        wf_spawn(&scope, run_rounds, &runners[i], .handle = i == 0 ? &handle : NULL);
    }
    for (int i = 0; i < 3; i++) wf_yield();
    WF_EXPECT_CODE(runners[0].rc, -ECANCELED);
    WF_EXPECT_CODE(runners[1].rc, 9);
    if (wf_test_injected()) wf_barrier_abort(&barrier);
    WF_EXPECT_CODE(wf_barrier_wait(&barrier), 2);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(runners[1].rc, 0);
    WF_EXPECT_CODE(runners[2].rc, 1);
}

WF_TEST(who_was_let_through_returns_its_place_though_it_is_cancelled_in_the_same_pass, .rule = "1.3", .sweep = true)
{
    struct wf_barrier barrier = WF_BARRIER(2);
    struct runner runner = {.barrier = &barrier, .rounds = 1};
    WF_SCOPE(scope);
    wf_spawn(&scope, run_rounds, &runner);
    wf_yield();
    if (wf_test_injected()) wf_barrier_abort(&barrier);
    WF_EXPECT_CODE(wf_barrier_wait(&barrier), 1);
    wf_scope_cancel(&scope, "a moment too late");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(runner.rc, 0);
}

WF_TEST(an_aborted_barrier_sends_everybody_away_until_it_is_reset, .sweep = true)
{
    struct wf_barrier barrier = WF_BARRIER(2);
    struct runner runner = {.barrier = &barrier, .rounds = 1};
    WF_SCOPE(scope);
    wf_spawn(&scope, run_rounds, &runner);
    wf_yield();
    wf_barrier_abort(&barrier);
    WF_EXPECT_CODE(wf_barrier_wait(&barrier), -EPIPE);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(runner.rc, -EPIPE);
    wf_barrier_abort(&barrier);
    wf_barrier_reset(&barrier);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_barrier_wait(&barrier)), -ETIME);
}

WF_TEST(a_reset_sends_away_those_who_wait_and_no_others, .sweep = true)
{
    struct wf_barrier barrier = WF_BARRIER(2);
    struct runner first = {.barrier = &barrier, .rounds = 1}, second = {.barrier = &barrier, .rounds = 1};
    WF_SCOPE(scope);
    wf_spawn(&scope, run_rounds, &first);
    wf_yield();
    wf_barrier_reset(&barrier);
    wf_spawn(&scope, run_rounds, &second);
    wf_yield();
    if (wf_test_injected()) wf_barrier_abort(&barrier);
    WF_EXPECT_CODE(wf_barrier_wait(&barrier), 1);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(first.rc, -EPIPE);
    WF_EXPECT_CODE(second.rc, 0);
}

WF_TEST(a_barrier_needs_a_party)
{
    struct wf_barrier none = WF_BARRIER(0), negative = WF_BARRIER(-1), one = WF_BARRIER(1);
    WF_EXPECT_CODE(wf_barrier_wait(&none), -EINVAL);
    WF_EXPECT_CODE(wf_barrier_wait(&negative), -EINVAL);
    WF_EXPECT_CODE(wf_barrier_wait(&one), 0);
    WF_EXPECT_CODE(wf_barrier_wait(&one), 0);
}

WF_TEST_MAIN
