/* What retries, breakers and bulkheads say by themselves: each thing once, with its fields, and counted (S125). */
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static size_t count_parts(const char *part)
{
    size_t count = 0;
    for (const char *at = wf_test_log(); (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

/* What was counted before the test: metrics are the process's. */
static char *text_before;

static int64_t value_in(const char *text, const char *series)
{
    const char *at = text != NULL ? strstr(text, series) : NULL;
    return at != NULL ? strtoll(at + strlen(series), NULL, 10) : 0;
}

static void begin_counting(void)
{
    if (wf_metrics_text(wf_task_arena(), &text_before) < 0) text_before = NULL;
}

static int64_t counted(const char *series)
{
    char *text;
    if (wf_metrics_text(wf_task_arena(), &text) < 0) return -1;
    return value_in(text, series) - value_in(text_before, series);
}

struct peer {
    int failures; /* so many, then successes */
    int code;
    int calls;
};

static int ask(struct peer *peer)
{
    return ++peer->calls <= peer->failures ? peer->code : 7;
}

/* ---- Retries ---- */

WF_TEST(each_attempt_that_failed_is_logged_once_and_counted, .simulated = true)
{
    struct peer peer = {.failures = 2, .code = -ECONNREFUSED};
    begin_counting();
    WF_EXPECT_CODE(wf_retry(ask(&peer), .base = WF_MILLISECONDS(100), .name = "twice"), 7);
    WF_EXPECT_PART(wf_test_log(), "level=warn module=retry msg=\"attempt failed\" name=twice attempt=1 delay_ms=100 "
                                  "error=\"Connection refused\" task=");
    WF_EXPECT_PART(wf_test_log(), "level=warn module=retry msg=\"attempt failed\" name=twice attempt=2 delay_ms=200 "
                                  "error=\"Connection refused\" task=");
    WF_EXPECT_INT((int64_t)count_parts("\n"), 2);
    WF_EXPECT_INT(counted("weft_retries_total{name=\"twice\"} "), 2);
    WF_EXPECT_INT(counted("weft_retries_exhausted_total{name=\"twice\"} "), 0);
}

WF_TEST(the_end_of_all_attempts_is_logged_once_and_counted, .simulated = true)
{
    struct peer peer = {.failures = 9, .code = -ECONNREFUSED};
    begin_counting();
    WF_EXPECT_CODE(wf_retry(ask(&peer), .attempts = 2, .name = "down"), -ECONNREFUSED);
    WF_EXPECT_PART(wf_test_log(), "level=warn module=retry msg=\"attempts are over\" name=down attempts=2 "
                                  "error=\"Connection refused\" reason=\"that was the last one\" task=");
    WF_EXPECT_INT((int64_t)count_parts("attempt failed"), 1);
    WF_EXPECT_INT((int64_t)count_parts("\n"), 2);
    WF_EXPECT_INT(counted("weft_retries_exhausted_total{name=\"down\"} "), 1);
}

static int minds;

static bool changes_its_mind(int code)
{
    return code == -EIO && ++minds == 1;
}

WF_TEST(why_there_is_no_further_attempt_is_said, .simulated = true)
{
    struct wf_retry_budget empty = {.percent = -1, .per_second = -1, .burst = 1};
    struct peer peer = {.failures = 99, .code = -EIO};
    minds = 0;
    WF_EXPECT_CODE(wf_retry(ask(&peer), .attempts = 5, .on = changes_its_mind), -EIO);
    WF_EXPECT_INT((int64_t)count_parts("name=unnamed attempts=2 error=\"Input/output error\" reason=\"that is not ret"),
                  1);
    peer.code = -ETIMEDOUT;
    WF_EXPECT_CODE(wf_retry(ask(&peer), .attempts = 5, .budget = &empty), -ETIMEDOUT);
    WF_EXPECT_INT((int64_t)count_parts("reason=\"the retry budget is empty\""), 1);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_retry(ask(&peer), .base = WF_SECONDS(2))), -ETIMEDOUT);
    WF_EXPECT_INT((int64_t)count_parts("attempts=1 error=\"Connection timed out\" reason=\"no time for another\""), 1);
}

WF_TEST(what_needs_no_retry_says_nothing, .simulated = true)
{
    struct peer well = {.failures = 0}, wrong = {.failures = 9, .code = -EINVAL};
    struct wf_breaker breaker = WF_BREAKER(.name = "quiet");
    WF_EXPECT_CODE(wf_retry(ask(&well)), 7);
    WF_EXPECT_CODE(wf_retry(ask(&wrong)), -EINVAL);
    WF_EXPECT_CODE(wf_retry(ask(&wrong), .attempts = 1), -EINVAL);
    WF_EXPECT_CODE(wf_guarded(&breaker, ask(&well)), 7);
    WF_EXPECT_TEXT(wf_test_log(), "");
}

WF_TEST(a_cancel_between_attempts_is_not_their_end, .simulated = true)
{
    struct peer peer = {.failures = 9, .code = -ECONNREFUSED};
    WF_SCOPE(scope);
    wf_test_cancel_at(&scope, 1, true); /* the wait before the second attempt */
    int rc = wf_retry(ask(&peer));
    WF_EXPECT_CODE(rc, -ECANCELED);
    WF_EXPECT(wf_test_cancel_end());
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
    WF_EXPECT_INT((int64_t)count_parts("attempt failed"), 1);
    WF_EXPECT_INT((int64_t)count_parts("\n"), 1);
}

static int fail_when_cancelled(struct wf_scope *scope)
{
    wf_scope_cancel(scope, "meanwhile");
    return -ECONNREFUSED;
}

WF_TEST(an_attempt_that_a_cancel_cut_short_is_not_their_end_either, .simulated = true)
{
    WF_SCOPE(scope);
    WF_EXPECT_CODE(wf_retry(fail_when_cancelled(&scope)), -ECONNREFUSED);
    WF_EXPECT_CODE(wf_scope_end(&scope, 0), 0);
    WF_EXPECT_TEXT(wf_test_log(), "");
}

WF_TEST(a_level_that_is_off_is_counted_all_the_same, .simulated = true)
{
    struct peer peer = {.failures = 1, .code = -ECONNREFUSED};
    begin_counting();
    WF_EXPECT_CODE(wf_log_set_level("retry", WF_ERROR), 0);
    WF_EXPECT_CODE(wf_retry(ask(&peer), .name = "silent"), 7);
    WF_EXPECT_TEXT(wf_test_log(), "");
    WF_EXPECT_INT(counted("weft_retries_total{name=\"silent\"} "), 1);
}

/* ---- Breakers ---- */

static void count_transition(void *context, const struct wf_breaker *breaker, enum wf_breaker_state before,
                             enum wf_breaker_state now)
{
    (void)breaker;
    (void)before;
    (void)now;
    ++*(int *)context;
}

static int call(struct wf_breaker *breaker, struct peer *peer)
{
    return wf_guarded(breaker, ask(peer));
}

WF_TEST(each_transition_of_a_breaker_is_logged_once_and_counted, .simulated = true, .timeout = WF_MINUTES(10))
{
    int heard = 0;
    struct peer peer = {.failures = 3, .code = -ECONNRESET};
    struct wf_breaker breaker = WF_BREAKER(.failures = 2, .open_for = WF_SECONDS(10), .name = "shop",
                                           .on_transition = count_transition, .context = &heard);
    begin_counting();
    for (int i = 0; i < 5; i++) wf_ignore(call(&breaker, &peer)); /* opens, then refuses */
    WF_EXPECT_INT(counted("weft_breakers_open{name=\"shop\"} "), 1);
    wf_sleep(WF_SECONDS(10));
    wf_ignore(call(&breaker, &peer)); /* a probe that fails */
    wf_sleep(WF_SECONDS(10));
    WF_EXPECT_CODE(call(&breaker, &peer), 7);
    const char *opened = "level=warn module=breaker msg=\"breaker opened\" name=shop from=closed "
                         "error=\"Connection reset by peer\" task=";
    WF_EXPECT_INT((int64_t)count_parts(opened), 1);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"breaker opened\" name=shop from=half_open error=\"Connection reset"), 1);
    WF_EXPECT_INT((int64_t)count_parts("level=info module=breaker msg=\"breaker half-opened\" name=shop from=open "),
                  2);
    WF_EXPECT_INT((int64_t)count_parts("level=info module=breaker msg=\"breaker closed\" name=shop from=half_open "),
                  1);
    WF_EXPECT_INT((int64_t)count_parts("\n"), 5);
    WF_EXPECT_INT(heard, 5);
    WF_EXPECT_INT(counted("weft_breaker_transitions_total{name=\"shop\",to=\"open\"} "), 2);
    WF_EXPECT_INT(counted("weft_breaker_transitions_total{name=\"shop\",to=\"half_open\"} "), 2);
    WF_EXPECT_INT(counted("weft_breaker_transitions_total{name=\"shop\",to=\"closed\"} "), 1);
    WF_EXPECT_INT(counted("weft_breakers_open{name=\"shop\"} "), 0);
}

static int ask_slowly(struct wf_breaker *breaker)
{
    return wf_guarded(breaker, wf_sleep(WF_SECONDS(2)));
}

WF_TEST(a_breaker_that_slowness_opened_names_no_error, .simulated = true)
{
    struct peer peer = {.failures = 1, .code = -EIO};
    struct wf_breaker breaker =
        WF_BREAKER(.window = 4, .minimum = 2, .slow = WF_SECONDS(1), .slow_percent = 50, .percent = 90, .name = "slow");
    WF_EXPECT_CODE(call(&breaker, &peer), -EIO); /* does not open it, nor explain why it opens */
    WF_EXPECT_CODE(ask_slowly(&breaker), 0);
    WF_EXPECT_INT((int64_t)wf_breaker_state(&breaker), WF_BREAKER_OPEN);
    WF_EXPECT_PART(wf_test_log(), "msg=\"breaker opened\" name=slow from=closed task=");
}

/* ---- Bulkheads ---- */

static int stay(struct wf_bulkhead *bulkhead)
{
    int rc = wf_guarded(bulkhead, wf_sleep(WF_SECONDS(1)));
    return rc == WF_EFULL ? 0 : rc;
}

WF_TEST(a_burst_of_refused_calls_is_one_line, .simulated = true)
{
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 1, .name = "database");
    begin_counting();
    for (int burst = 0; burst < 2; burst++) {
        WF_SCOPE(scope);
        for (int i = 0; i < 10; i++) wf_spawn(&scope, stay, &bulkhead);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT((int64_t)count_parts(
                      "level=warn module=bulkhead msg=\"calls are refused\" name=database reason=full"),
                  2);
    WF_EXPECT_INT((int64_t)count_parts("\n"), 2);
    WF_EXPECT_INT(counted("weft_bulkhead_refused_total{name=\"database\",why=\"full\"} "), 16);
}

/* ---- Whatever happens ---- */

WF_TEST(no_line_is_written_twice_whatever_goes_wrong, .simulated = true, .sweep = true)
{
    int heard = 0;
    struct peer peer = {.failures = 2, .code = -ECONNREFUSED};
    struct wf_breaker breaker =
        WF_BREAKER(.failures = 3, .name = "swept", .on_transition = count_transition, .context = &heard);
    wf_ignore(wf_retry(wf_guarded(&breaker, ask(&peer)), .attempts = 5));
    WF_INVARIANT(count_parts("attempt=1 ") <= 1);
    WF_INVARIANT(count_parts("attempt=2 ") <= 1);
    WF_INVARIANT(count_parts("attempts are over") <= 1);
    WF_INVARIANT(count_parts("module=breaker") == (size_t)heard);
}

WF_TEST_MAIN
