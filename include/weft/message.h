/*
 * What every HTTP message has, on both sides and in every version: methods, statuses, fields.
 *
 *     wf_headers_add(fields, arena, "Retry-After", "120");
 *     const char *type = wf_headers_find(fields, "content-type");
 *
 * Threads: an object belongs to one loop; the names may be asked for anywhere.
 */
#ifndef WEFT_MESSAGE_H
#define WEFT_MESSAGE_H

#include <weft/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

/* RFC 9110 section 9, and PATCH of RFC 5789. */
enum wf_method {
    WF_GET,
    WF_HEAD,
    WF_POST,
    WF_PUT,
    WF_DELETE,
    WF_CONNECT,
    WF_OPTIONS,
    WF_METHOD_TRACE,
    WF_PATCH,
    WF_METHODS, /* how many there are */
};

/* "GET"; NULL for what is none. Suspends: never. Owns: a static string. Threads: any. */
WF_API const char *wf_method_name(enum wf_method method);

/* The method of that name, which is case-sensitive. Suspends: never. Errors: -EINVAL for any other. Threads: any. */
WF_API int wf_method_parse(const char *name, size_t size);

/* "Not Found" for 404 (RFC 9110 section 15); "" for one without a name. Suspends: never. Owns: a static string.
 * Threads: any. */
WF_API const char *wf_status_reason(int status);

/* A field of a message. Both texts are terminated; a value has no spaces around it. */
struct wf_header {
    const char *name, *value;
    uint32_t name_size, value_size;
};

/* Fields, in the order of the message. All zero: none. */
struct wf_headers {
    struct wf_header *list;
    uint32_t count, room_;
};

enum { WF_HEADERS_MAX = 1000 }; /* that may be added */

/*
 * Adds a field; name and value are copied into the arena.
 * Suspends: never. Errors: -EINVAL for a name that is no token, or a value with a control character (RFC 9110
 * section 5.5), which could end the field early; -ENOMEM; -E2BIG for more than WF_HEADERS_MAX.
 */
WF_API int wf_headers_add(struct wf_headers *fields, struct wf_arena *arena, const char *name, const char *value);

/* The value of the first field with that name, whatever its case; NULL: there is none. Suspends: never. */
WF_API const char *wf_headers_find(const struct wf_headers *fields, const char *name);

/* The next one after `*after` (0 to begin with), which is advanced; NULL: no more. Suspends: never. */
WF_API const char *wf_headers_next(const struct wf_headers *fields, const char *name, uint32_t *after);

/* Is `token` in the list that the fields of that name make together ("Connection: close, te")? Tokens are compared
 * without case. Suspends: never. */
WF_API bool wf_headers_have_token(const struct wf_headers *fields, const char *name, const char *token);

#ifdef __cplusplus
}
#endif
#endif
