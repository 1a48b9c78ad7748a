/* The contract of generators, stages and ends of streams: contract.h says what the lines mean. */
#include "../contract.h"

static int count(struct wf_generator *out, const int *limit)
{
    int rc = 0;
    for (int i = 0; i < *limit && rc == 0; i++) rc = wf_emit(out, &i);
    return rc;
}

static int twice(int *item, int *result)
{
    *result = *item * 2;
    return 0;
}

static int repeat(struct wf_generator *out, int *item)
{
    return wf_emit(out, item);
}

static bool is_even(const int *item)
{
    return *item % 2 == 0;
}

static int compare(const int *a, const int *b)
{
    return *a - *b;
}

static int add(int *sum, const int *item)
{
    *sum += *item;
    return 0;
}

WF_TEST(a_refused_wait_for_an_item_takes_none, .rule = "1.1 1.3 4.6")
{
    int limit = 3, item = -1, *items, sum = 0;
    size_t found;
    struct wf_arena *arena = wf_task_arena();
    if (!WF_EXPECT(arena != NULL && wf_arena_alloc(arena, 64) != NULL)) return;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_GENERATOR(numbers, count, &limit, int);
    WF_EXPECT_CODE(wf_next(&numbers, &item), 1);
    {
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "before the calls");
        REFUSED(wf_next, wf_next(&numbers, &item));
        REFUSED(wf_collect, wf_collect(&numbers, arena, &items, &found, 10));
        REFUSED(wf_collect_unique, wf_collect_unique(&numbers, arena, &items, &found, 10, compare));
        REFUSED(wf_fold, wf_fold(&numbers, int, add, &sum));
        REFUSED(wf_first, wf_first(&numbers, &item));
        REFUSED(wf_any, wf_any(&numbers, int, is_even));
        REFUSED(wf_all, wf_all(&numbers, int, is_even));
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    }
    WF_EXPECT_CODE(wf_next(&numbers, &item), 1);
    WF_EXPECT_INT(item, 1);
    WF_EXPECT_CODE(wf_generator_close(&numbers), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int emit_when_cancelled(struct wf_generator *out, int *item)
{
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the call");
    REFUSED(wf_emit, wf_emit(out, item));
    return wf_scope_end(&cancelled, 0);
}

WF_TEST(a_refused_item_stays_its_producers, .rule = "1.1 1.3 4.6")
{
    int item = 7;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    {
        WF_GENERATOR(items, emit_when_cancelled, &item, int);
        WF_EXPECT_CODE(wf_next(&items, &item), 0);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int clean_up_slowly(struct wf_generator *out, int *cleaned)
{
    int rc = 0;
    while (rc == 0) rc = wf_emit(out, cleaned);
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1)));
    *cleaned = 1;
    return rc;
}

WF_TEST(closing_a_generator_is_done_when_its_cleanup_is, .rule = "1.7 4.6")
{
    int cleaned = 0, item;
    WF_SCOPE(scope);
    WF_GENERATOR(items, clean_up_slowly, &cleaned, int);
    WF_EXPECT_CODE(wf_next(&items, &item), 1);
    wf_scope_cancel(&scope, "before the call");
    COMPLETES(wf_generator_close, wf_generator_close(&items), 0);
    WF_EXPECT_INT(cleaned, 1);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

struct pair {
    int left, right;
};

/* Out of line: under a sanitizer the frames of all of them together are too large. */
static __attribute__((noinline)) void declare_stages(struct wf_generator *source, struct wf_generator *other)
{
    STAYS(WF_MAP, WF_MAP(stage, source, int, twice, int));
    STAYS(WF_FILTER, WF_FILTER(stage, source, int, is_even));
    STAYS(WF_TAKE_WHILE, WF_TAKE_WHILE(stage, source, int, is_even));
    STAYS(WF_TAKE, WF_TAKE(stage, source, 1));
    STAYS(WF_SKIP, WF_SKIP(stage, source, 1));
    STAYS(WF_ENUMERATE, WF_ENUMERATE(stage, source));
    STAYS(WF_BATCH, WF_BATCH(stage, source, int, 2));
    STAYS(WF_ZIP, WF_ZIP(stage, source, other, struct pair, left, right));
    STAYS(WF_EACH_WITHIN, WF_EACH_WITHIN(stage, source, WF_SECONDS(1)));
    STAYS(WF_THROTTLE, WF_THROTTLE(stage, source, WF_SECONDS(1)));
    STAYS(WF_TICKER, WF_TICKER(stage, WF_SECONDS(1)));
}

static __attribute__((noinline)) void declare_one_generator(int *limit)
{
    STAYS(WF_GENERATOR, WF_GENERATOR(numbers, count, limit, int));
}

static __attribute__((noinline)) void declare_flat_map(struct wf_generator *source)
{
    STAYS(WF_FLAT_MAP, WF_FLAT_MAP(stage, source, int, repeat, int));
}

static __attribute__((noinline)) void declare_buffered(struct wf_generator *source)
{
    STAYS(WF_BUFFERED, WF_BUFFERED(stage, source, int, twice, int, 2));
}

static __attribute__((noinline)) void declare_unordered(struct wf_generator *source)
{
    STAYS(WF_BUFFERED_UNORDERED, WF_BUFFERED_UNORDERED(stage, source, int, twice, int, 2));
}

static __attribute__((noinline)) void declare_merge(struct wf_generator *source, struct wf_generator *other)
{
    STAYS(WF_MERGE, WF_MERGE(stage, int, source, other));
}

WF_TEST(declaring_and_asking_for_the_index_never_suspends, .rule = "1.7")
{
    int limit = 3;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    {
        WF_GENERATOR(numbers, count, &limit, int);
        WF_GENERATOR(others, count, &limit, int);
        declare_one_generator(&limit);
        declare_stages(&numbers, &others);
        declare_flat_map(&numbers);
        declare_buffered(&numbers);
        declare_unordered(&numbers);
        declare_merge(&numbers, &others);
        WF_ENUMERATE(numbered, &numbers);
        STAYS(wf_index, WF_EXPECT_INT(wf_index(&numbered), -1));
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
