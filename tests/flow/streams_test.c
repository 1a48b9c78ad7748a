/* Streams as programs use them, S024 to S034: pages, a transformation, a timer, a cursor, cleanup, collections. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- Pages ---- */

enum { PAGE_SIZE = 50 };

struct shop {
    int pages, fetches, opens, closes;
};

static int fetch_page(struct shop *shop, int page, int orders[PAGE_SIZE])
{
    shop->fetches++;
    int rc = wf_yield();
    if (rc < 0) return rc;
    int count = page < shop->pages ? PAGE_SIZE : 0;
    for (int i = 0; i < count; i++) orders[i] = page * PAGE_SIZE + i;
    return count;
}

static int all_orders(struct wf_generator *out, struct shop *shop)
{
    int orders[PAGE_SIZE], page = 0, count, rc;
    shop->opens++;
    do {
        rc = count = fetch_page(shop, page++, orders);
        for (int i = 0; i < count && rc >= 0; i++) rc = wf_emit(out, &orders[i]);
    } while (count > 0 && rc >= 0);
    shop->closes++;
    return rc;
}

/* S024 */
WF_TEST(three_pages_of_fifty_are_150_items_in_order_and_exactly_four_fetches, .sweep = true)
{
    struct shop shop = {.pages = 3};
    int order, rc, count = 0;
    {
        WF_GENERATOR(orders, all_orders, &shop, int);
        while ((rc = wf_next(&orders, &order)) > 0) {
            WF_EXPECT_INT(order, count);
            if (!WF_EXPECT_INT(shop.fetches, count / PAGE_SIZE + 1)) break; /* not one page ahead */
            count++;
        }
        WF_EXPECT_CODE(rc, 0);
    }
    WF_EXPECT_INT(count, 150);
    WF_EXPECT_INT(shop.fetches, 4);
    WF_INVARIANT(shop.opens == shop.closes && shop.fetches <= 4);
}

/* S024 */
WF_TEST(a_million_items_take_the_memory_of_one_page, .timeout = WF_SECONDS(60), .passes_max = 100000000,
        .unswept = "a million places")
{
    struct shop shop = {.pages = 1000000 / PAGE_SIZE};
    int order, count = 0;
    size_t blocks = 0, most = 0;
    WF_GENERATOR(orders, all_orders, &shop, int);
    while (wf_next(&orders, &order) > 0) {
        if (++count % PAGE_SIZE != 0) continue;
        size_t now = wf_allocated_blocks();
        if (blocks == 0) blocks = now;
        if (now > most) most = now;
    }
    WF_EXPECT_INT(count, 1000000);
    WF_EXPECT_INT((int64_t)most, (int64_t)blocks);
}

/* S025 */
WF_TEST(a_break_closes_the_source_before_the_next_statement, .sweep = true)
{
    struct shop shop = {.pages = 3};
    int order = -1, closes_after = 0;
    {
        WF_GENERATOR(orders, all_orders, &shop, int);
        while (wf_next(&orders, &order) > 0)
            if (order == 60) break;
    }
    closes_after = shop.closes;
    WF_EXPECT_INT(order, 60);
    WF_INVARIANT(shop.opens == closes_after);
    WF_INVARIANT(shop.fetches <= 2);
}

/* ---- Four ways to end ---- */

struct feed {
    int opens, closes, reads;
    int fails_at; /* that line cannot be read; 0: all can */
};

/* 1, or 0 after ten lines. */
static int read_line(struct feed *feed, int *line)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    *line = ++feed->reads;
    if (feed->reads == feed->fails_at) return wf_fail(-EPROTO, "line %d is broken", *line);
    return *line <= 10;
}

/* Its cleanup waits, too. */
static int lines(struct wf_generator *out, struct feed *feed)
{
    int line, rc;
    feed->opens++;
    while ((rc = read_line(feed, &line)) > 0) {
        rc = wf_emit(out, &line);
        if (rc < 0) break;
    }
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1)));
    feed->closes++;
    return rc;
}

static int read_some(struct feed *feed, int count)
{
    WF_GENERATOR(source, lines, feed, int);
    int line, rc = 1;
    for (int i = 0; i < count && rc > 0; i++) rc = wf_next(&source, &line);
    return rc;
}

static int read_and_wait(struct feed *feed)
{
    WF_GENERATOR(source, lines, feed, int);
    int line, rc = wf_next(&source, &line);
    return rc < 0 ? rc : wf_sleep_until(WF_FOREVER);
}

/* S029 */
WF_TEST(what_a_source_opened_is_closed_at_the_end_on_error_on_stop_and_on_cancel, .sweep = true)
{
    struct feed end = {.opens = 0}, error = {.fails_at = 4}, stop = {.opens = 0}, cancel = {.opens = 0};
    WF_EXPECT_CODE(read_some(&end, 1000), 0);
    WF_EXPECT_FAILURE(read_some(&error, 1000), -EPROTO, "line 4 is broken");
    WF_EXPECT_CODE(read_some(&stop, 6), 1);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(50), read_and_wait(&cancel)), -ETIME);
    WF_EXPECT(end.opens == 1 && error.opens == 1 && stop.opens == 1 && cancel.opens == 1);
    WF_INVARIANT(end.opens == end.closes && error.opens == error.closes);
    WF_INVARIANT(stop.opens == stop.closes && cancel.opens == cancel.closes);
}

/* S030 */
WF_TEST(after_six_items_the_source_is_closed_once_and_reads_no_more, .sweep = true)
{
    struct feed feed = {.opens = 0};
    int line = -1, last = -1;
    {
        WF_GENERATOR(source, lines, &feed, int);
        WF_ENUMERATE(numbered, &source);
        while (wf_next(&numbered, &line) > 0) {
            last = (int)wf_index(&numbered);
            if (last >= 5) break;
        }
    }
    WF_EXPECT(line == 6 && last == 5);
    WF_EXPECT_INT(feed.closes, 1);
    WF_INVARIANT(feed.reads <= 6 && feed.opens == feed.closes);
}

/* ---- A transformation ---- */

struct record {
    int number;
    bool invalid, processed;
};

static int records_opened, records_closed, records_taken, under_way, most_under_way;

static void begin(void)
{
    records_opened = records_closed = records_taken = under_way = most_under_way = 0;
}

static int read_records(struct wf_generator *out, const int *count)
{
    records_opened++;
    int rc = 0;
    for (int i = 0; i < *count && rc == 0; i++) {
        struct record record = {.number = i, .invalid = i % 10 == 3};
        rc = wf_emit(out, &record);
        if (rc == 0) records_taken++;
    }
    records_closed++;
    return rc;
}

static bool is_valid(const struct record *record)
{
    return !record->invalid;
}

static int process(struct record *record, struct record *result)
{
    if (++under_way > most_under_way) most_under_way = under_way;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    under_way--;
    *result = *record;
    result->processed = true;
    return rc;
}

/* S026 */
WF_TEST(a_hundred_items_with_ten_invalid_give_ninety_in_order_one_at_a_time, .simulated = true, .sweep = true,
        .timeout = WF_MINUTES(1))
{
    begin();
    int count = 100, got = 0, last = -1, rc;
    int64_t started = wf_now();
    {
        struct record record;
        WF_GENERATOR(records, read_records, &count, struct record);
        WF_FILTER(valid, &records, struct record, is_valid);
        WF_MAP(processed, &valid, struct record, process, struct record);
        while ((rc = wf_next(&processed, &record)) > 0) {
            if (!WF_EXPECT(record.processed && record.number > last && record.number % 10 != 3)) break;
            last = record.number;
            got++;
        }
        WF_EXPECT_CODE(rc, 0);
    }
    WF_EXPECT_INT(got, 90);
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(9));
    WF_INVARIANT(most_under_way <= 1 && under_way == 0 && records_opened == records_closed);
}

static int process_all(int count)
{
    struct record record;
    int rc;
    WF_GENERATOR(records, read_records, &count, struct record);
    WF_MAP(processed, &records, struct record, process, struct record);
    while ((rc = wf_next(&processed, &record)) > 0) {}
    return rc;
}

/* S026 */
WF_TEST(a_cancel_of_the_consumer_stops_the_producer, .simulated = true, .sweep = true)
{
    begin();
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(350), process_all(100)), -ETIME);
    WF_EXPECT_INT(records_taken, 4);
    WF_INVARIANT(records_taken <= 4 && under_way == 0 && records_opened == records_closed);
}

/* ---- A timer ---- */

struct tick {
    int64_t id;
    char data[24];
};

static int make_tick(int64_t *number, struct tick *tick)
{
    tick->id = *number;
    snprintf(tick->data, sizeof tick->data, "item_%lld", (long long)*number);
    return 0;
}

/* S027 */
WF_TEST(item_i_of_a_timer_comes_after_i_plus_one_intervals, .simulated = true, .sweep = true)
{
    int64_t started = wf_now();
    WF_TICKER(ticks, WF_MILLISECONDS(100));
    WF_MAP(items, &ticks, int64_t, make_tick, struct tick);
    for (int64_t i = 0; i < 20; i++) {
        struct tick tick;
        char data[24];
        snprintf(data, sizeof data, "item_%lld", (long long)i);
        if (!WF_EXPECT_CODE(wf_next(&items, &tick), 1)) return;
        WF_EXPECT_INT(tick.id, i);
        WF_EXPECT_TEXT(tick.data, data);
        WF_EXPECT_INT(wf_now() - started, (i + 1) * WF_MILLISECONDS(100));
        wf_sleep(WF_MILLISECONDS(70)); /* the consumer's own time moves no tick */
    }
}

/* ---- A cursor ---- */

struct cursor {
    struct wf_iterator iterator;
    int after, closes;
};

struct rows {
    int keys[100], count;
};

static int cursor_next(struct wf_iterator *iterator, void *item)
{
    struct cursor *cursor = (struct cursor *)iterator;
    struct rows *rows = item;
    if (cursor->closes > 0 || cursor->after == 500) return 0;
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    for (rows->count = 0; rows->count < 100; rows->count++) rows->keys[rows->count] = ++cursor->after;
    return 1;
}

static void cursor_close(struct wf_iterator *iterator)
{
    ((struct cursor *)iterator)->closes++;
}

static const struct wf_iterator_class cursor_class = {.next = cursor_next, .close = cursor_close};

/* S028 */
WF_TEST(a_cursor_gives_five_batches_of_a_hundred_and_its_end_stays, .simulated = true, .sweep = true)
{
    struct cursor cursor = {.iterator = {.class_ = &cursor_class, .item_size = sizeof(struct rows)}};
    struct rows rows;
    for (int i = 0; i < 5; i++) {
        if (!WF_EXPECT_CODE(wf_next(&cursor, &rows), 1)) return;
        WF_EXPECT(rows.count == 100 && rows.keys[0] == i * 100 + 1 && rows.keys[99] == i * 100 + 100);
    }
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(wf_next(&cursor, &rows), 0);
}

/* S028 */
WF_TEST(a_cursor_is_closed_once_by_what_ends_early, .simulated = true, .sweep = true)
{
    struct cursor cursor = {.iterator = {.class_ = &cursor_class, .item_size = sizeof(struct rows)}};
    struct rows rows;
    WF_TAKE(two, &cursor, 2);
    for (int i = 0; i < 2; i++)
        if (!WF_EXPECT_CODE(wf_next(&two, &rows), 1)) return;
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(wf_next(&two, &rows), 0);
    WF_EXPECT_INT(cursor.closes, 1);
    WF_EXPECT_CODE(wf_next(&cursor, &rows), 0);
}

/* ---- Collections ---- */

static int count_slowly(struct wf_generator *out, const int *count)
{
    int rc = 0;
    for (int i = 0; i < *count && rc == 0; i++) {
        rc = wf_sleep(WF_MILLISECONDS(100));
        if (rc == 0) rc = wf_emit(out, &i);
    }
    return rc;
}

static bool is_even(const int *number)
{
    return *number % 2 == 0;
}

static int halve(int *number, int *half)
{
    *half = *number / 2;
    return 0;
}

struct entry {
    int key, value;
};

static int square(int *number, struct entry *entry)
{
    *entry = (struct entry){*number, *number * *number};
    return 0;
}

static int key_modulo_ten(int *number, struct entry *entry)
{
    *entry = (struct entry){*number % 10, *number};
    return 0;
}

static int compare(const int *one, const int *other)
{
    return *one - *other;
}

static int compare_keys(const struct entry *one, const struct entry *other)
{
    return one->key - other->key;
}

/* S031 */
WF_TEST(ten_items_are_collected_in_order_in_one_second, .simulated = true, .sweep = true)
{
    int ten = 10, *items = NULL;
    size_t count = 0;
    int64_t started = wf_now();
    WF_GENERATOR(numbers, count_slowly, &ten, int);
    if (!WF_EXPECT_CODE(wf_collect(&numbers, wf_task_arena(), &items, &count, 100), 0)) return;
    WF_EXPECT_INT(wf_now() - started, WF_SECONDS(1));
    if (!WF_EXPECT_INT((int64_t)count, 10)) return;
    for (int i = 0; i < 10; i++) WF_EXPECT_INT(items[i], i);
}

/* S032 */
WF_TEST(the_even_ones_are_collected, .simulated = true, .sweep = true)
{
    static const int even[] = {0, 2, 4, 6, 8};
    int ten = 10, *items = NULL;
    size_t count = 0;
    WF_GENERATOR(numbers, count_slowly, &ten, int);
    WF_FILTER(some, &numbers, int, is_even);
    if (!WF_EXPECT_CODE(wf_collect(&some, wf_task_arena(), &items, &count, 100), 0)) return;
    WF_EXPECT(count == WF_COUNT(even) && memcmp(items, even, sizeof even) == 0);
}

/* S033 */
WF_TEST(a_set_has_each_member_once, .simulated = true, .sweep = true)
{
    int twenty = 20, *items = NULL;
    size_t count = 0;
    WF_GENERATOR(numbers, count_slowly, &twenty, int);
    WF_MAP(halves, &numbers, int, halve, int);
    if (!WF_EXPECT_CODE(wf_collect_unique(&halves, wf_task_arena(), &items, &count, 100, compare), 0)) return;
    if (!WF_EXPECT_INT((int64_t)count, 10)) return;
    for (int i = 0; i < 10; i++) WF_EXPECT_INT(items[i], i);
}

/* S033 */
WF_TEST(a_map_finds_81_under_9, .simulated = true, .sweep = true)
{
    int ten = 10;
    struct entry *map = NULL;
    size_t count = 0;
    WF_GENERATOR(numbers, count_slowly, &ten, int);
    WF_MAP(entries, &numbers, int, square, struct entry);
    if (!WF_EXPECT_CODE(wf_collect_unique(&entries, wf_task_arena(), &map, &count, 100, compare_keys), 0)) return;
    WF_EXPECT_INT((int64_t)count, 10);
    const struct entry *nine =
        bsearch(&(struct entry){.key = 9}, map, count, sizeof *map, (int (*)(const void *, const void *))compare_keys);
    WF_EXPECT(nine != NULL && nine->value == 81);
}

/* S033 */
WF_TEST(of_equal_keys_of_a_map_the_last_wins, .simulated = true, .sweep = true)
{
    int many = 25;
    struct entry *map = NULL;
    size_t count = 0;
    WF_GENERATOR(numbers, count_slowly, &many, int);
    WF_MAP(entries, &numbers, int, key_modulo_ten, struct entry);
    if (!WF_EXPECT_CODE(wf_collect_unique(&entries, wf_task_arena(), &map, &count, 100, compare_keys), 0)) return;
    if (!WF_EXPECT_INT((int64_t)count, 10)) return;
    WF_EXPECT(map[4].value == 24 && map[5].value == 15);
}

/* ---- What holds for every stage ---- */

static int emitted, open_sources;

static int count_up(struct wf_generator *out, void *unused)
{
    (void)unused;
    open_sources++;
    int rc = 0;
    for (int i = 0; rc == 0; i++) {
        emitted = i + 1;
        rc = wf_emit(out, &i);
    }
    open_sources--;
    return rc;
}

static int pass_on(int *item, int *result)
{
    *result = *item;
    return wf_sleep(WF_MILLISECONDS(1));
}

/* S034 */
WF_TEST(a_buffer_of_four_lets_its_producer_run_at_most_four_ahead, .simulated = true, .sweep = true)
{
    emitted = open_sources = 0;
    int item, ahead = 0;
    {
        WF_GENERATOR(numbers, count_up, NULL, int);
        WF_BUFFERED(buffer, &numbers, int, pass_on, int, 4);
        for (int taken = 0; taken < 100; taken++) {
            if (!WF_EXPECT_CODE(wf_next(&buffer, &item), 1)) break;
            WF_EXPECT_INT(item, taken);
            wf_sleep(WF_MILLISECONDS(10)); /* it runs ahead as far as it may */
            if (emitted - (taken + 1) > ahead) ahead = emitted - (taken + 1);
        }
    }
    WF_EXPECT(ahead >= 3); /* the fourth is the one that its consumer has in hand */
    WF_INVARIANT(ahead <= 4 && open_sources == 0);
}

static int emit_twice(struct wf_generator *out, int *item)
{
    int rc = wf_emit(out, item);
    return rc < 0 ? rc : wf_emit(out, item);
}

static bool is_not_negative(const int *item)
{
    return *item >= 0;
}

struct both {
    int left, right;
};

/* Each of these asks a chain of stages for so many items, and leaves. */
static int use_simple_stages(int items)
{
    WF_GENERATOR(numbers, count_up, NULL, int);
    WF_MAP(mapped, &numbers, int, pass_on, int);
    WF_FILTER(filtered, &mapped, int, is_not_negative);
    WF_TAKE_WHILE(small, &filtered, int, is_not_negative);
    WF_SKIP(skipped, &small, 1);
    WF_ENUMERATE(numbered, &skipped);
    WF_FLAT_MAP(twice, &numbered, int, emit_twice, int);
    WF_BATCH(batches, &twice, int, 2);
    struct wf_batch batch;
    int rc = 1;
    for (int i = 0; i < items && rc > 0; i++) rc = wf_next(&batches, &batch);
    return rc;
}

static int use_merge(int items)
{
    WF_GENERATOR(one, count_up, NULL, int);
    WF_GENERATOR(other, count_up, NULL, int);
    WF_MERGE(merged, int, &one, &other);
    WF_MAP(slowly, &merged, int, pass_on, int);
    int item, rc = 1;
    for (int i = 0; i < items && rc > 0; i++) rc = wf_next(&slowly, &item);
    return rc;
}

static int use_zip_and_buffer(int items)
{
    WF_GENERATOR(one, count_up, NULL, int);
    WF_GENERATOR(other, count_up, NULL, int);
    WF_BUFFERED(buffered, &one, int, pass_on, int, 2);
    WF_ZIP(both, &buffered, &other, struct both, left, right);
    struct both pair;
    int rc = 1;
    for (int i = 0; i < items && rc > 0; i++) rc = wf_next(&both, &pair);
    return rc;
}

/* S034 */
WF_TEST(stages_are_lazy_and_close_what_they_stand_on_when_they_are_dropped, .simulated = true, .sweep = true)
{
    static int (*const chains[])(int) = {use_simple_stages, use_merge, use_zip_and_buffer};
    for (size_t i = 0; i < WF_COUNT(chains); i++) {
        emitted = open_sources = 0;
        WF_EXPECT_CODE(chains[i](0), 1);
        WF_INVARIANT(emitted == 0);
        WF_EXPECT_CODE(chains[i](3), 1);
        WF_EXPECT(emitted > 0);
        WF_INVARIANT(open_sources == 0);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(20), chains[i](INT32_MAX)), -ETIME);
        WF_INVARIANT(open_sources == 0);
    }
}

WF_TEST_MAIN
