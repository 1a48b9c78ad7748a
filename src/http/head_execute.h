/* llhttp, the way this processor runs it best; meson picks the file. */
#ifndef WEFT_HTTP_HEAD_EXECUTE_H
#define WEFT_HTTP_HEAD_EXECUTE_H

#include <llhttp.h>

llhttp_errno_t head_execute(llhttp_t *llhttp, const char *bytes, size_t size);

#endif
