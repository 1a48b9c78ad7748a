/* The contract of background tasks: contract.h says what the lines mean. */
#include "../contract.h"

static int wait_long(int *ended)
{
    int rc = wf_sleep(WF_SECONDS(100));
    ++*ended;
    return rc;
}

WF_TEST(a_refused_wait_for_background_tasks_stops_none, .simulated = true, .rule = "1.1 1.3")
{
    int ended = 0;
    WF_SCOPE(scope);
    WF_BACKGROUND(background);
    WF_EXPECT_CODE(wf_background_start(&background, wait_long, &ended, .name = "long"), 0);
    {
        WF_SCOPE(inner);
        spawn_sibling(&inner);
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "before the calls");
        REFUSED(wf_background_stop, wf_background_stop(&background, "long"));
        REFUSED(wf_background_shutdown, wf_background_shutdown(&background));
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
        WF_EXPECT_CODE(wf_scope_join(&inner), 0);
    }
    WF_EXPECT_INT(ended, 0);
    WF_EXPECT_CODE(wf_background_start(&background, wait_long, &ended), 0); /* no shutdown has begun */
}

static int clean_up(int *cleaned)
{
    wf_shielded(WF_SECONDS(60), wf_sleep(WF_MILLISECONDS(2)));
    ++*cleaned;
    return 0;
}

static int leave_block(struct wf_scope *outer, int *cleaned)
{
    WF_BACKGROUND(background);
    wf_ignore(wf_background_start(&background, clean_up, cleaned));
    wf_yield();
    wf_scope_cancel(outer, "while it cleans up");
    return 3;
}

WF_TEST(leaving_background_tasks_waits_for_their_cleanup, .rule = "1.7 3.1")
{
    int cleaned = 0;
    WF_SCOPE(cancelled);
    COMPLETES(WF_BACKGROUND, leave_block(&cancelled, &cleaned), 3);
    WF_EXPECT_INT(cleaned, 1);
    WF_EXPECT_CODE(wf_scope_end(&cancelled, 0), 0);
}

static int count(int *runs)
{
    ++*runs;
    return 0;
}

WF_TEST(starting_background_tasks_and_asking_for_them_never_suspends, .rule = "1.7")
{
    int runs = 0;
    struct wf_background_statistics statistics;
    WF_BACKGROUND(background);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_background_start, WF_EXPECT_CODE(wf_background_start(&background, count, &runs, .name = "a"), 0));
    STAYS(wf_background_start_copy, WF_EXPECT_CODE(wf_background_start_copy(&background, count, &runs), 0));
    STAYS(wf_background_every, wf_ignore(wf_background_every(&background, WF_SECONDS(9), count, &runs)));
    STAYS(wf_background_every_copy, wf_ignore(wf_background_every_copy(&background, WF_SECONDS(9), count, &runs)));
    STAYS(wf_background_active, WF_EXPECT(wf_background_active(&background) > 0));
    STAYS(wf_background_tasks, WF_EXPECT(wf_background_tasks(&background) != NULL));
    STAYS(wf_each_background, wf_each_background(&background, task) WF_EXPECT(task->started > 0));
    STAYS(wf_background_statistics, wf_background_statistics(&background, &statistics));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
