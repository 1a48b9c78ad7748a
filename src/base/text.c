/* Text that is put together piece by piece. */
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>

void text_add(struct text *text, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    size_t room = text->room - text->size;
    int more = vsnprintf(text->bytes + text->size, room, format, arguments);
    va_end(arguments);
    if (more > 0) text->size += (size_t)more < room ? (size_t)more : room - 1;
}
