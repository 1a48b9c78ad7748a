/* Octal escapes always have three digits, so that a digit may follow; hexadecimal ones are read, at most two digits. */
#include "testing/escape.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { ESCAPE_MAX = 4 }; /* characters that one byte may need */

static const char letters[] = "abfnrtv\"\\";
static const char meanings[] = "\a\b\f\n\r\t\v\"\\";

/* ---- Bytes to text ---- */

static size_t escape_one(char *text, unsigned char byte)
{
    const char *special = byte != 0 ? strchr(meanings, byte) : NULL;
    if (special != NULL) {
        text[0] = '\\';
        text[1] = letters[special - meanings];
        return 2;
    }
    if (byte < ' ' || byte > '~') return (size_t)snprintf(text, ESCAPE_MAX + 1, "\\%03o", byte);
    text[0] = (char)byte;
    return 1;
}

size_t escape(char *text, size_t room, const void *bytes, size_t size)
{
    size_t used = 0, done = 0;
    for (; done < size && used + ESCAPE_MAX < room; done++)
        used += escape_one(text + used, ((const unsigned char *)bytes)[done]);
    text[used] = '\0';
    return done;
}

/* ---- Text to bytes ---- */

static int digit(char character, int base)
{
    int value = -1;
    if (character >= '0' && character <= '9') value = character - '0';
    else if (character >= 'a' && character <= 'f') value = character - 'a' + 10;
    else if (character >= 'A' && character <= 'F') value = character - 'A' + 10;
    return value < base ? value : -1;
}

/* Gives the byte, or a negative code. */
static int number(const char **text, int base, int digits_max)
{
    int value = digit(**text, base);
    if (value < 0) return -EINVAL;
    for (int digits = 1; digits < digits_max; digits++) {
        int next = digit((*text)[1], base);
        if (next < 0) break;
        value = value * base + next;
        (*text)++;
    }
    (*text)++;
    return value <= UINT8_MAX ? value : -EINVAL;
}

static int unescape_one(const char **text)
{
    char character = *(*text)++;
    if (character == 'x') return number(text, 16, 2);
    if (digit(character, 8) >= 0) {
        (*text)--;
        return number(text, 8, 3);
    }
    if (character == '\'' || character == '?') return character;
    const char *letter = character != '\0' ? strchr(letters, character) : NULL;
    return letter != NULL ? meanings[letter - letters] : -EINVAL;
}

ssize_t unescape(const char **text, void *bytes)
{
    unsigned char *next = bytes;
    while (**text != '"') {
        int byte = (unsigned char)*(*text)++;
        if (byte == '\\') byte = unescape_one(text);
        else if (byte < ' ') byte = -EINVAL; /* the end of the text or of the line */
        if (byte < 0) return byte;
        *next++ = (unsigned char)byte;
    }
    (*text)++;
    return next - (unsigned char *)bytes;
}
