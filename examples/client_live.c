/*
 * What a client needs beside the bare call: events that come again, a WebSocket, cookies. The server is an app in
 * memory.
 *
 *     weft run examples/client_live.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/cookie.h>
#include <weft/sse.h>
#include <weft/websocket.h>
#include <weft/weft.h>

/* ---- The server: two events for each call, and no more behind the fourth ---- */

static int count(struct wf_request *request)
{
    struct wf_sse events;
    const char *last = wf_sse_last_id(request);
    int from = last != NULL ? last[0] - '0' : 0;
    if (from >= 4) return wf_reply_empty(request, 204);
    int rc = wf_sse_begin(request, &events);
    for (int i = from + 1; i <= from + 2 && rc == 0; i++) {
        char id[2] = {(char)('0' + i), '\0'};
        rc = wf_sse_send(&events, .id = id, .data = i % 2 == 1 ? "tick" : "tock");
    }
    return rc;
}

static int greet(struct wf_request *request)
{
    struct wf_websocket *socket;
    struct wf_websocket_message message;
    const char *cookie = wf_request_header(request, "cookie");
    int rc = wf_websocket_accept(request, &socket);
    if (rc == 0) rc = wf_websocket_send_text(socket, cookie != NULL ? cookie : "no cookie");
    if (rc == 0) rc = wf_websocket_receive(socket, wf_request_arena(request), &message);
    return rc > 0 ? wf_websocket_send(socket, &message) : rc;
}

static int log_in(struct wf_request *request)
{
    int rc = wf_reply_cookie(request, "who", "ada");
    return rc < 0 ? rc : wf_reply_text(request, 200, "welcome");
}

/* ---- The client ---- */

static int hear(struct wf_client *client)
{
    struct wf_sse_news news;
    int rc;
    WF_SSE_SOURCE(source, client, "/count", .retry = WF_MILLISECONDS(1));
    while ((rc = wf_next(&source, &news)) > 0) printf("event %s: %s\n", news.id, news.data);
    return rc;
}

static int talk(struct wf_client *client)
{
    struct wf_arena *arena = wf_task_arena();
    struct wf_response response;
    struct wf_websocket *socket;
    struct wf_websocket_message message;
    int rc = wf_get(client, arena, "/login", &response);
    if (rc == 0) rc = wf_websocket_connect(client, arena, "/greet", &socket);
    if (rc == 0) rc = wf_websocket_send_text(socket, "hello");
    for (int i = 0; rc >= 0 && i < 2; i++)
        if ((rc = wf_websocket_receive(socket, arena, &message)) > 0) printf("it says: %s\n", message.bytes);
    return rc > 0 ? wf_websocket_close(socket, WF_WEBSOCKET_NORMAL, NULL) : rc;
}

static int run(struct wf_app *app)
{
    WF_CLIENT(client, .base_url = "http://example.org", .app = app, .cookies = true);
    int rc = hear(&client);
    return rc == 0 ? talk(&client) : rc;
}

int main(void)
{
    struct wf_app app = {.title = "Live"};
    wf_route(&app, WF_GET, "/count", count);
    wf_route(&app, WF_GET, "/greet", greet);
    wf_route(&app, WF_GET, "/login", log_in);
    int rc = wf_run(run, &app);
    if (rc < 0) printf("%s\n", wf_strerror(rc));
    wf_app_finish(&app);
    return rc < 0;
}
