/* The cookies of a client (RFC 6265, and what its successor draft-ietf-httpbis-rfc6265bis adds). */
#ifndef WEFT_CLIENT_COOKIES_H
#define WEFT_CLIENT_COOKIES_H

#include <stdbool.h>
#include <stdint.h>
#include <weft/arena.h>
#include <weft/url.h>

struct jar;

enum {
    COOKIES_MAX = 3000,          /* in a jar */
    COOKIES_OF_DOMAIN = 50,      /* of them for one domain */
    COOKIE_SIZE_MAX = 4096,      /* bytes of name and value */
    COOKIE_ATTRIBUTE_MAX = 1024, /* bytes of an attribute's value; longer ones are not seen */
};

/* What a Set-Cookie says, and what is kept of it. */
struct cookie {
    struct cookie *next; /* in its bucket of the jar */
    const char *name, *value;
    const char *domain, *path; /* the domain in small letters, without a dot before it */
    int64_t expires;           /* by the wall clock; INT64_MAX: it ends with the client */
    uint64_t created, used;    /* when, in turns of the jar */
    bool host_only, secure, http_only;
};

/* ---- cookie_read.c ---- */

/* Reads a Set-Cookie that came from that URL; its texts lie in the arena. NULL, or why it is none; out of memory too.
 */
const char *cookie_read(const struct wf_url *url, const char *text, int64_t now, struct wf_arena *arena,
                        struct cookie *cookie);

/* Is the name free of what its prefix forbids? */
bool cookie_keeps_prefix(const struct cookie *cookie, bool has_path);

/* A date of a cookie (RFC 6265 section 5.1.1), in seconds since 1970; false: it is none. */
bool cookie_date(const char *text, int64_t *seconds);

/* May a cookie for that domain be sent to the host? */
bool cookie_domain_matches(const char *host, const char *domain);

/* ---- cookies.c ---- */

/* NULL: out of memory. */
struct jar *jar_create(void);
void jar_destroy(struct jar *jar); /* NULL is ignored */

/* Keeps a copy, instead of one of the same name, domain and path; one that has expired is taken out. -ENOMEM. */
int jar_keep(struct jar *jar, const struct cookie *cookie, int64_t now);

/* Would it hide, or replace, one that came over TLS? What comes without must not. */
bool jar_is_guarded(const struct jar *jar, const struct cookie *cookie);

/* Those for a URL, in the order in which they are sent; the array lies in the arena, the cookies in the jar. -ENOMEM.
 */
int jar_find(struct jar *jar, const struct wf_url *url, int64_t now, struct wf_arena *arena, struct cookie ***found,
             size_t *count);

/* Those of a host, and of the domains that it is in; NULL: all. */
void jar_clear(struct jar *jar, const char *host);

/* All of them, in no order: the first, the next one, NULL at the end. */
const struct cookie *jar_next(const struct jar *jar, const struct cookie *before);

/* ---- public_suffix.c, or public_suffix_none.c ---- */

/* Is there a list of public suffixes? */
bool public_suffixes_known(void);

/* Are the names below that domain anybody's? In small letters. */
bool is_public_suffix(const char *domain);

#endif
