/* Heads of frames, masks, codes. */
#include "http/ws_frame.h"

#include <errno.h>
#include <string.h>

/* The size in the shortest form that it fits into: a longer one is a mistake. */
static int read_size(const unsigned char *bytes, size_t size, struct ws_frame *frame)
{
    unsigned form = bytes[1] & 0x7f, more = form == 126 ? 2 : form == 127 ? 8 : 0;
    if (size < 2 + more) return 0;
    frame->size = more == 0 ? form : 0;
    for (unsigned i = 0; i < more; i++) frame->size = frame->size << 8 | bytes[2 + i];
    if (frame->size >> 63 != 0) return -EBADMSG;
    if ((more == 2 && frame->size < 126) || (more == 8 && frame->size <= 0xffff)) return -EBADMSG;
    return (int)(2 + more);
}

int ws_frame_read(const void *bytes, size_t size, struct ws_frame *frame)
{
    const unsigned char *byte = bytes;
    if (size < 2) return 0;
    frame->fin = byte[0] >> 7 != 0;
    frame->rsv = byte[0] >> 4 & 7;
    frame->opcode = byte[0] & 15;
    frame->masked = byte[1] >> 7 != 0;
    int used = read_size(byte, size, frame);
    if (used <= 0 || !frame->masked) return used;
    if (size < (size_t)used + 4) return 0;
    memcpy(frame->key, byte + used, 4);
    return used + 4;
}

size_t ws_frame_write(char to[WS_HEAD_MAX], const struct ws_frame *frame)
{
    unsigned more = frame->size < 126 ? 0 : frame->size <= 0xffff ? 2 : 8;
    unsigned form = more == 0 ? (unsigned)frame->size : more == 2 ? 126 : 127;
    to[0] = (char)((frame->fin ? 0x80 : 0) | (frame->rsv << 4) | frame->opcode);
    to[1] = (char)((frame->masked ? 0x80 : 0) | (int)form);
    for (unsigned i = 0; i < more; i++) to[2 + i] = (char)(frame->size >> (8 * (more - 1 - i)));
    size_t used = 2 + more;
    if (!frame->masked) return used;
    memcpy(to + used, frame->key, 4);
    return used + 4;
}

void ws_mask(char *bytes, size_t size, const unsigned char key[4], uint64_t at)
{
    unsigned char turned[8];
    for (unsigned i = 0; i < 8; i++) turned[i] = key[(at + i) % 4];
    uint64_t mask, word;
    memcpy(&mask, turned, sizeof mask);
    size_t done = 0;
    for (; done + sizeof word <= size; done += sizeof word) {
        memcpy(&word, bytes + done, sizeof word);
        word ^= mask;
        memcpy(bytes + done, &word, sizeof word);
    }
    for (; done < size; done++) bytes[done] = (char)(bytes[done] ^ turned[done % 8]);
}

/* 1004 means nothing yet; 1005, 1006 and 1015 are never sent; 1012 to 1014 were registered later. */
bool ws_code_is_good(unsigned code)
{
    if (code >= 3000) return code <= 4999;
    return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014);
}
