/* A WebSocket from its beginning to its end. */
#include <openssl/rand.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/websocket.h"

enum { MESSAGE_MAX = 1 << 20 };

void ws_init(struct wf_websocket *socket, struct wf_stream *stream, const struct wf_websocket_options *options)
{
    memset(socket, 0, sizeof *socket);
    socket->stream = stream;
    socket->message_max = options->message_max > 0 ? options->message_max : MESSAGE_MAX;
    socket->heartbeat = options->heartbeat != 0 ? options->heartbeat : WF_SECONDS(30);
    socket->close_time = options->close_time > 0 ? options->close_time : WF_SECONDS(5);
    socket->writing = (struct wf_mutex)WF_MUTEX;
}

void ws_finish(struct wf_websocket *socket)
{
    wf_memory_free(socket->bytes);
    socket->bytes = NULL;
    ws_deflate_finish(&socket->deflate);
    wf_stream_close(socket->stream);
    socket->stream = NULL;
}

void ws_note_end(struct wf_websocket *socket, unsigned code, const char *reason, size_t size)
{
    if (socket->code != 0) return;
    socket->code = code != 0 ? code : WF_WEBSOCKET_NO_CODE;
    memcpy(socket->reason, reason, size);
    socket->reason[size] = '\0';
}

const char *wf_websocket_protocol(const struct wf_websocket *socket)
{
    return socket->protocol;
}

unsigned wf_websocket_code(const struct wf_websocket *socket)
{
    return socket->code;
}

const char *wf_websocket_reason(const struct wf_websocket *socket)
{
    return socket->reason;
}

/* ---- Closing ---- */

/* The task that receives takes the peer's answer; where none does, it is waited for here. */
static int close_both_ways(struct wf_websocket *socket, unsigned code, const char *reason)
{
    int rc = ws_send_close(socket, code, reason, strlen(reason));
    if (rc < 0 || socket->receiving || socket->close_came) return rc;
    rc = wf_within(socket->close_time, ws_await_close(socket));
    return rc == -ETIME || rc == -ECONNRESET ? 0 : rc;
}

int wf_websocket_close(struct wf_websocket *socket, unsigned code, const char *reason)
{
    if (reason == NULL) reason = "";
    struct utf8 utf8 = {0};
    size_t size = strlen(reason);
    if (!ws_code_is_good(code)) return wf_fail(-EINVAL, "%u is no code to close a WebSocket with", code);
    if (size > WS_CONTROL_MAX - 2 || !utf8_take(&utf8, reason, size) || !utf8_may_end(&utf8))
        return wf_fail(-EINVAL, "the reason to close a WebSocket is not UTF-8 of up to 123 bytes");
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (socket->failed < 0 || (socket->close_sent && socket->close_came)) return 0;
    return close_both_ways(socket, code, reason);
}

int ws_end(struct wf_websocket *socket, int outcome)
{
    unsigned code = outcome < 0 ? WF_WEBSOCKET_FAILED : wf_draining() ? WF_WEBSOCKET_GOING_AWAY : WF_WEBSOCKET_NORMAL;
    if (outcome == -ECANCELED || outcome == -EPIPE || outcome == -ECONNRESET) code = WF_WEBSOCKET_GOING_AWAY;
    if (socket->failed < 0) return 0;
    int rc = socket->close_came ? 0 : close_both_ways(socket, code, "");
    return rc == 0 ? wf_stream_shutdown(socket->stream) : rc; /* a server ends the connection first (section 7.1.1) */
}

bool ws_new_key(unsigned char key[4])
{
    return RAND_bytes(key, 4) == 1;
}
