/* UTF-8, as the Unicode standard defines it: no overlong forms, no surrogates, nothing past U+10FFFF. */
#ifndef WEFT_BASE_UTF8_H
#define WEFT_BASE_UTF8_H

#include <stddef.h>

/* How many of the first bytes form one character; 0: none do. `size` > 0. */
size_t utf8_character(const char *text, size_t size);

/* What stands for bytes that form none: U+FFFD. */
#define UTF8_REPLACEMENT "\xef\xbf\xbd"

#endif
