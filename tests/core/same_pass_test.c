/* Two things in one pass of the loop: a grant and a cancel, an end and a spawn. Each order has one right outcome. */
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int return_three(void *unused)
{
    (void)unused;
    return 3;
}

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

/* ---- Readiness ---- */

static int ready_and_end(void *unused)
{
    (void)unused;
    wf_ready(1);
    return 0;
}

static int start_quick(struct wf_scope *scope)
{
    return wf_spawn_ready(scope, ready_and_end, NULL);
}

WF_TEST(a_child_that_ends_right_after_it_was_ready_leaves_other_handles_alone)
{
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, start_quick, &scope);
    wf_yield();
    wf_spawn(&scope, return_three, NULL, .handle = &handle);
    for (int i = 0; i < 6; i++) wf_yield();
    WF_EXPECT_CODE(wf_handle_result(&handle), 3);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int fail_in_cleanup(void *unused)
{
    (void)unused;
    wf_sleep(WF_SECONDS(3600));
    return wf_fail(-EIO, "cleanup failed");
}

WF_TEST(a_real_error_of_an_abandoned_child_is_not_lost, .rule = "3.3")
{
    WF_SCOPE(scope, .policy = WF_COLLECT);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_spawn_ready(&scope, fail_in_cleanup, NULL)), -ETIME);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
}

/* ---- Room under a limit ---- */

struct place {
    struct wf_scope *scope;
    struct wf_scope *inner;
    int64_t most;
    int rc;
};

static int spawn_inside(struct place *place)
{
    place->rc = wf_spawn(place->inner, sleep_for_ever, NULL);
    if ((int64_t)wf_scope_alive(place->inner) > place->most) place->most = (int64_t)wf_scope_alive(place->inner);
    return 0;
}

WF_TEST(a_newcomer_does_not_take_the_room_that_was_granted, .rule = "3.7 4.2")
{
    struct place first = {.most = 0}, second = {.most = 0};
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(outer);
    WF_SCOPE(inner, .limit = 1, .policy = WF_COLLECT);
    first.inner = second.inner = &inner;
    wf_spawn(&inner, sleep_for_ever, NULL, .handle = &handle);
    wf_spawn(&outer, spawn_inside, &first);
    wf_yield();
    wf_handle_cancel(&handle, "make room");
    wf_spawn(&outer, spawn_inside, &second);
    for (int i = 0; i < 5; i++) wf_yield();
    WF_EXPECT_INT((int64_t)wf_scope_alive(&inner), 1);
    wf_scope_cancel(&inner, "enough");
    WF_EXPECT_CODE(wf_scope_join(&inner), 0);
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
    WF_INVARIANT(first.most <= 1 && second.most <= 1);
    WF_EXPECT_CODE(first.rc, 0);
    WF_EXPECT_CODE(second.rc, -ECANCELED);
}

static int end_at_once(void *unused)
{
    (void)unused;
    return 0;
}

WF_TEST(a_daemons_end_grants_no_room, .rule = "3.7")
{
    struct place waiting[3] = {{.most = 0}};
    WF_SCOPE(outer);
    WF_SCOPE(inner, .limit = 1, .policy = WF_COLLECT);
    wf_spawn(&inner, sleep_for_ever, NULL);
    for (int i = 0; i < 3; i++) {
        waiting[i].inner = &inner;
        wf_spawn(&outer, spawn_inside, &waiting[i]);
    }
    wf_spawn(&inner, end_at_once, NULL, .daemon = true);
    for (int i = 0; i < 5; i++) wf_yield();
    WF_EXPECT_INT((int64_t)wf_scope_alive(&inner), 1);
    wf_scope_cancel(&inner, "enough");
    WF_EXPECT_CODE(wf_scope_join(&inner), 0);
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
}

static int shielded_nap(void *unused)
{
    (void)unused;
    return wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(100)));
}

WF_TEST(a_cancel_wakes_those_who_wait_for_room_before_the_last_child_ends, .rule = "3.5")
{
    struct place waiting[3] = {{.most = 0}};
    int64_t started = wf_now();
    WF_SCOPE(outer);
    {
        WF_SCOPE(inner, .limit = 1, .policy = WF_COLLECT);
        wf_spawn(&inner, shielded_nap, NULL);
        for (int i = 0; i < 3; i++) {
            waiting[i].inner = &inner;
            wf_spawn(&outer, spawn_inside, &waiting[i]);
        }
        wf_yield();
        wf_scope_cancel(&inner, "no more");
        wf_shielded(WF_SECONDS(1), wf_yield());
        for (int i = 0; i < 3; i++) WF_EXPECT_CODE(waiting[i].rc, -ECANCELED);
        WF_EXPECT(wf_now() - started < WF_MILLISECONDS(90));
        WF_EXPECT_CODE(wf_scope_join(&inner), 0);
    }
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
}

static int spawn_with_used_handle(struct place *place)
{
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(own);
    wf_spawn(&own, sleep_for_ever, NULL, .handle = &handle);
    place->rc = wf_spawn(place->inner, end_at_once, NULL, .handle = &handle);
    wf_scope_cancel(&own, "done");
    return wf_scope_join(&own);
}

WF_TEST(room_that_a_failed_spawn_did_not_use_is_passed_on, .rule = "3.7")
{
    struct place failing = {.most = 0}, next = {.most = 0};
    struct wf_handle first = {.result_ = 0};
    WF_SCOPE(outer);
    WF_SCOPE(inner, .limit = 1, .policy = WF_COLLECT);
    failing.inner = next.inner = &inner;
    next.rc = 99;
    wf_spawn(&inner, sleep_for_ever, NULL, .handle = &first);
    wf_spawn(&outer, spawn_with_used_handle, &failing);
    wf_spawn(&outer, spawn_inside, &next);
    wf_yield();
    wf_handle_cancel(&first, "make room");
    for (int i = 0; i < 6; i++) wf_yield();
    WF_EXPECT_CODE(failing.rc, -EINVAL);
    WF_EXPECT_CODE(next.rc, 0);
    wf_scope_cancel(&inner, "enough");
    WF_EXPECT_CODE(wf_scope_join(&inner), -EINVAL);
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
}

/* ---- Cancelled between two waits of one call ---- */

struct waiting {
    struct wf_handle *handles[2];
    int rc;
};

static int wait_for_both(struct waiting *waiting)
{
    waiting->rc = wf_wait_handles(waiting->handles, 2, WF_ALL_DONE);
    return waiting->rc < 0 ? waiting->rc : 0;
}

WF_TEST(a_cancel_between_two_ends_is_felt_by_who_waits_for_both, .rule = "1.3")
{
    struct wf_handle one = {.result_ = 0}, two = {.result_ = 0};
    struct waiting waiting = {.handles = {&one, &two}};
    WF_SCOPE(outer);
    wf_spawn(&outer, sleep_for_ever, NULL, .handle = &one);
    wf_spawn(&outer, sleep_for_ever, NULL, .handle = &two);
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, wait_for_both, &waiting);
        wf_yield();
        wf_handle_cancel(&one, "first ends");
        wf_yield();
        wf_scope_cancel(&scope, "in the same pass as the wake-up");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_CODE(waiting.rc, -ECANCELED);
    WF_EXPECT(!wf_handle_done(&two));
    wf_scope_cancel(&outer, "done");
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
}

/* real time: a blocking call is what is tested */
static int nap(int64_t *duration_ns)
{
    struct timespec time = {.tv_nsec = *duration_ns};
    clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL); /* real time: it must block */
    return 0;
}

static int offload_nap(int64_t *duration_ns)
{
    return wf_offload(nap, duration_ns);
}

static int crowd(void *unused)
{
    (void)unused;
    int64_t naps[4] = {WF_MILLISECONDS(20), WF_MILLISECONDS(20), WF_MILLISECONDS(20), WF_MILLISECONDS(20)};
    for (int i = 0; i < 10; i++) {
        int rc = wf_within(WF_MILLISECONDS(20) + i * WF_MICROSECONDS(10), wf_gather(naps, WF_COUNT(naps), offload_nap));
        if (rc < 0 && rc != -ETIME) return rc;
    }
    return 0;
}

WF_TEST(room_in_the_queue_and_a_deadline_at_once_lose_nothing, .rule = "1.4", .plain = true)
{
    WF_EXPECT_CODE(wf_run(crowd, NULL, .threads_max = 1, .queue_max = 1), 0);
    WF_EXPECT_CODE(wf_run(crowd, NULL, .threads_max = 1, .queue_max = UINT32_MAX), 0);
}

/* ---- What is handed up ---- */

static int leave_with_failed_child(void)
{
    static int code;
    (void)code;
    WF_SCOPE(scope);
    wf_spawn(&scope, fail_in_cleanup, NULL);
    wf_yield();
    wf_scope_cancel(&scope, "now");
    return 0;
}

WF_TEST(a_deadline_around_an_expression_passes_on_what_was_handed_up, .rule = "3.2")
{
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), leave_with_failed_child()), -EIO);
}

static int leave_when_cut(void)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, sleep_for_ever, NULL);
    return wf_sleep(WF_SECONDS(3600));
}

WF_TEST(a_caused_cancel_that_is_handed_up_is_not_an_error, .rule = "3.3")
{
    wf_test_allow_reports();
    WF_SCOPE(scope, .timeout = WF_MILLISECONDS(5));
    WF_EXPECT_CODE(wf_scope_end(&scope, leave_when_cut()), -ETIME);
    WF_EXPECT(wf_scope_errors(&scope) == NULL);
}

struct value {
    int number;
};

static int take_value(struct value *value)
{
    return value->number;
}

WF_TEST(a_copied_argument_is_not_handed_out_after_its_end)
{
    struct value value = {.number = 17};
    struct wf_finished finished;
    WF_SCOPE(scope, .keep_finished = true);
    wf_spawn_copy(&scope, take_value, &value);
    WF_EXPECT_CODE(wf_scope_next(&scope, &finished), 1);
    WF_EXPECT(finished.arg == NULL);
    WF_EXPECT_INT(finished.result, 17);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_scope_set_deadline(&scope, wf_now() + 1);
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(1)), 0);
    WF_EXPECT(!wf_scope_cancelled(&scope));
}

static int fail_first(void *unused)
{
    (void)unused;
    return wf_fail(-EPROTO, "a loser");
}

static int succeed_later(void *unused)
{
    (void)unused;
    return wf_sleep(WF_MILLISECONDS(1));
}

WF_TEST(a_losers_message_is_not_the_tasks_failure, .rule = "3.4")
{
    {
        WF_SCOPE(scope, .policy = WF_FIRST_SUCCESS);
        wf_spawn(&scope, fail_first, NULL);
        wf_spawn(&scope, succeed_later, NULL);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT(wf_failure() == NULL);
}

/* Each loop gives back what it took from the kernel, so that a thread may run any number of them. */
static int run_uring(void *unused)
{
    (void)unused;
    return strcmp(wf_driver_refusal(), "") == 0 || strcmp(wf_driver_name(), "epoll") == 0 ? 0 : -EIO;
}

WF_TEST(a_thread_may_run_many_loops_one_after_the_other, .plain = true)
{
    for (int i = 0; i < 100; i++) WF_EXPECT_CODE(wf_run(run_uring, NULL), 0);
}

WF_TEST_MAIN
