/* Rules 1.1 to 1.11 of docs/semantics.md, beside cancel_test.c: what a cancel reaches, and what it leaves alone. */
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

/* ---- 1.1, 1.2: what it reaches ---- */

WF_TEST(after_a_cancelled_scope_is_left_calls_work_again, .rule = "1.1")
{
    {
        WF_SCOPE(scope);
        wf_scope_cancel(&scope, "only this one");
        WF_EXPECT_CODE(wf_yield(), -ECANCELED);
        WF_EXPECT(wf_cancelled());
        WF_EXPECT_CODE(wf_scope_end(&scope, 0), 0);
    }
    WF_EXPECT(!wf_cancelled());
    WF_EXPECT_CODE(wf_yield(), 0);
}

WF_TEST(a_cancel_is_felt_below_and_neither_above_nor_beside, .rule = "1.2")
{
    struct wf_handle inside = {.result_ = 0}, beside = {.result_ = 0};
    WF_SCOPE(outer);
    wf_spawn(&outer, sleep_for_ever, NULL, .handle = &beside);
    {
        WF_SCOPE(middle);
        WF_SCOPE(inner);
        wf_spawn(&inner, sleep_for_ever, NULL, .handle = &inside);
        wf_yield();
        wf_scope_cancel(&middle, "from here down");
        WF_EXPECT_CODE(wf_yield(), -ECANCELED);
        WF_EXPECT_CODE(wf_scope_end(&inner, 0), -ECANCELED);
        WF_EXPECT(wf_scope_cancelled(&middle) && !wf_scope_cancelled(&inner));
        WF_EXPECT_CODE(wf_scope_end(&middle, 0), 0);
    }
    WF_EXPECT_CODE(wf_handle_result(&inside), -ECANCELED);
    WF_EXPECT_CODE(wf_yield(), 0);
    WF_EXPECT(!wf_handle_done(&beside));
    wf_scope_cancel(&outer, "now all");
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
}

/* ---- 1.4, 4.1: out of the queue at once ---- */

WF_TEST(a_cancelled_waiter_has_left_its_queue_at_once, .rule = "1.4")
{
    struct wf_semaphore permits = WF_SEMAPHORE(0);
    struct wf_handle first = {.result_ = 0}, second = {.result_ = 0}, third = {.result_ = 0};
    WF_SCOPE(scope);
    wf_spawn(&scope, wf_semaphore_acquire, &permits, .handle = &first);
    wf_spawn(&scope, wf_semaphore_acquire, &permits, .handle = &second);
    wf_spawn(&scope, wf_semaphore_acquire, &permits, .handle = &third);
    wf_yield();
    wf_handle_cancel(&second, "the one in the middle");
    wf_semaphore_release(&permits);
    wf_semaphore_release(&permits);
    wf_semaphore_release(&permits);
    WF_EXPECT_INT((int64_t)wf_semaphore_available(&permits), 1);
    WF_EXPECT_CODE(wf_semaphore_try_acquire(&permits), 0); /* no waiter is left that would come first */
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_handle_result(&first), 0);
    WF_EXPECT_CODE(wf_handle_result(&second), -ECANCELED);
    WF_EXPECT_CODE(wf_handle_result(&third), 0);
}

/* ---- 1.7, 1.8: waits that go on, and shields ---- */

struct cleanup {
    int rc;
    bool done;
};

static int clean_up(struct cleanup *cleanup)
{
    wf_sleep(WF_SECONDS(3600));
    cleanup->rc = wf_shielded(WF_SECONDS(60), wf_sleep(WF_MILLISECONDS(2)));
    cleanup->done = true;
    return cleanup->rc;
}

WF_TEST(a_cancelled_spawn_ready_waits_for_the_child_to_clean_up, .rule = "1.7 1.8")
{
    struct cleanup cleanup = {.done = false};
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_spawn_ready(&scope, clean_up, &cleanup)), -ETIME);
    WF_EXPECT(cleanup.done);
    WF_EXPECT_CODE(cleanup.rc, 0);
    WF_EXPECT_INT((int64_t)wf_scope_alive(&scope), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int sleep_a_little(void *unused)
{
    (void)unused;
    return wf_sleep(WF_MILLISECONDS(1));
}

static int spawn_below_shield(void)
{
    WF_SCOPE(inner);
    wf_spawn(&inner, sleep_a_little, NULL);
    return wf_scope_join(&inner);
}

WF_TEST(a_shield_for_ever_must_be_said_and_covers_the_scopes_opened_inside, .rule = "1.8")
{
    WF_SCOPE(scope);
    wf_scope_cancel(&scope, "outer");
    {
        WF_SCOPE(shield, .shield = true, .timeout = WF_FOREVER);
        WF_EXPECT_CODE(spawn_below_shield(), 0);
        WF_EXPECT_CODE(wf_scope_join(&shield), 0);
    }
    WF_EXPECT_CODE(wf_shielded(WF_FOREVER, spawn_below_shield()), 0);
    WF_EXPECT_CODE(wf_shielded(WF_MILLISECONDS(1), wf_sleep(WF_SECONDS(60))), -ETIME);
    WF_EXPECT_CODE(wf_yield(), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_end(&scope, 0), 0);
}

/* ---- 1.10: reasons ---- */

struct witness {
    enum wf_reason_kind kind;
    char text[64], task[40];
    bool has_place;
};

static int look_why(struct witness *witness)
{
    int rc = wf_sleep_until(WF_FOREVER);
    const struct wf_reason *reason = wf_cancel_reason();
    if (reason == NULL) return rc;
    witness->kind = reason->kind;
    snprintf(witness->text, sizeof witness->text, "%s", reason->text);
    snprintf(witness->task, sizeof witness->task, "%s", reason->task);
    witness->has_place = reason->place != NULL;
    return rc;
}

static int end_with(int *code)
{
    wf_yield();
    return *code;
}

static int leave_for(void *unused)
{
    (void)unused;
    struct witness *witness = wf_arena_new(wf_task_arena(), struct witness);
    if (witness == NULL) return -ENOMEM;
    WF_SCOPE(scope);
    wf_spawn(&scope, look_why, witness);
    wf_yield();
    wf_scope_end(&scope, -EIO);
    return (int)witness->kind;
}

WF_TEST(a_cancel_names_its_kind_its_text_and_who_did_it, .rule = "1.10")
{
    struct witness explicit_one = {.kind = 0}, expired = {.kind = 0};
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, look_why, &explicit_one);
        wf_yield();
        wf_scope_cancel(&scope, "said so");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    {
        WF_SCOPE(scope, .timeout = WF_MILLISECONDS(1));
        wf_spawn(&scope, look_why, &expired);
        WF_EXPECT_CODE(wf_scope_join(&scope), -ETIME);
    }
    WF_EXPECT(explicit_one.kind == WF_REASON_EXPLICIT && explicit_one.has_place);
    WF_EXPECT_TEXT(explicit_one.text, "said so");
    WF_EXPECT(strncmp(explicit_one.task, wf_task_name(), sizeof explicit_one.task - 1) == 0);
    WF_EXPECT(expired.kind == WF_REASON_DEADLINE && expired.has_place);
    WF_EXPECT_TEXT(expired.task, "");
}

WF_TEST(a_cancel_by_a_sibling_or_by_the_parents_leaving_says_so, .rule = "1.10")
{
    int bad = -EIO, good = 0;
    struct witness failed = {.kind = 0}, lost = {.kind = 0};
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, look_why, &failed);
        wf_spawn(&scope, end_with, &bad, .name = "bad");
        WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
    }
    {
        WF_SCOPE(scope, .policy = WF_FIRST_SUCCESS);
        wf_spawn(&scope, look_why, &lost);
        int rc = wf_spawn(&scope, end_with, &good, .name = "good");
        WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
    }
    WF_EXPECT(failed.kind == WF_REASON_SIBLING && strcmp(failed.task, "bad") == 0);
    WF_EXPECT(lost.kind == WF_REASON_SIBLING && strcmp(lost.task, "good") == 0);
    WF_EXPECT_INT(leave_for(NULL), WF_REASON_PARENT_LEFT);
}

static int be_told_to_end(struct witness *witness)
{
    raise(SIGTERM);
    return look_why(witness);
}

static int wait_for_nothing(struct witness *witness)
{
    struct wf_event never = WF_EVENT;
    int rc = wf_event_wait(&never);
    witness->kind = wf_cancel_reason() != NULL ? wf_cancel_reason()->kind : WF_REASON_NONE;
    return rc;
}

WF_TEST(a_shutdown_and_a_deadlock_are_reasons_too, .plain = true, .rule = "1.10")
{
    wf_test_allow_reports();
    struct witness told = {.kind = 0}, lost = {.kind = 0};
    WF_EXPECT_CODE(wf_run(be_told_to_end, &told, .signals = true), -ECANCELED);
    WF_EXPECT(told.kind == WF_REASON_SHUTDOWN);
    WF_EXPECT_PART(told.text, "SIGTERM");
    WF_EXPECT_CODE(wf_run(wait_for_nothing, &lost), -EDEADLK);
    WF_EXPECT(lost.kind == WF_REASON_MISUSE);
}

static int linger(void *unused)
{
    (void)unused;
    wf_sleep(WF_SECONDS(3600));
    return wf_shielded(WF_SECONDS(60), wf_sleep(WF_MILLISECONDS(5)));
}

WF_TEST(a_dump_says_why_a_task_was_cancelled, .rule = "1.10 8.1")
{
    wf_test_allow_reports();
    WF_SCOPE(scope);
    wf_spawn(&scope, linger, NULL, .name = "lingering");
    wf_yield();
    wf_scope_cancel(&scope, "tired of it");
    wf_dump();
    WF_EXPECT_PART(wf_test_reports(), "lingering");
    WF_EXPECT_PART(wf_test_reports(), "cancelled: tired of it");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- 1.11: no way out of a scope but its end ---- */

static jmp_buf escape;

static void jump_out(void)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, sleep_for_ever, NULL);
    longjmp(escape, 1);
}

static int jump_over_scope(void *unused)
{
    (void)unused;
    if (setjmp(escape) == 0) jump_out();
    return 0;
}

WF_TEST(a_jump_out_of_a_scope_is_misuse, .dies = "ended inside a scope that it had opened", .rule = "1.11")
{
    WF_SCOPE(scope);
    wf_spawn(&scope, jump_over_scope, NULL);
    wf_scope_join(&scope);
}

struct guard {
    int *released;
};

static void release(struct guard *guard)
{
    ++*guard->released;
}

static int hold_resource(int *released)
{
    struct guard guard __attribute__((cleanup(release), unused)) = {released};
    return wf_sleep(WF_SECONDS(3600));
}

/* Not one of many tasks is dropped while it is suspended: each runs to its end, and its cleanup with it. */
WF_TEST(every_suspended_task_runs_to_its_end_and_cleans_up, .rule = "1.11")
{
    int released = 0;
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 500; i++) wf_spawn(&scope, hold_resource, &released);
        wf_yield();
        WF_EXPECT_CODE(wf_scope_end(&scope, -EIO), -EIO);
    }
    WF_EXPECT_INT(released, 500);
}

WF_TEST_MAIN
