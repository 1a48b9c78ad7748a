/* Several guards in one order: what each sees of the others, and what is left behind. */
#include <stdio.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct peer {
    int fails, code;
    int64_t latency;
    int calls, inside, peak;
    int64_t last, least_gap;
};

static int ask(struct peer *peer)
{
    int64_t now = wf_now();
    if (peer->calls > 0 && (peer->least_gap == 0 || now - peer->last < peer->least_gap))
        peer->least_gap = now - peer->last;
    peer->last = now;
    peer->calls++;
    if (++peer->inside > peer->peak) peer->peak = peer->inside;
    int rc = peer->latency > 0 ? wf_sleep(peer->latency) : 0;
    peer->inside--;
    if (rc < 0) return rc;
    return peer->calls <= peer->fails ? peer->code : 42;
}

static void note_attempt(void *context, const struct wf_attempt *attempt)
{
    (void)context;
    wf_test_note("%s %d: %d at %lld+%lld ms", attempt->name, attempt->number, attempt->code,
                 (long long)(attempt->started / WF_MILLISECONDS(1) % 100000),
                 (long long)((attempt->ended - attempt->started) / WF_MILLISECONDS(1)));
}

static void note_code(void *context, const struct wf_attempt *attempt)
{
    (void)context;
    wf_test_note("%d:%d", attempt->number, attempt->code);
}

static const struct wf_retry_options thrice = WF_RETRY(.attempts = 3, .base = WF_SECONDS(1));

/* ---- Each part in its place ---- */

/* S048 */
WF_TEST(every_attempt_is_seen_with_its_times_and_code, .simulated = true, .sweep = true, .timeout = WF_MINUTES(1))
{
    struct peer peer = {.fails = 1, .code = -ECONNRESET, .latency = WF_MILLISECONDS(500)};
    struct wf_pipeline pipeline = {.name = "shop", .retry = &thrice, .on_attempt = note_attempt};
    long long started = (long long)(wf_now() / WF_MILLISECONDS(1) % 100000);
    WF_EXPECT_CODE(wf_guarded(&pipeline, ask(&peer)), 42);
    char wanted[128];
    snprintf(wanted, sizeof wanted, "shop 1: -104 at %lld+500 ms shop 2: 0 at %lld+500 ms", started, started + 1500);
    WF_EXPECT_TEXT(wf_test_notes(), wanted);
}

/* S048: retry > breaker. */
WF_TEST(each_attempt_counts_for_the_breaker, .simulated = true, .sweep = true, .timeout = WF_MINUTES(1))
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 2, .name = "shop");
    struct peer peer = {.fails = 9, .code = -ECONNREFUSED};
    struct wf_pipeline pipeline = {.retry = &thrice, .breaker = &breaker, .on_attempt = note_code};
    WF_EXPECT_CODE(wf_guarded(&pipeline, ask(&peer)), -ECONNREFUSED);
    WF_EXPECT_PART(wf_failure(), "2 attempts in 1 s");
    WF_EXPECT_PART(wf_failure(), "; the breaker is open");
    WF_EXPECT_TEXT(wf_test_notes(), "1:-111 2:-111");
}

struct opening {
    struct wf_breaker *breaker;
    struct peer *peer;
};

static int fail_later(struct opening *opening)
{
    int rc = wf_sleep(WF_MILLISECONDS(500));
    if (rc < 0) return rc;
    rc = wf_guarded(opening->breaker, ask(opening->peer));
    return rc == -ECONNREFUSED ? 0 : rc;
}

/* S048 */
WF_TEST(a_breaker_that_others_open_ends_the_retry, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 2, .name = "shop");
    struct peer peer = {.fails = 9, .code = -ECONNREFUSED};
    struct opening opening = {&breaker, &peer};
    struct wf_pipeline pipeline = {.retry = &thrice, .breaker = &breaker, .on_attempt = note_code};
    WF_SCOPE(scope);
    wf_spawn(&scope, fail_later, &opening);
    WF_EXPECT_FAILURE(wf_guarded(&pipeline, ask(&peer)), WF_EOPEN,
                      "2 attempts in 1 s: -111 Connection refused, -4097 Circuit breaker is open; that is not retried; "
                      "it said: shop: the breaker is open for 59.5 s more");
    WF_EXPECT_TEXT(wf_test_notes(), "1:-111 2:-4097");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(peer.calls, 2);
}

static int go_on_for(struct peer *peer, struct wf_pipeline *pipeline)
{
    return wf_guarded(pipeline, ask(peer));
}

/* S048: breaker > rate: what the breaker refuses takes no turn of the rate. */
WF_TEST(a_refused_call_takes_no_turn, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1);
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    struct peer peer = {.fails = 1, .code = -ECONNREFUSED};
    struct wf_pipeline pipeline = {.breaker = &breaker, .rate = &rate};
    WF_EXPECT_CODE(go_on_for(&peer, &pipeline), -ECONNREFUSED);
    for (int i = 0; i < 5; i++) WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(go_on_for(&peer, &pipeline), WF_EOPEN));
    struct wf_rate_statistics statistics;
    wf_rate_statistics(&rate, &statistics);
    WF_INVARIANT(statistics.passed <= 1);
}

/* S048: rate > bulkhead: a turn that the bulkhead refuses is given back. */
WF_TEST(a_turn_that_the_bulkhead_refuses_is_given_back, .simulated = true, .sweep = true)
{
    struct wf_rate rate = WF_RATE(1, WF_SECONDS(1));
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 0);
    struct wf_breaker breaker = WF_BREAKER(.failures = 1);
    struct peer peer = {.fails = 0};
    struct wf_pipeline pipeline = {.breaker = &breaker, .rate = &rate, .bulkhead = &bulkhead};
    WF_EXPECT_CODE(wf_bulkhead_enter(&bulkhead), 0);
    WF_EXPECT_CODE(go_on_for(&peer, &pipeline), WF_EFULL);
    WF_EXPECT_INT((int64_t)wf_breaker_state(&breaker), WF_BREAKER_CLOSED);
    WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), 0);
    WF_EXPECT_NO_SUSPENSION(WF_EXPECT_CODE(go_on_for(&peer, &pipeline), 42));
}

static int leave_later(struct wf_bulkhead *bulkhead)
{
    int rc = wf_sleep(WF_SECONDS(2));
    WF_EXPECT_CODE(wf_bulkhead_leave(bulkhead), 0);
    return rc;
}

/* S048: bulkhead > attempt deadline. */
WF_TEST(the_wait_for_room_is_not_the_attempts, .simulated = true, .sweep = true)
{
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 9);
    struct peer peer = {.latency = WF_SECONDS(1)};
    struct wf_pipeline pipeline = {.bulkhead = &bulkhead, .attempt_timeout = WF_SECONDS(1) + 1};
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_bulkhead_enter(&bulkhead), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, leave_later, &bulkhead);
    WF_EXPECT_CODE(go_on_for(&peer, &pipeline), 42);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(3));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* S048: the total deadline covers the waits. */
WF_TEST(the_total_deadline_bounds_waits_of_every_kind, .simulated = true, .sweep = true, .timeout = WF_MINUTES(1))
{
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 9);
    struct peer peer = {.fails = 0};
    struct wf_pipeline pipeline = {.within = WF_SECONDS(5),
                                   .retry = &thrice,
                                   .bulkhead = &bulkhead,
                                   .attempt_timeout = WF_SECONDS(1)};
    WF_EXPECT_CODE(wf_bulkhead_enter(&bulkhead), 0);
    int64_t started = wf_now();
    WF_EXPECT_FAILURE(go_on_for(&peer, &pipeline), -ETIME, "1 attempt in 5 s: -62 Deadline expired; no time");
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(5));
    WF_INVARIANT(peer.calls == 0);
    WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), 0);
}

WF_TEST(of_two_deadlines_of_a_kind_the_shorter_counts, .simulated = true, .sweep = true, .timeout = WF_MINUTES(1))
{
    static const struct wf_retry_options bounded = WF_RETRY(.within = WF_SECONDS(9), .attempt_timeout = WF_SECONDS(1));
    struct wf_pipeline pipeline = {.within = WF_SECONDS(5), .retry = &bounded, .attempt_timeout = WF_SECONDS(7)};
    WF_EXPECT_INT(wf_guarded(&pipeline, wf_remaining()), WF_SECONDS(1));
    pipeline.attempt_timeout = WF_MILLISECONDS(1);
    WF_EXPECT_INT(wf_guarded(&pipeline, wf_remaining()), WF_MILLISECONDS(1));
}

/* ---- All together ---- */

struct client {
    const struct wf_pipeline *pipeline;
    struct peer *peer;
    int succeeded;
};

static int use(struct client *client)
{
    int rc = wf_guarded(client->pipeline, ask(client->peer));
    client->succeeded += rc == 42;
    return rc < 0 ? rc : 0;
}

/* S047: the bulkhead outside, so that turns of the rate are used as they come, however long the calls take. */
static int use_spaced(struct client *client)
{
    int rc = wf_guarded(client->pipeline->bulkhead, wf_guarded(client->pipeline->rate, ask(client->peer)));
    client->succeeded += rc == 42;
    return rc < 0 ? rc : 0;
}

/* S047 */
WF_TEST(a_hundred_calls_five_at_a_time_and_ten_a_second, .simulated = true, .sweep = true, .timeout = WF_MINUTES(5))
{
    struct wf_rate rate = WF_RATE(10, WF_SECONDS(1));
    struct wf_bulkhead bulkhead = WF_BULKHEAD(5, 100);
    struct peer peer = {.latency = WF_MILLISECONDS(730)};
    struct wf_pipeline pipeline = {.rate = &rate, .bulkhead = &bulkhead};
    struct client client = {&pipeline, &peer, 0};
    int64_t started = wf_now();
    WF_SCOPE(scope);
    for (int i = 0; i < 100; i++) wf_spawn(&scope, use_spaced, &client);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(9900));
    WF_EXPECT_INT(client.succeeded, 100);
    WF_INVARIANT(peer.peak <= 5);
    WF_INVARIANT(peer.calls < 2 || peer.least_gap >= WF_MILLISECONDS(100));
}

/* S048 */
WF_TEST(nothing_is_left_behind_by_calls_that_end_in_any_way, .simulated = true, .sweep = true, .timeout = WF_MINUTES(5))
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 3, .open_for = WF_SECONDS(2), .probes = 2);
    struct wf_rate rate = WF_RATE(20, WF_SECONDS(1), .burst = 3);
    struct wf_bulkhead bulkhead = WF_BULKHEAD(2, 3);
    struct peer peer = {.fails = 7, .code = -ECONNRESET, .latency = WF_MILLISECONDS(300)};
    struct wf_pipeline pipeline = {
        .within = WF_SECONDS(4),
        .retry = &thrice,
        .breaker = &breaker,
        .rate = &rate,
        .bulkhead = &bulkhead,
        .attempt_timeout = WF_MILLISECONDS(299),
    };
    struct client client = {&pipeline, &peer, 0};
    {
        WF_SCOPE(scope, .policy = WF_COLLECT);
        for (int i = 0; i < 12; i++) {
            wf_spawn(&scope, use, &client);
            wf_sleep(WF_MILLISECONDS(170));
        }
        pipeline.attempt_timeout = WF_SECONDS(1);
        wf_ignore(wf_scope_join(&scope));
        wf_each_error(&scope, error) wf_take_error(error);
    }
    struct wf_bulkhead_statistics statistics;
    wf_bulkhead_statistics(&bulkhead, &statistics);
    WF_INVARIANT(statistics.inside == 0 && statistics.waiting == 0);
    WF_INVARIANT(wf_rate_waiting(&rate) == 0);
    WF_INVARIANT(peer.peak <= 2);
    wf_sleep(WF_SECONDS(3));
    peer.fails = 0;
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(go_on_for(&peer, &pipeline), 42); /* every probe has its place back */
    WF_EXPECT_INT((int64_t)wf_breaker_state(&breaker), WF_BREAKER_CLOSED);
}

static bool always(int code)
{
    (void)code;
    return true;
}

/* S048 */
WF_TEST(no_predicate_makes_a_retry_run_against_an_open_breaker, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1);
    struct peer peer = {.fails = 1, .code = -EIO};
    WF_EXPECT_CODE(wf_guarded(&breaker, ask(&peer)), -EIO);
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_retry(wf_guarded(&breaker, ask(&peer)), .on = always), WF_EOPEN);
    WF_EXPECT_INT(wf_now() - started, 0);
    WF_INVARIANT(peer.calls <= 1);
}

WF_TEST(a_probe_that_an_inner_guard_refuses_gives_its_place_back, .simulated = true, .sweep = true)
{
    struct wf_breaker breaker = WF_BREAKER(.failures = 1, .open_for = WF_SECONDS(1));
    struct wf_bulkhead bulkhead = WF_BULKHEAD(1, 0);
    struct peer peer = {.fails = 1, .code = -EIO};
    struct wf_pipeline pipeline = {.breaker = &breaker, .bulkhead = &bulkhead};
    WF_EXPECT_CODE(go_on_for(&peer, &pipeline), -EIO);
    wf_sleep(WF_SECONDS(1));
    WF_EXPECT_CODE(wf_bulkhead_enter(&bulkhead), 0);
    WF_EXPECT_CODE(go_on_for(&peer, &pipeline), WF_EFULL);
    WF_EXPECT_CODE(wf_guarded(&breaker, wf_guarded(&bulkhead, ask(&peer))), WF_EFULL);
    WF_EXPECT_INT((int64_t)wf_breaker_state(&breaker), WF_BREAKER_HALF_OPEN);
    WF_EXPECT_CODE(wf_bulkhead_leave(&bulkhead), 0);
    WF_EXPECT_CODE(go_on_for(&peer, &pipeline), 42);
    WF_EXPECT_INT((int64_t)wf_breaker_state(&breaker), WF_BREAKER_CLOSED);
}

/* ---- Bad input ---- */

WF_TEST(a_pipeline_without_sense_is_refused_before_the_call, .simulated = true, .sweep = true)
{
    static const struct wf_retry_options bare = {.attempts = 3};
    struct peer peer = {.fails = 0};
    struct wf_pipeline backwards = {.within = -1, .name = "shop"}, unmade = {.retry = &bare}, empty = {.name = NULL};
    WF_EXPECT_FAILURE(go_on_for(&peer, &backwards), -EINVAL, "shop: a negative duration: .within -1");
    WF_EXPECT_FAILURE(go_on_for(&peer, &unmade), -EINVAL, "not WF_RETRY(...)");
    WF_INVARIANT(peer.calls == 0);
    WF_EXPECT_CODE(go_on_for(&peer, &empty), 42);
}

WF_TEST_MAIN
