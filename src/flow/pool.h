/*
 * A pool inside: a slot for each resource that may exist.
 *
 *     from                        to           by             when
 *     free                        opening      slot_reserve   somebody is to open one
 *     opening                     caring       slot_opened    it was opened
 *     opening                     free         slot_pass_on   it was not, and nobody waits for the right to
 *     idle, dirty                 caring       who takes it   to check or to reset it
 *     caring, idle, lent          lent         slot_lend      to the next borrower
 *     lent                        caring       pool_grant     to the next borrower, who resets it first
 *     caring, lent                idle, dirty  slot_offer     nobody waits; dirty: it is to be reset
 *     caring, idle, dirty, lent   opening      slot_empty     it was closed
 *
 * Every transition goes through slot_move. A slot that is `opening` is a right to open one, and one that is `caring` is
 * in somebody's hands: of a borrower's task, or of a child of the keeper. Both are handed to the first borrower that
 * waits, when whoever has them does not use them. So while anybody waits, nothing is free, idle or dirty, and whoever
 * finds something there passes nobody by.
 */
#ifndef WEFT_FLOW_POOL_H
#define WEFT_FLOW_POOL_H

#include <weft/pool.h>
#include <weft/sync.h>

#include "core/loop.h"

enum slot_state {
    SLOT_FREE,
    SLOT_OPENING, /* a right to open: it holds nothing */
    SLOT_CARING,  /* holds one that is in somebody's hands */
    SLOT_IDLE,
    SLOT_DIRTY, /* given back, and not yet reset */
    SLOT_LENT,
    SLOT_STATES,
};

struct wf_pool_slot_ {
    struct wf_pool *pool;
    struct wf_pool_slot_ *next, *prev; /* of the same state, in the order of coming to it */
    void *resource;                    /* valid while caring, idle, dirty, lent */
    int64_t expires;                   /* with it */
    int64_t idle_since;                /* valid while idle */
    int64_t lent_at;                   /* valid while lent, as all below but `dirty` and `turn` */
    struct wf_task *holder;
    const char *place; /* of the borrowing call */
    struct wf_end_hook_ hook;
    uint64_t turn; /* how often it was lent */
    uint8_t state;
    bool dirty; /* was used since its last reset */
};

struct slot_list {
    struct wf_pool_slot_ *first, *last;
    int count;
};

struct wf_pool {
    struct wf_pool_options options; /* every default filled in; the name is ours */
    struct loop *loop;
    struct slot_list slots[SLOT_STATES];
    struct wf_queue_ waiters, warmers, drainers;
    struct wf_pool_statistics statistics; /* those that are counted, not looked up */
    struct wf_gauge *gauges[SLOT_STATES]; /* that count the slots in a state; NULL: not that one */
    int waiting;
    struct wf_event work;  /* something for the keeper to do */
    struct wf_scope *care; /* where its children run; NULL: it does not run yet, or no more */
    int64_t keeper_due;    /* when it looks again by itself */
    int64_t open_next;     /* it does not open before, because the last time failed */
    int open_failed;       /* so often in a row */
    uint32_t users;        /* the keeper, and calls that are under way */
    bool closed, destroyed;
    struct wf_pool_slot_ all[];
};

static inline int slots_in_use(const struct wf_pool *pool)
{
    return pool->options.max - pool->slots[SLOT_FREE].count;
}

/* The time after, without overflow. */
static inline int64_t time_after(int64_t time, int64_t duration)
{
    int64_t after;
    return __builtin_add_overflow(time, duration, &after) ? WF_FOREVER : after;
}

/* ---- pool_slot.c: what becomes of a slot ---- */

void slot_move(struct wf_pool_slot_ *slot, enum slot_state state);
/* A free slot becomes a right to open; NULL: none is free. */
struct wf_pool_slot_ *slot_reserve(struct wf_pool *pool);
/* The right was used: the slot is caring, and holds the resource. */
void slot_opened(struct wf_pool_slot_ *slot, void *resource);
/* Lends what is in somebody's hands, or idle, to a task. */
void slot_lend(struct wf_pool_slot_ *slot, struct wf_task *task, const char *place, int64_t now);
/* Its borrower is rid of it: it is to be offered or retired at once. */
void slot_take_back(struct wf_pool_slot_ *slot);
/* Closes what it holds; it is a right to open then. `code`: what went wrong, or 0. */
void slot_empty(struct wf_pool_slot_ *slot, enum wf_pool_loss loss, int code);
/* A right to open that is not used: goes to the first that waits, else the slot is free. */
void slot_pass_on(struct wf_pool_slot_ *slot);
/* What is good, and in somebody's hands or taken back: goes to the first that waits, else it is idle, or waits to be
 * reset. */
void slot_offer(struct wf_pool_slot_ *slot, int64_t now);
/* slot_empty, and slot_pass_on. */
void slot_retire(struct wf_pool_slot_ *slot, enum wf_pool_loss loss, int code);
/* Resets it where it is dirty, else checks it, within .care. A failure closes the resource: the slot is a right to
 * open then. Suspends. */
int slot_refresh(struct wf_pool_slot_ *slot);
/* When the keeper has to look at one that is idle. */
int64_t slot_due(const struct wf_pool_slot_ *slot);

/* ---- pool.c ---- */

/* Whoever uses the pool across something that may end it. The last one of a destroyed pool frees it. */
void pool_hold(struct wf_pool *pool);
void pool_let_go(struct wf_pool *pool);
/* No borrowing any more: refuses who waits, closes what is at rest, stops the keeper. */
void pool_shut(struct wf_pool *pool);
/* Everything that was under way has ended: lets those go on who drain. */
void pool_look_empty(struct wf_pool *pool);

/* ---- pool_borrow.c ---- */

/* Hands the slot to the first borrower that waits; false: nobody does. */
bool pool_grant(struct wf_pool *pool, struct wf_pool_slot_ *slot, int64_t now);
void pool_refuse_waiters(struct wf_pool *pool);

/* ---- pool_keep.c ---- */

/* The keeper, a daemon. */
int pool_keep(struct wf_pool *pool);
/* One came to lie idle, to be looked at by then. */
void pool_keeper_expect(struct wf_pool *pool, int64_t due);
/* .min of them are open, perhaps: lets those go on who wait for that. */
void pool_look_warm(struct wf_pool *pool);

/* ---- pool_report.c ---- */

/* Reports what is lent or in somebody's hands: who borrowed it, where, and since when. `what`: what the running task
 * did without waiting for it. */
void pool_report_lent(const struct wf_pool *pool, const char *what);

#endif
