/* The keeper of a pool: a daemon that opens what is missing, closes what is old, and has reset what was given back. */
#include <weft/task.h>

#include "flow/pool.h"
#include "observe/event.h"

enum { doublings_most = 9 }; /* 25.6 s */
static const int64_t backoff_first = WF_MILLISECONDS(100), backoff_longest = WF_SECONDS(30);

/* ---- Its children ---- */

/* Owner of a slot until it ends. */
static int try_spawn(struct wf_pool *pool, int (*fn)(struct wf_pool_slot_ *), const char *function,
                     struct wf_pool_slot_ *slot)
{
    const struct wf_spawn_options options = {
        .size = sizeof options,
        .arg_ = slot,
        .stack_size = pool->options.stack_size,
        .function_ = function,
        .place_ = pool->options.place_,
    };
    return wf_try_spawn_(pool->care, WF_TASK_FN_(fn, slot), &options);
}

static int reset_one(struct wf_pool_slot_ *slot)
{
    if (slot_refresh(slot) < 0) slot_pass_on(slot);
    else slot_offer(slot, slot->pool->loop->now);
    return 0;
}

/* Those that nobody has borrowed since they were given back. */
static void reset_dirty(struct wf_pool *pool)
{
    struct wf_pool_slot_ *slot;
    while ((slot = pool->slots[SLOT_DIRTY].first) != NULL) {
        slot_move(slot, SLOT_CARING);
        int rc = try_spawn(pool, reset_one, "reset_one", slot);
        if (rc < 0) slot_retire(slot, WF_POOL_UNRESET, rc);
    }
}

/* ---- Opening ---- */

static int64_t backoff(const struct wf_pool *pool)
{
    int doublings = pool->open_failed - 1;
    return doublings < doublings_most ? backoff_first << doublings : backoff_longest;
}

/* The message stands with the running task, if it stands anywhere. */
static void tell_warmers(struct wf_pool *pool, int rc)
{
    while (pool->warmers.first != NULL) {
        if (rc < 0) failure_move(pool->loop->running, pool->warmers.first->task, rc);
        queue_grant(&pool->warmers, rc);
    }
}

/* Of several that fail together, the first begins a wait, and the others are the same failure. */
static void note_failure(struct wf_pool *pool, int rc)
{
    int64_t now = loop_now(pool->loop);
    pool->statistics.open_failures++;
    if (pool->open_next <= now) {
        pool->open_failed++;
        int64_t wait = backoff(pool);
        pool->open_next = now + wait;
        event_pool_unopened(pool->options.name, wait, rc);
    }
    tell_warmers(pool, rc);
}

static int open_spare(struct wf_pool_slot_ *slot)
{
    struct wf_pool *pool = slot->pool;
    void *resource = NULL;
    int rc = wf_within(pool->options.care, pool->options.open(pool->options.context, &resource));
    if (rc >= 0) {
        slot_opened(slot, resource);
        slot_offer(slot, pool->loop->now);
        return 0;
    }
    if (rc != -ECANCELED || !wf_cancelled()) note_failure(pool, rc);
    slot_pass_on(slot);
    return 0;
}

static void open_missing(struct wf_pool *pool, int64_t now)
{
    while (slots_in_use(pool) < pool->options.min && pool->open_next <= now) {
        struct wf_pool_slot_ *slot = slot_reserve(pool);
        int rc = try_spawn(pool, open_spare, "open_spare", slot);
        if (rc == 0) continue;
        note_failure(pool, rc);
        slot_pass_on(slot);
    }
}

static bool is_warm(const struct wf_pool *pool)
{
    return slots_in_use(pool) - pool->slots[SLOT_OPENING].count >= pool->options.min;
}

void pool_look_warm(struct wf_pool *pool)
{
    if (__builtin_expect(pool->warmers.first != NULL, 0) && is_warm(pool)) tell_warmers(pool, 0);
}

/* ---- Closing ---- */

/* In the order of coming to rest, and of several that are idle for too long as many as are above the minimum. */
static void close_old(struct wf_pool *pool, int64_t now)
{
    struct wf_pool_slot_ *next;
    for (struct wf_pool_slot_ *slot = pool->slots[SLOT_IDLE].first; slot != NULL; slot = next) {
        next = slot->next;
        if (slot_due(slot) <= now) slot_retire(slot, slot->expires <= now ? WF_POOL_OLD : WF_POOL_IDLE, 0);
    }
}

/* ---- The keeper ---- */

static int64_t next_due(const struct wf_pool *pool)
{
    int64_t due = slots_in_use(pool) < pool->options.min ? pool->open_next : WF_FOREVER;
    for (const struct wf_pool_slot_ *slot = pool->slots[SLOT_IDLE].first; slot != NULL; slot = slot->next)
        if (slot_due(slot) < due) due = slot_due(slot);
    return due;
}

static int look_after(struct wf_pool *pool)
{
    wf_event_clear(&pool->work);
    int64_t now = loop_now(pool->loop);
    reset_dirty(pool);
    close_old(pool, now);
    open_missing(pool, now);
    pool->keeper_due = next_due(pool);
    int rc = wf_until(pool->keeper_due, wf_event_wait(&pool->work));
    return rc == -ETIME ? 0 : rc;
}

int pool_keep(struct wf_pool *pool)
{
    WF_SCOPE(care, .policy = WF_COLLECT, .name = "care");
    pool->care = &care;
    int rc = 0;
    while (rc == 0 && !pool->closed) rc = look_after(pool);
    pool_shut(pool);
    wf_ignore(wf_scope_end(&care, 0));
    pool->care = NULL;
    pool_let_go(pool);
    return 0;
}

void pool_keeper_expect(struct wf_pool *pool, int64_t due)
{
    pool->keeper_due = due;
    wf_event_set(&pool->work);
}

/* ---- Warming up ---- */

static const struct wait_class warm_class = {.name = "a pool to be warm", .cancel = queue_cancel};

int wf_pool_warm(struct wf_pool *pool)
{
    (void)LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (!pool->closed && is_warm(pool)) return (int)wait_skipped(0);
    pool_hold(pool);
    if (pool->closed) {
        rc = (int)wait_skipped(-ESHUTDOWN);
    } else {
        pool->open_next = 0;
        wf_event_set(&pool->work);
        rc = (int)queue_wait(&pool->warmers, &warm_class);
    }
    if (rc == -ESHUTDOWN && pool->closed) rc = wf_fail(rc, "%s: the pool is closed", pool->options.name);
    pool_let_go(pool);
    return rc;
}
