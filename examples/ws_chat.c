/*
 * A chat in the browser: whatever one says, all hear. Each guest has a queue of his own, so that who reads slowly holds
 * up nobody; whose queue is full is sent away.
 * Run it: weft run examples/ws_chat.c --port 8000, then open http://127.0.0.1:8000/
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <weft/app.h>
#include <weft/channel.h>
#include <weft/scope.h>
#include <weft/websocket.h>

struct line {
    char text[256];
};

struct guest {
    struct guest *next;
    struct wf_websocket *socket;
    struct wf_channel *lines; /* that he has not got yet */
};

static struct guest *guests;

static const char page[] =
    "<!doctype html><title>Chat</title><ul id=lines></ul><input id=say autofocus placeholder='say something'>"
    "<script>const socket = new WebSocket(location.href.replace(/^http/, 'ws') + 'chat');"
    "socket.onmessage = event => { const line = document.createElement('li'); line.textContent = event.data;"
    "lines.append(line); };"
    "say.onchange = () => { socket.send(say.value); say.value = ''; };</script>";

static int show_page(struct wf_request *request)
{
    return wf_reply_bytes(request, 200, "text/html; charset=utf-8", page, sizeof page - 1);
}

static void tell_everybody(const char *text)
{
    struct line line;
    snprintf(line.text, sizeof line.text, "%s", text);
    for (struct guest *guest = guests; guest != NULL; guest = guest->next)
        if (wf_try_send(guest->lines, &line) == -EAGAIN) wf_channel_close(guest->lines);
}

/* What the others say, until the queue was closed: it was full. */
static int pass_on(struct guest *guest)
{
    struct line line;
    int rc;
    while ((rc = wf_receive(guest->lines, &line)) > 0) {
        rc = wf_websocket_send_text(guest->socket, line.text);
        if (rc < 0) return rc;
    }
    return rc < 0 ? rc : wf_websocket_close(guest->socket, WF_WEBSOCKET_POLICY, "too slow");
}

static int listen_to(struct guest *guest)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    struct wf_websocket_message message;
    int rc;
    while ((rc = wf_websocket_receive(guest->socket, &arena, &message)) > 0) {
        if (message.text) tell_everybody(message.bytes);
        wf_arena_finish(&arena);
    }
    wf_arena_finish(&arena);
    return rc;
}

static void leave(const struct guest *guest)
{
    struct guest **at = &guests;
    while (*at != guest) at = &(*at)->next;
    *at = guest->next;
}

static int chat(struct wf_request *request)
{
    WF_CHANNEL(lines, struct line, 8);
    struct guest guest = {.lines = &lines};
    int rc = wf_websocket_accept(request, &guest.socket, .message_max = sizeof(struct line) - 1);
    if (rc < 0) return rc;
    guest.next = guests;
    guests = &guest;
    WF_SCOPE(scope);
    wf_spawn(&scope, pass_on, &guest, .daemon = true);
    rc = wf_scope_end(&scope, listen_to(&guest));
    leave(&guest);
    return rc;
}

int main(int argc, char **argv)
{
    struct wf_app app = {.title = "Chat"};
    wf_route(&app, WF_GET, "/", show_page);
    wf_route(&app, WF_GET, "/chat", chat);
    return wf_serve_main(&app, argc, argv);
}
