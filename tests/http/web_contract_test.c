/* The contract of WebSocket, events, bodies, files, forms, cookies and of who may ask: contract.h says what the lines
 * mean. */
#include "../contract.h"

#include <fcntl.h>
#include <weft/body.h>
#include <weft/compress.h>
#include <weft/cookie.h>
#include <weft/jwt.h>
#include <weft/multipart.h>
#include <weft/security.h>
#include <weft/sse.h>
#include <weft/static_files.h>
#include <weft/websocket.h>

#include "rig.h"

static void get(wf_handler *handler, const char *fields)
{
    struct wf_app app = {.title = "contract"};
    struct exchange_log log;
    char text[512];
    wf_route(&app, WF_GET, "/", handler);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    ask(&log, &app, text);
    WF_EXPECT(log.size > 0);
    wf_app_finish(&app);
}

/* ---- WebSocket ---- */

static int refuse_socket(struct wf_request *request)
{
    struct wf_websocket *socket = NULL;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_websocket_accept, wf_websocket_accept(request, &socket));
    int rc = wf_scope_join(&cancelled);
    return wf_scope_end(&scope, rc);
}

static int refuse_messages(struct wf_websocket *socket)
{
    struct wf_websocket_message message = {true, "text", 4};
    struct wf_arena *arena = wf_task_arena();
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_websocket_receive, wf_websocket_receive(socket, arena, &message));
    REFUSED(wf_websocket_send, wf_websocket_send(socket, &message));
    REFUSED(wf_websocket_send_text, wf_websocket_send_text(socket, "text"));
    REFUSED(wf_websocket_send_binary, wf_websocket_send_binary(socket, "bytes", 5));
    REFUSED(wf_websocket_close, wf_websocket_close(socket, WF_WEBSOCKET_NORMAL, NULL));
    STAYS(wf_websocket_protocol, wf_ignore(wf_websocket_protocol(socket)));
    STAYS(wf_websocket_code, WF_EXPECT_INT(wf_websocket_code(socket), 0));
    STAYS(wf_websocket_reason, WF_EXPECT_TEXT(wf_websocket_reason(socket), ""));
    int rc = wf_scope_join(&cancelled);
    return wf_scope_end(&scope, rc);
}

static int hold_socket(struct wf_request *request)
{
    struct wf_websocket *socket;
    int rc = refuse_socket(request);
    if (rc == 0) rc = wf_websocket_accept(request, &socket);
    return rc < 0 ? rc : refuse_messages(socket);
}

WF_TEST(a_refused_call_of_a_websocket_says_nothing, .rule = "1.1 1.3 1.7")
{
    get(hold_socket, "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                     "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n");
}

/* ---- Answers: out of line, together their frames are large ---- */

static int no_items(struct wf_generator *out, int *unused)
{
    (void)out, (void)unused;
    return 0;
}

static __attribute__((noinline)) void refuse_answers(struct wf_request *request)
{
    struct wf_stream *stream;
    struct wf_sse events = {.heartbeat_ = -1};
    int none = 0;
    WF_GENERATOR(items, no_items, &none, struct iovec);
    REFUSED(wf_reply_generator, wf_reply_generator(request, 200, "text/plain", &items));
    REFUSED(wf_reply_stream, wf_reply_stream(request, 200, "text/plain", -1, &stream));
    REFUSED(wf_reply_file, wf_reply_file(request, "/nowhere"));
    REFUSED(wf_sse_begin, wf_sse_begin(request, &events));
    REFUSED(wf_sse_send, wf_sse_send(&events, .data = "text"));
    wf_ignore(wf_sse_wait(&events, wf_sleep(1))); /* a task makes room for the reasons that it catches once */
    REFUSED(wf_sse_wait, wf_sse_wait(&events, wf_sleep(1)));
    WF_EXPECT_CODE(wf_generator_close(&items), 0);
}

static __attribute__((noinline)) void refuse_guards(struct wf_request *request)
{
    struct wf_login login;
    struct wf_jwt jwt;
    const char *text;
    static const struct wf_jwt_options tokens;
    static const struct wf_compress_options compress;
    static const struct wf_decompress_options decompress;
    static const struct wf_cors_options cors;
    REFUSED(wf_compress, wf_compress(request, &compress));
    REFUSED(wf_decompress, wf_decompress(request, &decompress));
    REFUSED(wf_cors, wf_cors(request, &cors));
    REFUSED(wf_require_basic, wf_require_basic(request, "realm", &login));
    REFUSED(wf_require_bearer, wf_require_bearer(request, "realm", &text));
    REFUSED(wf_require_key, wf_require_key(request, "X-Key", &text));
    REFUSED(wf_refuse_basic, wf_refuse_basic(request, "realm"));
    REFUSED(wf_refuse_bearer, wf_refuse_bearer(request, "realm", NULL));
    REFUSED(wf_jwt_read, wf_jwt_read(wf_request_arena(request), "a.b.c", &tokens, &jwt));
    REFUSED(wf_require_jwt, wf_require_jwt(request, &tokens, &jwt));
}

static __attribute__((noinline)) void stay(struct wf_request *request)
{
    static const struct wf_session_keys keys = {.name = "s", .keys = {"a key of 16 bytes"}};
    struct wf_stream *stream;
    const char *text;
    STAYS(wf_request_stream, wf_ignore(wf_request_stream(request, &stream)));
    STAYS(wf_sse_last_id, wf_ignore(wf_sse_last_id(request)));
    STAYS(wf_media_type, WF_EXPECT_TEXT(wf_media_type("a.png"), "image/png"));
    STAYS(wf_same_secret, WF_EXPECT(wf_same_secret("a", "a")));
    static const struct wf_jwt_key key = {.algorithm = WF_JWT_HS256, .bytes = "a secret of thirty-two bytes, ok"};
    static const struct wf_jwt jwt = {.scopes = "a b"};
    STAYS(wf_jwt_make, WF_EXPECT_CODE(wf_jwt_make(wf_request_arena(request), &key, "{}", &text), 0));
    STAYS(wf_jwt_has_scopes, WF_EXPECT(wf_jwt_has_scopes(&jwt, "b a")));
    STAYS(wf_reply_cookie, WF_EXPECT_CODE(wf_reply_cookie(request, "a", "1"), 0));
    STAYS(wf_session_write, WF_EXPECT_CODE(wf_session_write(request, &keys, "text"), 0));
    STAYS(wf_session_end, WF_EXPECT_CODE(wf_session_end(request, &keys), 0));
    STAYS(wf_session_read, WF_EXPECT_CODE(wf_session_read(request, &keys, &text), -ENOENT));
}

static int refuse_everything(struct wf_request *request)
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    refuse_answers(request);
    refuse_guards(request);
    stay(request);
    int rc = wf_scope_join(&cancelled);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_refused_answer_is_none, .rule = "1.1 1.3 1.7")
{
    get(refuse_everything, "");
}

/* ---- Forms ---- */

static int refuse_parts(struct wf_request *request)
{
    struct wf_multipart parts;
    struct wf_part part;
    const char *text;
    char byte;
    int rc = wf_multipart_open(request, &parts);
    if (rc == 0) rc = wf_multipart_next(&parts, &part);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_multipart_open, wf_multipart_open(request, &parts));
    REFUSED(wf_multipart_next, wf_multipart_next(&parts, &part));
    REFUSED(wf_part_read, (int)wf_part_read(&part, &byte, 1));
    REFUSED(wf_part_text, wf_part_text(&part, &text));
    REFUSED(wf_part_save, wf_part_save(&part, "/nowhere/file", NULL));
    rc = wf_scope_join(&cancelled);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_refused_call_of_a_form_takes_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_app app = {.title = "contract"};
    struct exchange_log log;
    wf_route(&app, WF_POST, "/", refuse_parts);
    ask(&log, &app,
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Type: multipart/form-data; boundary=X\r\nContent-Length: 61\r\n\r\n"
        "--X\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n--X--\r\n");
    WF_EXPECT_TEXT(log.statuses, "204 ");
    wf_app_finish(&app);
}

/* ---- What needs no request ---- */

WF_TEST(declaring_and_reading_never_suspends, .rule = "1.7")
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    struct wf_app app = {.title = "contract"};
    struct wf_sse_reader reader;
    struct wf_sse_news news;
    STAYS(wf_static, wf_static(&app, "/s", "/srv"));
    STAYS(wf_sse_reader_init, wf_sse_reader_init(&reader, 0));
    STAYS(wf_sse_reader_take, WF_EXPECT_INT(wf_sse_reader_take(&reader, "data\n\n", 6, &news), 6));
    STAYS(wf_sse_reader_finish, wf_sse_reader_finish(&reader));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_app_finish(&app);
}

WF_TEST_MAIN
