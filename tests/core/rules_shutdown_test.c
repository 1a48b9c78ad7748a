/* Rules 7.1 to 7.4 of docs/semantics.md, beside run_test.c: signals, the order of shutdown, the exit status. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "../apart.h"

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

/* ---- 7.1: signals ---- */

static int end_oneself(void *unused)
{
    (void)unused;
    raise(SIGTERM);
    return wf_sleep_until(WF_FOREVER);
}

static void run_without_signals(void)
{
    wf_run(end_oneself, NULL);
}

WF_TEST(signals_are_left_alone_unless_asked_for, .plain = true, .rule = "7.1")
{
    char said[256];
    int status = run_apart(run_without_signals, STDERR_FILENO, said, sizeof said);
    WF_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

struct drained {
    struct wf_listener *listener;
    int accepted, slept;
    bool was_draining;
};

static int sleep_through_drain(struct drained *drained)
{
    drained->slept = wf_sleep(WF_MILLISECONDS(2));
    drained->was_draining = wf_draining();
    return 0;
}

static int accept_until_drained(struct drained *drained)
{
    int rc = wf_tcp_listen("127.0.0.1", 0, &drained->listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, sleep_through_drain, drained);
    wf_yield();
    raise(SIGTERM);
    struct wf_stream *conn;
    drained->accepted = wf_tcp_accept(drained->listener, &conn);
    rc = wf_scope_end(&scope, 0);
    wf_listener_close(drained->listener);
    return rc;
}

WF_TEST(a_drain_ends_idle_waits_and_lets_what_is_in_flight_go_on, .plain = true, .rule = "7.1")
{
    struct drained drained = {.accepted = 0};
    WF_EXPECT_CODE(wf_run(accept_until_drained, &drained, .signals = true, .grace = WF_SECONDS(60)), 0);
    WF_EXPECT_CODE(drained.accepted, -ESHUTDOWN);
    WF_EXPECT_CODE(drained.slept, 0);
    WF_EXPECT(drained.was_draining);
}

static int do_nothing(void *unused)
{
    (void)unused;
    return 0;
}

static void *run_second_loop(void *rc)
{
    *(int *)rc = wf_run(do_nothing, NULL, .signals = true);
    return NULL;
}

static int run_another_thread(void *unused)
{
    (void)unused;
    pthread_t thread;
    int rc = -EAGAIN;
    if (pthread_create(&thread, NULL, run_second_loop, &rc) == 0) pthread_join(thread, NULL);
    return rc;
}

WF_TEST(only_one_loop_of_a_process_has_the_signals, .plain = true, .rule = "7.1")
{
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_run(run_another_thread, NULL, .signals = true), 0);
    WF_EXPECT_PART(wf_test_reports(), "signals are taken by another loop");
}

static int linger(void *unused)
{
    (void)unused;
    raise(SIGTERM);
    wf_shielded(WF_FOREVER, wf_yield());
    raise(SIGTERM);
    wf_shielded(WF_FOREVER, wf_sleep(1));
    raise(SIGTERM);
    return wf_shielded(WF_FOREVER, wf_sleep(WF_SECONDS(60)));
}

static void run_lingering(void)
{
    wf_run(linger, NULL, .signals = true, .grace = WF_SECONDS(60));
}

WF_TEST(the_third_signal_dumps_the_tasks, .plain = true, .rule = "7.1")
{
    static char said[4096];
    int status = run_apart(run_lingering, STDERR_FILENO, said, sizeof said);
    WF_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 128 + SIGTERM);
    WF_EXPECT_PART(said, "a third signal arrived");
    WF_EXPECT_PART(said, "linger #1");
}

/* ---- 7.2: the order is that of the blocks ---- */

static char order[64];

static void say(const char *what)
{
    snprintf(order + strlen(order), sizeof order - strlen(order), "%s ", what);
}

static int serve(struct wf_scope *inner)
{
    (void)inner;
    int rc = wf_sleep_until(WF_FOREVER);
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1)));
    say("listener");
    return rc;
}

static int keep_pool(void *unused)
{
    (void)unused;
    int rc = wf_sleep_until(WF_FOREVER);
    say("pool");
    return rc;
}

static int run_inner(void)
{
    WF_SCOPE(inner);
    wf_spawn(&inner, serve, &inner);
    wf_spawn(&inner, serve, &inner);
    wf_yield();
    wf_scope_cancel(&inner, "shutting down");
    return wf_scope_join(&inner);
}

WF_TEST(what_is_opened_inside_ends_before_what_is_around_it, .rule = "7.2")
{
    order[0] = '\0';
    WF_SCOPE(outer);
    wf_spawn(&outer, keep_pool, NULL, .daemon = true);
    WF_EXPECT_CODE(run_inner(), 0);
    WF_EXPECT_CODE(wf_scope_join(&outer), 0);
    WF_EXPECT_TEXT(order, "listener listener pool ");
}

/* ---- 7.3: full tables and broken pipes ---- */

/* real: the limit is the system's */
WF_TEST(an_accept_without_descriptors_leaves_the_connection_in_the_backlog, .real = true, .rule = "7.3")
{
    struct wf_listener *listener;
    struct wf_stream *client, *server;
    struct rlimit before, tight;
    if (RUNNING_ON_VALGRIND) return; /* it makes the error up when the connection was taken */
    WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0);
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &client), 0);
    WF_EXPECT_CODE(wf_stream_write_all(client, "x", 1, NULL), 0);
    getrlimit(RLIMIT_NOFILE, &before);
    tight = before;
    int next = dup(STDIN_FILENO);
    close(next);
    tight.rlim_cur = (rlim_t)next;
    setrlimit(RLIMIT_NOFILE, &tight);
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(wf_tcp_accept(listener, &server), -EMFILE);
    setrlimit(RLIMIT_NOFILE, &before);
    char byte;
    WF_EXPECT_CODE(wf_tcp_accept(listener, &server), 0);
    WF_EXPECT_INT(wf_stream_read(server, &byte, 1), 1);
    wf_stream_close(server);
    wf_stream_close(client);
    wf_listener_close(listener);
}

static volatile sig_atomic_t broken_pipes;

static void count_broken_pipe(int number)
{
    (void)number;
    broken_pipes++;
}

static int write_to_nobody(void *unused)
{
    (void)unused;
    int ends[2];
    if (pipe(ends) < 0) return -errno;
    close(ends[0]);
    ssize_t rc = write(ends[1], "x", 1);
    int code = rc < 0 ? -errno : 0;
    close(ends[1]);
    return code;
}

/* In processes that have run no loop yet: the library looks at the choice once, in its first. */
static void write_by_default(void)
{
    signal(SIGPIPE, SIG_DFL);
    int rc = wf_run(write_to_nobody, NULL);
    printf("%d, %s", (int)broken_pipes, wf_strerror(rc));
}

static void write_with_own_handler(void)
{
    signal(SIGPIPE, count_broken_pipe);
    int rc = wf_run(write_to_nobody, NULL);
    printf("%d, %s", (int)broken_pipes, wf_strerror(rc));
}

static char by_default[64], with_own_handler[64];

/* Before any test. */
static void try_broken_pipes(void)
{
    run_apart(write_by_default, STDOUT_FILENO, by_default, sizeof by_default);
    run_apart(write_with_own_handler, STDOUT_FILENO, with_own_handler, sizeof with_own_handler);
}

WF_TEST(a_broken_pipe_kills_nobody_and_a_programs_own_choice_stays, .plain = true, .rule = "7.3")
{
    WF_EXPECT_TEXT(by_default, "0, Broken pipe");
    WF_EXPECT_TEXT(with_own_handler, "1, Broken pipe");
}

/* ---- 7.4: the exit status ---- */

static int fail_with_message(void *unused)
{
    (void)unused;
    return wf_fail(-EPROTO, "the answer was 42");
}

static void fail_as_main(void)
{
    _exit(wf_main(fail_with_message, NULL));
}

static void succeed_as_main(void)
{
    _exit(wf_main(do_nothing, NULL) + wf_exit_status(7));
}

static void be_ended_as_main(void)
{
    _exit(wf_main(end_oneself, NULL, .signals = true));
}

static int end_cancelled(void *unused)
{
    (void)unused;
    return -ECANCELED;
}

static void be_cancelled_as_main(void)
{
    _exit(wf_main(end_cancelled, NULL));
}

WF_TEST(the_exit_status_follows_one_rule, .plain = true, .rule = "7.4")
{
    char said[256];
    WF_EXPECT_INT(WEXITSTATUS(run_apart(succeed_as_main, STDERR_FILENO, said, sizeof said)), 0);
    WF_EXPECT_TEXT(said, "");
    WF_EXPECT_INT(WEXITSTATUS(run_apart(fail_as_main, STDERR_FILENO, said, sizeof said)), 1);
    WF_EXPECT_PART(said, "the answer was 42");
    WF_EXPECT_INT(WEXITSTATUS(run_apart(be_ended_as_main, STDERR_FILENO, said, sizeof said)), 128 + SIGTERM);
    WF_EXPECT_INT(WEXITSTATUS(run_apart(be_cancelled_as_main, STDERR_FILENO, said, sizeof said)), 1);
    WF_EXPECT_PART(said, "Cancelled");
}

int main(int argc, char **argv)
{
    try_broken_pipes();
    return wf_test_main(argc, argv);
}
