/* The contract of scopes, tasks, time, loops, threads and memory: contract.h says what the lines mean. */
#include <fcntl.h>
#include <unistd.h>

#include "../contract.h"

static int sleep_for_ever(void *unused)
{
    (void)unused;
    return wf_sleep(WF_SECONDS(3600));
}

static int return_code(int *code)
{
    return *code;
}

static int count_up(int *count)
{
    return ++*count;
}

/* ---- What may suspend ---- */

WF_TEST(a_refused_sleep_returns_at_once, .rule = "1.1 1.7")
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_sleep, wf_sleep(WF_SECONDS(3600)));
    REFUSED(wf_sleep_until, wf_sleep_until(WF_FOREVER));
    REFUSED(wf_yield, wf_yield());
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refused_spawn_runs_nothing_and_leaves_the_argument, .rule = "1.1 1.3 1.7 3.5")
{
    int count = 0;
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope);
    WF_SCOPE(limited, .limit = 1);
    spawn_sibling(&scope);
    wf_spawn(&limited, sleep_for_ever, NULL);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_spawn, wf_spawn(&scope, count_up, &count, .handle = &handle));
    REFUSED(wf_spawn_copy, wf_spawn_copy(&scope, count_up, &count));
    REFUSED(wf_spawn_ready, wf_spawn_ready(&scope, count_up, &count));
    WF_EXPECT_CODE(wf_spawn(&limited, count_up, &count), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_handle_result(&handle), -EINVAL);
    wf_scope_cancel(&limited, "done");
    WF_EXPECT_CODE(wf_scope_join(&limited), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(count, 0);
}

WF_TEST(a_refused_wait_for_children_loses_none, .rule = "1.1 1.3 1.7")
{
    int code = 7;
    struct wf_handle ended = {.result_ = 0}, alive = {.result_ = 0};
    struct wf_handle *both[] = {&ended, &alive};
    struct wf_finished finished = {.result = -1};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(children, .keep_finished = true);
    wf_spawn(&children, return_code, &code, .handle = &ended);
    wf_spawn(&children, sleep_for_ever, NULL, .handle = &alive);
    wf_yield();
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_handle_join, wf_handle_join(&ended));
    REFUSED(wf_wait_handles, wf_wait_handles(both, 2, WF_ANY_DONE));
    REFUSED(wf_scope_next, wf_scope_next(&children, &finished));
    WF_EXPECT_INT(finished.result, -1);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_handle_join(&ended), 7);
    WF_EXPECT_CODE(wf_wait_handles(both, 2, WF_ANY_DONE), 1);
    WF_EXPECT_CODE(wf_scope_next(&children, &finished), 1);
    WF_EXPECT_INT(finished.result, 7);
    wf_scope_cancel(&children, "done");
    WF_EXPECT_CODE(wf_scope_join(&children), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refused_wait_for_a_child_that_is_alive_does_not_wait, .rule = "1.1 1.4 1.7")
{
    struct wf_handle alive = {.result_ = 0};
    struct wf_handle *handles[] = {&alive};
    struct wf_finished finished = {.result = -1};
    int count = 0;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(children, .keep_finished = true, .limit = 1);
    wf_spawn(&children, sleep_for_ever, NULL, .handle = &alive);
    wf_yield();
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED_TOO(wf_handle_join, wf_handle_join(&alive));
    REFUSED_TOO(wf_wait_handles, wf_wait_handles(handles, 1, WF_ALL_DONE));
    REFUSED_TOO(wf_scope_next, wf_scope_next(&children, &finished));
    REFUSED_TOO(wf_spawn, wf_spawn(&children, count_up, &count));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    wf_scope_cancel(&children, "done");
    WF_EXPECT_CODE(wf_scope_join(&children), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(count, 0);
}

static int destroyed;

static void destroy(int *count)
{
    (void)count;
    destroyed++;
}

WF_TEST(refused_jobs_never_run, .rule = "1.1 1.3 1.7 6.2")
{
    int counts[3] = {0}, status[3] = {1, 1, 1};
    size_t winner = 99;
    destroyed = 0;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_offload, wf_offload(count_up, &counts[0]));
    REFUSED(wf_offload_abandon, wf_offload_abandon(count_up, &counts[0], destroy));
    WF_EXPECT_INT(destroyed, 1);
    REFUSED(wf_gather, wf_gather(counts, 3, count_up, .collect = status));
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(status[i], -ECANCELED);
    REFUSED(wf_race, wf_race(counts, 3, count_up, .winner = &winner));
    WF_EXPECT_INT((int64_t)winner, 99);
    WF_EXPECT_CODE(wf_gather(counts, 3, count_up), -ECANCELED);
    WF_EXPECT_CODE(wf_gather(counts, 0, count_up), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    for (int i = 0; i < 3; i++) WF_EXPECT_INT(counts[i], 0);
}

/* ---- What a cancel cannot cut short ---- */

static int clean_up(int *count)
{
    wf_shielded(WF_SECONDS(60), wf_sleep(WF_MILLISECONDS(2)));
    return count_up(count);
}

static void spawn_cleaners(struct wf_scope *scope, int *count)
{
    wf_spawn(scope, clean_up, count);
    wf_spawn(scope, clean_up, count);
    wf_yield();
}

static int leave_block(struct wf_scope *outer, int *count)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, clean_up, count, .daemon = true);
    wf_yield();
    wf_scope_cancel(outer, "while it cleans up");
    return 3;
}

WF_TEST(the_end_of_a_cancelled_scope_waits_for_its_children, .rule = "1.7 3.2")
{
    int count = 0;
    WF_SCOPE(cancelled);
    WF_SCOPE(ended);
    spawn_cleaners(&ended, &count);
    WF_SCOPE(joined);
    spawn_cleaners(&joined, &count);
    COMPLETES(WF_SCOPE, leave_block(&cancelled, &count), 3);
    WF_EXPECT(count > 0);
    COMPLETES(wf_scope_join, wf_scope_join(&joined), 0);
    COMPLETES(wf_scope_end, wf_scope_end(&ended, 17), 17);
    WF_EXPECT_INT(count, 5);
    WF_EXPECT_CODE(wf_scope_end(&cancelled, 0), 0);
}

WF_TEST(a_deadline_around_an_expression_has_no_wait_of_its_own, .rule = "1.7 2.4")
{
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the expressions");
    COMPLETES(wf_within, wf_within(WF_SECONDS(1), 7), 7);
    COMPLETES(wf_until, wf_until(wf_now() + WF_SECONDS(1), 8), 8);
    COMPLETES(wf_shielded, wf_shielded(WF_SECONDS(60), wf_sleep(WF_MILLISECONDS(1))), 0);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_yield()), -ECANCELED);
    WF_EXPECT_CODE(wf_until(wf_now() + WF_SECONDS(1), wf_yield()), -ECANCELED);
    WF_EXPECT_CODE(wf_scope_end(&cancelled, 0), 0);
}

/* ---- What never suspends ---- */

static int fail_with_message(void *unused)
{
    (void)unused;
    return wf_fail(-EIO, "on purpose");
}

WF_TEST(asking_about_a_scope_and_ending_what_is_in_it_never_suspends, .rule = "1.7")
{
    int code = 0;
    struct wf_handle handle = {.result_ = 0};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(asked, .policy = WF_COLLECT);
    STAYS(wf_try_spawn, WF_EXPECT_CODE(wf_try_spawn(&asked, sleep_for_ever, NULL, .handle = &handle), 0));
    wf_spawn(&asked, fail_with_message, NULL);
    wf_yield();
    STAYS(wf_handle_done, WF_EXPECT(!wf_handle_done(&handle)));
    STAYS(wf_handle_result, WF_EXPECT_CODE(wf_handle_result(&handle), -EINPROGRESS));
    STAYS(wf_handle_cancel, wf_handle_cancel(&handle, "enough"));
    STAYS(wf_scope_set_deadline, wf_scope_set_deadline(&asked, WF_FOREVER));
    STAYS(wf_scope_drain, wf_scope_drain(&asked));
    STAYS(wf_scope_trim, wf_scope_trim(&asked));
    STAYS(wf_scope_cancelled, WF_EXPECT(!wf_scope_cancelled(&asked)));
    STAYS(wf_scope_cancel, wf_scope_cancel(&asked, "enough"));
    STAYS(wf_scope_reason, WF_EXPECT_TEXT(wf_scope_reason(&asked)->text, "enough"));
    STAYS(wf_scope_expired, WF_EXPECT(!wf_scope_expired(&asked)));
    STAYS(wf_scope_alive, (void)wf_scope_alive(&asked));
    STAYS(wf_scope_arena, WF_EXPECT(wf_scope_arena(&asked) != NULL));
    WF_EXPECT_CODE(wf_scope_join(&asked), -EIO);
    STAYS(wf_scope_caught, WF_EXPECT(!wf_scope_caught(&asked)));
    STAYS(wf_scope_errors, WF_EXPECT(wf_scope_errors(&asked) != NULL));
    STAYS(wf_each_error, wf_each_error(&asked, error) code = error->code);
    STAYS(wf_scope_rest, WF_EXPECT_CODE(wf_scope_rest(&asked), code));
    STAYS(wf_take_error, wf_each_error(&asked, error) wf_take_error(error));
    STAYS(wf_scope_errors_dropped, WF_EXPECT_INT((int64_t)wf_scope_errors_dropped(&asked), 0));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static int say_ready(void *unused)
{
    (void)unused;
    STAYS(wf_ready, wf_ready(5));
    return 0;
}

static struct wf_local key = {.name = "key"};

WF_TEST(asking_about_oneself_never_suspends, .rule = "1.7")
{
    WF_SCOPE(scope, .timeout = WF_SECONDS(5));
    spawn_sibling(&scope);
    WF_EXPECT_CODE(wf_spawn_ready(&scope, say_ready, NULL), 5);
    STAYS(wf_in_task, WF_EXPECT(wf_in_task()));
    STAYS(wf_task_name, WF_EXPECT(wf_task_name() != NULL));
    STAYS(wf_task_id, WF_EXPECT(wf_task_id() > 0));
    STAYS(wf_cancelled, WF_EXPECT(!wf_cancelled()));
    STAYS(wf_cancel_reason, WF_EXPECT(wf_cancel_reason() == NULL));
    STAYS(wf_caught_reason, WF_EXPECT(wf_caught_reason() == NULL));
    STAYS(wf_draining, WF_EXPECT(!wf_draining()));
    STAYS(wf_deadline, WF_EXPECT(wf_deadline() < WF_FOREVER));
    STAYS(wf_remaining, WF_EXPECT(wf_remaining() <= WF_SECONDS(5)));
    STAYS(wf_fail, WF_EXPECT_CODE(wf_fail(-EIO, "said"), -EIO));
    STAYS(wf_failure, WF_EXPECT_TEXT(wf_failure(), "said"));
    STAYS(wf_forget_failure, {
        wf_forget_failure();
        WF_EXPECT(wf_failure() == NULL);
    });
    STAYS(wf_task_arena, WF_EXPECT(wf_task_arena() != NULL));
    STAYS(WF_BIND, WF_BIND(bound, &key, "value"));
    STAYS(wf_local_get, WF_EXPECT(wf_local_get(&key) == NULL));
    STAYS(wf_now, WF_EXPECT(wf_now() > 0));
    STAYS(wf_seconds, (void)wf_seconds(WF_SECONDS(1)));
    STAYS(wf_deadline_after, (void)wf_deadline_after(1));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* The messages of wf_main and wf_exit_status are not of this test. */
static int quietly(int (*call)(void))
{
    int error = dup(STDERR_FILENO), nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(nowhere, STDERR_FILENO);
    int rc = call();
    dup2(error, STDERR_FILENO);
    close(error);
    close(nowhere);
    return rc;
}

static int main_inside(void)
{
    return wf_main(sleep_for_ever, NULL);
}

static void ignore_report(void *context, const char *text)
{
    (void)context, (void)text;
}

WF_TEST(asking_about_the_loop_and_the_process_never_suspends, .rule = "1.7")
{
    wf_test_allow_reports();
    struct wf_statistics statistics;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_run, WF_EXPECT_CODE(wf_run(sleep_for_ever, NULL), -EBUSY));
    struct wf_embedded *embedded = NULL;
    STAYS(wf_embed_begin, WF_EXPECT_CODE(wf_embed_begin(&embedded, sleep_for_ever, NULL), -EBUSY));
    STAYS(wf_embed_turn, WF_EXPECT_CODE(wf_embed_turn(embedded), -EBUSY));
    STAYS(wf_embed_fd, WF_EXPECT_CODE(wf_embed_fd(embedded), -EBADF));
    STAYS(wf_embed_patience, WF_EXPECT_INT(wf_embed_patience(embedded), WF_FOREVER));
    STAYS(wf_embed_finish, WF_EXPECT_CODE(wf_embed_finish(embedded), -EBUSY));
    STAYS(wf_main, WF_EXPECT_INT(quietly(main_inside), 1));
    STAYS(wf_exit_status, WF_EXPECT_INT(wf_exit_status(0), 0));
    STAYS(wf_driver_name, WF_EXPECT(wf_driver_name() != NULL));
    STAYS(wf_driver_refusal, WF_EXPECT(wf_driver_refusal() != NULL));
    STAYS(wf_loop_statistics, wf_loop_statistics(&statistics));
    STAYS(wf_dump, wf_dump());
    STAYS(wf_record_dump, WF_EXPECT_CODE(wf_record_dump(NULL), -EINVAL));
    STAYS(wf_dump_to, WF_EXPECT_CODE(wf_dump_to(NULL), -EINVAL));
    STAYS(wf_report, wf_report("for the record"));
    STAYS(wf_strerror, WF_EXPECT(wf_strerror(-EIO) != NULL));
    STAYS(wf_set_allocator, WF_EXPECT_CODE(wf_set_allocator(NULL), -EBUSY));
    STAYS(wf_allocated_blocks, (void)wf_allocated_blocks());
    STAYS(wf_set_report, wf_set_report(ignore_report, NULL));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static char *print_into(struct wf_arena *arena, const char *format, ...) WF_PRINTF_(2, 3);

static char *print_into(struct wf_arena *arena, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = wf_arena_vprintf(arena, format, arguments);
    va_end(arguments);
    return text;
}

static void note_call(const char *what)
{
    wf_test_note("%s", what);
}

WF_TEST(arenas_never_suspend, .rule = "1.7")
{
    struct wf_arena arena;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_arena_init, wf_arena_init(&arena));
    STAYS(wf_arena_set_limit, wf_arena_set_limit(&arena, 1 << 20));
    STAYS(wf_arena_alloc, WF_EXPECT(wf_arena_alloc(&arena, 10) != NULL));
    STAYS(wf_arena_zero, WF_EXPECT(wf_arena_zero(&arena, 10) != NULL));
    STAYS(wf_arena_array, WF_EXPECT(wf_arena_array(&arena, 10, 10) != NULL));
    STAYS(wf_arena_new, WF_EXPECT(wf_arena_new(&arena, int) != NULL));
    STAYS(wf_arena_copy, WF_EXPECT(wf_arena_copy(&arena, "text", 5) != NULL));
    STAYS(wf_arena_strdup, WF_EXPECT_TEXT(wf_arena_strdup(&arena, "text"), "text"));
    STAYS(wf_arena_strndup, WF_EXPECT_TEXT(wf_arena_strndup(&arena, "text", 2), "te"));
    STAYS(wf_arena_printf, WF_EXPECT_TEXT(wf_arena_printf(&arena, "%d", 17), "17"));
    STAYS(wf_arena_vprintf, WF_EXPECT_TEXT(print_into(&arena, "%d", 18), "18"));
    STAYS(wf_arena_used, WF_EXPECT(wf_arena_used(&arena) > 0));
    STAYS(wf_arena_defer, WF_EXPECT_CODE(wf_arena_defer(&arena, note_call, "called"), 0));
    STAYS(wf_arena_reset, wf_arena_reset(&arena));
    STAYS(wf_arena_finish, wf_arena_finish(&arena));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
