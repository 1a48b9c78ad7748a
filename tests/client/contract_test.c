/* The contract of clients: contract.h says what the lines mean. */
#include "../contract.h"

#include <weft/client.h>
#include <weft/model.h>
#include <weft/sse.h>
#include <weft/stream.h>
#include <weft/url.h>
#include <weft/websocket.h>

#include "rig.h"

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "{\"x\":1}");
}

static void declare(struct wf_app *app)
{
    wf_route(app, WF_GET, "/", hello);
}

#define POINT_MEMBERS(M) M(INT32, x)
WF_MODEL(point, POINT_MEMBERS)

/* ---- Calls: out of line, together their frames are large ---- */

static __attribute__((noinline)) void refuse_fetches(struct wf_client *client, struct wf_arena *arena,
                                                     struct wf_response *response)
{
    REFUSED(wf_fetch, wf_fetch(client, arena, WF_GET, "/", response));
    REFUSED(wf_fetch_open, wf_fetch_open(client, arena, WF_GET, "/", response));
    REFUSED(wf_get, wf_get(client, arena, "/", response));
    REFUSED(wf_head, wf_head(client, arena, "/", response));
}

static __attribute__((noinline)) void refuse_bodies(struct wf_client *client, struct wf_arena *arena,
                                                    struct wf_response *response)
{
    REFUSED(wf_post, wf_post(client, arena, "/", response));
    REFUSED(wf_put, wf_put(client, arena, "/", response));
    REFUSED(wf_patch, wf_patch(client, arena, "/", response));
    REFUSED(wf_delete, wf_delete(client, arena, "/", response));
}

static __attribute__((noinline)) void refuse_others(struct wf_client *client, struct wf_arena *arena)
{
    struct wf_websocket *socket;
    REFUSED(wf_client_warm, wf_client_warm(client, "/", 1));
    REFUSED(wf_websocket_connect, wf_websocket_connect(client, arena, "/", &socket));
}

/* The answer is open. */
static __attribute__((noinline)) void refuse_answers(struct wf_response *response)
{
    char buffer[8];
    REFUSED(wf_response_read, wf_response_read(response, buffer, sizeof buffer));
    REFUSED(wf_response_load, wf_response_load(response));
    REFUSED(wf_response_save, wf_response_save(response, "/nowhere/file"));
}

WF_TEST(a_refused_call_asks_nobody, .rule = "1.1 1.3 1.7")
{
    RIG(rig, declare);
    struct wf_response open;
    struct wf_arena *arena = wf_task_arena();
    if (!WF_EXPECT_CODE(wf_fetch_open(rig.client, arena, WF_GET, "/", &open), 0)) return;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    WF_SCOPE(cancelled);
    wf_scope_cancel(&cancelled, "before the calls");
    refuse_fetches(rig.client, arena, &rig.response);
    refuse_bodies(rig.client, arena, &rig.response);
    refuse_others(rig.client, arena);
    refuse_answers(&open);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    wf_response_close(&open);
}

/* ---- What never suspends ---- */

static __attribute__((noinline)) void stay_with_answers(struct rig *rig, struct wf_response *open)
{
    struct wf_stream *stream = NULL;
    struct point point;
    STAYS(wf_response_header, WF_EXPECT(wf_response_header(&rig->response, "content-type") != NULL));
    STAYS(wf_response_check, WF_EXPECT_CODE(wf_response_check(&rig->response), 0));
    STAYS(wf_response_model, WF_EXPECT_CODE(wf_response_model(&rig->response, &point_model, &point), 0));
    STAYS(WF_RESPONSE_PIECES, WF_RESPONSE_PIECES(pieces, open); wf_ignore(pieces.response_ == open));
    STAYS(wf_response_stream, WF_EXPECT_CODE(wf_response_stream(open, &stream), 0));
    wf_stream_close(stream);
    STAYS(wf_response_close, wf_response_close(open));
}

/* Where there is no libpsl they say so. */
static __attribute__((noinline)) void stay_with_cookies(void)
{
    static const char url[] = "http://a.org/";
    struct wf_arena *arena = wf_task_arena();
    const char *text = "";
    WF_CLIENT(client, .cookies = true);
    STAYS(wf_client_cookie_set, wf_ignore(wf_client_cookie_set(&client, url, "a=1")));
    STAYS(wf_client_cookie, wf_ignore(wf_client_cookie(&client, arena, url, "a", &text)));
    STAYS(wf_client_cookies_save, wf_ignore(wf_client_cookies_save(&client, arena, &text)));
    STAYS(wf_client_cookies_load, wf_ignore(wf_client_cookies_load(&client, text)));
    STAYS(wf_client_cookies_clear, wf_client_cookies_clear(&client, NULL));
}

static __attribute__((noinline)) void stay_with_clients(void)
{
    struct wf_client client = {.private_ = NULL};
    struct wf_client_statistics statistics;
    WF_BACKGROUND(tasks);
    STAYS(wf_client_open, WF_EXPECT_CODE(wf_client_open(&client, &tasks), 0));
    STAYS(wf_client_statistics, wf_client_statistics(&client, &statistics));
    STAYS(wf_client_close, wf_client_close(&client));
}

static __attribute__((noinline)) void stay_with_urls(void)
{
    struct wf_arena *arena = wf_task_arena();
    struct wf_url url;
    const char *text = "";
    STAYS(wf_url_parse, WF_EXPECT_CODE(wf_url_parse("http://a.org/", arena, &url), 0));
    STAYS(wf_url_join, WF_EXPECT_CODE(wf_url_join("http://a.org/", "b", arena, &text), 0));
    STAYS(wf_url_encode, text = wf_url_encode(text, arena));
    WF_EXPECT_TEXT(text, "http%3A%2F%2Fa.org%2Fb");
}

static __attribute__((noinline)) void stay_with_sources(struct wf_client *client)
{
    STAYS(WF_SSE_SOURCE, WF_SSE_SOURCE(source, client, "/"));
    WF_SSE_SOURCE(source, client, "/", .last_id = "7");
    STAYS(wf_sse_source_id, WF_EXPECT_INT(wf_sse_source_id(&source)[0], source.private_ != NULL ? '7' : '\0'));
    STAYS(wf_sse_source_answer, WF_EXPECT(wf_sse_source_answer(&source) == NULL));
    STAYS(wf_sse_source_close, wf_sse_source_close(&source));
}

WF_TEST(what_only_looks_or_lets_go_never_suspends, .rule = "1.7")
{
    RIG(rig, declare);
    struct wf_response open;
    if (!WF_EXPECT_CODE(GET(rig, "/"), 0)) return;
    if (!WF_EXPECT_CODE(wf_fetch_open(rig.client, wf_task_arena(), WF_GET, "/", &open), 0)) return;
    WF_SCOPE(scope);
    spawn_sibling(&scope);
    stay_with_answers(&rig, &open);
    stay_with_cookies();
    stay_with_clients();
    stay_with_urls();
    stay_with_sources(rig.client);
    struct wf_stream *reader, *writer;
    if (WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) {
        STAYS(wf_poll_fd, WF_EXPECT_INT(wf_poll_fd(wf_stream_fd(reader), WF_READABLE), 0));
        wf_stream_close(reader);
        wf_stream_close(writer);
    }
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* ---- Leaving a client ---- */

static int leave_block(struct wf_app *app, struct wf_scope *cancelled)
{
    struct wf_response response;
    WF_CLIENT(client, .base_url = "http://server", .app = app);
    int rc = wf_get(&client, wf_task_arena(), "/", &response);
    wf_scope_cancel(cancelled, "before the block is left");
    return rc < 0 ? rc : 3;
}

WF_TEST(leaving_a_client_waits_for_its_tasks, .rule = "1.7")
{
    struct wf_app app = {.title = "t"};
    declare(&app);
    WF_SCOPE(cancelled);
    COMPLETES(WF_CLIENT, leave_block(&app, &cancelled), 3);
    WF_EXPECT_CODE(wf_scope_join(&cancelled), 0);
    wf_app_finish(&app);
}

WF_TEST_MAIN
