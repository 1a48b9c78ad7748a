/* Bytes as the text of a C string literal, and back. */
#ifndef WEFT_TESTING_ESCAPE_H
#define WEFT_TESTING_ESCAPE_H

#include <sys/types.h>

/*
 * Writes as many of the bytes as have room, escaped, and a zero byte. Returns how many. What it writes may stand
 * between the quotes of a literal in a C program, whatever follows it.
 */
size_t escape(char *text, size_t room, const void *bytes, size_t size);

/*
 * Reads the text of a literal up to its closing quote into `bytes`, which has room for as many as the text has
 * characters. Returns how many came of it, and moves `*text` past the quote; -EINVAL for an escape that C does not know
 * or where there is no closing quote.
 */
ssize_t unescape(const char **text, void *bytes);

#endif
