/* A client of WebSocket that says frames, right or wrong ones, and notes what it is answered. */
#ifndef WEFT_TESTS_HTTP_WS_RIG_H
#define WEFT_TESTS_HTTP_WS_RIG_H

#include <weft/websocket.h>

#include "rig.h"

struct said {
    unsigned first; /* byte: 0x81 is a whole text */
    const char *payload;
    size_t size;
    bool unmasked;
    bool raw; /* the payload is all: no head */
};

enum { SAID_MAX = 12, HEARD_MAX = 1536 };

struct heard {
    char frames[HEARD_MAX]; /* "text(hello) pong() close(1000)"; of a payload over 200 bytes the size */
    const char *head;       /* of the answer to the handshake */
    int status;
    int served; /* what serving gave */
    /* What the handler saw */
    int outcome;
    unsigned code;
    char reason[128];
    unsigned messages;
};

/* The handshake, these frames until one without a payload, and the end of the client's side. The app
 * echoes, by these options. */
void speak(struct heard *heard, const struct said *said, const struct wf_websocket_options *options, bool one_by_one);

/* The same with fields of one's own in the handshake: NULL: those of a good one. */
void speak_with(struct heard *heard, const char *handshake, const struct said *said,
                const struct wf_websocket_options *options, bool one_by_one);

extern const char good_handshake[], deflate_handshake[];

/* A frame that begins with this byte, and one that is nothing but these bytes. */
#define SAY(byte, text)                                                                                                \
    {                                                                                                                  \
        .first = (byte), .payload = (text), .size = sizeof(text) - 1                                                   \
    }
#define RAW(text)                                                                                                      \
    {                                                                                                                  \
        .payload = (text), .size = sizeof(text) - 1, .raw = true                                                       \
    }

#define WS_OPTIONS(...) (&(struct wf_websocket_options){.size = sizeof(struct wf_websocket_options), __VA_ARGS__})

#endif
