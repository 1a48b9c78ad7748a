/* UDP: messages and their borders, errors, groups, many at once, and what a network does to them; rules 1.3, 1.9. */
#include <stdio.h>
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

static bool simulated(void)
{
    return strcmp(wf_driver_name(), "sim") == 0;
}

/* A socket on a free port of the loopback interface, and its address; NULL where that failed. */
static struct wf_socket *open_here(struct wf_address *address)
{
    struct wf_socket *socket = NULL;
    if (!WF_EXPECT_CODE(wf_udp_open("127.0.0.1", 0, &socket), 0)) return NULL;
    if (WF_EXPECT_CODE(wf_socket_local(socket, address), 0)) return socket;
    wf_socket_close(socket);
    return NULL;
}

static bool open_two(struct wf_socket **a, struct wf_socket **b, struct wf_address *at_a, struct wf_address *at_b)
{
    *b = NULL;
    *a = open_here(at_a);
    if (*a != NULL) *b = open_here(at_b);
    return *b != NULL;
}

static void close_two(struct wf_socket *a, struct wf_socket *b)
{
    wf_socket_close(a);
    wf_socket_close(b);
}

/* What was to come may not have been sent, in a sweep. */
static int receive_soon(struct wf_socket *socket, void *buffer, size_t size, struct wf_address *from)
{
    return wf_within(WF_SECONDS(1), (int)wf_socket_receive(socket, buffer, size, from));
}

/* ---- Waking ---- */

static uint64_t passes(void)
{
    struct wf_statistics statistics;
    wf_loop_statistics(&statistics);
    return statistics.passes;
}

static int wait_for_answer(struct wf_socket *socket)
{
    char byte;
    return (int)wf_socket_receive(socket, &byte, 1, NULL);
}

/* Each makes room at the sender's when it has gone. */
WF_TEST(a_socket_that_waits_for_a_message_is_not_woken_by_what_it_sends, .real = true)
{
    enum { SENT = 20 };
    struct wf_socket *a, *b;
    struct wf_address at_a, at_b;
    if (open_two(&a, &b, &at_a, &at_b)) {
        WF_SCOPE(scope);
        wf_spawn(&scope, wait_for_answer, a);
        wf_sleep(WF_MILLISECONDS(1));
        uint64_t before = passes();
        for (int i = 0; i < SENT; i++) {
            WF_EXPECT_INT(wf_socket_send(a, "x", 1, &at_b), 1);
            wf_sleep(WF_MILLISECONDS(1)); /* real time: one pass, where nothing else wakes the loop */
        }
        WF_EXPECT(passes() - before < SENT + SENT / 2);
        WF_EXPECT_INT(wf_socket_send(b, "y", 1, &at_a), 1);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    }
    close_two(a, b);
}

/* ---- One message ---- */

WF_TEST(a_message_comes_whole_with_who_sent_it)
{
    struct wf_socket *a, *b;
    struct wf_address at_a, at_b, from;
    char text[16] = "";
    if (open_two(&a, &b, &at_a, &at_b)) {
        WF_EXPECT_INT(wf_socket_send(a, "first", 5, &at_b), 5);
        WF_EXPECT_INT(wf_socket_send(a, "", 0, &at_b), 0);
        WF_EXPECT_INT(wf_socket_send(a, "third", 5, &at_b), 5);
        WF_EXPECT_INT(receive_soon(b, text, sizeof text, &from), 5);
        WF_EXPECT_TEXT(text, "first");
        WF_EXPECT(wf_address_equal(&from, &at_a));
        WF_EXPECT_INT(receive_soon(b, text, sizeof text, NULL), 0);
        WF_EXPECT_INT(receive_soon(b, text, 5, &from), 5);
        WF_EXPECT_TEXT(text, "third");
    }
    close_two(a, b);
}

WF_TEST(what_is_cut_is_said)
{
    struct wf_socket *a, *b;
    struct wf_address at_a, at_b, from;
    char text[4] = "...";
    if (open_two(&a, &b, &at_a, &at_b)) {
        WF_EXPECT_INT(wf_socket_send(a, "abcdef", 6, &at_b), 6);
        WF_EXPECT_INT(wf_socket_send(a, "xyz", 3, &at_b), 3);
        WF_EXPECT_CODE(receive_soon(b, text, 3, &from), -EMSGSIZE);
        WF_EXPECT_TEXT(text, "abc");
        WF_EXPECT(wf_address_equal(&from, &at_a));
        WF_EXPECT_INT(receive_soon(b, text, 3, NULL), 3);
        WF_EXPECT_TEXT(text, "xyz");
    }
    close_two(a, b);
}

WF_TEST(a_message_that_cannot_be_sent_is_refused)
{
    static char large[70000];
    struct wf_socket *a, *b;
    struct wf_address at_a, at_b, other;
    if (open_two(&a, &b, &at_a, &at_b)) {
        WF_EXPECT_CODE(wf_socket_send(a, large, sizeof large, &at_b), -EMSGSIZE);
        WF_EXPECT_CODE(wf_socket_send(a, "x", 1, NULL), -EDESTADDRREQ);
        WF_EXPECT_CODE(wf_address_ip("127.255.255.255", 9, &other), 0);
        if (!simulated()) WF_EXPECT_CODE(wf_socket_send(a, "x", 1, &other), -EACCES);
        WF_EXPECT_CODE(wf_socket_peer(a, &other), -ENOTCONN);
        WF_EXPECT_INT(wf_socket_send(a, large, 65507, &at_b), 65507);
        WF_EXPECT_INT(receive_soon(b, large, sizeof large, NULL), 65507);
    }
    close_two(a, b);
}

WF_TEST(bad_places_are_refused_with_a_message)
{
    struct wf_address address;
    struct wf_socket *socket = open_here(&address), *other;
    if (socket == NULL) return;
    WF_EXPECT_FAILURE(wf_udp_open("127.0.0.1", wf_address_port(&address), &other), -EADDRINUSE,
                      "cannot open UDP on 127.0.0.1 port");
    WF_EXPECT_FAILURE(wf_udp_open("192.0.2.1", 0, &other), -EADDRNOTAVAIL, "192.0.2.1");
    WF_EXPECT_CODE(wf_udp_connect(NULL, 9, &other), -EINVAL);
    WF_EXPECT_CODE(wf_udp_open("127.0.0.1", 0, &other, .receive_buffer_bytes = -1), -EINVAL);
    WF_EXPECT_CODE(wf_udp_open("127.0.0.1", 0, NULL), -EINVAL);
    wf_socket_close(socket);
}

WF_TEST(sockets_on_all_addresses_and_of_IPv6)
{
    struct wf_socket *any, *six, *client;
    struct wf_address address;
    char text[8] = "";
    if (!WF_EXPECT_CODE(wf_udp_open(NULL, 0, &any, .reuse_address = true, .receive_buffer_bytes = 65536), 0)) return;
    WF_EXPECT_CODE(wf_socket_local(any, &address), 0);
    if (WF_EXPECT_CODE(wf_udp_connect("127.0.0.1", wf_address_port(&address), &client), 0)) {
        WF_EXPECT_INT(wf_socket_send(client, "four", 4, NULL), 4);
        WF_EXPECT_INT(receive_soon(any, text, sizeof text, &address), 4);
        wf_socket_close(client);
    }
    if (WF_EXPECT_CODE(wf_udp_open("::1", 0, &six, .only_v6 = true), 0)) {
        WF_EXPECT_CODE(wf_socket_local(six, &address), 0);
        WF_EXPECT_INT(wf_socket_send(six, "six", 3, &address), 3);
        WF_EXPECT_INT(receive_soon(six, text, sizeof text, &address), 3);
        WF_EXPECT_PART(wf_address_text(&address, (char[WF_ADDRESS_TEXT]){0}), "[::1]:");
        wf_socket_close(six);
    }
    wf_socket_close(any);
}

/* ---- Connected ---- */

WF_TEST(a_connected_socket_hears_its_peer_only)
{
    struct wf_socket *server, *stranger, *client = NULL;
    struct wf_address at_server, at_stranger, at_client, peer;
    char text[8] = "";
    if (open_two(&server, &stranger, &at_server, &at_stranger) &&
        WF_EXPECT_CODE(wf_udp_connect("127.0.0.1", wf_address_port(&at_server), &client), 0)) {
        WF_EXPECT_CODE(wf_socket_peer(client, &peer), 0);
        WF_EXPECT(wf_address_equal(&peer, &at_server));
        WF_EXPECT_INT(wf_socket_send(client, "hello", 5, NULL), 5);
        WF_EXPECT_INT(receive_soon(server, text, sizeof text, &at_client), 5);
        WF_EXPECT_INT(wf_socket_send(stranger, "noise", 5, &at_client), 5);
        WF_EXPECT_INT(wf_socket_send(server, "answer", 6, &at_client), 6);
        WF_EXPECT_INT(receive_soon(client, text, sizeof text, NULL), 6);
        WF_EXPECT_TEXT(text, "answer");
    }
    wf_socket_close(client);
    close_two(server, stranger);
}

/* "Port unreachable" comes back, and the next call tells. */
WF_TEST(that_nobody_is_there_is_told_by_the_next_call)
{
    struct wf_address address;
    struct wf_socket *gone = open_here(&address), *client;
    char text[8];
    if (gone == NULL) return;
    if (WF_EXPECT_CODE(wf_udp_connect("127.0.0.1", wf_address_port(&address), &client), 0)) {
        wf_socket_close(gone);
        WF_EXPECT_INT(wf_socket_send(client, "x", 1, NULL), 1);
        WF_EXPECT_CODE(receive_soon(client, text, sizeof text, NULL), -ECONNREFUSED);
        WF_EXPECT_INT(wf_socket_send(client, "x", 1, NULL), 1);
        WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(1)), 0);
        WF_EXPECT_CODE(wf_socket_send(client, "x", 1, NULL), -ECONNREFUSED);
        WF_EXPECT_INT(wf_socket_send(client, "x", 1, NULL), 1);
        wf_socket_close(client);
    } else {
        wf_socket_close(gone);
    }
}

/* ---- Several tasks ---- */

struct receiver {
    struct wf_socket *socket;
    int count, wanted;
};

static int receive_some(struct receiver *receiver)
{
    char text[8];
    ssize_t got;
    while ((got = wf_socket_receive(receiver->socket, text, sizeof text, NULL)) > 0) receiver->count++;
    return (int)got;
}

WF_TEST(a_message_goes_to_exactly_one_of_several_tasks, .rule = "4.5")
{
    struct wf_socket *a, *b;
    struct wf_address at_a, at_b;
    struct receiver receivers[3] = {{.count = 0}};
    if (!open_two(&a, &b, &at_a, &at_b)) return close_two(a, b);
    WF_SCOPE(scope, .policy = WF_COLLECT);
    for (int i = 0; i < 3; i++) {
        receivers[i].socket = b;
        wf_spawn(&scope, receive_some, &receivers[i]);
    }
    for (int i = 0; i < 30; i++) {
        WF_EXPECT_INT(wf_socket_send(a, "x", 1, &at_b), 1);
        if (i % 3 == 0) wf_sleep(WF_MICROSECONDS(50));
    }
    for (int i = 0; i < 100 && receivers[0].count + receivers[1].count + receivers[2].count < 30; i++)
        wf_sleep(WF_MILLISECONDS(1));
    WF_EXPECT_INT(receivers[0].count + receivers[1].count + receivers[2].count, 30);
    wf_scope_cancel(&scope, "all are there");
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    close_two(a, b);
}

WF_TEST(closing_ends_what_is_pending, .rule = "1.9")
{
    struct wf_address address;
    struct receiver receiver = {.socket = open_here(&address)};
    if (receiver.socket == NULL) return;
    WF_SCOPE(scope);
    wf_spawn(&scope, receive_some, &receiver);
    wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1)));
    wf_socket_close(receiver.socket);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EBADF);
}

/* ---- Many at once ---- */

static void fill(struct wf_message *messages, char (*texts)[16], int count, const struct wf_address *to)
{
    for (int i = 0; i < count; i++) {
        messages[i] = (struct wf_message){.bytes = texts[i], .size = 16};
        if (to == NULL) continue;
        messages[i].size = (size_t)snprintf(texts[i], 16, "message %d", i);
        messages[i].address = *to;
    }
}

static int send_all(struct wf_socket *socket, const struct wf_message *messages, int count)
{
    int sent = 0;
    while (sent < count) {
        int rc = wf_socket_send_many(socket, messages + sent, count - sent);
        if (rc < 0) return rc;
        sent += rc;
    }
    return sent;
}

WF_TEST(many_go_in_one_call_and_come_in_one)
{
    enum { COUNT = 20 };
    static struct wf_message messages[COUNT];
    static char texts[COUNT][16];
    char expected[16];
    struct wf_socket *a, *b;
    struct wf_address at_a, at_b;
    if (!open_two(&a, &b, &at_a, &at_b)) return close_two(a, b);
    fill(messages, texts, COUNT, &at_b);
    WF_EXPECT_INT(send_all(a, messages, COUNT), COUNT);
    fill(messages, texts, COUNT, NULL);
    messages[0].size = 4;
    for (int got = 0; got < COUNT;) {
        int rc = wf_within(WF_SECONDS(1), wf_socket_receive_many(b, messages + got, COUNT - got));
        if (!WF_EXPECT(rc > 0 && rc <= WF_MESSAGES_MAX)) break;
        for (int i = got; i < got + rc; i++) {
            int size = snprintf(expected, sizeof expected, "message %d", i);
            WF_EXPECT_INT((int64_t)messages[i].size, i == 0 ? 4 : size);
            WF_EXPECT(messages[i].cut == (i == 0));
            WF_EXPECT(memcmp(texts[i], expected, messages[i].size) == 0);
            WF_EXPECT(wf_address_equal(&messages[i].address, &at_a));
        }
        got += rc;
    }
    WF_EXPECT_CODE(wf_socket_receive_many(b, messages, 0), -EINVAL);
    WF_EXPECT_CODE(wf_socket_send_many(b, messages, 0), -EINVAL);
    close_two(a, b);
}

WF_TEST(sending_many_stops_before_the_first_that_fails)
{
    static char large[70000];
    struct wf_message messages[3];
    char texts[3][16];
    struct wf_socket *a, *b;
    struct wf_address at_a, at_b;
    if (open_two(&a, &b, &at_a, &at_b)) {
        fill(messages, texts, 3, &at_b);
        messages[1].bytes = large;
        messages[1].size = sizeof large;
        WF_EXPECT_INT(wf_socket_send_many(a, messages, 3), 1);
        WF_EXPECT_CODE(wf_socket_send_many(a, messages + 1, 2), -EMSGSIZE);
        WF_EXPECT_INT(receive_soon(b, texts[0], 16, NULL), 9);
    }
    close_two(a, b);
}

static int send_late(struct receiver *sender)
{
    struct wf_address to;
    int rc = wf_sleep(WF_MILLISECONDS(2));
    if (rc == 0) rc = wf_socket_local(sender->socket, &to);
    return rc < 0 ? rc : (int)wf_socket_send(sender->socket, "late", 4, &to);
}

WF_TEST(receiving_many_waits_for_the_first)
{
    struct wf_address address;
    struct receiver self = {.socket = open_here(&address)};
    struct wf_message messages[4];
    char texts[4][16];
    if (self.socket == NULL) return;
    fill(messages, texts, 4, NULL);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(1), wf_socket_receive_many(self.socket, messages, 4)), -ETIME);
    WF_SCOPE(scope);
    wf_spawn(&scope, send_late, &self);
    WF_EXPECT_INT(wf_within(WF_SECONDS(1), wf_socket_receive_many(self.socket, messages, 4)), 1);
    WF_EXPECT_INT((int64_t)messages[0].size, 4);
    WF_EXPECT(wf_scope_join(&scope) >= 0);
    wf_socket_close(self.socket);
}

/* Cut by the system (GSO) into datagrams, of which the receiver may get several in one (GRO). */
WF_TEST(segments_are_cut_and_come_as_datagrams_or_together)
{
    static char bytes[10000], room[10000];
    struct wf_address at_a, at_b;
    struct wf_socket *a = open_here(&at_a), *b;
    if (a == NULL) return;
    if (!WF_EXPECT_CODE(wf_udp_open("127.0.0.1", 0, &b, .coalesce = true), 0)) return wf_socket_close(a);
    WF_EXPECT_CODE(wf_socket_local(b, &at_b), 0);
    for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = (char)(i * 7);
    struct wf_message out = {.bytes = bytes, .size = sizeof bytes, .address = at_b, .segment = 1200};
    WF_EXPECT_INT(wf_socket_send_many(a, &out, 1), 1);
    size_t got = 0;
    while (got < sizeof bytes) {
        struct wf_message in = {.bytes = room + got, .size = sizeof room - got};
        if (!WF_EXPECT_INT(wf_within(WF_SECONDS(1), wf_socket_receive_many(b, &in, 1)), 1)) break;
        WF_EXPECT(!in.cut && (in.segment == 0 ? in.size <= 1200 : in.segment == 1200));
        got += in.size;
    }
    WF_EXPECT(memcmp(bytes, room, sizeof bytes) == 0);
    close_two(a, b);
}

/* ---- Groups and broadcast ---- */

WF_TEST(a_group_is_heard_by_who_joined_it)
{
    struct wf_socket *a, *sender = NULL;
    struct wf_address group;
    char text[8] = "";
    struct wf_udp_multicast loopback = {.interface_index = 1};
    if (!WF_EXPECT_CODE(wf_udp_open("0.0.0.0", 0, &a, .reuse_address = true), 0)) return;
    WF_EXPECT_CODE(wf_socket_local(a, &group), 0);
    WF_EXPECT_CODE(wf_address_ip("239.1.2.3", wf_address_port(&group), &group), 0);
    WF_EXPECT_CODE(wf_udp_join(a, &group, 1), 0);
    WF_EXPECT_CODE(wf_udp_join(a, &group, 1), -EADDRINUSE);
    if (WF_EXPECT_CODE(wf_udp_open("127.0.0.1", 0, &sender), 0)) {
        WF_EXPECT_CODE(wf_udp_set_multicast(sender, &loopback), 0);
        WF_EXPECT_INT(wf_socket_send(sender, "all", 3, &group), 3);
        WF_EXPECT_INT(receive_soon(a, text, sizeof text, NULL), 3);
        loopback.not_to_self = true;
        WF_EXPECT_CODE(wf_udp_set_multicast(sender, &loopback), 0);
        WF_EXPECT_INT(wf_socket_send(sender, "all", 3, &group), 3);
        int heard = simulated() ? -ETIME : 3; /* the loopback interface brings everything back */
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(50), (int)wf_socket_receive(a, text, sizeof text, NULL)), heard);
        loopback.hops = 256;
        WF_EXPECT_CODE(wf_udp_set_multicast(sender, &loopback), -EINVAL);
    }
    WF_EXPECT_CODE(wf_udp_leave(a, &group, 1), 0);
    WF_EXPECT_CODE(wf_udp_leave(a, &group, 1), -EADDRNOTAVAIL);
    WF_EXPECT_CODE(wf_address_ip("10.1.2.3", 9, &group), 0);
    WF_EXPECT_FAILURE(wf_udp_join(a, &group, 1), -EINVAL, "10.1.2.3:9: no group");
    close_two(a, sender);
}

WF_TEST(a_group_of_IPv6)
{
    struct wf_socket *a;
    struct wf_address group;
    struct wf_udp_multicast loopback = {.interface_index = 1};
    char text[8] = "";
    if (!WF_EXPECT_CODE(wf_udp_open("::", 0, &a), 0)) return;
    WF_EXPECT_CODE(wf_socket_local(a, &group), 0);
    WF_EXPECT_CODE(wf_address_ip("ff01::17", wf_address_port(&group), &group), 0);
    WF_EXPECT_CODE(wf_udp_set_multicast(a, &loopback), 0);
    WF_EXPECT_CODE(wf_udp_join(a, &group, 1), 0);
    ssize_t sent = wf_socket_send(a, "all", 3, &group);
    if (sent == 3) WF_EXPECT_INT(receive_soon(a, text, sizeof text, NULL), 3);
    else WF_EXPECT_CODE(sent, -ENETUNREACH); /* loopback interfaces without a route for groups */
    WF_EXPECT_CODE(wf_udp_leave(a, &group, 1), 0);
    wf_socket_close(a);
}

/* ---- Hosts, and what is between them ---- */

struct meeting {
    struct wf_sim_host *at;
    struct wf_socket *socket;
    struct wf_address to;
    int count, sent, highest, overtaken;
};

static int listen_at(struct meeting *meeting)
{
    return wf_udp_open(NULL, 700, &meeting->socket);
}

static bool open_at(struct meeting *meeting)
{
    return WF_EXPECT(meeting->at != NULL) && WF_EXPECT_CODE(wf_sim_on(meeting->at, listen_at(meeting)), 0);
}

static int send_numbers(struct meeting *meeting)
{
    struct wf_socket *socket;
    int rc = wf_udp_open(NULL, 0, &socket, .broadcast = true);
    if (rc < 0) return rc;
    for (int i = 1; i <= meeting->sent && rc >= 0; i++) rc = (int)wf_socket_send(socket, &i, sizeof i, &meeting->to);
    wf_socket_close(socket);
    return rc < 0 ? rc : 0;
}

static int count_numbers(struct meeting *meeting)
{
    int number;
    ssize_t got;
    while ((got = wf_socket_receive(meeting->socket, &number, sizeof number, NULL)) > 0) {
        meeting->count++;
        if (number < meeting->highest) meeting->overtaken++;
        else meeting->highest = number;
    }
    return (int)got;
}

/* Sends numbers from one host to another, and counts what came within a second. */
static void meet(struct meeting *meeting, int sent)
{
    struct wf_sim_host *client = wf_sim_host("client");
    meeting->sent = sent;
    meeting->at = wf_sim_host("server");
    if (!WF_EXPECT(client != NULL && meeting->at != NULL)) return;
    WF_EXPECT_CODE(wf_address_ip(wf_sim_host_address(meeting->at), 700, &meeting->to), 0);
    if (!open_at(meeting)) return;
    WF_EXPECT_CODE(wf_sim_on(client, send_numbers(meeting)), 0);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), count_numbers(meeting)), -ETIME);
    wf_socket_close(meeting->socket);
}

WF_TEST(between_hosts_nothing_is_lost_or_overtaken_unless_it_is_asked_for, .simulated = true)
{
    struct meeting meeting = {.count = 0};
    meet(&meeting, 200);
    WF_EXPECT_INT(meeting.count, 200);
    WF_EXPECT_INT(meeting.overtaken, 0);
}

WF_TEST(datagrams_are_lost, .simulated = true)
{
    struct meeting meeting = {.count = 0};
    wf_sim_set_faults(.lost = 0.25);
    meet(&meeting, 200);
    WF_EXPECT(meeting.count > 100 && meeting.count < 190);
}

WF_TEST(datagrams_come_twice, .simulated = true)
{
    struct meeting meeting = {.count = 0};
    wf_sim_set_faults(.duplicated = 0.25);
    meet(&meeting, 200);
    WF_EXPECT(meeting.count > 210 && meeting.count < 300);
}

WF_TEST(datagrams_are_overtaken, .simulated = true)
{
    struct meeting meeting = {.count = 0};
    wf_sim_set_faults(.reordered = 0.25, .latency_min = WF_MILLISECONDS(1), .latency_max = WF_MILLISECONDS(9));
    meet(&meeting, 200);
    WF_EXPECT_INT(meeting.count, 200);
    WF_EXPECT(meeting.overtaken > 5);
}

WF_TEST(a_partition_swallows_datagrams_and_tells_nobody, .simulated = true)
{
    struct meeting meeting = {.count = 0};
    struct wf_sim_host *server = wf_sim_host("server");
    if (!WF_EXPECT(server != NULL)) return;
    wf_sim_partition(server, wf_sim_host("client"));
    meet(&meeting, 20);
    WF_EXPECT_INT(meeting.count, 0);
    wf_sim_repair(server, NULL);
    meet(&meeting, 20);
    WF_EXPECT_INT(meeting.count, 20);
}

WF_TEST(a_receiver_that_is_slow_loses_what_there_is_no_room_for, .simulated = true)
{
    static char bytes[50000];
    struct wf_socket *a, *b;
    struct wf_address at_a, at_b;
    int count = 0;
    if (!open_two(&a, &b, &at_a, &at_b)) return close_two(a, b);
    for (int i = 0; i < 10; i++) WF_EXPECT_INT(wf_socket_send(a, bytes, sizeof bytes, &at_b), sizeof bytes);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(1)), 0);
    while (wf_within(WF_MILLISECONDS(1), (int)wf_socket_receive(b, bytes, sizeof bytes, NULL)) > 0) count++;
    WF_EXPECT_INT(count, 4);
    close_two(a, b);
}

WF_TEST(a_broadcast_reaches_every_host, .simulated = true)
{
    struct meeting near = {.at = wf_sim_host("near")}, far = {.at = wf_sim_host("far")}, sender = {.sent = 3};
    if (!open_at(&near)) return;
    if (!open_at(&far)) return wf_socket_close(near.socket);
    WF_EXPECT_CODE(wf_address_ip("255.255.255.255", 700, &sender.to), 0);
    WF_EXPECT_CODE(wf_sim_on(wf_sim_host("client"), send_numbers(&sender)), 0);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), count_numbers(&near)), -ETIME);
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), count_numbers(&far)), -ETIME);
    WF_EXPECT_INT(near.count, 3);
    WF_EXPECT_INT(far.count, 3);
    close_two(near.socket, far.socket);
}

WF_TEST(a_host_is_found_by_its_name, .simulated = true)
{
    struct meeting server = {.at = wf_sim_host("server")};
    struct wf_socket *client;
    if (!open_at(&server)) return;
    if (WF_EXPECT_CODE(wf_udp_connect("server", 700, &client), 0)) {
        WF_EXPECT_INT(wf_socket_send(client, &server.sent, sizeof server.sent, NULL), sizeof server.sent);
        WF_EXPECT_INT(receive_soon(server.socket, &server.count, sizeof server.count, NULL), sizeof server.count);
        wf_socket_close(client);
    }
    WF_EXPECT_FAILURE(wf_udp_connect("nobody", 700, &client), -ENOENT, "nobody: no such host");
    wf_socket_close(server.socket);
}

WF_TEST_MAIN
