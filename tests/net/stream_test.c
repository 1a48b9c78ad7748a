/* Streams: rules 1.6, 4.5, 5.3, 7.3. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <weft/peer.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- An echo server and its clients ---- */

static int echo(struct wf_stream *conn)
{
    char buffer[2048];
    ssize_t got;
    int rc = 0;
    while (rc == 0 && (got = wf_stream_read(conn, buffer, sizeof buffer)) != 0)
        rc = got < 0 ? (int)got : wf_stream_write_all(conn, buffer, (size_t)got, NULL);
    wf_stream_close(conn);
    return rc;
}

static int serve(struct wf_listener *listener)
{
    WF_SCOPE(scope);
    int rc;
    struct wf_stream *conn;
    while ((rc = wf_tcp_accept(listener, &conn)) >= 0) {
        rc = wf_spawn(&scope, echo, conn);
        if (rc < 0) wf_stream_close(conn);
    }
    return wf_scope_end(&scope, rc);
}

struct client {
    uint16_t port;
    int rounds;
    size_t size;
};

static int round_trips(struct client *client, struct wf_stream *conn)
{
    char *out = malloc(client->size), *in = malloc(client->size);
    memset(out, 'x', client->size);
    int rc = 0;
    for (int i = 0; i < client->rounds && rc == 0; i++) {
        rc = wf_stream_write_all(conn, out, client->size, NULL);
        if (rc == 0) rc = wf_stream_read_full(conn, in, client->size, NULL);
        if (rc == 0) WF_INVARIANT(memcmp(in, out, client->size) == 0);
    }
    free(out);
    free(in);
    return rc;
}

static int talk(struct client *client)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", client->port, &conn);
    if (rc < 0) return rc;
    rc = round_trips(client, conn);
    wf_stream_close(conn);
    return rc;
}

WF_TEST(many_clients_are_echoed)
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    struct client clients[50];
    for (size_t i = 0; i < WF_COUNT(clients); i++)
        clients[i] = (struct client){.port = wf_listener_port(listener), .rounds = 20, .size = 1 + i * 61};
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, serve, listener, .daemon = true);
        WF_EXPECT_CODE(wf_gather(clients, WF_COUNT(clients), talk), 0);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    wf_listener_close(listener);
}

/* ---- What goes wrong ---- */

/* Both ends are the streams' from here on, and closed where that fails. */
static int wrap_both(const int ends[2], struct wf_stream **a, struct wf_stream **b)
{
    *a = NULL;
    int rc = wf_stream_wrap(ends[0], a);
    if (rc < 0) close(ends[0]);
    else rc = wf_stream_wrap(ends[1], b);
    if (rc == 0) return 0;
    close(ends[1]);
    wf_stream_close(*a);
    *a = NULL;
    return rc;
}

/* In a simulated world there are no foreign descriptors, but there is TCP. */
static int open_pair(struct wf_stream **a, struct wf_stream **b)
{
    *a = *b = NULL;
    if (wf_simulated()) return wf_test_pair(a, b);
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) return -errno;
    return wrap_both(ends, a, b);
}

WF_TEST(read_full_says_how_much_came_before_the_end)
{
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(open_pair(&a, &b), 0)) return;
    WF_EXPECT_CODE(wf_stream_write_all(a, "hello", 5, NULL), 0);
    wf_stream_close(a);
    char text[10];
    size_t done = 99;
    WF_EXPECT_CODE(wf_stream_read_full(b, text, sizeof text, &done), WF_EEND);
    WF_EXPECT_INT((int64_t)done, 5);
    WF_EXPECT_INT(wf_stream_read(b, text, sizeof text), 0);
    WF_EXPECT_CODE(wf_stream_read(b, text, 0), -EINVAL);
    wf_stream_close(b);
}

WF_TEST(a_half_close_ends_one_direction_only)
{
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(open_pair(&a, &b), 0)) return;
    char byte;
    WF_EXPECT_CODE(wf_stream_shutdown(a), 0);
    WF_EXPECT_INT(wf_stream_read(b, &byte, 1), 0);
    if (WF_EXPECT_CODE(wf_stream_write_all(b, "x", 1, NULL), 0)) WF_EXPECT_INT(wf_stream_read(a, &byte, 1), 1);
    WF_EXPECT_CODE(wf_stream_write_all(a, "x", 1, NULL), -EPIPE);
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(writing_to_a_peer_that_is_gone_gives_EPIPE_and_no_signal, .rule = "7.3")
{
    struct wf_stream *a, *b, *reader, *writer;
    if (!WF_EXPECT_CODE(open_pair(&a, &b), 0)) return;
    wf_stream_close(b);
    int rc;
    while ((rc = wf_stream_write_all(a, "x", 1, NULL)) == 0)
        wf_sleep(WF_MILLISECONDS(1)); /* TCP learns it by an answer */
    WF_EXPECT_CODE(rc, -EPIPE);
    wf_stream_close(a);
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return;
    wf_stream_close(reader);
    WF_EXPECT_CODE(wf_stream_write_all(writer, "x", 1, NULL), -EPIPE);
    wf_stream_close(writer);
}

struct reading {
    struct wf_stream *stream;
    ssize_t got;
    char buffer[64];
};

static int read_some(struct reading *reading)
{
    reading->got = wf_stream_read(reading->stream, reading->buffer, sizeof reading->buffer);
    return 0;
}

/* 4.5 */
WF_TEST(a_second_reader_gets_EBUSY_at_once, .rule = "4.5")
{
    struct wf_stream *a, *b;
    if (!WF_EXPECT_CODE(open_pair(&a, &b), 0)) return;
    struct reading first = {.stream = a};
    WF_SCOPE(scope);
    wf_spawn(&scope, read_some, &first);
    wf_yield();
    char byte;
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_stream_read(a, &byte, 1)), -EBUSY);
    WF_EXPECT_CODE(wf_scope_end(&scope, wf_stream_write_all(b, "abc", 3, NULL)), 0);
    WF_EXPECT(first.got >= 1); /* how many come at once is the system's affair */
    wf_stream_close(a);
    wf_stream_close(b);
}

static int write_much(struct wf_stream *stream)
{
    static const char zeros[1 << 22];
    return wf_stream_write_all(stream, zeros, sizeof zeros, NULL);
}

WF_TEST(a_second_writer_gets_EBUSY_at_once_and_a_reader_does_not, .rule = "4.5")
{
    struct wf_stream *a, *b;
    char byte;
    if (!WF_EXPECT_CODE(wf_test_pair(&a, &b), 0)) return;
    bool sent = WF_EXPECT_CODE(wf_stream_write_all(b, "y", 1, NULL), 0);
    WF_SCOPE(scope);
    wf_spawn(&scope, write_much, a);
    wf_yield();
    WF_EXPECT_CODE(wf_stream_write(a, "x", 1), -EBUSY);
    WF_EXPECT_CODE(wf_stream_write_all(a, "x", 1, NULL), -EBUSY);
    if (sent) WF_EXPECT_INT(wf_stream_read(a, &byte, 1), 1);
    wf_scope_cancel(&scope, "seen");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(a_peer_that_stalls_is_cut_by_a_deadline_and_costs_nothing_else, .rule = "1.6")
{
    struct wf_stream *stalled, *conn;
    if (!WF_EXPECT_CODE(wf_test_pair(&stalled, &conn), 0)) return;
    char text[8];
    size_t done = 0;
    WF_EXPECT_CODE(wf_stream_write_all(stalled, "abc", 3, NULL), 0);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(10), wf_stream_read_full(conn, text, sizeof text, &done)), -ETIME);
    WF_EXPECT_INT((int64_t)done, 3);
    if (WF_EXPECT_CODE(wf_stream_write_all(stalled, "de", 2, NULL), 0))
        WF_EXPECT_CODE(wf_stream_read_full(conn, text, 2, NULL), 0);
    wf_stream_close(conn);
    wf_stream_close(stalled);
}

/* ---- Large transfers, short writes ---- */

enum { TRANSFER_SIZE = 5 << 20 };

struct transfer {
    struct wf_stream *from, *to;
};

static const unsigned char *pattern(void)
{
    static unsigned char bytes[TRANSFER_SIZE];
    static bool made;
    for (size_t i = 0; i < TRANSFER_SIZE && !made; i++) bytes[i] = (unsigned char)(i * 31 >> 3);
    made = true;
    return bytes;
}

static int send_pattern(struct transfer *transfer)
{
    int rc = wf_stream_write_all(transfer->to, pattern(), TRANSFER_SIZE, NULL);
    wf_stream_close(transfer->to);
    return rc;
}

static int receive_pattern(struct transfer *transfer)
{
    static unsigned char bytes[TRANSFER_SIZE];
    size_t size = 0;
    int rc = wf_stream_read_full(transfer->from, bytes, TRANSFER_SIZE, &size);
    WF_INVARIANT(memcmp(bytes, pattern(), size) == 0);
    return rc;
}

static void transfer_pattern(struct transfer *transfer)
{
    WF_SCOPE(scope);
    if (!WF_EXPECT_CODE(wf_spawn(&scope, send_pattern, transfer), 0)) wf_stream_close(transfer->to);
    WF_EXPECT_CODE(wf_scope_end(&scope, receive_pattern(transfer)), 0);
    wf_stream_close(transfer->from);
}

WF_TEST(megabytes_arrive_whole_over_sockets_and_pipes)
{
    struct transfer transfer;
    if (WF_EXPECT_CODE(open_pair(&transfer.from, &transfer.to), 0)) transfer_pattern(&transfer);
    if (WF_EXPECT_CODE(wf_pipe(&transfer.from, &transfer.to), 0)) transfer_pattern(&transfer);
}

WF_TEST(a_non_blocking_foreign_descriptor_works_too, .real = true)
{
    int ends[2];
    WF_EXPECT(pipe2(ends, O_CLOEXEC | O_NONBLOCK) == 0);
    struct reading reading = {.got = 0};
    struct wf_stream *writer;
    if (!WF_EXPECT_CODE(wrap_both(ends, &reading.stream, &writer), 0)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, read_some, &reading);
    wf_sleep(WF_MILLISECONDS(1));
    WF_EXPECT_CODE(wf_scope_end(&scope, wf_stream_write_all(writer, "hello", 5, NULL)), 0);
    WF_EXPECT_INT(reading.got, 5);
    wf_stream_close(reading.stream);
    wf_stream_close(writer);
    WF_EXPECT_CODE(wf_stream_wrap(-1, &writer), -EBADF);
}

WF_TEST(a_real_socket_or_pipe_is_of_another_world_than_a_simulated_one, .simulated = true)
{
    int ends[2], pair[2];
    struct wf_stream *stream = NULL, *standard = NULL;
    if (!WF_EXPECT(pipe(ends) == 0 && socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0)) return;
    WF_EXPECT_FAILURE(wf_stream_wrap(ends[0], &stream), -EOPNOTSUPP, "is a real pipe");
    WF_EXPECT_FAILURE(wf_stream_wrap(pair[0], &stream), -EOPNOTSUPP, "is a real socket");
    WF_EXPECT_CODE(wf_wait_fd(ends[1], WF_WRITABLE), -EOPNOTSUPP);
    WF_EXPECT(stream == NULL);
    if (WF_EXPECT_CODE(wf_stdout(&standard), 0)) WF_EXPECT_CODE(wf_stream_write_all(standard, "", 0, NULL), 0);
    wf_stream_close(standard);
    for (int i = 0; i < 2; i++) close(ends[i]), close(pair[i]);
}

WF_TEST(a_blocking_foreign_pipe_does_not_block_the_loop, .real = true)
{
    int ends[2];
    WF_EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    struct reading reading = {.got = 0};
    if (!WF_EXPECT_CODE(wf_stream_wrap(ends[0], &reading.stream), 0)) {
        close(ends[0]);
        close(ends[1]);
        return;
    }
    WF_SCOPE(scope);
    wf_spawn(&scope, read_some, &reading);
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(1)), 0);
    WF_EXPECT(write(ends[1], "hi", 2) == 2);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(reading.got, 2);
    close(ends[1]);
    wf_stream_close(reading.stream);
}

/* ---- Readiness ---- */

static int wait_readable(int *fd)
{
    return wf_wait_fd(*fd, WF_READABLE);
}

WF_TEST(wait_fd_tells_readiness_of_foreign_descriptors, .real = true)
{
    int ends[2];
    WF_EXPECT(pipe2(ends, O_CLOEXEC) == 0);
    WF_EXPECT_CODE(wf_wait_fd(ends[1], WF_WRITABLE), WF_WRITABLE);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_wait_fd(ends[0], WF_READABLE)), -ETIME);
    struct wf_handle one = {.result_ = 0}, two = {.result_ = 0};
    WF_SCOPE(scope);
    wf_spawn(&scope, wait_readable, &ends[0], .handle = &one);
    wf_spawn(&scope, wait_readable, &ends[0], .handle = &two);
    wf_yield();
    WF_EXPECT(write(ends[1], "x", 1) == 1);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_handle_result(&one), WF_READABLE);
    WF_EXPECT_CODE(wf_handle_result(&two), WF_READABLE);
    WF_EXPECT_CODE(wf_wait_fd(-1, WF_READABLE), -EBADF);
    WF_EXPECT_CODE(wf_wait_fd(ends[0], 0), -EINVAL);
    close(ends[0]);
    close(ends[1]);
}

WF_TEST(poll_fd_tells_readiness_and_never_waits)
{
    struct wf_stream *reader, *writer;
    char byte;
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return;
    int fd = wf_stream_fd(reader);
    WF_EXPECT_CODE(wf_poll_fd(fd, WF_READABLE), 0);
    WF_EXPECT_CODE(wf_poll_fd(wf_stream_fd(writer), WF_READABLE | WF_WRITABLE), WF_WRITABLE);
    if (WF_EXPECT_INT(wf_stream_write(writer, "x", 1), 1)) {
        WF_EXPECT_CODE(wf_poll_fd(fd, WF_READABLE), WF_READABLE);
        if (WF_EXPECT_INT(wf_stream_read(reader, &byte, 1), 1)) WF_EXPECT_CODE(wf_poll_fd(fd, WF_READABLE), 0);
    }
    wf_stream_close(writer);
    WF_EXPECT_CODE(wf_poll_fd(fd, WF_READABLE), WF_READABLE);
    WF_EXPECT_CODE(wf_poll_fd(fd, 0), -EINVAL);
    WF_EXPECT_CODE(wf_poll_fd(-1, WF_READABLE), -EBADF);
    wf_stream_close(reader);
}

/* 5.3 */
static int flood(struct wf_stream *stream)
{
    static char zeros[65536];
    int rc;
    while ((rc = wf_stream_write_all(stream, zeros, sizeof zeros, NULL)) == 0) {}
    return rc;
}

static int drink(struct wf_stream *stream)
{
    static char buffer[65536];
    ssize_t got;
    while ((got = wf_stream_read(stream, buffer, sizeof buffer)) > 0) {}
    return (int)got;
}

/* Of 200 round trips; the first two are not counted. */
static int64_t worst_round_trip(struct wf_stream *here, struct wf_stream *there)
{
    int64_t worst = 0;
    for (int i = 0; i < 200; i++) {
        int64_t started = wf_now();
        char byte = 'x';
        if (!WF_EXPECT_CODE(wf_stream_write_all(here, &byte, 1, NULL), 0)) break;
        if (!WF_EXPECT_INT(wf_stream_read(there, &byte, 1), 1)) break;
        int64_t took = wf_now() - started;
        if (i >= 2 && took > worst) worst = took;
    }
    return worst;
}

WF_TEST(a_peer_that_floods_is_not_felt_by_a_quiet_one, .rule = "5.3", .real = true)
{
    struct wf_stream *a, *b, *quiet = NULL, *other = NULL;
    if (WF_EXPECT_CODE(open_pair(&a, &b), 0) && WF_EXPECT_CODE(open_pair(&quiet, &other), 0)) {
        WF_SCOPE(scope);
        wf_spawn(&scope, flood, a);
        wf_spawn(&scope, drink, b);
        WF_EXPECT(worst_round_trip(quiet, other) < WF_MILLISECONDS(100));
        wf_scope_cancel(&scope, "measured");
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    wf_stream_close(a);
    wf_stream_close(b);
    wf_stream_close(quiet);
    wf_stream_close(other);
}

/* Signals at any moment, in the middle of a switch too, with system calls interrupted. */
static volatile sig_atomic_t interruptions;

static void interrupted(int number)
{
    (void)number;
    interruptions++;
}

static void storm(long interval_us)
{
    struct sigaction action = {.sa_handler = interrupted, .sa_flags = SA_ONSTACK};
    sigaction(SIGVTALRM, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    struct itimerval timer = {{0, interval_us}, {0, interval_us}};
    setitimer(ITIMER_VIRTUAL, &timer, NULL);
}

/* The last one may still be on its way, and valgrind would deliver it on the signal stack that went with the loop. */
static void calm(void)
{
    setitimer(ITIMER_VIRTUAL, &(struct itimerval){.it_value = {0}}, NULL);
    signal(SIGVTALRM, SIG_IGN);
    signal(SIGUSR2, SIG_IGN);
}

static int send_signals(void *unused)
{
    (void)unused;
    for (int i = 0; i < 300; i++) {
        kill(getpid(), SIGUSR2);
        int rc = wf_sleep(WF_MICROSECONDS(100));
        if (rc < 0) return rc;
    }
    return 0;
}

WF_TEST(a_storm_of_signals_changes_nothing, .real = true)
{
    struct wf_listener *listener;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    struct client clients[10];
    for (size_t i = 0; i < WF_COUNT(clients); i++)
        clients[i] = (struct client){.port = wf_listener_port(listener), .rounds = 300, .size = 1000};
    storm(1000);
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, serve, listener, .daemon = true);
        wf_spawn(&scope, send_signals, NULL);
        WF_EXPECT_CODE(wf_gather(clients, WF_COUNT(clients), talk), 0);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    calm();
    WF_EXPECT(interruptions >= 300);
    wf_listener_close(listener);
}

WF_TEST_MAIN
