/* S127: what a service tells its manager, and sockets that it inherits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "../apart.h"

/* ---- A manager ---- */

static char path[128];

/* In a simulated world an abstract name is not of this machine. */
static bool be_manager(struct wf_socket **manager, bool abstract)
{
    static int number;
    if (abstract) snprintf(path, sizeof path, "@weft-notify-%d-%d", (int)getpid(), ++number);
    else snprintf(path, sizeof path, "/tmp/weft-notify-%d-%d", (int)getpid(), ++number);
    setenv("NOTIFY_SOCKET", path, 1);
    return wf_unix_open(path, manager) == 0;
}

static void be_alone(struct wf_socket *manager)
{
    unsetenv("NOTIFY_SOCKET");
    wf_socket_close(manager);
}

static void expect_message(struct wf_socket *manager, const char *expected)
{
    char text[256] = "";
    ssize_t got = wf_within(WF_SECONDS(2), wf_socket_receive(manager, text, sizeof text - 1, NULL));
    if (got < 0) WF_EXPECT_CODE(got, 0);
    else WF_EXPECT_TEXT(text, expected);
}

static void notify(bool abstract)
{
    struct wf_socket *manager = NULL;
    if (!be_manager(&manager, abstract)) return be_alone(NULL);
    if (WF_EXPECT_CODE(wf_notify_ready(), 1)) expect_message(manager, "READY=1");
    if (WF_EXPECT_CODE(wf_notify_status("12 connections"), 1)) expect_message(manager, "STATUS=12 connections");
    if (WF_EXPECT_CODE(wf_notify_stopping(), 1)) expect_message(manager, "STOPPING=1");
    if (WF_EXPECT_CODE(wf_notify("EXTEND_TIMEOUT_USEC=5000000\nSTATUS=flushing"), 1))
        expect_message(manager, "EXTEND_TIMEOUT_USEC=5000000\nSTATUS=flushing");
    be_alone(manager);
}

WF_TEST(the_manager_is_told, .sweep = true)
{
    notify(false);
}

WF_TEST(the_manager_may_have_an_abstract_name, .sweep = true)
{
    notify(true);
}

WF_TEST(without_a_manager_nobody_is_told)
{
    unsetenv("NOTIFY_SOCKET");
    WF_EXPECT_CODE(wf_notify_ready(), 0);
    WF_EXPECT_CODE(wf_notify_stopping(), 0);
    WF_EXPECT_CODE(wf_notify_status("all is well"), 0);
}

WF_TEST(what_cannot_be_told_is_refused)
{
    char long_text[2000];
    memset(long_text, 'x', sizeof long_text - 1);
    long_text[sizeof long_text - 1] = '\0';
    setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    WF_EXPECT_CODE(wf_notify(""), -EINVAL);
    WF_EXPECT_CODE(wf_notify(NULL), -EINVAL);
    WF_EXPECT_CODE(wf_notify_status("two\nlines"), -EINVAL);
    WF_EXPECT_CODE(wf_notify_status(long_text), -EMSGSIZE);
    WF_EXPECT(wf_notify_ready() < 0);
    setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
    WF_EXPECT_CODE(wf_notify_ready(), -EAFNOSUPPORT);
    setenv("NOTIFY_SOCKET", "", 1);
    WF_EXPECT_CODE(wf_notify_ready(), -EINVAL);
    unsetenv("NOTIFY_SOCKET");
}

/* ---- The watchdog ---- */

static void forget_watchdog(void)
{
    unsetenv("WATCHDOG_USEC");
    unsetenv("WATCHDOG_PID");
}

WF_TEST(the_watchdog_hears_of_all_loops_in_time, .loops = 3, .sweep = true)
{
    struct wf_socket *manager = NULL;
    setenv("WATCHDOG_USEC", "20000", 1);
    if (be_manager(&manager, true)) {
        WF_SCOPE(scope);
        if (wf_notify_watchdog(&scope) == 1) {
            int64_t started = wf_now();
            for (int i = 0; i < 4; i++) expect_message(manager, "WATCHDOG=1");
            WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(30));
        }
        wf_scope_join(&scope);
    }
    forget_watchdog();
    be_alone(manager);
}

WF_TEST(a_watchdog_that_is_not_asked_for_is_silent)
{
    WF_SCOPE(scope);
    forget_watchdog();
    WF_EXPECT_CODE(wf_notify_watchdog(&scope), 0);
    setenv("WATCHDOG_USEC", "1000000", 1);
    setenv("WATCHDOG_PID", "1", 1);
    WF_EXPECT_CODE(wf_notify_watchdog(&scope), 0);
    unsetenv("WATCHDOG_PID");
    static const char *const wrong[] = {"", "0", "-5", "soon", "10s", "99999999999999999999"};
    for (size_t i = 0; i < WF_COUNT(wrong); i++) {
        setenv("WATCHDOG_USEC", wrong[i], 1);
        WF_EXPECT_CODE(wf_notify_watchdog(&scope), -EINVAL);
    }
    forget_watchdog();
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Sockets that were opened for us: in a process of its own, where descriptor 3 is the test's ---- */

static uint16_t inherited_port;

static void inherit(int count, const char *names)
{
    char text[16];
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t size = sizeof address;
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || listen(fd, 10) < 0) _exit(70);
    if (getsockname(fd, (struct sockaddr *)&address, &size) < 0) _exit(71);
    inherited_port = ntohs(address.sin_port);
    for (int i = 0; i < count; i++)
        if (dup2(i == 2 ? open("/dev/null", O_RDONLY) : fd, 3 + i) < 0) _exit(72);
    snprintf(text, sizeof text, "%d", (int)getpid());
    setenv("LISTEN_PID", text, 1);
    snprintf(text, sizeof text, "%d", count);
    setenv("LISTEN_FDS", text, 1);
    if (names != NULL) setenv("LISTEN_FDNAMES", names, 1);
}

static int serve_one(const char *name)
{
    struct wf_listener *listener;
    struct wf_stream *client = NULL, *server = NULL;
    char byte = 0;
    int rc = wf_listen_inherited(name, 0, &listener);
    if (rc < 0) return rc;
    rc = wf_listener_port(listener) == inherited_port ? 0 : -EPROTO;
    if (rc == 0) rc = wf_tcp_connect("127.0.0.1", inherited_port, &client);
    if (rc == 0) rc = wf_tcp_accept(listener, &server);
    if (rc == 0) rc = wf_stream_write_all(client, "x", 1, NULL);
    if (rc == 0) rc = wf_stream_read_full(server, &byte, 1, NULL);
    wf_stream_close(client);
    wf_stream_close(server);
    wf_listener_close(listener);
    return rc;
}

static int serve_inherited(void *unused)
{
    struct wf_listener *listener;
    (void)unused;
    printf("%d sockets, ", wf_inherited_count());
    printf("first %d, ", serve_one("http"));
    printf("again %d, ", serve_one(NULL));
    printf("admin %d, ", serve_one("admin"));
    printf("another %d, ", wf_listen_inherited("http", 1, &listener));
    printf("%s, ", wf_failure());
    printf("file %d, ", wf_listen_inherited(NULL, 2, &listener));
    printf("%s", wf_failure());
    return 0;
}

static void run_with_names(void)
{
    inherit(3, "http:admin:file");
    wf_run(serve_inherited, NULL, .driver = getenv("WEFT_DRIVER"));
}

static int count_inherited(void *unused)
{
    (void)unused;
    printf("%d, %d ", wf_inherited_count(), serve_one("unknown"));
    return 0;
}

static void run_for_another_process(void)
{
    inherit(1, NULL);
    wf_run(count_inherited, NULL);
    setenv("LISTEN_PID", "1", 1);
    wf_run(count_inherited, NULL);
    setenv("LISTEN_PID", "me", 1);
    wf_run(count_inherited, NULL);
    setenv("LISTEN_FDS", "-3", 1);
    wf_run(count_inherited, NULL);
}

WF_TEST(inherited_sockets_are_found_by_name_and_number, .plain = true, .real = true)
{
    char said[1024], wanted[512];
    run_apart(run_with_names, STDOUT_FILENO, said, sizeof said);
    snprintf(wanted, sizeof wanted,
             "3 sockets, first 0, again 0, admin 0, another %d, no such socket 'http' among the 3 that were inherited, "
             "file %d, descriptor 5, which was inherited, is not a listening socket of streams",
             -ENOENT, -EINVAL);
    WF_EXPECT_TEXT(said, wanted);
}

WF_TEST(sockets_of_another_process_are_left_alone, .plain = true, .real = true)
{
    char said[256], wanted[128];
    run_apart(run_for_another_process, STDOUT_FILENO, said, sizeof said);
    snprintf(wanted, sizeof wanted, "1, 0 0, %d 0, %d 0, %d ", -ENOENT, -ENOENT, -ENOENT);
    WF_EXPECT_TEXT(said, wanted);
}

/* ---- Children ---- */

WF_TEST(children_do_not_get_the_variables, .real = true)
{
    setenv("NOTIFY_SOCKET", "/run/notify", 1);
    setenv("LISTEN_FDS", "1", 1);
    setenv("KEPT_ALL_THE_SAME", "yes", 1);
    struct wf_arena arena;
    struct wf_process_result result;
    wf_arena_init(&arena);
    const char *const argv[] = {"sh", "-c", "echo \"[$NOTIFY_SOCKET][$LISTEN_FDS][$KEPT_ALL_THE_SAME]\"", NULL};
    if (WF_EXPECT_CODE(wf_process_run(&arena, &result, argv), 0)) WF_EXPECT_TEXT(result.output, "[][][yes]\n");
    wf_arena_finish(&arena);
    unsetenv("NOTIFY_SOCKET");
    unsetenv("LISTEN_FDS");
    unsetenv("KEPT_ALL_THE_SAME");
}

WF_TEST_MAIN
