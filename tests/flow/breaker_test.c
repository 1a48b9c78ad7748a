/* The circuit breaker: what opens it, what it lets through, what closes it again. */
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct peer {
    int rc;
    int64_t latency;
    int calls;
    int inside, peak;
};

static int ask(struct peer *peer)
{
    peer->calls++;
    if (++peer->inside > peer->peak) peer->peak = peer->inside;
    int rc = peer->latency > 0 ? wf_sleep(peer->latency) : 0;
    peer->inside--;
    return rc < 0 ? rc : peer->rc;
}

static int ask_guarded(struct wf_breaker *breaker, struct peer *peer)
{
    return wf_guarded(breaker, ask(peer));
}

/* So many calls with that result. */
static void call_times(struct wf_breaker *breaker, int times, int rc)
{
    struct peer peer = {.rc = rc};
    for (int i = 0; i < times; i++) WF_EXPECT_CODE(ask_guarded(breaker, &peer), rc);
}

static bool is_open(const struct wf_breaker *breaker)
{
    return wf_breaker_state(breaker) == WF_BREAKER_OPEN;
}

static bool is_closed(const struct wf_breaker *breaker)
{
    return wf_breaker_state(breaker) == WF_BREAKER_CLOSED;
}

/* ---- Opening ---- */

/* S043 */
WF_TEST(the_fifth_failure_in_a_row_opens_it_and_the_sixth_call_never_reaches_the_peer, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.name = "shop");
    struct peer peer = {.rc = -ECONNREFUSED};
    for (int i = 0; i < 5; i++) WF_EXPECT_CODE(ask_guarded(&breaker, &peer), -ECONNREFUSED);
    WF_EXPECT(is_open(&breaker));
    WF_EXPECT_FAILURE(ask_guarded(&breaker, &peer), WF_EOPEN,
                      "shop: the breaker is open for 60 s more; the last failure: -111 Connection refused");
    WF_EXPECT_INT(peer.calls, 5);
    WF_EXPECT_INT(wf_breaker_retry_after(&breaker), WF_SECONDS(60));
}

WF_TEST(a_success_in_between_begins_the_count_again, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 3);
    call_times(&breaker, 2, -EIO);
    call_times(&breaker, 1, 7);
    call_times(&breaker, 2, -EIO);
    WF_EXPECT(is_closed(&breaker));
    call_times(&breaker, 1, -EIO);
    WF_EXPECT(is_open(&breaker));
}

/* S043 */
WF_TEST(errors_of_the_callers_own_do_not_count, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1);
    call_times(&breaker, 9, -EINVAL);
    call_times(&breaker, 9, -ENOENT);
    call_times(&breaker, 9, -ENOMEM);
    WF_EXPECT(is_closed(&breaker));
}

static bool counts_missing(int code)
{
    return code == -ENOENT;
}

WF_TEST(the_predicate_says_what_counts, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1, .counts = counts_missing);
    call_times(&breaker, 9, -EIO);
    WF_EXPECT(is_closed(&breaker));
    call_times(&breaker, 1, -ENOENT);
    WF_EXPECT(is_open(&breaker));
}

/* S043 */
WF_TEST(a_cancelled_call_does_not_count, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1);
    struct peer slow = {.latency = WF_SECONDS(10)};
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), ask_guarded(&breaker, &slow)), -ETIME);
    WF_EXPECT(is_closed(&breaker));
    struct wf_breaker_statistics statistics;
    wf_breaker_statistics(&breaker, &statistics);
    WF_EXPECT_INT((int64_t)statistics.cancelled, 1);
    WF_INVARIANT(statistics.failures == 0);
}

WF_TEST(a_deadline_inside_the_guard_counts, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1);
    struct peer slow = {.latency = WF_SECONDS(10)};
    WF_EXPECT_CODE(wf_guarded(&breaker, wf_within(WF_SECONDS(1), ask(&slow))), -ETIME);
    WF_EXPECT(is_open(&breaker));
}

/* ---- Windows ---- */

WF_TEST(a_window_of_calls_opens_at_its_share_of_failures, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.window = 10, .percent = 40);
    call_times(&breaker, 3, -EIO);
    call_times(&breaker, 6, 0);
    WF_EXPECT(is_closed(&breaker)); /* 3 of 9, and 9 are too few */
    call_times(&breaker, 1, 0);     /* 3 of 10 */
    call_times(&breaker, 1, -EIO);  /* the first failure has left it: 3 of 10 */
    WF_EXPECT(is_closed(&breaker));
    call_times(&breaker, 2, -EIO); /* 3 of 10, two more having left it */
    WF_EXPECT(is_closed(&breaker));
    call_times(&breaker, 1, -EIO);
    WF_EXPECT(is_open(&breaker));
}

WF_TEST(a_window_of_calls_judges_from_its_minimum_on, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.window = 256, .minimum = 4);
    call_times(&breaker, 3, -EIO);
    WF_EXPECT(is_closed(&breaker));
    call_times(&breaker, 1, -EIO);
    WF_EXPECT(is_open(&breaker));
}

WF_TEST(a_full_ring_of_any_size_holds_exactly_its_last_calls, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.window = 256, .minimum = 256, .percent = 50);
    call_times(&breaker, 127, -EIO);
    call_times(&breaker, 129, 0);
    WF_EXPECT(is_closed(&breaker)); /* 127 of 256 */
    call_times(&breaker, 127, -EIO);
    WF_EXPECT(is_closed(&breaker)); /* the same number, all of them newer */
    call_times(&breaker, 1, -EIO);
    WF_EXPECT(is_open(&breaker));
}

WF_TEST(a_window_of_time_forgets_what_is_older, .simulated = true, .sweep = true, .timeout = WF_MINUTES(1))
{
    struct wf_breaker breaker = WF_BREAKER(.lasting = WF_SECONDS(10), .minimum = 4);
    call_times(&breaker, 3, -EIO);
    wf_sleep(WF_SECONDS(11));
    call_times(&breaker, 3, -EIO);
    WF_EXPECT(is_closed(&breaker));
    wf_sleep(WF_SECONDS(5));
    call_times(&breaker, 1, -EIO);
    WF_EXPECT(is_open(&breaker));
}

WF_TEST(a_window_of_time_forgets_step_by_step, .simulated = true, .sweep = true, .timeout = WF_MINUTES(1))
{
    struct wf_breaker breaker = WF_BREAKER(.lasting = WF_SECONDS(10), .minimum = 10, .percent = 100);
    for (int i = 0; i < 9; i++) {
        call_times(&breaker, 1, -EIO);
        wf_sleep(WF_SECONDS(1));
    }
    wf_sleep(WF_SECONDS(2)); /* the first two of nine are gone */
    call_times(&breaker, 2, -EIO);
    WF_EXPECT(is_closed(&breaker));
    call_times(&breaker, 1, -EIO);
    WF_EXPECT(is_open(&breaker));
}

WF_TEST(slow_calls_open_it_too, .simulated = true, .sweep = true, .timeout = WF_MINUTES(1))
{
    struct wf_breaker breaker = WF_BREAKER(.window = 4, .slow = WF_SECONDS(2), .slow_percent = 50);
    struct peer quick = {.latency = WF_SECONDS(2)}, slow = {.latency = WF_SECONDS(2) + 1};
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(ask_guarded(&breaker, &quick), 0);
    WF_EXPECT_CODE(ask_guarded(&breaker, &slow), 0);
    WF_EXPECT(is_closed(&breaker));
    WF_EXPECT_CODE(ask_guarded(&breaker, &slow), 0);
    WF_EXPECT(is_open(&breaker));
}

/* ---- Half open ---- */

static int ask_in_task(void **pair)
{
    int rc = ask_guarded(pair[0], pair[1]);
    return rc == WF_EOPEN ? 0 : rc;
}

/* S044 */
WF_TEST(after_its_time_exactly_one_probe_passes_and_its_success_closes, .simulated = true, .sweep = true,
        .timeout = WF_MINUTES(5))
{
    struct wf_breaker breaker = WF_BREAKER(.open_for = WF_SECONDS(60));
    call_times(&breaker, 5, -EIO);
    struct peer peer = {.latency = WF_SECONDS(1)};
    wf_sleep(WF_SECONDS(60) - 1);
    WF_EXPECT_CODE(ask_guarded(&breaker, &peer), WF_EOPEN);
    WF_EXPECT_INT(wf_breaker_retry_after(&breaker), 1);
    wf_sleep(1);
    void *pair[] = {&breaker, &peer};
    WF_SCOPE(scope);
    for (int i = 0; i < 10; i++) wf_spawn(&scope, ask_in_task, pair);
    wf_yield();
    WF_EXPECT_INT((int64_t)wf_breaker_state(&breaker), WF_BREAKER_HALF_OPEN);
    WF_EXPECT_FAILURE(ask_guarded(&breaker, &peer), WF_EOPEN, "half open, and a probe is under way");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(peer.calls, 1);
    WF_EXPECT(is_closed(&breaker));
    call_times(&breaker, 4, -EIO); /* and the count begins at zero */
    WF_EXPECT(is_closed(&breaker));
    WF_INVARIANT(peer.peak <= 1);
}

/* S044 */
WF_TEST(a_failed_probe_opens_it_again_for_the_full_time, .simulated = true, .sweep = true, .timeout = WF_MINUTES(5))
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1, .open_for = WF_SECONDS(60));
    call_times(&breaker, 1, -EIO);
    wf_sleep(WF_SECONDS(90));
    struct peer peer = {.rc = -EIO, .latency = WF_SECONDS(3)};
    WF_EXPECT_CODE(ask_guarded(&breaker, &peer), -EIO);
    WF_EXPECT(is_open(&breaker));
    WF_EXPECT_INT(wf_breaker_retry_after(&breaker), WF_SECONDS(60));
}

WF_TEST(a_slow_probe_counts_as_failed, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.window = 1, .slow = WF_SECONDS(1), .open_for = WF_SECONDS(1));
    call_times(&breaker, 1, -EIO);
    wf_sleep(WF_SECONDS(1));
    struct peer slow = {.latency = WF_SECONDS(2)};
    WF_EXPECT_CODE(ask_guarded(&breaker, &slow), 0);
    WF_EXPECT(is_open(&breaker));
}

WF_TEST(several_probes_must_all_succeed, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1, .open_for = WF_SECONDS(1), .probes = 3);
    call_times(&breaker, 1, -EIO);
    wf_sleep(WF_SECONDS(1));
    struct peer peer = {.latency = WF_SECONDS(1)};
    void *pair[] = {&breaker, &peer};
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 10; i++) wf_spawn(&scope, ask_in_task, pair);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT(peer.calls, 3);
    WF_EXPECT(is_closed(&breaker));
    WF_INVARIANT(peer.peak <= 3);
}

/* S044 */
WF_TEST(a_cancelled_probe_gives_its_place_back, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1, .open_for = WF_SECONDS(1));
    call_times(&breaker, 1, -EIO);
    wf_sleep(WF_SECONDS(1));
    struct peer slow = {.latency = WF_SECONDS(10)}, quick = {.rc = 0};
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), ask_guarded(&breaker, &slow)), -ETIME);
    WF_EXPECT_INT((int64_t)wf_breaker_state(&breaker), WF_BREAKER_HALF_OPEN);
    WF_EXPECT_CODE(ask_guarded(&breaker, &quick), 0);
    WF_EXPECT(is_closed(&breaker));
}

/* S044 */
WF_TEST(results_of_calls_from_before_a_transition_do_not_count, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 2, .open_for = WF_SECONDS(1));
    struct peer late_success = {.latency = WF_SECONDS(3)}, late_failure = {.latency = WF_SECONDS(3), .rc = -EIO};
    void *good[] = {&breaker, &late_success}, *bad[] = {&breaker, &late_failure};
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, ask_in_task, good);
    wf_spawn(&scope, ask_in_task, bad);
    wf_yield();
    call_times(&breaker, 2, -EIO);
    wf_sleep(WF_SECONDS(2));
    struct peer probe = {.latency = WF_SECONDS(2)};
    WF_EXPECT_CODE(ask_guarded(&breaker, &probe), 0); /* the late ones end meanwhile */
    WF_EXPECT(is_closed(&breaker));
    call_times(&breaker, 1, -EIO);
    WF_EXPECT(is_closed(&breaker));
    WF_EXPECT_CODE(wf_scope_join(&scope), -EIO);
    struct wf_breaker_statistics statistics;
    wf_breaker_statistics(&breaker, &statistics);
    WF_EXPECT_INT((int64_t)statistics.late, 2);
}

/* ---- Seeing ---- */

static void note_transition(void *context, const struct wf_breaker *breaker, enum wf_breaker_state before,
                            enum wf_breaker_state now)
{
    static const char *const names[] = {"closed", "open", "half"};
    WF_EXPECT_TEXT(context, "context");
    WF_EXPECT_INT((int64_t)wf_breaker_state(breaker), now);
    wf_test_note("%s>%s", names[before], names[now]);
}

WF_TEST(a_listener_hears_of_each_transition_once, .simulated = true, .sweep = true)
{
    static char context[] = "context";
    struct wf_breaker breaker =
        WF_BREAKER(.failures = 1, .open_for = WF_SECONDS(1), .on_transition = note_transition, .context = context);
    struct peer peer = {.rc = 0};
    call_times(&breaker, 1, -EIO);
    WF_EXPECT_CODE(ask_guarded(&breaker, &peer), WF_EOPEN);
    wf_sleep(WF_SECONDS(1));
    call_times(&breaker, 1, -EIO);
    wf_sleep(WF_SECONDS(1));
    call_times(&breaker, 3, 0);
    WF_EXPECT_TEXT(wf_test_notes(), "closed>open open>half half>open open>half half>closed");
}

WF_TEST(state_and_numbers_are_there_as_text, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.name = "shop");
    struct peer peer = {.rc = 0};
    char text[256];
    wf_breaker_text(&breaker, text, sizeof text);
    WF_EXPECT_TEXT(text, "shop: closed, no failure yet; 0 calls, 0 failures, 0 slow, 0 refused, opened 0 times");
    call_times(&breaker, 3, 0);
    call_times(&breaker, 5, -EIO);
    WF_EXPECT_CODE(ask_guarded(&breaker, &peer), WF_EOPEN);
    int size = wf_breaker_text(&breaker, text, sizeof text);
    WF_EXPECT_TEXT(text, "shop: open for 60 s more, last failure -5 Input/output error; "
                         "8 calls, 5 failures, 0 slow, 1 refused, opened 1 times");
    WF_EXPECT_INT(wf_breaker_text(&breaker, text, 5), size);
    WF_EXPECT_TEXT(text, "shop");
}

/* ---- Bad input ---- */

static struct wf_breaker bad_breakers[] = {
    WF_BREAKER(.failures = -1),
    WF_BREAKER(.probes = -1),
    WF_BREAKER(.open_for = -1),
    WF_BREAKER(.window = 257),
    WF_BREAKER(.window = 5, .minimum = 6),
    WF_BREAKER(.window = 5, .failures = 5),
    WF_BREAKER(.window = 5, .percent = 101),
    WF_BREAKER(.lasting = 9),
    WF_BREAKER(.slow = 5),
    {.options = {.failures = 5}},
};

WF_TEST_EACH(options_without_sense_are_refused_before_the_call, bad_breakers, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = *row;
    struct peer peer = {.rc = 0};
    WF_EXPECT_FAILURE(ask_guarded(&breaker, &peer), -EINVAL, "breaker: ");
    WF_INVARIANT(peer.calls == 0);
}

/* ---- The guard ---- */

static ssize_t answer_at_length(void)
{
    return (ssize_t)1 << 40;
}

WF_TEST(a_guard_keeps_the_type_of_the_value_and_guards_nest, .simulated = true, .sweep = true)
{
    struct wf_breaker outer = WF_BREAKER(.failures = 1), inner = WF_BREAKER(.failures = 1);
    WF_EXPECT_INT(wf_guarded(&outer, wf_guarded(&inner, answer_at_length())), (int64_t)1 << 40);
    call_times(&inner, 1, -EIO);
    struct peer peer = {.rc = 0};
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(wf_guarded(&outer, ask_guarded(&inner, &peer)), WF_EOPEN);
    WF_EXPECT(is_closed(&outer)); /* what an inner guard refuses says nothing about the peer */
}

WF_TEST(a_guarded_success_neither_suspends_nor_allocates, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 5);
    size_t blocks = wf_allocated_blocks();
    struct peer peer = {.rc = 42};
    WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(ask_guarded(&breaker, &peer), 42));
    WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)blocks);
}

/* S048 */
WF_TEST(a_retry_stops_when_the_breaker_opens, .simulated = true, .sweep = true)
{
    static const struct wf_retry_options often = WF_RETRY(.attempts = 10, .base = WF_SECONDS(1));
    struct wf_breaker breaker = WF_BREAKER(.failures = 3, .name = "shop");
    struct wf_pipeline pipeline = {.name = "orders", .retry = &often, .breaker = &breaker};
    struct peer peer = {.rc = -ECONNREFUSED};
    WF_EXPECT_FAILURE(wf_guarded(&pipeline, ask(&peer)), -ECONNREFUSED,
                      "orders: 3 attempts in 3 s: -111 Connection refused, -111 Connection refused, "
                      "-111 Connection refused; the breaker is open");
    WF_EXPECT_INT(peer.calls, 3);
    WF_EXPECT_FAILURE(wf_guarded(&pipeline, ask(&peer)), WF_EOPEN, "shop: the breaker is open for 60 s more");
    WF_EXPECT_INT(peer.calls, 3);
}

WF_TEST_MAIN
