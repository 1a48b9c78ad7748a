/*
 * What a client says over a WebSocket, whole and in the pieces that the input chooses: the same messages come out, the
 * same end is told. A text is UTF-8 by another reader's word, and nothing is longer than it may be.
 */
#include <string.h>
#include <weft/sim.h>
#include <weft/weft.h>

#include "base/utf8.h" /* another reader of it */
#include "fuzz.h"
#include "http/websocket.h" /* no handshake: the bytes are frames at once */

enum { MESSAGE_MAX = 300, HASH = 31 };

struct outcome {
    uint64_t hash; /* of all messages */
    unsigned messages, code;
    int result;
};

struct talk {
    const uint8_t *bytes;
    size_t size;
    unsigned step; /* 0: whole */
    bool deflate;
    struct wf_stream *near, *far;
    struct outcome outcome;
};

static void note(struct outcome *outcome, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) outcome->hash = outcome->hash * HASH + ((const uint8_t *)bytes)[i] + 1;
    outcome->messages++;
}

static void check(const struct wf_websocket_message *message)
{
    CLAIM(message->size <= MESSAGE_MAX && message->bytes[message->size] == '\0');
    for (size_t at = 0; message->text && at < message->size;) {
        size_t one = utf8_character(message->bytes + at, message->size - at);
        CLAIM(one > 0);
        at += one;
    }
}

static int receive_all(struct talk *talk)
{
    static const struct wf_websocket_options options = {.message_max = MESSAGE_MAX, .heartbeat = -1};
    struct wf_websocket socket;
    struct wf_websocket_message message;
    ws_init(&socket, talk->far, &options);
    socket.deflate.on = talk->deflate;
    socket.deflate.window_bits = 15;
    struct wf_arena arena;
    wf_arena_init(&arena);
    int rc;
    while ((rc = wf_websocket_receive(&socket, &arena, &message)) > 0) {
        check(&message);
        note(&talk->outcome, message.bytes, message.size);
        wf_arena_reset(&arena);
    }
    talk->outcome.result = rc;
    talk->outcome.code = wf_websocket_code(&socket);
    CLAIM(talk->outcome.code != 0);
    wf_arena_finish(&arena);
    ws_finish(&socket);
    return 0;
}

static int swallow(struct talk *talk)
{
    char buffer[256];
    ssize_t got;
    while ((got = wf_stream_read(talk->near, buffer, sizeof buffer)) > 0) continue;
    return (int)got;
}

static int talk(struct talk *talk)
{
    int rc = wf_stream_pair(65536, &talk->near, &talk->far);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, receive_all, talk);
    wf_spawn(&scope, swallow, talk);
    size_t step = talk->step > 0 ? talk->step : talk->size;
    for (size_t at = 0; at < talk->size && rc == 0; at += step) {
        rc = wf_stream_write_all(talk->near, talk->bytes + at, talk->size - at < step ? talk->size - at : step, NULL);
        if (rc == 0) rc = wf_yield();
    }
    if (rc == 0) rc = wf_stream_shutdown(talk->near);
    rc = wf_scope_end(&scope, rc == -EPIPE ? 0 : rc);
    wf_stream_close(talk->near);
    return rc;
}

static struct outcome run(const uint8_t *bytes, size_t size, unsigned step, bool deflate)
{
    struct talk one = {.bytes = bytes, .size = size, .step = step, .deflate = deflate};
    CLAIM(wf_run(talk, &one, .driver = "sim") == 0);
    return one.outcome;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    if (size < 2 || size > 4096) return 0;
    bool deflate = (bytes[0] & 1) != 0;
    struct outcome whole = run(bytes + 2, size - 2, 0, deflate);
    struct outcome pieces = run(bytes + 2, size - 2, 1 + (unsigned)bytes[1] % 64, deflate);
    CLAIM(whole.hash == pieces.hash && whole.messages == pieces.messages);
    CLAIM(whole.code == pieces.code && whole.result == pieces.result);
    return 0;
}
