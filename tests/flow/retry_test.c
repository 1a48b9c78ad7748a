/* Retry: attempts, waits, what is retried and what ends it, what is said about it. */
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct peer {
    int fails; /* the first so many calls do, with `code` */
    int code;
    int64_t latency;
    int calls;
    int64_t at[16]; /* when each call began */
};

static int ask(struct peer *peer)
{
    if (peer->calls < (int)WF_COUNT(peer->at)) peer->at[peer->calls] = wf_now();
    peer->calls++;
    int rc = peer->latency > 0 ? wf_sleep(peer->latency) : 0;
    if (rc < 0) return rc;
    return peer->calls <= peer->fails ? peer->code : 42;
}

/* Between the call with that number, from 1, and the one before. */
static int64_t wait_before(const struct peer *peer, int call)
{
    return peer->at[call - 1] - peer->at[call - 2];
}

static bool always(int code)
{
    (void)code;
    return true;
}

/* ---- Attempts and waits ---- */

/* S039 */
WF_TEST(waits_double_from_the_base_until_an_attempt_succeeds, .simulated = true, .sweep = true)
{
    struct peer peer = {.fails = 2, .code = -ECONNREFUSED};
    WF_EXPECT_CODE(wf_retry(ask(&peer), .base = WF_SECONDS(1)), 42);
    WF_EXPECT_INT(peer.calls, 3);
    WF_EXPECT_INT(wait_before(&peer, 2), WF_SECONDS(1));
    WF_EXPECT_INT(wait_before(&peer, 3), WF_SECONDS(2));
    WF_INVARIANT(peer.calls <= 3);
}

/* S039 */
WF_TEST(one_attempt_is_one_call_without_a_wait, .simulated = true, .sweep = true)
{
    struct peer peer = {.fails = 1, .code = -ECONNREFUSED};
    WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(wf_retry(ask(&peer), .attempts = 1), -ECONNREFUSED));
    WF_EXPECT_INT(peer.calls, 1);
}

WF_TEST(a_success_neither_suspends_nor_allocates, .simulated = true, .sweep = true)
{
    struct peer peer = {.fails = 0};
    size_t blocks = wf_allocated_blocks();
    WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(wf_retry(ask(&peer)), 42));
    WF_EXPECT_INT(peer.calls, 1);
    WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)blocks);
}

/* S040 */
WF_TEST(the_last_error_comes_back_with_the_history_of_attempts, .simulated = true, .sweep = true)
{
    struct peer peer = {.fails = 9, .code = -ECONNREFUSED};
    WF_EXPECT_FAILURE(wf_retry(ask(&peer), .attempts = 3, .base = WF_MILLISECONDS(400)), -ECONNREFUSED,
                      "3 attempts in 1.2 s: -111 Connection refused, -111 Connection refused, -111 Connection refused");
    WF_EXPECT_INT(peer.calls, 3);
}

static int fail_differently(int *calls)
{
    static const int codes[] = {-ECONNRESET, -ETIMEDOUT, -ECONNREFUSED};
    int call = (*calls)++;
    return call < 2 ? codes[call] : wf_fail(codes[2], "port %d is closed", 80);
}

WF_TEST(the_message_has_every_code_and_what_the_last_attempt_said, .simulated = true, .sweep = true)
{
    int calls = 0;
    WF_EXPECT_FAILURE(wf_retry(fail_differently(&calls), .base = WF_SECONDS(1), .name = "shop"), -ECONNREFUSED,
                      "shop: 3 attempts in 3 s: -104 Connection reset by peer, -110 Connection timed out, "
                      "-111 Connection refused; it said: port 80 is closed");
}

static const struct wait_case {
    const char *name;
    enum wf_backoff backoff;
    int64_t cap_s;
    int64_t waits_s[7];
} wait_cases[] = {
    {"exponential", WF_EXPONENTIAL, 10, {1, 2, 4, 8, 10, 10, 10}},
    {"exponential to 60", WF_EXPONENTIAL, 0, {1, 2, 4, 8, 16, 32, 60}},
    {"fixed", WF_FIXED, 10, {1, 1, 1, 1, 1, 1, 1}},
    {"fibonacci", WF_FIBONACCI, 10, {1, 1, 2, 3, 5, 8, 10}},
};

static const char *wait_case_name(size_t row)
{
    return wait_cases[row].name;
}

/* S041 */
WF_TEST_EACH(waits_grow_as_was_asked_up_to_the_cap, wait_cases, .simulated = true, .sweep = true,
             .timeout = WF_MINUTES(10), .row_name = wait_case_name)
{
    struct peer peer = {.fails = 7, .code = -ETIMEDOUT};
    int rc = wf_retry(ask(&peer), .attempts = 8, .base = WF_SECONDS(1), .cap = WF_SECONDS(row->cap_s),
                      .backoff = row->backoff);
    WF_EXPECT_CODE(rc, 42);
    for (int i = 0; i < 7; i++) WF_EXPECT_INT(wait_before(&peer, i + 2), WF_SECONDS(row->waits_s[i]));
}

WF_TEST(waits_never_overflow, .simulated = true, .timeout = INT64_MAX / 1024, .unswept = "the waits of years")
{
    struct peer peer = {.fails = 9, .code = -ETIMEDOUT};
    WF_EXPECT_CODE(wf_retry(ask(&peer), .attempts = 10, .base = INT64_MAX / 64, .cap = INT64_MAX / 65536), 42);
    WF_EXPECT_INT(wait_before(&peer, 10), INT64_MAX / 65536);
}

/* Waits of one call of four attempts, 1 s each before the jitter. */
static void waits_with(enum wf_jitter jitter, int64_t waits[3])
{
    struct peer peer = {.fails = 3, .code = -ETIMEDOUT};
    int rc = wf_retry(ask(&peer), .attempts = 4, .base = WF_SECONDS(1), .backoff = WF_FIXED, .jitter = jitter,
                      .cap = WF_SECONDS(5));
    WF_EXPECT_CODE(rc, 42);
    for (int i = 0; i < 3; i++) waits[i] = peer.calls == 4 ? wait_before(&peer, i + 2) : WF_SECONDS(1);
}

static const struct jitter_case {
    const char *name;
    enum wf_jitter jitter;
    int64_t least, most;
} jitter_cases[] = {
    {"full", WF_JITTER_FULL, 0, WF_SECONDS(1)},
    {"equal", WF_JITTER_EQUAL, WF_MILLISECONDS(500), WF_SECONDS(1)},
    {"decorrelated", WF_JITTER_DECORRELATED, WF_SECONDS(1), WF_SECONDS(5)},
};

static const char *jitter_case_name(size_t row)
{
    return jitter_cases[row].name;
}

/* S041 */
WF_TEST_EACH(jitter_spreads_waits_within_its_bounds, jitter_cases, .simulated = true, .timeout = WF_MINUTES(60),
             .row_name = jitter_case_name, .unswept = "a statistic")
{
    int low = 0, high = 0;
    int64_t middle = row->least + (row->most - row->least) / 2;
    for (int i = 0; i < 100; i++) {
        int64_t waits[3];
        waits_with(row->jitter, waits);
        for (int k = 0; k < 3; k++) {
            WF_EXPECT(waits[k] >= row->least && waits[k] <= row->most);
            if (waits[k] < middle) low++;
            else high++;
        }
    }
    WF_EXPECT(low > 60 && high > 60);
}

/* ---- What is retried ---- */

static const struct code_case {
    int code;
    int calls;
} code_cases[] = {
    {-ECONNREFUSED, 3}, {-ECONNRESET, 3}, {-ETIMEDOUT, 3}, {-ETIME, 3},  {-EAGAIN, 3}, {WF_EEND, 3},    {-EPIPE, 3},
    {-EINVAL, 1},       {-ENOENT, 1},     {-EACCES, 1},    {-ENOMEM, 1}, {-EIO, 1},    {-ECANCELED, 1},
};

/* S042: the last one is an ordinary error here, for nobody cancelled. */
WF_TEST_EACH(by_default_only_what_is_transient_is_retried, code_cases, .simulated = true, .sweep = true)
{
    struct peer peer = {.fails = 9, .code = row->code};
    WF_EXPECT_CODE(wf_retry(ask(&peer), .base = WF_MILLISECONDS(1)), row->code);
    WF_EXPECT_INT(peer.calls, row->calls);
}

static bool is_io(int code)
{
    return code == -EIO;
}

/* S042 */
WF_TEST(the_predicate_decides, .simulated = true, .sweep = true)
{
    struct peer disk = {.fails = 1, .code = -EIO}, peer = {.fails = 1, .code = -ECONNREFUSED};
    WF_EXPECT_CODE(wf_retry(ask(&disk), .on = is_io), 42);
    WF_EXPECT_CODE(wf_retry(ask(&peer), .on = is_io), -ECONNREFUSED);
    WF_EXPECT_INT(peer.calls, 1);
}

struct cancelled_call {
    struct peer peer;
    int rc;
};

static int ask_under_any_predicate(struct cancelled_call *call)
{
    call->rc = wf_retry(ask(&call->peer), .attempts = 100, .on = always);
    return call->rc;
}

static void cancel_after(struct cancelled_call *call, int64_t duration)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, ask_under_any_predicate, call);
    int rc = wf_sleep(duration);
    wf_scope_cancel(&scope, "enough");
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
}

/* S042 */
WF_TEST(a_cancel_is_never_retried_in_an_attempt, .simulated = true, .sweep = true, .rule = "1.1")
{
    struct cancelled_call call = {.peer = {.fails = 100, .code = -EIO, .latency = WF_SECONDS(10)}};
    cancel_after(&call, WF_SECONDS(1));
    WF_EXPECT_CODE(call.rc, -ECANCELED);
    WF_EXPECT_INT(call.peer.calls, 1);
}

/* S042 */
WF_TEST(a_cancel_is_never_retried_in_a_wait, .simulated = true, .sweep = true, .rule = "1.1")
{
    struct cancelled_call call = {.peer = {.fails = 100, .code = -EIO}};
    cancel_after(&call, WF_MILLISECONDS(150));
    WF_EXPECT_CODE(call.rc, -ECANCELED);
    WF_EXPECT_INT(call.peer.calls, 2);
}

static int refuse_in_the_end(struct peer *peer)
{
    int rc = ask(peer);
    return rc < 0 ? -ECONNREFUSED : rc;
}

static int refuse_when_cancelled(struct cancelled_call *call)
{
    call->rc = wf_retry(refuse_in_the_end(&call->peer), .on = always, .base = 1);
    return call->rc;
}

WF_TEST(an_error_in_a_cancelled_scope_is_not_retried, .simulated = true, .sweep = true)
{
    struct cancelled_call call = {.peer = {.fails = 100, .latency = WF_SECONDS(10)}};
    WF_SCOPE(scope);
    wf_spawn(&scope, refuse_when_cancelled, &call);
    wf_yield();
    wf_scope_cancel(&scope, "enough");
    WF_EXPECT_CODE(wf_scope_join(&scope), -ECONNREFUSED);
    WF_EXPECT_CODE(call.rc, -ECONNREFUSED);
    WF_EXPECT_INT(call.peer.calls, 1);
}

/* ---- Deadlines ---- */

WF_TEST(an_attempt_that_takes_too_long_is_cut_and_retried, .simulated = true, .sweep = true)
{
    struct peer peer = {.fails = 9, .code = -EIO, .latency = WF_SECONDS(10)};
    int64_t started = wf_now();
    int rc = wf_retry(ask(&peer), .attempts = 2, .base = WF_SECONDS(1), .attempt_timeout = WF_SECONDS(2));
    WF_EXPECT_CODE(rc, -ETIME);
    WF_EXPECT_PART(wf_failure(), "2 attempts in 5 s: -62 Deadline expired, -62 Deadline expired");
    WF_EXPECT_INT(peer.calls, 2);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(5));
}

WF_TEST(the_total_deadline_cuts_the_attempt_that_is_under_way, .simulated = true, .sweep = true)
{
    struct peer peer = {.fails = 1, .code = -ECONNRESET, .latency = WF_SECONDS(2)};
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_retry(ask(&peer), .base = WF_SECONDS(1), .within = WF_SECONDS(4)), -ETIME);
    WF_EXPECT_PART(wf_failure(), "2 attempts in 4 s: -104 Connection reset by peer, -62 Deadline expired; no time");
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(4));
    WF_EXPECT_INT(peer.calls, 2);
}

/* S048 */
WF_TEST(a_wait_that_does_not_fit_into_the_deadline_is_not_begun, .simulated = true, .sweep = true)
{
    struct peer own = {.fails = 9, .code = -ECONNREFUSED}, outer = own;
    int64_t started = wf_now();
    WF_EXPECT_FAILURE(wf_retry(ask(&own), .attempts = 9, .base = WF_SECONDS(1), .within = WF_SECONDS(3)), -ECONNREFUSED,
                      "2 attempts in 1 s: -111 Connection refused, -111 Connection refused; no time");
    WF_EXPECT_CODE(wf_within(WF_SECONDS(3), wf_retry(ask(&outer), .attempts = 9, .base = WF_SECONDS(1))),
                   -ECONNREFUSED);
    WF_EXPECT_INT(own.calls, 2);
    WF_EXPECT_INT(outer.calls, 2);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(2));
}

WF_TEST(an_attempt_sees_the_deadline_that_it_has, .simulated = true, .sweep = true)
{
    int64_t left = wf_retry(wf_remaining(), .within = WF_SECONDS(4));
    WF_EXPECT_INT(left, WF_SECONDS(4));
    left = wf_retry(wf_remaining(), .within = WF_SECONDS(4), .attempt_timeout = WF_SECONDS(1));
    WF_EXPECT_INT(left, WF_SECONDS(1));
    left = wf_retry(wf_remaining(), .within = WF_SECONDS(4), .attempt_timeout = WF_SECONDS(9));
    WF_EXPECT_INT(left, WF_SECONDS(4));
}

/* ---- Retry-After ---- */

static int busy_then_ready(struct peer *peer)
{
    int rc = ask(peer);
    if (rc < 0) WF_EXPECT_CODE(wf_retry_after(WF_SECONDS(7)), 0);
    return rc;
}

WF_TEST(a_hint_of_the_peer_is_the_least_wait, .simulated = true, .sweep = true, .timeout = WF_MINUTES(2))
{
    struct peer peer = {.fails = 1, .code = -EAGAIN}, patient = peer;
    WF_EXPECT_CODE(wf_retry(busy_then_ready(&peer), .cap = WF_SECONDS(1)), 42);
    WF_EXPECT_INT(wait_before(&peer, 2), WF_SECONDS(7));
    WF_EXPECT_CODE(wf_retry(busy_then_ready(&patient), .base = WF_SECONDS(9)), 42);
    WF_EXPECT_INT(wait_before(&patient, 2), WF_SECONDS(9));
}

static int ask_in_a_child(struct peer *peer)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, busy_then_ready, peer);
    return wf_scope_join(&scope);
}

WF_TEST(a_child_of_an_attempt_can_pass_the_hint, .simulated = true, .sweep = true)
{
    struct peer peer = {.fails = 1, .code = -EAGAIN};
    WF_EXPECT_CODE(wf_retry(ask_in_a_child(&peer)), 0);
    if (peer.calls == 2) WF_EXPECT_INT(wait_before(&peer, 2), WF_SECONDS(7));
}

static int hint_later(struct wf_event *over)
{
    int rc = wf_event_wait(over);
    if (rc == 0) WF_EXPECT_CODE(wf_retry_after(WF_SECONDS(1)), -ENOENT);
    return rc;
}

struct outliving {
    struct wf_scope *scope;
    struct wf_event *over;
};

static int spawn_with_context(struct outliving *outliving)
{
    return wf_spawn(outliving->scope, hint_later, outliving->over, .context = WF_CONTEXT_CURRENT);
}

WF_TEST(a_task_that_outlives_the_retry_finds_nothing_to_hint_to, .simulated = true, .sweep = true)
{
    struct wf_event over = WF_EVENT;
    WF_SCOPE(scope);
    struct outliving outliving = {&scope, &over};
    int rc = wf_retry(spawn_with_context(&outliving));
    wf_event_set(&over);
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0);
}

WF_TEST(a_hint_outside_of_a_retry_or_below_zero_is_refused, .simulated = true, .sweep = true)
{
    WF_EXPECT_CODE(wf_retry_after(1), -ENOENT);
    WF_EXPECT_CODE(wf_retry(wf_retry_after(-1)), -EINVAL);
}

/* ---- Hooks ---- */

static void note_attempt(void *context, const struct wf_attempt *attempt)
{
    WF_EXPECT_TEXT(context, "context");
    wf_test_note("%s %d: %d after %lld, then %lld", attempt->name, attempt->number, attempt->code,
                 (long long)((attempt->ended - attempt->started) / WF_SECONDS(1)), (long long)attempt->wait);
}

WF_TEST(the_hook_sees_each_attempt_before_its_wait, .simulated = true, .sweep = true)
{
    static char context[] = "context";
    struct peer peer = {.fails = 2, .code = -EAGAIN, .latency = WF_SECONDS(1)};
    WF_EXPECT_CODE(wf_retry(ask(&peer), .base = 5, .on_attempt = note_attempt, .context = context, .name = "shop"), 42);
    WF_EXPECT_TEXT(wf_test_notes(),
                   "shop 1: -11 after 1, then 5 shop 2: -11 after 1, then 10 shop 3: 0 after 1, then -1");
}

/* ---- Budget ---- */

WF_TEST(a_budget_bounds_what_many_callers_retry, .simulated = true, .sweep = true)
{
    struct wf_retry_budget budget = {.percent = 10, .per_second = -1, .burst = 5};
    int calls = 0;
    for (int i = 0; i < 100; i++) {
        struct peer peer = {.fails = 9, .code = -ECONNREFUSED};
        int rc = wf_retry(ask(&peer), .base = WF_MILLISECONDS(1), .budget = &budget);
        if (rc == -ECANCELED) break;
        WF_EXPECT_CODE(rc, -ECONNREFUSED);
        calls += peer.calls;
    }
    WF_EXPECT_INT(calls, 100 + 5 + 9); /* the bucket was full when the first call added to it */
    WF_EXPECT_PART(wf_failure(), "the retry budget is empty");
    struct wf_retry_statistics statistics;
    wf_retry_budget_statistics(&budget, &statistics);
    WF_EXPECT_INT((int64_t)statistics.calls, 100);
    WF_INVARIANT(statistics.retries <= 5 + 10);
    WF_EXPECT(statistics.refused >= 85);
}

WF_TEST(a_budget_fills_with_time, .simulated = true, .sweep = true)
{
    struct wf_retry_budget budget = {.percent = -1, .per_second = 2, .burst = 3};
    struct peer first = {.fails = 99, .code = -ECONNREFUSED}, second = first;
    wf_ignore(wf_retry(ask(&first), .attempts = 9, .base = 1, .backoff = WF_FIXED, .budget = &budget));
    WF_EXPECT_INT(first.calls, 4);
    wf_sleep(WF_SECONDS(1));
    wf_ignore(wf_retry(ask(&second), .attempts = 9, .base = 1, .backoff = WF_FIXED, .budget = &budget));
    WF_EXPECT_INT(second.calls, 3);
}

/* ---- Bad input ---- */

static const struct bad_case {
    struct wf_retry_options options;
    const char *said;
} bad_cases[] = {
    {{.attempts = -1}, "shop: .attempts is -1"},
    {{.base = -1}, "shop: a negative duration: .base -1"},
    {{.cap = -2}, ".cap -2"},
    {{.within = -3}, ".within -3"},
    {{.attempt_timeout = -4}, ".attempt_timeout -4"},
    {{.backoff = (enum wf_backoff)9}, ".backoff 9"},
    {{.jitter = (enum wf_jitter)9}, ".jitter 9"},
};

WF_TEST_EACH(options_without_sense_are_refused_before_the_first_attempt, bad_cases, .simulated = true, .sweep = true)
{
    const struct wf_retry_options *bad = &row->options;
    struct peer peer = {.fails = 0};
    WF_EXPECT_FAILURE(wf_retry(ask(&peer), .name = "shop", .attempts = bad->attempts, .base = bad->base,
                               .cap = bad->cap, .within = bad->within, .attempt_timeout = bad->attempt_timeout,
                               .backoff = bad->backoff, .jitter = bad->jitter),
                      -EINVAL, row->said);
    WF_INVARIANT(peer.calls == 0);
}

WF_TEST(a_budget_without_sense_is_refused, .simulated = true, .sweep = true)
{
    struct peer peer = {.fails = 0};
    struct wf_retry_budget budget = {.burst = -1};
    WF_EXPECT_FAILURE(wf_retry(ask(&peer), .budget = &budget), -EINVAL, ".burst -1");
    WF_INVARIANT(peer.calls == 0);
}

/* ---- The macro ---- */

static ssize_t answer_at_length(int *calls)
{
    return ++*calls < 2 ? (ssize_t)-EAGAIN : (ssize_t)1 << 40;
}

WF_TEST(a_value_keeps_its_type_and_retries_nest, .simulated = true, .sweep = true)
{
    int calls = 0;
    WF_EXPECT_INT(wf_retry(answer_at_length(&calls), .base = 1), (int64_t)1 << 40);
    struct peer peer = {.fails = 5, .code = -EAGAIN};
    WF_EXPECT_CODE(wf_retry(wf_retry(ask(&peer), .base = 1), .base = 1), 42);
    WF_EXPECT_INT(peer.calls, 6);
}

WF_TEST_MAIN
