/* Generators: producer and consumer in turns, and every way in which one of them ends first. */
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int opened, closed;

/* Counts up to the limit; its cleanup may wait. */
static int count(struct wf_generator *out, const int *limit)
{
    opened++;
    int rc = 0;
    for (int i = 0; i < *limit && rc == 0; i++) rc = wf_emit(out, &i);
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1)));
    closed++;
    return rc;
}

static void begin(void)
{
    opened = closed = 0;
}

WF_TEST(items_come_in_order_and_the_end_stays, .rule = "4.6", .sweep = true)
{
    begin();
    int limit = 5, number, rc;
    {
        WF_GENERATOR(numbers, count, &limit, int);
        WF_INVARIANT(opened == 0);
        int expected = 0;
        while ((rc = wf_next(&numbers, &number)) > 0) WF_EXPECT_INT(number, expected++);
        WF_EXPECT_CODE(rc, 0);
        WF_EXPECT_INT(expected, 5);
        WF_EXPECT_CODE(wf_next(&numbers, &number), 0);
        WF_EXPECT_CODE(wf_generator_close(&numbers), 0);
    }
    WF_INVARIANT(opened == closed);
}

WF_TEST(leaving_the_block_closes_before_the_next_statement, .rule = "4.6", .sweep = true)
{
    begin();
    int limit = 1000, number;
    {
        WF_GENERATOR(numbers, count, &limit, int);
        for (int i = 0; i < 6; i++) WF_EXPECT_CODE(wf_next(&numbers, &number), 1);
        WF_EXPECT_INT(number, 5);
    }
    WF_INVARIANT(opened == closed);
}

static int never_asked(struct wf_generator *out, int *ran)
{
    (void)out;
    *ran = 1;
    return 0;
}

WF_TEST(nothing_runs_before_the_first_item_is_asked_for, .rule = "4.6")
{
    int ran = 0;
    {
        WF_GENERATOR(items, never_asked, &ran, int);
        wf_sleep(WF_MILLISECONDS(1));
    }
    WF_EXPECT_INT(ran, 0);
}

static int note_pages(struct wf_generator *out, int *fetched)
{
    int rc = 0;
    for (int page = 0; page < 3 && rc == 0; page++) {
        ++*fetched;
        wf_sleep(WF_MILLISECONDS(1));
        for (int i = 0; i < 10 && rc == 0; i++) rc = wf_emit(out, &i);
    }
    return rc;
}

WF_TEST(a_page_is_fetched_when_the_one_before_is_used_up)
{
    int fetched = 0, item;
    WF_GENERATOR(items, note_pages, &fetched, int);
    for (int i = 0; i < 10; i++) WF_EXPECT_CODE(wf_next(&items, &item), 1);
    wf_sleep(WF_MILLISECONDS(5));
    WF_EXPECT_INT(fetched, 1);
    WF_EXPECT_CODE(wf_next(&items, &item), 1);
    WF_EXPECT_INT(fetched, 2);
}

/* ---- Errors ---- */

static int fail_after_two(struct wf_generator *out, void *unused)
{
    (void)unused;
    int item = 7, rc = wf_emit(out, &item);
    if (rc == 0) rc = wf_emit(out, &item);
    return rc < 0 ? rc : wf_fail(-EPROTO, "page 3 is broken");
}

WF_TEST(the_producers_error_ends_the_items_with_its_message, .rule = "4.6")
{
    int item;
    WF_GENERATOR(items, fail_after_two, NULL, int);
    WF_EXPECT_CODE(wf_next(&items, &item), 1);
    WF_EXPECT_CODE(wf_next(&items, &item), 1);
    WF_EXPECT_FAILURE(wf_next(&items, &item), -EPROTO, "page 3 is broken");
    WF_EXPECT_CODE(wf_next(&items, &item), -EPROTO);
    WF_EXPECT_CODE(wf_generator_close(&items), 0); /* it was told */
}

static int fail_in_cleanup(struct wf_generator *out, void *unused)
{
    (void)unused;
    int item = 7;
    while (wf_emit(out, &item) == 0) {}
    return wf_fail(-EIO, "cannot close the page");
}

WF_TEST(a_closing_error_is_returned_by_an_explicit_close, .rule = "4.6")
{
    int item;
    WF_GENERATOR(items, fail_in_cleanup, NULL, int);
    WF_EXPECT_CODE(wf_next(&items, &item), 1);
    WF_EXPECT_FAILURE(wf_generator_close(&items), -EIO, "cannot close the page");
    WF_EXPECT_CODE(wf_generator_close(&items), 0);
    WF_EXPECT_CODE(wf_next(&items, &item), -EIO);
}

static int leave_early(void *unused)
{
    WF_SCOPE(scope);
    {
        int item;
        WF_GENERATOR(items, fail_in_cleanup, unused, int);
        int rc = wf_next(&items, &item);
        if (rc < 0) return wf_scope_end(&scope, rc);
    }
    return wf_scope_join(&scope);
}

WF_TEST(else_it_goes_to_the_enclosing_scope, .rule = "4.6")
{
    WF_EXPECT_FAILURE(leave_early(NULL), -EIO, "cannot close the page");
}

/* ---- Scopes around it ---- */

static int sum_up(int *sum)
{
    int limit = 10, number, rc;
    WF_SCOPE(scope);
    WF_GENERATOR(numbers, count, &limit, int);
    while ((rc = wf_next(&numbers, &number)) > 0) {
        *sum += number;
        if (number == 4) break;
    }
    return wf_scope_end(&scope, rc < 0 ? rc : 0); /* with the generator still open: it ends with the scope */
}

WF_TEST(the_end_of_the_scope_around_it_closes_it, .sweep = true)
{
    begin();
    int sum = 0;
    WF_EXPECT_CODE(sum_up(&sum), 0);
    WF_EXPECT_INT(sum, 10);
    WF_INVARIANT(opened == closed);
}

static int trickle(struct wf_generator *out, void *unused)
{
    (void)unused;
    int rc = 0;
    for (int i = 0; rc == 0; i++) {
        rc = wf_sleep(WF_SECONDS(1));
        if (rc == 0) rc = wf_emit(out, &i);
    }
    return rc;
}

WF_TEST(a_deadline_around_one_call_loses_no_item, .simulated = true)
{
    int item = -1;
    WF_GENERATOR(items, trickle, NULL, int);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(300), wf_next(&items, &item)), -ETIME);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(300), wf_next(&items, &item)), -ETIME);
    wf_sleep(WF_SECONDS(5)); /* the item is there, and waits */
    WF_EXPECT_CODE(WF_EXPECT_NO_SUSPENSION(wf_next(&items, &item)), 1);
    WF_EXPECT_INT(item, 0);
    WF_EXPECT_CODE(wf_next(&items, &item), 1);
    WF_EXPECT_INT(item, 1);
}

WF_TEST(a_deadline_reaches_the_producer_inside_it)
{
    int item, rc;
    WF_SCOPE(scope, .timeout = WF_MILLISECONDS(10));
    WF_GENERATOR(items, trickle, NULL, int);
    rc = wf_next(&items, &item);
    WF_EXPECT_CODE(rc, -ECANCELED);
    WF_EXPECT_CODE(wf_scope_end(&scope, rc), -ETIME);
}

/* ---- Items that nobody takes ---- */

static int dropped;

static void drop(void *item)
{
    dropped += *(int *)item;
}

static int offer(struct wf_generator *out, int *after)
{
    int rc = wf_sleep(WF_MILLISECONDS(10)), item = 5;
    if (rc == 0) rc = wf_emit(out, &item);
    *after = rc;
    item = 100;
    return rc < 0 ? rc : wf_emit(out, &item);
}

WF_TEST(an_item_that_nobody_took_is_dropped_once, .rule = "4.6", .simulated = true)
{
    dropped = 0;
    int item, after = 1;
    {
        WF_GENERATOR(items, offer, &after, int, .drop = drop);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_next(&items, &item)), -ETIME);
        wf_sleep(WF_MILLISECONDS(20));
        WF_EXPECT_INT(dropped, 0);
    }
    WF_EXPECT_INT(dropped, 5);
    WF_EXPECT_CODE(after, 0); /* emitted is the generator's; the next one was refused, and stayed the producer's */
}

/* ---- Both at once ---- */

static int tick(int *ticks)
{
    for (;;) {
        int rc = wf_yield();
        if (rc < 0) return rc;
        ++*ticks;
    }
}

/* Two that take turns count as one: the others have their turns. */
WF_TEST(a_generator_starves_nobody, .rule = "4.6 5.2", .passes_max = 10000000)
{
    int limit = 100000, number, ticks = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, tick, &ticks, .daemon = true);
    {
        WF_GENERATOR(numbers, count, &limit, int);
        while (wf_next(&numbers, &number) > 0) {}
    }
    WF_EXPECT(ticks > 500);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int doubled(struct wf_generator *out, int *limit)
{
    int number, rc;
    WF_GENERATOR(numbers, count, limit, int);
    while ((rc = wf_next(&numbers, &number)) > 0) {
        number *= 2;
        rc = wf_emit(out, &number);
        if (rc < 0) break;
    }
    return rc;
}

WF_TEST(generators_nest, .sweep = true)
{
    begin();
    int limit = 10, number, sum = 0;
    {
        WF_GENERATOR(numbers, doubled, &limit, int);
        while (wf_next(&numbers, &number) > 0) sum += number;
        WF_EXPECT_INT(sum, 90);
    }
    WF_INVARIANT(opened == closed);
}

static int next_of_anothers(struct wf_generator *numbers)
{
    int number;
    WF_EXPECT_CODE(wf_next(numbers, &number), -EPERM);
    WF_EXPECT_CODE(wf_emit(numbers, &number), -EPERM);
    return 0;
}

WF_TEST(a_generator_is_its_owners)
{
    int limit = 3;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_SCOPE(scope);
    wf_spawn(&scope, next_of_anothers, &numbers);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(an_item_of_another_size_is_a_mistake, .dies = "a variable of 8 bytes for a source whose items have 4")
{
    int limit = 3;
    int64_t number;
    WF_GENERATOR(numbers, count, &limit, int);
    wf_ignore(wf_next(&numbers, &number));
}

static int end_when_told(struct wf_generator *out, struct wf_event *told)
{
    (void)out;
    return wf_event_wait(told);
}

/* The budget of the consumer is used up at one of these calls, so that it yields in the middle of asking. */
WF_TEST(a_producer_that_ends_while_its_consumer_begins_to_ask_is_not_waited_for, .rule = "4.6 5.2", .simulated = true)
{
    struct wf_event set = WF_EVENT;
    wf_event_set(&set);
    for (int spent = 0; spent < 140; spent++) {
        struct wf_event told = WF_EVENT;
        WF_GENERATOR(nothing, end_when_told, &told, int);
        int item;
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_next(&nothing, &item)), -ETIME);
        wf_event_set(&told);
        for (int i = 0; i < spent; i++) WF_EXPECT_CODE(wf_event_wait(&set), 0);
        if (!WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_next(&nothing, &item)), 0)) break;
    }
}

static int fail_with_words(void *unused)
{
    (void)unused;
    return wf_fail(-EIO, "the words");
}

static int leave_inner_scope(int *limit)
{
    WF_SCOPE(outer);
    WF_GENERATOR(numbers, count, limit, int64_t);
    {
        WF_SCOPE(inner);
        wf_spawn(&inner, fail_with_words, NULL);
        wf_yield();
    }
    return wf_scope_end(&outer, 0);
}

/* The scope around the block of a generator is the generator's own, which nobody sees. */
WF_TEST(an_error_that_a_scope_in_its_block_handed_up_is_not_lost, .rule = "3.2 4.6")
{
    int limit = 3;
    WF_EXPECT_FAILURE(leave_inner_scope(&limit), -EIO, "the words");
}

WF_TEST_MAIN
