/* Programs of the simulated world: what they are given, and every way in which they end. */
#include <fcntl.h>
#include <unistd.h>

#include "programs.h"

#define SET_PROGRAM(name, function) WF_EXPECT_CODE(wf_sim_set_program(name, .main = (function)), 0)

static int run(const char *const argv[], struct wf_process_result *result)
{
    return wf_process_run(wf_task_arena(), result, argv);
}

/* ---- Which programs there are ---- */

WF_TEST(only_programs_that_were_told_are_there, .simulated = true)
{
    struct wf_process process;
    WF_EXPECT_FAILURE(wf_process_start(&process, PROGRAM("true")), -ENOENT, "true: No such file or directory");
    SET_PROGRAM("true", be_true);
    struct wf_process_result result;
    WF_EXPECT_CODE(run(PROGRAM("true"), &result), 0);
    if (!WF_EXPECT_CODE(wf_sim_set_program("true", .code = -EACCES), 0)) return;
    WF_EXPECT_FAILURE(wf_process_start(&process, PROGRAM("true")), -EACCES, "true: Permission denied");
    WF_EXPECT_CODE(wf_process_end(&process, 0), 0);
    WF_EXPECT_CODE(wf_sim_set_program("none"), -EINVAL);
    WF_EXPECT_CODE(wf_sim_set_program("", .main = be_true), -EINVAL);
    WF_EXPECT_CODE(wf_sim_set_program("both", .main = be_true, .code = -EACCES), -EINVAL);
}

WF_TEST(there_are_no_more_than_64_programs, .simulated = true, .unswept = "64 times the same")
{
    char name[16];
    for (int i = 0; i < 64; i++) {
        snprintf(name, sizeof name, "%d", i);
        WF_EXPECT_CODE(wf_sim_set_program(name, .main = be_true), 0);
    }
    WF_EXPECT_CODE(wf_sim_set_program("63", .main = be_yes), 0);
    WF_EXPECT_CODE(wf_sim_set_program("64", .main = be_true), -ENOSPC);
}

WF_TEST(a_start_that_fails_says_why_and_leaves_nothing, .simulated = true)
{
    WF_PROCESS(first);
    struct wf_process second;
    if (!have_programs()) return;
    WF_EXPECT_FAILURE(wf_process_start(&second, PROGRAM("true"), .directory = "/nowhere"), -ENOENT, "its directory");
    WF_EXPECT_FAILURE(wf_process_start(&second, PROGRAM("true"), .directory = "/etc/passwd"), -ENOTDIR,
                      "true: its directory: Not a directory");
    wf_sim_set_faults(.processes_max = 1);
    if (!WF_EXPECT_CODE(wf_process_start(&first, PROGRAM("sleep", "9")), 0)) return;
    WF_EXPECT_FAILURE(wf_process_start(&second, PROGRAM("true")), -EAGAIN, "true: Resource temporarily unavailable");
    WF_EXPECT_CODE(wf_process_wait(&first, NULL), 0);
    WF_EXPECT_CODE(wf_process_start(&second, PROGRAM("true")), 0);
    wf_process_end(&second, 0);
    for (uint32_t most = 1; most < 6; most++) { /* the descriptor of the first is one */
        wf_sim_set_faults(.descriptors_max = most);
        int rc =
            wf_process_start(&second, PROGRAM("cat"), .input = {.kind = WF_IO_PIPE}, .output = {.kind = WF_IO_PIPE});
        WF_EXPECT_FAILURE(rc, -EMFILE, "cat: its descriptors: Too many open files");
        wf_process_end(&second, 0);
    }
}

/* ---- What a program has ---- */

static int look_around(struct wf_sim_process *self)
{
    struct wf_file *file;
    char text[64];
    WF_EXPECT(wf_sim_self() == self && self->pid >= 1000);
    WF_EXPECT_TEXT(self->argv[1], "argument");
    WF_EXPECT(self->argv[2] == NULL && self->environment[1] == NULL);
    WF_EXPECT_TEXT(self->environment[0], "A=b");
    int rc = wf_file_open("passwd", O_RDONLY, 0, &file); /* of its directory */
    if (rc < 0) return rc;
    wf_file_close(file);
    struct wf_stream *stream;
    rc = wf_stdin(&stream);
    if (rc < 0) return rc;
    rc = wf_stream_read_full(stream, text, 5, NULL);
    wf_stream_close(stream);
    return rc < 0 ? rc : wf_stream_write_all(self->output, text, 5, NULL) < 0 ? -EIO : *(const int *)self->arg;
}

WF_TEST(a_program_has_its_arguments_its_environment_its_directory_and_its_streams, .simulated = true)
{
    static const int status = 300;
    const char *const environment[] = {"A=b", NULL};
    struct wf_process_result result;
    int rc = wf_sim_set_program("look", .main = look_around, .arg = (void *)(uintptr_t)&status);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    rc = wf_process_run(wf_task_arena(), &result, PROGRAM("look", "argument"), .environment = environment,
                        .directory = "/etc", .input_bytes = "hello", .input_size = 5);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_TEXT(result.output, "hello");
    WF_EXPECT_INT(result.status.code, 300 & 0xff);
}

static int run_pwd_inside(struct wf_sim_process *self)
{
    struct wf_process inner;
    int rc = wf_process_start(&inner, PROGRAM("pwd"), .directory = self->argv[1]);
    if (rc == 0) rc = wf_process_wait(&inner, NULL);
    return wf_process_end(&inner, rc);
}

WF_TEST(a_program_that_is_started_by_another_inherits_its_streams_and_its_directory, .simulated = true)
{
    struct wf_process_result result;
    if (!have_programs() || !SET_PROGRAM("outer", run_pwd_inside)) return;
    int rc = wf_process_run(wf_task_arena(), &result, PROGRAM("outer", "alternatives"), .directory = "/etc");
    if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_TEXT(result.output, "/etc/alternatives\n");
}

WF_TEST(a_descriptor_that_it_is_given_stays_ours, .simulated = true)
{
    struct wf_stream *reader, *writer;
    char text[8] = "";
    if (!have_programs() || !WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return;
    {
        WF_PROCESS(echo);
        int rc = wf_process_start(&echo, SHELL("echo one; echo two >&2"), .output = {WF_IO_FD, wf_stream_fd(writer)},
                                  .error = {.kind = WF_IO_OUTPUT});
        if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_CODE(wf_process_wait(&echo, NULL), 0);
        if (rc == 0) rc = wf_stream_read_full(reader, text, 7, NULL);
        WF_EXPECT_CODE(rc, 0);
    }
    WF_EXPECT_PART(text, "one\ntwo");
    WF_EXPECT_CODE(wf_stream_write_all(writer, "ours", 4, NULL), 0);
    wf_stream_close(writer);
    wf_stream_close(reader);
}

/* ---- How it ends ---- */

static int stay_in_a_shield(struct wf_sim_process *self)
{
    int rc = print(self->output, "x");
    wf_shielded(WF_FOREVER, wf_sleep(WF_SECONDS(100)));
    wf_shielded(WF_FOREVER, print(self->output, "still here"));
    return rc;
}

WF_TEST(KILL_ends_a_program_whatever_it_does, .simulated = true)
{
    struct wf_process_status status;
    char byte;
    if (!SET_PROGRAM("stay", stay_in_a_shield)) return;
    WF_PROCESS(stay);
    if (!WF_EXPECT_CODE(wf_process_start(&stay, PROGRAM("stay"), .output = {.kind = WF_IO_PIPE}), 0)) return;
    if (!WF_EXPECT_INT(wf_stream_read(stay.output, &byte, 1), 1)) return;
    int64_t killed = wf_now();
    WF_EXPECT_CODE(wf_process_signal(&stay, SIGKILL), 0);
    WF_EXPECT_INT(wf_stream_read(stay.output, &byte, 1), 0); /* its end of the pipe is closed */
    WF_EXPECT_CODE(wf_process_wait(&stay, &status), 0);
    WF_EXPECT_INT(status.signal, SIGKILL);
    WF_EXPECT(wf_now() - killed < WF_SECONDS(1));
}

static int finish_on_term(struct wf_sim_process *self)
{
    struct wf_signal_receiver *receiver;
    const int number = SIGTERM;
    int rc = wf_signal_open(&number, 1, &receiver);
    if (rc < 0) return rc;
    rc = print(self->output, "ready\n");
    if (rc == 0) rc = wf_signal_wait(receiver);
    wf_signal_close(receiver);
    return rc == SIGTERM ? 5 : 1;
}

WF_TEST(a_program_that_receives_TERM_may_end_as_it_likes, .simulated = true)
{
    char line[8];
    if (!SET_PROGRAM("polite", finish_on_term)) return;
    WF_PROCESS(polite);
    if (!WF_EXPECT_CODE(wf_process_start(&polite, PROGRAM("polite"), .output = {.kind = WF_IO_PIPE}), 0)) return;
    if (!WF_EXPECT_CODE(wf_stream_read_full(polite.output, line, 6, NULL), 0)) return;
    WF_EXPECT_CODE(wf_process_signal(&polite, SIGCONT), 0); /* does nothing */
    WF_EXPECT_INT(wf_sim_signal(NULL, SIGTERM), 0);         /* the world itself, not its processes */
    WF_EXPECT_CODE(wf_process_stop(&polite), 0);
    WF_EXPECT_INT(polite.status.code, 5);
    WF_EXPECT_INT(polite.status.signal, 0);
}

static int leave_from_below(struct wf_sim_process *self)
{
    (void)self;
    wf_sim_raise(SIGWINCH); /* does nothing */
    WF_EXPECT_CODE(wf_sim_exit(9), -ECANCELED);
    WF_EXPECT_CODE(wf_sleep(1), -ECANCELED);
    WF_EXPECT_CODE(wf_sim_raise(SIGSEGV), -ECANCELED); /* too late */
    return 3;
}

WF_TEST(a_program_may_leave_from_anywhere, .simulated = true)
{
    struct wf_process_result result;
    if (SET_PROGRAM("leave", leave_from_below) && WF_EXPECT_CODE(run(PROGRAM("leave"), &result), 0))
        WF_EXPECT_INT(result.status.code, 9);
}

static int fail_with_a_code(struct wf_sim_process *self)
{
    (void)self;
    return -EPROTO;
}

WF_TEST(an_error_is_the_exit_status_1, .simulated = true)
{
    struct wf_process_result result;
    if (SET_PROGRAM("fail", fail_with_a_code) && WF_EXPECT_CODE(run(PROGRAM("fail"), &result), 0))
        WF_EXPECT_INT(result.status.code, 1);
}

/* Starts one of its own, says so, and sleeps. */
static int start_a_child(struct wf_sim_process *self)
{
    WF_PROCESS(child);
    int rc = wf_process_start(&child, PROGRAM("sleep", "50"), .death_signal = atoi(self->argv[1]));
    if (rc == 0) rc = print(self->output, "x");
    return rc < 0 ? rc : wf_sleep(WF_SECONDS(100));
}

/* Gives how long the child of a killed parent lived on: until then it holds the pipe. */
static int64_t life_of_an_orphan(const char *death_signal)
{
    char byte;
    WF_PROCESS(parent);
    int rc = wf_process_start(&parent, PROGRAM("parent", death_signal), .output = {.kind = WF_IO_PIPE});
    if (rc == 0) rc = (int)wf_stream_read(parent.output, &byte, 1);
    if (!WF_EXPECT_CODE(rc, 1)) return -1;
    int64_t killed = wf_now();
    WF_EXPECT_CODE(wf_process_signal(&parent, SIGKILL), 0);
    WF_EXPECT_CODE(wf_process_wait(&parent, NULL), 0);
    WF_EXPECT_INT(wf_stream_read(parent.output, &byte, 1), 0);
    return (wf_now() - killed + WF_MILLISECONDS(500)) / WF_SECONDS(1);
}

WF_TEST(a_child_outlives_its_parent_unless_it_wants_to_die_with_it, .simulated = true, .timeout = WF_MINUTES(5))
{
    if (!have_programs() || !SET_PROGRAM("parent", start_a_child)) return;
    WF_EXPECT_INT(life_of_an_orphan("0"), 50);
    WF_EXPECT_INT(life_of_an_orphan("15"), 0);
}

WF_TEST(a_signal_to_a_group_reaches_all_of_it, .simulated = true)
{
    char byte;
    if (!have_programs() || !SET_PROGRAM("parent", start_a_child)) return;
    WF_PROCESS(parent);
    int rc = wf_process_start(&parent, PROGRAM("parent", "0"), .output = {.kind = WF_IO_PIPE}, .new_group = true);
    if (rc == 0) rc = (int)wf_stream_read(parent.output, &byte, 1);
    if (!WF_EXPECT_CODE(rc, 1)) return;
    int64_t told = wf_now();
    WF_EXPECT_CODE(wf_process_signal(&parent, SIGHUP), 0);
    WF_EXPECT_INT(wf_stream_read(parent.output, &byte, 1), 0); /* the child had it open too */
    WF_EXPECT(wf_now() - told < WF_SECONDS(1));
    WF_EXPECT_CODE(wf_process_wait(&parent, NULL), 0);
    WF_EXPECT_INT(parent.status.signal, SIGHUP);
}

static int listen_for_ever(struct wf_sim_process *self)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", 80, &listener);
    if (rc < 0) return rc;
    rc = print(self->output, "x");
    struct wf_stream *conn = NULL;
    if (rc == 0) rc = wf_tcp_accept(listener, &conn);
    wf_shielded(WF_SECONDS(9), wf_sleep(WF_SECONDS(9)));
    wf_stream_close(conn);
    wf_listener_close(listener);
    return rc;
}

WF_TEST(what_a_process_has_open_is_closed_when_it_ends, .simulated = true)
{
    struct wf_stream *conn;
    char byte;
    if (!SET_PROGRAM("listen", listen_for_ever)) return;
    for (int i = 0; i < 2; i++) { /* its port is free at once */
        WF_PROCESS(server);
        int rc = wf_process_start(&server, PROGRAM("listen"), .output = {.kind = WF_IO_PIPE});
        if (rc == 0) rc = (int)wf_stream_read(server.output, &byte, 1);
        if (!WF_EXPECT_CODE(rc, 1) || !WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", 80, &conn), 0)) return;
        int64_t killed = wf_now();
        WF_EXPECT_CODE(wf_process_signal(&server, SIGKILL), 0);
        ssize_t got = wf_stream_read(conn, &byte, 1);
        WF_EXPECT(got == 0 || got == -ECONNRESET);
        WF_EXPECT(wf_now() - killed < WF_SECONDS(1));
        wf_stream_close(conn);
    }
}

static int sleep_on(struct wf_process *process)
{
    return wf_sim_on(wf_sim_host("other"),
                     wf_process_start(process, PROGRAM("sleep", "100")) < 0 ? -EIO : wf_process_wait(process, NULL));
}

WF_TEST(the_crash_of_a_host_ends_its_processes, .simulated = true)
{
    WF_PROCESS(process);
    if (!have_programs() || !WF_EXPECT(wf_sim_host("other") != NULL)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, sleep_on, &process);
    int rc = wf_sleep(WF_SECONDS(1));
    wf_sim_crash(wf_sim_host("other"));
    if (rc == 0) WF_EXPECT_CODE(wf_scope_end(&scope, rc), -EHOSTDOWN);
    else wf_ignore(wf_scope_end(&scope, rc));
    if (process.pid == 0) return;
    int64_t crashed = wf_now();
    WF_EXPECT_CODE(wf_process_wait(&process, NULL), 0);
    WF_EXPECT(wf_now() - crashed < WF_SECONDS(1));
}

/* Nobody waits for it, and nothing would end it. */
static int wait_for_ever(struct wf_sim_process *self)
{
    (void)self;
    struct wf_event event = WF_EVENT;
    return wf_event_wait(&event);
}

static int leave_it(struct wf_sim_process *self)
{
    (void)self;
    struct wf_process child;
    return wf_process_start(&child, PROGRAM("wait"));
}

WF_TEST(a_world_that_ends_ends_all_processes, .simulated = true)
{
    struct wf_process_result result;
    if (!SET_PROGRAM("wait", wait_for_ever) || !SET_PROGRAM("leave", leave_it)) return;
    if (WF_EXPECT_CODE(wf_process_run(wf_task_arena(), &result, PROGRAM("leave"), .output = {.kind = WF_IO_NULL},
                                      .error = {.kind = WF_IO_NULL}),
                       0))
        WF_EXPECT_INT(result.status.code, 0);
}

/* ---- Misuse ---- */

WF_TEST(only_a_program_can_end_its_process, .simulated = true, .dies = "outside a program of the simulated world")
{
    wf_sim_exit(1);
}

WF_TEST_MAIN
