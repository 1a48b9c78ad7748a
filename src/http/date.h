/* Dates of HTTP (RFC 9110 section 5.6.7). */
#ifndef WEFT_HTTP_DATE_H
#define WEFT_HTTP_DATE_H

#include <time.h>

enum { DATE_TEXT = 30 };

/* "Sun, 06 Nov 1994 08:49:37 GMT" */
void date_write(char text[DATE_TEXT], time_t date);

/* That, and the two forms that are obsolete. -1: it is none. */
time_t date_read(const char *text);

#endif
