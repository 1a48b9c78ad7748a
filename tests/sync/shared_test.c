/* S126: channels and events between loops, and for threads without one. */
#include <pthread.h>
#include <stdio.h>
#include <weft/testing.h>
#include <weft/weft.h>

enum { LOOPS = 3 };

/* ---- Channels ---- */

struct work {
    struct wf_shared_channel *jobs, *results;
    int first, count;
};

static int produce(struct work *work)
{
    for (int i = 0; i < work->count; i++) {
        int number = work->first + i, rc = wf_shared_send(work->jobs, &number);
        if (rc < 0) return rc;
    }
    return 0;
}

static int square(struct work *work)
{
    int number, rc;
    while ((rc = wf_shared_receive(work->jobs, &number)) > 0) {
        int result = number * number;
        rc = wf_shared_send(work->results, &result);
        if (rc < 0) break;
    }
    return rc;
}

static int produce_all(struct work *work)
{
    struct work parts[LOOPS];
    WF_SCOPE(scope);
    for (int i = 0; i < LOOPS; i++) {
        parts[i] = *work;
        parts[i].first = i * work->count;
        wf_spawn_on(&scope, i, produce, &parts[i]);
    }
    int rc = wf_scope_join(&scope);
    wf_shared_channel_close(work->jobs);
    return rc;
}

/* The results of all, once each has ended. */
static int square_all(struct work *work)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, produce_all, work);
    for (int i = 0; i < 2 * LOOPS; i++) wf_spawn_on(&scope, i % LOOPS, square, work);
    int rc = wf_scope_join(&scope);
    wf_shared_channel_close(work->results);
    return rc;
}

static bool create_two(struct work *work, size_t capacity)
{
    int rc = wf_shared_channel_create(sizeof(int), capacity, WF_WITH_LOOPS, &work->jobs);
    if (rc == 0) rc = wf_shared_channel_create(sizeof(int), capacity, WF_WITH_LOOPS, &work->results);
    if (rc < 0) wf_shared_channel_destroy(work->jobs);
    return rc == 0;
}

static void work_off(size_t capacity, int count)
{
    struct work work = {.count = count};
    if (!create_two(&work, capacity)) return;
    int64_t sum = 0, expected = 0;
    for (int i = 0; i < LOOPS * count; i++) expected += i * i;
    int rc;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, square_all, &work);
        int result;
        while ((rc = wf_shared_receive(work.results, &result)) > 0) sum += result;
        rc = wf_scope_end(&scope, rc);
    }
    if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_INT(sum, expected);
    wf_shared_channel_close(work.jobs);
    wf_shared_channel_destroy(work.jobs);
    wf_shared_channel_destroy(work.results);
}

WF_TEST(every_item_arrives_once, .loops = LOOPS, .unswept = "the next one is, which does the same with less")
{
    work_off(8, 2000);
    work_off(1, 500);
    work_off(0, 500);
}

WF_TEST(some_items_arrive_once_or_the_failure_is_told, .loops = LOOPS, .sweep = true)
{
    work_off(2, 3);
    work_off(0, 2);
}

static int send_number(struct work *work)
{
    return wf_shared_send(work->jobs, &work->first);
}

/* In the channel, or in the hands of a sender that waits. */
static bool wait_until_sent(struct wf_shared_channel *channel, size_t count)
{
    struct wf_shared_statistics statistics;
    do {
        if (wf_sleep(WF_MICROSECONDS(100)) < 0) return false;
        wf_shared_channel_statistics(channel, &statistics);
    } while (statistics.count + statistics.senders < count);
    return true;
}

WF_TEST(who_waits_first_is_served_first_on_whatever_loop, .loops = LOOPS, .rule = "4.1 4.2")
{
    struct work work = {.first = 0};
    if (!WF_EXPECT(create_two(&work, 1))) return;
    WF_SCOPE(scope);
    for (int i = 0; i < 9; i++) {
        work.first = i;
        wf_spawn_on(&scope, i % LOOPS, send_number, &work);
        if (!wait_until_sent(work.jobs, (size_t)i + 1)) break;
    }
    int number = 99;
    WF_EXPECT_CODE(wf_shared_try_send(work.jobs, &number), -EAGAIN);
    for (int i = 0; i < 9; i++) {
        WF_EXPECT_CODE(wf_shared_receive(work.jobs, &number), 1);
        WF_EXPECT_INT(number, i);
    }
    WF_EXPECT_CODE(wf_shared_try_receive(work.jobs, &number), -EAGAIN);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_shared_channel_destroy(work.jobs);
    wf_shared_channel_destroy(work.results);
}

static int receive_one(struct work *work)
{
    int number = -1, rc = wf_shared_receive(work->jobs, &number);
    return rc <= 0 ? rc : number;
}

WF_TEST(closing_ends_all_who_wait, .loops = LOOPS, .sweep = true, .rule = "4.4")
{
    struct work work = {.first = 7};
    struct wf_handle receiver = {0}, sender = {0};
    if (!create_two(&work, 0)) return;
    {
        WF_SCOPE(scope, .policy = WF_COLLECT);
        wf_spawn_on(&scope, 1, receive_one, &work, .handle = &receiver);
        struct work other = {.jobs = work.results, .first = 8};
        wf_spawn_on(&scope, 2, send_number, &other, .handle = &sender);
        wf_sleep(WF_MILLISECONDS(1));
        WF_EXPECT_CODE(wf_shared_channel_close(work.jobs), 0);
        WF_EXPECT_CODE(wf_shared_channel_close(work.results), 0);
        WF_EXPECT_CODE(wf_shared_channel_close(work.results), -EALREADY);
        wf_scope_join(&scope);
    }
    if (!wf_test_injected()) {
        WF_EXPECT_CODE(wf_handle_result(&receiver), 0);
        WF_EXPECT_CODE(wf_handle_result(&sender), -EPIPE);
        WF_EXPECT_CODE(wf_shared_try_send(work.jobs, &work.first), -EPIPE);
    }
    wf_shared_channel_destroy(work.jobs);
    wf_shared_channel_destroy(work.results);
}

static int dropped;

static void drop_number(void *item)
{
    dropped += *(int *)item;
}

WF_TEST(closing_now_drops_what_is_left, .sweep = true, .rule = "4.4")
{
    struct wf_shared_channel *channel;
    if (wf_shared_channel_create(sizeof(int), 4, WF_WITH_LOOPS, &channel) < 0) return;
    dropped = 0;
    int sum = 0;
    for (int i = 1; i < 4; i++)
        if (wf_shared_try_send(channel, &i) == 0) sum += i;
    WF_EXPECT_CODE(wf_shared_channel_close_now(channel, drop_number), 0);
    WF_EXPECT_INT(dropped, sum);
    WF_EXPECT_CODE(wf_shared_channel_close_now(channel, NULL), -EALREADY);
    int number;
    WF_EXPECT_CODE(wf_shared_try_receive(channel, &number), 0);
    wf_shared_channel_destroy(channel);
}

WF_TEST(sizes_that_make_no_sense_are_refused)
{
    struct wf_shared_channel *channel;
    WF_EXPECT_CODE(wf_shared_channel_create(0, 1, WF_WITH_LOOPS, &channel), -EINVAL);
    WF_EXPECT_CODE(wf_shared_channel_create(SIZE_MAX / 2, 4, WF_WITH_LOOPS, &channel), -EINVAL);
    WF_EXPECT_CODE(wf_shared_channel_create(1, SIZE_MAX - 8, WF_WITH_LOOPS, &channel), -EINVAL);
    wf_shared_channel_destroy(NULL);
    wf_shared_event_destroy(NULL);
}

/* ---- Cancelling ---- */

WF_TEST(a_cancelled_receiver_takes_nothing, .loops = LOOPS, .sweep = true, .rule = "1.3 1.4")
{
    struct work work = {.first = 7};
    if (!create_two(&work, 0)) return;
    struct wf_shared_statistics statistics;
    {
        WF_SCOPE(scope);
        wf_spawn_on(&scope, 1, receive_one, &work);
        wf_spawn(&scope, receive_one, &work);
        wf_sleep(WF_MILLISECONDS(1));
        wf_scope_cancel(&scope, "not wanted");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    wf_shared_channel_statistics(work.jobs, &statistics);
    WF_INVARIANT(statistics.receivers == 0 && statistics.received == 0);
    WF_EXPECT_CODE(wf_shared_try_send(work.jobs, &work.first), -EAGAIN);
    wf_shared_channel_destroy(work.jobs);
    wf_shared_channel_destroy(work.results);
}

WF_TEST(an_item_that_was_granted_is_received_in_spite_of_a_cancel, .loops = LOOPS, .rule = "1.3 4.1")
{
    struct work work = {.first = 7};
    struct wf_handle receiver = {0};
    if (!WF_EXPECT(create_two(&work, 0))) return;
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, receive_one, &work, .handle = &receiver);
        wf_yield();
        WF_EXPECT_CODE(wf_shared_try_send(work.jobs, &work.first), 0);
        wf_scope_cancel(&scope, "too late");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT_CODE(wf_handle_result(&receiver), 7);
    }
    wf_shared_channel_destroy(work.jobs);
    wf_shared_channel_destroy(work.results);
}

/* ---- Events ---- */

static int wait_for_start(struct wf_shared_event **start)
{
    return wf_shared_event_wait(*start);
}

static int set_soon(struct wf_shared_event **start)
{
    int rc = wf_sleep(WF_MICROSECONDS(500));
    wf_shared_event_set(*start);
    return rc;
}

WF_TEST(an_event_wakes_all_loops, .loops = LOOPS, .sweep = true)
{
    struct wf_shared_event *start;
    if (wf_shared_event_create(WF_WITH_LOOPS, &start) < 0) return;
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 2 * LOOPS; i++) wf_spawn_on(&scope, i % LOOPS, wait_for_start, &start);
        wf_spawn_on(&scope, 2, set_soon, &start);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    if (!wf_test_injected()) {
        WF_EXPECT(wf_shared_event_is_set(start));
        WF_EXPECT_CODE(wf_shared_event_wait(start), 0);
        wf_shared_event_clear(start);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_shared_event_wait(start)), -ETIME);
    }
    wf_shared_event_destroy(start);
}

static int wait_at_nothing(struct work *work)
{
    int number;
    return wf_shared_receive(work->jobs, &number);
}

static int wait_for_each_other(void *unused)
{
    (void)unused;
    struct work work = {.first = 0};
    if (!create_two(&work, 0)) return -ENOMEM;
    int rc;
    {
        WF_SCOPE(scope);
        for (int i = 0; i < 3; i++) wf_spawn_on(&scope, i % wf_loops_count(), wait_at_nothing, &work);
        rc = wf_scope_join(&scope);
    }
    wf_shared_channel_destroy(work.jobs);
    wf_shared_channel_destroy(work.results);
    return rc;
}

WF_TEST(loops_that_wait_at_one_channel_are_a_deadlock, .plain = true, .rule = "8.2")
{
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_run(wait_for_each_other, NULL), -EDEADLK);
    for (int i = 0; i < 5; i++) WF_EXPECT_CODE(wf_run(wait_for_each_other, NULL, .threads = 3), -EDEADLK);
    WF_EXPECT_PART(wf_test_reports(), "an item in a shared channel");
}

/* ---- Threads without a loop ---- */

struct outside {
    struct wf_shared_channel *questions, *answers;
    struct wf_shared_event *over;
};

static void *answer_questions(void *argument)
{
    struct outside *outside = argument;
    int number;
    while (wf_shared_receive_blocking(outside->questions, &number) > 0) {
        number *= 2;
        if (wf_shared_send_blocking(outside->answers, &number) < 0) break;
    }
    wf_shared_event_wait_blocking(outside->over);
    return NULL;
}

static int ask_questions(struct outside *outside)
{
    for (int i = 0; i < 200; i++) {
        int answer, rc = wf_shared_send(outside->questions, &i);
        if (rc == 0) rc = wf_shared_receive(outside->answers, &answer);
        if (rc < 0) return rc;
        if (answer != 2 * i) return -EPROTO;
    }
    wf_shared_channel_close(outside->questions);
    return 0;
}

/* real time: threads of our own */
WF_TEST(threads_without_a_loop_take_part, .loops = 2, .real = true)
{
    struct outside outside;
    pthread_t thread;
    WF_EXPECT_CODE(wf_shared_channel_create(sizeof(int), 1, WF_WITH_THREADS, &outside.questions), 0);
    WF_EXPECT_CODE(wf_shared_channel_create(sizeof(int), 0, WF_WITH_THREADS, &outside.answers), 0);
    WF_EXPECT_CODE(wf_shared_event_create(WF_WITH_THREADS, &outside.over), 0);
    if (wf_test_failed()) return;
    WF_EXPECT_CODE(pthread_create(&thread, NULL, answer_questions, &outside), 0);
    WF_EXPECT_CODE(wf_call_on(1, ask_questions, &outside), 0);
    wf_shared_event_set(outside.over);
    pthread_join(thread, NULL);
    wf_shared_channel_destroy(outside.questions);
    wf_shared_channel_destroy(outside.answers);
    wf_shared_event_destroy(outside.over);
}

static int answer_in_job(struct outside *outside)
{
    int number = 21;
    return wf_shared_send_blocking(outside->answers, &number);
}

static int offload_answer(struct outside *outside)
{
    return wf_offload(answer_in_job, outside);
}

WF_TEST(a_job_takes_part_without_being_called_a_thread, .loops = 2, .real = true)
{
    struct outside outside;
    if (!WF_EXPECT_CODE(wf_shared_channel_create(sizeof(int), 0, WF_WITH_LOOPS, &outside.answers), 0)) return;
    {
        int number = 0;
        WF_SCOPE(scope);
        wf_spawn_on(&scope, 1, offload_answer, &outside);
        WF_EXPECT_CODE(wf_shared_receive(outside.answers, &number), 1);
        WF_EXPECT_INT(number, 21);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    wf_shared_channel_destroy(outside.answers);
}

static void *use_from_outside(void *channel)
{
    int number = 1;
    wf_ignore(wf_shared_try_send((struct wf_shared_channel *)channel, &number));
    return NULL;
}

WF_TEST(a_thread_that_was_not_told_of_is_a_misuse, .dies = "Create it WF_WITH_THREADS")
{
    struct wf_shared_channel *channel;
    pthread_t thread;
    wf_ignore(wf_shared_channel_create(sizeof(int), 1, WF_WITH_LOOPS, &channel));
    pthread_create(&thread, NULL, use_from_outside, channel);
    pthread_join(thread, NULL);
}

WF_TEST(blocking_a_loop_is_a_misuse, .dies = "would block a thread that runs a loop")
{
    struct wf_shared_event *event;
    if (wf_shared_event_create(WF_WITH_THREADS, &event) == 0) wf_shared_event_wait_blocking(event);
}

WF_TEST(an_item_of_another_size_is_a_misuse, .dies = "an item of 1 bytes was given")
{
    struct wf_shared_channel *channel;
    char item = 'x';
    if (wf_shared_channel_create(sizeof(int), 1, WF_WITH_LOOPS, &channel) == 0)
        wf_ignore(wf_shared_try_send(channel, &item));
}

static int destroy_while_waiting(struct work *work)
{
    wf_shared_channel_destroy(work->jobs);
    return 0;
}

WF_TEST(destroying_what_is_waited_for_is_a_misuse, .loops = 2, .dies = "while tasks or threads wait for the object")
{
    struct work work = {.first = 0};
    if (!create_two(&work, 0)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, receive_one, &work);
    wf_yield();
    wf_call_on(1, destroy_while_waiting, &work);
    wf_scope_join(&scope);
}

WF_TEST_MAIN
