/* The small grammar that all of HTTP is made of (RFC 9110 section 5.6). */
#ifndef WEFT_HTTP_GRAMMAR_H
#define WEFT_HTTP_GRAMMAR_H

#include <stdbool.h>
#include <stddef.h>

/* tchar of section 5.6.2. */
bool is_token_character(char character);
/* At least one of them, and nothing else. */
bool is_token(const char *text, size_t size);

/* No control characters but tabs; bytes over 127 are opaque (section 5.5). */
bool is_field_value(const char *text, size_t size);

/* What a hexadecimal digit stands for; -1: it is none. */
int hex_digit(char character);

/* Only characters that a host with a port is made of (RFC 3986 section 3.2), perhaps none. */
bool is_authority(const char *text, size_t size);

/* Is the token, whatever its case, in a list by commas? Parameters after a semicolon are not looked at. */
bool list_has_token(const char *list, const char *token);

/*
 * Decodes "%41" in place, and "+" into a space where `plus`, and terminates the text. Gives the new size; -1 for a "%"
 * that begins nothing, and for "%00".
 */
long percent_decode(char *text, size_t size, bool plus);

/* Would percent_decode take it? */
bool is_percent_encoded(const char *text, size_t size);

#endif
