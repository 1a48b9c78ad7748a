/*
 * URLs (RFC 3986), of which HTTP needs the absolute ones.
 *
 *     struct wf_url url;
 *     int rc = wf_url_parse("https://user@example.org:8443/a%20b?x=1#top", arena, &url);
 *     // url.scheme "https", .host "example.org", .port 8443, .target "/a%20b?x=1", .user "user", .fragment "top"
 *     const char *next;
 *     rc = wf_url_join("https://example.org/a/b", "../c", arena, &next);      // "https://example.org/c"
 *
 * Spaces, bytes over 127 and what else has to be encoded, but "%" itself, is encoded as it is read; control characters
 * are refused. Threads: any, with an arena that is not used elsewhere meanwhile.
 */
#ifndef WEFT_URL_H
#define WEFT_URL_H

#include <weft/arena.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { WF_URL_MAX = 65536 }; /* bytes of a URL */

/* All texts lie in the arena, and are as they stand in the URL, but for what is said here. */
struct wf_url {
    const char *text;            /* the whole, without user, password and fragment: what may be shown */
    const char *scheme;          /* in small letters */
    const char *user, *password; /* decoded; NULL: none */
    const char *host;            /* in small letters; an IPv6 address without its brackets */
    uint16_t port;               /* default: 80, 443; 0 for schemes that have none */
    const char *authority;       /* host and port as a Host field has them: the port only where it is not the default */
    const char *target;          /* path and query: "/", "/a?b" */
    const char *fragment;        /* NULL: none */
};

/*
 * Takes a URL apart; "ws" and "wss" have the ports of "http" and "https".
 * Suspends: never. Errors: -EINVAL, with a message, for what is no absolute URL with a host; -ENAMETOOLONG; -ENOMEM.
 */
WF_API int wf_url_parse(const char *text, struct wf_arena *arena, struct wf_url *url);

/*
 * What a reference ("../c", "?page=2", "//other/", a whole URL) means inside a document (RFC 3986 section 5.2).
 * Suspends: never. Errors: as wf_url_parse, for either of the two.
 */
WF_API int wf_url_join(const char *base, const char *reference, struct wf_arena *arena, const char **joined);

/*
 * A text with everything encoded but letters, digits and "-._~" (RFC 3986 section 2.3): as a segment of a path, or as a
 * name or value in a query. Suspends: never. Errors: NULL when out of memory.
 */
WF_API const char *wf_url_encode(const char *text, struct wf_arena *arena);

#ifdef __cplusplus
}
#endif
#endif
