/* The contract of apps, requests and answers: contract.h says what the lines mean. */
#include "../contract.h"

#include <weft/address.h>
#include <weft/app.h>
#include <weft/depend.h>
#include <weft/model.h>
#include <weft/tls.h>

#include "rig.h"

#define POINT_MEMBERS(M) M(INT32, x)
WF_MODEL(point, POINT_MEMBERS)

static int nothing(struct wf_request *request)
{
    return wf_reply_empty(request, 204);
}

static int around(struct wf_request *request, const char *name)
{
    (void)name;
    return wf_continue(request);
}

static int later(const char *what)
{
    (void)what;
    return 0;
}

static const struct wf_dependency thing = {.name = "thing"};

static void refuse_inputs(struct wf_request *request)
{
    int64_t number;
    char *bytes, byte;
    size_t size;
    struct point point;
    void *value;
    REFUSED(wf_depend, wf_depend(request, &thing, &value));
    REFUSED(wf_path_int, wf_path_int(request, "id", &number));
    REFUSED(wf_query_int, wf_query_int(request, "a", 0, &number));
    REFUSED(wf_request_read, (int)wf_request_read(request, &byte, 1));
    REFUSED(wf_request_body, wf_request_body(request, &bytes, &size));
    REFUSED(wf_request_model, wf_request_model(request, &point_model, &point));
    REFUSED(wf_continue, wf_continue(request));
}

static void refuse_answers(struct wf_request *request)
{
    struct point point = {.x = 1};
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, wf_request_arena(request), 0);
    wf_json_write_int(&writer, 1);
    REFUSED(wf_reply_text, wf_reply_text(request, 200, "text"));
    REFUSED(wf_reply_bytes, wf_reply_bytes(request, 200, "text/plain", "text", 4));
    REFUSED(wf_reply_empty, wf_reply_empty(request, 204));
    REFUSED(wf_reply_redirect, wf_reply_redirect(request, 307, "/"));
    REFUSED(wf_reply, wf_reply(request, 200, &point_model, &point));
    REFUSED(wf_reply_json, wf_reply_json(request, 200, &writer));
    REFUSED(wf_reply_inform, wf_reply_inform(request, 103));
    REFUSED(wf_http_error, wf_http_error(request, 404, "nothing"));
    REFUSED(wf_reply_begin, wf_reply_begin(request, 200, "text/plain", 4));
}

static void refuse_pieces(struct wf_request *request)
{
    REFUSED(wf_reply_write, wf_reply_write(request, "text", 4));
    REFUSED(wf_reply_flush, wf_reply_flush(request));
    REFUSED(wf_reply_end, wf_reply_end(request));
}

static void ask_about(struct wf_request *request)
{
    struct wf_address address;
    struct wf_tls_info info;
    STAYS(wf_request_method, WF_EXPECT_INT(wf_request_method(request), WF_POST));
    STAYS(wf_request_path, WF_EXPECT_TEXT(wf_request_path(request), "/7"));
    STAYS(wf_request_query, WF_EXPECT_TEXT(wf_request_query(request), "a=5"));
    STAYS(wf_request_scheme, WF_EXPECT_TEXT(wf_request_scheme(request), "http"));
    STAYS(wf_request_host, WF_EXPECT_TEXT(wf_request_host(request), "a"));
    STAYS(wf_request_version, WF_EXPECT_TEXT(wf_request_version(request), "HTTP/1.1"));
    STAYS(wf_request_header, WF_EXPECT_TEXT(wf_request_header(request, "host"), "a"));
    STAYS(wf_request_headers, WF_EXPECT_INT(wf_request_headers(request)->count, 3));
    STAYS(wf_request_cookie, WF_EXPECT_TEXT(wf_request_cookie(request, "c"), "1"));
    STAYS(wf_request_length, WF_EXPECT_INT(wf_request_length(request), 7));
    STAYS(wf_request_status, WF_EXPECT_INT(wf_request_status(request), 0));
    STAYS(wf_request_arena, WF_EXPECT(wf_request_arena(request) != NULL));
    STAYS(wf_request_app, WF_EXPECT(wf_request_app(request) != NULL));
    STAYS(wf_request_state, WF_EXPECT(wf_request_state(request) == NULL));
    STAYS(wf_request_arg, WF_EXPECT(wf_request_arg(request) == NULL));
    STAYS(wf_request_peer, wf_ignore(wf_request_peer(request, &address)));
    STAYS(wf_request_tls, wf_ignore(wf_request_tls(request, &info)));
    STAYS(wf_request_trailer, WF_EXPECT(wf_request_trailer(request, "x") == NULL));
}

static void ask_for_values(struct wf_request *request)
{
    STAYS(wf_path_text, WF_EXPECT_TEXT(wf_path_text(request, "id"), "7"));
    STAYS(wf_query_text, WF_EXPECT_TEXT(wf_query_text(request, "a"), "5"));
    STAYS(wf_request_scopes, WF_EXPECT_TEXT(wf_request_scopes(request), ""));
    STAYS(wf_path_value, WF_EXPECT(wf_path_value(request) == NULL));
    STAYS(wf_query_value, WF_EXPECT(wf_query_value(request) == NULL));
    STAYS(wf_header_value, WF_EXPECT(wf_header_value(request) == NULL));
    STAYS(wf_cookie_value, WF_EXPECT(wf_cookie_value(request) == NULL));
    STAYS(wf_body_value, WF_EXPECT(wf_body_value(request) == NULL));
    STAYS(wf_reply_header, WF_EXPECT_CODE(wf_reply_header(request, "x", "y"), 0));
    STAYS(wf_reply_trailer, WF_EXPECT_CODE(wf_reply_trailer(request, "x", "y"), 0));
    STAYS(wf_after_reply, WF_EXPECT_CODE(wf_after_reply(request, later, "it"), 0));
}

static int in_a_cancelled_scope(struct wf_request *request, void (*calls)(struct wf_request *))
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    calls(request);
    int rc = wf_scope_join(&cancelled);
    return wf_scope_end(&scope, rc);
}

static int refuse_everything(struct wf_request *request)
{
    char body[8];
    int rc = in_a_cancelled_scope(request, ask_about);
    if (rc == 0) rc = in_a_cancelled_scope(request, ask_for_values);
    if (rc == 0) rc = in_a_cancelled_scope(request, refuse_inputs);
    if (rc == 0) rc = in_a_cancelled_scope(request, refuse_answers);
    if (rc == 0) rc = (int)wf_request_read(request, body, sizeof body);
    if (rc >= 0) rc = wf_reply_begin(request, 200, "text/plain", -1);
    if (rc == 0) rc = in_a_cancelled_scope(request, refuse_pieces);
    return rc < 0 ? rc : wf_reply_write(request, "text", 4);
}

WF_TEST(a_refused_call_of_a_handler_says_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_app app = {.title = "contract"};
    struct exchange_log log;
    wf_route(&app, WF_POST, "/{id}", refuse_everything);
    ask(&log, &app, "POST /7?a=5 HTTP/1.1\r\nHost: a\r\nCookie: c=1\r\nContent-Length: 7\r\n\r\n{\"x\":1}");
    WF_EXPECT_TEXT(log.statuses, "200 ");
    wf_app_finish(&app);
}

static int refuse_running(struct wf_app *app)
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_app_run, wf_app_run(app));
    struct wf_app other = {.title = "other"};
    REFUSED(wf_serve, wf_serve(&other, .port = 0));
    REFUSED(wf_app_serve_stream, wf_app_serve_stream(&other, NULL));
    int rc = wf_scope_join(&cancelled);
    return wf_scope_end(&scope, rc);
}

WF_TEST(a_refused_server_does_not_listen, .rule = "1.1 1.3 1.7")
{
    struct wf_app app = {.title = "contract", .lifespan = refuse_running};
    WF_EXPECT_CODE(wf_serve(&app, .port = 0), 0);
    wf_app_finish(&app);
}

WF_TEST(declaring_never_suspends, .rule = "1.7")
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    struct wf_app app = {.title = "contract"}, inner = {.title = "inner"};
    struct wf_headers headers = {0};
    struct wf_arena *arena = wf_task_arena();
    uint32_t after = 0;
    struct wf_json_writer writer;
    wf_json_writer_init(&writer, arena, 0);
    char *argv[] = {(char *)(uintptr_t) "program", (char *)(uintptr_t) "--version", NULL};
    STAYS(wf_route, wf_route(&app, WF_GET, "/", nothing));
    STAYS(wf_mount, wf_mount(&app, "/inner", &inner));
    STAYS(wf_app_use, wf_app_use(&app, around, "it"));
    STAYS(wf_app_write_openapi, WF_EXPECT_CODE(wf_app_write_openapi(&app, &writer), 0));
    STAYS(wf_app_override, wf_app_override(&app, &thing, NULL));
    STAYS(wf_method_name, WF_EXPECT_TEXT(wf_method_name(WF_PATCH), "PATCH"));
    STAYS(wf_method_parse, WF_EXPECT_CODE(wf_method_parse("get", 3), -EINVAL));
    STAYS(wf_status_reason, WF_EXPECT_TEXT(wf_status_reason(404), "Not Found"));
    STAYS(wf_headers_add, wf_ignore(wf_headers_add(&headers, arena, "a", "b")));
    STAYS(wf_headers_find, wf_ignore(wf_headers_find(&headers, "A")));
    STAYS(wf_headers_next, wf_ignore(wf_headers_next(&headers, "A", &after)));
    STAYS(wf_headers_have_token, wf_ignore(wf_headers_have_token(&headers, "a", "b")));
    STAYS(wf_serve_main, WF_EXPECT_INT(wf_serve_main(&app, 2, argv), 0));
    STAYS(wf_app_finish, wf_app_finish(&inner));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
