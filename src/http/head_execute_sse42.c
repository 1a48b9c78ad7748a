/*
 * llhttp looks at 16 bytes of a value at once where it may use SSE 4.2, which is decided when it is compiled and not
 * every x86-64 has. So it is compiled twice; its states are the same in both.
 */
#include "http/head_execute.h"

int llhttp_execute_sse42(llhttp_t *llhttp, const char *bytes, const char *end);

llhttp_errno_t head_execute(llhttp_t *llhttp, const char *bytes, size_t size)
{
    if (!__builtin_cpu_supports("sse4.2")) return llhttp_execute(llhttp, bytes, size);
    return (llhttp_errno_t)llhttp_execute_sse42(llhttp, bytes, bytes + size);
}
