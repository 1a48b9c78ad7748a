/* Rules 5.1 to 8.4 of docs/semantics.md, beside run_test.c: turns, budgets, threads, shutdown, what can be seen. */
#include <fenv.h>
#include <pthread.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int return_code(int *code)
{
    return *code;
}

/* ---- 5.1: a pass ---- */

struct counter {
    int runs;
    bool stop;
};

static int count_runs(struct counter *counter)
{
    while (!counter->stop) {
        counter->runs++;
        int rc = wf_yield();
        if (rc < 0) return rc;
    }
    return 0;
}

/* real: the simulated clock stands still while a task can run */
WF_TEST(a_pass_of_few_tasks_is_stretched_to_64_runs, .real = true, .rule = "5.1")
{
    struct counter counter = {.runs = 0};
    WF_SCOPE(scope);
    wf_spawn(&scope, count_runs, &counter);
    WF_EXPECT_CODE(wf_sleep(1), 0); /* from the beginning of a pass on: it is woken at the beginning of the next */
    int before = counter.runs;
    WF_EXPECT_CODE(wf_sleep_until(0), 0); /* due at once, and seen when the clock is read again */
    int passed = counter.runs - before;
    WF_EXPECT(passed >= 62 && passed <= 64);
    counter.stop = true;
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int round_towards_zero(void *unused)
{
    (void)unused;
    fesetround(FE_TOWARDZERO);
    for (int i = 0; i < 10; i++) {
        if (fegetround() != FE_TOWARDZERO) return -EIO;
        int rc = wf_yield();
        if (rc < 0) return rc;
    }
    return 0;
}

static int leave_rounding_changed(void *unused)
{
    (void)unused;
    return fesetround(FE_UPWARD) == 0 ? 0 : -EIO;
}

static int round_to_nearest(void *unused)
{
    (void)unused;
    for (int i = 0; i < 10; i++) {
        if (fegetround() != FE_TONEAREST) return -EIO;
        int rc = wf_yield();
        if (rc < 0) return rc;
    }
    return 0;
}

WF_TEST(a_rounding_mode_belongs_to_the_task_that_set_it, .rule = "5.1")
{
    WF_SCOPE(scope);
    for (int i = 0; i < 5; i++) {
        wf_spawn(&scope, round_towards_zero, NULL);
        wf_spawn(&scope, round_to_nearest, NULL);
        wf_spawn(&scope, leave_rounding_changed, NULL);
        wf_spawn(&scope, round_to_nearest, NULL);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(fegetround(), FE_TONEAREST);
}

/* ---- 5.2: budgets ---- */

static int mark(bool *ran)
{
    *ran = true;
    return 0;
}

struct spender {
    const char *name;
    int64_t (*call)(void *object);
    void *object;
};

static int64_t wait_for_set_event(void *event)
{
    return wf_event_wait(event);
}

static int64_t take_permit(void *permits)
{
    wf_semaphore_release(permits);
    return wf_semaphore_acquire(permits);
}

static int64_t lock_and_unlock(void *mutex)
{
    int rc = wf_mutex_lock(mutex);
    return rc < 0 ? rc : wf_mutex_unlock(mutex);
}

static int64_t join_ended(void *handle)
{
    return wf_handle_join(handle);
}

static int64_t wait_for_ended(void *handle)
{
    struct wf_handle *one[] = {handle};
    return wf_wait_handles(one, 1, WF_ALL_DONE);
}

static int64_t next_of_none(void *scope)
{
    struct wf_finished finished;
    return wf_scope_next(scope, &finished);
}

static int64_t write_nothing(void *stream)
{
    return wf_stream_write_all(stream, "", 0, NULL);
}

/* How many calls another runnable task waits for. A call that is slow itself may use the time up before. */
static int calls_until_others_run(const struct spender *spender)
{
    bool ran = false;
    int calls = 0;
    WF_SCOPE(scope);
    wf_yield();
    wf_spawn(&scope, mark, &ran);
    while (!ran && calls < 1000) {
        WF_EXPECT(spender->call(spender->object) >= 0);
        calls++;
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    return calls;
}

WF_TEST(a_call_that_need_not_wait_uses_one_of_128_units, .rule = "5.2")
{
    struct wf_event event = WF_EVENT;
    struct wf_semaphore permits = WF_SEMAPHORE(0);
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_handle handle = {.result_ = 0};
    struct wf_stream *reader, *writer;
    int code = 0;
    wf_event_set(&event);
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return;
    WF_SCOPE(scope, .keep_finished = true);
    WF_SCOPE(child);
    wf_spawn(&child, return_code, &code, .handle = &handle);
    WF_EXPECT_CODE(wf_scope_join(&child), 0);
    const struct spender spenders[] = {
        {"an event", wait_for_set_event, &event}, {"a semaphore", take_permit, &permits},
        {"a mutex", lock_and_unlock, &mutex},     {"a handle", join_ended, &handle},
        {"handles", wait_for_ended, &handle},     {"the next child", next_of_none, &scope},
        {"no bytes", write_nothing, writer},
    };
    bool exact = strcmp(wf_driver_name(), "sim") == 0; /* elsewhere the time may be up first */
    for (size_t i = 0; i < WF_COUNT(spenders); i++) {
        int calls = calls_until_others_run(&spenders[i]);
        WF_EXPECT(exact ? calls == 128 : calls > 0 && calls <= 128);
        if (wf_test_failed()) WF_EXPECT_TEXT(spenders[i].name, "");
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(reader);
    wf_stream_close(writer);
}

static int64_t hold_processor_and_wait_for_set_event(void *event)
{
    for (int64_t until = wf_now() + WF_MICROSECONDS(50); wf_now() < until;) {}
    return wf_event_wait(event);
}

/* real time: the processor is held; the clock is looked at every 16 units, and the first look starts the measure */
WF_TEST(after_500_microseconds_a_task_yields_in_any_case, .real = true, .rule = "5.2")
{
    struct wf_event event = WF_EVENT;
    wf_event_set(&event);
    const struct spender spender = {"slow calls", hold_processor_and_wait_for_set_event, &event};
    WF_EXPECT(calls_until_others_run(&spender) <= 32);
}

WF_TEST(a_refused_call_uses_budget_too, .rule = "1.12")
{
    bool ran = false;
    int calls = 0;
    WF_SCOPE(outer);
    {
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "ignored");
        wf_shielded(WF_FOREVER, wf_yield());
        WF_EXPECT_CODE(wf_try_spawn(&outer, mark, &ran), 0);
        for (; !ran && calls < 1000; calls++) WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), -ECANCELED);
        WF_EXPECT_CODE(wf_scope_end(&cancelled, 0), 0);
    }
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
    WF_EXPECT(calls > 0 && calls <= 128);
}

struct refuser {
    struct wf_scope *cancelled;
    bool ended;
    int refused;
};

static int spawn_in_vain(struct refuser *refuser)
{
    int code = 0;
    while (!refuser->ended && wf_spawn(refuser->cancelled, return_code, &code) < 0 && refuser->refused < 100000)
        refuser->refused++;
    return 0;
}

static int end_soon(struct refuser *refuser)
{
    for (int i = 0; i < 10; i++) wf_yield();
    refuser->ended = true;
    return 0;
}

WF_TEST(refused_spawns_do_not_starve_the_others, .rule = "1.12")
{
    struct refuser refuser = {.refused = 0};
    WF_SCOPE(scope);
    {
        WF_SCOPE(cancelled);
        refuser.cancelled = &cancelled;
        wf_spawn(&scope, spawn_in_vain, &refuser);
        refuser.ended = !WF_EXPECT_CODE(wf_spawn(&scope, end_soon, &refuser), 0);
        wf_scope_cancel(&cancelled, "closed");
        while (!refuser.ended) wf_shielded(WF_FOREVER, wf_yield());
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT(refuser.refused <= 11 * 128);
}

/* ---- 6.1: threads ---- */

static int stay_on_thread(pthread_t *own)
{
    int code = 0;
    for (int i = 0; i < 5; i++) {
        if (!pthread_equal(*own, pthread_self())) return -EIO;
        int rc = wf_offload(return_code, &code);
        if (rc == 0) rc = wf_sleep(WF_MICROSECONDS(100));
        if (rc < 0) return rc;
    }
    return 0;
}

WF_TEST(a_task_never_leaves_its_thread, .rule = "6.1")
{
    pthread_t own = pthread_self();
    WF_SCOPE(scope);
    for (int i = 0; i < 10; i++) wf_spawn(&scope, stay_on_thread, &own);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int exchange_bytes(int *rounds)
{
    struct wf_stream *reader, *writer;
    int rc = wf_pipe(&reader, &writer);
    char byte;
    for (int i = 0; i < *rounds && rc == 0; i++) {
        rc = wf_stream_write_all(writer, "x", 1, NULL);
        if (rc == 0) rc = wf_stream_read_full(reader, &byte, 1, NULL);
        if (rc == 0) rc = wf_yield();
    }
    wf_stream_close(reader);
    wf_stream_close(writer);
    return rc;
}

static void *run_loop(void *rounds)
{
    return (void *)(intptr_t)wf_run(exchange_bytes, (int *)rounds);
}

WF_TEST(each_thread_may_run_a_loop_of_its_own, .plain = true, .rule = "6.1")
{
    pthread_t threads[3];
    int rounds = 200;
    for (int i = 0; i < 3; i++) WF_EXPECT(pthread_create(&threads[i], NULL, run_loop, &rounds) == 0);
    WF_EXPECT_CODE(wf_run(exchange_bytes, &rounds), 0);
    for (int i = 0; i < 3; i++) {
        void *result = NULL;
        pthread_join(threads[i], &result);
        WF_EXPECT_CODE((intptr_t)result, 0);
    }
}

static void *ask_from_thread(void *fine)
{
    *(bool *)fine =
        !wf_in_task() && wf_now() > 0 && wf_allocated_blocks() > 0 && strcmp(wf_strerror(0), "Success") == 0;
    return NULL;
}

WF_TEST(what_may_be_called_on_any_thread_works_there, .rule = "6.1")
{
    pthread_t thread;
    bool fine = false;
    WF_EXPECT(pthread_create(&thread, NULL, ask_from_thread, &fine) == 0);
    pthread_join(thread, NULL);
    WF_EXPECT(fine);
}

static void *cancel_from_thread(void *scope)
{
    wf_scope_cancel((struct wf_scope *)scope, "from outside");
    return NULL;
}

WF_TEST(a_scope_is_not_cancelled_from_a_foreign_thread, .dies = "was called outside a task", .rule = "6.1")
{
    WF_SCOPE(scope);
    pthread_t thread;
    pthread_create(&thread, NULL, cancel_from_thread, &scope);
    pthread_join(thread, NULL);
    wf_scope_join(&scope);
}

/* Each of these is called on another loop's scope. */
static int touch_foreign_scope(struct wf_scope *scope)
{
    int code = 0;
    return wf_spawn(scope, return_code, &code);
}

static int drain_foreign_scope(struct wf_scope *scope)
{
    wf_scope_drain(scope);
    return 0;
}

static int move_foreign_deadline(struct wf_scope *scope)
{
    wf_scope_set_deadline(scope, WF_FOREVER);
    return 0;
}

static int cancel_foreign_handle(struct wf_handle *handle)
{
    wf_handle_cancel(handle, "from another loop");
    return 0;
}

struct foreign {
    int (*call)(struct wf_scope *scope);
    struct wf_scope *scope;
    struct wf_handle *handle;
};

static void *run_foreign(void *argument)
{
    struct foreign *foreign = argument;
    if (foreign->handle != NULL) wf_run(cancel_foreign_handle, foreign->handle);
    else wf_run(foreign->call, foreign->scope);
    return NULL;
}

static void call_on_another_loop(struct foreign foreign)
{
    pthread_t thread;
    pthread_create(&thread, NULL, run_foreign, &foreign);
    pthread_join(thread, NULL);
}

WF_TEST(a_spawn_into_another_loops_scope_aborts, .dies = "belongs to another loop", .rule = "6.1")
{
    WF_SCOPE(scope);
    call_on_another_loop((struct foreign){.call = touch_foreign_scope, .scope = &scope});
    wf_scope_join(&scope);
}

WF_TEST(draining_another_loops_scope_aborts, .dies = "was drained from another loop", .rule = "6.1")
{
    WF_SCOPE(scope);
    call_on_another_loop((struct foreign){.call = drain_foreign_scope, .scope = &scope});
    wf_scope_join(&scope);
}

WF_TEST(moving_the_deadline_of_another_loops_scope_aborts, .dies = "was given a deadline from another", .rule = "6.1")
{
    WF_SCOPE(scope);
    call_on_another_loop((struct foreign){.call = move_foreign_deadline, .scope = &scope});
    wf_scope_join(&scope);
}

WF_TEST(cancelling_another_loops_child_aborts, .dies = "a task of another loop was cancelled", .rule = "6.1")
{
    struct wf_handle handle = {.result_ = 0};
    int code = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, return_code, &code, .handle = &handle);
    call_on_another_loop((struct foreign){.handle = &handle});
    wf_scope_join(&scope);
}

WF_TEST_MAIN
