/*
 * A chat both ways: each message is echoed before the next one is sent, "/quit" is answered and ends it, and whoever
 * vanishes is noticed once. From "Stream Processing: Bidirectional Streaming".
 *
 * Rows: S094.
 *
 * The sample's stream is one of gRPC, which weft does not have yet; here it is a WebSocket. The identity of a client is
 * drawn by the server, from the loop's random numbers.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/bidirectional_streaming.c
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/extend.h>
#include <weft/websocket.h>
#include <weft/weft.h>

static uint64_t clients[2]; /* who they were */
static int connected;

static int process_message(struct wf_websocket *socket, uint64_t client_id, const char *text)
{
    char reply[256];
    snprintf(reply, sizeof reply, "Echo: %s {timestamp: %.1f, client_id: %016" PRIx64 "}", text, wf_seconds(wf_now()),
             client_id);
    return wf_websocket_send_text(socket, reply);
}

static int echo_until_quit(struct wf_websocket *socket, uint64_t client_id)
{
    struct wf_websocket_message message;
    int rc;
    while ((rc = wf_websocket_receive(socket, wf_task_arena(), &message)) > 0) {
        rc = process_message(socket, client_id, message.bytes);
        if (rc < 0 || strcmp(message.bytes, "/quit") == 0) break;
    }
    return rc;
}

static int stream_chat(struct wf_request *request)
{
    struct wf_websocket *socket;
    uint64_t client_id;
    int rc = wf_websocket_accept(request, &socket);
    if (rc < 0) return rc;
    wf_random_bytes(&client_id, sizeof client_id);
    clients[connected++ % 2] = client_id;
    printf("Client %016" PRIx64 " connected\n", client_id);
    rc = echo_until_quit(socket, client_id);
    printf("Client %016" PRIx64 " disconnected: %s\n", client_id, wf_strerror(rc)); /* whatever happened */
    return rc;
}

static int talk(struct wf_websocket *socket, struct wf_arena *arena, const char *text)
{
    struct wf_websocket_message reply;
    int rc = wf_websocket_send_text(socket, text);
    if (rc == 0) rc = wf_websocket_receive(socket, arena, &reply);
    if (rc > 0) printf("%s\n", reply.bytes);
    return rc > 0 ? 0 : rc;
}

static int chat(struct wf_client *client, const char *last)
{
    struct wf_arena arena;
    struct wf_websocket *socket;
    struct wf_websocket_message message;
    wf_arena_init(&arena);
    int rc = wf_websocket_connect(client, &arena, "/chat", &socket);
    if (rc == 0) rc = talk(socket, &arena, "hello");
    if (rc == 0) rc = talk(socket, &arena, last);
    if (rc == 0 && strcmp(last, "/quit") == 0) {
        rc = wf_websocket_receive(socket, &arena, &message);
        printf("ended by the server: %d, code %u\n", rc, wf_websocket_code(socket));
    }
    wf_arena_finish(&arena); /* without a close, where it was no /quit: the connection just ends */
    return rc;
}

static int run(struct wf_app *app)
{
    WF_CLIENT(client, .app = app, .base_url = "http://plugin");
    int rc = chat(&client, "/quit");
    if (rc == 0) rc = chat(&client, "I lose my connection");
    if (rc == 0) rc = wf_sleep(WF_MILLISECONDS(10));
    printf("two clients with different ids: %s\n", connected == 2 && clients[0] != clients[1] ? "yes" : "no");
    return rc;
}

int main(void)
{
    struct wf_app app = {.title = "Chat"};
    wf_route(&app, WF_GET, "/chat", stream_chat);
    int status = wf_main(run, &app);
    wf_app_finish(&app);
    return status;
}
