/* The contract of the client: contract.h says what the lines mean. */
#include "../contract.h"

#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/url.h>

#define POINT_MEMBERS(M) M(INT32, x)
WF_MODEL(point, POINT_MEMBERS)

static int point_at(struct wf_request *request)
{
    return wf_reply_bytes(request, 200, "application/json", "{\"x\":1}", 7);
}

static void begin(struct wf_app *app)
{
    wf_route(app, WF_GET, "/", point_at);
}

/* ---- Calls ---- */

static void refuse_calls(struct wf_client *client)
{
    struct wf_arena *arena = wf_task_arena();
    struct wf_response response;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_fetch, wf_fetch(client, arena, WF_OPTIONS, "/", &response));
    REFUSED(wf_get, wf_get(client, arena, "/", &response));
    REFUSED(wf_head, wf_head(client, arena, "/", &response));
    REFUSED(wf_post, wf_post(client, arena, "/", &response));
    REFUSED(wf_put, wf_put(client, arena, "/", &response));
    REFUSED(wf_patch, wf_patch(client, arena, "/", &response));
    REFUSED(wf_delete, wf_delete(client, arena, "/", &response));
    REFUSED(wf_fetch_open, wf_fetch_open(client, arena, WF_GET, "/", &response));
    REFUSED(wf_client_warm, wf_client_warm(client, "/", 1));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refused_call_asks_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_app app = {.title = "contract"};
    begin(&app);
    {
        struct wf_client_statistics statistics;
        WF_CLIENT(client, .base_url = "http://a", .app = &app);
        refuse_calls(&client);
        wf_client_statistics(&client, &statistics);
        WF_EXPECT_INT((int64_t)statistics.opened, 0);
    }
    wf_app_finish(&app);
}

/* ---- Answers ---- */

static void refuse_reading(struct wf_response *response)
{
    char byte;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    REFUSED(wf_response_read, wf_response_read(response, &byte, 1));
    REFUSED(wf_response_load, wf_response_load(response));
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

static void ask_of_answer(struct wf_response *response)
{
    struct wf_stream *stream;
    struct point point = {.x = 0};
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_response_header, WF_EXPECT_TEXT(wf_response_header(response, "content-length"), "7"));
    STAYS(wf_response_check, WF_EXPECT_CODE(wf_response_check(response), 0));
    STAYS(wf_response_stream, WF_EXPECT_CODE(wf_response_stream(response, &stream), 0));
    WF_EXPECT_CODE(wf_shielded(WF_FOREVER, wf_response_load(response)), 0);
    STAYS(wf_response_model, WF_EXPECT_CODE(wf_response_model(response, &point_model, &point), 0));
    STAYS(wf_response_close, wf_response_close(response));
    WF_EXPECT_INT(point.x, 1);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(a_refused_reading_takes_nothing, .rule = "1.1 1.3 1.7")
{
    struct wf_app app = {.title = "contract"};
    begin(&app);
    {
        struct wf_response response;
        WF_CLIENT(client, .base_url = "http://a", .app = &app);
        if (WF_EXPECT_CODE(wf_fetch_open(&client, wf_task_arena(), WF_GET, "/", &response), 0)) {
            refuse_reading(&response);
            ask_of_answer(&response);
        }
    }
    wf_app_finish(&app);
}

/* ---- Clients and URLs ---- */

static int leave_client(void)
{
    WF_CLIENT(client);
    return client.private_ != NULL ? 0 : -ENOMEM;
}

WF_TEST(a_client_without_tasks_is_left_at_once, .rule = "1.7")
{
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    COMPLETES(WF_CLIENT, leave_client(), 0);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST(what_a_client_does_by_itself_does_not_wait, .rule = "1.7")
{
    struct wf_client client = {.private_ = NULL};
    struct wf_client_statistics statistics;
    struct wf_arena *arena = wf_task_arena();
    struct wf_url url;
    const char *text;
    WF_BACKGROUND(background);
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    STAYS(wf_client_open, WF_EXPECT_CODE(wf_client_open(&client, &background), 0));
    STAYS(wf_client_statistics, wf_client_statistics(&client, &statistics));
    STAYS(wf_client_close, wf_client_close(&client));
    STAYS(wf_url_parse, WF_EXPECT_CODE(wf_url_parse("http://a/b", arena, &url), 0));
    STAYS(wf_url_join, WF_EXPECT_CODE(wf_url_join("http://a/b", "c", arena, &text), 0));
    STAYS(wf_url_encode, WF_EXPECT_TEXT(wf_url_encode("a b", arena), "a%20b"));
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

WF_TEST_MAIN
