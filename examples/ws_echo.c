/*
 * A WebSocket that says everything back: every path is one.
 * Run it: weft run examples/ws_echo.c --port 8000
 */
// weft: pkg-config weft-http
#include <weft/app.h>
#include <weft/websocket.h>

static int echo(struct wf_request *request)
{
    struct wf_websocket *socket;
    int rc = wf_websocket_accept(request, &socket, .deflate = true, .no_context = true, .origins = {"*"},
                                 .message_max = 16 << 20);
    if (rc < 0) return rc;
    struct wf_arena arena;
    wf_arena_init(&arena);
    struct wf_websocket_message message;
    while ((rc = wf_websocket_receive(socket, &arena, &message)) > 0) {
        rc = wf_websocket_send(socket, &message);
        if (rc < 0) break;
        wf_arena_finish(&arena); /* an idle socket keeps nothing */
    }
    wf_arena_finish(&arena);
    return rc;
}

int main(int argc, char **argv)
{
    struct wf_app app = {.title = "WebSocket echo"};
    wf_route(&app, WF_GET, "/{path:rest}", echo);
    return wf_serve_main(&app, argc, argv);
}
