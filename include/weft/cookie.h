/*
 * Cookies (RFC 6265), and sessions that the client carries, signed.
 *
 *     wf_reply_cookie(request, "theme", "dark", .max_age = WF_SECONDS(86400 * 365));
 *
 *     static const struct wf_session_keys keys = {.name = "login", .keys = {"the key of today", "that of last year"}};
 *     wf_session_write(request, &keys, "user=17");
 *     ...
 *     const char *text;
 *     int rc = wf_session_read(request, &keys, &text);       // "user=17"; -ENOENT: there is none, or it is not ours
 *
 * A cookie is for the whole site, out of the reach of scripts (HttpOnly), kept from requests that other sites make
 * (SameSite=Lax), and Secure where the request came over TLS, unless told otherwise.
 *
 * A session is a text that the client can read and cannot change: HMAC-SHA-256 over its name, its time and the text. To
 * change keys, put the new one first; what clients hold under the old ones is good until those are taken away.
 *
 * Threads: the loop's.
 */
#ifndef WEFT_COOKIE_H
#define WEFT_COOKIE_H

#include <weft/base.h>
#include <weft/request.h>

#ifdef __cplusplus
extern "C" {
#endif

enum wf_same_site {
    WF_SAME_SITE_LAX,    /* other sites may lead here, and no more (default) */
    WF_SAME_SITE_STRICT, /* nothing that comes from another site */
    WF_SAME_SITE_NONE,   /* everything; needs Secure */
};

struct wf_cookie_options {
    size_t size;        /* filled by the macro */
    const char *path;   /* default "/" */
    const char *domain; /* default: this host alone */
    int64_t max_age;    /* a duration; 0: until the browser ends; negative: it is removed */
    enum wf_same_site same_site;
    bool secure;      /* over TLS only, also where this request did not come so */
    bool insecure;    /* over anything */
    bool for_scripts; /* without HttpOnly */
};

enum { WF_COOKIE_MAX = 4096 }; /* bytes of a whole Set-Cookie, which is what browsers keep */

/*
 * wf_reply_cookie(request, name, value, .option = value, ...) adds a cookie to the answer, before it is made. A value
 * is made of the characters of RFC 6265 section 4.1.1: no spaces, quotes, commas, semicolons, backslashes.
 * Suspends: never. Errors: -EINVAL with a message, for a name or a value that is none, for "__Host-" and "__Secure-"
 * without what they promise, for SameSite=None without Secure; -E2BIG past WF_COOKIE_MAX; -ENOMEM.
 */
#define wf_reply_cookie(request, name, value, ...)                                                                     \
    wf_reply_cookie_((request), (name), (value),                                                                       \
                     &(struct wf_cookie_options){.size = sizeof(struct wf_cookie_options), __VA_ARGS__})

/* ---- Texts that the client holds ---- */

struct wf_session_keys {
    const char *name;                /* of the cookie */
    const char *keys[4];             /* secrets of at least 16 bytes: the first signs, all of them are tried */
    int64_t max_age;                 /* after which the cookie is worth nothing; default 14 days */
    struct wf_cookie_options cookie; /* its size and max_age need not be set */
};

enum { WF_SESSION_MAX = 2800 }; /* bytes of its text */

/* The text that is signed, in the request's arena. Suspends: never. Errors: -ENOENT where there is none, it is too old,
 * or its signature is not by one of the keys; -EINVAL for keys that are too short; -ENOMEM. */
WF_API int wf_session_read(struct wf_request *request, const struct wf_session_keys *keys, const char **text);

/* Signs a text, and adds it as a cookie to the answer. Suspends: never.
 * Errors: as wf_reply_cookie; -E2BIG for more than WF_SESSION_MAX bytes. */
WF_API int wf_session_write(struct wf_request *request, const struct wf_session_keys *keys, const char *text);

/* Has the client forget it. Suspends: never. Errors: as wf_reply_cookie. */
WF_API int wf_session_end(struct wf_request *request, const struct wf_session_keys *keys);

/* ---- What the macro stands on: private ---- */

WF_API int wf_reply_cookie_(struct wf_request *request, const char *name, const char *value,
                            const struct wf_cookie_options *options);

#ifdef __cplusplus
}

#include <weft/cxx_http.h>
#endif
#endif
