/* Walking over what a line of the log carries by itself. */
#ifndef WEFT_OBSERVE_CONTEXT_H
#define WEFT_OBSERVE_CONTEXT_H

#include <weft/context.h>

/* The key that requests are bound to. */
extern const struct wf_local request_local;

/* The next value of a request, newest first; NULL `value` begins, NULL ends. Threads: any that belongs to it. */
const struct wf_request_value_ *request_value_next(const struct wf_request_context *request,
                                                   const struct wf_request_value_ *value);
const struct wf_field *request_value_field(const struct wf_request_value_ *value);

/* Lower-case hexadecimal digits, with a final zero. */
void hex_write(const uint8_t *bytes, size_t size, char *text);

#endif
