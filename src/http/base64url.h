/* base64url (RFC 4648 section 5), without padding. */
#ifndef WEFT_HTTP_BASE64URL_H
#define WEFT_HTTP_BASE64URL_H

#include <weft/arena.h>

/* NULL: out of memory. */
char *base64url_encode(struct wf_arena *arena, const void *bytes, size_t size);

/* What it stands for, and a zero behind; `count` may be NULL. NULL: it is none, or there is no memory. */
char *base64url_decode(struct wf_arena *arena, const char *text, size_t size, size_t *count);

#endif
