/* Streams of HTTP/2 as tasks: what ends them, what they may take, what they wait for. */
#include <stdio.h>
#include <string.h>
#include <weft/request.h>
#include <weft/task.h>
#include <weft/testing.h>
#include <weft/time.h>
#include <weft/websocket.h>

#include "frames.h"
#include "http/request.h" /* the exchange, on which other protocols stand */

/* What the handlers of a test saw. */
struct seen {
    struct frames_log log;
    unsigned begun, cancelled, ended;
    int64_t waited;
    int64_t read;
    int code;
};

static struct seen *seen_by(struct wf_request *request)
{
    return wf_request_state(request);
}

static int say_hello(struct wf_request *request)
{
    seen_by(request)->ended++;
    return wf_reply_text(request, 200, "hello");
}

/* Ten seconds, if nobody cuts them short. */
static int take_long(struct wf_request *request)
{
    struct seen *seen = seen_by(request);
    seen->begun++;
    int64_t began = wf_now();
    int rc = wf_sleep(WF_SECONDS(10));
    seen->waited = wf_now() - began;
    if (rc == -ECANCELED) seen->cancelled++;
    return rc < 0 ? rc : say_hello(request);
}

static int take_body(struct wf_request *request)
{
    struct seen *seen = seen_by(request);
    char buffer[1000];
    ssize_t got;
    while ((got = wf_request_read(request, buffer, sizeof buffer)) > 0) seen->read += got;
    seen->code = (int)got;
    return got < 0 ? (int)got : say_hello(request);
}

static int take_some(struct wf_request *request)
{
    struct seen *seen = seen_by(request);
    char buffer[1000];
    ssize_t got = wf_request_read(request, buffer, sizeof buffer);
    if (got > 0) seen->read += got;
    int rc = wf_sleep(WF_SECONDS(1));
    return rc < 0 ? rc : say_hello(request);
}

static int take_nothing(struct wf_request *request)
{
    return say_hello(request);
}

static int say_much(struct wf_request *request)
{
    struct seen *seen = seen_by(request);
    char *bytes = wf_arena_alloc(wf_request_arena(request), 200000);
    if (bytes == NULL) return -ENOMEM;
    memset(bytes, 'a', 200000);
    int64_t began = wf_now();
    seen->begun++;
    seen->code = wf_reply_bytes(request, 200, "text/plain", bytes, 200000);
    seen->waited = wf_now() - began;
    if (seen->code == 0) seen->ended++;
    return seen->code;
}

static int drain_server(struct wf_request *request)
{
    wf_scope_drain(seen_by(request)->log.scope);
    int rc = wf_sleep(WF_SECONDS(2));
    return rc < 0 ? rc : say_hello(request);
}

/* What comes goes back, over a stream of bytes that another protocol could run on. */
static int echo(struct wf_request *request)
{
    struct seen *seen = seen_by(request);
    struct wf_stream *stream;
    char buffer[100];
    ssize_t got = 0;
    request->status = 101;
    int rc = request->exchange->begin(request, 0);
    request->state = ANSWER_ENDED;
    if (rc == 0) rc = request->exchange->take_over(request, &stream);
    while (rc == 0 && (got = wf_stream_read(stream, buffer, sizeof buffer)) > 0)
        rc = wf_stream_write_all(stream, buffer, (size_t)got, NULL);
    seen->code = rc < 0 ? rc : (int)got;
    return rc;
}

static int talk(struct wf_request *request)
{
    struct seen *seen = seen_by(request);
    struct wf_websocket *socket;
    struct wf_websocket_message message;
    int rc = wf_websocket_accept(request, &socket);
    if (rc < 0) return rc;
    while ((rc = wf_websocket_receive(socket, wf_request_arena(request), &message)) > 0) {
        rc = wf_websocket_send(socket, &message);
        if (rc < 0) break;
    }
    seen->code = rc;
    seen->ended++;
    return rc;
}

static void add_routes(struct wf_app *app)
{
    wf_route(app, WF_GET, "/", say_hello);
    wf_route(app, WF_GET, "/long", take_long);
    wf_route(app, WF_GET, "/much", say_much);
    wf_route(app, WF_GET, "/drain", drain_server);
    wf_route(app, WF_GET, "/echo", echo);
    wf_route(app, WF_GET, "/talk", talk);
    wf_route(app, WF_POST, "/body", take_body, .body_max = 10 << 20);
    wf_route(app, WF_POST, "/some", take_some);
    wf_route(app, WF_POST, "/nothing", take_nothing);
}

static void play_with(struct seen *seen, struct wf_http_limits limits, const char *script, bool patient)
{
    struct wf_app app = {.title = "streams", .limits = limits, .state = seen};
    memset(seen, 0, sizeof *seen);
    add_routes(&app);
    frames_play(&seen->log, &app, script, FRAMES_WHOLE, patient);
    frames_sort(&seen->log);
    wf_app_finish(&app);
}

static void play(struct seen *seen, const char *script)
{
    play_with(seen, (struct wf_http_limits){0}, script, false);
}

static void play_patiently(struct seen *seen, const char *script)
{
    play_with(seen, (struct wf_http_limits){0}, script, true);
}

/* ---- Ends ---- */

WF_TEST(a_reset_cancels_the_handler_of_that_stream_alone, .timeout = WF_SECONDS(300), .simulated = true, .sweep = true)
{
    struct seen seen;
    play(&seen, "H1eh GET /long; H3eh GET /long; T 5; R 1 8; T 11000");
    WF_EXPECT_TEXT(seen.log.text, "3:200 3:data=5. end");
    WF_EXPECT_INT(seen.begun, 2);
    WF_EXPECT_INT(seen.cancelled, 1);
    WF_EXPECT_INT(seen.ended, 1);
}

WF_TEST(the_end_of_the_connection_cancels_all_handlers, .timeout = WF_SECONDS(300), .simulated = true, .sweep = true)
{
    struct seen seen;
    play(&seen, "H1eh GET /long; H3eh GET /long");
    WF_EXPECT_TEXT(seen.log.text, "end");
    WF_EXPECT_INT(seen.cancelled, 2);
    WF_EXPECT(seen.waited < WF_SECONDS(1));
}

WF_TEST(a_request_that_is_taken_back_before_its_turn_calls_nobody, .timeout = WF_SECONDS(300), .simulated = true)
{
    struct seen seen;
    play(&seen, "H1eh GET /long; R 1 8");
    WF_EXPECT_INT(seen.begun, 0);
}

WF_TEST(a_drain_lets_streams_finish_and_then_ends_the_connection, .timeout = WF_SECONDS(300), .simulated = true,
        .sweep = true)
{
    struct seen seen;
    play_patiently(&seen, "H1eh GET /drain; T 1000; H3eh GET /");
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5. goaway=all goaway=1,NO_ERROR end");
    WF_EXPECT_INT(seen.ended, 1);
    WF_EXPECT(seen.log.ended_after < WF_SECONDS(2));
}

WF_TEST(what_comes_right_after_a_drain_is_still_answered, .timeout = WF_SECONDS(300), .simulated = true)
{
    struct seen seen;
    play_patiently(&seen, "H1eh GET /drain; H3eh GET /");
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5. 3:200 3:data=5. goaway=all goaway=3,NO_ERROR end");
}

/* ---- Limits of time ---- */

WF_TEST(an_idle_connection_is_ended, .timeout = WF_SECONDS(300), .simulated = true,
        .unswept = "long; what it does is swept in the others")
{
    struct seen seen;
    play_patiently(&seen, "H1eh GET /");
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5. goaway=1,NO_ERROR end");
    WF_EXPECT(seen.log.ended_after > WF_SECONDS(70) && seen.log.ended_after < WF_SECONDS(80));
}

WF_TEST(a_head_that_does_not_end_is_refused, .timeout = WF_SECONDS(300), .simulated = true)
{
    struct seen seen;
    play_patiently(&seen, "H1e GET /");
    WF_EXPECT_TEXT(seen.log.text, "goaway=1,ENHANCE_YOUR_CALM end");
    WF_EXPECT(seen.log.ended_after > WF_SECONDS(9) && seen.log.ended_after < WF_SECONDS(15));
}

WF_TEST(a_client_that_says_nothing_after_the_preface_is_refused, .timeout = WF_SECONDS(300), .simulated = true)
{
    struct seen seen;
    play_patiently(&seen, "!X 505249202a20485454502f322e300d0a0d0a534d0d0a0d0a");
    WF_EXPECT_TEXT(seen.log.text, "goaway=0,ENHANCE_YOUR_CALM end");
}

WF_TEST(a_body_that_does_not_come_is_refused_with_408, .timeout = WF_SECONDS(300), .simulated = true,
        .unswept = "long; what it does is swept in the others")
{
    struct seen seen;
    play(&seen, "H1h POST /body; D1 abc; T 40000; H3eh GET /");
    WF_EXPECT_TEXT(seen.log.text, "1:408 1:data=35. 1:reset=NO_ERROR 3:200 3:data=5. end");
    WF_EXPECT_CODE(seen.code, -ETIMEDOUT);
}

WF_TEST(a_body_that_trickles_is_not_late, .timeout = WF_SECONDS(300), .simulated = true,
        .unswept = "long; what it does is swept in the others")
{
    struct seen seen;
    play(&seen, "H1h POST /body; D1 a; T 20000; D1 a; T 20000; D1 a; T 20000; D1e a");
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5. end");
    WF_EXPECT_INT(seen.read, 4);
}

WF_TEST(an_answer_that_nobody_takes_is_reset, .timeout = WF_SECONDS(300), .simulated = true,
        .unswept = "long; what it does is swept in the others")
{
    struct seen seen;
    play(&seen, "S 4=0; H1eh GET /much; H3eh GET /; T 40000; H5eh POST /nothing");
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:reset=CANCEL 3:200 3:reset=CANCEL 5:200 end");
    WF_EXPECT_INT(seen.begun, 1);
    WF_EXPECT(seen.waited > WF_SECONDS(29) && seen.waited < WF_SECONDS(35));
}

/* The minder's first look at an answer that is on its way finds it new, whenever it comes. */
WF_TEST(an_answer_that_waits_for_a_moment_is_not_reset, .timeout = WF_SECONDS(300), .simulated = true,
        .unswept = "long; what it does is swept in the others")
{
    struct seen seen;
    play(&seen, "S 4=0; T 60000; H1eh GET /; T 2000; W 1 5");
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5. end");
}

/* ---- Windows ---- */

WF_TEST(the_window_opens_as_the_handler_reads, .timeout = WF_SECONDS(300), .simulated = true)
{
    static struct seen idle, reading;
    play(&idle, "H1h POST /some; D1 *16384; D1 *16384; D1 *16384; T 100");
    play(&reading, "H1h POST /body; D1 *16384; D1 *16384; D1 *16384; T 100");
    WF_EXPECT_INT(idle.read, 1000);
    WF_EXPECT_INT(reading.read, 3 * 16384);
    WF_EXPECT_INT(reading.log.settings[4], 256 << 10);
}

WF_TEST(bodies_that_nobody_reads_do_not_use_the_connection_up, .timeout = WF_SECONDS(300), .simulated = true,
        .unswept = "long; what it does is swept in the others")
{
    struct seen seen;
    play(&seen, "60 H%h POST /nothing; D% *16384; D%e *16384; T 1");
    WF_EXPECT_PART(seen.log.text, "119:200 119:data=5. end");
    WF_EXPECT_INT(seen.ended, 60);
    WF_EXPECT(seen.log.windows > 2 * (1 << 20) - 65535 - (1 << 19));
}

WF_TEST(a_body_that_nobody_reads_may_come_as_far_as_it_is_short, .timeout = WF_SECONDS(300), .simulated = true,
        .unswept = "long; what it does is swept in the others")
{
    struct seen seen;
    struct wf_http_limits limits = {.skip_max = 20000};
    play_with(&seen, limits, "H1h POST /nothing; T 5; D1 *16384; T 5; D1e *10; H3eh GET /", false);
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5. 3:200 3:data=5. end");
    play_with(&seen, limits, "H1h POST /nothing; T 5; D1 *16384; T 5; D1 *16384; T 5; D1e *10; H3eh GET /", false);
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5. 1:reset=NO_ERROR 3:200 3:data=5. end");
    play_with(&seen, limits, "H1h POST /nothing content-length=20001; T 5; H3eh GET /", false);
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5. 1:reset=NO_ERROR 3:200 3:data=5. end");
    play_with(&seen, limits, "H1h POST /nothing expect=100-continue; T 5; H3eh GET /", false);
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5. 1:reset=NO_ERROR 3:200 3:data=5. end");
    play_with(&seen, limits, "H1h POST /nothing; T 40000; H3eh GET /", false);
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5. 1:reset=NO_ERROR 3:200 3:data=5. end");
}

WF_TEST(a_long_answer_waits_for_the_client, .timeout = WF_SECONDS(300), .simulated = true, .sweep = true)
{
    struct seen seen;
    play(&seen, "S 4=0x100000; H1eh GET /much; T 3000; W 0 0x100000");
    WF_EXPECT_INT(seen.log.body, 200000);
    WF_EXPECT_CODE(seen.code, 0);
    WF_EXPECT(seen.waited >= WF_SECONDS(3));
}

WF_TEST(a_handler_that_is_cut_while_it_answers_leaves_nothing_behind, .timeout = WF_SECONDS(300), .simulated = true,
        .sweep = true)
{
    struct seen seen;
    play(&seen, "H1eh GET /much; T 100; R 1 8; T 100; H3eh GET /; W 0 100000");
    WF_EXPECT_PART(seen.log.text, "3:200 3:data=5. end");
    WF_EXPECT_INT(seen.begun, 1);
    WF_EXPECT(seen.code < 0);
}

/* ---- Other protocols on a stream ---- */

WF_TEST(a_stream_carries_another_protocol, .timeout = WF_SECONDS(300), .simulated = true, .sweep = true)
{
    struct seen seen;
    play(&seen, "H1h :method=CONNECT :protocol=websocket :scheme=http :authority=a :path=/echo; T 5; D1 abc; T 5; "
                "D1 de; T 5; D1e");
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=3 1:data=2 1:data=0. end");
    WF_EXPECT_CODE(seen.code, 0);
    WF_EXPECT_INT(seen.log.settings[8], 1);
}

#define CONNECT_TALK                                                                                                   \
    "H1h :method=CONNECT :protocol=websocket :scheme=http :authority=a :path=/talk sec-websocket-version=13; "

/* "abc" and a close of 1000, masked by zeros; they come back without a mask, and the close has its code. */
WF_TEST(a_websocket_on_a_stream, .timeout = WF_SECONDS(300), .simulated = true, .sweep = true)
{
    struct seen seen;
    play(&seen, CONNECT_TALK "T 5; D1 %81%83%00%00%00%00abc; T 5; D1 %88%82%00%00%00%00%03%e8; T 5; D1e ; H3eh GET /");
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5 1:data=4. 3:200 3:data=5. end");
    WF_EXPECT_CODE(seen.code, 0);
}

WF_TEST(a_websocket_whose_stream_is_reset_ends, .timeout = WF_SECONDS(300), .simulated = true, .sweep = true)
{
    struct seen seen;
    play(&seen, CONNECT_TALK "T 5; D1 %81%83%00%00%00%00abc; T 5; R 1 8; T 5; H3eh GET /");
    WF_EXPECT_TEXT(seen.log.text, "1:200 1:data=5 3:200 3:data=5. end");
    WF_EXPECT_INT(seen.ended, 2);
    WF_EXPECT(seen.code < 0);
}

/* ---- Floods ---- */

static const char *const floods[] = {
    "1000 H%eh GET /long; R % 8", /* CVE-2023-44487 */
    "1000 P",
    "1000 S 3=100",
    "1000 F 2 0 % 0000000010",
    "1000 H%eh GET / connection=close", /* CVE-2025-8671 */
    "1000 H%h POST /body; W % 0x7fffffff",
};

WF_TEST_EACH(a_flood_ends_the_connection, floods, .timeout = WF_SECONDS(300), .simulated = true)
{
    struct seen seen;
    play_patiently(&seen, *row);
    WF_EXPECT_PART(seen.log.text, ",ENHANCE_YOUR_CALM end");
    WF_EXPECT(seen.log.ended_after < WF_SECONDS(5));
}

WF_TEST(a_flood_of_empty_data_ends_the_connection, .timeout = WF_SECONDS(300), .simulated = true)
{
    struct seen seen;
    static char script[8000];
    char *at = script + sprintf(script, "H1h POST /body");
    for (int i = 0; i < 1000; i++) at += sprintf(at, "; D1 ");
    play_patiently(&seen, script);
    WF_EXPECT_PART(seen.log.text, ",ENHANCE_YOUR_CALM end");
}

/* CVE-2024-27316 */
WF_TEST(a_flood_of_continuations_ends_the_connection, .timeout = WF_SECONDS(300), .simulated = true)
{
    struct seen seen;
    static char script[8000];
    char *at = script + sprintf(script, "H1e GET /");
    for (int i = 0; i < 1000; i++) at += sprintf(at, "; C1 ");
    play_patiently(&seen, script);
    WF_EXPECT_TEXT(seen.log.text, "goaway=1,ENHANCE_YOUR_CALM end");
}

WF_TEST_MAIN
