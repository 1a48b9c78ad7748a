/*
 * The contract of each public function, one line for each, in the files tests/.../contract_test.c:
 *
 *     REFUSED(function, call)            may suspend: in a cancelled scope -ECANCELED at once, without side effects
 *     COMPLETES(function, call, code)    may suspend, and a cancel cannot cut it short: it goes on to its own end
 *     STAYS(function, statement)         never suspends
 *
 * tools/cancel_contract.py sees to it that every public function stands in exactly one of them, and in the right one.
 * Whether a call switched tasks is told by a sibling that is made runnable just before it: had anything else run, it
 * had too. What a call finds may matter, so some are called once more where others wait:
 *
 *     REFUSED_TOO(function, call)           as REFUSED, where it would have to wait otherwise, or would wake somebody
 *     WAKES(function, result, statement)    as STAYS, in a cancelled scope; a task waits for just that, and its wait,
 *                                           handed to went_on(), ends with that result, but later
 */
#ifndef TESTS_CONTRACT_H
#define TESTS_CONTRACT_H

#include <stdio.h>
#include <weft/testing.h>
#include <weft/weft.h>

static struct {
    struct wf_semaphore go;
    int turns;
} sibling;

static inline int run_when_told(void *unused)
{
    (void)unused;
    int rc;
    while ((rc = wf_semaphore_acquire(&sibling.go)) == 0) sibling.turns++;
    return rc;
}

/* The last of those who waited. */
static struct {
    struct wf_event gone;
    int result;
} waiter;

/* For a task that waits, with the result of that. */
static inline int went_on(int result)
{
    waiter.result = result;
    wf_event_set(&waiter.gone);
    return 0;
}

/* Spawns the sibling, which must be there before the first line. It ends with the scope. */
static inline void spawn_sibling(struct wf_scope *scope)
{
    sibling.go = (struct wf_semaphore)WF_SEMAPHORE(0);
    waiter.gone = (struct wf_event)WF_EVENT;
    wf_spawn(scope, run_when_told, NULL, .daemon = true);
    wf_yield();
}

/* How things stood before the call. */
static struct {
    size_t blocks;
    struct wf_statistics statistics;
    int turns;
} before;

/* Gives the other tasks, the sibling too, a turn; works in a cancelled scope. Out of line: its frame is large. */
static __attribute__((noinline)) void take_turns(void)
{
    wf_shielded(WF_FOREVER, wf_yield());
}

/* The budget is fresh after a turn, so that the call alone does not use it up. */
static inline void before_call(void)
{
    take_turns();
    before.blocks = wf_allocated_blocks();
    before.turns = sibling.turns;
    wf_loop_statistics(&before.statistics);
    wf_semaphore_release(&sibling.go);
}

static inline bool did_not_switch(const char *function)
{
    bool stayed = sibling.turns == before.turns;
    if (!stayed) printf("    %s switched to another task\n", function);
    take_turns();
    return stayed;
}

static inline bool did_nothing(const char *function)
{
    struct wf_statistics now;
    wf_loop_statistics(&now);
    const struct wf_statistics *then = &before.statistics;
    bool same = wf_allocated_blocks() == before.blocks && now.tasks_spawned == then->tasks_spawned &&
                now.operations_pending == then->operations_pending && now.timers_armed == then->timers_armed &&
                now.jobs_queued + now.jobs_running == then->jobs_queued + then->jobs_running;
    if (!same) printf("    %s left something behind\n", function);
    return did_not_switch(function) && same;
}

/* After an injection it may have gone on before. Out of line, as above. */
static __attribute__((noinline, unused)) bool woke_with(const char *function, int result)
{
    if (wf_test_injected()) return true;
    int rc = wf_shielded(WF_SECONDS(5), wf_event_wait(&waiter.gone));
    if (rc < 0) printf("    %s woke nobody\n", function);
    else if (waiter.result != result) printf("    %s woke the waiter with %d\n", function, waiter.result);
    wf_event_clear(&waiter.gone);
    return rc == 0 && waiter.result == result;
}

/* To be called in a cancelled scope. */
#define REFUSED(function, ...)                                                                                         \
    do {                                                                                                               \
        before_call();                                                                                                 \
        WF_EXPECT(wf_cancelled());                                                                                     \
        WF_EXPECT_CODE((__VA_ARGS__), -ECANCELED);                                                                     \
        WF_EXPECT(did_nothing(#function));                                                                             \
    } while (0)

#define REFUSED_TOO(function, ...) REFUSED(function, __VA_ARGS__)

/* The scope is cancelled by then, at the latest by the call itself. */
#define COMPLETES(function, call, code)                                                                                \
    do {                                                                                                               \
        WF_EXPECT_CODE((call), (code));                                                                                \
        WF_EXPECT(wf_cancelled());                                                                                     \
    } while (0)

#define STAYS(function, ...)                                                                                           \
    do {                                                                                                               \
        before_call();                                                                                                 \
        __VA_ARGS__;                                                                                                   \
        WF_EXPECT(did_not_switch(#function));                                                                          \
    } while (0)

#define WAKES(function, result, ...)                                                                                   \
    do {                                                                                                               \
        before_call();                                                                                                 \
        WF_EXPECT(wf_cancelled());                                                                                     \
        __VA_ARGS__;                                                                                                   \
        WF_EXPECT(did_not_switch(#function));                                                                          \
        WF_EXPECT(woke_with(#function, (result)));                                                                     \
    } while (0)

#endif
