/* A short deadline around each call: whatever the stage, no item is lost, doubled or out of order. */
#include <weft/testing.h>
#include <weft/weft.h>

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

static const struct pace eight = {.count = 8, .interval = WF_SECONDS(1)};

/* The items of a source, noted; each call is cut after 300 ms and made again. */
#define EXPECT_ITEMS(source, expected)                                                                                 \
    do {                                                                                                               \
        int number, code, cuts = 0;                                                                                    \
        while ((code = wf_within(WF_MILLISECONDS(300), wf_next((source), &number))) > 0 || code == -ETIME)             \
            if (code > 0) wf_test_note("%d", number);                                                                  \
            else cuts++;                                                                                               \
        WF_EXPECT_CODE(code, 0);                                                                                       \
        WF_EXPECT(cuts > 0);                                                                                           \
        WF_EXPECT_TEXT(wf_test_notes(), (expected));                                                                   \
    } while (0)

static int think(int *item, int *result)
{
    *result = *item * 10;
    return wf_sleep(WF_MILLISECONDS(200));
}

static bool is_odd(const int *item)
{
    return *item % 2 == 1;
}

static bool is_small(const int *item)
{
    return *item < 70;
}

WF_TEST(stages_without_tasks_lose_nothing_to_a_deadline, .simulated = true, .timeout = WF_MINUTES(5))
{
    WF_GENERATOR(numbers, count_slowly, &eight, int);
    WF_SKIP(later, &numbers, 1);
    WF_FILTER(odd, &later, int, is_odd);
    WF_MAP(tens, &odd, int, think, int);
    WF_TAKE_WHILE(small, &tens, int, is_small);
    WF_ENUMERATE(numbered, &small);
    WF_TAKE(some, &numbered, 10);
    EXPECT_ITEMS(&some, "10 30 50");
    WF_EXPECT_INT(wf_index(&numbered), 2);
}

WF_TEST(a_batch_that_was_cut_is_filled_up, .simulated = true, .timeout = WF_MINUTES(5))
{
    struct wf_batch batch;
    int rc;
    WF_GENERATOR(numbers, count_slowly, &eight, int);
    WF_BATCH(batches, &numbers, int, 3);
    while ((rc = wf_within(WF_MILLISECONDS(300), wf_next(&batches, &batch))) > 0 || rc == -ETIME)
        if (rc > 0) wf_test_note("%zu:%d", batch.count, *(int *)batch.items);
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_TEXT(wf_test_notes(), "3:0 3:3 2:6");
}

struct pair {
    int left, right;
};

WF_TEST(pairs_stay_pairs, .simulated = true, .timeout = WF_MINUTES(5))
{
    static const struct pace slower = {.first = 100, .count = 4, .interval = WF_MILLISECONDS(1700)};
    struct pair pair;
    int rc;
    WF_GENERATOR(numbers, count_slowly, &eight, int);
    WF_GENERATOR(others, count_slowly, &slower, int);
    WF_ZIP(pairs, &numbers, &others, struct pair, left, right);
    while ((rc = wf_within(WF_MILLISECONDS(300), wf_next(&pairs, &pair))) > 0 || rc == -ETIME)
        if (rc > 0) wf_test_note("%d-%d", pair.left, pair.right);
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_TEXT(wf_test_notes(), "0-100 1-101 2-102 3-103");
}

static int twice(struct wf_generator *out, int *item)
{
    int rc = wf_sleep(WF_MILLISECONDS(500));
    if (rc == 0) rc = wf_emit(out, item);
    return rc < 0 ? rc : wf_emit(out, item);
}

WF_TEST(a_flat_map_loses_nothing, .simulated = true, .timeout = WF_MINUTES(5))
{
    static const struct pace three = {.count = 3, .interval = WF_SECONDS(1)};
    WF_GENERATOR(numbers, count_slowly, &three, int);
    WF_FLAT_MAP(doubled, &numbers, int, twice, int);
    EXPECT_ITEMS(&doubled, "0 0 1 1 2 2");
}

WF_TEST(a_merge_loses_nothing, .simulated = true, .timeout = WF_MINUTES(5))
{
    static const struct pace these = {.count = 3, .interval = WF_SECONDS(1)};
    static const struct pace those = {.first = 100, .count = 2, .interval = WF_MILLISECONDS(1700)};
    WF_GENERATOR(ones, count_slowly, &these, int);
    WF_GENERATOR(hundreds, count_slowly, &those, int);
    WF_MERGE(all, int, &ones, &hundreds);
    EXPECT_ITEMS(&all, "0 100 1 2 101");
}

/* The later the item, the quicker its call. */
static int work(int *item, int *result)
{
    *result = *item;
    return wf_sleep(WF_MILLISECONDS(9000 - 1000 * *item));
}

WF_TEST(a_buffer_loses_nothing_and_keeps_the_order, .simulated = true, .timeout = WF_MINUTES(5))
{
    WF_GENERATOR(numbers, count_slowly, &eight, int);
    WF_BUFFERED(worked, &numbers, int, work, int, 3);
    EXPECT_ITEMS(&worked, "0 1 2 3 4 5 6 7");
}

WF_TEST(an_unordered_buffer_loses_nothing, .simulated = true, .timeout = WF_MINUTES(5))
{
    static const struct pace three = {.count = 3, .interval = WF_MILLISECONDS(700)};
    WF_GENERATOR(numbers, count_slowly, &three, int);
    WF_BUFFERED_UNORDERED(worked, &numbers, int, work, int, 3);
    EXPECT_ITEMS(&worked, "2 1 0");
}

WF_TEST(a_throttle_and_a_ticker_lose_nothing, .simulated = true, .timeout = WF_MINUTES(5))
{
    int64_t tick;
    int rc;
    WF_TICKER(ticks, WF_SECONDS(1));
    WF_THROTTLE(slow, &ticks, WF_MILLISECONDS(400));
    WF_TAKE(four, &slow, 4);
    while ((rc = wf_within(WF_MILLISECONDS(300), wf_next(&four, &tick))) > 0 || rc == -ETIME)
        if (rc > 0) wf_test_note("%d", (int)tick);
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_TEXT(wf_test_notes(), "0 1 2 3");
}

WF_TEST_MAIN
