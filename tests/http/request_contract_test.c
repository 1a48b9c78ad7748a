/* The contract of what a request tells about itself: contract.h says what the lines mean. */
#include "../contract.h"

#include <weft/address.h>
#include <weft/app.h>
#include <weft/tls.h>

#include "rig.h"

static void stay_with_the_head(struct wf_request *request)
{
    STAYS(wf_request_method, WF_EXPECT_INT(wf_request_method(request), WF_POST));
    STAYS(wf_request_path, WF_EXPECT_TEXT(wf_request_path(request), "/x/1"));
    STAYS(wf_request_query, WF_EXPECT_TEXT(wf_request_query(request), "q=2"));
    STAYS(wf_request_scheme, WF_EXPECT_TEXT(wf_request_scheme(request), "http"));
    STAYS(wf_request_host, WF_EXPECT_TEXT(wf_request_host(request), "a"));
    STAYS(wf_request_version, WF_EXPECT_TEXT(wf_request_version(request), "HTTP/1.1"));
    STAYS(wf_request_header, WF_EXPECT_TEXT(wf_request_header(request, "host"), "a"));
    STAYS(wf_request_headers, WF_EXPECT_INT(wf_request_headers(request)->count, 3));
    STAYS(wf_request_cookie, WF_EXPECT_TEXT(wf_request_cookie(request, "c"), "3"));
    STAYS(wf_request_length, WF_EXPECT_INT(wf_request_length(request), 4));
    STAYS(wf_request_status, WF_EXPECT_INT(wf_request_status(request), 0));
    STAYS(wf_request_arena, WF_EXPECT(wf_request_arena(request) != NULL));
    STAYS(wf_request_app, WF_EXPECT(wf_request_app(request) != NULL));
    STAYS(wf_request_state, WF_EXPECT(wf_request_state(request) == NULL));
    STAYS(wf_request_arg, WF_EXPECT(wf_request_arg(request) == NULL));
    STAYS(wf_path_text, WF_EXPECT_TEXT(wf_path_text(request, "id"), "1"));
    STAYS(wf_query_text, WF_EXPECT_TEXT(wf_query_text(request, "q"), "2"));
}

static void stay_with_the_rest(struct wf_request *request)
{
    struct wf_address peer;
    struct wf_tls_info info;
    STAYS(wf_request_peer, WF_EXPECT_CODE(wf_request_peer(request, &peer), -EOPNOTSUPP));
    STAYS(wf_request_tls, WF_EXPECT_CODE(wf_request_tls(request, &info), -EINVAL));
    STAYS(wf_request_trailer, WF_EXPECT(wf_request_trailer(request, "x") == NULL));
    STAYS(wf_path_value, WF_EXPECT(wf_path_value(request) == NULL));
    STAYS(wf_query_value, WF_EXPECT(wf_query_value(request) == NULL));
    STAYS(wf_header_value, WF_EXPECT(wf_header_value(request) == NULL));
    STAYS(wf_cookie_value, WF_EXPECT(wf_cookie_value(request) == NULL));
    STAYS(wf_body_value, WF_EXPECT(wf_body_value(request) == NULL));
    STAYS(wf_reply_header, WF_EXPECT_CODE(wf_reply_header(request, "x", "y"), 0));
    STAYS(wf_reply_trailer, WF_EXPECT_CODE(wf_reply_trailer(request, "x", "y"), 0));
}

static int stay(struct wf_request *request)
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    stay_with_the_head(request);
    stay_with_the_rest(request);
    int rc = wf_scope_join(&scope);
    return rc < 0 ? rc : wf_reply_text(request, 200, "stayed");
}

WF_TEST(what_a_request_tells_it_tells_at_once, .rule = "1.7")
{
    struct wf_app app = {.title = "contract"};
    struct exchange_log log;
    wf_route(&app, WF_POST, "/x/{id}", stay);
    ask(&log, &app, "POST /x/1?q=2 HTTP/1.1\r\nHost: a\r\nCookie: c=3\r\nContent-Length: 4\r\n\r\nbody");
    WF_EXPECT_TEXT(log.statuses, "200 ");
    wf_app_finish(&app);
}

WF_TEST(what_messages_are_made_of_is_there_at_once, .rule = "1.7")
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    struct wf_headers fields = {.list = NULL};
    uint32_t after = 0;
    STAYS(wf_method_name, WF_EXPECT_TEXT(wf_method_name(WF_GET), "GET"));
    STAYS(wf_method_parse, WF_EXPECT_INT(wf_method_parse("PUT", 3), WF_PUT));
    STAYS(wf_status_reason, WF_EXPECT_TEXT(wf_status_reason(404), "Not Found"));
    STAYS(wf_headers_add, WF_EXPECT_CODE(wf_headers_add(&fields, wf_task_arena(), "te", "a, trailers"), 0));
    STAYS(wf_headers_find, WF_EXPECT_TEXT(wf_headers_find(&fields, "TE"), "a, trailers"));
    STAYS(wf_headers_next, WF_EXPECT_TEXT(wf_headers_next(&fields, "te", &after), "a, trailers"));
    STAYS(wf_headers_have_token, WF_EXPECT(wf_headers_have_token(&fields, "te", "trailers")));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
