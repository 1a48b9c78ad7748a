/* S022: a cancel for code that is not a child. The sweeps cut each test everywhere. */
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct job {
    struct wf_token *token;
    int rc;
    enum wf_reason_kind kind;
    char text[32];
};

static int sleep_linked(struct job *job)
{
    WF_SCOPE(scope, .token = job->token);
    job->rc = wf_scope_end(&scope, wf_sleep(WF_SECONDS(1)));
    const struct wf_reason *reason = wf_scope_reason(&scope);
    job->kind = reason->kind;
    if (reason->text != NULL) strncpy(job->text, reason->text, sizeof job->text - 1);
    wf_test_note("%s", wf_task_name());
    return 0;
}

/* S022 */
WF_TEST(a_token_cancels_every_scope_that_is_linked_and_no_other, .rule = "1.1 1.13", .sweep = true, .simulated = true)
{
    struct wf_token token = WF_TOKEN, other = WF_TOKEN;
    static const char *const names[] = {"one", "two", "three"};
    struct job linked[3], apart = {.token = &other};
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(linked); i++) {
        linked[i] = (struct job){.token = &token};
        wf_spawn(&scope, sleep_linked, &linked[i], .name = names[i]);
    }
    wf_spawn(&scope, sleep_linked, &apart, .name = "other");
    wf_yield();
    WF_EXPECT_INT((int64_t)wf_token_links(&token), 3);
    int64_t started = wf_now();
    wf_token_cancel(&token, "the window was closed");
    wf_token_cancel(&token, "twice");
    wf_yield();
    for (size_t i = 0; i < WF_COUNT(linked); i++) {
        WF_EXPECT_CODE(linked[i].rc, -ECANCELED);
        WF_EXPECT(linked[i].kind == WF_REASON_TOKEN);
        WF_EXPECT_TEXT(linked[i].text, "the window was closed");
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "one two three other");
    WF_EXPECT_CODE(apart.rc, 0);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(1));
    WF_INVARIANT(wf_token_links(&token) == 0 && wf_token_links(&other) == 0);
    WF_EXPECT(wf_token_cancelled(&token) && !wf_token_cancelled(&other));
    WF_EXPECT_TEXT(wf_token_why(&token), "the window was closed");
    WF_EXPECT(wf_token_why(&other) == NULL);
}

WF_TEST(a_scope_linked_to_a_cancelled_token_is_born_cancelled, .rule = "1.2", .sweep = true)
{
    struct wf_token token = WF_TOKEN;
    wf_token_cancel(&token, NULL);
    WF_EXPECT_TEXT(wf_token_why(&token), "no reason given");
    struct job job = {.token = &token};
    WF_SCOPE(scope, .token = &token);
    WF_EXPECT_CODE(wf_spawn(&scope, sleep_linked, &job), -ECANCELED);
    WF_EXPECT_CODE(wf_yield(), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_end(&scope, -ECANCELED), -ECANCELED);
    WF_INVARIANT(wf_token_links(&token) == 0);
}

WF_TEST(success_wins_over_a_token, .rule = "1.3", .sweep = true)
{
    struct wf_token token = WF_TOKEN;
    WF_SCOPE(scope, .token = &token);
    int rc = wf_yield();
    wf_token_cancel(&token, "too late");
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
}

WF_TEST(an_expression_may_be_linked, .sweep = true)
{
    struct wf_token token = WF_TOKEN;
    WF_EXPECT_CODE(wf_linked(&token, wf_yield()), 0);
    WF_EXPECT_CODE(wf_linked(&token, 7), 7);
    WF_EXPECT_CODE(wf_linked(&token, wf_fail(-EIO, "the disk")), -EIO);
    WF_EXPECT_INT((int64_t)wf_token_links(&token), 0);
    wf_token_cancel(&token, "not needed");
    WF_EXPECT_CODE(wf_linked(&token, wf_yield()), -ECANCELED);
    WF_EXPECT_CODE(wf_linked(&token, 7), 7);
}

static int wait_linked(struct wf_token *token)
{
    return wf_linked(token, wf_sleep(WF_SECONDS(3600)));
}

WF_TEST(an_operation_that_a_token_ended_is_an_error_of_the_task_that_lets_it_through, .rule = "3.3", .sweep = true)
{
    struct wf_token token = WF_TOKEN;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_linked, &token);
    wf_yield();
    wf_token_cancel(&token, "not needed");
    WF_EXPECT_CODE(wf_scope_join(&scope), -ECANCELED);
    WF_INVARIANT(wf_token_links(&token) == 0);
}

WF_TEST(an_outer_cancel_and_a_deadline_go_before_a_token, .rule = "2.3", .sweep = true)
{
    struct wf_token token = WF_TOKEN;
    {
        WF_SCOPE(scope, .token = &token, .timeout = -1);
        wf_token_cancel(&token, "too late");
        WF_EXPECT_CODE(wf_scope_end(&scope, wf_yield()), -ETIME);
    }
    struct wf_token late = WF_TOKEN;
    WF_SCOPE(outer);
    wf_scope_cancel(&outer, "all of it");
    WF_EXPECT_CODE(wf_linked(&late, wf_yield()), -ECANCELED);
    wf_token_cancel(&late, "too late");
    WF_EXPECT_CODE(wf_scope_end(&outer, -ECANCELED), 0); /* its own */
}

WF_TEST(a_linked_scope_that_is_left_without_its_end_takes_its_link_along, .sweep = true)
{
    struct wf_token token = WF_TOKEN;
    for (int i = 0; i < 3; i++) {
        WF_SCOPE(outer, .token = &token);
        WF_SCOPE(inner, .token = &token);
        WF_EXPECT_INT((int64_t)wf_token_links(&token), 2);
        if (i == 1) continue;
        WF_EXPECT_CODE(wf_scope_join(&inner), 0);
        WF_EXPECT_INT((int64_t)wf_token_links(&token), 1);
    }
    WF_INVARIANT(wf_token_links(&token) == 0);
}

WF_TEST_MAIN
