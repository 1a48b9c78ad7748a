/* A full descriptor table: every call that needs a descriptor says so, nothing is lost, and all is well afterwards. */
#include <fcntl.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <weft/peer.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "emulated.h"

static struct rlimit before;

/* From now on no descriptor can be had: the lowest that is free is past the limit. */
static void fill_table(void)
{
    int lowest = dup(0);
    close(lowest);
    getrlimit(RLIMIT_NOFILE, &before);
    struct rlimit tight = {.rlim_cur = (rlim_t)lowest, .rlim_max = before.rlim_max};
    WF_EXPECT(setrlimit(RLIMIT_NOFILE, &tight) == 0);
}

static void empty_table(void)
{
    WF_EXPECT(setrlimit(RLIMIT_NOFILE, &before) == 0);
}

/* ---- Each call ---- */

static void expect_every_call(int code)
{
    struct wf_stream *a = NULL, *b = NULL;
    struct wf_listener *listener = NULL;
    struct wf_file *file = NULL;
    struct wf_walk *walk = NULL;
    char *bytes;
    size_t size;
    struct wf_arena *arena = wf_task_arena();
    WF_EXPECT_CODE(wf_pipe(&a, &b), code);
    wf_stream_close(a);
    wf_stream_close(b);
    a = b = NULL;
    WF_EXPECT_CODE(wf_stdin(&a), code);
    wf_stream_close(a);
    a = NULL;
    WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), code);
    wf_listener_close(listener);
    WF_EXPECT_CODE(wf_test_pair(&a, &b), code);
    wf_stream_close(a);
    wf_stream_close(b);
    WF_EXPECT_CODE(wf_file_open("/dev/null", O_RDONLY, 0, &file), code);
    wf_file_close(file);
    WF_EXPECT_CODE(wf_file_load("/etc/hostname", 4096, arena, &bytes, &size), code);
    WF_EXPECT_CODE(wf_walk_open("/etc/alternatives", &walk), code);
    wf_walk_close(walk);
}

WF_TEST(every_call_that_needs_a_descriptor_says_that_there_is_none, .real = true)
{
    fill_table();
    expect_every_call(-EMFILE);
    empty_table();
    expect_every_call(0);
}

WF_TEST(a_message_says_what_could_not_be_opened, .real = true)
{
    struct wf_file *file;
    struct wf_stream *conn;
    fill_table();
    WF_EXPECT_CODE(wf_file_open("/dev/null", O_RDONLY, 0, &file), -EMFILE);
    WF_EXPECT_PART(wf_failure(), "/dev/null: Too many open files");
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", 9, &conn), -EMFILE);
    WF_EXPECT_PART(wf_failure(), "cannot connect to 127.0.0.1 port 9: Too many open files");
    empty_table();
}

static int nothing(void *unused)
{
    (void)unused;
    return wf_yield();
}

WF_TEST(a_loop_that_cannot_be_made_says_why_and_can_be_made_later, .real = true, .plain = true)
{
    fill_table();
    WF_EXPECT_CODE(wf_run(nothing, NULL), -EMFILE);
    empty_table();
    WF_EXPECT_CODE(wf_run(nothing, NULL), 0);
}

/* ---- Servers ---- */

/* Valgrind accepts it all the same, closes it, and says that it did not. */
WF_TEST(a_connection_that_cannot_be_accepted_waits_in_the_backlog, .real = true)
{
    if (emulated()) return;
    struct wf_listener *listener;
    struct wf_stream *client, *server;
    char byte = 0;
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) return;
    if (WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &client), 0)) {
        WF_EXPECT_CODE(wf_stream_write_all(client, "x", 1, NULL), 0);
        wf_stream_shutdown(client);
        fill_table();
        for (int i = 0; i < 10; i++) WF_EXPECT_CODE(wf_tcp_accept(listener, &server), -EMFILE);
        empty_table();
        if (WF_EXPECT_CODE(wf_tcp_accept(listener, &server), 0)) {
            WF_EXPECT_INT(wf_stream_read(server, &byte, 1), 1);
            WF_EXPECT_INT(byte, 'x');
            wf_stream_close(server);
        }
        wf_stream_close(client);
    }
    wf_listener_close(listener);
}

struct echoes {
    struct wf_listener *listener;
    int refused, served;
};

static int echo(struct wf_stream *conn)
{
    char bytes[256];
    ssize_t got;
    int rc = 0;
    while (rc == 0 && (got = wf_stream_read(conn, bytes, sizeof bytes)) > 0)
        rc = wf_stream_write_all(conn, bytes, (size_t)got, NULL);
    wf_stream_close(conn);
    return rc;
}

/* Backs off while there are no descriptors, as a server should. */
static int serve(struct echoes *echoes)
{
    WF_SCOPE(scope);
    int rc = 0;
    while (rc >= 0) {
        struct wf_stream *conn;
        rc = wf_tcp_accept(echoes->listener, &conn);
        if (rc == -EMFILE) {
            echoes->refused++;
            rc = wf_sleep(WF_MILLISECONDS(1));
        } else if (rc >= 0) {
            echoes->served++;
            rc = wf_spawn(&scope, echo, conn);
            if (rc < 0) wf_stream_close(conn);
        }
    }
    return wf_scope_end(&scope, rc);
}

static int ask(struct wf_stream *conn)
{
    char text[5] = "";
    int rc = wf_stream_write_all(conn, "hello", 5, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn, text, 5, NULL);
    return rc == 0 && memcmp(text, "hello", 5) == 0 ? 0 : -EPROTO;
}

/* Twenty clients and room for five connections of the server's: as clients go, the others are served. */
WF_TEST(a_server_without_descriptors_serves_all_who_wait_as_others_go, .real = true)
{
    enum { CLIENTS = 20, ROOM = 5 };
    if (emulated()) return;
    struct wf_stream *clients[CLIENTS] = {NULL};
    struct echoes echoes = {.refused = 0};
    if (!WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &echoes.listener), 0)) return;
    uint16_t port = wf_listener_port(echoes.listener);
    int waiting = 0;
    for (int i = 0; i < CLIENTS; i++) waiting += WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", port, &clients[i]), 0);
    int held[ROOM];
    for (int i = 0; i < ROOM; i++) held[i] = dup(0);
    fill_table();
    for (int i = 0; i < ROOM; i++) close(held[i]);
    {
        WF_SCOPE(scope);
        wf_spawn(&scope, serve, &echoes, .daemon = true);
        while (echoes.refused == 0 && echoes.served < waiting && wf_sleep(WF_MILLISECONDS(1)) == 0) {}
        WF_EXPECT_INT(echoes.served, ROOM);
        bool served = true;
        for (int i = 0; i < CLIENTS; i++) {
            if (clients[i] != NULL && served) served = WF_EXPECT_CODE(wf_within(WF_SECONDS(5), ask(clients[i])), 0);
            wf_stream_close(clients[i]);
        }
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    empty_table();
    WF_EXPECT_INT(echoes.served, CLIENTS);
    wf_listener_close(echoes.listener);
}

WF_TEST_MAIN
