/* What a pool says of itself: numbers, and who has not given back. */
#include "base/text.h"
#include "flow/pool.h"

enum { LINES_SHOWN = 10, TEXT_MAX = 2048 };

void pool_report_lent(const struct wf_pool *pool, const char *what)
{
    const struct slot_list *lent = &pool->slots[SLOT_LENT];
    int shown = 0;
    int64_t now = loop_now(pool->loop);
    char bytes[TEXT_MAX];
    struct text text = {.bytes = bytes, .room = sizeof bytes};
    text_add(&text, "task '%.60s' %s the pool '%.60s' (made at %.80s) while %d of its resources were lent",
             pool->loop->running != NULL ? pool->loop->running->name : "", what, pool->options.name,
             pool->options.place_, lent->count);
    int others = slots_in_use(pool) - lent->count;
    if (others > 0) text_add(&text, ", and %d were being opened, checked or reset", others);
    for (const struct wf_pool_slot_ *slot = lent->first; slot != NULL && shown < LINES_SHOWN; slot = slot->next) {
        text_add(&text, "%s\n  task '%.60s' #%llu has had one for %.3g s, borrowed at %.80s", shown == 0 ? ":" : "",
                 slot->holder->name, (unsigned long long)slot->holder->id, wf_seconds(now - slot->lent_at),
                 slot->place);
        shown++;
    }
    if (lent->count > shown) text_add(&text, "\n  ... and %d more", lent->count - shown);
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
