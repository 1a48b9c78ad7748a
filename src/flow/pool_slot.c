/* What becomes of a slot of a pool: the transitions of pool.h, and who gets what is free. */
#include <assert.h>
#include <weft/metrics.h>

#include "flow/pool.h"
#include "observe/event.h"

/* ---- States ---- */

static void list_append(struct slot_list *list, struct wf_pool_slot_ *slot)
{
    slot->next = NULL;
    slot->prev = list->last;
    if (list->last != NULL) list->last->next = slot;
    else list->first = slot;
    list->last = slot;
    list->count++;
}

static void list_remove(struct slot_list *list, struct wf_pool_slot_ *slot)
{
    if (slot->next != NULL) slot->next->prev = slot->prev;
    else list->last = slot->prev;
    if (slot->prev != NULL) slot->prev->next = slot->next;
    else list->first = slot->next;
    list->count--;
}

enum { TO_FREE = 1 << SLOT_FREE, TO_OPENING = 1 << SLOT_OPENING, TO_CARING = 1 << SLOT_CARING };
enum { TO_IDLE = 1 << SLOT_IDLE, TO_DIRTY = 1 << SLOT_DIRTY, TO_LENT = 1 << SLOT_LENT };

static const uint8_t allowed[SLOT_STATES] = {
    [SLOT_FREE] = TO_OPENING,
    [SLOT_OPENING] = TO_CARING | TO_FREE,
    [SLOT_CARING] = TO_LENT | TO_IDLE | TO_DIRTY | TO_OPENING,
    [SLOT_IDLE] = TO_LENT | TO_CARING | TO_OPENING,
    [SLOT_DIRTY] = TO_CARING | TO_OPENING,
    [SLOT_LENT] = TO_LENT | TO_CARING | TO_IDLE | TO_DIRTY | TO_OPENING,
};

static void count(struct wf_gauge *gauge, int64_t amount)
{
    if (gauge != NULL) wf_gauge_add(gauge, amount);
}

void slot_move(struct wf_pool_slot_ *slot, enum slot_state state)
{
    struct slot_list *lists = slot->pool->slots;
    count(slot->pool->gauges[slot->state], -1);
    count(slot->pool->gauges[state], 1);
    assert(allowed[slot->state] & 1 << state);
    list_remove(&lists[slot->state], slot);
    list_append(&lists[state], slot);
    slot->state = (uint8_t)state;
}

static inline void raise_to(int *peak, int value)
{
    if (value > *peak) *peak = value;
}

/* ---- Opening and closing ---- */

struct wf_pool_slot_ *slot_reserve(struct wf_pool *pool)
{
    struct wf_pool_slot_ *slot = pool->slots[SLOT_FREE].first;
    if (slot == NULL) return NULL;
    slot_move(slot, SLOT_OPENING);
    raise_to(&pool->statistics.open_peak, slots_in_use(pool));
    return slot;
}

/* Anything from nine tenths of the lifetime to all of it. */
static int64_t some_lifetime(const struct wf_pool *pool)
{
    int64_t lifetime = pool->options.lifetime;
    if (lifetime == WF_FOREVER) return lifetime;
    uint64_t random;
    pool->loop->driver->random(pool->loop, &random, sizeof random);
    return lifetime - (int64_t)(random % ((uint64_t)lifetime / 10 + 1));
}

void slot_opened(struct wf_pool_slot_ *slot, void *resource)
{
    struct wf_pool *pool = slot->pool;
    slot->resource = resource;
    slot->expires = time_after(pool->loop->now, some_lifetime(pool));
    slot->dirty = false;
    pool->statistics.opened++;
    pool->open_failed = 0;
    slot_move(slot, SLOT_CARING);
    pool_look_warm(pool);
}

static const char *const losses[WF_POOL_LOSSES] = {
    [WF_POOL_IDLE] = "idle",           [WF_POOL_OLD] = "old",
    [WF_POOL_UNHEALTHY] = "unhealthy", [WF_POOL_UNRESET] = "unreset",
    [WF_POOL_DISCARDED] = "discarded", [WF_POOL_ABANDONED] = "abandoned",
    [WF_POOL_SHUTDOWN] = "shutdown",
};

/* What nobody else hears of: a borrower that discards knows why, and one that ends with a lease is reported. */
static bool is_news(enum wf_pool_loss loss)
{
    return loss == WF_POOL_UNHEALTHY || loss == WF_POOL_UNRESET;
}

/* The state first: whatever the callback does, the slot is what it will be. */
void slot_empty(struct wf_pool_slot_ *slot, enum wf_pool_loss loss, int code)
{
    struct wf_pool *pool = slot->pool;
    slot_move(slot, SLOT_OPENING);
    pool->statistics.closed[loss]++;
    pool->options.close(pool->options.context, slot->resource);
    event_pool_closed(pool->options.name, losses[loss], is_news(loss), code);
}

void slot_pass_on(struct wf_pool_slot_ *slot)
{
    struct wf_pool *pool = slot->pool;
    if (pool_grant(pool, slot, pool->loop->now)) return;
    slot_move(slot, SLOT_FREE);
    if (pool->closed) pool_look_empty(pool);
    else if (slots_in_use(pool) < pool->options.min) wf_event_set(&pool->work);
}

void slot_retire(struct wf_pool_slot_ *slot, enum wf_pool_loss loss, int code)
{
    slot_empty(slot, loss, code);
    slot_pass_on(slot);
}

/* ---- Lending ---- */

static void holder_ended(struct wf_end_hook_ *hook)
{
    struct wf_pool_slot_ *slot = (struct wf_pool_slot_ *)((char *)hook - offsetof(struct wf_pool_slot_, hook));
    struct wf_pool *pool = slot->pool;
    wf_report("task '%s' (spawned at %s) ended while it held a resource of the pool '%s', borrowed at %s. Nobody knows "
              "in what state it is, so it was closed. Give it back on every way out, or declare it by WF_BORROW.",
              slot->holder->name, slot->holder->place, pool->options.name, slot->place);
    pool_hold(pool);
    slot_retire(slot, WF_POOL_ABANDONED, 0);
    pool_let_go(pool);
}

void slot_lend(struct wf_pool_slot_ *slot, struct wf_task *task, const char *place, int64_t now)
{
    struct wf_pool *pool = slot->pool;
    slot_move(slot, SLOT_LENT);
    slot->holder = task;
    slot->place = place;
    slot->lent_at = now;
    slot->turn++;
    slot->dirty = pool->options.reset != NULL;
    slot->hook = (struct wf_end_hook_){.next = task->held, .run = holder_ended};
    task->held = &slot->hook;
    pool->statistics.borrowed++;
    raise_to(&pool->statistics.lent_peak, pool->slots[SLOT_LENT].count);
}

void slot_take_back(struct wf_pool_slot_ *slot)
{
    struct wf_end_hook_ **link = &slot->holder->held;
    while (*link != &slot->hook) link = &(*link)->next;
    *link = slot->hook.next;
}

/* ---- At rest ---- */

int64_t slot_due(const struct wf_pool_slot_ *slot)
{
    const struct wf_pool *pool = slot->pool;
    if (slots_in_use(pool) <= pool->options.min) return slot->expires;
    int64_t idle_until = time_after(slot->idle_since, pool->options.idle);
    return idle_until < slot->expires ? idle_until : slot->expires;
}

static void rest(struct wf_pool_slot_ *slot, int64_t now)
{
    slot->idle_since = now;
    slot_move(slot, SLOT_IDLE);
    int64_t due = slot_due(slot);
    if (__builtin_expect(due < slot->pool->keeper_due, 0)) pool_keeper_expect(slot->pool, due);
}

void slot_offer(struct wf_pool_slot_ *slot, int64_t now)
{
    struct wf_pool *pool = slot->pool;
    if (pool->closed) {
        slot_retire(slot, WF_POOL_SHUTDOWN, 0);
    } else if (slot->expires <= now) {
        slot_retire(slot, WF_POOL_OLD, 0);
    } else if (pool_grant(pool, slot, now)) {
        return;
    } else if (slot->dirty) {
        slot_move(slot, SLOT_DIRTY);
        wf_event_set(&pool->work);
    } else {
        rest(slot, now);
    }
}

int slot_refresh(struct wf_pool_slot_ *slot)
{
    const struct wf_pool_options *options = &slot->pool->options;
    bool dirty = slot->dirty;
    int (*look)(void *, void *) = dirty ? options->reset : options->check;
    int rc = wf_within(options->care, look(options->context, slot->resource));
    if (rc < 0) slot_empty(slot, dirty ? WF_POOL_UNRESET : WF_POOL_UNHEALTHY, rc);
    else slot->dirty = false;
    return rc;
}
