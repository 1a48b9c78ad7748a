/* The simulated world: what is promised there, and each kind of fault. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "base/sanitize.h" /* private: a smaller world under sanitizers */

/* ---- A server that echoes, and a client ---- */

static int echo(struct wf_stream *conn)
{
    char buffer[256];
    ssize_t got;
    int rc = 0;
    while (rc == 0 && (got = wf_stream_read(conn, buffer, sizeof buffer)) > 0)
        rc = wf_stream_write_all(conn, buffer, (size_t)got, NULL);
    wf_stream_close(conn);
    return 0;
}

static int serve(struct wf_listener *listener)
{
    WF_SCOPE(scope, .policy = WF_COLLECT);
    struct wf_stream *conn;
    int rc = 0;
    while (rc != -ECANCELED) {
        rc = wf_tcp_accept(listener, &conn);
        if (rc == -EMFILE || rc == -ENOMEM) rc = wf_sleep(WF_MILLISECONDS(10));
        else if (rc == 0 && wf_spawn(&scope, echo, conn) < 0) wf_stream_close(conn);
    }
    return wf_scope_end(&scope, rc);
}

static int listen_and_serve(uint16_t port)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen(NULL, port, &listener);
    if (rc < 0) return rc;
    rc = serve(listener);
    wf_listener_close(listener);
    return rc;
}

static int run_server(struct wf_sim_host *host)
{
    return wf_sim_on(host, listen_and_serve(80));
}

static int round_trip(struct wf_stream *conn, const char *text)
{
    char back[64];
    size_t size = strlen(text);
    int rc = wf_stream_write_all(conn, text, size, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn, back, size, NULL);
    return rc == 0 && memcmp(back, text, size) != 0 ? -EILSEQ : rc;
}

static int round_trip_in_time(struct wf_stream *conn, const char *text)
{
    return wf_within(WF_SECONDS(1), round_trip(conn, text));
}

static int ask(const char *host)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect(host, 80, &conn);
    if (rc < 0) return rc;
    rc = round_trip(conn, "hello");
    wf_stream_close(conn);
    return rc;
}

/* ---- Hosts ---- */

WF_TEST(hosts_reach_each_other_by_name_and_address, .simulated = true, .sweep = true)
{
    struct wf_sim_host *server = wf_sim_host("server"), *client = wf_sim_host("client");
    WF_EXPECT(server != NULL && client != NULL && wf_sim_host("server") == server);
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, server);
    wf_sleep(WF_MILLISECONDS(1));
    WF_EXPECT_CODE(wf_sim_on(client, ask("server")), 0);
    WF_EXPECT_CODE(wf_sim_on(client, ask(server != NULL ? wf_sim_host_address(server) : "?")), 0);
    WF_EXPECT_FAILURE(wf_sim_on(client, ask("nobody")), -ENOENT, "nobody: no such host");
    WF_EXPECT_CODE(wf_sim_on(client, ask("127.0.0.1")), -ECONNREFUSED);
    WF_EXPECT_CODE(ask("10.9.9.9"), -ENETUNREACH);
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(each_host_has_its_own_ports, .simulated = true)
{
    struct wf_sim_host *one = wf_sim_host("one"), *two = wf_sim_host("two");
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, one);
    wf_spawn(&scope, run_server, two);
    wf_sleep(WF_MILLISECONDS(1));
    WF_EXPECT_CODE(wf_sim_on(one, listen_and_serve(80)), -EADDRINUSE);
    WF_EXPECT_CODE(ask("one"), 0);
    WF_EXPECT_CODE(ask("two"), 0);
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Partitions ---- */

WF_TEST(nothing_passes_a_partition_and_nobody_is_told, .rule = "8.3", .simulated = true)
{
    struct wf_sim_host *server = wf_sim_host("server"), *client = wf_sim_host("client");
    if (!WF_EXPECT(server != NULL && client != NULL)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, server);
    wf_sleep(WF_MILLISECONDS(1));
    wf_sim_partition(server, client);
    WF_EXPECT_CODE(wf_sim_on(client, wf_within(WF_SECONDS(3), ask("server"))), -ETIME);
    WF_EXPECT_CODE(ask("server"), 0);
    wf_sim_repair(server, NULL);
    WF_EXPECT_CODE(wf_sim_on(client, ask("server")), 0);
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(an_unanswered_connect_gives_up_as_the_system_does, .simulated = true, .timeout = WF_SECONDS(300))
{
    struct wf_sim_host *server = wf_sim_host("server");
    wf_sim_partition(server, NULL);
    int64_t started = wf_now();
    WF_EXPECT_CODE(ask("server"), -ETIMEDOUT);
    int64_t took = (wf_now() - started) / WF_SECONDS(1);
    WF_EXPECT(took >= 120 && took <= 130); /* 1 + 2 + 4 ... + 64 s */
}

struct talk {
    struct wf_stream *conn;
    int rc;
};

static int talk_across(struct talk *talk)
{
    talk->rc = round_trip(talk->conn, "across");
    return 0;
}

WF_TEST(what_was_sent_into_a_partition_arrives_after_its_repair, .simulated = true)
{
    struct wf_sim_host *server = wf_sim_host("server");
    struct talk talk = {.rc = -1};
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, server);
    wf_sleep(WF_MILLISECONDS(1));
    if (!WF_EXPECT_CODE(wf_tcp_connect("server", 80, &talk.conn), 0)) return;
    wf_sim_partition(server, NULL);
    wf_spawn(&scope, talk_across, &talk);
    wf_sleep(WF_SECONDS(2));
    WF_EXPECT_INT(talk.rc, -1);
    wf_sim_repair(server, NULL);
    wf_sleep(WF_SECONDS(5));
    WF_EXPECT_CODE(talk.rc, 0);
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(talk.conn);
}

WF_TEST(a_partition_that_lasts_ends_the_sender_and_leaves_the_receiver_half_open, .simulated = true,
        .timeout = WF_SECONDS(4000))
{
    struct wf_sim_host *server = wf_sim_host("server");
    struct wf_stream *conn;
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, server);
    wf_sleep(WF_MILLISECONDS(1));
    if (!WF_EXPECT_CODE(wf_tcp_connect("server", 80, &conn), 0)) return;
    wf_sim_partition(server, NULL);
    int64_t started = wf_now();
    WF_EXPECT_CODE(round_trip(conn, "lost"), -ETIMEDOUT);
    int64_t took = (wf_now() - started) / WF_SECONDS(1);
    WF_EXPECT(took > 900 && took < 1000); /* 15 retransmissions, the last ones 120 s apart */
    wf_stream_close(conn);
    wf_sleep(WF_SECONDS(1000)); /* its peer still waits, and would for ever */
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Crashes ---- */

WF_TEST(a_crash_is_silent_and_a_restart_resets, .simulated = true)
{
    struct wf_sim_host *server = wf_sim_host("server");
    struct wf_handle first = {.result_ = 0};
    struct wf_stream *conn;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    wf_spawn(&scope, run_server, server, .handle = &first);
    wf_sleep(WF_MILLISECONDS(1));
    if (!WF_EXPECT_CODE(wf_tcp_connect("server", 80, &conn), 0)) return;
    WF_EXPECT_CODE(round_trip(conn, "before"), 0);
    wf_sim_crash(server);
    WF_EXPECT_CODE(wf_handle_join(&first), -EHOSTDOWN);
    WF_EXPECT_CODE(round_trip_in_time(conn, "while"), -ETIME);
    wf_spawn(&scope, run_server, server);
    char byte;
    WF_EXPECT_CODE(wf_within(WF_SECONDS(5), wf_stream_read(conn, &byte, 1)), -ECONNRESET);
    wf_stream_close(conn);
    WF_EXPECT_CODE(ask("server"), 0);
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), -EHOSTDOWN);
}

/* ---- Weather ---- */

static int64_t time_of_round_trips(int count)
{
    struct wf_stream *conn;
    int64_t started = wf_now();
    if (!WF_EXPECT_CODE(wf_tcp_connect("server", 80, &conn), 0)) return 0;
    for (int i = 0; i < count; i++) WF_EXPECT_CODE(round_trip(conn, "hello"), 0);
    wf_stream_close(conn);
    return wf_now() - started;
}

WF_TEST(latency_is_felt_each_way, .rule = "8.3", .simulated = true)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, wf_sim_host("server"));
    wf_sleep(WF_MILLISECONDS(1));
    wf_sim_set_faults(.partial = -1, .latency_min = WF_MILLISECONDS(50), .latency_max = WF_MILLISECONDS(50));
    int64_t took = time_of_round_trips(10) / WF_MILLISECONDS(1);
    WF_EXPECT(took >= 1100 && took <= 1105); /* the connect is a round trip, too */
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(what_is_lost_is_sent_again_and_only_takes_longer, .rule = "8.3", .simulated = true, .timeout = WF_SECONDS(1000))
{
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, wf_sim_host("server"));
    wf_sleep(WF_MILLISECONDS(1));
    int64_t fair = time_of_round_trips(200);
    wf_sim_set_faults(.lost = 0.1);
    int64_t foul = time_of_round_trips(200);
    WF_EXPECT(fair < WF_SECONDS(1));
    WF_EXPECT(foul > WF_SECONDS(2) && foul < WF_SECONDS(60));
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(resets_reach_both_sides_and_leak_nothing, .rule = "8.3", .simulated = true, .timeout = WF_SECONDS(100))
{
    int resets = 0;
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, wf_sim_host("server"));
    wf_sleep(WF_MILLISECONDS(1));
    wf_sim_set_faults(.reset = 0.05);
    for (int i = 0; i < 500; i++) {
        int rc = wf_within(WF_SECONDS(1), ask("server"));
        if (!WF_EXPECT(rc == 0 || rc == -ECONNRESET || rc == -EPIPE || rc == WF_EEND)) break;
        resets += rc < 0;
    }
    WF_EXPECT(resets > 20 && resets < 250);
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_full_table_of_descriptors_is_an_error_that_passes, .rule = "8.3", .simulated = true)
{
    struct wf_sim_host *server = wf_sim_host("server");
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, server);
    wf_sleep(WF_MILLISECONDS(1));
    wf_sim_set_faults(.descriptors_max = 3); /* the listener and two more */
    struct wf_stream *conns[3] = {NULL}, *reader, *writer;
    bool connected = true;
    for (int i = 0; i < 3; i++) connected &= WF_EXPECT_CODE(wf_tcp_connect("server", 80, &conns[i]), 0);
    if (connected) {
        char byte;
        WF_EXPECT_CODE(round_trip_in_time(conns[0], "a"), 0);
        WF_EXPECT_CODE(round_trip_in_time(conns[1], "b"), 0);
        WF_EXPECT_CODE(round_trip_in_time(conns[2], "c"), -ETIME);
        WF_EXPECT_CODE(wf_pipe(&reader, &writer), -EMFILE);
        wf_stream_close(conns[0]);
        conns[0] = NULL;
        WF_EXPECT_INT(wf_within(WF_SECONDS(1), wf_stream_read(conns[2], &byte, 1)), 1);
    }
    for (int i = 0; i < 3; i++) wf_stream_close(conns[i]);
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(memory_of_the_kernel_may_run_out, .rule = "8.3", .simulated = true)
{
    struct wf_stream *reader, *writer;
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return;
    wf_sim_set_faults(.no_memory = 1);
    WF_EXPECT_CODE(wf_stream_write(writer, "x", 1), -ENOMEM);
    wf_sim_set_faults(.no_memory = -1);
    WF_EXPECT_INT(wf_stream_write(writer, "x", 1), 1);
    wf_stream_close(reader);
    wf_stream_close(writer);
}

/* ---- Files ---- */

static int write_file(const char *path, const char *text, bool sync)
{
    struct wf_file *file;
    int rc = wf_file_open(path, O_WRONLY | O_CREAT, 0600, &file);
    if (rc < 0) return rc;
    ssize_t put = wf_file_write(file, text, strlen(text));
    if (put >= 0 && sync) put = wf_file_sync(file);
    wf_file_close(file);
    return put < 0 ? (int)put : 0;
}

static int read_file(const char *path, char *text, size_t size)
{
    struct wf_file *file;
    int rc = wf_file_open(path, O_RDONLY, 0, &file);
    if (rc < 0) return rc;
    ssize_t got = wf_file_read(file, text, size - 1);
    wf_file_close(file);
    text[got > 0 ? got : 0] = '\0';
    return got < 0 ? (int)got : 0;
}

WF_TEST(files_belong_to_their_host_and_never_reach_the_disk, .simulated = true, .sweep = true)
{
    struct wf_sim_host *one = wf_sim_host("one"), *two = wf_sim_host("two");
    char text[64];
    WF_EXPECT_CODE(wf_sim_on(one, write_file("/tmp/weft-simulated", "of one", false)), 0);
    WF_EXPECT_CODE(wf_sim_on(one, read_file("/tmp/weft-simulated", text, sizeof text)), 0);
    WF_EXPECT_TEXT(text, "of one");
    WF_EXPECT_CODE(wf_sim_on(two, read_file("/tmp/weft-simulated", text, sizeof text)), -ENOENT);
    WF_INVARIANT(access("/tmp/weft-simulated", F_OK) < 0);
    WF_EXPECT_CODE(write_file("/nowhere/file", "x", false), -ENOENT);
}

WF_TEST(real_files_are_read_and_never_written, .simulated = true)
{
    char text[64], again[64];
    WF_EXPECT_CODE(read_file("/proc/sys/kernel/ostype", text, sizeof text), 0);
    WF_EXPECT_TEXT(text, "Linux\n");
    WF_EXPECT_CODE(write_file("/proc/sys/kernel/ostype", "Weft!", false), 0);
    WF_EXPECT_CODE(read_file("/proc/sys/kernel/ostype", again, sizeof again), 0);
    WF_EXPECT_TEXT(again, "Weft!\n");
}

static int write_and_crash(struct wf_sim_host *host, char *page)
{
    memset(page, 'd', 4096);
    int rc = write_file("/tmp/weft-journal", page, true);
    memset(page, 'n', 4096);
    if (rc == 0) rc = write_file("/tmp/weft-journal", page, false);
    wf_sim_crash(host);
    return rc;
}

/* What was synced is there; what was not is there, is not, or is there up to a sector. Over many crashes: all three. */
WF_TEST(a_crash_keeps_what_was_synced_and_tears_the_rest, .rule = "8.3", .simulated = true)
{
    static char page[4097];
    int kept = 0, lost = 0, torn = 0;
    for (int i = 0; i < 100; i++) {
        char name[16];
        snprintf(name, sizeof name, "host %d", i % 40);
        struct wf_sim_host *host = wf_sim_host(name);
        WF_EXPECT_CODE(wf_sim_on(host, write_and_crash(host, page)), -EHOSTDOWN);
        if (!WF_EXPECT_CODE(wf_sim_on(host, read_file("/tmp/weft-journal", page, sizeof page)), 0)) return;
        size_t written = strspn(page, "n");
        WF_EXPECT(written % 512 == 0 && strlen(page) == 4096 && strspn(page + written, "d") == 4096 - written);
        kept += written == 4096;
        lost += written == 0;
        torn += written > 0 && written < 4096;
    }
    WF_EXPECT(kept > 5 && lost > 5 && torn > 5);
}

WF_TEST(disks_are_slow_full_and_broken, .rule = "8.3", .simulated = true)
{
    wf_sim_set_faults(.disk_min = WF_MILLISECONDS(5), .disk_max = WF_MILLISECONDS(10), .disk_size_max = 8);
    int64_t started = wf_now();
    WF_EXPECT_CODE(write_file("/tmp/weft-full", "12345678", false), 0);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(10)); /* open and write */
    WF_EXPECT_CODE(write_file("/tmp/weft-other", "9", false), -ENOSPC);
    wf_sim_set_faults(.disk_error = 1);
    char text[16];
    WF_EXPECT_CODE(read_file("/tmp/weft-full", text, sizeof text), -EIO);
    wf_sim_set_faults(.disk_error = -1);
    WF_EXPECT_CODE(read_file("/tmp/weft-full", text, sizeof text), 0);
    WF_EXPECT_TEXT(text, "12345678");
}

/* ---- The seed ---- */

static int chatter(void *unused)
{
    (void)unused;
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, wf_sim_host("server"));
    wf_sleep(WF_MILLISECONDS(1));
    wf_sim_set_faults(.reset = 0.05, .lost = 0.01);
    for (int i = 0; i < 20; i++) ask("server");
    wf_scope_cancel(&scope, "done");
    return wf_scope_join(&scope);
}

static uint64_t trace_of(uint64_t seed)
{
    wf_sim_seed(seed);
    WF_EXPECT_CODE(wf_run(chatter, NULL, .driver = "sim"), 0);
    return wf_sim_trace();
}

WF_TEST(the_same_seed_gives_the_same_run_and_another_one_another, .rule = "8.3", .plain = true)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint64_t trace = trace_of(seed);
        WF_EXPECT(trace_of(seed) == trace);
        WF_EXPECT(trace_of(seed + 100) != trace);
    }
}

static int note_number(int *number)
{
    wf_sleep(WF_MILLISECONDS(1));
    wf_test_note("%d", *number);
    return 0;
}

/* Sleepers with one deadline wake in an order that the seed decides; waiters of a queue never do. */
WF_TEST(equal_timers_are_permuted, .rule = "8.3", .simulated = true)
{
    int numbers[8] = {0, 1, 2, 3, 4, 5, 6, 7};
    WF_EXPECT_CODE(wf_gather(numbers, WF_COUNT(numbers), note_number), 0);
    WF_EXPECT_INT((int64_t)strlen(wf_test_notes()), 15);
    WF_EXPECT(strcmp(wf_test_notes(), "0 1 2 3 4 5 6 7") != 0);
}

/* ---- Bounds ---- */

static int spin(void *unused)
{
    (void)unused;
    while (wf_yield() == 0) {}
    return -ECANCELED;
}

static int tick(void *unused)
{
    (void)unused;
    while (wf_sleep(WF_SECONDS(1)) == 0) {}
    return -ECANCELED;
}

static int spin_within_bounds(void *unused)
{
    wf_sim_set_bounds(0, 1000);
    return spin(unused);
}

static int tick_within_bounds(void *unused)
{
    wf_sim_set_bounds(WF_SECONDS(3600), 0);
    return tick(unused);
}

WF_TEST(a_task_that_spins_while_the_clock_stands_still_is_found, .plain = true)
{
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_run(spin_within_bounds, NULL, .driver = "sim"), -EDEADLK);
    WF_EXPECT_PART(wf_test_reports(), "the clock cannot jump");
    WF_EXPECT_PART(wf_test_reports(), "spin_within_bounds");
}

static int yield_until(const bool *over)
{
    while (!*over) wf_yield();
    return 0;
}

WF_TEST(a_task_that_spins_lets_the_others_meet_their_deadlines, .simulated = true)
{
    bool over = false;
    WF_SCOPE(scope);
    wf_spawn(&scope, yield_until, &over);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), wf_sleep(WF_SECONDS(5))), -ETIME);
    over = true;
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_ticker_that_never_ends_is_found, .plain = true)
{
    wf_test_allow_reports();
    WF_EXPECT_CODE(wf_run(tick_within_bounds, NULL, .driver = "sim"), -EDEADLK);
    WF_EXPECT_PART(wf_test_reports(), "the bound on virtual time has passed");
}

static int use_the_world(void *unused)
{
    (void)unused;
    wf_sim_set_faults(.reset = 1);
    return 0;
}

WF_TEST(the_calls_of_a_simulated_world_are_refused_elsewhere, .plain = true, .real = true,
        .dies = "wf_sim_set_faults was called outside a simulated world")
{
    wf_run(use_the_world, NULL);
}

/* ---- The mark: a thousand clients, ten minutes ---- */

struct customer {
    int messages, reconnects;
};

static int send_each_second(struct customer *customer)
{
    struct wf_stream *conn = NULL;
    int64_t next = wf_now();
    for (int i = 0; i < 600; i++) {
        next += WF_SECONDS(1);
        int rc = wf_sleep_until(next);
        if (rc < 0) break;
        if (conn == NULL && wf_tcp_connect("server", 80, &conn) < 0) continue;
        rc = round_trip(conn, "message");
        if (rc == 0) customer->messages++;
        else {
            wf_stream_close(conn);
            conn = NULL;
            customer->reconnects++;
        }
    }
    wf_stream_close(conn);
    return 0;
}

WF_TEST(a_thousand_clients_for_ten_minutes_with_resets, .simulated = true, .timeout = WF_SECONDS(700),
        .unswept = "600,000 messages a run")
{
    enum { CUSTOMERS = WEFT_ASAN ? 50 : 1000 }; /* the mark is the plain build's */
    static struct customer customers[CUSTOMERS];
    memset(customers, 0, sizeof customers);
    struct wf_sim_host *server = wf_sim_host("server");
    WF_SCOPE(scope);
    wf_spawn(&scope, run_server, server);
    wf_sleep(WF_MILLISECONDS(1));
    wf_sim_set_faults(.reset = 0.01);
    WF_EXPECT_CODE(wf_gather(customers, WF_COUNT(customers), send_each_second), 0);
    int messages = 0, reconnects = 0;
    for (size_t i = 0; i < WF_COUNT(customers); i++) {
        messages += customers[i].messages;
        reconnects += customers[i].reconnects;
    }
    WF_EXPECT_INT(messages + reconnects, 600 * CUSTOMERS);
    WF_EXPECT(reconnects > 10 * CUSTOMERS);
    wf_scope_cancel(&scope, "done");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
