/* Tokens, values and percent-encoding. */
#include "http/grammar.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

/* Bit n of word n/64: character n is in the set. */
static bool in_set(const uint64_t set[4], char character)
{
    unsigned char byte = (unsigned char)character;
    return (set[byte / 64] >> (byte % 64)) & 1;
}

bool is_token_character(char character)
{
    static const uint64_t characters[4] = {0x03ff6cfa00000000, 0x57ffffffc7fffffe, 0, 0};
    return in_set(characters, character);
}

bool is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!is_token_character(text[i])) return false;
    return size > 0;
}

/* Is there a byte under 32, or 127, among these eight? Perhaps a tab; nothing else is mistaken for one. */
static bool may_have_control(uint64_t eight)
{
    const uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
    uint64_t low = (eight - ones * 0x20) & ~eight & high;
    uint64_t deleted = eight ^ ones * 0x7f;
    return (low | ((deleted - ones) & ~deleted & high)) != 0;
}

static bool has_control(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return true;
    }
    return false;
}

static bool eight_are_fine(const char *text)
{
    uint64_t eight;
    memcpy(&eight, text, 8);
    return !may_have_control(eight) || !has_control(text, 8);
}

bool is_field_value(const char *text, size_t size)
{
    if (size < 8) return !has_control(text, size);
    for (size_t at = 0; at + 8 < size; at += 8)
        if (!eight_are_fine(text + at)) return false;
    return eight_are_fine(text + size - 8); /* some of them once more */
}

bool is_authority(const char *text, size_t size)
{
    static const bool allowed[256] = {
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
        0, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 0,
        0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 1, 0, 1,
        0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 0,
    };
    bool all = true;
#pragma GCC unroll 4
    for (size_t i = 0; i < size; i++) all &= allowed[(unsigned char)text[i]];
    return all;
}

bool list_has_token(const char *list, const char *token)
{
    size_t wanted = strlen(token);
    while (*list != '\0') {
        list += strspn(list, " \t,");
        size_t size = strcspn(list, " \t,;");
        if (size == wanted && strncasecmp(list, token, size) == 0) return true;
        list += strcspn(list, ",");
    }
    return false;
}

int hex_digit(char character)
{
    if (character >= '0' && character <= '9') return character - '0';
    character = (char)(character | 0x20);
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* The byte that "%xx" stands for; -1: it is no such thing. */
static int decoded_byte(const char *text, size_t size)
{
    if (size < 3) return -1;
    int high = hex_digit(text[1]), low = hex_digit(text[2]);
    return high < 0 || low < 0 || (high | low) == 0 ? -1 : high * 16 + low;
}

bool is_percent_encoded(const char *text, size_t size)
{
    const char *end = text + size, *at = text;
    while (at < end && (at = memchr(at, '%', (size_t)(end - at))) != NULL) {
        if (decoded_byte(at, (size_t)(end - at)) < 0) return false;
        at += 3;
    }
    return true;
}

long percent_decode(char *text, size_t size, bool plus)
{
    size_t to = 0;
    for (size_t from = 0; from < size; from++) {
        char byte = text[from];
        if (byte == '%') {
            int decoded = decoded_byte(text + from, size - from);
            if (decoded < 0) return -1;
            byte = (char)decoded;
            from += 2;
        } else if (byte == '+' && plus) {
            byte = ' ';
        }
        text[to++] = byte;
    }
    text[to] = '\0';
    return (long)to;
}
