/* Stages and ends of streams: order, laziness, back-pressure, closing, and what a cancel leaves. */
#include <stdlib.h>
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- Sources ---- */

static int opened, closed, emitted;

static int count(struct wf_generator *out, const int *limit)
{
    opened++;
    int rc = 0;
    for (int i = 0; i < *limit && rc == 0; i++) {
        emitted++;
        rc = wf_emit(out, &i);
    }
    closed++;
    return rc;
}

static void begin(void)
{
    opened = closed = emitted = 0;
}

/* One each so many milliseconds, from so many on. */
struct pace {
    int first, count;
    int64_t interval;
};

static int count_slowly(struct wf_generator *out, const struct pace *pace)
{
    int rc = 0;
    for (int i = pace->first; i < pace->first + pace->count && rc == 0; i++) {
        rc = wf_sleep(pace->interval);
        if (rc == 0) rc = wf_emit(out, &i);
    }
    return rc;
}

/* A cursor by hand: batches of 100, and the end after 500. */
struct cursor {
    struct wf_iterator iterator;
    int at;
};

static int cursor_next(struct wf_iterator *iterator, void *item)
{
    struct cursor *cursor = (struct cursor *)iterator;
    if (cursor->at == 500) return 0;
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    memcpy(item, &cursor->at, sizeof cursor->at);
    cursor->at += 100;
    return 1;
}

static const struct wf_iterator_class cursor_class = {.next = cursor_next};

/* ---- What is done with the items ---- */

static int square(int *item, int64_t *result)
{
    *result = (int64_t)*item * *item;
    return 0;
}

static bool is_even(const int *item)
{
    return *item % 2 == 0;
}

static bool is_small(const int *item)
{
    return *item < 5;
}

static int note(int *notes, const int *item)
{
    (void)notes;
    wf_test_note("%d", *item);
    return 0;
}

#define EXPECT_ITEMS(source, expected)                                                                                 \
    do {                                                                                                               \
        int unused = 0;                                                                                                \
        WF_EXPECT(wf_fold(source, int, note, &unused) >= 0);                                                           \
        WF_EXPECT_TEXT(wf_test_notes(), expected);                                                                     \
    } while (0)

WF_TEST(map_and_filter_keep_the_order, .sweep = true)
{
    begin();
    int limit = 10;
    int64_t *squares = NULL;
    size_t found = 0;
    {
        WF_GENERATOR(numbers, count, &limit, int);
        WF_FILTER(even, &numbers, int, is_even);
        WF_MAP(squared, &even, int, square, int64_t);
        WF_EXPECT_CODE(wf_collect(&squared, wf_task_arena(), &squares, &found, 100), 0);
    }
    WF_EXPECT(found == 5 && squares != NULL && squares[0] == 0 && squares[2] == 16 && squares[4] == 64);
    WF_INVARIANT(opened == closed);
}

WF_TEST(take_closes_the_source_and_asks_no_more)
{
    begin();
    int limit = 1000, item;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_TAKE(six, &numbers, 6);
    for (int i = 0; i < 6; i++) WF_EXPECT_CODE(wf_next(&six, &item), 1);
    WF_EXPECT_INT(emitted, 6);
    WF_EXPECT_CODE(wf_next(&six, &item), 0);
    WF_EXPECT_INT(closed, 1);
    WF_EXPECT(emitted <= 7); /* one was refused */
    WF_EXPECT_CODE(wf_next(&six, &item), 0);
}

WF_TEST(skip_take_while_and_enumerate)
{
    int limit = 10, item;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_SKIP(later, &numbers, 2);
    WF_ENUMERATE(numbered, &later);
    WF_TAKE_WHILE(small, &numbered, int, is_small);
    WF_EXPECT_INT(wf_index(&numbered), -1);
    WF_EXPECT_CODE(wf_next(&small, &item), 1);
    WF_EXPECT_INT(item, 2);
    WF_EXPECT_INT(wf_index(&numbered), 0);
    EXPECT_ITEMS(&small, "3 4");
}

WF_TEST(batches_are_full_but_for_the_last)
{
    int limit = 7;
    struct wf_batch batch;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_BATCH(batches, &numbers, int, 3);
    while (wf_next(&batches, &batch) > 0) wf_test_note("%zu:%d", batch.count, *(int *)batch.items);
    WF_EXPECT_TEXT(wf_test_notes(), "3:0 3:3 1:6");
    WF_EXPECT_CODE(wf_next(&batches, &batch), 0);
}

struct pair {
    int left;
    int64_t right;
};

WF_TEST(zip_ends_with_the_shorter_one)
{
    int three = 3, five = 5;
    struct pair pair;
    WF_GENERATOR(some, count, &five, int);
    WF_GENERATOR(numbers, count, &three, int);
    WF_MAP(squares, &numbers, int, square, int64_t);
    WF_ZIP(pairs, &some, &squares, struct pair, left, right);
    while (wf_next(&pairs, &pair) > 0) wf_test_note("%d-%d", pair.left, (int)pair.right);
    WF_EXPECT_TEXT(wf_test_notes(), "0-0 1-1 2-4");
    WF_EXPECT_CODE(wf_next(&pairs, &pair), 0);
}

WF_TEST(a_cursor_by_hand_is_a_source_too, .simulated = true)
{
    struct cursor cursor = {.iterator = {.class_ = &cursor_class, .item_size = sizeof(int)}};
    int item;
    EXPECT_ITEMS(&cursor, "0 100 200 300 400");
    WF_EXPECT_CODE(wf_next(&cursor, &item), 0);
}

/* ---- Errors and cancels ---- */

static int refuse_three(int *item, int *result)
{
    *result = *item;
    return *item == 3 ? wf_fail(-EILSEQ, "three is refused") : 0;
}

WF_TEST(an_error_of_a_stage_closes_what_it_stands_on)
{
    begin();
    int limit = 10, item, rc;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_MAP(checked, &numbers, int, refuse_three, int);
    while ((rc = wf_next(&checked, &item)) > 0) {}
    WF_EXPECT_CODE(rc, -EILSEQ);
    WF_EXPECT_TEXT(wf_failure(), "three is refused");
    WF_EXPECT_INT(item, 3);
    WF_EXPECT_INT(closed, 1);
    WF_EXPECT_CODE(wf_next(&checked, &item), -EILSEQ);
}

static int think(int *item, int *result)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    *result = *item;
    return rc;
}

WF_TEST(an_item_that_was_cut_in_a_stage_is_worked_on_again, .simulated = true)
{
    int limit = 3, item;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_MAP(thought, &numbers, int, think, int);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), wf_next(&thought, &item)), -ETIME);
    EXPECT_ITEMS(&thought, "0 1 2");
}

WF_TEST(a_deadline_for_each_item_loses_none, .simulated = true)
{
    struct pace pace = {.count = 2, .interval = WF_SECONDS(3)};
    int item;
    WF_GENERATOR(numbers, count_slowly, &pace, int);
    WF_EACH_WITHIN(prompt, &numbers, WF_SECONDS(2));
    WF_EXPECT_CODE(wf_next(&prompt, &item), -ETIME);
    WF_EXPECT_CODE(wf_next(&prompt, &item), 1);
    WF_EXPECT_INT(item, 0);
}

/* ---- Time ---- */

WF_TEST(a_throttle_keeps_its_distance, .simulated = true)
{
    int limit = 5;
    int64_t started = wf_now();
    WF_GENERATOR(numbers, count, &limit, int);
    WF_THROTTLE(slow, &numbers, WF_SECONDS(1));
    EXPECT_ITEMS(&slow, "0 1 2 3 4");
    WF_EXPECT_INT((wf_now() - started) / WF_SECONDS(1), 5); /* the end is asked for, too */
}

WF_TEST(a_ticker_does_not_drift_and_leaves_out_what_was_missed, .simulated = true)
{
    int64_t started = wf_now(), tick;
    WF_TICKER(ticks, WF_MILLISECONDS(100));
    for (int i = 0; i < 5; i++) {
        WF_EXPECT_CODE(wf_next(&ticks, &tick), 1);
        WF_EXPECT_INT(tick, i);
        WF_EXPECT_INT(wf_now() - started, (i + 1) * WF_MILLISECONDS(100));
        wf_sleep(WF_MILLISECONDS(30));
    }
    wf_sleep(WF_MILLISECONDS(350));
    WF_EXPECT_CODE(wf_next(&ticks, &tick), 1);
    WF_EXPECT_INT(tick, 7);
    WF_EXPECT_CODE(wf_next(&ticks, &tick), 1);
    WF_EXPECT_INT(tick, 8);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(900));
    WF_TICKER(never, 0);
    WF_EXPECT_CODE(wf_next(&never, &tick), -EINVAL);
}

/* ---- Stages with tasks ---- */

static int repeat(struct wf_generator *out, int *item)
{
    int rc = 0;
    for (int i = 0; i < *item && rc == 0; i++) rc = wf_emit(out, item);
    return rc;
}

WF_TEST(a_flat_map_emits_any_number_for_each, .sweep = true)
{
    begin();
    int limit = 4;
    {
        WF_GENERATOR(numbers, count, &limit, int);
        WF_FLAT_MAP(repeated, &numbers, int, repeat, int);
        EXPECT_ITEMS(&repeated, "1 2 2 3 3 3");
    }
    WF_INVARIANT(opened == closed);
}

WF_TEST(merge_gives_items_as_they_come, .simulated = true, .sweep = true)
{
    struct pace fast = {.first = 0, .count = 4, .interval = WF_MILLISECONDS(200)};
    struct pace slow = {.first = 100, .count = 2, .interval = WF_MILLISECONDS(500)};
    WF_GENERATOR(these, count_slowly, &fast, int);
    WF_GENERATOR(those, count_slowly, &slow, int);
    WF_MERGE(all, int, &these, &those);
    EXPECT_ITEMS(&all, "0 1 100 2 3 101");
}

static int running, most;

static int work(int *item, int *result)
{
    running++;
    if (running > most) most = running;
    int rc = wf_sleep(WF_MILLISECONDS(*item % 3 == 0 ? 30 : 10));
    running--;
    *result = *item * 10;
    return rc;
}

WF_TEST(buffered_calls_overlap_and_keep_the_order, .simulated = true, .sweep = true)
{
    begin();
    running = most = 0;
    int limit = 7;
    {
        WF_GENERATOR(numbers, count, &limit, int);
        WF_BUFFERED(worked, &numbers, int, work, int, 3);
        EXPECT_ITEMS(&worked, "0 10 20 30 40 50 60");
    }
    WF_EXPECT_INT(most, 3);
    WF_INVARIANT(most <= 3 && running == 0 && opened == closed);
}

WF_TEST(unordered_ones_come_as_they_end, .simulated = true, .sweep = true)
{
    running = most = 0;
    int limit = 4;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_BUFFERED_UNORDERED(worked, &numbers, int, work, int, 4);
    int item, rc, got = 0, sum = 0;
    while ((rc = wf_next(&worked, &item)) > 0) {
        sum += item;
        if (got++ < 2) WF_EXPECT(item == 10 || item == 20);
    }
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_INT(sum, 60);
}

WF_TEST(a_buffer_lets_its_source_run_no_further_ahead, .simulated = true)
{
    begin();
    int limit = 100, item;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_BUFFERED(worked, &numbers, int, work, int, 4);
    WF_EXPECT_CODE(wf_next(&worked, &item), 1);
    wf_sleep(WF_SECONDS(5));
    WF_EXPECT(emitted <= 6);
}

static int fail_at_two(int *item, int *result)
{
    *result = *item;
    int rc = wf_sleep(WF_MILLISECONDS(*item == 2 ? 1 : 20));
    return rc == 0 && *item == 2 ? wf_fail(-EPROTO, "two") : rc;
}

WF_TEST(an_error_of_a_buffered_call_takes_its_turn, .simulated = true)
{
    int limit = 10, item;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_BUFFERED(worked, &numbers, int, fail_at_two, int, 4);
    WF_EXPECT_CODE(wf_next(&worked, &item), 1);
    WF_EXPECT_CODE(wf_next(&worked, &item), 1);
    WF_EXPECT_INT(item, 1);
    WF_EXPECT_FAILURE(wf_next(&worked, &item), -EPROTO, "two");
    WF_BUFFERED(useless, &numbers, int, fail_at_two, int, 0);
    WF_EXPECT_CODE(wf_next(&useless, &item), -EINVAL);
}

/* ---- Ends ---- */

static int compare_last_digit(const int *a, const int *b)
{
    return a[0] % 10 - b[0] % 10;
}

WF_TEST(of_equal_items_a_map_keeps_the_last)
{
    int limit = 25, *items = NULL;
    size_t found = 0;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_EXPECT_CODE(wf_collect_unique(&numbers, wf_task_arena(), &items, &found, 100, compare_last_digit), 0);
    if (!WF_EXPECT_INT((int64_t)found, 10)) return;
    WF_EXPECT_INT(items[4], 24);
    WF_EXPECT_INT(items[5], 15);
    int key = 109;
    const int *nine =
        bsearch(&key, items, found, sizeof *items, (int (*)(const void *, const void *))compare_last_digit);
    WF_EXPECT(nine != NULL && *nine == 19);
}

WF_TEST(a_collection_has_a_bound)
{
    int limit = 25, *items;
    size_t found;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_EXPECT_FAILURE(wf_collect(&numbers, wf_task_arena(), &items, &found, 24), -E2BIG, "more than 24 items");
    int five = 5;
    WF_GENERATOR(others, count, &five, int);
    WF_EXPECT_CODE(wf_collect(&others, wf_task_arena(), &items, &found, 5), 0);
}

WF_TEST(first_closes_its_source)
{
    begin();
    int limit = 100, item;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_EXPECT_CODE(wf_first(&numbers, &item), 1);
    WF_EXPECT_INT(closed, 1);
    WF_EXPECT_CODE(wf_next(&numbers, &item), 0);
}

static int is_any_even(int limit)
{
    WF_GENERATOR(numbers, count, &limit, int);
    return wf_any(&numbers, int, is_even);
}

static int are_all_small(int limit)
{
    WF_GENERATOR(numbers, count, &limit, int);
    return wf_all(&numbers, int, is_small);
}

WF_TEST(any_and_all_stop_as_soon_as_they_know)
{
    begin();
    WF_EXPECT_INT(is_any_even(100), 1);
    WF_EXPECT(emitted <= 2);
    WF_EXPECT_INT(are_all_small(100), 0);
    WF_EXPECT(emitted <= 9);
    WF_EXPECT_INT(are_all_small(5), 1);
    WF_EXPECT_INT(is_any_even(0), 0);
    WF_EXPECT_INT(are_all_small(0), 1);
    WF_EXPECT_INT(opened, closed);
}

WF_TEST(a_stage_for_other_items_is_a_mistake, .dies = "WF_FILTER for items of 4 bytes stands on a source")
{
    int limit = 3;
    WF_GENERATOR(numbers, count, &limit, int);
    WF_MAP(squares, &numbers, int, square, int64_t);
    WF_FILTER(even, &squares, int, is_even);
}

WF_TEST_MAIN
