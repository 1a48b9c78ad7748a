/*
 * What goes out over a WebSocket: one frame for each message, and control frames between them.
 *
 * A mutex keeps frames apart. The task that receives does not wait for it to answer a ping: whoever holds it answers
 * when its own frame is out, so that a receiver never waits for a sender whom the peer does not read.
 */
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>

#include "http/websocket.h"

/* ---- Frames ---- */

/* A client hides what it says behind a mask that nobody can foresee; the bytes of the caller stay as they are. */
static int write_masked(struct wf_websocket *socket, struct ws_frame *frame, const char *bytes)
{
    char *copy = wf_memory_alloc(WS_HEAD_MAX + (size_t)frame->size);
    if (copy == NULL) return -ENOMEM;
    frame->masked = true;
    if (!ws_new_key(frame->key)) {
        wf_memory_free(copy);
        return -EIO;
    }
    size_t head = ws_frame_write(copy, frame);
    if (frame->size > 0) memcpy(copy + head, bytes, frame->size);
    ws_mask(copy + head, frame->size, frame->key, 0);
    int rc = wf_stream_write_all(socket->stream, copy, head + frame->size, NULL);
    wf_memory_free(copy);
    return rc;
}

/* The caller has the mutex. */
static int write_frame(struct wf_websocket *socket, unsigned opcode, unsigned rsv, const char *bytes, size_t size)
{
    struct ws_frame frame = {.fin = true, .rsv = (uint8_t)rsv, .opcode = (uint8_t)opcode, .size = size};
    if (socket->client) return write_masked(socket, &frame, bytes);
    char head[WS_HEAD_MAX];
    struct iovec parts[2] = {{head, ws_frame_write(head, &frame)}, {(void *)(uintptr_t)bytes, size}};
    return wf_stream_writev_all(socket->stream, parts, size > 0 ? 2 : 1, NULL);
}

/* The receiver may take another ping meanwhile, so the payload is copied. */
static int write_pong(struct wf_websocket *socket)
{
    char payload[WS_CONTROL_MAX];
    memcpy(payload, socket->pong, socket->pong_size);
    socket->pong_due = false;
    int rc = write_frame(socket, WS_PONG, 0, payload, socket->pong_size);
    if (rc == -ECANCELED) socket->pong_due = true;
    return rc;
}

/* What came up while the mutex was held; then it is free. A failure is met again by the next who writes. */
static void unlock(struct wf_websocket *socket)
{
    int rc = 0;
    while (rc == 0 && socket->pong_due && !socket->close_sent) rc = write_pong(socket);
    wf_mutex_unlock(&socket->writing);
}

/* ---- Control frames ---- */

int ws_send_pong(struct wf_websocket *socket)
{
    if (wf_mutex_try_lock(&socket->writing) < 0) return 0;
    unlock(socket);
    return wf_cancelled() ? -ECANCELED : 0;
}

int ws_send_ping(struct wf_websocket *socket)
{
    if (socket->close_sent || wf_mutex_try_lock(&socket->writing) < 0) return 0; /* who writes will learn of it */
    int rc = write_frame(socket, WS_PING, 0, "", 0);
    unlock(socket);
    return rc;
}

int ws_send_close(struct wf_websocket *socket, unsigned code, const char *reason, size_t size)
{
    if (socket->close_sent) return 0;
    int rc = wf_mutex_lock(&socket->writing);
    if (rc < 0) return rc;
    char payload[WS_CONTROL_MAX] = {(char)(code >> 8), (char)code};
    memcpy(payload + 2, reason, size);
    if (!socket->close_sent) {
        ws_note_end(socket, code, reason, size);
        rc = write_frame(socket, WS_CLOSE, 0, payload, code == 0 ? 0 : size + 2);
        socket->close_sent = rc != -ECANCELED; /* cut in the middle, the stream takes nothing more anyway */
    }
    wf_mutex_unlock(&socket->writing);
    return rc;
}

/* ---- Messages ---- */

enum { SQUEEZE_MIN = 64 }; /* smaller messages go as they are */

/* The caller has the mutex: the order of squeezing is the order of sending. */
static int write_squeezed(struct wf_websocket *socket, unsigned opcode, const struct wf_websocket_message *message)
{
    char *bytes;
    size_t size;
    int rc = ws_deflate_squeeze(&socket->deflate, message->bytes, message->size, &bytes, &size);
    if (rc < 0) return rc;
    rc = write_frame(socket, opcode, WS_RSV_COMPRESSED, bytes, size);
    wf_memory_free(bytes);
    if (rc < 0) ws_deflate_forget_sent(&socket->deflate);
    return rc;
}

static bool is_utf8(const struct wf_websocket_message *message)
{
    struct utf8 utf8 = {0};
    return utf8_take(&utf8, message->bytes, message->size) && utf8_may_end(&utf8);
}

int wf_websocket_send(struct wf_websocket *socket, const struct wf_websocket_message *message)
{
    if (message->text && !is_utf8(message)) return wf_fail(-EINVAL, "a text of a WebSocket is not UTF-8");
    int rc = wf_mutex_lock(&socket->writing);
    if (rc < 0) return rc;
    unsigned opcode = message->text ? WS_TEXT : WS_BINARY;
    if (socket->close_sent || socket->close_came || socket->failed < 0) rc = -EPIPE;
    else if (socket->deflate.on && message->size >= SQUEEZE_MIN) rc = write_squeezed(socket, opcode, message);
    else rc = write_frame(socket, opcode, 0, message->bytes, message->size);
    unlock(socket);
    return rc;
}
