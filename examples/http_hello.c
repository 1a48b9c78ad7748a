/*
 * The smallest server: every path answers "Hello, World!".
 * Run it: weft run examples/http_hello.c --port 8000
 */
// weft: pkg-config weft-http
#include <weft/app.h>

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "Hello, World!");
}

int main(int argc, char **argv)
{
    struct wf_app app = {.title = "Hello"};
    wf_route(&app, WF_GET, "/{path:rest}", hello);
    wf_route(&app, WF_POST, "/{path:rest}", hello);
    return wf_serve_main(&app, argc, argv);
}
