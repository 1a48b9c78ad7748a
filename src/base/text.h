/* Text that is put together piece by piece in memory of a fixed size; what does not fit is left out. */
#ifndef WEFT_BASE_TEXT_H
#define WEFT_BASE_TEXT_H

#include <weft/base.h>

struct text {
    char *bytes; /* terminated from the first piece on */
    size_t room; /* the terminator included */
    size_t size;
};

void text_add(struct text *text, const char *format, ...) WF_PRINTF_(2, 3);

#endif
