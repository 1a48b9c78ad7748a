/* Rule 4.4: channels of every kind. The sweeps cut each test everywhere; the invariants say that no item is lost. */
#include <stdlib.h>
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- Order and back-pressure ---- */

struct stage {
    struct wf_channel *channel;
    int count, sum, most_ahead;
};

static int produce(struct stage *stage)
{
    int rc = 0;
    for (int i = 1; i <= stage->count && rc == 0; i++) {
        rc = wf_send(stage->channel, &i);
        struct wf_channel_statistics now;
        wf_channel_statistics(stage->channel, &now);
        int ahead = (int)(now.sent - now.received);
        if (ahead > stage->most_ahead) stage->most_ahead = ahead;
    }
    wf_channel_close(stage->channel);
    return rc;
}

static int consume(struct stage *stage)
{
    int item, last = 0, rc;
    while ((rc = wf_receive(stage->channel, &item)) > 0) {
        WF_INVARIANT(item == last + 1);
        last = item;
        stage->sum += item;
    }
    return rc;
}

struct capacity_row {
    size_t capacity;
};
static const struct capacity_row capacities[] = {{0}, {1}, {2}, {7}};

/* S020 */
WF_TEST_EACH(items_come_in_order_and_the_sender_is_never_too_far_ahead, capacities, .rule = "4.4", .sweep = true)
{
    struct wf_channel *channel;
    if (wf_channel_create(sizeof(int), row->capacity, NULL, &channel) < 0) return;
    struct stage stage = {.channel = channel, .count = 20};
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, produce, &stage);
        wf_spawn(&scope, consume, &stage);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_INT(stage.sum, 210);
    WF_INVARIANT(stage.most_ahead <= (int)row->capacity + 1);
    wf_channel_destroy(channel);
}

static int send_letter(struct stage *stage)
{
    char letter = (char)stage->count;
    int rc = wf_send(stage->channel, &letter);
    wf_test_note("%c%s", letter, rc == 0 ? "" : rc == -EPIPE ? "!" : "?");
    return rc;
}

WF_TEST(senders_wait_in_order_and_newcomers_do_not_overtake_them, .rule = "4.2 4.4", .sweep = true)
{
    WF_CHANNEL(channel, char, 1);
    struct stage a = {.channel = &channel, .count = 'a'}, b = {.channel = &channel, .count = 'b'};
    struct stage c = {.channel = &channel, .count = 'c'};
    char letter = '-';
    WF_EXPECT_CODE(wf_try_send(&channel, &letter), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, send_letter, &a);
    wf_spawn(&scope, send_letter, &b);
    wf_spawn(&scope, send_letter, &c);
    wf_yield();
    WF_EXPECT_CODE(wf_try_receive(&channel, &letter), 1);
    WF_EXPECT_INT(letter, '-');
    WF_EXPECT_CODE(wf_try_send(&channel, &letter), -EAGAIN); /* the room went to a */
    for (int i = 'a'; i <= 'c'; i++) {
        WF_EXPECT_CODE(wf_receive(&channel, &letter), 1);
        WF_EXPECT_INT(letter, i);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "a b c");
}

struct taker {
    struct wf_channel *channel;
    char name;
    int rc, item;
};

static int take_one(struct taker *taker)
{
    taker->rc = wf_receive(taker->channel, &taker->item);
    if (taker->rc > 0) wf_test_note("%c%d", taker->name, taker->item);
    return 0;
}

WF_TEST(receivers_are_served_in_order, .rule = "4.1 4.4", .sweep = true)
{
    WF_CHANNEL(channel, int, 4);
    struct taker a = {.channel = &channel, .name = 'a'}, b = {.channel = &channel, .name = 'b'};
    WF_SCOPE(scope);
    wf_spawn(&scope, take_one, &a);
    wf_spawn(&scope, take_one, &b);
    wf_yield();
    for (int i = 1; i <= 3; i++) WF_EXPECT_CODE(wf_send(&channel, &i), 0);
    int item;
    WF_EXPECT_CODE(wf_try_receive(&channel, &item), 1); /* the third: two were handed over */
    WF_EXPECT_INT(item, 3);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "a1 b2");
}

WF_TEST(a_rendezvous_holds_its_sender_until_the_item_is_taken, .rule = "4.4", .sweep = true)
{
    WF_CHANNEL(channel, char, 0);
    struct stage a = {.channel = &channel, .count = 'a'};
    char letter = 'x';
    WF_EXPECT_CODE(wf_try_send(&channel, &letter), -EAGAIN);
    WF_EXPECT_CODE(wf_try_receive(&channel, &letter), -EAGAIN);
    WF_SCOPE(scope);
    wf_spawn(&scope, send_letter, &a);
    wf_yield();
    WF_EXPECT_TEXT(wf_test_notes(), "");
    WF_EXPECT_CODE(wf_receive(&channel, &letter), 1);
    WF_EXPECT_INT(letter, 'a');
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "a");
}

WF_TEST(what_can_go_on_does_not_suspend, .rule = "1.7", .unswept = "it counts suspensions")
{
    WF_CHANNEL(channel, int, 2);
    int item = 1;
    WF_EXPECT_NO_SUSPENSION(wf_send(&channel, &item));
    WF_EXPECT_NO_SUSPENSION(wf_send(&channel, &item));
    WF_EXPECT_NO_SUSPENSION(wf_receive(&channel, &item));
    WF_EXPECT_NO_SUSPENSION(wf_channel_close(&channel));
    WF_EXPECT_NO_SUSPENSION(wf_receive(&channel, &item));
    WF_EXPECT_NO_SUSPENSION(wf_receive(&channel, &item));
}

/* ---- Cancel ---- */

WF_TEST(a_receiver_that_was_granted_an_item_has_it_though_it_is_cancelled_in_the_same_pass, .rule = "1.3 4.1",
        .sweep = true)
{
    WF_CHANNEL(channel, int, 0);
    struct taker taker = {.channel = &channel, .name = 'a'};
    WF_SCOPE(scope);
    wf_spawn(&scope, take_one, &taker);
    wf_yield();
    int item = 7, rc = wf_try_send(&channel, &item);
    wf_scope_cancel(&scope, "a moment too late");
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_INVARIANT((rc == 0) == (taker.rc == 1)); /* sent and received, or neither */
    WF_INVARIANT(rc != 0 || taker.item == 7);
}

WF_TEST(a_receiver_that_is_cancelled_first_leaves_the_item_to_the_next, .rule = "1.4 4.1", .sweep = true)
{
    WF_CHANNEL(channel, int, 1);
    struct taker first = {.channel = &channel, .name = 'a'}, second = {.channel = &channel, .name = 'b'};
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope);
    wf_spawn(&scope, take_one, &first, .handle = &handle);
    wf_spawn(&scope, take_one, &second);
    wf_yield();
    wf_handle_cancel(&handle, "a moment before");
    int item = 7;
    WF_EXPECT_CODE(wf_try_send(&channel, &item), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(first.rc, -ECANCELED);
    WF_EXPECT_CODE(second.rc, 1);
}

WF_TEST(a_sender_whose_item_was_taken_over_has_sent_it_though_it_is_cancelled_in_the_same_pass, .rule = "1.3 4.1",
        .sweep = true)
{
    WF_CHANNEL(channel, char, 1);
    struct stage a = {.channel = &channel, .count = 'a'};
    char letter = '-';
    WF_EXPECT_CODE(wf_try_send(&channel, &letter), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, send_letter, &a);
    wf_yield();
    WF_EXPECT_CODE(wf_try_receive(&channel, &letter), 1);
    wf_scope_cancel(&scope, "a moment too late");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "a");
    WF_EXPECT_CODE(wf_try_receive(&channel, &letter), 1);
    WF_EXPECT_INT(letter, 'a');
}

WF_TEST(a_cancelled_sender_keeps_its_item, .rule = "1.3 4.1", .sweep = true)
{
    WF_CHANNEL(channel, char, 0);
    struct stage a = {.channel = &channel, .count = 'a'};
    WF_SCOPE(scope);
    wf_spawn(&scope, send_letter, &a);
    wf_yield();
    wf_scope_cancel(&scope, "not needed");
    char letter;
    WF_EXPECT_CODE(wf_try_receive(&channel, &letter), -EAGAIN);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(wf_test_notes(), "a?");
}

struct party {
    struct wf_channel *channel;
    int64_t sent, received, sent_count, received_count;
    unsigned number;
};

/* Sends and receives with a patience of its own; what was not sent is not counted. */
static int exchange(struct party *party)
{
    for (unsigned i = 0; i < 20; i++) {
        int item = (int)(party->number * 100 + i), patience = 1 + item % 7, rc;
        if ((i / 5 + party->number / 6) % 2 == 0) { /* most of them want the same at the same time */
            rc = wf_within(WF_MICROSECONDS(patience), wf_send(party->channel, &item));
            if (rc == 0) party->sent += item, party->sent_count++;
        } else {
            rc = wf_within(WF_MICROSECONDS(patience), wf_receive(party->channel, &item));
            if (rc == 1) party->received += item, party->received_count++;
        }
        rc = wf_sleep(WF_MICROSECONDS(patience % 3));
        if (rc < 0) return rc;
    }
    return 0;
}

WF_TEST_EACH(no_item_is_lost_or_doubled_when_deadlines_and_hand_overs_race, capacities, .rule = "1.4 4.1",
             .simulated = true)
{
    struct wf_channel *channel;
    if (wf_channel_create(sizeof(int), row->capacity, NULL, &channel) < 0) return;
    struct party parties[8] = {{.channel = NULL}};
    {
        WF_SCOPE(scope);
        for (unsigned i = 0; i < WF_COUNT(parties); i++) {
            parties[i] = (struct party){.channel = channel, .number = i};
            wf_spawn(&scope, exchange, &parties[i]);
        }
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    int64_t sent = 0, received = 0, sent_count = 0, received_count = 0;
    for (unsigned i = 0; i < WF_COUNT(parties); i++) {
        sent += parties[i].sent, received += parties[i].received;
        sent_count += parties[i].sent_count, received_count += parties[i].received_count;
    }
    int item;
    while (wf_try_receive(channel, &item) == 1) received += item, received_count++;
    WF_INVARIANT(sent == received && sent_count == received_count);
    WF_EXPECT(sent_count > 0 && sent_count < 80); /* some were sent, and some gave up */
    wf_channel_destroy(channel);
}

/* ---- Close ---- */

WF_TEST(a_closed_channel_is_drained_and_then_ends, .rule = "4.4", .sweep = true)
{
    WF_CHANNEL(channel, int, 4);
    int item = 1;
    WF_EXPECT_CODE(wf_send(&channel, &item), 0);
    item = 2;
    WF_EXPECT_CODE(wf_send(&channel, &item), 0);
    WF_EXPECT_CODE(wf_channel_close(&channel), 0);
    WF_EXPECT_CODE(wf_channel_close(&channel), -EALREADY);
    WF_EXPECT(wf_channel_is_closed(&channel));
    item = 3;
    WF_EXPECT_CODE(wf_send(&channel, &item), -EPIPE);
    WF_EXPECT_CODE(wf_try_send(&channel, &item), -EPIPE);
    WF_EXPECT_INT(item, 3);
    WF_EXPECT_CODE(wf_receive(&channel, &item), 1);
    WF_EXPECT_CODE(wf_receive(&channel, &item), 1);
    WF_EXPECT_INT(item, 2);
    WF_EXPECT_CODE(wf_receive(&channel, &item), 0);
    WF_EXPECT_CODE(wf_try_receive(&channel, &item), 0);
    WF_EXPECT_INT(item, 2); /* untouched */
}

WF_TEST(closing_ends_the_wait_of_every_receiver, .rule = "4.4", .sweep = true)
{
    WF_CHANNEL(channel, int, 1);
    struct taker a = {.channel = &channel, .rc = 9}, b = {.channel = &channel, .rc = 9};
    WF_SCOPE(scope);
    wf_spawn(&scope, take_one, &a);
    wf_spawn(&scope, take_one, &b);
    wf_yield();
    wf_channel_close(&channel);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(a.rc, 0);
    WF_EXPECT_CODE(b.rc, 0);
}

WF_TEST(closing_gives_a_waiting_sender_its_item_back, .rule = "4.4", .sweep = true)
{
    WF_CHANNEL(channel, char, 1);
    struct stage a = {.channel = &channel, .count = 'a'};
    char letter = '-';
    WF_EXPECT_CODE(wf_try_send(&channel, &letter), 0);
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, send_letter, &a);
    wf_yield();
    wf_channel_close(&channel);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EPIPE);
    WF_EXPECT_TEXT(wf_test_notes(), "a!");
    WF_EXPECT_CODE(wf_receive(&channel, &letter), 1);
    WF_EXPECT_INT(letter, '-');
    WF_EXPECT_CODE(wf_receive(&channel, &letter), 0);
}

static void drop_text(void *item)
{
    char *text = *(char **)item;
    wf_test_note("%s", text);
    free(text);
}

static int send_text(struct stage *stage)
{
    char *text = strdup("waiting");
    int rc = wf_send(stage->channel, &text);
    if (rc < 0) free(text);
    return rc;
}

WF_TEST(close_now_hands_what_is_left_to_the_drop_function, .rule = "4.4", .sweep = true)
{
    WF_CHANNEL(channel, char *, 3);
    struct stage stage = {.channel = &channel};
    for (int i = 0; i < 4; i++) { /* one goes through, so that the ring is not straight */
        char *text = strdup(i == 1 ? "one" : i == 2 ? "two" : i == 3 ? "three" : "zero");
        WF_EXPECT_CODE(wf_try_send(&channel, &text), 0);
        if (i == 0 && wf_try_receive(&channel, &text) == 1) free(text);
    }
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, send_text, &stage);
    wf_yield();
    WF_EXPECT_CODE(wf_channel_close_now(&channel, drop_text), 0);
    WF_EXPECT_CODE(wf_channel_close_now(&channel, drop_text), -EALREADY);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EPIPE);
    WF_EXPECT_TEXT(wf_test_notes(), "one two three");
    char *text;
    WF_EXPECT_CODE(wf_receive(&channel, &text), 0);
}

WF_TEST(close_now_drops_also_what_a_close_had_left, .rule = "4.4", .sweep = true)
{
    WF_CHANNEL(channel, int, 3);
    int item = 1;
    WF_EXPECT_CODE(wf_send(&channel, &item), 0);
    WF_EXPECT_CODE(wf_channel_close(&channel), 0);
    WF_EXPECT_CODE(wf_channel_close_now(&channel, NULL), -EALREADY);
    WF_EXPECT_CODE(wf_receive(&channel, &item), 0);
}

/* ---- Order by priority ---- */

struct order {
    int urgency, number;
};

static bool more_urgent(const struct order *one, const struct order *other)
{
    return one->urgency > other->urgency;
}

WF_TEST(a_priority_channel_gives_the_first_by_order_and_equals_by_age, .sweep = true)
{
    WF_PRIORITY_CHANNEL(channel, struct order, 64, more_urgent);
    for (int i = 0; i < 64; i++) {
        struct order order = {.urgency = i * 7 % 5, .number = i};
        WF_EXPECT_CODE(wf_try_send(&channel, &order), 0);
    }
    struct order last = {.urgency = 9}, order;
    int count = 0;
    while (wf_try_receive(&channel, &order) == 1) {
        WF_INVARIANT(order.urgency < last.urgency || (order.urgency == last.urgency && order.number > last.number));
        last = order;
        count++;
    }
    WF_INVARIANT(count == 64);
}

static int send_orders(struct wf_channel *channel)
{
    for (int i = 0; i < 500; i++) {
        uint64_t chance = (uint64_t)i * UINT64_C(0x9e3779b97f4a7c15);
        struct order order = {.urgency = (int)(chance >> 61), .number = i};
        int rc = wf_send(channel, &order);
        if (rc < 0) return rc;
    }
    return wf_channel_close(channel);
}

WF_TEST(a_full_priority_channel_takes_over_from_those_who_wait, .simulated = true,
        .unswept = "a thousand suspensions that are all alike")
{
    struct wf_channel *channel;
    bool (*before)(const void *, const void *) = (bool (*)(const void *, const void *))more_urgent;
    WF_EXPECT_CODE(wf_channel_create(sizeof(struct order), 10, before, &channel), 0);
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, send_orders, channel);
        bool seen[500] = {false};
        struct order order;
        int count = 0;
        while (wf_receive(channel, &order) == 1) {
            WF_EXPECT(!seen[order.number]);
            seen[order.number] = true;
            count++;
        }
        WF_EXPECT_INT(count, 500);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    wf_channel_destroy(channel);
}

static WF_PRIORITY_CHANNEL(lasting, struct order, 2, more_urgent);
static WF_CHANNEL(lasting_numbers, long double, 2);

WF_TEST(a_channel_may_be_static)
{
    struct order order = {.urgency = 1};
    WF_EXPECT_CODE(wf_try_send(&lasting, &order), 0);
    order.urgency = 2;
    WF_EXPECT_CODE(wf_try_send(&lasting, &order), 0);
    WF_EXPECT_CODE(wf_try_receive(&lasting, &order), 1);
    WF_EXPECT_INT(order.urgency, 2);
    WF_EXPECT_CODE(wf_try_receive(&lasting, &order), 1);
    long double number = 1;
    WF_EXPECT_CODE(wf_try_send(&lasting_numbers, &number), 0);
    WF_EXPECT_CODE(wf_try_receive(&lasting_numbers, &number), 1);
}

/* ---- Work ---- */

static int work_off(struct stage *stage)
{
    int item, rc;
    while ((rc = wf_receive(stage->channel, &item)) > 0) {
        rc = wf_sleep(WF_MILLISECONDS(1));
        if (rc == 0) stage->sum++;
        wf_channel_done(stage->channel);
    }
    return rc;
}

WF_TEST(join_waits_until_all_that_was_sent_is_done, .simulated = true, .sweep = true)
{
    WF_CHANNEL(channel, int, 3);
    struct stage stage = {.channel = &channel};
    WF_SCOPE(scope);
    for (int i = 0; i < 2; i++) wf_spawn(&scope, work_off, &stage);
    WF_EXPECT_CODE(wf_channel_join(&channel), 0); /* nothing was sent */
    for (int i = 0; i < 9; i++) WF_EXPECT_CODE(wf_send(&channel, &i), 0);
    struct wf_channel_statistics now;
    wf_channel_statistics(&channel, &now);
    WF_EXPECT_INT((int64_t)now.unfinished, 9 - stage.sum);
    int rc = wf_channel_join(&channel);
    WF_EXPECT_CODE(rc, 0);
    WF_INVARIANT(rc < 0 || wf_test_injected() || stage.sum == 9);
    WF_EXPECT_CODE(wf_channel_done(&channel), -EINVAL);
    wf_channel_close(&channel);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int join_channel(struct wf_channel *channel)
{
    return wf_channel_join(channel);
}

WF_TEST(dropped_items_count_as_done, .sweep = true)
{
    WF_CHANNEL(channel, int, 3);
    WF_SCOPE(scope);
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(wf_try_send(&channel, &i), 0);
    int item;
    WF_EXPECT_CODE(wf_channel_done(&channel), -EINVAL);
    WF_EXPECT_CODE(wf_try_receive(&channel, &item), 1);
    wf_spawn(&scope, join_channel, &channel);
    wf_spawn(&scope, join_channel, &channel);
    wf_yield();
    wf_channel_close_now(&channel, NULL);
    wf_yield();
    WF_EXPECT_INT((int64_t)wf_scope_alive(&scope), 2);
    WF_EXPECT_CODE(wf_channel_done(&channel), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Bad input, and looking ---- */

WF_TEST(sizes_that_cannot_be_are_refused)
{
    bool (*before)(const void *, const void *) = (bool (*)(const void *, const void *))more_urgent;
    struct wf_channel *channel = NULL;
    WF_EXPECT_CODE(wf_channel_create(0, 1, NULL, &channel), -EINVAL);
    WF_EXPECT_CODE(wf_channel_create(8, 0, before, &channel), -EINVAL);
    WF_EXPECT_CODE(wf_channel_create(SIZE_MAX, 1, before, &channel), -EINVAL);
    WF_EXPECT_CODE(wf_channel_create(SIZE_MAX, 1, NULL, &channel), -EINVAL);
    WF_EXPECT_CODE(wf_channel_create(SIZE_MAX / 2 + 2, 2, NULL, &channel), -EINVAL);
    WF_EXPECT(channel == NULL);
    wf_channel_destroy(NULL);
}

WF_TEST(an_item_of_another_size_is_misuse, .dies = "was given an item of 1 bytes")
{
    WF_CHANNEL(channel, int, 1);
    char letter = 'a';
    wf_ignore(wf_send(&channel, &letter));
}

static int wait_and_end(struct wf_channel *channel)
{
    int item;
    return wf_receive(channel, &item);
}

WF_TEST(destroying_a_channel_under_a_waiter_is_misuse, .dies = "was destroyed while 1 tasks waited")
{
    struct wf_channel *channel;
    WF_EXPECT_CODE(wf_channel_create(sizeof(int), 1, NULL, &channel), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_and_end, channel);
    wf_yield();
    wf_channel_destroy(channel);
}

WF_TEST(statistics_tell_who_waits_and_what_went_through, .sweep = true)
{
    WF_CHANNEL(channel, char, 1);
    struct stage a = {.channel = &channel, .count = 'a'}, b = {.channel = &channel, .count = 'b'};
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, send_letter, &a);
    wf_spawn(&scope, send_letter, &b);
    wf_yield();
    struct wf_channel_statistics now;
    wf_channel_statistics(&channel, &now);
    WF_EXPECT_INT((int64_t)now.capacity, 1);
    WF_EXPECT_INT((int64_t)now.count, 1);
    WF_EXPECT_INT((int64_t)now.senders, 1);
    WF_EXPECT_INT((int64_t)now.receivers, 0);
    WF_EXPECT_INT((int64_t)now.sent, 1);
    char letter;
    while (wf_try_receive(&channel, &letter) == 1) {}
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_channel_statistics(&channel, &now);
    WF_EXPECT_INT((int64_t)now.sent, 2);
    WF_EXPECT_INT((int64_t)now.received, 2);
}

WF_TEST_MAIN
