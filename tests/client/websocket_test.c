/* WebSocket as a client: with servers of ours, with ones that answer wrongly, and with ones that break the rules. */
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <weft/tcp.h>
#include <weft/websocket.h>

#include "rig.h"

/* ---- A server of ours ---- */

static int echo_all(struct wf_websocket *socket)
{
    struct wf_websocket_message message;
    int rc;
    while ((rc = wf_websocket_receive(socket, wf_task_arena(), &message)) > 0) {
        if (message.size == 3 && memcmp(message.bytes, "bye", 3) == 0)
            return wf_websocket_close(socket, WF_WEBSOCKET_POLICY, "as you wish");
        rc = wf_websocket_send(socket, &message);
        if (rc < 0) break;
    }
    return rc;
}

static int echo(struct wf_request *request)
{
    struct wf_websocket *socket;
    int rc = wf_websocket_accept(request, &socket, .protocols = {"two", "three"}, .deflate = true);
    return rc < 0 ? rc : echo_all(socket);
}

static int refuse(struct wf_request *request)
{
    return wf_http_error(request, 403, "not you");
}

static int ask_who(struct wf_request *request)
{
    struct wf_websocket *socket;
    const char *who = wf_request_header(request, "authorization"), *own = wf_request_header(request, "x-own");
    int rc = wf_websocket_accept(request, &socket);
    if (rc == 0) rc = wf_websocket_send_text(socket, who != NULL ? who : "nobody");
    if (rc == 0) rc = wf_websocket_send_text(socket, own != NULL ? own : "nothing");
    return rc;
}

static void declare(struct wf_app *app)
{
    wf_route(app, WF_GET, "/echo", echo);
    wf_route(app, WF_GET, "/refuse", refuse);
    wf_route(app, WF_GET, "/who", ask_who);
}

static void expect_text(struct wf_websocket *socket, const char *text)
{
    struct wf_websocket_message message = {.bytes = ""};
    if (!WF_EXPECT_CODE(wf_websocket_receive(socket, wf_task_arena(), &message), 1)) return;
    WF_EXPECT(message.text);
    WF_EXPECT_TEXT(message.bytes, text);
}

static int connect_plain(struct rig *rig, const char *url, struct wf_websocket **socket)
{
    return wf_websocket_connect(rig->client, wf_task_arena(), url, socket);
}

WF_TEST(messages_go_both_ways_and_the_end_is_in_order)
{
    RIG(rig, declare);
    struct wf_websocket *socket;
    if (!WF_EXPECT_CODE(connect_plain(&rig, "ws://server/echo", &socket), 0)) return;
    WF_EXPECT(wf_websocket_protocol(socket) == NULL);
    if (WF_EXPECT_CODE(wf_websocket_send_text(socket, "h\303\251llo"), 0)) expect_text(socket, "h\303\251llo");
    if (WF_EXPECT_CODE(wf_websocket_send_text(socket, ""), 0)) expect_text(socket, "");
    WF_EXPECT_CODE(wf_websocket_close(socket, WF_WEBSOCKET_NORMAL, "done"), 0);
    WF_EXPECT_INT(wf_websocket_code(socket), 1000);
    WF_EXPECT_TEXT(wf_websocket_reason(socket), "done");
    WF_EXPECT_CODE(wf_websocket_send_text(socket, "more"), -EPIPE);
}

WF_TEST(the_server_may_end_it)
{
    RIG(rig, declare);
    struct wf_websocket *socket;
    struct wf_websocket_message message;
    if (!WF_EXPECT_CODE(connect_plain(&rig, "/echo", &socket), 0)) return;
    if (!WF_EXPECT_CODE(wf_websocket_send_text(socket, "bye"), 0)) return;
    WF_EXPECT_CODE(wf_websocket_receive(socket, wf_task_arena(), &message), 0);
    WF_EXPECT_INT(wf_websocket_code(socket), 1008);
    WF_EXPECT_TEXT(wf_websocket_reason(socket), "as you wish");
}

static int connect_fully(struct rig *rig, struct wf_websocket **socket, bool no_context)
{
    return wf_websocket_connect(rig->client, wf_task_arena(), "/echo", socket, .protocols = {"one", "three", "two"},
                                .deflate = true, .no_context = no_context, .message_max = 300000);
}

static void echo_long(struct wf_websocket *socket)
{
    static char text[200001];
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < 3; i++)
        if (WF_EXPECT_CODE(wf_websocket_send_text(socket, text), 0)) expect_text(socket, text);
}

WF_TEST(a_protocol_and_compression_are_agreed_on)
{
    for (int no_context = 0; no_context < 2; no_context++) {
        RIG(rig, declare);
        struct wf_websocket *socket;
        if (!WF_EXPECT_CODE(connect_fully(&rig, &socket, no_context), 0)) return;
        WF_EXPECT_TEXT(wf_websocket_protocol(socket), "two");
        echo_long(socket);
        WF_EXPECT_CODE(wf_websocket_close(socket, WF_WEBSOCKET_NORMAL, NULL), 0);
    }
}

static int connect_with_own(struct rig *rig, struct wf_websocket **socket)
{
    return wf_websocket_connect(rig->client, wf_task_arena(), "/who", socket, .headers = WF_NAMED({"X-Own", "field"}));
}

WF_TEST(the_handshake_says_who_one_is)
{
    RIG(rig, declare, .bearer = "secret");
    struct wf_websocket *socket;
    if (!WF_EXPECT_CODE(connect_with_own(&rig, &socket), 0)) return;
    expect_text(socket, "Bearer secret");
    expect_text(socket, "field");
}

WF_TEST(what_is_no_websocket_is_refused)
{
    RIG(rig, declare);
    struct wf_websocket *socket;
    WF_EXPECT_FAILURE(connect_plain(&rig, "/refuse", &socket), WF_ESTATUS, "the answer is 403 Forbidden");
    WF_EXPECT_FAILURE(connect_plain(&rig, "/none", &socket), WF_ESTATUS, "404");
    WF_EXPECT_CODE(connect_plain(&rig, "ftp://server/", &socket), -EINVAL);
    WF_EXPECT_FAILURE(GET(rig, "ws://server/echo"), -EINVAL, "a scheme that is not spoken here");
}

WF_TEST(a_socket_is_one_of_the_clients_connections)
{
    RIG(rig, declare);
    struct wf_arena arena;
    struct wf_client_statistics statistics;
    struct wf_websocket *socket;
    wf_arena_init(&arena);
    if (WF_EXPECT_CODE(wf_websocket_connect(rig.client, &arena, "/echo", &socket), 0)) {
        wf_client_statistics(rig.client, &statistics);
        WF_EXPECT_INT(statistics.busy, 1);
    }
    wf_arena_finish(&arena);
    wf_client_statistics(rig.client, &statistics);
    WF_EXPECT_INT(statistics.busy + statistics.idle, 0);
}

WF_TEST(closing_the_client_ends_its_sockets)
{
    RIG(rig, declare);
    struct wf_websocket *socket;
    struct wf_websocket_message message;
    if (!WF_EXPECT_CODE(connect_plain(&rig, "/echo", &socket), 0)) return;
    wf_client_close(rig.client);
    WF_EXPECT_CODE(wf_websocket_receive(socket, wf_task_arena(), &message), -ECONNABORTED);
    WF_EXPECT_CODE(wf_websocket_send_text(socket, "hello"), -EPIPE);
}

/* ---- Servers that break rules ---- */

struct breaker {
    const char *fields; /* of the answer, "%s": the right Sec-WebSocket-Accept */
    const char *bytes;  /* behind it */
    size_t size;
    struct wf_listener *listener;
    char heard[600]; /* frames of the client, behind its handshake */
    size_t heard_size;
};

static void find_accept(const char *head, char accept[40])
{
    const char *field = strstr(head, "sec-websocket-key: ");
    unsigned char digest[SHA_DIGEST_LENGTH];
    char text[24 + 37];
    accept[0] = '\0';
    if (field == NULL) return;
    memcpy(text, field + 19, 24);
    memcpy(text + 24, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11", 37);
    SHA1((const unsigned char *)text, 60, digest);
    EVP_EncodeBlock((unsigned char *)accept, digest, sizeof digest);
}

static int read_head(struct wf_stream *stream, char *head, size_t room)
{
    for (size_t size = 0; size < room - 1;) {
        ssize_t got = wf_stream_read(stream, head + size, 1);
        if (got <= 0) return -ECONNRESET;
        size += (size_t)got;
        head[size] = '\0';
        if (size > 4 && strcmp(head + size - 4, "\r\n\r\n") == 0) return 0;
    }
    return -EMSGSIZE;
}

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
static int answer(struct breaker *breaker, struct wf_stream *stream)
{
    char head[1000], accept[40], text[600];
    int rc = read_head(stream, head, sizeof head);
    if (rc < 0) return rc;
    find_accept(head, accept);
    int size = snprintf(text, sizeof text, breaker->fields, accept);
    if (breaker->size > 0) memcpy(text + size, breaker->bytes, breaker->size);
    return wf_stream_write_all(stream, text, (size_t)size + breaker->size, NULL);
}
#pragma GCC diagnostic pop

static int serve(struct breaker *breaker)
{
    struct wf_stream *stream;
    int rc = wf_tcp_accept(breaker->listener, &stream);
    if (rc < 0) return rc;
    rc = answer(breaker, stream);
    if (rc == 0) wf_ignore(wf_stream_read_full(stream, breaker->heard, sizeof breaker->heard, &breaker->heard_size));
    wf_stream_close(stream);
    return rc == -ECANCELED ? rc : 0;
}

static int receive_from(struct breaker *breaker, struct wf_websocket_message *message)
{
    char url[64];
    struct wf_websocket *socket;
    snprintf(url, sizeof url, "ws://127.0.0.1:%u/", wf_listener_port(breaker->listener));
    WF_CLIENT(client);
    struct wf_arena arena;
    wf_arena_init(&arena);
    int rc = wf_websocket_connect(&client, &arena, url, &socket, .protocols = {"one"}, .message_max = 200,
                                  .close_time = WF_MILLISECONDS(100));
    if (rc == 0) {
        do rc = wf_websocket_receive(socket, wf_task_arena(), message);
        while (rc == 1);
        if (rc == 0) rc = (int)wf_websocket_code(socket);
    }
    wf_arena_finish(&arena);
    return rc;
}

struct broken {
    const char *name;
    const char *fields, *bytes;
    size_t size;
    int code; /* of connecting, or of receiving until the end; positive: that of the close */
    const char *why;
};

#define GOOD                                                                                                           \
    "HTTP/1.1 101 Switching\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: "        \
    "%s\r\n\r\n"
#define WITH(field)                                                                                                    \
    "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n" field "\r\n\r\n"
#define BYTES(text) (text), sizeof(text) - 1
#define CLOSE "\210\2\3\350"

static const struct broken broken[] = {
    {"nothing wrong", GOOD, BYTES("\201\2hi" CLOSE), 1000, NULL},
    {"a protocol that was offered", WITH("Sec-WebSocket-Protocol: one"), BYTES(CLOSE), 1000, NULL},
    {"a protocol that was not", WITH("Sec-WebSocket-Protocol: two"), BYTES(CLOSE), -EPROTO, "a protocol that was not"},
    {"an extension", WITH("Sec-WebSocket-Extensions: permessage-deflate"), BYTES(CLOSE), -EPROTO, "an extension"},
    {"another accept",
     "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: x%s\r\n\r\n", BYTES(""),
     -EPROTO, "has not understood the handshake"},
    {"no accept", "HTTP/1.1 101 S\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: %s\r\n\r\n", BYTES(""), -EPROTO,
     "has not understood"},
    {"another upgrade", "HTTP/1.1 101 S\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n",
     BYTES(""), -EPROTO, "something else"},
    {"no upgrade", "HTTP/1.1 101 S\r\nConnection: x\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: %s\r\n\r\n",
     BYTES(""), -EPROTO, "something else"},
    {"200", "HTTP/1.1 200 OK\r\nX: %s\r\nContent-Length: 0\r\n\r\n", BYTES(""), WF_ESTATUS, "the answer is 200"},
    {"a redirect", "HTTP/1.1 302 F\r\nX: %s\r\nLocation: /a\r\nContent-Length: 0\r\n\r\n", BYTES(""), WF_ESTATUS,
     "302"},
    {"a mask", GOOD, BYTES("\201\202abcdhi"), -EBADMSG, "a frame with a mask"},
    {"a reserved bit", GOOD, BYTES("\301\2hi"), -EBADMSG, "a reserved bit"},
    {"an unknown kind", GOOD, BYTES("\203\0"), -EBADMSG, "unknown kind"},
    {"an unknown control", GOOD, BYTES("\213\0"), -EBADMSG, "unknown kind"},
    {"a ping in pieces", GOOD, BYTES("\11\0"), -EBADMSG, "control frame in pieces"},
    {"a long ping", GOOD, BYTES("\211\176\0\200"), -EBADMSG, "more than 125"},
    {"a continuation of nothing", GOOD, BYTES("\200\0"), -EBADMSG, "a continuation of nothing"},
    {"a message inside of another", GOOD, BYTES("\1\1a\201\1b"), -EBADMSG, "a new message inside"},
    {"not UTF-8", GOOD, BYTES("\201\2\303\50"), -EBADMSG, "not UTF-8"},
    {"too long", GOOD, BYTES("\202\176\1\0"), -EMSGSIZE, "too long"},
    {"half a code", GOOD, BYTES("\210\1\3"), -EBADMSG, "half a code"},
    {"a code that is none", GOOD, BYTES("\210\2\3\355"), -EBADMSG, "a code that is none"},
    {"a close without a code", GOOD, BYTES("\210\0"), 1005, NULL},
    {"pieces with a ping between", GOOD, BYTES("\1\1a\211\1p\200\1b" CLOSE), 1000, NULL},
};

static const char *broken_name(size_t row)
{
    return broken[row].name;
}

WF_TEST_EACH(a_server_that_breaks_a_rule_is_told_and_left, broken, .row_name = broken_name)
{
    struct breaker breaker = {.fields = row->fields, .bytes = row->bytes, .size = row->size};
    struct wf_websocket_message message = {.bytes = ""};
    WF_SCOPE(scope);
    if (WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &breaker.listener), 0) &&
        WF_EXPECT_CODE(wf_spawn(&scope, serve, &breaker, .daemon = true), 0)) {
        WF_EXPECT_CODE(receive_from(&breaker, &message), row->code);
        if (row->why != NULL) WF_EXPECT_PART(wf_failure(), row->why);
    }
    wf_ignore(wf_scope_end(&scope, 0));
    wf_listener_close(breaker.listener);
    bool masked = breaker.heard_size < 2 || (breaker.heard[1] & 0x80) != 0;
    WF_EXPECT(masked);
}

WF_TEST_MAIN
