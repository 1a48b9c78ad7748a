/* A pool as a whole: made, closed, waited for, freed. */
#include <stdio.h>
#include <string.h>
#include <weft/task.h>

#include "base/memory.h"
#include "flow/pool.h"
#include "observe/event.h"

enum { MAX_DEFAULT = 10, MAX_MOST = 65536, WAITING_DEFAULT = 10000 };

/* ---- Options ---- */

static const char *complaint(const struct wf_pool_options *options)
{
    if (options->size != sizeof *options) return "these options are of another version of weft";
    if (options->open == NULL || options->close == NULL) return "it needs .open and .close";
    if (options->min < 0 || options->max < 0 || options->waiting_max < 0) return "a negative number";
    if (options->max > MAX_MOST) return "a .max above 65536";
    if (options->min > (options->max > 0 ? options->max : MAX_DEFAULT)) return "a .min above .max";
    if (options->idle < 0 || options->lifetime < 0 || options->care < 0) return "a negative duration";
    if (options->check_after < WF_POOL_ALWAYS) return "a negative .check_after that is not WF_POOL_ALWAYS";
    if ((unsigned)options->order > WF_POOL_FIFO) return "an .order that is none of those there are";
    return NULL;
}

static int64_t duration_or(int64_t duration, int64_t otherwise)
{
    return duration != 0 ? duration : otherwise;
}

static struct wf_pool_options with_defaults(const struct wf_pool_options *given, char *name)
{
    struct wf_pool_options options = *given;
    options.name = name;
    if (options.max == 0) options.max = MAX_DEFAULT;
    if (options.waiting_max == 0) options.waiting_max = WAITING_DEFAULT;
    options.idle = duration_or(options.idle, WF_MINUTES(10));
    options.lifetime = duration_or(options.lifetime, WF_MINUTES(30));
    options.check_after = duration_or(options.check_after, WF_SECONDS(1));
    options.care = duration_or(options.care, WF_SECONDS(5));
    return options;
}

/* ---- Making ---- */

static void add_slots(struct wf_pool *pool, int count)
{
    struct slot_list *free = &pool->slots[SLOT_FREE];
    for (int i = 0; i < count; i++) {
        pool->all[i] = (struct wf_pool_slot_){.pool = pool, .prev = free->last, .state = SLOT_FREE};
        if (free->last != NULL) free->last->next = &pool->all[i];
        else free->first = &pool->all[i];
        free->last = &pool->all[i];
    }
    free->count = count;
}

/* With the slots behind it, and the name behind these. */
static struct wf_pool *make(struct loop *loop, const struct wf_pool_options *given, const char *name)
{
    int max = given->max > 0 ? given->max : MAX_DEFAULT;
    size_t slots_size = (size_t)max * sizeof(struct wf_pool_slot_), name_size = strlen(name) + 1;
    struct wf_pool *pool = memory_alloc(sizeof *pool + slots_size + name_size);
    if (pool == NULL) return NULL;
    char *own_name = memcpy((char *)(pool + 1) + slots_size, name, name_size);
    *pool = (struct wf_pool){.options = with_defaults(given, own_name),
                             .loop = loop,
                             .work = WF_EVENT,
                             .keeper_due = WF_FOREVER,
                             .users = 1};
    pool->gauges[SLOT_LENT] = event_pool_gauge(own_name, true);
    pool->gauges[SLOT_IDLE] = pool->gauges[SLOT_DIRTY] = event_pool_gauge(own_name, false);
    add_slots(pool, max);
    return pool;
}

static int spawn_keeper(struct wf_pool *pool)
{
    const struct wf_spawn_options options = {
        .size = sizeof options,
        .arg_ = pool,
        .name = pool->options.name,
        .daemon = true,
        .function_ = "pool_keep",
        .place_ = pool->options.place_,
    };
    return wf_try_spawn_(pool->options.scope_, WF_TASK_FN_(pool_keep, pool), &options);
}

int wf_pool_create_(struct wf_pool **pool, const struct wf_pool_options *options)
{
    struct loop *loop = LOOP_HERE();
    *pool = NULL;
    const char *what = complaint(options), *name = options->name != NULL ? options->name : "pool";
    if (what != NULL) return wf_fail(-EINVAL, "%s: %s", options->size == sizeof *options ? name : "pool", what);
    struct wf_pool *made = make(loop, options, name);
    if (made == NULL) return -ENOMEM;
    int rc = spawn_keeper(made);
    if (rc < 0) memory_free(made);
    else *pool = made;
    return rc;
}

/* ---- Closing ---- */

void pool_hold(struct wf_pool *pool)
{
    pool->users++;
}

static bool is_empty(const struct wf_pool *pool)
{
    return slots_in_use(pool) == 0;
}

void pool_let_go(struct wf_pool *pool)
{
    if (--pool->users == 0 && __builtin_expect(pool->destroyed, 0) && is_empty(pool)) memory_free(pool);
}

void pool_look_empty(struct wf_pool *pool)
{
    if (!is_empty(pool)) return;
    while (queue_grant(&pool->drainers, 0)) {}
}

static void close_all(struct wf_pool *pool, enum slot_state state)
{
    while (pool->slots[state].first != NULL) slot_retire(pool->slots[state].first, WF_POOL_SHUTDOWN, 0);
}

void pool_shut(struct wf_pool *pool)
{
    if (pool->closed) return;
    pool->closed = true;
    pool_refuse_waiters(pool);
    while (queue_grant(&pool->warmers, -ESHUTDOWN)) {}
    close_all(pool, SLOT_IDLE);
    close_all(pool, SLOT_DIRTY);
    wf_event_set(&pool->work);
    if (pool->care != NULL) wf_scope_cancel(pool->care, "the pool was closed");
}

static bool holds_one(const struct wf_pool *pool, const struct wf_task *task)
{
    for (const struct wf_pool_slot_ *slot = pool->slots[SLOT_LENT].first; slot != NULL; slot = slot->next)
        if (slot->holder == task) return true;
    return false;
}

static const struct wait_class drain_class = {.name = "a pool to be given back", .cancel = queue_cancel};

int wf_pool_drain(struct wf_pool *pool)
{
    struct loop *loop = LOOP_HERE();
    int rc = wait_check(false);
    if (rc < 0) return rc;
    if (holds_one(pool, loop->running))
        return (int)wait_skipped(wf_fail(-EDEADLK, "%s: who drains the pool holds a lease of it", pool->options.name));
    pool_hold(pool);
    pool_shut(pool);
    rc = is_empty(pool) ? (int)wait_skipped(0) : (int)queue_wait(&pool->drainers, &drain_class);
    if (rc < 0 && !is_empty(pool)) pool_report_lent(pool, "gave up draining");
    pool_let_go(pool);
    return rc;
}

void wf_pool_destroy(struct wf_pool *pool)
{
    if (pool == NULL) return;
    pool_hold(pool);
    pool->destroyed = true;
    pool_shut(pool);
    if (pool->slots[SLOT_LENT].count > 0) pool_report_lent(pool, "destroyed");
    pool_let_go(pool);
}
