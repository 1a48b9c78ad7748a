/* Borrowing from a pool: what is idle, or the right to open, or a place in the queue. */
#include <weft/task.h>

#include "flow/pool.h"

/* ---- Waiting ---- */

/* One that waits, on its own stack. */
struct borrower {
    struct wf_wait wait;
    struct wf_pool_slot_ *slot; /* what it was handed */
    const char *place;
};

bool pool_grant(struct wf_pool *pool, struct wf_pool_slot_ *slot, int64_t now)
{
    struct borrower *first = (struct borrower *)pool->waiters.first;
    if (first == NULL) return false;
    pool->waiting--;
    first->slot = slot;
    bool holds_one = slot->state != SLOT_OPENING;
    if (holds_one && slot->dirty) slot_move(slot, SLOT_CARING);
    else if (holds_one) slot_lend(slot, first->wait.task, first->place, now);
    queue_grant(&pool->waiters, 0);
    return true;
}

void pool_refuse_waiters(struct wf_pool *pool)
{
    pool->waiting = 0;
    while (queue_grant(&pool->waiters, -ESHUTDOWN)) {}
}

static void wait_cancelled(struct wf_wait *wait, int code)
{
    struct wf_queue_ *queue = (struct wf_queue_ *)(uintptr_t)wait->object;
    struct wf_pool *pool = (struct wf_pool *)((char *)queue - offsetof(struct wf_pool, waiters));
    pool->waiting--;
    pool->statistics.cancelled++;
    queue_cancel(wait, code);
}

static const struct wait_class borrow_class = {.name = "a resource of a pool", .cancel = wait_cancelled};

static void count_wait(struct wf_pool *pool, int64_t waited)
{
    pool->statistics.wait_total_ns += waited;
    if (waited > pool->statistics.wait_longest_ns) pool->statistics.wait_longest_ns = waited;
}

/* NULL: it was handed nothing, the code says why. */
static struct wf_pool_slot_ *wait_for_slot(struct wf_pool *pool, const char *place, int *code)
{
    struct loop *loop = pool->loop;
    struct borrower borrower = {.wait = {.task = loop->running}, .place = place};
    int64_t since = loop->now;
    pool->statistics.waited++;
    if (++pool->waiting > pool->statistics.waiting_peak) pool->statistics.waiting_peak = pool->waiting;
    queue_append(&pool->waiters, &borrower.wait);
    *code = (int)suspend(&borrower.wait, &borrow_class, &pool->waiters);
    if (*code == 0) count_wait(pool, loop->now - since);
    return borrower.slot;
}

/* ---- Finding ---- */

static struct wf_pool_slot_ *next_idle(const struct wf_pool *pool)
{
    const struct slot_list *idle = &pool->slots[SLOT_IDLE];
    return pool->options.order == WF_POOL_FIFO ? idle->first : idle->last;
}

static bool needs_check(const struct wf_pool_slot_ *slot, int64_t now)
{
    const struct wf_pool_options *options = &slot->pool->options;
    if (options->check == NULL) return false;
    return options->check_after == WF_POOL_ALWAYS || now - slot->idle_since > options->check_after;
}

/* Into the caller's hands: to be lent, checked, reset or opened; NULL: there is nothing. */
static struct wf_pool_slot_ *take(struct wf_pool *pool)
{
    struct wf_pool_slot_ *slot = next_idle(pool);
    if (slot == NULL) slot = pool->slots[SLOT_DIRTY].last;
    if (slot == NULL) return slot_reserve(pool);
    slot_move(slot, SLOT_CARING);
    return slot;
}

static int refuse(struct wf_pool *pool)
{
    pool->statistics.refused++;
    return wf_fail(WF_EFULL, "%s: all %d are in use, and %d borrowers are waiting", pool->options.name,
                   pool->options.max, pool->waiting);
}

/* ---- Making ready, in the borrower's own task ---- */

static int refuse_closed(const struct wf_pool *pool)
{
    return wf_fail(-ESHUTDOWN, "%s: the pool is closed", pool->options.name);
}

static int give_up(struct wf_pool_slot_ *slot, int rc)
{
    slot_pass_on(slot);
    return rc;
}

static int open_one(struct wf_pool_slot_ *slot)
{
    struct wf_pool *pool = slot->pool;
    if (pool->closed) return give_up(slot, refuse_closed(pool));
    void *resource = NULL;
    int rc = pool->options.open(pool->options.context, &resource);
    if (rc < 0) {
        if (rc != -ECANCELED || !wf_cancelled()) pool->statistics.open_failures++;
        return give_up(slot, rc);
    }
    slot_opened(slot, resource);
    return 0;
}

/* It was idle for a while, or is dirty: should that not do, another one is opened. */
static int refresh_or_open(struct wf_pool_slot_ *slot)
{
    int rc = slot_refresh(slot);
    if (rc >= 0) return 0;
    if (rc == -ECANCELED && wf_cancelled()) return give_up(slot, rc);
    return open_one(slot);
}

static int make_ready(struct wf_pool_slot_ *slot, const char *place)
{
    struct wf_pool *pool = slot->pool;
    if (slot->state == SLOT_LENT) return 0;
    int rc = slot->state == SLOT_CARING ? refresh_or_open(slot) : open_one(slot);
    if (rc < 0) return rc;
    if (pool->closed) {
        slot_retire(slot, WF_POOL_SHUTDOWN, 0);
        return refuse_closed(pool);
    }
    slot_lend(slot, pool->loop->running, place, pool->loop->now);
    return 0;
}

/* NULL: nothing was found, the code says why. */
static struct wf_pool_slot_ *find(struct wf_pool *pool, const char *place, int *code)
{
    struct wf_pool_slot_ *slot = pool->closed ? NULL : take(pool);
    if (slot != NULL) return slot;
    if (pool->closed) *code = -ESHUTDOWN;
    else if (pool->waiting >= pool->options.waiting_max) *code = refuse(pool);
    else slot = wait_for_slot(pool, place, code);
    if (*code == -ESHUTDOWN) *code = refuse_closed(pool);
    return slot;
}

/* ---- The interface ---- */

static inline void fill(struct wf_lease *lease, struct wf_pool_slot_ *slot)
{
    lease->resource = slot->resource;
    lease->code = 0;
    lease->slot_ = slot;
    lease->turn_ = slot->turn;
}

static __attribute__((noinline)) int borrow_slowly(struct wf_pool *pool, struct wf_lease *lease, const char *place)
{
    int rc = 0;
    pool_hold(pool);
    struct wf_pool_slot_ *slot = find(pool, place, &rc);
    if (slot != NULL) rc = make_ready(slot, place);
    if (slot != NULL && rc == 0) fill(lease, slot);
    pool_let_go(pool);
    return lease->code = (int)wait_skipped(rc);
}

int wf_pool_acquire_(struct wf_pool *pool, struct wf_lease *lease, const char *place)
{
    struct loop *loop = LOOP_HERE();
    if (__builtin_expect(lease->slot_ != NULL, 0)) return (int)wait_refused(-EALREADY);
    int rc = wait_check_in(loop, false);
    if (__builtin_expect(rc < 0, 0)) return lease->code = rc;
    struct wf_pool_slot_ *slot = next_idle(pool);
    if (__builtin_expect(slot == NULL || needs_check(slot, loop->now), 0)) return borrow_slowly(pool, lease, place);
    slot_lend(slot, loop->running, place, loop->now);
    fill(lease, slot);
    return (int)wait_skipped_in(loop, 0);
}

/* Gives NULL for a lease that holds nothing (any more): it was given back, or taken away at the end of its task. */
static inline struct wf_pool_slot_ *hand_in(struct wf_lease *lease)
{
    struct wf_pool_slot_ *slot = lease->slot_;
    if (slot == NULL) return NULL;
    lease->slot_ = NULL;
    lease->resource = NULL;
    if (slot->state != SLOT_LENT || slot->turn != lease->turn_) return NULL;
    slot_take_back(slot);
    return slot;
}

int wf_pool_release(struct wf_lease *lease)
{
    struct loop *loop = LOOP_ALIVE();
    struct wf_pool_slot_ *slot = hand_in(lease);
    if (slot == NULL) return -EPERM;
    struct wf_pool *pool = slot->pool;
    pool_hold(pool);
    slot_offer(slot, loop->now);
    pool_let_go(pool);
    return 0;
}

int wf_pool_discard(struct wf_lease *lease)
{
    (void)LOOP_ALIVE();
    struct wf_pool_slot_ *slot = hand_in(lease);
    if (slot == NULL) return -EPERM;
    struct wf_pool *pool = slot->pool;
    pool_hold(pool);
    slot_retire(slot, WF_POOL_DISCARDED, 0);
    pool_let_go(pool);
    return 0;
}

void wf_lease_leave_(struct wf_lease *lease)
{
    if (lease->slot_ != NULL) wf_ignore(wf_pool_release(lease));
}
