/* The end of background tasks: drain, cancel, who is named, and leaving the block. */
#include "background.h"

/* Takes so long; says how it ended. */
struct job {
    int64_t duration;
    int64_t cleanup; /* for so long after a cancel, which it hides */
    int done, cut;
};

static int do_job(struct job *job)
{
    int rc = wf_sleep(job->duration);
    if (rc == 0) job->done++;
    else job->cut++;
    if (rc < 0 && job->cleanup > 0) wf_shielded(WF_FOREVER, wf_sleep(job->cleanup));
    return rc;
}

/* ---- The drain ---- */

/* S116 */
WF_TEST(a_shutdown_of_nothing_returns_at_once, .simulated = true, .sweep = true)
{
    WF_BACKGROUND(background);
    WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(wf_background_shutdown(&background), 0));
    WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(wf_background_shutdown(&background), 0));
}

WF_TEST(what_is_under_way_may_end_and_nothing_new_begins, .rule = "3.14", .simulated = true, .sweep = true)
{
    struct job mail = {.duration = WF_SECONDS(3)};
    int ticks = 0, late = 0;
    {
        WF_BACKGROUND(background, .name = "mails");
        WF_EXPECT_CODE(wf_background_start(&background, do_job, &mail), 0);
        WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), count_run, &ticks), 0);
        wf_sleep(WF_MILLISECONDS(1500));
        int64_t asked = wf_now();
        WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
        WF_EXPECT_INT(wf_now() - asked, WF_MILLISECONDS(1500));
        WF_EXPECT_FAILURE(wf_background_start(&background, count_run, &late), -ESHUTDOWN,
                          "mails: 'count_run' was not started: a shutdown has begun");
        WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), count_run, &late), -ESHUTDOWN);
        WF_EXPECT_INT((int64_t)statistics_of(&background).refused, 2);
        WF_EXPECT_INT((int64_t)statistics_of(&background).finished, 2);
        WF_EXPECT_INT((int64_t)statistics_of(&background).cancelled, 0);
    }
    WF_EXPECT_INT(mail.done, 1);
    WF_EXPECT_INT(ticks, 1);
    WF_INVARIANT(late == 0);
}

/* S113, the trap: tasks that were added during the shutdown escaped it. */
static int start_another(struct wf_background *background)
{
    int rc = wf_sleep(WF_SECONDS(1));
    if (rc == 0) rc = wf_background_start(background, start_another, background);
    return rc == -ESHUTDOWN ? 0 : rc;
}

WF_TEST(tasks_that_start_tasks_do_not_escape, .simulated = true, .sweep = true)
{
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_start(&background, start_another, &background), 0);
    wf_sleep(WF_MILLISECONDS(2500));
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT((int64_t)statistics_of(&background).started, 3);
    WF_EXPECT_INT((int64_t)wf_background_active(&background), 0);
}

WF_TEST(the_run_under_way_of_a_periodic_task_is_its_last, .simulated = true, .sweep = true)
{
    struct job job = {.duration = WF_MILLISECONDS(800)};
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), do_job, &job, .name = "job"), 0);
    wf_sleep(WF_MILLISECONDS(1100));
    int64_t asked = wf_now();
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(wf_now() - asked, WF_MILLISECONDS(700));
    WF_EXPECT_INT(job.done, 1);
    WF_EXPECT_INT((int64_t)statistics_of(&background).finished, 1);
}

static int serve(int *accepted)
{
    struct wf_listener *listener = NULL;
    struct wf_stream *stream = NULL;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc == 0) rc = wf_tcp_accept(listener, &stream);
    if (rc == 0) ++*accepted;
    wf_stream_close(stream);
    wf_listener_close(listener);
    return rc;
}

WF_TEST(idle_waits_end_in_the_drain_and_that_is_no_failure, .simulated = true, .sweep = true)
{
    int accepted = 0;
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_start(&background, serve, &accepted), 0);
    wf_sleep(WF_MILLISECONDS(10));
    int64_t asked = wf_now();
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT(wf_now() - asked < WF_SECONDS(1));
    WF_EXPECT_INT((int64_t)statistics_of(&background).finished, 1);
    WF_EXPECT_INT((int64_t)statistics_of(&background).failed, 0);
}

/* The program drains while requests are still being answered: what they need goes on until the set's own shutdown. */
WF_TEST(a_drain_of_the_program_ends_no_periodic_task_and_refuses_no_start, .simulated = true, .sweep = true)
{
    int ticks = 0, late = 0;
    WF_SCOPE(program);
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_every(&background, WF_SECONDS(1), count_run, &ticks), 0);
    wf_scope_drain(&program);
    WF_EXPECT_CODE(wf_background_start(&background, count_run, &late), 0);
    wf_sleep(WF_MILLISECONDS(2500));
    WF_EXPECT_INT(ticks, 2);
    WF_EXPECT_INT(late, 1);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_CODE(wf_scope_join(&program), 0);
}

/* ---- The cancel ---- */

WF_TEST(when_the_grace_is_over_the_rest_is_cancelled_and_cleans_up, .rule = "3.14", .simulated = true, .sweep = true)
{
    struct job quick = {.duration = WF_SECONDS(1)};
    struct job slow = {.duration = WF_SECONDS(100), .cleanup = WF_SECONDS(1)};
    WF_BACKGROUND(background, .grace = WF_SECONDS(2));
    WF_EXPECT_CODE(wf_background_start(&background, do_job, &quick), 0);
    WF_EXPECT_CODE(wf_background_start(&background, do_job, &slow), 0);
    int64_t asked = wf_now();
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(wf_now() - asked, WF_SECONDS(3));
    WF_EXPECT_INT(quick.done, 1);
    WF_EXPECT_INT(slow.cut, 1);
    WF_EXPECT_INT((int64_t)statistics_of(&background).cancelled, 1);
    WF_EXPECT_PART(wf_test_log(), "msg=\"task cancelled\" name=unnamed "
                                  "reason=\"the grace of the background tasks was over\" task=do_job#");
}

WF_TEST(a_negative_grace_is_none, .simulated = true, .sweep = true)
{
    struct job job = {.duration = WF_SECONDS(100)};
    WF_BACKGROUND(background, .grace = -1);
    WF_EXPECT_CODE(wf_background_start(&background, do_job, &job), 0);
    wf_yield();
    int64_t asked = wf_now();
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(wf_now() - asked, 0);
    WF_EXPECT_INT(job.cut, 1);
}

/* A task that was started just before runs as a cancelled one. */
WF_TEST(what_has_not_begun_yet_is_under_way_all_the_same, .simulated = true, .sweep = true)
{
    struct job job = {.duration = WF_SECONDS(1)}, next = {.duration = WF_SECONDS(1)};
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_start(&background, do_job, &job, .name = "job"), 0);
    WF_EXPECT_CODE(wf_background_start(&background, do_job, &next, .name = "job"), 0);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(job.cut, 1);
    WF_EXPECT_INT(next.done, 1);
}

/* S116 */
WF_TEST(who_outlives_the_cancel_is_named_and_the_shutdown_returns, .rule = "3.14", .simulated = true,
        .timeout = WF_MINUTES(10), .unswept = "it waits for one that ignores its cancel")
{
    struct job stubborn = {.duration = WF_SECONDS(100), .cleanup = WF_SECONDS(60)}, polite = stubborn;
    polite.cleanup = 0;
    int64_t asked = wf_now();
    wf_test_allow_reports();
    {
        WF_BACKGROUND(background, .name = "mails", .grace = WF_SECONDS(2));
        WF_EXPECT_CODE(wf_background_start(&background, do_job, &polite, .name = "polite"), 0);
        WF_EXPECT_CODE(wf_background_start(&background, do_job, &stubborn, .name = "stubborn"), 0);
        WF_EXPECT_FAILURE(wf_background_shutdown(&background), -ETIME, "mails: 1 task did not end in time: stubborn");
        WF_EXPECT_INT(wf_now() - asked, WF_SECONDS(2 + 5));
        WF_EXPECT_TEXT(wf_background_tasks(&background)->name, "stubborn");
        WF_EXPECT(wf_background_tasks(&background)->next == NULL);
        WF_EXPECT_CODE(wf_background_shutdown(&background), -ETIME); /* no grace any more, and no second report */
        WF_EXPECT_INT(wf_now() - asked, WF_SECONDS(2 + 5 + 5));
    }
    WF_EXPECT_INT(wf_now() - asked, WF_SECONDS(2 + 60)); /* the block waits: nothing outlives its scope */
    WF_EXPECT_TEXT(wf_test_reports(), "mails: 1 background task did not end in time after the cancel: stubborn\n");
    WF_EXPECT_PART(wf_test_log(), "level=warn module=background msg=\"tasks are left\" name=mails count=1 "
                                  "tasks=stubborn task=");
}

WF_TEST(of_many_that_are_left_as_many_are_named_as_there_is_room_for, .simulated = true, .timeout = WF_MINUTES(10),
        .unswept = "it waits for some that ignore their cancel")
{
    struct job stubborn = {.duration = WF_SECONDS(100), .cleanup = WF_SECONDS(60)};
    wf_test_allow_reports();
    WF_BACKGROUND(background, .grace = -1, .stubborn = WF_SECONDS(1));
    for (int i = 0; i < 1000; i++) WF_EXPECT_CODE(wf_background_start(&background, do_job, &stubborn), 0);
    WF_EXPECT_FAILURE(wf_background_shutdown(&background), -ETIME,
                      "background: 1000 tasks did not end in time: do_job, do_job");
    WF_EXPECT_PART(wf_test_reports(), "background: 1000 background tasks did not end in time");
}

/* ---- Who asks, and how often ---- */

WF_TEST(a_shutdown_that_is_cut_short_goes_on_later, .simulated = true, .sweep = true)
{
    struct job job = {.duration = WF_SECONDS(3)};
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_start(&background, do_job, &job), 0);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_background_shutdown(&background)), -ETIME);
    WF_EXPECT_CODE(wf_background_start(&background, do_job, &job), -ESHUTDOWN);
    WF_EXPECT_INT(job.cut, 0);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
    WF_EXPECT_INT(job.done, 1);
}

static int shut_down(struct wf_background *background)
{
    return wf_background_shutdown(background);
}

WF_TEST(several_may_ask_for_the_end, .simulated = true, .sweep = true)
{
    struct job job = {.duration = WF_SECONDS(3)};
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_start(&background, do_job, &job), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, shut_down, &background);
    wf_spawn(&scope, shut_down, &background);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(job.done, 1);
}

/* What the opener does inside the block is not one of the tasks. */
WF_TEST(an_end_that_others_ask_for_leaves_the_opener_alone, .simulated = true, .sweep = true)
{
    struct job mine = {.duration = WF_SECONDS(6)}, job = {.duration = WF_SECONDS(100)};
    WF_BACKGROUND(background, .grace = WF_SECONDS(1));
    WF_EXPECT_CODE(wf_background_start(&background, do_job, &job), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, do_job, &mine);
    wf_spawn(&scope, shut_down, &background);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(5)), 0);
    WF_EXPECT(!wf_draining());
    WF_EXPECT_INT(job.cut, 1);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(mine.done, 1);
}

static int shut_down_myself(struct wf_background *background)
{
    WF_EXPECT_FAILURE(wf_background_shutdown(background), -EDEADLK, "would wait for itself");
    WF_SCOPE(scope);
    wf_spawn(&scope, shut_down, background);
    return wf_scope_join(&scope);
}

static void expect_deadlock(void *context, const char *name, int code, const char *message)
{
    (void)name;
    WF_EXPECT_CODE(code, -EDEADLK);
    WF_EXPECT_PART(message, "would wait for itself");
    ++*(int *)context;
}

WF_TEST(one_of_the_tasks_and_its_children_cannot_wait_for_the_end, .simulated = true, .sweep = true)
{
    int told = 0;
    WF_BACKGROUND(background, .on_error = expect_deadlock, .context = &told);
    WF_EXPECT_CODE(wf_background_start(&background, shut_down_myself, &background), 0);
    wf_sleep(WF_SECONDS(1));
    WF_EXPECT_INT(told, 1);
    WF_EXPECT_CODE(wf_background_shutdown(&background), 0);
}

/* ---- Leaving the block ---- */

WF_TEST(leaving_the_block_cancels_and_waits, .rule = "3.14", .simulated = true, .sweep = true)
{
    struct job job = {.duration = WF_SECONDS(100), .cleanup = WF_SECONDS(1)};
    int64_t asked = wf_now();
    int started;
    {
        WF_BACKGROUND(background);
        started = wf_background_start(&background, do_job, &job) == 0;
    }
    WF_EXPECT_INT(wf_now() - asked, WF_SECONDS(1));
    WF_INVARIANT(job.done + job.cut == started);
    WF_EXPECT_PART(wf_test_log(), "reason=\"the block of the background tasks was left\" task=do_job#");
}

WF_TEST(leaving_the_block_names_who_goes_on, .simulated = true, .timeout = WF_MINUTES(10),
        .unswept = "it waits for one that ignores its cancel")
{
    struct job stubborn = {.duration = WF_SECONDS(100), .cleanup = WF_SECONDS(60)};
    int64_t asked = wf_now();
    wf_test_allow_reports();
    {
        WF_SCOPE(cancelled);
        WF_BACKGROUND(background, .stubborn = WF_SECONDS(2));
        WF_EXPECT_CODE(wf_background_start(&background, do_job, &stubborn, .name = "stubborn"), 0);
        wf_scope_cancel(&cancelled, "the end");
    }
    WF_EXPECT_INT(wf_now() - asked, WF_SECONDS(60));
    WF_EXPECT_PART(wf_test_reports(), "background: 1 background task did not end in time after the cancel: stubborn");
}

static int fail_with_words(void *unused)
{
    (void)unused;
    return wf_fail(-EIO, "the words");
}

static int leave_inner_scope(void)
{
    WF_SCOPE(outer);
    WF_BACKGROUND(background);
    {
        WF_SCOPE(inner);
        wf_spawn(&inner, fail_with_words, NULL);
        wf_yield();
    } /* left without its end: the error goes to what encloses it */
    return wf_scope_end(&outer, 0);
}

WF_TEST(an_error_handed_up_inside_the_block_is_not_lost, .simulated = true)
{
    WF_EXPECT_FAILURE(leave_inner_scope(), -EIO, "the words");
}

static int fail_and_leave(struct job *job)
{
    WF_BACKGROUND(background, .stubborn = WF_SECONDS(1));
    wf_ignore(wf_background_start(&background, do_job, job, .name = "stubborn"));
    wf_yield();
    return fail_with_words(NULL);
}

WF_TEST(leaving_keeps_what_the_opener_said_of_its_own_failure, .simulated = true, .timeout = WF_MINUTES(10))
{
    struct job stubborn = {.duration = WF_SECONDS(100), .cleanup = WF_SECONDS(60)};
    wf_test_allow_reports();
    WF_EXPECT_FAILURE(fail_and_leave(&stubborn), -EIO, "the words");
}

WF_TEST_MAIN
