/* Lines on their way out: nobody waits for a reader, nothing is lost unsaid, processes come and go. */
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "base/sanitize.h" /* what a sanitizer does not bear */

/* The log goes to a descriptor of the test's, and back where it was at the end. */
static void log_to(int fd)
{
    wf_log_set_hook(NULL, NULL);
    WF_EXPECT_CODE(wf_log_set_output(fd), 0);
}

static void log_back(void)
{
    wf_log_stop(0);
    WF_EXPECT_CODE(wf_log_set_output(STDERR_FILENO), 0);
}

static uint64_t dropped(void)
{
    struct wf_log_statistics statistics;
    wf_log_statistics(&statistics);
    return statistics.dropped;
}

static void close_both(int ends[2])
{
    close(ends[0]);
    close(ends[1]);
}

/* ---- What was written ---- */

struct text {
    size_t size;
    char bytes[8 << 20];
};

static struct text said;

static bool read_some(int fd)
{
    ssize_t got = read(fd, said.bytes + said.size, sizeof said.bytes - 1 - said.size);
    if (got > 0) said.size += (size_t)got;
    said.bytes[said.size] = '\0';
    return got > 0;
}

static void read_all(int fd)
{
    said.size = 0;
    while (read_some(fd)) {}
}

static uint64_t count_parts(const char *part)
{
    uint64_t count = 0;
    for (const char *at = said.bytes; (at = strstr(at, part)) != NULL; at++) count++;
    return count;
}

/* ---- A reader who does not read ---- */

enum { LINES = 20000 };

static const char long_text[] = "a text that makes the line so long that many of them fill whatever is in between";

static int log_many(int *ticks)
{
    for (int i = 0; i < LINES; i++) {
        wf_log(WF_INFO, "line", WF_INT("i", i), WF_TEXT("text", long_text));
        if (i % 100 == 0) wf_yield();
    }
    return *ticks;
}

static int tick(int *ticks)
{
    while (wf_yield() == 0) ++*ticks;
    return 0;
}

static int log_beside_a_ticker(int *ticks)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, tick, ticks, .daemon = true);
    wf_spawn(&scope, log_many, ticks);
    return wf_scope_join(&scope);
}

/* One for each time that there was no room. */
static uint64_t sum_of_notices(void)
{
    static const char notice[] = "level=warn module=log msg=\"messages were dropped\" count=";
    uint64_t sum = 0;
    for (const char *at = said.bytes; (at = strstr(at, notice)) != NULL; at++)
        if (strchr(at, '\n') != NULL) sum += strtoull(at + sizeof notice - 1, NULL, 10);
    return sum;
}

static void expect_drops_and_no_waiting(int ends[2])
{
    int ticks = 0, flags = fcntl(ends[1], F_GETFL);
    uint64_t before = dropped();
    log_to(ends[1]);
    WF_EXPECT_CODE(wf_run(log_beside_a_ticker, &ticks), 0);
    uint64_t lost = dropped() - before;
    WF_EXPECT(ticks >= LINES / 100);
    WF_EXPECT(lost > LINES / 2 && lost < LINES);
    said.size = 0;
    while ((sum_of_notices() < lost || count_parts("msg=line") < LINES - lost) && read_some(ends[0])) {}
    WF_EXPECT_INT((int64_t)sum_of_notices(), (int64_t)lost);
    WF_EXPECT_INT((int64_t)count_parts("msg=line"), (int64_t)(LINES - lost));
    WF_EXPECT_INT((int64_t)(dropped() - before), (int64_t)lost);
    WF_EXPECT_INT(fcntl(ends[1], F_GETFL), flags);
    log_back();
}

WF_TEST(a_full_pipe_blocks_no_task_and_drops_are_counted_and_told, .plain = true, .real = true, .rule = "8.5")
{
    int ends[2];
    WF_EXPECT_CODE(pipe2(ends, O_CLOEXEC), 0);
    expect_drops_and_no_waiting(ends);
    close_both(ends);
}

WF_TEST(a_full_socket_is_the_same, .plain = true, .real = true)
{
    int ends[2];
    WF_EXPECT_CODE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    expect_drops_and_no_waiting(ends);
    close_both(ends);
}

static void expect_bounded_stop(int ends[2])
{
    log_to(ends[1]);
    for (int i = 0; i < 1500; i++) wf_log(WF_INFO, "line", WF_TEXT("text", long_text));
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_log_stop(WF_MILLISECONDS(50)), -ETIME);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(50));
    WF_EXPECT_CODE(wf_log_stop(WF_SECONDS(1)), 0);
    log_back();
    close_both(ends);
}

WF_TEST(stopping_waits_for_a_reader_no_longer_than_it_is_told, .plain = true, .real = true)
{
    int ends[2], size = 4096;
    WF_EXPECT_CODE(pipe2(ends, O_CLOEXEC), 0);
    expect_bounded_stop(ends);
    WF_EXPECT_CODE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    WF_EXPECT_CODE(setsockopt(ends[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof size), 0);
    expect_bounded_stop(ends);
}

WF_TEST(a_reader_who_left_costs_lines_and_nothing_else, .plain = true, .real = true)
{
    int ends[2];
    WF_EXPECT_CODE(pipe2(ends, O_CLOEXEC), 0);
    log_to(ends[1]);
    close(ends[0]);
    uint64_t before = dropped();
    wf_log(WF_INFO, "into the void");
    wf_log_stop(WF_SECONDS(5));
    WF_EXPECT_INT((int64_t)(dropped() - before), 1);
    log_back();
    close(ends[1]);
}

WF_TEST(a_descriptor_that_is_none_is_refused, .plain = true)
{
    WF_EXPECT_CODE(wf_log_set_output(-1), -EBADF);
    WF_EXPECT_CODE(wf_log_set_output(100000), -EBADF);
}

WF_TEST(the_thread_ends_when_stopped_and_the_next_line_starts_it_again, .plain = true, .real = true)
{
    int ends[2];
    WF_EXPECT_CODE(pipe2(ends, O_CLOEXEC), 0);
    log_to(ends[1]);
    for (int i = 0; i < 3; i++) {
        wf_log(WF_INFO, "again");
        WF_EXPECT_CODE(wf_log_stop(WF_SECONDS(5)), 0);
    }
    log_back();
    close(ends[1]);
    read_all(ends[0]);
    WF_EXPECT_INT((int64_t)count_parts("msg=again"), 3);
    close(ends[0]);
}

/* The read below ends only when nobody holds the other end any more. */
WF_TEST(who_has_nothing_to_say_keeps_no_pipe_open, .plain = true, .real = true)
{
    int ends[2];
    WF_EXPECT_CODE(pipe2(ends, O_CLOEXEC), 0);
    log_to(ends[1]);
    wf_log(WF_INFO, "said");
    said.size = 0;
    WF_EXPECT(read_some(ends[0]));
    dropped(); /* takes the lock of the writer, who has looked at the descriptor */
    close(ends[1]);
    WF_EXPECT(!read_some(ends[0]));
    close(ends[0]);
    log_back();
}

/* ---- Several threads ---- */

enum { THREADS = 4, LINES_EACH = 400 };

static void *log_numbered(void *number)
{
    for (int i = 0; i < LINES_EACH; i++) wf_log(WF_INFO, "line", WF_INT("thread", *(int *)number), WF_INT("i", i));
    return NULL;
}

WF_TEST(lines_of_one_thread_keep_their_order_and_are_whole, .plain = true, .real = true, .rule = "8.5")
{
    int fd = memfd_create("log", MFD_CLOEXEC), numbers[THREADS], next[THREADS] = {0};
    pthread_t threads[THREADS];
    log_to(fd);
    for (int i = 0; i < THREADS; i++) {
        numbers[i] = i;
        WF_EXPECT_CODE(pthread_create(&threads[i], NULL, log_numbered, &numbers[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) pthread_join(threads[i], NULL);
    log_back();
    WF_EXPECT_CODE(lseek(fd, 0, SEEK_SET), 0);
    read_all(fd);
    int lines = 0;
    for (char *line = strtok(said.bytes, "\n"); line != NULL; line = strtok(NULL, "\n"), lines++) {
        int thread = -1, i = -1;
        const char *values = strstr(line, " msg=line ");
        WF_EXPECT(values != NULL && sscanf(values, " msg=line thread=%d i=%d", &thread, &i) == 2);
        if (thread < 0 || thread >= THREADS) break;
        WF_EXPECT_INT(i, next[thread]++);
    }
    WF_EXPECT_INT(lines, THREADS * LINES_EACH);
    close(fd);
}

/* ---- Processes that end ---- */

static int log_pipe[2];
static const char *program;

/* Runs it in a child whose log goes to a pipe; gives the child's status, and what it logged in `said`. */
static int in_child(void (*body)(void))
{
    int *ends = log_pipe, status = 0;
    WF_EXPECT_CODE(pipe2(ends, O_CLOEXEC), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO); /* what aborts explains itself */
        wf_log_set_hook(NULL, NULL);
        wf_log_set_output(ends[1]);
        signal(SIGABRT, SIG_DFL);
        body();
        _exit(99);
    }
    close(ends[1]);
    read_all(ends[0]);
    waitpid(pid, &status, 0);
    close(ends[0]);
    return status;
}

static int log_some(void *unused)
{
    (void)unused;
    for (int i = 0; i < 1000; i++) wf_log(WF_INFO, "last words", WF_INT("i", i));
    return 0;
}

static void exit_after_a_run(void)
{
    wf_run(log_some, NULL);
    exit(0);
}

WF_TEST(an_exit_writes_everything, .plain = true, .real = true)
{
    int status = in_child(exit_after_a_run);
    WF_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"last words\""), 1000);
}

/* In a program of its own, because the test kit takes this signal for itself. */
static int log_and_abort(void *unused)
{
    log_some(unused);
    abort();
}

enum { NOT_EXECUTABLE = 98 };

/* An emulator runs this program, but the system cannot. */
static void start_again(const char *argument)
{
    execl(program, program, argument, NULL);
    if (errno == ENOEXEC) _exit(NOT_EXECUTABLE);
}

static bool was_emulated(int status)
{
    return WIFEXITED(status) && WEXITSTATUS(status) == NOT_EXECUTABLE;
}

static void abort_in_a_task(void)
{
    dup2(log_pipe[1], STDERR_FILENO);
    start_again("abort");
}

WF_TEST(an_abort_writes_everything, .plain = true, .real = true)
{
    int status = in_child(abort_in_a_task);
    if (was_emulated(status)) return;
    WF_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"last words\""), 1000);
}

/* At an address that is none. */
static int log_and_crash(void *unused)
{
    log_some(unused);
    return *(volatile int *)(uintptr_t)(log_pipe[0] + 16);
}

static void crash_in_a_task(void)
{
    dup2(log_pipe[1], STDERR_FILENO);
    start_again("crash");
}

WF_TEST(a_crash_writes_everything, .plain = true, .real = true)
{
    if (WEFT_ASAN || WEFT_TSAN) return; /* they take these signals for themselves */
    int status = in_child(crash_in_a_task);
    if (was_emulated(status)) return;
    WF_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"last words\""), 1000);
}

static int log_and_misuse(void *unused)
{
    WF_SCOPE(scope);
    log_some(unused);
    wf_scope_end(&scope, 0);
    return wf_scope_end(&scope, 0);
}

static void misuse_in_a_task(void)
{
    wf_run(log_and_misuse, NULL);
}

WF_TEST(a_misuse_writes_everything, .plain = true, .real = true)
{
    int status = in_child(misuse_in_a_task);
    WF_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"last words\""), 1000);
}

static void log_outside_and_leave(void)
{
    wf_log(WF_INFO, "before exec");
    _exit(7);
}

WF_TEST(a_forked_child_writes_at_once_outside_of_tasks, .plain = true, .real = true)
{
    wf_log(WF_INFO, "the parent has logged");
    int status = in_child(log_outside_and_leave);
    WF_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
    WF_EXPECT_INT((int64_t)count_parts("\n"), 1);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"before exec\""), 1);
}

WF_TEST(a_child_of_a_program_that_logs_writes_to_the_same_place, .plain = true, .real = true)
{
    int ends[2];
    WF_EXPECT_CODE(pipe2(ends, O_CLOEXEC), 0);
    log_to(ends[1]);
    wf_log(WF_INFO, "the parent's");
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) log_outside_and_leave();
    WF_EXPECT(waitpid(pid, NULL, 0) == pid);
    wf_log_stop(WF_SECONDS(5));
    log_back();
    close(ends[1]);
    read_all(ends[0]);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"the parent's\""), 1);
    WF_EXPECT_INT((int64_t)count_parts("msg=\"before exec\""), 1);
    close(ends[0]);
}

static void stop_and_leave(void)
{
    wf_log_stop(WF_SECONDS(1));
    _exit(0);
}

WF_TEST(a_forked_child_does_not_write_its_parents_lines, .plain = true, .real = true)
{
    int ends[2];
    WF_EXPECT_CODE(pipe2(ends, O_CLOEXEC), 0);
    log_to(ends[1]);
    for (int i = 0; i < 1500; i++) wf_log(WF_INFO, "the parent's", WF_TEXT("text", long_text));
    in_child(stop_and_leave);
    WF_EXPECT_INT((int64_t)said.size, 0);
    log_back();
    close_both(ends);
}

static void run_in_the_child(void)
{
    wf_run(log_some, NULL);
    WF_EXPECT_CODE(wf_log_stop(WF_SECONDS(5)), 0);
    _exit(0);
}

/* Forks while other threads log all the time: no lock may stay behind. */
static bool enough;

static void *log_until_enough(void *unused)
{
    while (!__atomic_load_n(&enough, __ATOMIC_RELAXED)) {
        wf_log(WF_INFO, "noise");
        wf_log_set_level("noise", WF_INFO);
    }
    return unused;
}

WF_TEST(a_fork_in_the_middle_of_it_leaves_no_lock_behind, .plain = true, .real = true)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
    pthread_t threads[2];
    log_to(fd);
    __atomic_store_n(&enough, false, __ATOMIC_RELAXED);
    for (size_t i = 0; i < WF_COUNT(threads); i++) pthread_create(&threads[i], NULL, log_until_enough, NULL);
    for (int i = 0; i < 20; i++) {
        int status = in_child(log_outside_and_leave);
        WF_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 7);
        WF_EXPECT_INT((int64_t)count_parts("msg=\"before exec\""), 1);
        if (WEFT_TSAN || WEFT_ASAN) continue; /* no new threads there; a lock of its allocator may stay behind */
        status = in_child(run_in_the_child);
        WF_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        WF_EXPECT_INT((int64_t)count_parts("msg=\"last words\""), 1000);
    }
    __atomic_store_n(&enough, true, __ATOMIC_RELAXED);
    for (size_t i = 0; i < WF_COUNT(threads); i++) pthread_join(threads[i], NULL);
    log_back();
    close(fd);
}

int main(int argc, char **argv)
{
    program = argv[0];
    if (argc == 2 && strcmp(argv[1], "abort") == 0) return wf_run(log_and_abort, NULL);
    if (argc == 2 && strcmp(argv[1], "crash") == 0) return wf_run(log_and_crash, NULL);
    return wf_test_main(argc, argv);
}
