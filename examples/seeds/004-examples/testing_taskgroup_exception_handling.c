/*
 * That one who fails cancels the rest of a group, tested. From "Testing Async Code", "Testing TaskGroup Exception
 * Handling".
 * Rows: S010, S146.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/testing_taskgroup_exception_handling.c --verbose
 */
#include <weft/testing.h>
#include <weft/weft.h>

static int completed;

static int slow_task(const char *name)
{
    (void)name;
    int rc = wf_sleep(WF_SECONDS(1));
    if (rc == 0) completed++;
    return rc;
}

static int failing_task(void *unused)
{
    (void)unused;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    return rc < 0 ? rc : wf_fail(-EINVAL, "Intentional failure");
}

WF_TEST(test_taskgroup_cancellation, .simulated = true)
{
    completed = 0;
    int64_t began = wf_now();
    int errors = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, slow_task, "task1");
    wf_spawn(&scope, slow_task, "task2");
    wf_spawn(&scope, failing_task, NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EINVAL);
    WF_EXPECT_INT(completed, 0); /* the slow ones were cancelled */
    wf_each_error(&scope, error) {
        errors++;
        wf_take_error(error);
    }
    WF_EXPECT_INT(errors, 1); /* and are no errors themselves */
    WF_EXPECT_ERROR(&scope, -EINVAL, "Intentional failure");
    WF_EXPECT_INT(wf_now() - began, WF_MILLISECONDS(100));
}

WF_TEST_MAIN
