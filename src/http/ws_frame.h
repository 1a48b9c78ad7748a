/*
 * Frames of WebSocket (RFC 6455 section 5.2), the same for both sides:
 *
 *     bit  0    fin: the last frame of its message
 *          1-3  reserved; the first says that the message is compressed (RFC 7692)
 *          4-7  opcode
 *          8    masked: what comes from a client is
 *          9-15 size, or 126: two bytes of size follow, or 127: eight
 *     then the four bytes of the mask, then the payload
 */
#ifndef WEFT_HTTP_WS_FRAME_H
#define WEFT_HTTP_WS_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ws_opcode {
    WS_CONTINUATION = 0,
    WS_TEXT = 1,
    WS_BINARY = 2,
    WS_CLOSE = 8,
    WS_PING = 9,
    WS_PONG = 10,
};

enum {
    WS_HEAD_MAX = 14,
    WS_CONTROL_MAX = 125, /* bytes of a control frame's payload */
    WS_RSV_COMPRESSED = 4,
};

struct ws_frame {
    bool fin, masked;
    uint8_t rsv;    /* three bits */
    uint8_t opcode; /* four bits: any number */
    uint64_t size;  /* of the payload */
    unsigned char key[4];
};

static inline bool ws_is_control(unsigned opcode)
{
    return (opcode & 8) != 0;
}

/* The head of a frame: how many bytes it has; 0: some are missing; -EBADMSG: a size that is not written as it must. */
int ws_frame_read(const void *bytes, size_t size, struct ws_frame *frame);

/* Gives how many bytes the head has. */
size_t ws_frame_write(char to[WS_HEAD_MAX], const struct ws_frame *frame);

/* Masks or unmasks; `at` is where in the payload the bytes are. */
void ws_mask(char *bytes, size_t size, const unsigned char key[4], uint64_t at);

/* May a close frame have this code (section 7.4)? */
bool ws_code_is_good(unsigned code);

#endif
