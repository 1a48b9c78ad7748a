/* Fixtures that fail, and fixtures around tests that fail. What they note goes to standard output at once. */
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int wait_for(struct wf_event *event)
{
    return wf_event_wait(event);
}

/* ---- Set-up ---- */

WF_FIXTURE(broken)
{
    return wf_fail(-ECONNREFUSED, "no database on port %d", 5432);
}

// fails a_set_up_fails: fixture 'broken' was not set up: no database on port 5432
WF_TEST(a_set_up_fails, .uses = {&broken})
{
    puts("this must not run");
}

WF_FIXTURE(silent)
{
    return 0;
}

// fails a_fixture_provides_nothing: fixture 'silent' was not set up: it ended without wf_provide
WF_TEST(a_fixture_provides_nothing, .uses = {&silent})
{
}

WF_FIXTURE(slow, .timeout = WF_MILLISECONDS(50))
{
    int rc = wf_sleep(WF_SECONDS(100));
    puts(rc == -ECANCELED ? "slow was cancelled" : "slow was not cancelled");
    return rc < 0 ? rc : wf_provide(NULL);
}

// fails a_set_up_takes_too_long: slow was cancelled
// fails a_set_up_takes_too_long: fixture 'slow' was not set up: Deadline expired
WF_TEST(a_set_up_takes_too_long, .uses = {&slow})
{
}

WF_FIXTURE(first)
{
    static char value[] = "first";
    puts("first is set up");
    wf_provide(value);
    puts("first is torn down");
    return 0;
}

WF_FIXTURE(second, .uses = {&first, &broken})
{
    puts("second is set up");
    return wf_provide(wf_use(&first));
}

// fails what_was_set_up_is_torn_down: first is set up|was not set up|first is torn down
WF_TEST(what_was_set_up_is_torn_down, .uses = {&second})
{
    puts("this must not run");
}

/* ---- Tear-down ---- */

WF_FIXTURE(dirty)
{
    wf_provide(NULL);
    return wf_fail(-EBUSY, "the table is locked");
}

// fails a_tear_down_fails: fixture 'dirty' failed: the table is locked
WF_TEST(a_tear_down_fails, .uses = {&dirty})
{
}

WF_FIXTURE(stubborn, .timeout = WF_MILLISECONDS(50))
{
    wf_provide(NULL);
    int rc = wf_sleep(WF_SECONDS(100));
    puts(rc == -ECANCELED ? "stubborn was cancelled" : "stubborn was not cancelled");
    return rc;
}

// fails a_tear_down_takes_too_long: fixture 'stubborn' was not torn down in time|stubborn was cancelled
WF_TEST(a_tear_down_takes_too_long, .uses = {&stubborn})
{
}

/* ---- Lives ---- */

WF_FIXTURE(outlived, .life = WF_PER_SUITE, .uses = {&first})
{
    return wf_provide(NULL);
}

// fails a_fixture_outlives_what_it_uses: fixture 'outlived' was not set up: it uses one that does not live as long
WF_TEST(a_fixture_outlives_what_it_uses, .uses = {&outlived})
{
}

WF_FIXTURE(twice)
{
    wf_provide(NULL);
    return wf_provide(NULL);
}

// crashes a_fixture_provides_twice: fixture 'twice' called wf_provide twice
WF_TEST(a_fixture_provides_twice, .uses = {&twice})
{
}

// crashes a_fixture_that_is_not_named_is_used: wf_use(&first) by one that does not name it: write .uses = {&first}
WF_TEST(a_fixture_that_is_not_named_is_used)
{
    wf_use(&first);
}

// fails a_plain_test_uses_a_fixture: it is .plain, outside any loop, and so cannot use fixtures
WF_TEST(a_plain_test_uses_a_fixture, .plain = true, .uses = {&first})
{
}

/* ---- What stands around a test that fails ---- */

WF_FIXTURE(outer)
{
    puts("outer is set up");
    int rc = wf_provide(NULL);
    rc = wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1)));
    puts(rc == 0 ? "outer is torn down" : "outer is not torn down");
    return rc;
}

WF_FIXTURE(inner, .uses = {&outer})
{
    puts("inner is set up");
    int rc = wf_provide(NULL);
    rc = wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1)));
    puts(rc == 0 ? "inner is torn down" : "inner is not torn down");
    return rc;
}

// fails after_a_failure: outer is set up|inner is set up|expected: 1 > 2|inner is torn down|outer is torn down
WF_TEST(after_a_failure, .uses = {&inner})
{
    WF_EXPECT(1 > 2);
}

// fails after_an_error: inner is set up|inner is torn down|outer is torn down|the loop ended with -22
WF_TEST(after_an_error, .uses = {&inner})
{
    wf_test_allow_reports();
    WF_SCOPE(scope);
    struct wf_handle handle = {.result_ = 0};
    wf_spawn(&scope, wait_for, (struct wf_event *)NULL, .handle = &handle, .stack_size = SIZE_MAX / 2);
}

// fails after_a_deadline: inner is set up|    its deadline passed|inner is torn down|outer is torn down
WF_TEST(after_a_deadline, .uses = {&inner}, .timeout = WF_MILLISECONDS(20))
{
    wf_sleep(WF_SECONDS(100));
}

/* Everything is cancelled: the fixtures wait for the test all the same, and for each other. */
// fails after_a_deadlock: inner is set up|the test ends|inner is torn down|outer is torn down
// fails after_a_deadlock: deadlock: every task waits for another one
WF_TEST(after_a_deadlock, .uses = {&inner})
{
    struct wf_event never = WF_EVENT;
    wf_event_wait(&never);
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1)));
    puts("the test ends");
}

WF_TEST_MAIN
