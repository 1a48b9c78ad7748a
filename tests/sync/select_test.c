/* Rule 4.4: a select carries out exactly one case. The sweeps cut each test everywhere. */
#include <string.h>
#include <unistd.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- What is ready at once ---- */

WF_TEST(the_first_ready_case_is_taken_and_the_others_are_left_alone, .rule = "4.4", .sweep = true)
{
    WF_CHANNEL(one, int, 2);
    WF_CHANNEL(two, int, 2);
    WF_CHANNEL(out, int, 2);
    int item = 1, a = 0, b = 0, c = 9;
    WF_EXPECT_CODE(wf_try_send(&two, &item), 0);
    struct wf_case cases[] = {WF_CASE_RECEIVE(&one, &a), WF_CASE_RECEIVE(&two, &b), WF_CASE_SEND(&out, &c)};
    WF_EXPECT_CODE(wf_select(cases, WF_COUNT(cases)), 1);
    WF_EXPECT_CODE(cases[1].result, 1);
    WF_EXPECT_INT(b, 1);
    WF_EXPECT_INT(a, 0);
    WF_EXPECT_CODE(wf_try_receive(&out, &a), -EAGAIN); /* nothing was sent */
    WF_EXPECT_CODE(wf_select(cases, WF_COUNT(cases)), 2);
    WF_EXPECT_CODE(cases[2].result, 0);
    WF_EXPECT_CODE(wf_try_receive(&out, &a), 1);
    WF_EXPECT_INT(a, 9);
}

static int return_three(void *unused)
{
    (void)unused;
    return 3;
}

WF_TEST(every_kind_of_case_may_be_ready_at_once, .rule = "4.4", .sweep = true)
{
    WF_CHANNEL(closed, int, 1);
    wf_channel_close(&closed);
    struct wf_event event = WF_EVENT;
    wf_event_set(&event);
    struct wf_handle handle = {.result_ = 0};
    int item = 5;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, return_three, NULL, .handle = &handle);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    if (wf_test_failed() || wf_handle_result(&handle) != 3) return; /* never spawned */
    struct wf_case cases[] = {
        WF_CASE_RECEIVE(&closed, &item), WF_CASE_SEND(&closed, &item), WF_CASE_EVENT(&event),
        WF_CASE_HANDLE(&handle),         WF_CASE_UNTIL(wf_now()),
    };
    static const int results[] = {0, -EPIPE, 0, 3, 0};
    for (size_t i = 0; i < WF_COUNT(cases); i++) {
        WF_EXPECT_CODE(wf_select(&cases[i], 1), 0);
        WF_EXPECT_CODE(cases[i].result, results[i]);
        WF_EXPECT_CODE(wf_try_select(&cases[i], WF_COUNT(cases) - i), 0);
    }
    WF_EXPECT_INT(item, 5);
}

/* ---- What becomes ready ---- */

struct giver {
    struct wf_channel *channel;
    struct wf_event *event;
    int64_t after;
    int item, rc;
};

static int give(struct giver *giver)
{
    int rc = wf_sleep(giver->after);
    if (rc < 0) return rc;
    if (giver->event != NULL) wf_event_set(giver->event);
    if (giver->channel != NULL) giver->rc = wf_send(giver->channel, &giver->item);
    return 0;
}

WF_TEST(a_select_is_woken_by_the_first_of_its_cases, .rule = "4.4", .simulated = true, .sweep = true)
{
    WF_CHANNEL(one, int, 0);
    WF_CHANNEL(two, int, 0);
    struct wf_event event = WF_EVENT;
    struct giver first = {.channel = &two, .after = WF_MILLISECONDS(5), .item = 7};
    struct giver second = {.event = &event, .after = WF_MILLISECONDS(10)};
    int item = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, give, &first);
    wf_spawn(&scope, give, &second);
    struct wf_case cases[] = {
        WF_CASE_RECEIVE(&one, &item),
        WF_CASE_RECEIVE(&two, &item),
        WF_CASE_EVENT(&event),
        WF_CASE_UNTIL(wf_now() + WF_MILLISECONDS(20)),
    };
    WF_EXPECT_CODE(wf_select(cases, 4), 1);
    WF_EXPECT_INT(item, 7);
    WF_EXPECT_CODE(wf_select(cases, 4), 2);
    wf_event_clear(&event);
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_select(cases, 4), 3);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(10));
    WF_EXPECT_CODE(wf_select(cases, 4), 3);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    struct wf_channel_statistics now;
    wf_channel_statistics(&one, &now);
    WF_INVARIANT(now.receivers == 0);
    wf_channel_statistics(&two, &now);
    WF_INVARIANT(now.receivers == 0);
    WF_INVARIANT(event.waiters_.first == NULL);
}

struct selector {
    struct wf_channel *in, *out;
    int got, sent, which;
};

static int select_once(struct selector *selector)
{
    int item = 0, mine = 100;
    struct wf_case cases[] = {WF_CASE_RECEIVE(selector->in, &item), WF_CASE_SEND(selector->out, &mine)};
    int which = wf_select(cases, WF_COUNT(cases));
    selector->which = which;
    if (which == 0 && cases[0].result == 1) selector->got = item;
    if (which == 1 && cases[1].result == 0) selector->sent++;
    return which < 0 ? which : 0;
}

WF_TEST(two_things_in_the_same_pass_carry_out_one_case, .rule = "4.4 1.4", .sweep = true)
{
    WF_CHANNEL(in, int, 0);
    WF_CHANNEL(out, int, 0);
    for (int turn = 0; turn < 2; turn++) {
        struct selector selector = {.in = &in, .out = &out};
        WF_SCOPE(scope);
        wf_spawn(&scope, select_once, &selector);
        wf_yield();
        int item = 7, taken = 0, sent = -EAGAIN, received = -EAGAIN;
        if (turn == 0) sent = wf_try_send(&in, &item);
        received = wf_try_receive(&out, &taken);
        if (turn == 1) sent = wf_try_send(&in, &item);
        WF_INVARIANT(sent == -EAGAIN || received == -EAGAIN);
        wf_scope_cancel(&scope, "a moment too late");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_INVARIANT((sent == 0) == (selector.got == 7));
        WF_INVARIANT((received == 1) == (selector.sent == 1));
        WF_EXPECT_CODE(selector.which, turn);
    }
}

WF_TEST(a_cancelled_select_has_done_nothing, .rule = "1.3 4.4", .sweep = true)
{
    WF_CHANNEL(in, int, 0);
    WF_CHANNEL(out, int, 0);
    struct selector selector = {.in = &in, .out = &out};
    WF_SCOPE(scope);
    wf_spawn(&scope, select_once, &selector);
    wf_yield();
    wf_scope_cancel(&scope, "a moment before");
    int item = 7;
    WF_EXPECT_CODE(wf_try_send(&in, &item), -EAGAIN);
    WF_EXPECT_CODE(wf_try_receive(&out, &item), -EAGAIN);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(selector.which, -ECANCELED);
}

WF_TEST(two_selects_meet_on_a_rendezvous, .rule = "4.4", .sweep = true)
{
    WF_CHANNEL(there, int, 0);
    WF_CHANNEL(back, int, 0);
    struct selector one = {.in = &there, .out = &back}, other = {.in = &back, .out = &there};
    WF_SCOPE(scope);
    wf_spawn(&scope, select_once, &one);
    wf_spawn(&scope, select_once, &other);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_INVARIANT(one.sent + other.sent == (one.got == 100) + (other.got == 100));
    WF_EXPECT_INT(one.sent + other.sent, 1);
}

WF_TEST(a_select_never_meets_itself, .rule = "4.4", .simulated = true, .sweep = true)
{
    WF_CHANNEL(channel, int, 0);
    int in = 1, out = 2;
    struct wf_case cases[] = {
        WF_CASE_RECEIVE(&channel, &in),
        WF_CASE_SEND(&channel, &out),
        WF_CASE_UNTIL(wf_now() + WF_MILLISECONDS(1)),
        WF_CASE_RECEIVE(&channel, &in),
    };
    WF_EXPECT_CODE(wf_select(cases, WF_COUNT(cases)), 2);
    WF_INVARIANT(in == 1);
}

WF_TEST(closing_wakes_a_select_in_both_directions, .rule = "4.4", .sweep = true)
{
    for (int turn = 0; turn < 2; turn++) {
        WF_CHANNEL(in, int, 0);
        WF_CHANNEL(out, int, 0);
        struct selector selector = {.in = &in, .out = &out, .which = -1};
        WF_SCOPE(scope);
        wf_spawn(&scope, select_once, &selector);
        wf_yield();
        wf_channel_close(turn == 0 ? &out : &in);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_CODE(selector.which, turn == 0 ? 1 : 0);
        WF_INVARIANT(selector.got == 0 && selector.sent == 0);
    }
}

struct race {
    struct wf_channel *channels[3];
    int64_t sent, received;
    unsigned number;
};

static int race_selects(struct race *race)
{
    for (unsigned i = 0; i < 30; i++) {
        int in, out = (int)(race->number * 1000 + i);
        struct wf_channel *from = race->channels[i % 3], *to = race->channels[(i + race->number) % 3];
        struct wf_case cases[] = {
            WF_CASE_RECEIVE(from, &in),
            WF_CASE_SEND(to, &out),
            WF_CASE_UNTIL(wf_now() + WF_MICROSECONDS(1 + i % 4)),
        };
        int which = wf_select(cases, WF_COUNT(cases));
        if (which == 0) race->received += in;
        if (which == 1) race->sent += out;
        int rc = wf_sleep(WF_MICROSECONDS((i + race->number) % 3));
        if (rc < 0) return rc;
    }
    return 0;
}

WF_TEST(no_item_is_lost_or_doubled_when_selects_race, .rule = "1.4 4.4", .simulated = true)
{
    WF_CHANNEL(one, int, 0);
    WF_CHANNEL(two, int, 1);
    WF_CHANNEL(three, int, 2);
    struct race races[7];
    {
        WF_SCOPE(scope);
        for (unsigned i = 0; i < WF_COUNT(races); i++) {
            races[i] = (struct race){.channels = {&one, &two, &three}, .number = i};
            wf_spawn(&scope, race_selects, &races[i]);
        }
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    int64_t sent = 0, received = 0;
    for (unsigned i = 0; i < WF_COUNT(races); i++) sent += races[i].sent, received += races[i].received;
    int item;
    while (wf_try_receive(&two, &item) == 1 || wf_try_receive(&three, &item) == 1) received += item;
    WF_INVARIANT(sent == received);
    WF_EXPECT(sent > 0);
}

/* ---- The kernel ---- */

static int write_later(struct wf_stream *writer)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    return wf_stream_write_all(writer, "x", 1, NULL);
}

WF_TEST(readiness_of_a_descriptor_may_win, .rule = "4.4", .sweep = true)
{
    struct wf_stream *reader, *writer;
    if (wf_pipe(&reader, &writer) < 0) return;
    {
        WF_CHANNEL(never, int, 0);
        int item;
        WF_SCOPE(scope);
        wf_spawn(&scope, write_later, writer);
        struct wf_case cases[] = {
            WF_CASE_RECEIVE(&never, &item),
            WF_CASE_READY(wf_stream_fd(reader), WF_READABLE),
            WF_CASE_UNTIL(wf_now() + WF_SECONDS(5)),
        };
        int which = wf_select(cases, WF_COUNT(cases));
        WF_EXPECT_CODE(which, 1);
        WF_EXPECT_INT(cases[1].result, WF_READABLE);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        char letter;
        if (which == 1 && cases[1].result > 0) WF_EXPECT_INT(wf_stream_read(reader, &letter, 1), 1); /* still there */
    }
    wf_stream_close(reader);
    wf_stream_close(writer);
}

WF_TEST(polls_that_lost_have_ended_when_the_select_returns, .rule = "1.5 4.4", .sweep = true)
{
    struct wf_stream *reader, *writer, *other, *other_writer;
    if (wf_pipe(&reader, &writer) < 0) return;
    if (wf_pipe(&other, &other_writer) < 0) {
        wf_stream_close(reader);
        wf_stream_close(writer);
        return;
    }
    {
        WF_CHANNEL(channel, int, 0);
        struct giver giver = {.channel = &channel, .after = WF_MILLISECONDS(1), .item = 3};
        int item;
        WF_SCOPE(scope);
        wf_spawn(&scope, give, &giver);
        struct wf_case cases[] = {
            WF_CASE_READY(wf_stream_fd(reader), WF_READABLE),
            WF_CASE_READY(wf_stream_fd(other), WF_READABLE),
            WF_CASE_RECEIVE(&channel, &item),
        };
        WF_EXPECT_CODE(wf_select(cases, WF_COUNT(cases)), 2);
        struct wf_statistics now;
        wf_loop_statistics(&now);
        WF_INVARIANT(now.operations_pending == 0);
        wf_channel_close(&channel);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        cases[2] = (struct wf_case)WF_CASE_UNTIL(wf_now() + WF_MILLISECONDS(1));
        WF_EXPECT_CODE(wf_select(cases, WF_COUNT(cases)), 2);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_select(cases, 2)), -ETIME);
        wf_loop_statistics(&now);
        WF_INVARIANT(now.operations_pending == 0);
    }
    wf_stream_close(reader);
    wf_stream_close(writer);
    wf_stream_close(other);
    wf_stream_close(other_writer);
}

WF_TEST(a_descriptor_that_is_ready_and_an_event_in_one_pass_give_one_of_them, .rule = "4.4", .sweep = true)
{
    struct wf_stream *reader, *writer;
    if (wf_pipe(&reader, &writer) < 0) return;
    for (int turn = 0; turn < 8; turn++) {
        struct wf_event event = WF_EVENT;
        struct giver giver = {.event = &event, .after = WF_MICROSECONDS(turn * 3)};
        if (turn == 1 && wf_stream_write_all(writer, "x", 1, NULL) < 0) break;
        WF_SCOPE(scope);
        wf_spawn(&scope, give, &giver);
        struct wf_case cases[] = {WF_CASE_READY(wf_stream_fd(reader), WF_READABLE), WF_CASE_EVENT(&event)};
        int which = wf_select(cases, WF_COUNT(cases));
        WF_EXPECT(which == 0 || which == 1);
        WF_EXPECT(which != 0 || (turn > 0 && cases[0].result == WF_READABLE));
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    wf_stream_close(reader);
    wf_stream_close(writer);
}

/* ---- Bad input ---- */

WF_TEST(cases_that_cannot_be_waited_for_are_refused)
{
    struct wf_handle unused = {.result_ = 0};
    struct wf_case none = {.result = 0}, handle = WF_CASE_HANDLE(&unused), bad = WF_CASE_READY(-1, WF_READABLE);
    struct wf_case nothing = WF_CASE_READY(0, 0), unknown = WF_CASE_READY(0, 4);
    WF_EXPECT_CODE(wf_select(&none, 0), -EINVAL);
    WF_EXPECT_CODE(wf_select(&none, 1), -EINVAL);
    WF_EXPECT_CODE(wf_select(&handle, 1), -EINVAL);
    WF_EXPECT_CODE(wf_select(&bad, 1), -EBADF);
    WF_EXPECT_CODE(wf_select(&nothing, 1), -EINVAL);
    WF_EXPECT_CODE(wf_select(&unknown, 1), -EINVAL);
    WF_EXPECT_CODE(wf_try_select(&none, 0), -EINVAL);
    struct wf_event event = WF_EVENT;
    static struct wf_case many[WF_SELECT_MAX + 1];
    for (size_t i = 0; i < WF_COUNT(many); i++) many[i] = (struct wf_case)WF_CASE_EVENT(&event);
    WF_EXPECT_CODE(wf_select(many, WF_COUNT(many)), -E2BIG);
    WF_EXPECT_CODE(wf_try_select(many, WF_SELECT_MAX), -EAGAIN);
    for (size_t i = 0; i < WF_COUNT(many); i++) many[i] = (struct wf_case)WF_CASE_READY(0, WF_READABLE);
    WF_EXPECT_CODE(wf_select(many, WF_SELECT_READY_MAX + 1), -E2BIG);
    WF_EXPECT_CODE(wf_try_select(many, 1), -EINVAL);
}

WF_TEST(an_error_of_the_kernel_is_the_case_s_result, .real = true)
{
    int fds[2];
    WF_EXPECT_CODE(pipe(fds), 0);
    close(fds[0]);
    close(fds[1]);
    struct wf_event event = WF_EVENT;
    struct wf_case cases[] = {WF_CASE_EVENT(&event), WF_CASE_READY(fds[0], WF_READABLE)};
    WF_EXPECT_CODE(wf_select(cases, WF_COUNT(cases)), 1);
    WF_EXPECT_CODE(cases[1].result, -EBADF);
}

WF_TEST(the_largest_select_waits_and_leaves_every_queue, .sweep = true)
{
    static struct wf_event events[WF_SELECT_MAX];
    static struct wf_case cases[WF_SELECT_MAX];
    memset(events, 0, sizeof events);
    for (size_t i = 0; i < WF_SELECT_MAX; i++) cases[i] = (struct wf_case)WF_CASE_EVENT(&events[i]);
    struct giver giver = {.event = &events[WF_SELECT_MAX - 1]};
    WF_SCOPE(scope);
    wf_spawn(&scope, give, &giver);
    WF_EXPECT_CODE(wf_select(cases, WF_SELECT_MAX), WF_SELECT_MAX - 1);
    for (size_t i = 0; i < WF_SELECT_MAX; i++) WF_INVARIANT(events[i].waiters_.first == NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(what_is_ready_does_not_suspend, .unswept = "it counts suspensions")
{
    struct wf_event event = WF_EVENT;
    struct wf_case cases[] = {WF_CASE_EVENT(&event)};
    WF_EXPECT_NO_SUSPENSION(wf_try_select(cases, 1));
    wf_event_set(&event);
    WF_EXPECT_NO_SUSPENSION(wf_select(cases, 1));
}

WF_TEST_MAIN
