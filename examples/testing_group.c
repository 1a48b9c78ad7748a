/*
 * A group's cancellation, tested: one fails, the slow ones are cancelled, and the group has that one error.
 *
 *     weft run examples/testing_group.c
 */
#include <weft/testing.h>
#include <weft/weft.h>

static int slow_task(const char *name)
{
    int rc = wf_sleep(WF_SECONDS(1));
    if (rc == 0) wf_test_note("%s completed", name);
    return rc;
}

static int failing_task(void *unused)
{
    (void)unused;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    return rc < 0 ? rc : wf_fail(-EINVAL, "intentional failure");
}

static int run_group(void *unused)
{
    (void)unused;
    WF_SCOPE(scope);
    wf_spawn(&scope, slow_task, "task1");
    wf_spawn(&scope, slow_task, "task2");
    wf_spawn(&scope, failing_task, NULL);
    int rc = wf_scope_join(&scope);
    int errors = 0;
    wf_each_error(&scope, error) errors++;
    WF_EXPECT_INT(errors, 1);
    WF_EXPECT_ERROR(&scope, -EINVAL, "intentional failure");
    return rc;
}

WF_TEST(a_failure_cancels_the_rest_of_the_group, .simulated = true)
{
    int64_t started = wf_now();
    WF_EXPECT_CODE(run_group(NULL), -EINVAL);
    WF_EXPECT_TEXT(wf_test_notes(), "");
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(100));
}

WF_TEST_MAIN
