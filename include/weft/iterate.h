/*
 * Streams of items, and what is done with them on the way: sources are generators or iterators of your own, stages
 * stand on each other, and nothing runs before an item is asked for.
 *
 *     WF_GENERATOR(orders, fetch_orders, &client, struct order);
 *     WF_FILTER(open_ones, &orders, struct order, is_open);
 *     WF_MAP(totals, &open_ones, struct order, add_up, struct total);
 *     WF_TAKE(some, &totals, 100);
 *     struct total total;
 *     while ((rc = wf_next(&some, &total)) > 0) show(&total);
 *
 * A stage asks the one below it on its consumer's own task: at most one item is under way, and a slow consumer slows
 * the source down. Stages that need tasks say so; they are generators, and close like these. A stage that ends early
 * closes what it stands on. An end stays an end, and so does an error, except a cancel or a deadline around one call:
 * then nothing is lost, and the next call goes on.
 *
 * Declare a stage after what it stands on, in the same block. Types are checked by the compiler against the functions,
 * and at run time against the source: a mistake aborts with an explanation.
 * Threads: the task that declared them.
 */
#ifndef WEFT_ITERATE_H
#define WEFT_ITERATE_H

#include <weft/generator.h>
#include <weft/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_arena;

/* A stage without a task of its own; every member is private. */
struct wf_stage {
    struct wf_iterator iterator;
    struct wf_iterator *upstream_, *second_;
    void *item_; /* room for an item of upstream */
    union {
        int (*map)(void *item, void *result);
        bool (*test)(const void *item);
    } call_;
    int64_t number_, limit_, due_;
    size_t first_at_, second_at_;
    int result_;
    bool holds_, ended_;
    void *reserved_[2];
};

/* ---- Stages ---- */

/* WF_MAP(name, source, in, fn, out): `int fn(in *item, out *result)` for each; a negative code ends the stream. */
#define WF_MAP(name, source, in, fn, out)                                                                              \
    in WF_JOIN_(name, _item_);                                                                                         \
    struct wf_stage name;                                                                                              \
    (void)sizeof(_Generic((fn)((in *)0, (out *)0), int : 'i'));                                                        \
    wf_map_(&name, &(source)->iterator, sizeof(in), &WF_JOIN_(name, _item_), (int (*)(void *, void *))(fn), sizeof(out))

/* Items for which `bool fn(const in *item)` holds; those up to the first for which it does not. */
#define WF_FILTER(name, source, in, fn)                                                                                \
    struct wf_stage name;                                                                                              \
    (void)sizeof(_Generic((fn)((const in *)0), bool : 'b'));                                                           \
    wf_filter_(&name, &(source)->iterator, sizeof(in), (bool (*)(const void *))(fn))
#define WF_TAKE_WHILE(name, source, in, fn)                                                                            \
    struct wf_stage name;                                                                                              \
    (void)sizeof(_Generic((fn)((const in *)0), bool : 'b'));                                                           \
    wf_take_while_(&name, &(source)->iterator, sizeof(in), (bool (*)(const void *))(fn))

/* The first so many items, and then the end: the source is not asked again. All but the first so many. */
#define WF_TAKE(name, source, count)                                                                                   \
    struct wf_stage name;                                                                                              \
    wf_take_(&name, &(source)->iterator, (count))
#define WF_SKIP(name, source, count)                                                                                   \
    struct wf_stage name;                                                                                              \
    wf_skip_(&name, &(source)->iterator, (count))

/* The same items, counted: wf_index(&name) is the number of the last one, from 0; -1 before the first. */
#define WF_ENUMERATE(name, source)                                                                                     \
    struct wf_stage name;                                                                                              \
    wf_enumerate_(&name, &(source)->iterator)
static inline int64_t wf_index(const struct wf_stage *enumerated)
{
    return enumerated->number_ - 1;
}

/* Items of WF_BATCH: so many of the source's, valid until the next call; the last batch may be shorter. */
struct wf_batch {
    void *items;
    size_t count;
};
#define WF_BATCH(name, source, in, size)                                                                               \
    in WF_JOIN_(name, _items_)[size];                                                                                  \
    struct wf_stage name;                                                                                              \
    wf_batch_(&name, &(source)->iterator, sizeof(in), WF_JOIN_(name, _items_), (size))

/* One item of each, in two members of a struct of yours; ends with the shorter one. */
#define WF_ZIP(name, one, other, pair, first, second)                                                                  \
    pair WF_JOIN_(name, _pair_);                                                                                       \
    struct wf_stage name;                                                                                              \
    wf_zip_(&name, &(one)->iterator, sizeof(((pair *)0)->first), offsetof(pair, first), &(other)->iterator,            \
            sizeof(((pair *)0)->second), offsetof(pair, second), &WF_JOIN_(name, _pair_), sizeof(pair))

/* -ETIME for an item that takes longer than that; it is not lost, and may be waited for again. */
#define WF_EACH_WITHIN(name, source, duration_ns)                                                                      \
    struct wf_stage name;                                                                                              \
    wf_each_within_(&name, &(source)->iterator, (duration_ns))

/* At most one item in each interval: the next one is asked for when it is due. */
#define WF_THROTTLE(name, source, interval_ns)                                                                         \
    struct wf_stage name;                                                                                              \
    wf_throttle_(&name, &(source)->iterator, (interval_ns))

/* A source: int64_t 0, 1, 2 ... one at the end of each interval since it was declared, which never drifts. Intervals
 * that a slow consumer missed are left out: the numbers tell. */
#define WF_TICKER(name, interval_ns)                                                                                   \
    struct wf_stage name;                                                                                              \
    wf_ticker_(&name, (interval_ns))

/* ---- Stages with tasks ---- */

/*
 * WF_FLAT_MAP(name, source, in, fn, out): `int fn(struct wf_generator *out, in *item)` emits any number of items for
 * each. A generator; the source is asked by its task, and must not be asked by anybody else from then on.
 * Suspends: never; its wf_next does. On cancel: as a generator.
 */
#define WF_FLAT_MAP(name, source, in, fn, out)                                                                         \
    in WF_JOIN_(name, _item_);                                                                                         \
    struct wf_flat_map_ WF_JOIN_(name, _map_) = {&(source)->iterator, &WF_JOIN_(name, _item_), sizeof(in),             \
                                                 (int (*)(struct wf_generator *, void *))(fn)};                        \
    (void)sizeof(_Generic((fn)((struct wf_generator *)0, (in *)0), int : 'i'));                                        \
    WF_GENERATOR(name, wf_flat_map_, &WF_JOIN_(name, _map_), out)

/*
 * WF_BUFFERED(name, source, in, fn, out, width): as WF_MAP, with up to `width` calls at once, each a task; results in
 * the order of the items, and so are errors. WF_BUFFERED_UNORDERED: in the order in which the calls end.
 * Suspends: never; its wf_next does. On cancel: as a generator.
 */
#define WF_BUFFERED(name, source, in, fn, out, width) WF_BUFFERED_(name, source, in, fn, out, width, true)
#define WF_BUFFERED_UNORDERED(name, source, in, fn, out, width) WF_BUFFERED_(name, source, in, fn, out, width, false)

/* WF_MERGE(name, type, &one, &other, ...): the items of up to 8 sources as they come; an error of one ends all.
 * Suspends: never; its wf_next does. On cancel: as a generator. */
#define WF_MERGE(name, type, ...)                                                                                      \
    struct wf_iterator *WF_JOIN_(name, _sources_)[] = {WF_ITERATORS_(__VA_ARGS__)};                                    \
    struct wf_merge_ WF_JOIN_(name, _merge_) = {WF_JOIN_(name, _sources_), WF_COUNT(WF_JOIN_(name, _sources_))};       \
    WF_GENERATOR(name, wf_merge_, &WF_JOIN_(name, _merge_), type)

/* ---- Ends of a stream ---- */

/*
 * All items, in an array that lives in the arena: `type **items, size_t *count`. 0, or what ended the stream.
 * Suspends: where the source does. On cancel: what had come is lost. Errors: the source's; -ENOMEM; -E2BIG past
 * count_max.
 */
#define wf_collect(source, arena, items, count, count_max)                                                             \
    wf_collect_(&(source)->iterator, (arena), (void **)(items), sizeof **(items), (count), (count_max), NULL)

/*
 * The same, sorted by `int compare(const type *a, const type *b)`, and of equal ones only the last: a set, or, where
 * only keys are compared, a map; bsearch(3) finds in it.
 * Suspends: where the source does. On cancel: what had come is lost. Errors: as wf_collect.
 */
#define wf_collect_unique(source, arena, items, count, count_max, compare)                                             \
    wf_collect_(&(source)->iterator, (arena), (void **)(items), sizeof **(items), (count), (count_max),                \
                (int (*)(const void *, const void *))(compare))

/*
 * wf_fold(source, type, fn, state): `int fn(state *, const type *item)` for each item; a negative code ends it. Returns
 * the number of items, or the error.
 * Suspends: where the source does. On cancel: the state is as the last item left it. Errors: the source's, fn's.
 */
#define wf_fold(source, type, fn, state)                                                                               \
    ((void)sizeof(_Generic((fn)((state), (const type *)0), int                                                         \
                           : 'i')),                                                                                    \
     wf_fold_(&(source)->iterator, sizeof(type), (int (*)(void *, const void *))(fn), (state)))

/* The first item, and the source is closed: 1, 0 where there is none. Suspends: as wf_next. On cancel: as wf_next. */
#define wf_first(source, item) wf_first_(&(source)->iterator, (item), sizeof *(item))

/* Is there an item for which `bool fn(const type *)` holds? Does it hold for all? 1 or 0; the source is closed as soon
 * as that is known. Suspends: where the source does. On cancel: the items until then are lost. */
#define wf_any(source, type, fn)                                                                                       \
    ((void)sizeof(_Generic((fn)((const type *)0), bool                                                                 \
                           : 'b')),                                                                                    \
     wf_search_(&(source)->iterator, sizeof(type), (bool (*)(const void *))(fn), true))
#define wf_all(source, type, fn)                                                                                       \
    ((void)sizeof(_Generic((fn)((const type *)0), bool                                                                 \
                           : 'b')),                                                                                    \
     wf_search_(&(source)->iterator, sizeof(type), (bool (*)(const void *))(fn), false))

/* ---- What the macros stand on: private ---- */

struct wf_flat_map_ {
    struct wf_iterator *source;
    void *item;
    size_t item_size;
    int (*fn)(struct wf_generator *out, void *item);
};

struct wf_buffered_ {
    struct wf_iterator *source;
    size_t in_size, out_size, width;
    int (*fn)(void *item, void *result);
    bool ordered;
};

struct wf_merge_ {
    struct wf_iterator **sources;
    size_t count;
};

#define WF_BUFFERED_(name, source, in, fn, out, width, ordered)                                                        \
    struct wf_buffered_ WF_JOIN_(name, _buffer_) = {&(source)->iterator,           sizeof(in), sizeof(out), (width),   \
                                                    (int (*)(void *, void *))(fn), (ordered)};                         \
    (void)sizeof(_Generic((fn)((in *)0, (out *)0), int : 'i'));                                                        \
    WF_GENERATOR(name, wf_buffered_, &WF_JOIN_(name, _buffer_), out)

#define WF_ITERATORS_(...) WF_ITERATORS__(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)(__VA_ARGS__)
#define WF_ITERATORS__(a, b, c, d, e, f, g, h, n, ...) WF_ITERATORS_##n##_
#define WF_ITERATORS_1_(a) &(a)->iterator
#define WF_ITERATORS_2_(a, b) &(a)->iterator, &(b)->iterator
#define WF_ITERATORS_3_(a, b, c) &(a)->iterator, WF_ITERATORS_2_(b, c)
#define WF_ITERATORS_4_(a, b, c, d) &(a)->iterator, WF_ITERATORS_3_(b, c, d)
#define WF_ITERATORS_5_(a, b, c, d, e) &(a)->iterator, WF_ITERATORS_4_(b, c, d, e)
#define WF_ITERATORS_6_(a, b, c, d, e, f) &(a)->iterator, WF_ITERATORS_5_(b, c, d, e, f)
#define WF_ITERATORS_7_(a, b, c, d, e, f, g) &(a)->iterator, WF_ITERATORS_6_(b, c, d, e, f, g)
#define WF_ITERATORS_8_(a, b, c, d, e, f, g, h) &(a)->iterator, WF_ITERATORS_7_(b, c, d, e, f, g, h)

WF_API void wf_map_(struct wf_stage *stage, struct wf_iterator *upstream, size_t in_size, void *item,
                    int (*fn)(void *, void *), size_t out_size);
WF_API void wf_filter_(struct wf_stage *stage, struct wf_iterator *upstream, size_t size, bool (*fn)(const void *));
WF_API void wf_take_while_(struct wf_stage *stage, struct wf_iterator *upstream, size_t size, bool (*fn)(const void *));
WF_API void wf_take_(struct wf_stage *stage, struct wf_iterator *upstream, int64_t count);
WF_API void wf_skip_(struct wf_stage *stage, struct wf_iterator *upstream, int64_t count);
WF_API void wf_enumerate_(struct wf_stage *stage, struct wf_iterator *upstream);
WF_API void wf_batch_(struct wf_stage *stage, struct wf_iterator *upstream, size_t in_size, void *items, size_t count);
WF_API void wf_zip_(struct wf_stage *stage, struct wf_iterator *one, size_t one_size, size_t one_at,
                    struct wf_iterator *other, size_t other_size, size_t other_at, void *pair, size_t pair_size);
WF_API void wf_each_within_(struct wf_stage *stage, struct wf_iterator *upstream, int64_t duration_ns);
WF_API void wf_throttle_(struct wf_stage *stage, struct wf_iterator *upstream, int64_t interval_ns);
WF_API void wf_ticker_(struct wf_stage *stage, int64_t interval_ns);
WF_API int wf_flat_map_(struct wf_generator *out, struct wf_flat_map_ *map);
WF_API int wf_buffered_(struct wf_generator *out, struct wf_buffered_ *buffer);
WF_API int wf_merge_(struct wf_generator *out, struct wf_merge_ *merge);
WF_API WF_SUSPENDS int wf_collect_(struct wf_iterator *source, struct wf_arena *arena, void **items, size_t item_size,
                                   size_t *count, size_t count_max, int (*compare)(const void *, const void *));
WF_API WF_SUSPENDS int64_t wf_fold_(struct wf_iterator *source, size_t item_size, int (*fn)(void *, const void *),
                                    void *state);
WF_API WF_SUSPENDS int wf_first_(struct wf_iterator *source, void *item, size_t size);
WF_API WF_SUSPENDS int wf_search_(struct wf_iterator *source, size_t size, bool (*fn)(const void *), bool wanted);

#ifdef __cplusplus
}
#endif
#endif
