/* Waits of tasks on each other that meet their cancel in one pass: race.h says what happens. */
#include <stdatomic.h>
#include <weft/sim.h>

#include "../race.h"

static int return_seven_when_told(struct race *race)
{
    int rc = wf_event_wait(&race->go);
    return rc < 0 ? rc : 7;
}

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

static int count_up(struct race *race)
{
    race->count++;
    return 0;
}

/* The child that was told ends, or says its word, before anyone who waits for it runs. */
static void tell_child(struct race *race)
{
    wf_event_set(&race->go);
    wf_yield();
}

/* ---- A mutex, a semaphore, an event ---- */

static bool hold_mutex(struct race *race)
{
    return WF_EXPECT_CODE(wf_mutex_lock(&race->mutex), 0);
}

static int64_t lock_mutex(struct race *race)
{
    int rc = wf_mutex_lock(&race->mutex);
    if (rc == 0) WF_EXPECT_CODE(wf_mutex_unlock(&race->mutex), 0);
    return rc;
}

static void unlock_mutex(struct race *race)
{
    WF_EXPECT_CODE(wf_mutex_unlock(&race->mutex), 0);
}

static void mutex_is_free(struct race *race)
{
    WF_INVARIANT(wf_mutex_try_lock(&race->mutex) == 0 && wf_mutex_unlock(&race->mutex) == 0);
}

static int64_t acquire_permit(struct race *race)
{
    return wf_semaphore_acquire(&race->permits);
}

static void release_permit(struct race *race)
{
    wf_semaphore_release(&race->permits);
}

static void permit_is_had_or_there(struct race *race)
{
    WF_EXPECT_INT((int64_t)wf_semaphore_available(&race->permits), race->outcome == 0 ? 0 : 1);
}

static int64_t wait_for_event(struct race *race)
{
    return wf_event_wait(&race->go);
}

static void set_event(struct race *race)
{
    wf_event_set(&race->go);
}

static void event_is_set(struct race *race)
{
    WF_EXPECT_CODE(wf_event_wait(&race->go), 0);
}

/* ---- The end of a child ---- */

static bool spawn_target(struct race *race)
{
    return WF_EXPECT_CODE(wf_spawn(race->scope, return_seven_when_told, race, .handle = &race->target), 0) &&
           WF_EXPECT_CODE(wf_spawn(race->scope, sleep_for_ever, NULL, .handle = &race->other), 0) &&
           WF_EXPECT_CODE(wf_yield(), 0);
}

static int64_t join_target(struct race *race)
{
    return wf_handle_join(&race->target);
}

static void target_ended(struct race *race)
{
    WF_EXPECT_CODE(wf_handle_join(&race->target), 7);
    WF_EXPECT(!wf_handle_done(&race->other));
}

static int64_t wait_for_any(struct race *race)
{
    struct wf_handle *both[] = {&race->other, &race->target};
    return wf_wait_handles(both, 2, WF_ANY_DONE);
}

static int64_t wait_for_all(struct race *race)
{
    struct wf_handle *one[] = {&race->target};
    return wf_wait_handles(one, 1, WF_ALL_DONE);
}

struct children {
    struct race *race;
    struct wf_scope *scope;
};

static struct children children;

static int64_t next_child(struct race *race)
{
    (void)race;
    struct wf_finished finished;
    return wf_scope_next(children.scope, &finished);
}

static int hand_out_own_child(struct race *race)
{
    struct wf_finished finished = {.result = 0};
    WF_SCOPE(own, .keep_finished = true);
    children.scope = &own;
    wf_spawn(&own, return_seven_when_told, race);
    guarded(race);
    if (race->outcome == -ECANCELED) WF_EXPECT_CODE(wf_scope_next(&own, &finished), 1);
    if (race->outcome == -ECANCELED) WF_EXPECT_CODE(finished.result, 7);
    WF_EXPECT_CODE(wf_scope_next(&own, &finished), 0);
    return wf_scope_join(&own);
}

/* ---- Room under a limit ---- */

static bool fill_limited(struct race *race)
{
    return WF_EXPECT_CODE(wf_spawn(race->limited, return_seven_when_told, race), 0) && WF_EXPECT_CODE(wf_yield(), 0);
}

static int64_t spawn_into_limited(struct race *race)
{
    return wf_spawn(race->limited, count_up, race);
}

static void room_is_used_or_there(struct race *race)
{
    for (int i = 0; i < 3; i++) wf_yield();
    WF_EXPECT_INT(race->count, race->outcome == 0 ? 1 : 0);
    WF_EXPECT_CODE(wf_try_spawn(race->limited, count_up, race), 0);
}

static void child_ran_or_never_was(struct race *race)
{
    for (int i = 0; i < 3; i++) wf_yield();
    WF_EXPECT_INT(race->count, race->outcome == 0 ? 1 : 0);
}

/* ---- A child's word that it is ready ---- */

static int say_ready_when_told(struct race *race)
{
    int rc = wf_event_wait(&race->go);
    if (rc < 0) return rc;
    wf_ready(3);
    return wf_sleep(WF_SECONDS(3600));
}

static int64_t spawn_and_wait(struct race *race)
{
    return wf_spawn_ready(race->limited, say_ready_when_told, race);
}

static void child_lives_or_never_was(struct race *race)
{
    WF_EXPECT_INT((int64_t)wf_scope_alive(race->limited), race->outcome == 3 ? 1 : 0);
}

static const struct wait_kind kinds[] = {
    {"a mutex", 0, .prepare = hold_mutex, .wait = lock_mutex, .make_ready = unlock_mutex, .after = mutex_is_free},
    {"a semaphore", 0, .wait = acquire_permit, .make_ready = release_permit, .after = permit_is_had_or_there},
    {"an event", 0, .wait = wait_for_event, .make_ready = set_event, .after = event_is_set},
    {"a handle", 7, .prepare = spawn_target, .wait = join_target, .make_ready = tell_child, .after = target_ended},
    {"any of two handles", 1, .prepare = spawn_target, .wait = wait_for_any, .make_ready = tell_child,
     .after = target_ended},
    {"all handles", 1, .prepare = spawn_target, .wait = wait_for_all, .make_ready = tell_child, .after = target_ended},
    {"the next child to end", 1, .wait = next_child, .waiter = hand_out_own_child, .make_ready = tell_child},
    {"room under a limit", 0, .prepare = fill_limited, .wait = spawn_into_limited, .make_ready = tell_child,
     .after = room_is_used_or_there},
    {"room in a scope that is cancelled", 0, .cancels_limited = true, .prepare = fill_limited,
     .wait = spawn_into_limited, .make_ready = tell_child, .after = child_ran_or_never_was},
    {"a child to be ready", 3, .wait = spawn_and_wait, .make_ready = tell_child, .after = child_lives_or_never_was},
};

WF_TEST(what_was_ready_first_is_delivered, .rule = "1.3 1.4 4.1")
{
    collide_all(kinds, WF_COUNT(kinds), true, 3);
}

WF_TEST(what_was_cancelled_first_did_not_happen, .rule = "1.3 1.4")
{
    collide_all(kinds, WF_COUNT(kinds), false, 3);
}

/* ---- A job on a thread ---- */

/* Static, because an abandoned job may outlive its caller's frame. */
static struct {
    atomic_bool ran;
    bool given; /* with its argument */
    int destroyed;
} job;

static int run_job(void *unused)
{
    (void)unused;
    atomic_store(&job.ran, true);
    return 5;
}

static void destroy_argument(void *unused)
{
    (void)unused;
    job.destroyed++;
}

static bool no_job_yet(struct race *race)
{
    (void)race;
    atomic_store(&job.ran, false);
    job.given = false;
    job.destroyed = 0;
    return true;
}

static int64_t offload(struct race *race)
{
    (void)race;
    return wf_offload(run_job, NULL);
}

static int64_t offload_abandon(struct race *race)
{
    (void)race;
    job.given = true;
    return wf_offload_abandon(run_job, NULL, destroy_argument);
}

/* Holds the loop, so that the job's end cannot be seen before the cancel that follows. */
static void let_job_run(struct race *race)
{
    if (simulated() || !race->waiting || wf_scope_cancelled(race->guard)) return;
    while (!atomic_load(&job.ran)) {}
}

static void job_ran_or_was_cancelled(struct race *race)
{
    WF_EXPECT(atomic_load(&job.ran) == (race->outcome == 5));
}

static void argument_is_destroyed_once(struct race *race)
{
    (void)race;
    while (job.given && job.destroyed == 0) wf_sleep(WF_MICROSECONDS(50));
    WF_INVARIANT(job.destroyed == (job.given ? 1 : 0));
}

static const struct wait_kind jobs[] = {
    {"a job", 5, .kernel = true, .prepare = no_job_yet, .wait = offload, .make_ready = let_job_run,
     .after = job_ran_or_was_cancelled},
    {"a job that may be abandoned", 5, .kernel = true, .prepare = no_job_yet, .wait = offload_abandon,
     .make_ready = let_job_run, .after = argument_is_destroyed_once},
};

WF_TEST(a_job_that_meets_its_cancel_has_run_or_never_will, .rule = "1.3 1.4 1.7 6.2")
{
    for (int turns = 0; turns < 40 && !wf_test_failed(); turns++)
        collide_all(jobs, WF_COUNT(jobs), turns % 2 == 0, turns % 5);
}

/* ---- A deadline in place of the cancel ---- */

struct sleeper {
    struct wf_scope *guard;
    int64_t until, deadline; /* 0: set later */
    int rc, next;
};

static int sleep_guarded(struct sleeper *sleeper)
{
    WF_SCOPE(guard, .deadline = sleeper->deadline);
    sleeper->guard = &guard;
    sleeper->rc = wf_sleep_until(sleeper->until);
    sleeper->next = wf_yield();
    return wf_scope_end(&guard, sleeper->rc);
}

static void expect_slept(const struct sleeper *sleeper, int result)
{
    WF_EXPECT_CODE(result, 0);
    WF_EXPECT_CODE(sleeper->rc, 0);
    WF_EXPECT_CODE(sleeper->next, -ECANCELED);
}

static void expect_expired(const struct sleeper *sleeper, int result)
{
    WF_EXPECT_CODE(result, -ETIME);
    WF_EXPECT_CODE(sleeper->rc, -ECANCELED);
    WF_EXPECT_CODE(sleeper->next, -ECANCELED);
}

/* Timers that are due at once fire in the order in which they were armed; in the simulated world in any order. */
WF_TEST(a_sleep_and_a_deadline_that_end_at_once_have_one_outcome, .rule = "1.3 1.4")
{
    struct wf_handle handle = {.result_ = 0};
    int64_t soon = wf_now() + WF_MILLISECONDS(2);
    struct sleeper sleeper = {.until = soon, .deadline = soon};
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, sleep_guarded, &sleeper, .handle = &handle);
    int rc = wf_handle_join(&handle);
    if (wf_simulated() && rc == 0) expect_slept(&sleeper, rc);
    else expect_expired(&sleeper, rc);

    sleeper = (struct sleeper){.until = wf_now() + WF_MILLISECONDS(2)};
    wf_spawn(&scope, sleep_guarded, &sleeper, .handle = &handle);
    wf_yield();
    if (sleeper.guard != NULL) wf_scope_set_deadline(sleeper.guard, sleeper.until);
    rc = wf_handle_join(&handle);
    if (wf_simulated() && rc < 0) expect_expired(&sleeper, rc);
    else expect_slept(&sleeper, rc);
    rc = wf_scope_join(&scope);
    WF_EXPECT(rc == -ETIME || (wf_simulated() && rc == 0));
}

static int acquire_under_deadline(struct race *race)
{
    WF_SCOPE(guard, .timeout = WF_MILLISECONDS(2));
    race->outcome = wf_semaphore_acquire(&race->permits);
    race->next = wf_sleep(WF_SECONDS(60));
    return wf_scope_end(&guard, (int)race->next);
}

/* real time: the deadline passes while the loop is held */
WF_TEST(a_permit_given_in_the_pass_in_which_the_deadline_passed_is_had, .rule = "1.3", .real = true)
{
    struct race race = {.permits = WF_SEMAPHORE(0)};
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, acquire_under_deadline, &race, .handle = &handle);
    int64_t late = wf_now() + WF_MILLISECONDS(4);
    wf_yield();
    while (wf_now() < late) {}
    wf_semaphore_release(&race.permits);
    WF_EXPECT_CODE(wf_handle_join(&handle), -ETIME);
    WF_EXPECT_CODE(race.outcome, 0);
    WF_EXPECT_CODE(race.next, -ECANCELED);
    WF_EXPECT_CODE(wf_scope_join(&scope), -ETIME);
}

WF_TEST_MAIN
