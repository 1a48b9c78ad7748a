/* Unix sockets: names and files, streams, packets, datagrams, owners; rules 1.3, 1.9. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

static bool simulated(void)
{
    return strcmp(wf_driver_name(), "sim") == 0;
}

/* A name of this test's own, which is no file. */
static const char *name(void)
{
    static char text[64];
    snprintf(text, sizeof text, "@weft-test-%d", (int)getpid());
    return text;
}

/* A directory of this test's own, empty and gone when the test ends; the simulated world needs none. */
struct place {
    char directory[64], path[128];
};

static void place_init(struct place *place)
{
    strcpy(place->directory, "/tmp/weft-unix-XXXXXX");
    if (!simulated()) WF_EXPECT(mkdtemp(place->directory) != NULL);
    snprintf(place->path, sizeof place->path, "%s/socket", place->directory);
}

static void place_finish(const struct place *place)
{
    if (!simulated()) WF_EXPECT_INT(rmdir(place->directory), 0);
}

static bool is_there(const struct place *place)
{
    struct wf_socket *probe;
    struct stat status;
    if (!simulated()) return lstat(place->path, &status) == 0;
    int rc = wf_unix_open(NULL, &probe, .peer = place->path);
    if (rc == 0) wf_socket_close(probe);
    return rc != -ENOENT;
}

static void close_streams(struct wf_stream *a, struct wf_stream *b)
{
    wf_stream_close(a);
    wf_stream_close(b);
}

static void close_sockets(struct wf_socket *a, struct wf_socket *b)
{
    wf_socket_close(a);
    wf_socket_close(b);
}

static int receive_soon(struct wf_socket *socket, void *buffer, size_t size, struct wf_address *from)
{
    return wf_within(WF_SECONDS(1), (int)wf_socket_receive(socket, buffer, size, from));
}

/* ---- Streams ---- */

static void talk(struct wf_stream *a, struct wf_stream *b)
{
    char text[8] = "";
    WF_EXPECT_CODE(wf_stream_write_all(a, "ask", 3, NULL), 0);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_stream_read_full(b, text, 3, NULL)), 0);
    WF_EXPECT_TEXT(text, "ask");
    WF_EXPECT_CODE(wf_stream_write_all(b, "answer", 6, NULL), 0);
    WF_EXPECT_CODE(wf_stream_shutdown(b), 0);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_stream_read_full(a, text, 7, NULL)), WF_EEND);
    WF_EXPECT_TEXT(text, "answer");
}

static void connect_and_talk(const char *path, struct wf_listener *listener)
{
    struct wf_stream *client, *server = NULL;
    if (!WF_EXPECT_CODE(wf_unix_connect(path, &client), 0)) return;
    if (WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_unix_accept(listener, &server)), 0)) talk(client, server);
    close_streams(client, server);
}

WF_TEST(a_stream_by_an_abstract_name)
{
    struct wf_listener *listener, *second;
    if (!WF_EXPECT_CODE(wf_unix_listen(name(), &listener, .backlog = 8), 0)) return;
    connect_and_talk(name(), listener);
    WF_EXPECT_FAILURE(wf_unix_listen(name(), &second, .replace = true), -EADDRINUSE, name());
    WF_EXPECT_INT(wf_listener_port(listener), 0);
    wf_listener_close(listener);
    struct wf_stream *conn;
    WF_EXPECT_FAILURE(wf_unix_connect(name(), &conn), -ECONNREFUSED, name());
}

WF_TEST(both_ends_know_the_name_and_each_other)
{
    struct wf_listener *listener;
    struct wf_stream *client = NULL, *server = NULL;
    struct wf_address address;
    struct wf_unix_owner owner = {.pid = 0};
    char text[WF_ADDRESS_TEXT];
    if (!WF_EXPECT_CODE(wf_unix_listen(name(), &listener), 0)) return;
    if (WF_EXPECT_CODE(wf_unix_connect(name(), &client), 0) &&
        WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_unix_accept(listener, &server)), 0)) {
        WF_EXPECT_CODE(wf_stream_peer(client, &address), 0);
        WF_EXPECT_TEXT(wf_address_text(&address, text) + 5, name());
        WF_EXPECT_CODE(wf_stream_local(server, &address), 0);
        WF_EXPECT_TEXT(wf_address_text(&address, text) + 5, name());
        WF_EXPECT_CODE(wf_stream_peer(server, &address), 0);
        WF_EXPECT_TEXT(wf_address_text(&address, text), "unix:");
        WF_EXPECT_CODE(wf_unix_peer_owner(server, &owner), 0);
        WF_EXPECT_INT(owner.pid, getpid());
        WF_EXPECT(owner.uid == geteuid() && owner.gid == getegid());
    }
    close_streams(client, server);
    wf_listener_close(listener);
}

/* ---- Files ---- */

WF_TEST(the_file_goes_with_the_listener)
{
    struct place place;
    struct wf_listener *listener;
    place_init(&place);
    if (WF_EXPECT_CODE(wf_unix_listen(place.path, &listener), 0)) {
        WF_EXPECT(is_there(&place));
        connect_and_talk(place.path, listener);
        wf_listener_close(listener);
        WF_EXPECT(!is_there(&place));
    }
    struct wf_stream *conn;
    WF_EXPECT_FAILURE(wf_unix_connect(place.path, &conn), -ENOENT, place.path);
    place_finish(&place);
}

/* As a process leaves it that was killed. */
static void leave_dead_file(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    strcpy(address.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    WF_EXPECT_INT(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    close(fd);
}

WF_TEST(a_dead_file_is_replaced_when_that_was_asked_for, .real = true)
{
    struct place place;
    struct wf_listener *listener;
    place_init(&place);
    leave_dead_file(place.path);
    WF_EXPECT_FAILURE(wf_unix_listen(place.path, &listener), -EADDRINUSE, place.path);
    WF_EXPECT(is_there(&place));
    if (WF_EXPECT_CODE(wf_unix_listen(place.path, &listener, .replace = true), 0)) {
        connect_and_talk(place.path, listener);
        wf_listener_close(listener);
    }
    place_finish(&place);
}

static int listen_until_the_end(int *result)
{
    struct wf_listener *listener;
    int rc = wf_unix_listen("/run/service", &listener);
    if (rc < 0) return rc;
    rc = wf_sleep(WF_SECONDS(60));
    wf_listener_close(listener);
    *result = rc;
    return rc;
}

static int listen_again(bool replace)
{
    struct wf_listener *listener;
    int rc = wf_unix_listen("/run/service", &listener, .replace = replace);
    if (rc == 0) wf_listener_close(listener);
    return rc;
}

static int serve_on(struct wf_sim_host *host)
{
    int result = 0;
    WF_EXPECT_CODE(wf_sim_on(host, listen_until_the_end(&result)), -EHOSTDOWN);
    return 0;
}

WF_TEST(a_host_that_crashed_finds_its_dead_file, .simulated = true)
{
    struct wf_sim_host *host = wf_sim_host("server");
    if (!WF_EXPECT(host != NULL)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve_on, host);
    wf_sleep(WF_SECONDS(1));
    wf_sim_crash(host);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_CODE(wf_sim_on(host, listen_again(false)), -EADDRINUSE);
    WF_EXPECT_CODE(wf_sim_on(host, listen_again(true)), 0);
    WF_EXPECT_CODE(wf_sim_on(host, listen_again(false)), 0);
}

WF_TEST(a_live_one_is_never_replaced)
{
    struct place place;
    struct wf_listener *listener, *second;
    struct wf_socket *datagrams;
    place_init(&place);
    if (WF_EXPECT_CODE(wf_unix_listen(place.path, &listener), 0)) {
        struct wf_stream *asked = NULL;
        WF_EXPECT_CODE(wf_unix_listen(place.path, &second, .replace = true), -EADDRINUSE);
        WF_EXPECT_CODE(wf_unix_listen(place.path, &second, .replace = true, .packets = true), -EADDRINUSE);
        WF_EXPECT_CODE(wf_unix_open(place.path, &datagrams, .replace = true), -EADDRINUSE);
        if (WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_unix_accept(listener, &asked)), 0)) wf_stream_close(asked);
        connect_and_talk(place.path, listener);
        wf_listener_close(listener);
    }
    place_finish(&place);
}

WF_TEST(a_file_of_another_kind_is_never_replaced, .real = true)
{
    struct place place;
    struct wf_listener *listener;
    place_init(&place);
    int fd = open(place.path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    int rc = wf_unix_listen(place.path, &listener, .replace = true);
    WF_EXPECT(rc == -ENOTSOCK || rc == -EADDRINUSE);
    WF_EXPECT(is_there(&place));
    WF_EXPECT_INT(unlink(place.path), 0);
    place_finish(&place);
}

/* Somebody is just about to make or replace a file there. */
WF_TEST(nothing_is_replaced_while_somebody_else_may_be_doing_so, .real = true)
{
    struct place place;
    struct wf_listener *listener;
    place_init(&place);
    leave_dead_file(place.path);
    int lock = open(place.directory, O_RDONLY | O_DIRECTORY);
    WF_EXPECT_INT(flock(lock, LOCK_EX), 0);
    WF_EXPECT_CODE(wf_unix_listen(place.path, &listener, .replace = true), -EADDRINUSE);
    close(lock);
    if (WF_EXPECT_CODE(wf_unix_listen(place.path, &listener, .replace = true), 0)) wf_listener_close(listener);
    place_finish(&place);
}

WF_TEST(the_file_has_the_mode_from_the_beginning, .real = true)
{
    struct place place;
    struct wf_listener *listener;
    struct stat status;
    place_init(&place);
    if (WF_EXPECT_CODE(wf_unix_listen(place.path, &listener, .mode = 0600), 0)) {
        WF_EXPECT_INT(stat(place.path, &status), 0);
        WF_EXPECT_INT(status.st_mode & 0777, 0600);
        wf_listener_close(listener);
    }
    place_finish(&place);
}

WF_TEST(bad_names_are_refused_with_a_message)
{
    static const char long_path[] = "/1234567890123456789012345678901234567890123456789012345678901234567890123456789"
                                    "01234567890123456789012345678";
    struct wf_listener *listener;
    struct wf_stream *conn;
    struct wf_socket *socket;
    WF_EXPECT_FAILURE(wf_unix_listen("", &listener), -EINVAL, "empty");
    WF_EXPECT_FAILURE(wf_unix_listen(long_path, &listener), -ENAMETOOLONG, "108");
    WF_EXPECT_FAILURE(wf_unix_listen(long_path + 1, &listener), -ENAMETOOLONG, "107");
    if (!simulated()) WF_EXPECT_FAILURE(wf_unix_listen("/no/such/place", &listener), -ENOENT, "/no/such/place");
    WF_EXPECT_FAILURE(wf_unix_connect("/no/such/place", &conn), -ENOENT, "/no/such/place");
    WF_EXPECT_FAILURE(wf_unix_open(NULL, &socket, .peer = "/no/such/place"), -ENOENT, "/no/such/place");
    WF_EXPECT_CODE(wf_unix_listen(name(), &listener, .backlog = -1), -EINVAL);
}

/* ---- A listener without room ---- */

static int accept_later(struct wf_listener *listener)
{
    struct wf_stream *conn;
    int rc = wf_sleep(WF_MILLISECONDS(5));
    for (int i = 0; i < 3 && rc == 0; i++) {
        rc = wf_unix_accept(listener, &conn);
        if (rc == 0) wf_stream_close(conn);
    }
    return rc;
}

WF_TEST(connecting_waits_while_the_listener_has_no_room)
{
    struct wf_listener *listener;
    struct wf_stream *conns[4] = {NULL};
    int made = 0;
    if (!WF_EXPECT_CODE(wf_unix_listen(name(), &listener, .backlog = 1), 0)) return;
    WF_SCOPE(scope);
    int rc;
    while (made < 4 && (rc = wf_within(WF_MILLISECONDS(2), wf_unix_connect(name(), &conns[made]))) == 0) made++;
    WF_EXPECT_CODE(rc, -ETIME);
    WF_EXPECT(made >= 1 && made <= 2);
    wf_spawn(&scope, accept_later, listener);
    for (; made < 3; made++)
        if (!WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_unix_connect(name(), &conns[made])), 0)) break;
    wf_scope_end(&scope, made == 3 ? 0 : -EIO);
    for (int i = 0; i < 4; i++) wf_stream_close(conns[i]);
    wf_listener_close(listener);
}

/* ---- Packets ---- */

WF_TEST(packets_keep_their_borders_and_have_an_end)
{
    struct wf_listener *listener;
    struct wf_socket *client = NULL, *server = NULL;
    struct wf_unix_owner owner = {.pid = 0};
    char text[8] = "";
    if (!WF_EXPECT_CODE(wf_unix_listen(name(), &listener, .packets = true), 0)) return;
    if (WF_EXPECT_CODE(wf_unix_connect_packets(name(), &client), 0) &&
        WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_unix_accept_packets(listener, &server)), 0)) {
        WF_EXPECT_INT(wf_socket_send(client, "one", 3, NULL), 3);
        WF_EXPECT_INT(wf_socket_send(client, "two!", 4, NULL), 4);
        WF_EXPECT_CODE(wf_socket_send(client, "", 0, NULL), -EINVAL);
        WF_EXPECT_CODE(wf_unix_packets_owner(server, &owner), 0);
        WF_EXPECT_INT(owner.pid, getpid());
        WF_EXPECT_INT(receive_soon(server, text, sizeof text, NULL), 3);
        WF_EXPECT_CODE(receive_soon(server, text, 3, NULL), -EMSGSIZE);
        WF_EXPECT_INT(wf_socket_send(client, "end", 3, NULL), 3);
        wf_socket_close(client);
        client = NULL;
        struct wf_message in[3] = {{.bytes = text, .size = 8}, {.bytes = text, .size = 8}, {.bytes = text, .size = 8}};
        WF_EXPECT_INT(wf_within(WF_SECONDS(1), wf_socket_receive_many(server, in, 3)), 1);
        WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_socket_receive_many(server, in, 3)), WF_EEND);
        WF_EXPECT_CODE(receive_soon(server, text, sizeof text, NULL), WF_EEND);
        WF_EXPECT_CODE(wf_socket_send(server, "x", 1, NULL), -EPIPE);
    }
    close_sockets(client, server);
    wf_listener_close(listener);
}

WF_TEST(streams_and_packets_do_not_mix)
{
    struct wf_listener *streams, *packets;
    struct wf_stream *stream;
    struct wf_socket *socket;
    struct place place;
    place_init(&place);
    if (WF_EXPECT_CODE(wf_unix_listen(place.path, &streams), 0)) {
        WF_EXPECT_CODE(wf_unix_connect_packets(place.path, &socket), -EPROTOTYPE);
        WF_EXPECT_CODE(wf_unix_open(NULL, &socket, .peer = place.path), -EPROTOTYPE);
        WF_EXPECT_CODE(wf_unix_accept_packets(streams, &socket), -EPROTOTYPE);
        wf_listener_close(streams);
    }
    place_finish(&place);
    if (!WF_EXPECT_CODE(wf_unix_listen(name(), &streams), 0)) return;
    WF_EXPECT_CODE(wf_unix_connect_packets(name(), &socket), -ECONNREFUSED); /* abstract names are of a kind */
    if (WF_EXPECT_CODE(wf_unix_listen(name(), &packets, .packets = true), 0)) {
        WF_EXPECT_CODE(wf_unix_accept(packets, &stream), -EPROTOTYPE);
        wf_listener_close(packets);
    }
    wf_listener_close(streams);
}

WF_TEST(what_nobody_read_resets_a_connection_of_packets)
{
    struct wf_socket *a, *b;
    char byte;
    if (!WF_EXPECT_CODE(wf_unix_pair_packets(&a, &b), 0)) return;
    WF_EXPECT_INT(wf_socket_send(a, "unread", 6, NULL), 6);
    wf_socket_close(b);
    WF_EXPECT_CODE(receive_soon(a, &byte, 1, NULL), -ECONNRESET);
    wf_socket_close(a);
}

/* ---- Datagrams ---- */

WF_TEST(datagrams_are_sent_to_a_name_and_answered_to_one)
{
    struct place place;
    struct wf_socket *server, *client = NULL;
    struct wf_address from;
    char text[8] = "", other[72];
    place_init(&place);
    snprintf(other, sizeof other, "%s-client", name());
    if (WF_EXPECT_CODE(wf_unix_open(place.path, &server, .mode = 0600, .replace = true), 0)) {
        if (WF_EXPECT_CODE(wf_unix_open(other, &client, .peer = place.path), 0)) {
            WF_EXPECT_INT(wf_socket_send(client, "hello", 5, NULL), 5);
            WF_EXPECT_INT(receive_soon(server, text, sizeof text, &from), 5);
            WF_EXPECT_INT(wf_socket_send(server, "answer", 6, &from), 6);
            WF_EXPECT_INT(receive_soon(client, text, sizeof text, &from), 6);
            WF_EXPECT_TEXT(text, "answer");
            WF_EXPECT_TEXT(wf_address_text(&from, (char[WF_ADDRESS_TEXT]){0}) + 5, place.path);
        }
        wf_socket_close(server);
        if (client != NULL) WF_EXPECT_CODE(wf_socket_send(client, "x", 1, NULL), -ECONNREFUSED);
        WF_EXPECT(!is_there(&place));
    }
    wf_socket_close(client);
    place_finish(&place);
}

struct flood {
    struct wf_socket *socket;
    const struct wf_address *to;
    int sent;
};

static int send_ever(struct flood *flood)
{
    ssize_t rc;
    while ((rc = wf_socket_send(flood->socket, "x", 1, flood->to)) >= 0) flood->sent++;
    return (int)rc;
}

/* As many come as were sent, each with its byte. */
static void take_flood(struct wf_socket *server, const struct flood *flood, int already)
{
    char text[2];
    while (already < flood->sent && WF_EXPECT_INT(receive_soon(server, text, sizeof text, NULL), 1)) already++;
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), (int)wf_socket_receive(server, text, 2, NULL)), -ETIME);
}

static void flood_and_take(struct wf_socket *server, struct flood *flood)
{
    char text[2];
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), send_ever(flood)), -ETIME);
    int before = flood->sent;
    if (!WF_EXPECT(before > 0)) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, send_ever, flood);
    wf_sleep(WF_MILLISECONDS(1));
    for (int i = 0; i < 3; i++) WF_EXPECT_INT(receive_soon(server, text, sizeof text, NULL), 1);
    wf_sleep(WF_MILLISECONDS(25));
    WF_EXPECT_INT(flood->sent, before + 3);
    wf_scope_cancel(&scope, "enough");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    take_flood(server, flood, 3);
}

static const bool connected[] = {true, false};

WF_TEST_EACH(sending_datagrams_waits_for_room, connected)
{
    struct wf_socket *server;
    struct wf_address address;
    struct flood flood = {.to = *row ? NULL : &address};
    if (!WF_EXPECT_CODE(wf_unix_open(name(), &server), 0)) return;
    WF_EXPECT_CODE(wf_socket_local(server, &address), 0);
    if (WF_EXPECT_CODE(wf_unix_open(NULL, &flood.socket, .peer = *row ? name() : NULL), 0))
        flood_and_take(server, &flood);
    close_sockets(server, flood.socket);
}

WF_TEST_EACH(closing_ends_the_wait_for_room, connected, .rule = "1.9")
{
    struct wf_socket *server;
    struct wf_address address;
    struct flood flood = {.to = *row ? NULL : &address};
    if (!WF_EXPECT_CODE(wf_unix_open(name(), &server), 0)) return;
    WF_EXPECT_CODE(wf_socket_local(server, &address), 0);
    if (WF_EXPECT_CODE(wf_unix_open(NULL, &flood.socket, .peer = *row ? name() : NULL), 0)) {
        WF_SCOPE(scope);
        wf_spawn(&scope, send_ever, &flood);
        wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(5)));
        wf_socket_close(flood.socket);
        WF_EXPECT_CODE(wf_scope_join(&scope), -EBADF);
    }
    wf_socket_close(server);
}

WF_TEST_MAIN
