/* What a pool says of itself: numbers, and who has not given back. */
#include <stdio.h>

#include "flow/pool.h"

enum { LINES_SHOWN = 10, TEXT_MAX = 2048 };

struct text {
    char bytes[TEXT_MAX];
    size_t size;
};

static void WF_PRINTF_(2, 3) add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = sizeof text->bytes - text->size;
    int more = vsnprintf(text->bytes + text->size, room, format, arguments);
    va_end(arguments);
    if (more > 0) text->size += (size_t)more < room ? (size_t)more : room - 1;
}

void pool_report_lent(const struct wf_pool *pool, const char *what)
{
    const struct slot_list *lent = &pool->slots[SLOT_LENT];
    int shown = 0;
    int64_t now = loop_now(pool->loop);
    struct text text;
    text.size = 0;
    add(&text, "task '%.60s' %s the pool '%.60s' (made at %.80s) while %d of its resources were lent",
        pool->loop->running != NULL ? pool->loop->running->name : "", what, pool->options.name, pool->options.place_,
        lent->count);
    int others = slots_in_use(pool) - lent->count;
    if (others > 0) add(&text, ", and %d were being opened, checked or reset", others);
    for (const struct wf_pool_slot_ *slot = lent->first; slot != NULL && shown < LINES_SHOWN; slot = slot->next) {
        add(&text, "%s\n  task '%.60s' #%llu has had one for %.3g s, borrowed at %.80s", shown == 0 ? ":" : "",
            slot->holder->name, (unsigned long long)slot->holder->id, wf_seconds(now - slot->lent_at), slot->place);
        shown++;
    }
    if (lent->count > shown) add(&text, "\n  ... and %d more", lent->count - shown);
    wf_report("%s", text.bytes);
}

void wf_pool_statistics(const struct wf_pool *pool, struct wf_pool_statistics *statistics)
{
    *statistics = pool->statistics;
    statistics->idle = pool->slots[SLOT_IDLE].count;
    statistics->lent = pool->slots[SLOT_LENT].count;
    statistics->opening = pool->slots[SLOT_OPENING].count;
    statistics->caring = pool->slots[SLOT_CARING].count + pool->slots[SLOT_DIRTY].count;
    statistics->waiting = pool->waiting;
}
