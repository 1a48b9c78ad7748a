/* The contract where others wait: waking a task is not running it, and a refused call neither waits nor wakes. */
#include <unistd.h>

#include "../contract.h"

/* ---- Those who wait ---- */

static int wait_for_lock(struct wf_mutex *mutex)
{
    int rc = wf_mutex_lock(mutex);
    if (rc == 0) wf_mutex_unlock(mutex);
    return went_on(rc);
}

static int wait_for_permit(struct wf_semaphore *permits)
{
    return went_on(wf_semaphore_acquire(permits));
}

static int wait_for_event(struct wf_event *event)
{
    return went_on(wf_event_wait(event));
}

struct guarded {
    struct wf_mutex mutex;
    struct wf_condition condition;
};

static int wait_for_notice(struct guarded *state)
{
    int rc = wf_mutex_lock(&state->mutex);
    if (rc == 0) rc = wf_condition_wait(&state->condition, &state->mutex);
    wf_mutex_unlock(&state->mutex);
    return went_on(rc);
}

static int wait_at_barrier(struct wf_barrier *barrier)
{
    return went_on(wf_barrier_wait(barrier));
}

static int wait_for_answer(struct wf_future *future)
{
    return went_on(wf_future_wait(future));
}

static int wait_for_place(struct wf_limiter *limiter)
{
    WF_PERMIT(permit);
    return went_on(wf_limiter_acquire(limiter, &permit));
}

static int receive_one(struct wf_channel *channel)
{
    int item;
    return went_on(wf_receive(channel, &item));
}

static int send_one(struct wf_channel *channel)
{
    int item = 7;
    return went_on(wf_send(channel, &item));
}

static int wait_until_done(struct wf_channel *channel)
{
    return went_on(wf_channel_join(channel));
}

static int sleep_long(void *unused)
{
    (void)unused;
    return went_on(wf_sleep(WF_SECONDS(3600)));
}

static int sleep_linked(struct wf_token *token)
{
    return went_on(wf_linked(token, wf_sleep(WF_SECONDS(3600))));
}

/* ---- Waking them ---- */

WF_TEST(unlocking_releasing_and_notifying_in_a_cancelled_scope_runs_nobody, .rule = "1.7 4.1")
{
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_semaphore permits = WF_SEMAPHORE(0);
    struct wf_event event = WF_EVENT, arrived = WF_EVENT;
    struct wf_waker *waker = NULL;
    struct guarded state = {WF_MUTEX, WF_CONDITION};
    if (!WF_EXPECT_CODE(wf_waker_create(&arrived, &waker), 0)) return;
    WF_EXPECT_CODE(wf_mutex_lock(&mutex), 0);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    wf_spawn(&scope, wait_for_lock, &mutex);
    wf_spawn(&scope, wait_for_permit, &permits);
    wf_spawn(&scope, wait_for_event, &event);
    wf_spawn(&scope, wait_for_event, &arrived);
    wf_spawn(&scope, wait_for_notice, &state);
    wf_spawn(&scope, wait_for_notice, &state);
    wf_yield();
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    WAKES(wf_mutex_unlock, 0, WF_EXPECT_CODE(wf_mutex_unlock(&mutex), 0));
    WAKES(wf_semaphore_release, 0, WF_EXPECT_CODE(wf_semaphore_release(&permits), 0));
    WAKES(wf_event_set, 0, wf_event_set(&event));
    WAKES(wf_waker_wake, 0, wf_waker_wake(waker));
    WAKES(wf_condition_notify, 0, wf_condition_notify(&state.condition));
    WAKES(wf_condition_notify_all, 0, wf_condition_notify_all(&state.condition));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_waker_destroy(waker);
}

WF_TEST(breaking_setting_and_resizing_in_a_cancelled_scope_runs_nobody, .rule = "1.7 4.1 4.3")
{
    struct wf_barrier broken = WF_BARRIER(2), emptied = WF_BARRIER(2);
    struct wf_future set = WF_FUTURE, failed = WF_FUTURE;
    struct wf_limiter held = WF_LIMITER(1), narrow = WF_LIMITER(0);
    WF_PERMIT(permit);
    WF_EXPECT_CODE(wf_limiter_try_acquire(&held, &permit), 0);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    wf_spawn(&scope, wait_at_barrier, &broken);
    wf_spawn(&scope, wait_at_barrier, &emptied);
    wf_spawn(&scope, wait_for_answer, &set);
    wf_spawn(&scope, wait_for_answer, &failed);
    wf_spawn(&scope, wait_for_place, &held);
    wf_spawn(&scope, wait_for_place, &narrow);
    wf_yield();
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    WAKES(wf_barrier_abort, -EPIPE, wf_barrier_abort(&broken));
    WAKES(wf_barrier_reset, -EPIPE, wf_barrier_reset(&emptied));
    WAKES(wf_future_set, 0, WF_EXPECT_CODE(wf_future_set(&set, &permit), 0));
    WAKES(wf_future_fail, -EIO, WF_EXPECT_CODE(wf_future_fail(&failed, -EIO, "no"), 0));
    WAKES(wf_limiter_release, 0, WF_EXPECT_CODE(wf_limiter_release(&permit), 0));
    WAKES(wf_limiter_resize, 0, WF_EXPECT_CODE(wf_limiter_resize(&narrow, 1), 0));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* First in, first out: each call serves the first of those who wait. */
WF_TEST(passing_items_on_in_a_cancelled_scope_runs_nobody, .rule = "1.7 4.1 4.4")
{
    int item = 1;
    WF_CHANNEL(empty, int, 1);
    WF_CHANNEL(full, int, 1);
    WF_CHANNEL(work, int, 1);
    struct wf_case cases[] = {WF_CASE_SEND(&empty, &item)};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_EXPECT_CODE(wf_try_send(&full, &item), 0);
    WF_EXPECT_CODE(wf_try_send(&work, &item), 0);
    WF_EXPECT_CODE(wf_try_receive(&work, &item), 1);
    for (int i = 0; i < 3; i++) wf_spawn(&scope, receive_one, &empty);
    for (int i = 0; i < 2; i++) wf_spawn(&scope, send_one, &full);
    wf_spawn(&scope, wait_until_done, &work);
    wf_yield();
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    WAKES(wf_try_send, 1, WF_EXPECT_CODE(wf_try_send(&empty, &item), 0));
    WAKES(wf_try_select, 1, WF_EXPECT_CODE(wf_try_select(cases, WF_COUNT(cases)), 0));
    WAKES(wf_channel_close, 0, WF_EXPECT_CODE(wf_channel_close(&empty), 0));
    WAKES(wf_try_receive, 0, WF_EXPECT_CODE(wf_try_receive(&full, &item), 1));
    WAKES(wf_channel_close_now, -EPIPE, WF_EXPECT_CODE(wf_channel_close_now(&full, NULL), 0));
    WAKES(wf_channel_done, 0, WF_EXPECT_CODE(wf_channel_done(&work), 0));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(cancelling_others_in_a_cancelled_scope_runs_nobody, .rule = "1.7 1.13 2.5 3.9")
{
    struct wf_token token = WF_TOKEN;
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(children);
    WF_SCOPE(timed);
    wf_spawn(&scope, sleep_linked, &token);
    wf_spawn(&scope, sleep_long, NULL, .handle = &handle);
    wf_spawn(&timed, sleep_long, NULL);
    wf_spawn(&children, sleep_long, NULL);
    wf_yield();
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    WAKES(wf_token_cancel, -ECANCELED, wf_token_cancel(&token, "enough"));
    WAKES(wf_handle_cancel, -ECANCELED, wf_handle_cancel(&handle, "enough"));
    WAKES(wf_scope_set_deadline, -ECANCELED, wf_scope_set_deadline(&timed, 1));
    WAKES(wf_scope_cancel, -ECANCELED, wf_scope_cancel(&children, "enough"));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    wf_ignore(wf_scope_join(&timed));
    WF_EXPECT_CODE(wf_scope_join(&children), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Refused where they would have to wait ---- */

static int hold_lock(struct wf_mutex *mutex)
{
    int rc = wf_mutex_lock(mutex);
    return rc < 0 ? rc : wf_sleep(WF_SECONDS(3600));
}

static int run_long(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

static int run_once(struct wf_once *once)
{
    return wf_once(once, run_long, NULL);
}

WF_TEST(a_refused_wait_for_another_task_is_in_no_queue, .rule = "1.1 1.4 1.7")
{
    struct wf_mutex held = WF_MUTEX;
    struct wf_semaphore none = WF_SEMAPHORE(0);
    struct wf_event clear = WF_EVENT;
    struct wf_barrier barrier = WF_BARRIER(2);
    struct wf_once once = WF_ONCE;
    struct wf_future future = WF_FUTURE;
    struct wf_limiter narrow = WF_LIMITER(0);
    WF_PERMIT(permit);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    wf_spawn(&scope, hold_lock, &held, .daemon = true);
    wf_spawn(&scope, run_once, &once, .daemon = true);
    wf_yield();
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED_TOO(wf_mutex_lock, wf_mutex_lock(&held));
    REFUSED_TOO(wf_semaphore_acquire, wf_semaphore_acquire(&none));
    REFUSED_TOO(wf_event_wait, wf_event_wait(&clear));
    REFUSED_TOO(wf_barrier_wait, wf_barrier_wait(&barrier));
    REFUSED_TOO(wf_once, wf_once(&once, run_long, NULL));
    REFUSED_TOO(wf_future_wait, wf_future_wait(&future));
    REFUSED_TOO(wf_limiter_acquire, wf_limiter_acquire(&narrow, &permit));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    const struct wf_queue_ *queues[] = {&held.waiters_, &none.waiters_,   &clear.waiters_, &barrier.waiters_,
                                        &once.waiters_, &future.waiters_, &narrow.waiters_};
    for (size_t i = 0; i < WF_COUNT(queues); i++) WF_EXPECT(queues[i]->first == NULL);
    WF_EXPECT_INT(barrier.arrived_, 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refused_wait_at_a_channel_is_in_no_queue, .rule = "1.1 1.4 1.7 4.4")
{
    int item = 1, ends[2];
    WF_EXPECT(pipe(ends) == 0);
    WF_CHANNEL(full, int, 1);
    WF_CHANNEL(meeting, int, 0);
    struct wf_event clear = WF_EVENT;
    struct wf_case cases[] = {WF_CASE_SEND(&full, &item), WF_CASE_RECEIVE(&meeting, &item), WF_CASE_EVENT(&clear),
                              WF_CASE_UNTIL(WF_FOREVER), WF_CASE_READY(ends[0], WF_READABLE)};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_EXPECT_CODE(wf_try_send(&full, &item), 0);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED_TOO(wf_send, wf_send(&full, &item));
    REFUSED_TOO(wf_send, wf_send(&meeting, &item));
    REFUSED_TOO(wf_receive, wf_receive(&meeting, &item));
    REFUSED_TOO(wf_channel_join, wf_channel_join(&full));
    REFUSED_TOO(wf_select, wf_select(cases, WF_COUNT(cases)));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT(full.senders_.first == NULL && full.joiners_.first == NULL && clear.waiters_.first == NULL);
    WF_EXPECT(meeting.senders_.first == NULL && meeting.receivers_.first == NULL);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    close(ends[0]);
    close(ends[1]);
}

/* ---- Refused where they would wake somebody ---- */

WF_TEST(a_refused_call_lets_nobody_go_on, .rule = "1.1 1.3 1.7")
{
    int item = 1;
    WF_CHANNEL(empty, int, 1);
    WF_CHANNEL(full, int, 1);
    struct wf_barrier barrier = WF_BARRIER(2);
    struct wf_case to[] = {WF_CASE_SEND(&empty, &item)}, from[] = {WF_CASE_RECEIVE(&full, &item)};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_EXPECT_CODE(wf_try_send(&full, &item), 0);
    wf_spawn(&scope, receive_one, &empty);
    wf_spawn(&scope, send_one, &full);
    wf_spawn(&scope, wait_at_barrier, &barrier);
    wf_yield();
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED_TOO(wf_send, wf_send(&empty, &item));
    REFUSED_TOO(wf_receive, wf_receive(&full, &item));
    REFUSED_TOO(wf_barrier_wait, wf_barrier_wait(&barrier));
    REFUSED_TOO(wf_select, wf_select(to, WF_COUNT(to)));
    REFUSED_TOO(wf_select, wf_select(from, WF_COUNT(from)));
    WF_EXPECT(!wf_event_is_set(&waiter.gone));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
