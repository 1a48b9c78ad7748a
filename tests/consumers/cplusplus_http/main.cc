// Uses the words of HTTP from C++: routes with models, and every macro that takes options.
#include "order.h"

#include <cstdio>
#include <cstring>
#include <weft/app.h>
#include <weft/compress.h>
#include <weft/security.h>
#include <weft/weft.h>

static int take_order(wf_request *request)
{
    auto *taken = static_cast<order *>(wf_body_value(request));
    taken->quantity++;
    wf_cookie_options cookie = {};
    cookie.max_age = WF_SECONDS(60);
    int rc = wf_reply_cookie(request, "last", "order", cookie);
    return rc < 0 ? rc : wf_reply(request, 201, &order_model, taken);
}

static int tell(wf_request *request)
{
    wf_sse events;
    int rc = wf_sse_begin(request, &events);
    wf_sse_event event = {};
    event.data = "news";
    if (rc == 0) rc = wf_sse_wait(&events, wf_yield());
    return rc < 0 ? rc : wf_sse_send(&events, event);
}

static int talk(wf_request *request)
{
    wf_websocket *socket;
    wf_websocket_options options = {};
    options.deflate = true;
    return wf_websocket_accept(request, &socket, options);
}

static int take_parts(wf_request *request)
{
    wf_multipart parts;
    int rc = wf_multipart_open(request, &parts);
    return rc < 0 ? rc : wf_reply_file(request, "/dev/null");
}

static int around(wf_request *request, int *count)
{
    ++*count;
    return wf_continue(request);
}

static void declare(wf_app *app, int *count)
{
    wf_route_options options = {};
    options.body = &order_model;
    options.status = 201;
    wf_route(app, WF_POST, "/orders", take_order, options);
    wf_route(app, WF_GET, "/news", tell);
    wf_route(app, WF_GET, "/talk", talk);
    wf_route(app, WF_POST, "/parts", take_parts);
    wf_static(app, "/files", "/nowhere");
    wf_app_use(app, around, count);
}

struct call {
    wf_app *app;
    wf_stream *stream;
};

static int serve(call *call)
{
    int rc = wf_app_serve_stream(call->app, call->stream);
    wf_stream_close(call->stream);
    return rc;
}

static int ask(wf_app *app)
{
    static const char request[] = "POST /orders HTTP/1.1\r\nHost: a\r\nContent-Length: 36\r\nConnection: close\r\n\r\n"
                                  "{\"email\":\"a@b.example\",\"quantity\":2}";
    wf_stream *client;
    call serving = {app, nullptr};
    int rc = wf_stream_pair(1 << 16, &client, &serving.stream);
    if (rc < 0) return rc;
    char answer[1024] = "";
    size_t got;
    WF_SCOPE(scope);
    wf_spawn(&scope, serve, &serving);
    rc = wf_stream_write_all(client, request, sizeof request - 1, nullptr);
    if (rc == 0) rc = wf_stream_read_full(client, answer, sizeof answer - 1, &got);
    bool fine = std::strstr(answer, " 201 Created") != nullptr && std::strstr(answer, "\"quantity\":3}") != nullptr;
    wf_stream_close(client);
    wf_scope_end(&scope, 0);
    return fine ? 0 : -EPROTO;
}

static int run(int *count)
{
    wf_app app = {};
    app.title = "C++";
    declare(&app, count);
    int rc = ask(&app);
    wf_http_serve_options options = {};
    options.host = "not an address";
    if (rc == 0 && wf_serve(&app, options) >= 0) rc = -EPROTO;
    wf_app_finish(&app);
    if (rc == 0) std::printf("%d order taken by C++\n", *count);
    return rc;
}

int main()
{
    int count = 0;
    return wf_main(run, &count);
}
