/* Other programs: starting them, what they read and write, how they end, and that they always do. */
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "programs.h"

/* No child is left, running or not reaped. */
static bool no_children(void)
{
    siginfo_t info;
    return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
}

/* ---- At once ---- */

WF_TEST(what_a_program_writes_and_its_status_come_back)
{
    if (!have_programs()) return;
    struct wf_process_result result;
    int rc = wf_process_run(wf_task_arena(), &result, SHELL("cat; echo oops >&2; exit 3"), .input_bytes = "hello",
                            .input_size = 5);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_TEXT(result.output, "hello");
    WF_EXPECT_TEXT(result.error, "oops\n");
    WF_EXPECT_INT(result.status.code, 3);
    WF_EXPECT_INT(result.status.signal, 0);
    WF_EXPECT(result.status.usage.ru_maxrss > 0 || wf_simulated());
    WF_EXPECT(no_children());
}

WF_TEST(a_signal_that_ended_a_program_is_told)
{
    if (!have_programs()) return;
    struct wf_process_result result;
    if (!WF_EXPECT_CODE(wf_process_run(wf_task_arena(), &result, SHELL("kill -SEGV $$")), 0)) return;
    WF_EXPECT_INT(result.status.code, -1);
    WF_EXPECT_INT(result.status.signal, SIGSEGV);
}

WF_TEST(megabytes_pass_both_ways_at_once, .unswept = "megabytes, byte by byte")
{
    if (!have_programs()) return;
    static char input[3 << 20];
    memset(input, 'x', sizeof input);
    struct wf_process_result result;
    int rc = wf_process_run(wf_task_arena(), &result, PROGRAM("cat"), .input_bytes = input, .input_size = sizeof input);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT(result.output_size == sizeof input && memcmp(result.output, input, sizeof input) == 0);
    rc = wf_process_run(wf_task_arena(), &result, PROGRAM("true"), .input_bytes = input, .input_size = sizeof input);
    WF_EXPECT_CODE(rc, 0); /* it need not read */
}

WF_TEST(a_program_that_writes_too_much_is_stopped)
{
    if (!have_programs()) return;
    struct wf_process_result result;
    WF_EXPECT_CODE(wf_process_run(wf_task_arena(), &result, PROGRAM("yes"), .output_max = 100000), -EFBIG);
    WF_EXPECT_PART(wf_failure(), "more than 100000 bytes");
    WF_EXPECT(no_children());
}

/* ---- What cannot be started ---- */

/* A file that may be executed, and is no program. */
static void expect_no_program(void)
{
    struct wf_process process;
    char path[] = "/tmp/weft-no-program-XXXXXX";
    int fd = mkstemp(path);
    if (!WF_EXPECT(fd >= 0)) return;
    WF_EXPECT(write(fd,
                    "\x7f"
                    "ELF?",
                    5) == 5 &&
              fchmod(fd, 0700) == 0);
    close(fd);
    WF_EXPECT_FAILURE(wf_process_start(&process, PROGRAM(path)), -ENOEXEC, ": Exec format error");
    unlink(path);
}

WF_TEST(a_file_that_is_no_program_says_so, .real = true)
{
    struct wf_process process;
    WF_EXPECT_CODE(wf_process_start(&process, PROGRAM("/etc")), -EACCES);
    WF_EXPECT_CODE(wf_process_start(&process, PROGRAM("/etc/passwd")), -EACCES);
    WF_EXPECT_FAILURE(wf_process_start(&process, PROGRAM("/etc/passwd/x")), -ENOTDIR, "/etc/passwd/x: Not a directory");
    expect_no_program();
    WF_EXPECT(no_children());
}

WF_TEST(a_program_that_cannot_be_executed_says_why, .real = true)
{
    struct wf_process process;
    WF_EXPECT_CODE(wf_process_start(&process, PROGRAM("weft-no-such-program")), -ENOENT);
    WF_EXPECT_TEXT(wf_failure(), "weft-no-such-program: No such file or directory");
    WF_EXPECT_CODE(wf_process_start(&process, PROGRAM("true"), .directory = "/nowhere"), -ENOENT);
    WF_EXPECT_TEXT(wf_failure(), "true: its directory: No such file or directory");
    WF_EXPECT_CODE(wf_process_start(&process, PROGRAM("true"), .output = {WF_IO_FD, -1}), -EBADF);
    WF_EXPECT_CODE(wf_process_start(&process, PROGRAM("")), -EINVAL);
    WF_EXPECT_CODE(wf_process_wait(&process, NULL), -ESRCH);
    WF_EXPECT_CODE(wf_process_signal(&process, SIGTERM), -ESRCH);
    WF_EXPECT_CODE(wf_process_end(&process, -EPROTO), -EPROTO);
    WF_EXPECT(no_children());
}

/* ---- What it is given ---- */

static const char *answer(const char *const argv[], struct wf_process_options options)
{
    struct wf_process_result result;
    options.size = sizeof options;
    options.argv_ = argv;
    if (!WF_EXPECT_CODE(wf_process_run_(wf_task_arena(), &result, &options), 0)) return "";
    return result.output;
}

WF_TEST(directory_and_environment_are_its_own)
{
    const char *const environment[] = {"COLOUR=blue", NULL};
    if (!have_programs()) return;
    WF_EXPECT_TEXT(answer(PROGRAM("pwd"), (struct wf_process_options){.directory = "/"}), "/\n");
    WF_EXPECT_TEXT(answer(SHELL("echo $COLOUR"), (struct wf_process_options){.environment = environment}), "blue\n");
}

WF_TEST(a_limit_is_what_it_was_set_to_also_where_that_is_nothing, .real = true)
{
    struct wf_process_options limited = {
        .limits = {{.resource = RLIMIT_CPU, .most = 17}, {.resource = RLIMIT_CORE, .set = true}}};
    WF_EXPECT_TEXT(answer(SHELL("ulimit -t; ulimit -c"), limited), "17\n0\n");
    limited.limits[1] = (struct wf_process_limit){.resource = RLIMIT_FSIZE, .set = true};
    WF_EXPECT_TEXT(answer(SHELL("ulimit -t; ulimit -f"), limited), "17\n0\n");
    limited.limits[1].set = false; /* none */
    WF_EXPECT_TEXT(answer(SHELL("ulimit -f"), limited), "unlimited\n");
}

WF_TEST(it_has_no_descriptors_of_ours_and_no_signals_blocked_or_ignored, .real = true)
{
    int ends[2];
    if (!WF_EXPECT(pipe(ends) == 0)) return; /* not even those that are not close-on-exec */
    struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
    sigaction(SIGUSR1, &ignore, &before);
    WF_EXPECT_TEXT(answer(SHELL(
                              "for fd in /proc/self/fd/[3-9]; do test -e $fd && readlink $fd | grep pipe; done; true"),
                          (struct wf_process_options){.size = 0}),
                   "");
    WF_EXPECT_PART(answer(SHELL("grep SigIgn /proc/self/status"), (struct wf_process_options){.size = 0}),
                   "0000000000000000");
    WF_EXPECT_PART(answer(SHELL("grep SigBlk /proc/self/status"), (struct wf_process_options){.size = 0}),
                   "0000000000000000");
    sigaction(SIGUSR1, &before, NULL);
    close(ends[0]);
    close(ends[1]);
}

WF_TEST(descriptors_go_along_and_listening_ones_are_told, .real = true)
{
    struct wf_process_result result = {.output = NULL};
    struct wf_listener *listener;
    int ends[2];
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    if (WF_EXPECT(pipe2(ends, O_CLOEXEC) == 0)) {
        const int given[] = {wf_listener_fd(listener, 0), ends[0]};
        WF_EXPECT(write(ends[1], "passed\n", 7) == 7);
        close(ends[1]);
        int rc = wf_process_run(wf_task_arena(), &result,
                                PROGRAM("sh", "-c", "echo $LISTEN_FDS $((LISTEN_PID == $$)); cat <&4; ls /proc/$$/fd"),
                                .descriptors = given, .descriptors_count = 2, .listening = 1);
        if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_PART(result.output, "1 1\npassed\n0\n");
        close(ends[0]);
    }
    WF_EXPECT_INT(wf_listener_fd(listener, 1), -1);
    wf_listener_close(listener);
}

WF_TEST(a_bad_descriptor_is_said, .real = true)
{
    struct wf_process_result result;
    const int given[] = {1 << 20};
    int rc = wf_process_run(wf_task_arena(), &result, PROGRAM("true"), .descriptors = given, .descriptors_count = 1);
    WF_EXPECT_CODE(rc, -EBADF);
    WF_EXPECT_TEXT(wf_failure(), "true: its descriptors: Bad file descriptor");
    rc = wf_process_run(wf_task_arena(), &result, PROGRAM("true"), .descriptors_count = 0, .listening = 1);
    WF_EXPECT_CODE(rc, -E2BIG);
}

WF_TEST(a_program_that_was_let_go_runs_on, .real = true)
{
    struct wf_process process;
    if (!WF_EXPECT_CODE(wf_process_start(&process, PROGRAM("sleep", "100")), 0)) return;
    pid_t pid = process.pid;
    wf_process_release(&process);
    WF_EXPECT_CODE(wf_process_end(&process, 0), 0);
    WF_EXPECT(kill(pid, 0) == 0 && waitpid(pid, NULL, WNOHANG) == 0);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

WF_TEST(it_may_become_another_user, .real = true)
{
    struct wf_process process;
    struct wf_process_options options = {.set_user = true, .uid = 65534, .gid = 65534};
    if (geteuid() == 0) WF_EXPECT_TEXT(answer(SHELL("id -u; id -g; id -G"), options), "65534\n65534\n65534\n");
    else WF_EXPECT_CODE(wf_process_start(&process, PROGRAM("true"), .set_user = true, .uid = 0, .gid = 0), -EPERM);
}

/* ---- Step by step ---- */

WF_TEST(a_program_is_talked_to_by_streams)
{
    if (!have_programs()) return;
    WF_PROCESS(filter);
    struct wf_process_status status;
    char line[16] = "";
    int rc = wf_process_start(&filter, SHELL("while read x; do echo $x-$x; done"), .input = {.kind = WF_IO_PIPE},
                              .output = {.kind = WF_IO_PIPE});
    if (!WF_EXPECT_CODE(rc, 0)) return;
    if (!WF_EXPECT_CODE(wf_stream_write_all(filter.input, "one\n", 4, NULL), 0)) return;
    WF_EXPECT_CODE(wf_stream_read_full(filter.output, line, 8, NULL), 0);
    WF_EXPECT_TEXT(line, "one-one\n");
    wf_stream_close(filter.input);
    filter.input = NULL;
    WF_EXPECT_CODE(wf_process_wait(&filter, &status), 0);
    WF_EXPECT_INT(status.code, 0);
    WF_EXPECT_CODE(wf_process_signal(&filter, SIGTERM), -ESRCH);
}

WF_TEST(output_and_errors_may_go_to_one_place)
{
    if (!have_programs()) return;
    struct wf_process_result result;
    int rc = wf_process_run(wf_task_arena(), &result, SHELL("echo one; echo two >&2"), .error = {.kind = WF_IO_OUTPUT});
    if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_TEXT(result.output, "one\ntwo\n");
}

WF_TEST(leaving_the_block_ends_the_program, .rule = "1.7 6.3")
{
    if (!have_programs()) return;
    int64_t started = wf_now();
    {
        WF_PROCESS(sleeper);
        WF_EXPECT_CODE(wf_process_start(&sleeper, PROGRAM("sleep", "100")), 0);
    }
    WF_EXPECT(wf_now() - started < WF_SECONDS(4)); /* by TERM: the grace is five seconds */
    WF_EXPECT(no_children());
}

static void wait_for_line(struct wf_process *process)
{
    char byte;
    WF_EXPECT_INT(wf_stream_read(process->output, &byte, 1), 1);
}

WF_TEST(a_program_that_ignores_TERM_is_killed_after_the_grace, .rule = "6.3")
{
    if (!have_programs()) return;
    WF_PROCESS(stubborn);
    int rc = wf_process_start(&stubborn, SHELL("trap '' TERM; echo x; while :; do sleep 1; done"),
                              .output = {.kind = WF_IO_PIPE}, .new_group = true, .grace = WF_MILLISECONDS(50));
    if (!WF_EXPECT_CODE(rc, 0)) return;
    wait_for_line(&stubborn);
    int64_t asked = wf_now();
    WF_EXPECT_CODE(wf_process_stop(&stubborn), 0);
    WF_EXPECT(wf_now() - asked >= WF_MILLISECONDS(50));
    WF_EXPECT_INT(stubborn.status.signal, SIGKILL);
    WF_EXPECT_CODE(wf_process_stop(&stubborn), 0);
}

WF_TEST(a_cancelled_run_stops_its_program, .rule = "6.3")
{
    if (!have_programs()) return;
    struct wf_process_result result;
    const char *const argv[] = {"sleep", "100", NULL};
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(30), wf_process_run(wf_task_arena(), &result, argv)), -ETIME);
    WF_EXPECT(no_children());
}

WF_TEST(a_cancelled_wait_leaves_it_running, .rule = "1.3")
{
    if (!have_programs()) return;
    WF_PROCESS(sleeper);
    if (!WF_EXPECT_CODE(wf_process_start(&sleeper, PROGRAM("sleep", "100")), 0)) return;
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(10), wf_process_wait(&sleeper, NULL)), -ETIME);
    WF_EXPECT_CODE(wf_process_signal(&sleeper, 0), 0);
    WF_EXPECT_CODE(wf_process_signal(&sleeper, SIGUSR1), 0);
    WF_EXPECT_CODE(wf_process_wait(&sleeper, NULL), 0);
    WF_EXPECT_INT(sleeper.status.signal, SIGUSR1);
}

WF_TEST(a_program_that_is_killed_in_the_middle_is_the_end_of_its_streams)
{
    char bytes[4] = "";
    if (!have_programs()) return;
    WF_PROCESS(cat);
    int rc = wf_process_start(&cat, PROGRAM("cat"), .input = {.kind = WF_IO_PIPE}, .output = {.kind = WF_IO_PIPE});
    if (rc == 0) rc = wf_stream_write_all(cat.input, "one", 3, NULL);
    if (rc == 0) rc = wf_stream_read_full(cat.output, bytes, 3, NULL);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_CODE(wf_process_signal(&cat, SIGKILL), 0);
    WF_EXPECT_INT(wf_stream_read(cat.output, bytes, 1), 0);
    WF_EXPECT_CODE(wf_process_wait(&cat, NULL), 0);
    WF_EXPECT_CODE(wf_stream_write_all(cat.input, "two", 3, NULL), -EPIPE);
    WF_EXPECT_INT(cat.status.signal, SIGKILL);
}

/* ---- Pipelines ---- */

WF_TEST(each_program_of_a_pipeline_reads_what_the_one_before_writes)
{
    if (!have_programs()) return;
    const char *const *const programs[] = {SHELL("seq 100"), PROGRAM("grep", "7"), PROGRAM("wc", "-l")};
    struct wf_process_result result;
    if (!WF_EXPECT_CODE(wf_process_pipeline(programs, 3, wf_task_arena(), 0, &result), 0)) return;
    WF_EXPECT_TEXT(result.output, "19\n");
    WF_EXPECT_INT(result.status.code, 0);
}

WF_TEST(a_pipeline_has_the_status_of_its_last_failure)
{
    if (!have_programs()) return;
    const char *const *const programs[] = {SHELL("exit 3"), SHELL("cat; exit 4"), PROGRAM("cat")};
    const char *const *const missing[] = {PROGRAM("sleep", "100"), PROGRAM("weft-no-such-program")};
    struct wf_process_result result;
    if (WF_EXPECT_CODE(wf_process_pipeline(programs, 3, wf_task_arena(), 0, &result), 0))
        WF_EXPECT_INT(result.status.code, 4);
    WF_EXPECT_CODE(wf_process_pipeline(missing, 2, wf_task_arena(), 0, &result), -ENOENT);
    WF_EXPECT_CODE(wf_process_pipeline(missing, 0, wf_task_arena(), 0, &result), -EINVAL);
    WF_EXPECT(no_children());
}

WF_TEST_MAIN
