/* An app that echoes messages, a client that says frames, and what it hears as a text. */
#include "ws_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/task.h>
#include <weft/testing.h>

#include "http/ws_frame.h" /* frames are said and read one by one */

#define UPGRADE                                                                                                        \
    "GET /echo HTTP/1.1\r\nHost: a.example\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"               \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"

const char good_handshake[] = UPGRADE "\r\n";
const char deflate_handshake[] = UPGRADE "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";

enum { BYTES_MAX = 1 << 18 };

struct rig {
    const struct wf_websocket_options *options;
    struct heard *heard;
};

/* ---- The server ---- */

static int echo_all(struct rig *rig, struct wf_websocket *socket)
{
    struct wf_websocket_message message;
    struct wf_arena arena;
    wf_arena_init(&arena);
    int rc;
    while ((rc = wf_websocket_receive(socket, &arena, &message)) > 0) {
        rig->heard->messages++;
        rc = wf_websocket_send(socket, &message);
        if (rc < 0) break;
        wf_arena_reset(&arena);
    }
    wf_arena_finish(&arena);
    return rc;
}

static int echo(struct wf_request *request)
{
    struct rig *rig = wf_request_state(request);
    struct heard *heard = rig->heard;
    struct wf_websocket *socket;
    struct wf_websocket_options options = *rig->options;
    options.out_ = &socket;
    heard->outcome = wf_websocket_accept_(request, &options);
    if (heard->outcome < 0) return heard->outcome;
    heard->outcome = echo_all(rig, socket);
    heard->code = wf_websocket_code(socket);
    snprintf(heard->reason, sizeof heard->reason, "%s", wf_websocket_reason(socket));
    return heard->outcome;
}

/* ---- The client ---- */

static size_t put_frame(char *to, const struct said *said)
{
    static const unsigned char key[4] = {0x37, 0xfa, 0x21, 0x3d};
    size_t size = said->size;
    struct ws_frame frame = {
        .fin = said->first >> 7 != 0,
        .rsv = (uint8_t)(said->first >> 4 & 7),
        .opcode = said->first & 15,
        .masked = !said->unmasked,
        .size = size,
    };
    memcpy(frame.key, key, sizeof key);
    size_t head = said->raw ? 0 : ws_frame_write(to, &frame);
    if (size > 0) memcpy(to + head, said->payload, size);
    if (!said->raw && !said->unmasked) ws_mask(to + head, size, key, 0);
    return head + size;
}

static size_t put_payload(char *to, const char *bytes, size_t size, unsigned opcode)
{
    if (opcode == WS_CLOSE && size >= 2) {
        int code = (unsigned char)bytes[0] << 8 | (unsigned char)bytes[1];
        return (size_t)sprintf(to, "%d%s%.*s", code, size > 2 ? " " : "", (int)size - 2, bytes + 2);
    }
    if (size > 200) return (size_t)sprintf(to, "%zu bytes", size);
    memcpy(to, bytes, size);
    return size;
}

static const char *name_of(unsigned opcode)
{
    static const char *const names[16] = {"more", "text", "binary", [8] = "close", "ping", "pong"};
    return names[opcode] != NULL ? names[opcode] : "?";
}

static void note_frames(struct heard *heard, const char *bytes, size_t size)
{
    struct ws_frame frame;
    size_t to = 0;
    while (size > 0 && to < HEARD_MAX - 300) {
        int head = ws_frame_read(bytes, size, &frame);
        if (head <= 0 || frame.size > size - (size_t)head) {
            sprintf(heard->frames + to, "cut");
            return;
        }
        to += (size_t)sprintf(heard->frames + to, "%s%s%s%s(", to > 0 ? " " : "", frame.masked ? "masked " : "",
                              frame.rsv != 0 ? "squeezed " : "", name_of(frame.opcode));
        to += put_payload(heard->frames + to, bytes + head, (size_t)frame.size, frame.opcode);
        to += (size_t)sprintf(heard->frames + to, ")");
        bytes += (size_t)head + frame.size;
        size -= (size_t)head + frame.size;
    }
}

static void note_answer(struct heard *heard, const struct exchange_log *log)
{
    heard->served = log->served;
    if (log->size == 0) return;
    heard->head = log->bytes;
    const char *end = strstr(heard->head, "\r\n\r\n");
    if (end == NULL) return;
    heard->status = atoi(heard->head + 9);
    if (heard->status != 101) return;
    size_t head = (size_t)(end + 4 - log->bytes);
    note_frames(heard, log->bytes + head, log->size - head);
}

void speak_with(struct heard *heard, const char *handshake, const struct said *said,
                const struct wf_websocket_options *options, bool one_by_one)
{
    *heard = (struct heard){.head = ""};
    struct rig rig = {options, heard};
    struct wf_app app = {.title = "rig", .state = &rig};
    wf_route(&app, WF_GET, "/echo", echo);
    char *bytes = wf_arena_alloc(wf_task_arena(), BYTES_MAX);
    if (bytes == NULL) return wf_app_finish(&app);
    size_t size = 0;
    while (said != NULL && said->payload != NULL) size += put_frame(bytes + size, said++);
    struct pieces pieces = {.bytes = {handshake, bytes},
                            .sizes = {strlen(handshake), size},
                            .count = 2,
                            .one_by_one = one_by_one};
    struct exchange_log log;
    talk_to(&log, &pieces, &app);
    note_answer(heard, &log);
    wf_app_finish(&app);
}

void speak(struct heard *heard, const struct said *said, const struct wf_websocket_options *options, bool one_by_one)
{
    speak_with(heard, good_handshake, said, options, one_by_one);
}
