/* Both ends of a WebSocket in one world: how they wait, send at once, are cut short, and come to an end. */
#include <stdio.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "http/websocket.h" /* the client of the tests is the same code, the other way round */
#include "ws_rig.h"

/* ---- A client that is the other end of the same code ---- */

struct pair {
    wf_handler *handler;
    int (*use)(struct pair *pair);
    struct wf_stream *near, *far;
    struct wf_websocket client;
    struct wf_arena *arena;
    struct wf_scope *serving;
    const char *handshake;
    size_t capacity;
    int outcome; /* of the handler */
    unsigned code;
};

/* The head of a 101; anything else is no WebSocket. */
static int read_head(struct wf_stream *stream)
{
    char head[1024];
    size_t size = 0;
    while (size < 4 || memcmp(head + size - 4, "\r\n\r\n", 4) != 0) {
        int rc = size < sizeof head ? wf_stream_read_full(stream, head + size, 1, NULL) : -EMSGSIZE;
        if (rc < 0) return rc;
        size++;
    }
    return memcmp(head, "HTTP/1.1 101", 12) == 0 ? 0 : -EPROTO;
}

static int run_client(struct pair *pair)
{
    const char *handshake = pair->handshake != NULL ? pair->handshake : good_handshake;
    int rc = wf_stream_write_all(pair->near, handshake, strlen(handshake), NULL);
    if (rc == 0) rc = read_head(pair->near);
    ws_init(&pair->client, pair->near, WS_OPTIONS(.heartbeat = -1));
    pair->client.client = true;
    if (rc == 0) rc = pair->use(pair);
    ws_finish(&pair->client);
    pair->near = NULL;
    return rc;
}

static int serve(struct pair *pair)
{
    struct wf_app app = {.title = "pair", .state = pair};
    wf_route(&app, WF_GET, "/echo", pair->handler);
    WF_SCOPE(scope);
    pair->serving = &scope;
    int rc = wf_app_serve_stream(&app, pair->far);
    pair->serving = NULL;
    rc = wf_scope_end(&scope, rc);
    wf_app_finish(&app);
    wf_stream_close(pair->far);
    pair->far = NULL;
    return rc;
}

static int run_pair(struct pair *pair)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    pair->arena = &arena;
    int rc = wf_stream_pair(pair->capacity > 0 ? pair->capacity : 4096, &pair->near, &pair->far);
    if (rc == 0) {
        WF_SCOPE(scope);
        rc = wf_spawn(&scope, serve, pair);
        if (rc == 0) rc = run_client(pair);
        rc = wf_scope_end(&scope, rc);
    }
    wf_stream_close(pair->near);
    wf_stream_close(pair->far);
    wf_arena_finish(&arena);
    return rc;
}

static struct pair *pair_of(struct wf_request *request)
{
    return wf_request_state(request);
}

static int echo_on(struct wf_websocket *socket, struct pair *pair)
{
    struct wf_websocket_message message;
    int rc;
    while ((rc = wf_websocket_receive(socket, pair->arena, &message)) > 0) {
        rc = wf_websocket_send(socket, &message);
        if (rc < 0) break;
    }
    pair->outcome = rc;
    pair->code = wf_websocket_code(socket);
    return rc;
}

static int echo(struct wf_request *request)
{
    struct wf_websocket *socket;
    int rc = wf_websocket_accept(request, &socket, .heartbeat = WF_SECONDS(10));
    return rc < 0 ? rc : echo_on(socket, pair_of(request));
}

static bool heard(struct pair *pair, const char *text)
{
    struct wf_websocket_message message;
    if (!WF_EXPECT_CODE(wf_websocket_receive(&pair->client, pair->arena, &message), 1)) return false;
    return WF_EXPECT_TEXT(message.bytes, text);
}

/* ---- Closing ---- */

static int say_hello_and_close(struct pair *pair)
{
    if (!WF_EXPECT_CODE(wf_websocket_send_text(&pair->client, "hello"), 0)) return -EIO;
    heard(pair, "hello");
    int rc = wf_websocket_close(&pair->client, WF_WEBSOCKET_GOING_AWAY, "done");
    WF_EXPECT(pair->client.close_came);
    WF_EXPECT_CODE(wf_websocket_close(&pair->client, WF_WEBSOCKET_NORMAL, NULL), 0);
    WF_EXPECT_CODE(wf_websocket_send_text(&pair->client, "late"), -EPIPE);
    return rc;
}

WF_TEST(a_client_closes_and_is_answered)
{
    struct pair pair = {.handler = echo, .use = say_hello_and_close};
    WF_EXPECT_CODE(run_pair(&pair), 0);
    WF_EXPECT_CODE(pair.outcome, 0);
    WF_EXPECT_INT(pair.code, 1001);
}

static int expect_end(struct pair *pair, unsigned code, const char *reason)
{
    struct wf_websocket_message message;
    int rc = wf_websocket_receive(&pair->client, pair->arena, &message);
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT_INT(wf_websocket_code(&pair->client), code);
    WF_EXPECT_TEXT(wf_websocket_reason(&pair->client), reason);
    return rc;
}

static int return_at_once(struct wf_request *request)
{
    struct wf_websocket *socket;
    return wf_websocket_accept(request, &socket);
}

static int expect_normal(struct pair *pair)
{
    return expect_end(pair, 1000, "");
}

WF_TEST(a_handler_that_returns_closes_with_1000)
{
    struct pair pair = {.handler = return_at_once, .use = expect_normal};
    WF_EXPECT_CODE(run_pair(&pair), 0);
}

static int fail_at_once(struct wf_request *request)
{
    struct wf_websocket *socket;
    int rc = wf_websocket_accept(request, &socket);
    return rc < 0 ? rc : -ENODEV;
}

static int expect_failed(struct pair *pair)
{
    return expect_end(pair, 1011, "");
}

WF_TEST(a_handler_that_fails_closes_with_1011)
{
    struct pair pair = {.handler = fail_at_once, .use = expect_failed};
    WF_EXPECT_CODE(run_pair(&pair), 0);
    WF_EXPECT_PART(wf_test_log(), "the WebSocket /echo failed");
}

static int close_with_reason(struct wf_request *request)
{
    struct wf_websocket *socket;
    int rc = wf_websocket_accept(request, &socket);
    if (rc < 0) return rc;
    WF_EXPECT_CODE(wf_websocket_close(socket, 1005, NULL), -EINVAL);
    WF_EXPECT_CODE(wf_websocket_close(socket, 1000, "\xff"), -EINVAL);
    return wf_websocket_close(socket, WF_WEBSOCKET_POLICY, "not you");
}

static int expect_policy(struct pair *pair)
{
    return expect_end(pair, 1008, "not you");
}

WF_TEST(a_server_closes_with_a_reason)
{
    struct pair pair = {.handler = close_with_reason, .use = expect_policy};
    WF_EXPECT_CODE(run_pair(&pair), 0);
}

static int say_nothing(struct pair *pair)
{
    (void)pair;
    return wf_sleep(WF_SECONDS(30));
}

static int close_in_vain(struct wf_request *request)
{
    struct wf_websocket *socket;
    int rc = wf_websocket_accept(request, &socket, .close_time = WF_SECONDS(2));
    if (rc < 0) return rc;
    int64_t began = wf_now();
    WF_EXPECT_CODE(wf_websocket_close(socket, WF_WEBSOCKET_NORMAL, NULL), 0);
    WF_EXPECT_INT(wf_now() - began, WF_SECONDS(2));
    return 0;
}

WF_TEST(who_does_not_answer_a_close_has_its_time, .simulated = true, .timeout = WF_MINUTES(2))
{
    struct pair pair = {.handler = close_in_vain, .use = say_nothing};
    WF_EXPECT_CODE(run_pair(&pair), 0);
}

/* ---- Heartbeats ---- */

WF_TEST(a_peer_that_answers_no_ping_is_gone, .simulated = true, .timeout = WF_MINUTES(2))
{
    struct pair pair = {.handler = echo, .use = say_nothing};
    WF_EXPECT_CODE(run_pair(&pair), 0);
    WF_EXPECT_CODE(pair.outcome, -ETIMEDOUT);
    WF_EXPECT_INT(pair.code, 1006);
}

static int listen_for_long(struct pair *pair)
{
    struct wf_websocket_message message;
    int rc = wf_within(WF_MINUTES(5), wf_websocket_receive(&pair->client, pair->arena, &message));
    WF_EXPECT_CODE(rc, -ETIME);
    return wf_websocket_close(&pair->client, WF_WEBSOCKET_NORMAL, NULL);
}

WF_TEST(a_peer_that_answers_pings_stays_for_ever, .simulated = true, .timeout = WF_MINUTES(10))
{
    struct pair pair = {.handler = echo, .use = listen_for_long};
    WF_EXPECT_CODE(run_pair(&pair), 0);
    WF_EXPECT_CODE(pair.outcome, 0);
}

/* ---- Drain ---- */

static int drain_the_server(struct pair *pair)
{
    if (!WF_EXPECT_CODE(wf_websocket_send_text(&pair->client, "one"), 0)) return -EIO;
    heard(pair, "one");
    int rc = wf_test_wait_idle();
    if (rc < 0) return rc;
    if (pair->serving != NULL) wf_scope_drain(pair->serving);
    return expect_end(pair, 1001, "");
}

WF_TEST(a_drain_closes_with_1001)
{
    struct pair pair = {.handler = echo, .use = drain_the_server};
    WF_EXPECT_CODE(run_pair(&pair), 0);
    WF_EXPECT_CODE(pair.outcome, 0);
    WF_EXPECT_INT(pair.code, 1001);
}

/* ---- Cut short ---- */

static int receive_impatiently(struct wf_request *request)
{
    struct pair *pair = pair_of(request);
    struct wf_websocket *socket;
    int rc = wf_websocket_accept(request, &socket, .deflate = true);
    if (rc < 0) return rc;
    struct wf_websocket_message message;
    int turns = 0;
    while ((rc = wf_within(WF_MILLISECONDS(10), wf_websocket_receive(socket, pair->arena, &message))) == -ETIME)
        turns++;
    WF_EXPECT(turns > 20);
    return rc < 0 ? rc : wf_websocket_send(socket, &message);
}

/* Every byte by itself, a tick apart: no receive of the server ever sees a whole message. */
static int trickle(struct pair *pair)
{
    static const char bytes[] = "\x01\x83mask\x0f\x0e\x10\x80\x83mask\x09\x04\x15";
    for (size_t i = 0; i < sizeof bytes - 1; i++) {
        int rc = wf_stream_write_all(pair->near, bytes + i, 1, NULL);
        if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(15));
        if (rc < 0) return rc;
    }
    heard(pair, "bocdef");
    return expect_end(pair, 1000, "");
}

WF_TEST(a_receive_that_is_cut_short_loses_nothing, .simulated = true)
{
    struct pair pair = {.handler = receive_impatiently, .use = trickle};
    WF_EXPECT_CODE(run_pair(&pair), 0);
}

static int send_too_much(struct wf_request *request)
{
    static const char much[10000];
    struct wf_websocket *socket;
    int rc = wf_websocket_accept(request, &socket);
    if (rc < 0) return rc;
    WF_EXPECT_CODE(wf_within(WF_SECONDS(1), wf_websocket_send_binary(socket, much, sizeof much)), -ETIME);
    WF_EXPECT_CODE(wf_websocket_send_text(socket, "again"), -EPIPE);
    pair_of(request)->outcome = -EPIPE;
    return -EPIPE;
}

static int stare(struct pair *pair)
{
    (void)pair;
    return wf_sleep(WF_SECONDS(5));
}

WF_TEST(a_send_that_is_cut_in_the_middle_breaks_the_socket, .simulated = true, .timeout = WF_MINUTES(1))
{
    struct pair pair = {.handler = send_too_much, .use = stare};
    WF_EXPECT_CODE(run_pair(&pair), 0);
    WF_EXPECT_CODE(pair.outcome, -EPIPE);
}

/* ---- Several tasks ---- */

struct sender {
    struct wf_websocket *socket;
    char letter;
};

static int send_ten(struct sender *sender)
{
    char text[600];
    memset(text, sender->letter, sizeof text - 1);
    text[sizeof text - 1] = '\0';
    int rc = 0;
    for (int i = 0; i < 10 && rc == 0; i++) rc = wf_websocket_send_text(sender->socket, text);
    return rc;
}

static int send_from_three(struct wf_request *request)
{
    struct pair *pair = pair_of(request);
    struct wf_websocket *socket;
    struct wf_websocket_message message;
    int rc = wf_websocket_accept(request, &socket);
    if (rc < 0) return rc;
    struct sender senders[3] = {{socket, 'a'}, {socket, 'b'}, {socket, 'c'}};
    WF_SCOPE(scope);
    for (int i = 0; i < 3; i++) wf_spawn(&scope, send_ten, &senders[i]);
    rc = wf_websocket_receive(socket, pair->arena, &message); /* and answers pings meanwhile */
    return wf_scope_end(&scope, rc < 0 ? rc : 0);
}

/* Pings are said before anything is read: the server is writing by then. */
static int count_messages(struct pair *pair)
{
    int rc = 0, counts[3] = {0};
    for (int i = 0; i < 5 && rc == 0; i++) rc = ws_send_ping(&pair->client);
    for (int i = 0; i < 30 && rc >= 0; i++) {
        struct wf_websocket_message message = {.bytes = ""};
        rc = wf_websocket_receive(&pair->client, pair->arena, &message);
        if (rc < 0) return rc;
        WF_INVARIANT(message.size == 599 && strspn(message.bytes, (char[]){message.bytes[0], 0}) == 599);
        if (message.bytes[0] >= 'a' && message.bytes[0] <= 'c') counts[message.bytes[0] - 'a']++;
    }
    WF_EXPECT(counts[0] == 10 && counts[1] == 10 && counts[2] == 10);
    return rc < 0 ? rc : wf_websocket_close(&pair->client, WF_WEBSOCKET_NORMAL, NULL);
}

WF_TEST(messages_of_several_tasks_do_not_mix)
{
    struct pair pair = {.handler = send_from_three, .use = count_messages, .capacity = 300};
    WF_EXPECT_CODE(run_pair(&pair), 0);
}

static int receive_once(struct wf_websocket *socket)
{
    struct wf_websocket_message message;
    int rc = wf_websocket_receive(socket, wf_task_arena(), &message);
    return rc < 0 ? rc : 0;
}

static int receive_twice(struct wf_request *request)
{
    struct wf_websocket *socket;
    int rc = wf_websocket_accept(request, &socket);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    rc = wf_spawn(&scope, receive_once, socket);
    if (rc == 0) rc = wf_test_wait_idle();
    if (rc == 0) WF_EXPECT_CODE(receive_once(socket), -EBUSY);
    if (rc == 0) rc = wf_websocket_close(socket, WF_WEBSOCKET_NORMAL, "enough"); /* the other one takes the answer */
    return wf_scope_end(&scope, rc);
}

static int expect_enough(struct pair *pair)
{
    return expect_end(pair, 1000, "enough");
}

WF_TEST(one_task_receives_at_a_time)
{
    struct pair pair = {.handler = receive_twice, .use = expect_enough};
    WF_EXPECT_CODE(run_pair(&pair), 0);
}

/* ---- What came before the answer ---- */

static int accept_late(struct wf_request *request)
{
    struct pair *pair = pair_of(request);
    struct wf_websocket *socket;
    int rc = wf_sleep(WF_SECONDS(2)); /* meanwhile the server looks whether the client is there, and reads ahead */
    if (rc == 0) rc = wf_websocket_accept(request, &socket);
    return rc < 0 ? rc : echo_on(socket, pair);
}

#define EARLY "\x81\x83mask\x0c\x0f\x16"

static const char early_handshake[] =
    "GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" EARLY;

static int hear_early(struct pair *pair)
{
    heard(pair, "ane");
    return wf_websocket_close(&pair->client, WF_WEBSOCKET_NORMAL, NULL);
}

WF_TEST(frames_glued_to_the_handshake_are_read, .simulated = true)
{
    struct pair pair = {.handler = echo, .use = hear_early, .handshake = early_handshake};
    WF_EXPECT_CODE(run_pair(&pair), 0);
}

WF_TEST(a_handler_that_accepts_late_misses_nothing, .simulated = true)
{
    struct pair pair = {.handler = accept_late, .use = hear_early, .handshake = early_handshake};
    WF_EXPECT_CODE(run_pair(&pair), 0);
    struct pair quiet = {.handler = accept_late, .use = say_hello_and_close};
    WF_EXPECT_CODE(run_pair(&quiet), 0);
}

/* ---- The request ---- */

static int read_on(struct wf_request *request)
{
    struct pair *pair = pair_of(request);
    struct wf_websocket *socket;
    const char *path = wf_request_path(request), *early = wf_request_header(request, "x-long");
    int rc = wf_websocket_accept(request, &socket);
    if (rc == 0) rc = echo_on(socket, pair);
    const char *late = wf_request_header(request, "x-long");
    WF_EXPECT_TEXT(path, "/echo");
    WF_EXPECT(early == late && late != NULL && strspn(late, "x") == strlen(late) && strlen(late) >= 20);
    WF_EXPECT_TEXT(wf_request_host(request), "a");
    return rc;
}

static void serve_with_field_of(size_t size)
{
    static char field[4096], handshake[5000]; /* not on the stack of a task */
    memset(field, 'x', size);
    field[size] = '\0';
    snprintf(handshake, sizeof handshake,
             "GET /echo HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX-Long: %s\r\n"
             "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" EARLY,
             field);
    struct pair pair = {.handler = read_on, .use = hear_early, .handshake = handshake};
    WF_EXPECT_CODE(run_pair(&pair), 0);
}

WF_TEST(the_request_can_be_read_as_long_as_its_socket_lives, .simulated = true)
{
    serve_with_field_of(20);
    serve_with_field_of(3000);
}

WF_TEST_MAIN
