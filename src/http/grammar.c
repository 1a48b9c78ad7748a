/* Tokens, values and percent-encoding. */
#include "http/grammar.h"

#include <string.h>
#include <strings.h>

/* Bit n of word n/64: character n is one of a token. */
static const unsigned long long token_characters[4] = {0x03ff6cfa00000000, 0x57ffffffc7fffffe, 0, 0};

bool is_token_character(char character)
{
    unsigned char byte = (unsigned char)character;
    return (token_characters[byte / 64] >> (byte % 64)) & 1;
}

bool is_token(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!is_token_character(text[i])) return false;
    return size > 0;
}

bool is_field_value(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)text[i];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f) return false;
    }
    return true;
}

bool is_authority(const char *text)
{
    static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~%!$&'()*+,;=:[]";
    return text[strspn(text, allowed)] == '\0';
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

static int hex_digit(char character)
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
