/*
 * Tokens that say who asks and what for: JSON Web Tokens (RFC 7519), signed, as bearer tokens of requests.
 *
 *     static const struct wf_jwt_options tokens = {
 *         .keys = {{.algorithm = WF_JWT_RS256, .bytes = public_key_in_pem}},
 *         .issuer = "https://login.example", .audience = "orders", .realm = "orders"};
 *     static const struct wf_dependency token = WF_JWT(&tokens);
 *
 *     static int show(struct wf_request *request)
 *     {
 *         const struct wf_jwt *jwt;
 *         int rc = wf_depend(request, &token, &jwt);      // without a good one: 401, answered already
 *         return rc < 0 ? rc : wf_reply_text(request, 200, jwt->subject);
 *     }
 *
 *     wf_route(&app, WF_GET, "/orders", show, .needs = {&token}, .scopes = "orders:read");   // without that: 403
 *
 * libjwt checks signatures. A key is for one algorithm and no other, so a token cannot choose how it is checked; "none"
 * is never taken. Not there: encrypted tokens (JWE), other algorithms, headers of type "at+jwt" (libjwt 1 refuses them)
 * or with critical extensions, keys as JWK, fetching keys from an issuer.
 *
 * Threads: the loop's.
 */
#ifndef WEFT_JWT_H
#define WEFT_JWT_H

#include <weft/depend.h>
#include <weft/security.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A token is at most so long. */
enum { WF_JWT_MAX = 8192, WF_JWT_KEYS_MAX = 4 };

enum wf_jwt_algorithm {
    WF_JWT_NONE_, /* no key */
    WF_JWT_HS256, /* HMAC: one secret, of 32 bytes at least, signs and checks */
    WF_JWT_RS256, /* RSA: a private key signs, the public one checks; both in PEM */
    WF_JWT_ES256, /* ECDSA on P-256: likewise */
};

struct wf_jwt_key {
    const char *id; /* "kid" of the tokens that it signs; NULL: it is for tokens with any, or none */
    enum wf_jwt_algorithm algorithm;
    const char *bytes; /* the secret, or PEM */
    size_t size;       /* 0: it ends with a zero */
};

struct wf_jwt_options {
    struct wf_jwt_key keys[WF_JWT_KEYS_MAX]; /* those that fit are tried in order */
    /*
     * Instead: finds the key for a token, whose "kid" is `id` (NULL: it has none). What `key` points to must last
     * until the check is done. It may suspend. -ENOENT: there is none, and the token is refused; other codes are given
     * back.
     */
    int (*find_key)(const char *id, struct wf_jwt_key *key, void *arg);
    void *find_key_arg;
    const char *issuer;   /* "iss" has to be that; NULL: it is not looked at */
    const char *audience; /* "aud" has to have that; NULL: tokens that are for somebody are refused */
    int64_t leeway;       /* by which clocks may differ; default none */
    bool without_end;     /* tokens without "exp" are taken, too */
    const char *realm;    /* for the challenge; default "api" */
};

/* What a token says, once it is known to be good. Texts that it does not have are NULL. */
struct wf_jwt {
    const char *subject, *issuer, *id; /* "sub", "iss", "jti" */
    const char *scopes;                /* "scope" (or "scp", or a list of them): "a b c"; "" for none */
    int64_t expires;                   /* seconds since 1970; INT64_MAX: never */
    const char *claims;                /* all of it, as JSON, for wf_model_parse */
    size_t claims_size;
    void *reserved_[4];
};

/*
 * Reads a token and checks it: signature, "exp", "nbf", "iss", "aud". The time is wf_wall_now's.
 * Suspends: as find_key does, else never. On cancel: as find_key. Owns: what it says is the arena's.
 * Errors: -EACCES, with a message that may be shown, for a token that is not good; -EKEYREJECTED for a key that is none
 * of its algorithm, or a secret that is too short; find_key's; -ENOMEM.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_jwt_read(struct wf_arena *arena, const char *token,
                                              const struct wf_jwt_options *options, struct wf_jwt *jwt);

/*
 * The bearer token of a request, checked so, with all the scopes that its route asks for (.scopes). What is not good is
 * answered with 401 and the reason, or 403 where a scope is missing (RFC 6750).
 * Suspends: as wf_jwt_read; as an answer. On cancel: as an answer. Errors: -EACCES after the answer; as wf_jwt_read.
 */
WF_API WF_SUSPENDS int wf_require_jwt(struct wf_request *request, const struct wf_jwt_options *options,
                                      struct wf_jwt *jwt);

/* The same as a dependency, whose value is a `const struct wf_jwt *`; its scheme is "jwt", a bearer token. */
#define WF_JWT(options)                                                                                                \
    {                                                                                                                  \
        .name = "token", .open = wf_open_jwt_, .arg = (void *)(uintptr_t)(options), .scheme = &wf_jwt_scheme           \
    }

WF_API extern const struct wf_security_scheme wf_jwt_scheme;

/* Has it the scope? All of those in "a b c"? Suspends: never. */
WF_API bool wf_jwt_has_scopes(const struct wf_jwt *jwt, const char *scopes);

/*
 * Makes a token that says `claims`, an object of JSON: for tests, for sandboxes, and for those who hand them out.
 * Suspends: never. Owns: the arena. Errors: -EINVAL for claims that are none; -EKEYREJECTED, as above; -EMSGSIZE past
 * WF_JWT_MAX; -ENOMEM.
 */
WF_API WF_CHECKED int wf_jwt_make(struct wf_arena *arena, const struct wf_jwt_key *key, const char *claims,
                                  const char **token);

/* ---- What the macro stands on: private ---- */

WF_API wf_proof_ wf_open_jwt_;

#ifdef __cplusplus
}
#endif
#endif
