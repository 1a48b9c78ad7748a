/* The contract of sockets of messages, UDP, Unix sockets and interfaces: contract.h says what the lines mean. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "../contract.h"

/* Abstract, and of this process alone. */
static const char *name(const char *what)
{
    static char text[2][64];
    static int turn;
    turn = !turn;
    snprintf(text[turn], sizeof text[turn], "@weft-contract-%d-%s", (int)getpid(), what);
    return text[turn];
}

WF_TEST(a_refused_message_is_not_sent_and_not_taken, .rule = "1.1 1.3 1.7")
{
    struct wf_socket *a = NULL, *b = NULL;
    char text[4] = "...", other[4] = "yyy";
    int count = 1, fd = STDOUT_FILENO;
    struct wf_message message = {.bytes = other, .size = 3};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!WF_EXPECT_CODE(wf_unix_pair_packets(&a, &b), 0)) return;
    if (!WF_EXPECT_INT(wf_socket_send(a, "abc", 3, NULL), 3)) return wf_socket_close(a), wf_socket_close(b);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_socket_send, wf_socket_send(a, "x", 1, NULL));
    REFUSED(wf_socket_send_many, wf_socket_send_many(a, &message, 1));
    REFUSED(wf_unix_send_message, wf_unix_send_message(a, "x", 1, &fd, 1));
    REFUSED(wf_socket_receive, wf_socket_receive(b, text, 3, NULL));
    REFUSED(wf_socket_receive_many, wf_socket_receive_many(b, &message, 1));
    REFUSED(wf_unix_receive_message, wf_unix_receive_message(b, text, 3, &fd, &count));
    WF_EXPECT_TEXT(text, "...");
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_INT(wf_socket_send(a, "end", 3, NULL), 3);
    WF_EXPECT_INT(wf_within(WF_SECONDS(1), (int)wf_socket_receive(b, text, 3, NULL)), 3);
    WF_EXPECT_TEXT(text, "abc");
    WF_EXPECT_INT(wf_within(WF_SECONDS(1), (int)wf_socket_receive(b, text, 3, NULL)), 3);
    WF_EXPECT_TEXT(text, "end");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_socket_close(a);
    wf_socket_close(b);
}

WF_TEST(a_refused_descriptor_does_not_go, .rule = "1.1 1.3 1.7")
{
    struct wf_stream *a = NULL, *b = NULL;
    char byte = '.';
    int count = 1, fd = STDOUT_FILENO;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    if (!WF_EXPECT_CODE(wf_unix_pair(&a, &b), 0)) return;
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_unix_send_fds, wf_unix_send_fds(a, "x", 1, &fd, 1));
    REFUSED(wf_unix_receive_fds, wf_unix_receive_fds(b, &byte, 1, &fd, &count));
    WF_EXPECT_INT(fd, STDOUT_FILENO);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), (int)wf_stream_read(b, &byte, 1)), -ETIME);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_stream_close(a);
    wf_stream_close(b);
}

WF_TEST(a_refused_socket_is_not_opened, .rule = "1.1 1.3 1.7")
{
    struct wf_listener *streams = NULL, *packets = NULL;
    struct wf_stream *stream = NULL;
    struct wf_socket *socket = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_unix_listen, WF_EXPECT_CODE(wf_unix_listen(name("a"), &streams), 0));
    WF_EXPECT_CODE(wf_unix_listen(name("a"), &packets, .packets = true), 0);
    if (streams != NULL && packets != NULL) {
        WF_SCOPE(cancelled);
        wf_scope_cancel(&cancelled, "before the calls");
        REFUSED(wf_udp_open, wf_udp_open("127.0.0.1", 0, &socket));
        REFUSED(wf_udp_connect, wf_udp_connect("127.0.0.1", 9, &socket));
        REFUSED(wf_unix_connect, wf_unix_connect(name("a"), &stream));
        REFUSED(wf_unix_connect_packets, wf_unix_connect_packets(name("a"), &socket));
        REFUSED(wf_unix_accept, wf_unix_accept(streams, &stream));
        REFUSED(wf_unix_accept_packets, wf_unix_accept_packets(packets, &socket));
        WF_EXPECT(stream == NULL && socket == NULL);
        WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_unix_accept(streams, &stream)), -ETIME);
    }
    wf_listener_close(streams);
    wf_listener_close(packets);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(opening_asking_and_closing_do_not_suspend, .rule = "1.7 1.9")
{
    struct wf_socket *a = NULL, *b = NULL, *udp = NULL;
    struct wf_stream *one = NULL, *other = NULL;
    struct wf_address address;
    struct wf_unix_owner owner;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_unix_pair, WF_EXPECT_CODE(wf_unix_pair(&one, &other), 0));
    STAYS(wf_unix_pair_packets, WF_EXPECT_CODE(wf_unix_pair_packets(&a, &b), 0));
    if (one != NULL) STAYS(wf_unix_peer_owner, WF_EXPECT_CODE(wf_unix_peer_owner(one, &owner), 0));
    if (a != NULL) {
        STAYS(wf_unix_packets_owner, WF_EXPECT_CODE(wf_unix_packets_owner(a, &owner), 0));
        STAYS(wf_socket_local, WF_EXPECT_CODE(wf_socket_local(a, &address), 0));
        STAYS(wf_socket_peer, WF_EXPECT_CODE(wf_socket_peer(a, &address), 0));
        STAYS(wf_socket_fd, WF_EXPECT(wf_socket_fd(a) >= 0));
    }
    STAYS(wf_socket_close, wf_socket_close(a));
    STAYS(wf_unix_open, WF_EXPECT_CODE(wf_unix_open(name("b"), &udp), 0));
    wf_socket_close(udp);
    wf_socket_close(b);
    wf_stream_close(one);
    wf_stream_close(other);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(groups_and_interfaces_do_not_suspend, .rule = "1.7")
{
    struct wf_socket *udp = NULL;
    struct wf_listener *listener = NULL;
    struct wf_address group, address;
    struct wf_udp_multicast multicast = {.interface_index = 1};
    struct wf_interface *interfaces;
    struct wf_arena arena;
    int count;
    wf_arena_init(&arena);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_EXPECT_CODE(wf_address_ip("239.1.2.4", 0, &group), 0);
    if (WF_EXPECT_CODE(wf_udp_open("0.0.0.0", 0, &udp), 0)) {
        STAYS(wf_udp_join, WF_EXPECT_CODE(wf_udp_join(udp, &group, 1), 0));
        STAYS(wf_udp_leave, WF_EXPECT_CODE(wf_udp_leave(udp, &group, 1), 0));
        STAYS(wf_udp_set_multicast, WF_EXPECT_CODE(wf_udp_set_multicast(udp, &multicast), 0));
    }
    if (WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0)) {
        STAYS(wf_listener_local, WF_EXPECT_CODE(wf_listener_local(listener, &address), 0));
        WF_EXPECT_INT(wf_address_port(&address), wf_listener_port(listener));
    }
    STAYS(wf_interfaces, WF_EXPECT_CODE(wf_interfaces(&arena, &interfaces, &count), 0));
    wf_listener_close(listener);
    wf_socket_close(udp);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_arena_finish(&arena);
}

WF_TEST_MAIN
