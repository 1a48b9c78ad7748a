/* Notes and steps: what happened, and in which order it must. */
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- Notes ---- */

WF_TEST(notes_are_joined_by_blanks)
{
    WF_EXPECT_TEXT(wf_test_notes(), "");
    wf_test_note("open %s", "a");
    wf_test_note("%d", 7);
    WF_EXPECT_TEXT(wf_test_notes(), "open a 7");
}

WF_TEST(notes_begin_anew_with_each_test)
{
    WF_EXPECT_TEXT(wf_test_notes(), "");
}

WF_TEST(notes_are_cut_when_there_are_too_many)
{
    for (int i = 0; i < 10000; i++) wf_test_note("%d", i);
    WF_EXPECT(strlen(wf_test_notes()) > 10000);
    WF_EXPECT(strncmp(wf_test_notes(), "0 1 2 3 ", 8) == 0);
}

/* ---- Steps ---- */

struct walker {
    struct wf_sequence *sequence;
    const uint64_t *steps;
    size_t count;
    int rc;
};

static int walk(struct walker *walker)
{
    for (size_t i = 0; i < walker->count && walker->rc == 0; i++) {
        walker->rc = wf_test_step(walker->sequence, walker->steps[i]);
        if (walker->rc == 0) wf_test_note("%d", (int)walker->steps[i]);
        wf_yield(); /* a step is not over by itself */
    }
    if (walker->rc == 0) wf_test_step_over(walker->sequence);
    return walker->rc;
}

WF_TEST(steps_of_several_tasks_come_in_order, .sweep = true)
{
    struct wf_sequence sequence = {0};
    struct walker walkers[] = {
        {&sequence, (const uint64_t[]){2, 3, 7}, 3, 0},
        {&sequence, (const uint64_t[]){1, 5, 8}, 3, 0},
        {&sequence, (const uint64_t[]){0, 4, 6}, 3, 0},
    };
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(walkers); i++) wf_spawn(&scope, walk, &walkers[i]);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "0 1 2 3 4 5 6 7 8");
}

WF_TEST(a_step_that_is_due_does_not_wait)
{
    struct wf_sequence sequence = {0};
    WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(wf_test_step(&sequence, 0)), 0);
    WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(wf_test_step(&sequence, 1)), 0);
    wf_test_step_over(&sequence);
    WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(wf_test_step(&sequence, 2)), 0);
}

WF_TEST(a_step_is_over_only_when_its_own_task_says_so)
{
    struct wf_sequence sequence = {0};
    struct walker second = {&sequence, (const uint64_t[]){1}, 1, 0};
    WF_EXPECT_CODE(wf_test_step(&sequence, 0), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, walk, &second);
    WF_EXPECT_CODE(wf_test_wait_idle(), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "");
    wf_test_step_over(&sequence);
    wf_test_step_over(&sequence); /* not the caller's: nothing happens */
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "1");
}

WF_TEST(a_step_can_be_taken_once, .unswept = "a step whose task could not be spawned is waited for for ever")
{
    struct wf_sequence sequence = {0};
    struct walker first = {&sequence, (const uint64_t[]){0}, 1, 0}, later = {&sequence, (const uint64_t[]){5}, 1, 0};
    WF_EXPECT_CODE(wf_test_step(&sequence, 0), 0);
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, walk, &first);
    wf_spawn(&scope, walk, &later);
    WF_EXPECT_CODE(wf_test_wait_idle(), 0);
    WF_EXPECT_CODE(first.rc, -EINVAL);                   /* another one's, under way */
    WF_EXPECT_CODE(wf_test_step(&sequence, 5), -EINVAL); /* waited for already */
    WF_EXPECT_CODE(wf_test_step(&sequence, 0), -EINVAL); /* over */
    wf_scope_cancel(&scope, "for the test");
    wf_ignore(wf_scope_join(&scope));
}

WF_TEST(a_cancelled_step_is_not_taken)
{
    struct wf_sequence sequence = {0};
    struct walker walkers[] = {
        {&sequence, (const uint64_t[]){1}, 1, 0},
        {&sequence, (const uint64_t[]){2}, 1, 0},
    };
    struct wf_handle handle = {.result_ = 0};
    WF_EXPECT_CODE(wf_test_step(&sequence, 0), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, walk, &walkers[0], .handle = &handle);
    wf_spawn(&scope, walk, &walkers[1]);
    WF_EXPECT_CODE(wf_test_wait_idle(), 0);
    wf_handle_cancel(&handle, "for the test");
    WF_EXPECT_CODE(wf_handle_join(&handle), -ECANCELED);
    WF_EXPECT_CODE(wf_test_step(&sequence, 1), 0); /* still free */
    wf_test_step_over(&sequence);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "2");
}

WF_TEST_MAIN
