/* llhttp as it was compiled. */
#include "http/head_execute.h"

llhttp_errno_t head_execute(llhttp_t *llhttp, const char *bytes, size_t size)
{
    return llhttp_execute(llhttp, bytes, size);
}
