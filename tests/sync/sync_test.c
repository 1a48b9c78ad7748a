/* Rules 4.1 to 4.3: mutex, semaphore, event; 8.2: deadlock. */
#include <stdlib.h>
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>
#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

/* ---- Semaphore ---- */

struct crowd {
    struct wf_semaphore permits;
    int inside, peak, total;
};

static int pass_through(struct crowd *crowd)
{
    int rc = wf_semaphore_acquire(&crowd->permits);
    if (rc < 0) return rc;
    if (++crowd->inside > crowd->peak) crowd->peak = crowd->inside;
    rc = wf_sleep(WF_MILLISECONDS(1));
    crowd->inside--;
    crowd->total++;
    wf_semaphore_release(&crowd->permits);
    return rc;
}

/* S017 */
WF_TEST(a_semaphore_lets_in_exactly_its_count, .rule = "4.3")
{
    struct crowd crowd = {.permits = WF_SEMAPHORE(10)};
    WF_SCOPE(scope);
    for (int i = 0; i < 100; i++) wf_spawn(&scope, pass_through, &crowd);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(crowd.peak, 10);
    WF_EXPECT_INT(crowd.total, 100);
    WF_INVARIANT(crowd.peak <= 10 && crowd.inside == 0);
    WF_INVARIANT(wf_semaphore_available(&crowd.permits) == 10);
}

static char order[32];
static size_t order_size;

struct entrant {
    struct wf_semaphore *permits;
    char letter;
};

static int enter_in_order(struct entrant *entrant)
{
    int rc = wf_semaphore_acquire(entrant->permits);
    if (rc < 0) return rc;
    order[order_size++] = entrant->letter;
    wf_semaphore_release(entrant->permits);
    return 0;
}

WF_TEST(waiters_are_served_in_order_and_newcomers_do_not_barge, .rule = "4.1 4.2")
{
    order_size = 0;
    memset(order, 0, sizeof order);
    struct wf_semaphore permits = WF_SEMAPHORE(1);
    struct entrant a = {&permits, 'a'}, b = {&permits, 'b'}, c = {&permits, 'c'};
    WF_EXPECT_CODE(wf_semaphore_try_acquire(&permits), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, enter_in_order, &a);
    wf_spawn(&scope, enter_in_order, &b);
    wf_yield();
    wf_spawn(&scope, enter_in_order, &c);
    wf_semaphore_release(&permits);
    if (!WF_EXPECT_CODE(wf_semaphore_try_acquire(&permits), -EAGAIN)) wf_semaphore_release(&permits);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(order, "abc");
    WF_INVARIANT(wf_semaphore_available(&permits) == 1);
}

WF_TEST(a_failure_cancels_those_who_queue_for_a_permit, .rule = "1.4")
{
    struct wf_semaphore permits = WF_SEMAPHORE(0);
    struct entrant a = {&permits, 'a'};
    WF_SCOPE(scope);
    for (int i = 0; i < 5; i++) wf_spawn(&scope, enter_in_order, &a);
    wf_yield();
    WF_EXPECT_CODE(wf_scope_end(&scope, -EIO), -EIO);
    wf_semaphore_release(&permits);
    WF_INVARIANT(wf_semaphore_available(&permits) == 1);
}

WF_TEST(a_semaphore_cannot_have_more_permits_than_it_can_count)
{
    struct wf_semaphore permits = WF_SEMAPHORE(SIZE_MAX - 1);
    WF_EXPECT_CODE(wf_semaphore_release(&permits), 0);
    WF_EXPECT_CODE(wf_semaphore_release(&permits), -EOVERFLOW);
    WF_EXPECT(wf_semaphore_available(&permits) == SIZE_MAX);
}

WF_TEST(a_semaphore_counts_who_waits_and_who_got_through, .sweep = true)
{
    struct wf_semaphore permits = WF_SEMAPHORE(1);
    struct entrant a = {&permits, 'a'};
    order_size = 0;
    WF_EXPECT_CODE(wf_semaphore_try_acquire(&permits), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, enter_in_order, &a);
    wf_yield();
    struct wf_sync_statistics now;
    wf_semaphore_statistics(&permits, &now);
    WF_EXPECT_INT((int64_t)now.waiting, 1);
    WF_EXPECT_INT((int64_t)now.passed, 1);
    wf_semaphore_release(&permits);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_semaphore_statistics(&permits, &now);
    WF_INVARIANT(now.waiting == 0);
    WF_EXPECT_INT((int64_t)now.passed, 2);
    WF_EXPECT_INT((int64_t)now.waited, 1);
}

/* ---- A crowd at one semaphore ---- */

/*
 * As many as there is room for: a kernel without guard markers has room for 16,000 stacks, ThreadSanitizer knows no
 * more than 8128 contexts, and valgrind looks for a stack among all of them at every switch.
 */
#if defined(__SANITIZE_THREAD__)
enum { CROWD_MIN = 1000, CROWD_MAX = 2000 };
#else
enum { CROWD_MIN = 1000, CROWD_MAX = 100000 };
#endif

static uint32_t crowd_max(void)
{
    return RUNNING_ON_VALGRIND ? CROWD_MIN : CROWD_MAX;
}

struct throng {
    struct wf_semaphore permits;
    struct wf_handle *handles;
    uint32_t *order;
    uint32_t crowd;
    uint64_t random;
    int64_t granted, released, cancelled;
};

static uint32_t draw(struct throng *throng, uint32_t below)
{
    throng->random ^= throng->random << 13;
    throng->random ^= throng->random >> 7;
    throng->random ^= throng->random << 17;
    return (uint32_t)(throng->random >> 32) % below;
}

static int want_permit(struct throng *throng)
{
    int rc = wf_semaphore_acquire(&throng->permits);
    if (rc == 0) throng->granted++;
    return rc;
}

static void shuffle(struct throng *throng)
{
    for (uint32_t i = 0; i < throng->crowd; i++) throng->order[i] = i;
    for (uint32_t i = throng->crowd - 1; i > 0; i--) {
        uint32_t other = draw(throng, i + 1), kept = throng->order[i];
        throng->order[i] = throng->order[other];
        throng->order[other] = kept;
    }
}

/* Cancels in random order, releases in between; now and then those who were granted run. */
static int stir(struct throng *throng)
{
    WF_SCOPE(scope);
    struct wf_handle *next = throng->handles;
    while (throng->crowd < crowd_max() && wf_try_spawn(&scope, want_permit, throng, .handle = next++) == 0)
        throng->crowd++;
    wf_yield();
    shuffle(throng);
    for (uint32_t i = 0; i < throng->crowd; i++) {
        struct wf_handle *handle = &throng->handles[throng->order[i]];
        bool release_first = draw(throng, 2) == 0;
        uint32_t releases = draw(throng, 10) == 0 ? draw(throng, 5) : 0;
        if (!release_first && !wf_handle_done(handle)) wf_handle_cancel(handle, "stirred");
        for (uint32_t k = 0; k < releases; k++) wf_semaphore_release(&throng->permits), throng->released++;
        if (release_first && !wf_handle_done(handle)) wf_handle_cancel(handle, "stirred");
        if (draw(throng, 50) == 0) wf_yield();
    }
    int rc = wf_scope_join(&scope);
    for (uint32_t i = 0; i < throng->crowd; i++)
        throng->cancelled += wf_handle_result(&throng->handles[i]) == -ECANCELED;
    return rc;
}

static int stir_under(struct throng *throng, uint64_t seed)
{
    memset(throng->handles, 0, CROWD_MAX * sizeof *throng->handles);
    *throng = (struct throng){.permits = WF_SEMAPHORE(0), .handles = throng->handles, .order = throng->order};
    throng->random = seed * UINT64_C(0x9e3779b97f4a7c15) | 1;
    wf_sim_seed(seed);
    return wf_run(stir, throng, .driver = "sim");
}

WF_TEST(no_permit_is_lost_when_100000_waiters_are_cancelled_in_random_order, .plain = true, .timeout = WF_SECONDS(240),
        .rule = "1.4 4.1", .unswept = "a hundred thousand suspensions, all alike")
{
    struct throng throng = {.handles = calloc(CROWD_MAX, sizeof *throng.handles),
                            .order = calloc(CROWD_MAX, sizeof(uint32_t))};
    for (uint64_t seed = 1; seed <= 4 && throng.handles != NULL && throng.order != NULL; seed++) {
        WF_EXPECT_CODE(stir_under(&throng, seed), 0);
        WF_EXPECT(throng.crowd >= CROWD_MIN);
        WF_EXPECT(throng.granted > throng.crowd / 100 && throng.cancelled > throng.crowd / 100);
        WF_EXPECT_INT(throng.granted + throng.cancelled, throng.crowd);
        WF_EXPECT_INT(throng.granted + (int64_t)wf_semaphore_available(&throng.permits), throng.released);
        WF_EXPECT(throng.permits.waiters_.first == NULL);
    }
    wf_sim_seed(0);
    free(throng.handles);
    free(throng.order);
}

/* ---- Mutex ---- */

struct counter {
    struct wf_mutex mutex;
    int value, entered;
};

static int count_slowly(struct counter *counter)
{
    int rc = wf_mutex_lock(&counter->mutex);
    if (rc < 0) return rc;
    counter->entered++;
    int value = counter->value;
    wf_yield();
    counter->value = value + 1;
    return wf_mutex_unlock(&counter->mutex);
}

WF_TEST(a_holder_may_suspend_inside)
{
    struct counter counter = {.mutex = WF_MUTEX};
    WF_SCOPE(scope);
    for (int i = 0; i < 50; i++) wf_spawn(&scope, count_slowly, &counter);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(counter.value, 50);
    WF_INVARIANT(counter.value == counter.entered);
    WF_INVARIANT(wf_mutex_try_lock(&counter.mutex) == 0 && wf_mutex_unlock(&counter.mutex) == 0);
}

static int unlock_foreign(struct wf_mutex *mutex)
{
    return wf_mutex_unlock(mutex);
}

WF_TEST(a_mutex_checks_its_use, .rule = "4.3")
{
    struct wf_mutex mutex = WF_MUTEX;
    WF_EXPECT_CODE(wf_mutex_unlock(&mutex), -EPERM);
    WF_EXPECT_CODE(wf_mutex_lock(&mutex), 0);
    WF_EXPECT_CODE(wf_mutex_lock(&mutex), -EDEADLK);
    struct wf_handle handle = {.result_ = 0};
    {
        WF_SCOPE(scope, .policy = WF_COLLECT);
        wf_spawn(&scope, unlock_foreign, &mutex, .handle = &handle);
        WF_EXPECT_CODE(wf_scope_join(&scope), -EPERM);
    }
    WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0);
}

static int lock_and_end(struct wf_mutex *mutex)
{
    int rc = wf_mutex_lock(mutex);
    wf_yield();
    return rc;
}

static int lock_and_unlock(struct wf_mutex *mutex)
{
    int rc = wf_mutex_lock(mutex);
    wf_ignore(wf_mutex_unlock(mutex));
    return rc;
}

WF_TEST(a_mutex_whose_owner_ended_says_so, .rule = "4.3")
{
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_handle waiter = {.result_ = 0};
    {
        WF_SCOPE(scope, .policy = WF_COLLECT);
        wf_spawn(&scope, lock_and_end, &mutex);
        wf_spawn(&scope, lock_and_unlock, &mutex, .handle = &waiter);
        WF_EXPECT_CODE(wf_scope_join(&scope), -EOWNERDEAD);
        WF_EXPECT_CODE(wf_handle_result(&waiter), -EOWNERDEAD);
    }
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, lock_and_end, &mutex);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_EXPECT_CODE(wf_mutex_try_lock(&mutex), -EOWNERDEAD);
    WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0);
    WF_EXPECT_CODE(wf_mutex_lock(&mutex), 0);
    WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0);
}

WF_TEST(a_cancelled_lock_is_not_held, .rule = "1.3")
{
    struct wf_mutex mutex = WF_MUTEX;
    WF_EXPECT_CODE(wf_mutex_lock(&mutex), 0);
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, lock_and_unlock, &mutex);
        wf_yield();
        wf_scope_cancel(&scope, "not needed");
        WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    WF_INVARIANT(wf_mutex_try_lock(&mutex) == 0 && wf_mutex_unlock(&mutex) == 0);
}

static int keep_locked(void *unused)
{
    (void)unused;
    struct wf_mutex mutex = WF_MUTEX;
    return wf_mutex_lock(&mutex);
}

WF_TEST(a_mutex_left_locked_on_the_stack_is_misuse, .dies = "held a mutex or a permit that was a variable of its own")
{
    WF_SCOPE(scope);
    wf_spawn(&scope, keep_locked, NULL);
    wf_scope_join(&scope);
}

WF_TEST(a_mutex_counts_who_waits_and_who_got_through, .sweep = true)
{
    struct wf_mutex mutex = WF_MUTEX;
    int rc = wf_mutex_lock(&mutex);
    WF_EXPECT_CODE(rc, 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, lock_and_unlock, &mutex);
    wf_yield();
    struct wf_sync_statistics now;
    wf_mutex_statistics(&mutex, &now);
    WF_EXPECT_INT((int64_t)now.waiting, 1);
    if (rc == 0) wf_mutex_unlock(&mutex);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_mutex_statistics(&mutex, &now);
    WF_INVARIANT(now.waiting == 0);
    WF_EXPECT_INT((int64_t)now.passed, 2);
    WF_EXPECT_INT((int64_t)now.waited, 1);
}

struct lock_pair {
    struct wf_mutex *first, *second;
};

static int lock_pair(struct lock_pair *pair)
{
    int rc = wf_mutex_lock(pair->first);
    if (rc < 0) return rc;
    wf_yield();
    rc = wf_mutex_lock(pair->second);
    if (rc == 0) wf_mutex_unlock(pair->second);
    wf_mutex_unlock(pair->first);
    return rc;
}

static int cross_locks(void *unused)
{
    (void)unused;
    struct wf_mutex a = WF_MUTEX, b = WF_MUTEX;
    struct lock_pair there = {&a, &b}, back = {&b, &a};
    WF_SCOPE(scope);
    wf_spawn(&scope, lock_pair, &there);
    wf_spawn(&scope, lock_pair, &back);
    return wf_scope_join(&scope);
}

WF_TEST(two_locks_taken_crosswise_are_a_deadlock_that_is_reported, .plain = true, .timeout = WF_SECONDS(1),
        .rule = "8.2")
{
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_run(cross_locks, NULL), -EDEADLK);
    WF_EXPECT_PART(wf_test_reports(), "waits: a mutex");
}

/* ---- Event ---- */

static int wait_once(struct wf_event *event)
{
    return wf_event_wait(event);
}

/* S019 */
WF_TEST(an_event_wakes_all_waiters_and_lets_later_ones_through, .rule = "4.3")
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    for (int i = 0; i < 20; i++) wf_spawn(&scope, wait_once, &event);
    wf_yield();
    WF_EXPECT_INT((int64_t)wf_scope_alive(&scope), 20);
    wf_event_set(&event);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_event_wait(&event), 0);
    struct wf_sync_statistics now;
    wf_event_statistics(&event, &now);
    WF_EXPECT_INT((int64_t)now.passed, 21);
    WF_EXPECT_INT((int64_t)now.waited, 20);
    wf_event_clear(&event);
    WF_EXPECT(!wf_event_is_set(&event));
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_event_wait(&event)), -ETIME);
}

/* ---- All of them: one queue, first in, first out, handed over ---- */

struct queue {
    struct wf_mutex mutex;
    struct wf_semaphore permits;
    struct wf_event event;
    int (*wait)(struct queue *queue);
    void (*release)(struct queue *queue);
    size_t woken;
    char order[8];
};

static int wait_for_mutex(struct queue *queue)
{
    int rc = wf_mutex_lock(&queue->mutex);
    if (rc == 0) wf_ignore(wf_mutex_unlock(&queue->mutex));
    return rc;
}

static int wait_for_permit(struct queue *queue)
{
    int rc = wf_semaphore_acquire(&queue->permits);
    if (rc == 0) wf_semaphore_release(&queue->permits);
    return rc;
}

static int wait_for_event(struct queue *queue)
{
    return wf_event_wait(&queue->event);
}

static void release_mutex(struct queue *queue)
{
    WF_EXPECT_CODE(wf_mutex_unlock(&queue->mutex), 0);
}

static void release_permit(struct queue *queue)
{
    wf_semaphore_release(&queue->permits);
}

static void release_event(struct queue *queue)
{
    wf_event_set(&queue->event);
}

struct in_queue {
    struct queue *queue;
    char letter;
};

static int wait_in_queue(struct in_queue *self)
{
    int rc = self->queue->wait(self->queue);
    if (rc == 0) self->queue->order[self->queue->woken++] = self->letter;
    return rc;
}

static void check_queue(struct queue queue)
{
    queue.mutex = (struct wf_mutex)WF_MUTEX;
    queue.permits = (struct wf_semaphore)WF_SEMAPHORE(0);
    queue.event = (struct wf_event)WF_EVENT;
    struct in_queue waiters[] = {{&queue, 'a'}, {&queue, 'b'}, {&queue, 'c'}, {&queue, 'd'}};
    struct wf_handle handles[WF_COUNT(waiters)] = {{.result_ = 0}};
    WF_EXPECT_CODE(wf_mutex_lock(&queue.mutex), 0);
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(waiters); i++) wf_spawn(&scope, wait_in_queue, &waiters[i], .handle = &handles[i]);
    wf_yield();
    wf_handle_cancel(&handles[0], "the first");
    wf_handle_cancel(&handles[2], "one in the middle");
    for (int i = 0; i < 5; i++) wf_yield();
    WF_EXPECT_INT((int64_t)queue.woken, 0); /* a cancel hands nothing on */
    WF_EXPECT_INT((int64_t)wf_scope_alive(&scope), 2);
    queue.release(&queue);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_ignore(wf_mutex_unlock(&queue.mutex)); /* nothing may be held when it goes out of use */
    WF_EXPECT_TEXT(queue.order, "bd");
    WF_EXPECT_CODE(wf_handle_result(&handles[0]), -ECANCELED);
    WF_EXPECT_CODE(wf_handle_result(&handles[2]), -ECANCELED);
}

WF_TEST(every_queue_is_first_in_first_out_and_a_cancel_wakes_nobody_else, .rule = "4.1 1.4")
{
    check_queue((struct queue){.wait = wait_for_mutex, .release = release_mutex});
    check_queue((struct queue){.wait = wait_for_permit, .release = release_permit});
    check_queue((struct queue){.wait = wait_for_event, .release = release_event});
}

static int lock_once(struct wf_mutex *mutex)
{
    int rc = wf_mutex_lock(mutex);
    if (rc == 0) rc = wf_yield();
    wf_ignore(wf_mutex_unlock(mutex));
    return rc;
}

WF_TEST(an_unlocked_mutex_is_its_first_waiters_at_once, .rule = "4.1 4.2")
{
    struct wf_mutex mutex = WF_MUTEX;
    WF_EXPECT_CODE(wf_mutex_lock(&mutex), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, lock_once, &mutex);
    wf_yield();
    WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0);
    WF_EXPECT_CODE(wf_mutex_try_lock(&mutex), -EBUSY); /* the waiter has not run yet, and has it */
    WF_EXPECT_CODE(wf_mutex_unlock(&mutex), -EPERM);
    WF_EXPECT_CODE(wf_mutex_lock(&mutex), 0);
    WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_waiter_that_a_set_woke_has_it_though_it_is_cleared_at_once, .rule = "4.1 4.3")
{
    struct wf_event event = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_once, &event);
    wf_yield();
    wf_event_set(&event);
    wf_event_clear(&event);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT(!wf_event_is_set(&event));
}

WF_TEST_MAIN
