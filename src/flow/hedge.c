/* Another source: after the first has failed, or beside it when it is slow. */
#include <weft/hedge.h>

#include <stdio.h>
#include <weft/sync.h>

#include "base/memory.h"
#include "core/loop.h"

/* ---- Fallback ---- */

bool wf_fallback_begin_(struct wf_fallback_ *fallback, int code)
{
    struct loop *loop = LOOP_HERE();
    if (loop->running->current->flags & NODE_CANCELLED) return false;
    snprintf(fallback->said, sizeof fallback->said, "%s", failure_text(loop->running, code));
    return true;
}

int wf_fallback_failed_(const struct wf_fallback_ *fallback, int code)
{
    struct loop *loop = LOOP_HERE();
    if (code == -ECANCELED && (loop->running->current->flags & NODE_CANCELLED)) return code;
    return wf_fail(code, "%s; and the fallback: %s", fallback->said, failure_text(loop->running, code));
}

/* ---- Hedge ---- */

struct attempt {
    struct hedge *hedge;
    void *item;
    size_t index;
};

struct hedge {
    const struct wf_hedge_options *options;
    struct attempt *attempts;
    size_t count, started, under_way;
    size_t winner;
    struct wf_event idle; /* set while none is under way */
};

static int run_attempt(struct attempt *attempt)
{
    struct hedge *hedge = attempt->hedge;
    int rc = hedge->options->call_(attempt->item);
    if (rc >= 0 && hedge->winner == SIZE_MAX) hedge->winner = attempt->index;
    if (--hedge->under_way == 0) wf_event_set(&hedge->idle);
    return rc;
}

static int start_next(struct hedge *hedge, struct wf_scope *scope)
{
    const struct wf_hedge_options *options = hedge->options;
    struct wf_spawn_options spawn = {
        .size = sizeof spawn,
        .arg_ = &hedge->attempts[hedge->started],
        .name = options->name,
        .function_ = options->function_,
        .place_ = options->place_,
        .stack_size = options->stack_size,
    };
    int rc = wf_spawn_(scope, WF_TASK_FN_(run_attempt, hedge->attempts), &spawn);
    if (rc < 0) return rc;
    hedge->started++;
    hedge->under_way++;
    wf_event_clear(&hedge->idle);
    return 0;
}

/* A success cancels the scope, and so this loop. */
static int start_all(struct hedge *hedge, struct wf_scope *scope)
{
    int rc = start_next(hedge, scope);
    while (rc == 0 && hedge->started < hedge->count) {
        rc = wf_within(hedge->options->delay, wf_event_wait(&hedge->idle));
        if (rc == 0 || rc == -ETIME) rc = start_next(hedge, scope);
    }
    return rc;
}

static int run_hedge(struct hedge *hedge)
{
    WF_SCOPE(scope, .policy = WF_FIRST_SUCCESS, .name = hedge->options->function_);
    int rc = start_all(hedge, &scope);
    return wf_scope_end(&scope, rc == -ECANCELED ? rc : 0); /* a spawn that failed is in the scope's list */
}

int wf_hedge_(void *items, size_t count, size_t item_size, const struct wf_hedge_options *options)
{
    (void)LOOP_HERE();
    size_t size;
    if (options->size != sizeof *options || items == NULL || count == 0 || options->delay <= 0) return -EINVAL;
    if (__builtin_mul_overflow(count, sizeof(struct attempt), &size)) return -EINVAL;
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct hedge hedge = {.options = options, .count = count, .winner = SIZE_MAX, .attempts = memory_alloc(size)};
    if (hedge.attempts == NULL) return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        hedge.attempts[i] = (struct attempt){.hedge = &hedge, .item = (char *)items + i * item_size, .index = i};
    rc = run_hedge(&hedge);
    if (rc >= 0 && options->winner != NULL) *options->winner = hedge.winner;
    if (options->started != NULL) *options->started = hedge.started;
    memory_free(hedge.attempts);
    return rc;
}
