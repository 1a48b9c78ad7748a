/* Rules 2.1, 5.1, 5.2, 7.1, 7.4, 8.2: loops, turns, timers, signals, deadlock, overflow. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

static int return_code(int *code)
{
    return *code;
}

/* S002 */
static int run_again(int *rc)
{
    int fine = 0;
    *rc = wf_run(return_code, &fine);
    return 3;
}

WF_TEST(run_returns_the_main_result_and_can_be_called_again, .plain = true)
{
    wf_test_allow_reports();
    int rc = 0;
    WF_EXPECT_CODE(wf_run(run_again, &rc), 3);
    WF_EXPECT_CODE(rc, -EBUSY);
    WF_EXPECT_CODE(wf_run(run_again, &rc), 3);
    int bad = -EPROTO;
    WF_EXPECT_CODE(wf_run(return_code, &bad), -EPROTO);
    WF_EXPECT_CODE(wf_run(return_code, &bad, .driver = "none"), -EINVAL);
    WF_EXPECT_CODE(wf_run(return_code, &bad, .stack_size = SIZE_MAX / 2), -EINVAL);
}

WF_TEST(a_suspending_call_outside_a_task_teaches, .plain = true, .dies = "was called outside a task")
{
    wf_sleep(1);
}

/* 5.1 */
static char trace[64];
static size_t trace_size;

static int leave_trace(const char *letter)
{
    for (int i = 0; i < 3; i++) {
        trace[trace_size++] = *letter;
        wf_yield();
    }
    return 0;
}

WF_TEST(tasks_take_turns_in_order, .rule = "5.1")
{
    trace_size = 0;
    memset(trace, 0, sizeof trace);
    WF_SCOPE(scope);
    wf_spawn(&scope, leave_trace, "a");
    wf_spawn(&scope, leave_trace, "b");
    wf_spawn(&scope, leave_trace, "c");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_TEXT(trace, "abcabcabc");
}

/* 5.2 */
static int flood_events(bool *stop)
{
    struct wf_event set = WF_EVENT;
    wf_event_set(&set);
    while (!*stop) {
        int rc = wf_event_wait(&set);
        if (rc < 0) return rc;
    }
    return 0;
}

WF_TEST(calls_that_need_not_wait_still_let_others_run, .rule = "5.2", .real = true)
{
    bool stop = false;
    WF_SCOPE(scope);
    wf_spawn(&scope, flood_events, &stop);
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(1)), 0);
    stop = true;
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* S014 */
struct sleeper {
    int64_t duration, late;
};

static int sleep_exactly(struct sleeper *sleeper)
{
    int64_t started = wf_now();
    int rc = wf_sleep(sleeper->duration);
    sleeper->late = wf_now() - started - sleeper->duration;
    return rc;
}

/* ThreadSanitizer knows no more than 8128 contexts, and takes milliseconds to make one. */
#if defined(__SANITIZE_THREAD__)
#define SLEEPERS 1000
#else
#define SLEEPERS 10000
#endif

WF_TEST(ten_thousand_sleepers_are_never_early_and_end_in_one_batch, .rule = "5.1", .timeout = WF_SECONDS(100))
{
    enum { COUNT = SLEEPERS };
    struct sleeper *sleepers = calloc(COUNT, sizeof *sleepers);
    int64_t started = wf_now();
    for (int i = 0; i < COUNT; i++) sleepers[i].duration = WF_MILLISECONDS(100) + i % 7 * WF_MICROSECONDS(137);
    WF_EXPECT_CODE(wf_gather(sleepers, COUNT, sleep_exactly), 0);
    WF_EXPECT(wf_now() - started < WF_SECONDS(60)); /* one after another they would take 100 s at least */
    int early = 0;
    for (int i = 0; i < COUNT; i++) early += sleepers[i].late < 0;
    WF_EXPECT_INT(early, 0);
    free(sleepers);
}

static int64_t processor_time(void)
{
    struct timespec time;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* S001 */
WF_TEST(an_idle_loop_uses_no_processor, .real = true)
{
    int64_t used = processor_time();
    struct sleeper sleepers[2] = {{.duration = WF_MILLISECONDS(300)}, {.duration = WF_MILLISECONDS(300)}};
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_gather(sleepers, 2, sleep_exactly), 0);
    int64_t took = wf_now() - started;
    WF_EXPECT(took >= WF_MILLISECONDS(300) && took < WF_MILLISECONDS(450));
    WF_EXPECT(processor_time() - used < WF_MILLISECONDS(30));
}

WF_TEST(sleep_of_zero_yields_once)
{
    trace_size = 0;
    memset(trace, 0, sizeof trace);
    WF_SCOPE(scope);
    wf_spawn(&scope, leave_trace, "a");
    WF_EXPECT_CODE(wf_sleep(0), 0);
    WF_EXPECT_TEXT(trace, "a");
    WF_EXPECT_CODE(wf_sleep(-5), 0);
    WF_EXPECT_TEXT(trace, "aa");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* 8.2 */
static int wait_for_nothing(struct wf_event *event)
{
    return wf_event_wait(event);
}

static int deadlock(void *unused)
{
    (void)unused;
    struct wf_event never = WF_EVENT;
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_for_nothing, &never, .name = "lost");
    return wf_scope_join(&scope);
}

WF_TEST(a_deadlock_is_reported_with_the_tasks_and_ended, .rule = "8.2", .plain = true)
{
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_run(deadlock, NULL), -EDEADLK);
    WF_EXPECT_PART(wf_test_reports(), "deadlock");
    WF_EXPECT_PART(wf_test_reports(), "lost");
    WF_EXPECT_PART(wf_test_reports(), "an event");
    WF_EXPECT_PART(wf_test_reports(), "KiB of stack");
}

/* Fibers: an overflow is named, with the task; under a sanitizer by that. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define OVERFLOW_SAYS "stack-overflow"
#else
#define OVERFLOW_SAYS "stack overflow in task 'deep'"
#endif

static int recurse(int *depth)
{
    volatile char frame[512];
    frame[*depth % 512] = 1;
    if (++*depth == INT32_MAX) return 0;
    return recurse(depth) + frame[17];
}

WF_TEST(a_stack_overflow_names_the_task, .rule = "3.12", .dies = OVERFLOW_SAYS)
{
    int depth = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, recurse, &depth, .name = "deep");
    wf_scope_join(&scope);
}

static int use_stack(int depth)
{
    volatile char frame[1024];
    frame[depth % 1024] = (char)depth;
    if (depth > 0) return use_stack(depth - 1) + (frame[depth % 1024] == (char)depth ? 0 : -EIO);
    return wf_yield();
}

static int use_much_stack(int *depth)
{
    return use_stack(*depth);
}

WF_TEST(a_task_may_have_a_larger_stack)
{
    int depth = 300;
    WF_SCOPE(scope);
    for (int i = 0; i < 5; i++) wf_spawn(&scope, use_much_stack, &depth, .stack_size = 1 << 20);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ThreadSanitizer holds signals back until a system call that it knows. */
#if !defined(__SANITIZE_THREAD__)

/* Signals, in a process of their own. */
static int serve_for_ever(int *ready)
{
    if (write(*ready, "r", 1) != 1) return -EIO;
    return wf_sleep(WF_SECONDS(3600));
}

static int stubborn_server(int *ready)
{
    if (write(*ready, "r", 1) != 1) return -EIO;
    return wf_shielded(WF_SECONDS(60), wf_sleep(WF_SECONDS(30)));
}

static int signalled(int (*server)(int *), int64_t grace, int signals)
{
    int ends[2];
    if (pipe(ends) < 0) return -1;
    pid_t pid = fork();
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY), STDERR_FILENO);
        _exit(wf_main(server, &ends[1], .signals = true, .grace = grace));
    }
    char byte;
    if (read(ends[0], &byte, 1) != 1) return -1;
    int status = 0;
    for (int i = 0; i < signals; i++) {
        kill(pid, SIGTERM);
        struct timespec between = {.tv_nsec = 20000000};
        nanosleep(&between, NULL); /* real time: two signals at once count as one */
    }
    waitpid(pid, &status, 0);
    close(ends[0]);
    close(ends[1]);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

WF_TEST(the_first_signal_drains_and_the_grace_cancels, .rule = "7.1 7.4", .plain = true, .real = true)
{
    int64_t started = wf_now();
    WF_EXPECT_INT(signalled(serve_for_ever, WF_MILLISECONDS(50), 1), 128 + SIGTERM);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(50));
    WF_EXPECT_INT(signalled(serve_for_ever, 0, 1), 128 + SIGTERM);
}

WF_TEST(the_second_signal_cancels_and_the_third_ends_the_process, .rule = "7.1", .plain = true, .real = true)
{
    WF_EXPECT_INT(signalled(serve_for_ever, WF_SECONDS(60), 2), 128 + SIGTERM);
    WF_EXPECT_INT(signalled(stubborn_server, WF_SECONDS(60), 3), 128 + SIGTERM);
}

#endif

/* fork: the child may exec; a suspending call there is refused with a clear word. */
static int fork_inside(int *status)
{
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/true", "true", (char *)NULL);
        _exit(1);
    }
    waitpid(pid, status, 0);
    return wf_sleep(WF_MILLISECONDS(1));
}

WF_TEST(fork_and_exec_inside_a_task_leave_the_loop_alone, .rule = "6.3")
{
    int status = -1;
    WF_EXPECT_CODE(fork_inside(&status), 0);
    WF_EXPECT_INT(status, 0);
}

static int sleep_in_forked_child(void *unused)
{
    (void)unused;
    if (fork() == 0) {
        wf_sleep(1);
        _exit(0);
    }
    int status = 0;
    wait(&status);
    _exit(WIFSIGNALED(status) ? 1 : 0);
}

WF_TEST(a_suspending_call_in_a_forked_child_is_refused, .rule = "6.3", .plain = true,
        .dies = "was called outside a task")
{
    wf_run(sleep_in_forked_child, NULL);
}

/* A kernel or a container that refuses io_uring: the loop runs on epoll and can say why. */
static int say_driver(void *unused)
{
    (void)unused;
    fprintf(stderr, "driver %s, refused: %s\n", wf_driver_name(), wf_driver_refusal());
    return wf_sleep(WF_MILLISECONDS(1));
}

static void refuse_call(unsigned number)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = WF_COUNT(filter), .filter = filter};
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program);
}

WF_TEST(a_refused_io_uring_falls_back_and_the_reason_can_be_asked, .plain = true, .real = true,
        .dies = "driver epoll, refused: uring: ")
{
    refuse_call(SYS_io_uring_setup);
    unsetenv("WEFT_DRIVER");
    _exit(wf_run(say_driver, NULL) == 0 ? 3 : 0);
}

WF_TEST(a_refused_epoll_pwait2_is_done_without, .plain = true, .dies = "driver epoll", .real = true)
{
    refuse_call(SYS_epoll_pwait2);
    _exit(wf_run(say_driver, NULL, .driver = "epoll") == 0 ? 3 : 0);
}

/* Limits */
static int count_failures(int *refused)
{
    int fine = 0;
    WF_SCOPE(scope);
    for (int i = 0; i < 10; i++)
        if (wf_try_spawn(&scope, return_code, &fine) == -EAGAIN) ++*refused;
    return wf_scope_join(&scope);
}

WF_TEST(a_limit_on_tasks_is_an_error_that_the_program_survives, .plain = true)
{
    int refused = 0;
    WF_EXPECT_CODE(wf_run(count_failures, &refused, .tasks_max = 5), 0);
    WF_EXPECT_INT(refused, 6);
}

WF_TEST_MAIN
