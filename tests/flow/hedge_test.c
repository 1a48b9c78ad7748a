/* Another source: when the first failed (fallback), or beside it when it is slow (hedge). */
#include <weft/testing.h>
#include <weft/weft.h>

struct source {
    int64_t latency;
    int rc;
    const char *said; /* with a failure */
    int asked, ended;
    int64_t at;
};

static int ask(struct source *source)
{
    source->asked++;
    source->at = wf_now();
    int rc = source->latency > 0 ? wf_sleep(source->latency) : 0;
    source->ended++;
    if (rc < 0) return rc;
    return source->said != NULL ? wf_fail(source->rc, "%s", source->said) : source->rc;
}

/* ---- Fallback ---- */

/* S038 */
WF_TEST(a_primary_that_answers_is_all_that_is_asked, .simulated = true, .sweep = true)
{
    struct source primary = {.rc = 1}, other = {.rc = 2};
    WF_EXPECT_CODE(wf_fallback(ask(&primary), ask(&other)), 1);
    WF_EXPECT_INT(other.asked, 0);
}

/* S038 */
WF_TEST(a_primary_that_is_too_slow_or_fails_has_a_fallback, .simulated = true, .sweep = true)
{
    struct source slow = {.latency = WF_SECONDS(9)}, broken = {.rc = -EIO}, other = {.rc = 2};
    WF_EXPECT_CODE(wf_fallback(wf_within(WF_SECONDS(1), ask(&slow)), ask(&other)), 2);
    WF_EXPECT_CODE(wf_fallback(ask(&broken), ask(&other)), 2);
}

/* S038 */
WF_TEST(when_both_fail_one_error_names_both, .simulated = true, .sweep = true)
{
    struct source primary = {.rc = -EIO, .said = "disk 3 is gone"}, slow = {.latency = WF_SECONDS(9)};
    WF_EXPECT_FAILURE(wf_fallback(ask(&primary), wf_within(WF_SECONDS(1), ask(&slow))), -ETIME,
                      "disk 3 is gone; and the fallback: Deadline expired");
}

WF_TEST(fallbacks_nest_and_the_error_names_all, .simulated = true, .sweep = true)
{
    struct source a = {.rc = -EIO}, b = {.rc = -ENOENT}, c = {.rc = -EPROTO, .said = "bad answer"};
    WF_EXPECT_FAILURE(wf_fallback(ask(&a), wf_fallback(ask(&b), ask(&c))), -EPROTO,
                      "Input/output error; and the fallback: No such file or directory; and the fallback: bad answer");
}

static int ask_either(struct source sources[2])
{
    return wf_fallback(ask(&sources[0]), ask(&sources[1]));
}

WF_TEST(a_cancelled_task_asks_no_fallback, .simulated = true, .sweep = true)
{
    struct source sources[] = {{.latency = WF_SECONDS(9)}, {.rc = 2}};
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), ask_either(sources)), -ETIME);
    WF_INVARIANT(sources[1].asked == 0);
}

/* ---- Hedge ---- */

static void expect_all_ended(const struct source *sources, size_t count)
{
    for (size_t i = 0; i < count; i++) WF_INVARIANT(sources[i].asked == sources[i].ended && sources[i].asked <= 1);
}

WF_TEST(a_quick_answer_starts_no_other_attempt, .simulated = true, .sweep = true)
{
    struct source sources[] = {{.latency = WF_SECONDS(1), .rc = 7}, {.rc = 8}};
    size_t winner = 9, started = 9;
    WF_EXPECT_CODE(wf_hedge(sources, 2, ask, .delay = WF_SECONDS(2), .winner = &winner, .started = &started), 7);
    WF_EXPECT_INT((int64_t)winner, 0);
    WF_EXPECT_INT((int64_t)started, 1);
    expect_all_ended(sources, 2);
}

WF_TEST(a_slow_answer_is_overtaken_and_its_task_has_ended, .simulated = true, .sweep = true)
{
    struct source sources[] = {{.latency = WF_SECONDS(9)}, {.latency = WF_SECONDS(1), .rc = 8}, {.rc = 9}};
    size_t winner = 9, started = 9;
    int64_t began = wf_now();
    WF_EXPECT_CODE(wf_hedge(sources, 3, ask, .delay = WF_SECONDS(2), .winner = &winner, .started = &started), 8);
    WF_EXPECT_INT((int64_t)winner, 1);
    WF_EXPECT_INT((int64_t)started, 2);
    WF_EXPECT_INT(wf_now() - began, WF_SECONDS(3));
    WF_EXPECT_INT(sources[1].at - began, WF_SECONDS(2));
    expect_all_ended(sources, 3);
}

WF_TEST(the_first_may_still_win_after_the_second_was_started, .simulated = true, .sweep = true)
{
    struct source sources[] = {{.latency = WF_SECONDS(3), .rc = 7}, {.latency = WF_SECONDS(9), .rc = 8}};
    size_t winner = 9;
    WF_EXPECT_CODE(wf_hedge(sources, 2, ask, .delay = WF_SECONDS(2), .winner = &winner), 7);
    WF_EXPECT_INT((int64_t)winner, 0);
    expect_all_ended(sources, 2);
}

WF_TEST(a_failure_starts_the_next_attempt_at_once, .simulated = true, .sweep = true)
{
    struct source sources[] = {{.latency = WF_MILLISECONDS(1), .rc = -EIO}, {.rc = 8}};
    int64_t began = wf_now();
    WF_EXPECT_CODE(wf_hedge(sources, 2, ask, .delay = WF_SECONDS(9)), 8);
    WF_EXPECT_INT(wf_now() - began, WF_MILLISECONDS(1));
}

WF_TEST(when_all_fail_the_first_error_comes_back, .simulated = true, .sweep = true)
{
    struct source sources[] = {{.latency = WF_SECONDS(3), .rc = -EIO}, {.rc = -ENOENT}, {.rc = -EPROTO}};
    size_t winner = 9;
    WF_EXPECT_CODE(wf_hedge(sources, 3, ask, .delay = WF_SECONDS(1), .winner = &winner), -ENOENT);
    WF_INVARIANT(winner == 9);
    expect_all_ended(sources, 3);
}

static int hedge_pair(struct source sources[2])
{
    return wf_hedge(sources, 2, ask, .delay = WF_SECONDS(1));
}

WF_TEST(a_cancel_ends_every_attempt, .simulated = true, .sweep = true)
{
    struct source sources[] = {{.latency = WF_SECONDS(9)}, {.latency = WF_SECONDS(9)}};
    WF_EXPECT_CODE(wf_within(WF_SECONDS(2), hedge_pair(sources)), -ETIME);
    WF_EXPECT_INT(sources[1].asked, 1);
    expect_all_ended(sources, 2);
}

WF_TEST(a_hedge_without_items_or_delay_is_refused, .simulated = true, .sweep = true)
{
    struct source sources[] = {{.rc = 1}};
    WF_EXPECT_CODE(wf_hedge(sources, 0, ask, .delay = 1), -EINVAL);
    WF_EXPECT_CODE(wf_hedge(sources, 1, ask), -EINVAL);
    WF_EXPECT_CODE(wf_hedge(sources, 1, ask, .delay = -1), -EINVAL);
    WF_EXPECT_CODE(wf_hedge(sources, SIZE_MAX, ask, .delay = 1), -EINVAL);
    WF_INVARIANT(sources[0].asked == 0);
}

WF_TEST_MAIN
