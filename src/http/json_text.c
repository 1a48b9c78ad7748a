/* Strings of JSON: scanned eight bytes at a time where they are plain, checked where they are not, then decoded. */
#include <endian.h>
#include <string.h>

#include "http/grammar.h"
#include "base/utf8.h"
#include "http/json.h"

#define EACH_BYTE(byte) (UINT64_C(0x0101010101010101) * (byte))

/* The highest bit of each byte that is 0. Above the lowest such byte it may be wrong, which does not matter: the lowest
 * one is asked for. */
static inline uint64_t zeros(uint64_t word)
{
    return (word - EACH_BYTE(0x01)) & ~word & EACH_BYTE(0x80);
}

/* Likewise, of each byte that is not plain. */
static inline uint64_t specials(uint64_t word)
{
    uint64_t control = (word - EACH_BYTE(0x20)) & ~word;
    return ((control | word) & EACH_BYTE(0x80)) | zeros(word ^ EACH_BYTE('"')) | zeros(word ^ EACH_BYTE('\\'));
}

static inline bool is_plain(unsigned char byte)
{
    return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

const char *json_plain_end(const char *at, const char *end)
{
    uint64_t word;
    for (; (size_t)(end - at) >= sizeof word; at += sizeof word) {
        memcpy(&word, at, sizeof word);
        uint64_t special = specials(le64toh(word));
        if (special != 0) return at + __builtin_ctzll(special) / 8;
    }
    while (at < end && is_plain((unsigned char)*at)) at++;
    return at;
}

/* ---- Escapes ---- */

/* Four digits; -1: they are not there. */
static int32_t code_unit(const char *at, const char *end)
{
    int32_t unit = 0;
    if (end - at < 4) return -1;
    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(at[i]);
        if (digit < 0) return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* What follows "\u": a character, of one unit or two; its digits, and the escape in between, are skipped. -1: none. */
static int32_t escaped_character(const char **at, const char *end)
{
    int32_t unit = code_unit(*at, end);
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff)) return -1;
    *at += 4;
    if (unit < 0xd800 || unit > 0xdfff) return unit;
    if (end - *at < 6 || (*at)[0] != '\\' || (*at)[1] != 'u') return -1;
    int32_t low = code_unit(*at + 2, end);
    if (low < 0xdc00 || low > 0xdfff) return -1;
    *at += 6;
    return 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
}

/* At the byte after the backslash; the byte after the escape, or NULL. */
static const char *escape_end(const char *at, const char *end)
{
    if (at == end) return NULL;
    if (*at == 'u') {
        at++;
        return escaped_character(&at, end) >= 0 ? at : NULL;
    }
    return *at != '\0' && strchr("\"\\/bfnrt", *at) != NULL ? at + 1 : NULL;
}

int json_scan_string(struct wf_json_reader *reader, struct json_slice *slice)
{
    const char *at = reader->next_ + 1, *end = reader->end_;
    *slice = (struct json_slice){.bytes = at};
    for (;;) {
        at = json_plain_end(at, end);
        if (at == end) return json_fault(reader, at, "the text ends inside a string");
        unsigned char byte = (unsigned char)*at;
        if (byte == '"') break;
        if (byte < 0x20) return json_fault(reader, at, "a control character in a string");
        if (byte == '\\') {
            const char *after = escape_end(at + 1, end);
            if (after == NULL) return json_fault(reader, at, "a backslash that begins no escape");
            slice->escaped = true;
            at = after;
        } else {
            size_t size = utf8_character(at, (size_t)(end - at));
            if (size == 0) return json_fault(reader, at, "no UTF-8");
            at += size;
        }
    }
    slice->size = (size_t)(at - slice->bytes);
    reader->next_ = at + 1;
    return 0;
}

/* ---- Decoding ---- */

static char *put_character(char *to, int32_t character)
{
    if (character < 0x80) {
        *to++ = (char)character;
        return to;
    }
    int more = character < 0x800 ? 1 : character < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xc0, 0xe0, 0xf0};
    *to++ = (char)(lead[more] | character >> 6 * more);
    while (more-- > 0) *to++ = (char)(0x80 | (character >> 6 * more & 0x3f));
    return to;
}

static char decoded(char letter)
{
    switch (letter) {
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return letter;
    }
}

int json_decode(struct wf_json_reader *reader, struct json_slice *slice)
{
    if (!slice->escaped) return 0;
    char *text = wf_arena_alloc(reader->arena_, slice->size), *to = text;
    if (text == NULL) return reader->code_ = -ENOMEM;
    const char *at = slice->bytes, *end = at + slice->size;
    while (at < end) {
        const char *backslash = memchr(at, '\\', (size_t)(end - at));
        size_t plain = (size_t)((backslash != NULL ? backslash : end) - at);
        memcpy(to, at, plain);
        to += plain;
        if (backslash == NULL) break;
        at = backslash + 2;
        if (backslash[1] == 'u') to = put_character(to, escaped_character(&at, end));
        else *to++ = decoded(backslash[1]);
    }
    slice->bytes = text;
    slice->size = (size_t)(to - text);
    return 0;
}

char *json_copy(struct wf_arena *arena, const struct json_slice *slice)
{
    char *copy = wf_arena_alloc(arena, slice->size + 1);
    if (copy == NULL) return NULL;
    memcpy(copy, slice->bytes, slice->size);
    copy[slice->size] = '\0';
    return copy;
}
