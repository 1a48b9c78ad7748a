/*
 * The ranges of RFC 3629 section 4: only the second byte of a character has bounds of its own, which leave out what is
 * longer than needed, the surrogates, and what is past U+10FFFF.
 */
#include "http/utf8.h"

#include <stdint.h>
#include <string.h>

enum { REFUSED = 255 };

/* A byte over 127 that begins a character. False: none does so. */
static bool begin(struct utf8 *utf8, unsigned char byte)
{
    utf8->low = 0x80;
    utf8->high = 0xbf;
    if (byte < 0xc2 || byte > 0xf4) return false;
    utf8->left = byte < 0xe0 ? 1 : byte < 0xf0 ? 2 : 3;
    if (byte == 0xe0) utf8->low = 0xa0;
    if (byte == 0xed) utf8->high = 0x9f;
    if (byte == 0xf0) utf8->low = 0x90;
    if (byte == 0xf4) utf8->high = 0x8f;
    return true;
}

static bool go_on(struct utf8 *utf8, unsigned char byte)
{
    if (byte < utf8->low || byte > utf8->high) return false;
    utf8->low = 0x80;
    utf8->high = 0xbf;
    utf8->left--;
    return true;
}

/* How many of the bytes, in words, are below 128. */
static size_t plain(const char *bytes, size_t size)
{
    size_t at = 0;
    for (uint64_t word; at + sizeof word <= size; at += sizeof word) {
        memcpy(&word, bytes + at, sizeof word);
        if (word & UINT64_C(0x8080808080808080)) break;
    }
    return at;
}

bool utf8_take(struct utf8 *utf8, const char *bytes, size_t size)
{
    if (utf8->left == REFUSED) return false;
    for (size_t at = 0; at < size; at++) {
        if (utf8->left == 0) at += plain(bytes + at, size - at);
        if (at == size) break;
        unsigned char byte = (unsigned char)bytes[at];
        bool good = utf8->left > 0 ? go_on(utf8, byte) : byte < 0x80 || begin(utf8, byte);
        if (good) continue;
        utf8->left = REFUSED;
        return false;
    }
    return true;
}
