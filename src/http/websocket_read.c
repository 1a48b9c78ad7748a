/*
 * What comes over a WebSocket: heads of frames, payloads, messages put together.
 *
 * All that has come is kept in the socket until a message is whole, so that a receive that is cut short loses nothing.
 * An idle socket waits with the little that it has anyway; the memory of a message goes as soon as it was handed out.
 */
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/websocket.h"

enum { PIECE = 65536, DISCARD_MAX = 1 << 20 };

/* ---- Ends ---- */

/* What was still on its way is read and thrown away, so that the peer can read what it was told. */
static int discard(struct wf_websocket *socket)
{
    size_t discarded = 0;
    for (;;) {
        ssize_t got = wf_stream_read(socket->stream, socket->own, sizeof socket->own);
        if (got <= 0) return (int)got;
        discarded += (size_t)got;
        if (discarded > DISCARD_MAX) return -EMSGSIZE;
    }
}

static int say_why(struct wf_websocket *socket, unsigned told, const char *why)
{
    int rc = ws_send_close(socket, told, why, strlen(why));
    if (rc == 0) rc = wf_stream_shutdown(socket->stream);
    return rc == 0 ? discard(socket) : rc;
}

/* A rule is broken: the peer is told which, and nothing of it is looked at any more. */
static int refuse(struct wf_websocket *socket, int code, unsigned told, const char *why)
{
    socket->failed = code;
    wf_ignore(wf_within(socket->close_time, say_why(socket, told, why)));
    return wf_fail(code, "the peer of a WebSocket: %s", why);
}

static int broken_rule(struct wf_websocket *socket, const char *why)
{
    return refuse(socket, -EBADMSG, WF_WEBSOCKET_PROTOCOL, why);
}

static int too_long(struct wf_websocket *socket)
{
    return refuse(socket, -EMSGSIZE, WF_WEBSOCKET_TOO_BIG, "a message is too long");
}

/* The connection ended, or nobody is there: nothing can be said to the peer. */
static int lost(struct wf_websocket *socket, int code)
{
    if (code == -ECANCELED) return code;
    if (code == 0) code = -ECONNRESET;
    ws_note_end(socket, WF_WEBSOCKET_ABNORMAL, "", 0);
    return socket->failed = code;
}

/* ---- Heads ---- */

static const char *mistake_in_control(const struct ws_frame *frame)
{
    if (frame->opcode > WS_PONG) return "a frame of an unknown kind";
    if (!frame->fin) return "a control frame in pieces";
    if (frame->size > WS_CONTROL_MAX) return "a control frame of more than 125 bytes";
    return frame->rsv != 0 ? "a reserved bit in a control frame" : NULL;
}

static const char *mistake_in_data(const struct wf_websocket *socket, const struct ws_frame *frame)
{
    if (frame->opcode > WS_BINARY) return "a frame of an unknown kind";
    if (frame->opcode == WS_CONTINUATION && !socket->in_message) return "a continuation of nothing";
    if (frame->opcode != WS_CONTINUATION && socket->in_message) return "a new message inside of another";
    bool may_compress = socket->deflate.on && frame->opcode != WS_CONTINUATION;
    return (frame->rsv & ~(may_compress ? WS_RSV_COMPRESSED : 0)) != 0 ? "a reserved bit" : NULL;
}

static const char *mistake_in(const struct wf_websocket *socket, const struct ws_frame *frame)
{
    if (frame->masked == socket->client) return socket->client ? "a frame with a mask" : "a frame without a mask";
    return ws_is_control(frame->opcode) ? mistake_in_control(frame) : mistake_in_data(socket, frame);
}

static void begin_message(struct wf_websocket *socket, const struct ws_frame *frame)
{
    socket->in_message = true;
    socket->text = frame->opcode == WS_TEXT;
    socket->compressed = (frame->rsv & WS_RSV_COMPRESSED) != 0;
    socket->utf8 = (struct utf8){0};
    socket->size = 0;
}

/* 1: a frame begins; 0: its head is not whole yet. */
static int take_head(struct wf_websocket *socket)
{
    struct ws_frame *frame = &socket->frame;
    int used = ws_frame_read(socket->own + socket->first, socket->end - socket->first, frame);
    if (used == 0) return 0;
    if (used < 0) return broken_rule(socket, "a size that is not written in the shortest way");
    const char *mistake = mistake_in(socket, frame);
    if (mistake != NULL) return broken_rule(socket, mistake);
    if (!ws_is_control(frame->opcode)) {
        if (frame->opcode != WS_CONTINUATION) begin_message(socket, frame);
        if (frame->size > socket->message_max - socket->size) return too_long(socket);
    }
    socket->first += (size_t)used;
    socket->in_frame = true;
    socket->frame_left = frame->size;
    socket->control_size = 0;
    return 1;
}

/* ---- Payloads ---- */

/* Room for more of the message; what a head announces is believed as far as one piece. */
static int make_room(struct wf_websocket *socket)
{
    if (socket->size < socket->room || socket->frame_left == 0) return 0;
    size_t room = socket->room > 0 ? socket->room * 2 : 128;
    size_t piece = socket->frame_left < PIECE ? (size_t)socket->frame_left : PIECE;
    if (room < socket->size + piece) room = socket->size + piece;
    if (room > socket->message_max) room = socket->message_max;
    char *bytes = wf_memory_resize(socket->bytes, room + 1);
    if (bytes == NULL) return -ENOMEM;
    socket->bytes = bytes;
    socket->room = room;
    return 0;
}

/* So many bytes behind the message so far have come. False: the text is none. */
static bool grow_message(struct wf_websocket *socket, size_t size)
{
    char *bytes = socket->bytes + socket->size;
    if (socket->frame.masked) ws_mask(bytes, size, socket->frame.key, socket->frame.size - socket->frame_left);
    socket->frame_left -= size;
    socket->size += size;
    return !socket->text || socket->compressed || utf8_take(&socket->utf8, bytes, size);
}

static int not_utf8(struct wf_websocket *socket)
{
    return refuse(socket, -EBADMSG, WF_WEBSOCKET_BAD_DATA, "a text that is not UTF-8");
}

static int take_data(struct wf_websocket *socket)
{
    while (socket->frame_left > 0 && socket->first < socket->end) {
        int rc = make_room(socket);
        if (rc < 0) return rc;
        size_t size = socket->end - socket->first;
        if (size > socket->frame_left) size = (size_t)socket->frame_left;
        if (size > socket->room - socket->size) size = socket->room - socket->size;
        memcpy(socket->bytes + socket->size, socket->own + socket->first, size);
        socket->first += size;
        if (!grow_message(socket, size)) return not_utf8(socket);
    }
    return 0;
}

static void take_control(struct wf_websocket *socket)
{
    size_t size = socket->end - socket->first;
    if (size > socket->frame_left) size = (size_t)socket->frame_left;
    memcpy(socket->control + socket->control_size, socket->own + socket->first, size);
    if (socket->frame.masked)
        ws_mask(socket->control + socket->control_size, size, socket->frame.key, socket->control_size);
    socket->first += size;
    socket->frame_left -= size;
    socket->control_size += size;
}

/* ---- Whole frames ---- */

/* The peer says close: it is answered with the same code, unless we said so first. */
static int take_close(struct wf_websocket *socket)
{
    const unsigned char *bytes = (const unsigned char *)socket->control;
    size_t size = socket->control_size;
    if (size == 1) return broken_rule(socket, "a close with half a code");
    unsigned code = size == 0 ? 0 : (unsigned)(bytes[0] << 8 | bytes[1]);
    if (size > 0 && !ws_code_is_good(code)) return broken_rule(socket, "a close with a code that is none");
    const char *reason = size > 2 ? socket->control + 2 : "";
    size_t reason_size = size > 2 ? size - 2 : 0;
    struct utf8 utf8 = {0};
    if (!utf8_take(&utf8, reason, reason_size) || !utf8_may_end(&utf8)) return not_utf8(socket);
    socket->close_came = true;
    ws_note_end(socket, size == 0 ? WF_WEBSOCKET_NO_CODE : code, reason, reason_size);
    return ws_send_close(socket, code, "", 0) == -ECANCELED ? -ECANCELED : 0;
}

static int end_control(struct wf_websocket *socket)
{
    if (socket->frame.opcode == WS_CLOSE) return take_close(socket);
    if (socket->frame.opcode == WS_PONG) return 0;
    memcpy(socket->pong, socket->control, socket->control_size);
    socket->pong_size = socket->control_size;
    socket->pong_due = true;
    return ws_send_pong(socket);
}

static int swell(struct wf_websocket *socket)
{
    char *bytes;
    size_t size;
    int rc = ws_deflate_swell(&socket->deflate, socket->bytes, socket->size, socket->message_max, &bytes, &size);
    if (rc == -EMSGSIZE) return too_long(socket);
    if (rc == -EBADMSG) return refuse(socket, rc, WF_WEBSOCKET_BAD_DATA, "a message that is not deflate");
    if (rc < 0) return refuse(socket, -EIO, WF_WEBSOCKET_FAILED, "no memory for a message");
    wf_memory_free(socket->bytes);
    socket->bytes = bytes;
    socket->room = socket->size = size;
    socket->compressed = false;
    return socket->text && !utf8_take(&socket->utf8, bytes, size) ? not_utf8(socket) : 0;
}

static int end_data(struct wf_websocket *socket)
{
    if (!socket->frame.fin) return 0;
    int rc = socket->compressed ? swell(socket) : 0;
    if (rc == 0 && socket->text && !utf8_may_end(&socket->utf8)) rc = not_utf8(socket);
    if (rc < 0) return rc;
    socket->in_message = false;
    socket->whole = true;
    return 0;
}

/* 1: something of a frame was taken; 0: more has to come. */
static int take_some(struct wf_websocket *socket)
{
    if (!socket->in_frame) return take_head(socket);
    bool control = ws_is_control(socket->frame.opcode);
    int rc = 0;
    if (control) take_control(socket);
    else rc = take_data(socket);
    if (rc < 0 || socket->frame_left > 0) return rc;
    socket->in_frame = false;
    rc = control ? end_control(socket) : end_data(socket);
    return rc < 0 ? rc : 1;
}

/* ---- Waiting ---- */

static ssize_t read_some(struct wf_websocket *socket, char *to, size_t room)
{
    bool idle = !socket->in_message && !socket->in_frame && socket->first == socket->end && !socket->close_sent;
    return idle ? wf_idle(wf_stream_read(socket->stream, to, room)) : wf_stream_read(socket->stream, to, room);
}

/* As read_some; a peer that is still for too long is asked, then given up. */
static ssize_t read_alive(struct wf_websocket *socket, char *to, size_t room)
{
    for (;;) {
        int64_t patience = socket->heartbeat > 0 ? socket->heartbeat : WF_FOREVER;
        ssize_t got = wf_within(patience, read_some(socket, to, room));
        if (got > 0) socket->pinged = false;
        if (got != -ETIME) return got;
        if (socket->pinged) return -ETIMEDOUT;
        int rc = ws_send_ping(socket);
        if (rc < 0) return rc;
        socket->pinged = true;
    }
}

/* Bytes of a large frame go to their place at once, others through the socket's own memory. */
static int fill(struct wf_websocket *socket)
{
    if (socket->first == socket->end) socket->first = socket->end = 0;
    if (socket->end == sizeof socket->own) {
        memmove(socket->own, socket->own + socket->first, socket->end - socket->first);
        socket->end -= socket->first;
        socket->first = 0;
    }
    bool straight = socket->in_frame && !ws_is_control(socket->frame.opcode) && socket->frame_left >= WS_OWN &&
                    socket->first == socket->end;
    int rc = straight ? make_room(socket) : 0;
    if (rc == 0 && socket->pong_due) rc = ws_send_pong(socket);
    if (rc < 0) return rc;
    char *to = straight ? socket->bytes + socket->size : socket->own + socket->end;
    size_t room = straight ? socket->room - socket->size : sizeof socket->own - socket->end;
    if (straight && room > socket->frame_left) room = (size_t)socket->frame_left;
    ssize_t got = read_alive(socket, to, room);
    if (got == -ESHUTDOWN) return -ESHUTDOWN;
    if (got <= 0) return lost(socket, (int)got);
    if (!straight) socket->end += (size_t)got;
    else if (!grow_message(socket, (size_t)got)) return not_utf8(socket);
    return 1;
}

/* The server ends: the peer is told, and has its time to say good-bye. */
static int leave(struct wf_websocket *socket)
{
    int rc = ws_send_close(socket, WF_WEBSOCKET_GOING_AWAY, "", 0);
    if (rc == 0) rc = wf_within(socket->close_time, ws_await_close(socket));
    return rc == -ECANCELED ? rc : 0;
}

static int until_message(struct wf_websocket *socket)
{
    while (!socket->whole) {
        if (socket->failed < 0) return socket->failed;
        if (socket->close_came) return 0;
        int rc = take_some(socket);
        if (rc == 0 && !socket->whole && !socket->close_came) rc = fill(socket);
        if (rc == -ESHUTDOWN) return leave(socket);
        if (rc < 0) return rc;
    }
    return 1;
}

static void drop_message(struct wf_websocket *socket)
{
    wf_memory_free(socket->bytes);
    socket->bytes = NULL;
    socket->size = socket->room = 0;
    socket->whole = false;
}

static int hand_out(struct wf_websocket *socket, struct wf_arena *arena, struct wf_websocket_message *message)
{
    char *copy = wf_arena_alloc(arena, socket->size + 1);
    if (copy == NULL) return -ENOMEM;
    if (socket->size > 0) memcpy(copy, socket->bytes, socket->size);
    copy[socket->size] = '\0';
    *message = (struct wf_websocket_message){socket->text, copy, socket->size};
    drop_message(socket);
    return 1;
}

int wf_websocket_receive(struct wf_websocket *socket, struct wf_arena *arena, struct wf_websocket_message *message)
{
    if (socket->receiving) return -EBUSY;
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    socket->receiving = true;
    rc = until_message(socket);
    if (rc == 1) rc = hand_out(socket, arena, message);
    socket->receiving = false;
    return rc;
}

int ws_await_close(struct wf_websocket *socket)
{
    int rc;
    socket->receiving = true;
    while ((rc = until_message(socket)) == 1) drop_message(socket);
    socket->receiving = false;
    return rc;
}
