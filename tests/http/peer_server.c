/* A server that other programs talk to (tests/examples/peers.sh): bodies, files, pieces, compression, WebSocket. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <weft/address.h>
#include <weft/app.h>
#include <weft/compress.h>
#include <weft/static_files.h>
#include <weft/websocket.h>

static int say_hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "Hello, World!");
}

static int echo(struct wf_request *request)
{
    char *body;
    size_t size;
    int rc = wf_request_body(request, &body, &size);
    if (rc < 0) return rc;
    return wf_reply_bytes(request, 200, "application/octet-stream", body, size);
}

/* However long it is: "BYTES SUM". */
static int count(struct wf_request *request)
{
    unsigned char buffer[2048];
    uint64_t bytes = 0, sum = 0;
    ssize_t got;
    while ((got = wf_request_read(request, buffer, sizeof buffer)) > 0) {
        for (ssize_t i = 0; i < got; i++) sum += buffer[i];
        bytes += (uint64_t)got;
    }
    if (got < 0) return (int)got;
    char text[64];
    snprintf(text, sizeof text, "%" PRIu64 " %" PRIu64, bytes, sum);
    return wf_reply_text(request, 200, text);
}

/* "192.0.2.7 https example.com HTTP/1.1" */
static int who(struct wf_request *request)
{
    struct wf_address peer;
    char address[WF_ADDRESS_TEXT];
    int rc = wf_request_peer(request, &peer);
    if (rc < 0) return rc;
    wf_address_set_port(&peer, 0);
    const char *text =
        wf_arena_printf(wf_request_arena(request), "%s %s %s %s", wf_address_text(&peer, address),
                        wf_request_scheme(request), wf_request_host(request), wf_request_version(request));
    return text != NULL ? wf_reply_text(request, 200, text) : -ENOMEM;
}

enum { LINES = 1000 };

static int pieces(struct wf_request *request)
{
    int rc = wf_reply_begin(request, 200, "text/plain", -1);
    for (int i = 0; i < LINES && rc == 0; i++) {
        char line[32];
        int size = snprintf(line, sizeof line, "line %d\n", i);
        rc = wf_reply_write(request, line, (size_t)size);
    }
    return rc;
}

static int say_back(struct wf_request *request)
{
    struct wf_websocket *socket;
    struct wf_websocket_message message;
    int rc = wf_websocket_accept(request, &socket, .deflate = true, .origins = {"*"}, .message_max = 16 << 20);
    if (rc < 0) return rc;
    struct wf_arena arena;
    wf_arena_init(&arena);
    while ((rc = wf_websocket_receive(socket, &arena, &message)) > 0) {
        rc = wf_websocket_send(socket, &message);
        if (rc < 0) break;
        wf_arena_finish(&arena);
    }
    wf_arena_finish(&arena);
    return rc;
}

int main(int argc, char **argv)
{
    struct wf_app app = {.title = "peers", .trusted_proxies = getenv("PEER_TRUSTS")};
    const char *folder = getenv("PEER_FILES");
    wf_route(&app, WF_GET, "/", say_hello);
    wf_route(&app, WF_POST, "/echo", echo);
    wf_route(&app, WF_PUT, "/count", count, .body_max = 64 << 20);
    wf_route(&app, WF_POST, "/count", count, .body_max = 64 << 20);
    wf_route(&app, WF_GET, "/who", who);
    wf_route(&app, WF_GET, "/pieces", pieces);
    wf_route(&app, WF_GET, "/ws", say_back);
    if (folder != NULL) wf_static(&app, "/files", folder);
    wf_app_use(&app, wf_compress, NULL);
    return wf_serve_main(&app, argc, argv);
}
