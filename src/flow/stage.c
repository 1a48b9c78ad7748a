/*
 * Stages without tasks: each asks the one below it, on the consumer's task.
 *
 *     next: holds an item that was not passed on yet? --no--> ask upstream --> hold it --> work on it --> pass it on
 *
 * What is held survives a cancel between any two of these steps, so the next call goes on where this one was cut.
 */
#include <weft/iterate.h>

#include <string.h>
#include <weft/task.h>

#include "base/report.h"
#include "core/loop.h"

static void init(struct wf_stage *stage, const struct wf_iterator_class *class, struct wf_iterator *upstream,
                 size_t item_size)
{
    *stage = (struct wf_stage){
        .iterator = {.class_ = class, .item_size = item_size},
        .upstream_ = upstream,
    };
}

static void check_size(const char *function, const struct wf_iterator *upstream, size_t size)
{
    if (upstream->item_size != size)
        misuse("%s for items of %zu bytes stands on a source whose items have %zu.", function, size,
               upstream->item_size);
}

static int ask(struct wf_iterator *source, void *item)
{
    return source->class_->next(source, item);
}

static void close_source(struct wf_iterator *source)
{
    if (source != NULL && source->class_->close != NULL) source->class_->close(source);
}

static void close_upstream(struct wf_iterator *iterator)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    close_source(stage->upstream_);
    close_source(stage->second_);
}

static void adopt_upstream(struct wf_iterator *iterator, struct wf_task *task)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    wf_iterator_adopt_(stage->upstream_, task);
    wf_iterator_adopt_(stage->second_, task);
}

/* Ends early, for good. */
static int end(struct wf_stage *stage, int result)
{
    if (!stage->ended_) {
        stage->ended_ = true;
        stage->result_ = result;
        close_upstream(&stage->iterator);
    }
    return stage->result_;
}

static bool was_cut(int rc)
{
    return rc == -ECANCELED && wf_cancelled();
}

/* ---- Map, filter ---- */

static int map_next(struct wf_iterator *iterator, void *result)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    if (stage->ended_) return stage->result_;
    if (!stage->holds_) {
        int rc = ask(stage->upstream_, stage->item_);
        if (rc <= 0) return rc;
        stage->holds_ = true;
    }
    int rc = stage->call_.map(stage->item_, result);
    if (was_cut(rc)) return rc;
    stage->holds_ = false;
    return rc < 0 ? end(stage, rc) : 1;
}

void wf_map_(struct wf_stage *stage, struct wf_iterator *upstream, size_t in_size, void *item,
             int (*fn)(void *, void *), size_t out_size)
{
    static const struct wf_iterator_class class = {.next = map_next, .close = close_upstream, .adopt = adopt_upstream};
    check_size("WF_MAP", upstream, in_size);
    init(stage, &class, upstream, out_size);
    stage->item_ = item;
    stage->call_.map = fn;
}

static int filter_next(struct wf_iterator *iterator, void *item)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    int rc;
    do {
        rc = ask(stage->upstream_, item);
    } while (rc > 0 && !stage->call_.test(item));
    return rc;
}

void wf_filter_(struct wf_stage *stage, struct wf_iterator *upstream, size_t size, bool (*fn)(const void *))
{
    static const struct wf_iterator_class class = {.next = filter_next,
                                                   .close = close_upstream,
                                                   .adopt = adopt_upstream};
    check_size("WF_FILTER", upstream, size);
    init(stage, &class, upstream, size);
    stage->call_.test = fn;
}

/* ---- The first, and the others ---- */

static int take_while_next(struct wf_iterator *iterator, void *item)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    if (stage->ended_) return stage->result_;
    int rc = ask(stage->upstream_, item);
    return rc <= 0 || stage->call_.test(item) ? rc : end(stage, 0);
}

void wf_take_while_(struct wf_stage *stage, struct wf_iterator *upstream, size_t size, bool (*fn)(const void *))
{
    static const struct wf_iterator_class class = {.next = take_while_next,
                                                   .close = close_upstream,
                                                   .adopt = adopt_upstream};
    check_size("WF_TAKE_WHILE", upstream, size);
    init(stage, &class, upstream, size);
    stage->call_.test = fn;
}

static int take_next(struct wf_iterator *iterator, void *item)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    if (stage->number_ >= stage->limit_) return end(stage, 0);
    int rc = ask(stage->upstream_, item);
    if (rc > 0) stage->number_++;
    return rc;
}

void wf_take_(struct wf_stage *stage, struct wf_iterator *upstream, int64_t count)
{
    static const struct wf_iterator_class class = {.next = take_next, .close = close_upstream, .adopt = adopt_upstream};
    init(stage, &class, upstream, upstream->item_size);
    stage->limit_ = count;
}

static int skip_next(struct wf_iterator *iterator, void *item)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    while (stage->number_ < stage->limit_) {
        int rc = ask(stage->upstream_, item);
        if (rc <= 0) return rc;
        stage->number_++;
    }
    return ask(stage->upstream_, item);
}

void wf_skip_(struct wf_stage *stage, struct wf_iterator *upstream, int64_t count)
{
    static const struct wf_iterator_class class = {.next = skip_next, .close = close_upstream, .adopt = adopt_upstream};
    init(stage, &class, upstream, upstream->item_size);
    stage->limit_ = count;
}

static int enumerate_next(struct wf_iterator *iterator, void *item)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    int rc = ask(stage->upstream_, item);
    if (rc > 0) stage->number_++;
    return rc;
}

void wf_enumerate_(struct wf_stage *stage, struct wf_iterator *upstream)
{
    static const struct wf_iterator_class class = {.next = enumerate_next,
                                                   .close = close_upstream,
                                                   .adopt = adopt_upstream};
    init(stage, &class, upstream, upstream->item_size);
}

/* ---- Several as one ---- */

static int batch_next(struct wf_iterator *iterator, void *item)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    int rc = 1;
    while (stage->number_ < stage->limit_) {
        char *place = (char *)stage->item_ + (size_t)stage->number_ * stage->upstream_->item_size;
        rc = ask(stage->upstream_, place);
        if (rc <= 0) break;
        stage->number_++;
    }
    bool some = stage->number_ > 0 && (rc == 0 || !(was_cut(rc) || rc == -ETIME)); /* what came before an error, too */
    if (rc <= 0 && !some) return rc;
    *(struct wf_batch *)item = (struct wf_batch){.items = stage->item_, .count = (size_t)stage->number_};
    stage->number_ = 0;
    return 1;
}

void wf_batch_(struct wf_stage *stage, struct wf_iterator *upstream, size_t in_size, void *items, size_t count)
{
    static const struct wf_iterator_class class = {.next = batch_next,
                                                   .close = close_upstream,
                                                   .adopt = adopt_upstream};
    check_size("WF_BATCH", upstream, in_size);
    init(stage, &class, upstream, sizeof(struct wf_batch));
    stage->item_ = items;
    stage->limit_ = (int64_t)count;
}

static int zip_next(struct wf_iterator *iterator, void *pair)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    if (stage->ended_) return stage->result_;
    if (!stage->holds_) {
        int rc = ask(stage->upstream_, (char *)stage->item_ + stage->first_at_);
        if (rc <= 0) return rc < 0 ? rc : end(stage, 0);
        stage->holds_ = true;
    }
    int rc = ask(stage->second_, (char *)stage->item_ + stage->second_at_);
    if (rc <= 0) return rc < 0 ? rc : end(stage, 0);
    stage->holds_ = false;
    memcpy(pair, stage->item_, iterator->item_size);
    return 1;
}

void wf_zip_(struct wf_stage *stage, struct wf_iterator *one, size_t one_size, size_t one_at, struct wf_iterator *other,
             size_t other_size, size_t other_at, void *pair, size_t pair_size)
{
    static const struct wf_iterator_class class = {.next = zip_next, .close = close_upstream, .adopt = adopt_upstream};
    check_size("WF_ZIP", one, one_size);
    check_size("WF_ZIP", other, other_size);
    init(stage, &class, one, pair_size);
    stage->second_ = other;
    stage->item_ = pair;
    stage->first_at_ = one_at;
    stage->second_at_ = other_at;
}

/* ---- Time ---- */

static int each_within_next(struct wf_iterator *iterator, void *item)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    return wf_within(stage->limit_, ask(stage->upstream_, item));
}

void wf_each_within_(struct wf_stage *stage, struct wf_iterator *upstream, int64_t duration_ns)
{
    static const struct wf_iterator_class class = {.next = each_within_next,
                                                   .close = close_upstream,
                                                   .adopt = adopt_upstream};
    init(stage, &class, upstream, upstream->item_size);
    stage->limit_ = duration_ns;
}

static int throttle_next(struct wf_iterator *iterator, void *item)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    int rc = stage->due_ > wf_now() ? wf_sleep_until(stage->due_) : 0;
    if (rc == 0) rc = ask(stage->upstream_, item);
    if (rc > 0) stage->due_ = wf_deadline_after(stage->limit_);
    return rc;
}

void wf_throttle_(struct wf_stage *stage, struct wf_iterator *upstream, int64_t interval_ns)
{
    static const struct wf_iterator_class class = {.next = throttle_next,
                                                   .close = close_upstream,
                                                   .adopt = adopt_upstream};
    init(stage, &class, upstream, upstream->item_size);
    stage->limit_ = interval_ns;
}

/* due_: when it was declared. */
static int ticker_next(struct wf_iterator *iterator, void *item)
{
    struct wf_stage *stage = (struct wf_stage *)iterator;
    if (stage->limit_ <= 0) return -EINVAL;
    int64_t passed = (wf_now() - stage->due_) / stage->limit_; /* intervals that are over */
    if (passed - 1 > stage->number_) stage->number_ = passed - 1;
    int rc = wf_sleep_until(stage->due_ + (stage->number_ + 1) * stage->limit_);
    if (rc < 0) return rc;
    memcpy(item, &stage->number_, sizeof stage->number_);
    stage->number_++;
    return 1;
}

void wf_ticker_(struct wf_stage *stage, int64_t interval_ns)
{
    static const struct wf_iterator_class class = {.next = ticker_next};
    init(stage, &class, NULL, sizeof(int64_t));
    stage->due_ = wf_now();
    stage->limit_ = interval_ns;
}
