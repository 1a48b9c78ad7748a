/*
 * A wait, what it waits for, and a cancel, all in one pass of the loop, both ways round:
 *
 *     waiter:  prepare() .. [guard: wait() ------------------------------> outcome] .. next call in the guard
 *     test:                          make_ready(), then cancel the guard     (ready first)
 *                                    or the other way round                  (cancel first)
 *
 * A wait on other tasks has one right outcome for each order. A wait on the kernel has two, because the kernel has the
 * last word. In any case it is exactly one of them, and `after` finds nothing lost.
 */
#ifndef TESTS_RACE_H
#define TESTS_RACE_H

#include <stdio.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct race {
    const struct wait_kind *kind;
    struct wf_scope *guard;   /* around the call of the waiter: this is what is cancelled */
    struct wf_scope *scope;   /* for other children */
    struct wf_scope *limited; /* the same, one at a time */
    int64_t outcome, next;    /* of the wait, and of the next call in the guard */
    struct wf_event go;
    struct wf_mutex mutex;
    struct wf_semaphore permits;
    struct wf_handle target, other;
    struct wf_stream *reader, *writer;
    struct wf_listener *listener;
    struct wf_file *file;
    size_t capacity;
    int count;
    bool waiting; /* the call has not returned */
    char byte;
};

struct wait_kind {
    const char *name;
    int64_t value;                      /* what the wait gives when it is not cancelled */
    bool cancels_limited;               /* in place of the guard */
    bool kernel;                        /* it has the last word: either outcome is right */
    bool real;                          /* needs the real world */
    bool (*prepare)(struct race *race); /* gives whether it could */
    int64_t (*wait)(struct race *race);
    int (*waiter)(struct race *race); /* instead of wait_guarded: calls guarded() itself */
    void (*make_ready)(struct race *race);
    void (*after)(struct race *race); /* nothing was lost, nothing is left */
};

static inline bool simulated(void)
{
    return strcmp(wf_driver_name(), "sim") == 0;
}

/* The wait under a guard of its own; the call after it tells whether the cancel is felt from then on. */
static inline void guarded(struct race *race)
{
    WF_SCOPE(guard);
    race->guard = &guard;
    race->waiting = true;
    race->outcome = race->kind->wait(race);
    race->waiting = false;
    race->next = wf_yield();
    wf_scope_end(&guard, 0);
    race->guard = NULL;
}

static inline int wait_guarded(struct race *race)
{
    guarded(race);
    return 0;
}

static inline void judge(const struct race *race, bool ready_first)
{
    if (race->kind->kernel && race->outcome != -ECANCELED) WF_EXPECT_CODE(race->outcome, race->kind->value);
    if (!race->kind->kernel) WF_EXPECT_CODE(race->outcome, ready_first ? race->kind->value : -ECANCELED);
}

/* One of them, after so many turns of the waiter. A wait on the kernel may be over before the cancel. */
static inline void collide(const struct wait_kind *kind, bool ready_first, int turns)
{
    struct race race = {.kind = kind, .mutex = WF_MUTEX, .go = WF_EVENT, .permits = WF_SEMAPHORE(0)};
    struct wf_handle waiter = {.result_ = 0};
    WF_SCOPE(scope, .policy = WF_COLLECT);
    WF_SCOPE(limited, .policy = WF_COLLECT, .limit = 1);
    race.scope = &scope;
    race.limited = &limited;
    WF_SCOPE(shield, .shield = true, .timeout = WF_SECONDS(5));
    if (kind->prepare != NULL && !kind->prepare(&race)) return;
    wf_spawn(&scope, kind->waiter != NULL ? kind->waiter : wait_guarded, &race, .handle = &waiter);
    for (int i = 0; i < turns; i++) wf_yield();
    if (kind->kernel && turns % 3 == 2) wf_sleep(WF_MICROSECONDS(turns)); /* now the kernel knows of it */
    if (ready_first && kind->make_ready != NULL) kind->make_ready(&race);
    struct wf_scope *victim = kind->cancels_limited ? &limited : race.guard;
    bool must_feel_it = race.waiting && !kind->cancels_limited;
    if (victim != NULL) wf_scope_cancel(victim, "in the same pass");
    if (!ready_first && kind->make_ready != NULL) kind->make_ready(&race);
    WF_EXPECT_CODE(wf_handle_join(&waiter), 0);
    judge(&race, ready_first);
    if (must_feel_it) WF_EXPECT_CODE(race.next, -ECANCELED);
    if (kind->after != NULL) kind->after(&race);
    WF_EXPECT_CODE(wf_scope_join(&shield), 0);
    wf_scope_cancel(&limited, "over");
    wf_scope_cancel(&scope, "over");
    wf_scope_join(&limited);
    wf_scope_join(&scope);
}

static inline void collide_all(const struct wait_kind *kinds, size_t count, bool ready_first, int turns)
{
    for (size_t i = 0; i < count && !wf_test_failed(); i++) {
        if (kinds[i].real && simulated()) continue;
        collide(&kinds[i], ready_first, turns);
        if (wf_test_failed()) printf("    in the wait for %s, after %d turns\n", kinds[i].name, turns);
    }
}

#endif
