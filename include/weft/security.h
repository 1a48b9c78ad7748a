/*
 * Who may ask: pages of other origins, and whoever shows a name and a password, a token, a key.
 *
 *     static const struct wf_cors_options cors = {.origins = {"https://app.example"}, .credentials = true};
 *     wf_app_use(&app, wf_cors, &cors);
 *
 *     static int show(struct wf_request *request)
 *     {
 *         const char *token;
 *         int rc = wf_require_bearer(request, "orders", &token);       // without one: 401, answered already
 *         if (rc < 0) return rc;
 *         if (!token_is_good(token)) return wf_refuse_bearer(request, "orders", "invalid_token");
 *         ...
 *     }
 *
 * Threads: the loop's.
 */
#ifndef WEFT_SECURITY_H
#define WEFT_SECURITY_H

#include <weft/base.h>
#include <weft/request.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Other origins (the CORS protocol of the Fetch standard) ---- */

struct wf_cors_options {
    const char *origins[16]; /* "https://example.org"; "*": all, which goes without credentials only */
    const char *methods;     /* "GET, POST, ..."; default: those that the path has */
    const char *headers;     /* of requests: "Content-Type, X-Token"; "*": whatever is asked for; default: none */
    const char *expose;      /* fields of answers that pages may read */
    bool credentials;        /* cookies and logins go along */
    int64_t max_age;         /* for which a browser may keep the answer to its question; default 10 minutes */
};

/*
 * A middleware: answers the questions that browsers ask before a request (preflight: OPTIONS with Origin and
 * Access-Control-Request-Method), and lets pages of those origins read answers. Other origins get answers without
 * these fields, which a browser keeps from the page. `Vary: Origin` is there wherever the origin matters.
 * Suspends: as what is inside. On cancel: as what is inside.
 * Errors: those from inside; -ENOTSUP, which is answered with 500, for "*" with credentials.
 */
WF_API WF_SUSPENDS int wf_cors(struct wf_request *request, const struct wf_cors_options *options);

/* ---- Proofs that come with a request ---- */

struct wf_login {
    const char *name, *password; /* in the request's arena */
};

/*
 * What the client shows: a name and a password (RFC 7617), a token (RFC 6750), a key in a field of its own or in a
 * parameter of the query (named "?name"). What is not there, or is malformed, is answered with 401, and how to ask:
 * `realm` is shown to people. Whether it is good is for the caller to say; compare secrets by wf_same_secret.
 * Suspends: as an answer. On cancel: as an answer. Errors: -EACCES after that answer; -ENOMEM.
 */
WF_API WF_SUSPENDS int wf_require_basic(struct wf_request *request, const char *realm, struct wf_login *login);
WF_API WF_SUSPENDS int wf_require_bearer(struct wf_request *request, const char *realm, const char **token);
WF_API WF_SUSPENDS int wf_require_key(struct wf_request *request, const char *name, const char **key);

/* The answer to what is not good: 401 for a login; for a token 401 ("invalid_token"), 403 ("insufficient_scope") or 400
 * ("invalid_request"). Suspends: as an answer. On cancel: as an answer. Errors: -EACCES, or -EINVAL for the last. */
WF_API WF_SUSPENDS int wf_refuse_basic(struct wf_request *request, const char *realm);
WF_API WF_SUSPENDS int wf_refuse_bearer(struct wf_request *request, const char *realm, const char *error);

/* ---- How a client shows who it is, for the API's description ---- */

enum wf_security_kind {
    WF_SECURITY_HTTP,       /* `scheme`: "basic", "bearer" */
    WF_SECURITY_KEY,        /* `place` and `key` */
    WF_SECURITY_OAUTH2,     /* `flows` */
    WF_SECURITY_OPENID,     /* `openid_url` */
    WF_SECURITY_MUTUAL_TLS, /* a certificate */
};

enum wf_key_place { WF_KEY_IN_HEADER, WF_KEY_IN_QUERY, WF_KEY_IN_COOKIE };

enum wf_oauth2_flow {
    WF_OAUTH2_NONE, /* ends the list */
    WF_OAUTH2_PASSWORD,
    WF_OAUTH2_CLIENT_CREDENTIALS,
    WF_OAUTH2_AUTHORIZATION_CODE,
    WF_OAUTH2_IMPLICIT,
};

/* A scheme of OpenAPI (section "Security Scheme Object"). A dependency names one (weft/depend.h); declare it static. */
struct wf_security_scheme {
    const char *name;        /* in the document: "bearer" */
    const char *description; /* NULL: none */
    enum wf_security_kind kind;
    const char *scheme;        /* of WF_SECURITY_HTTP */
    const char *bearer_format; /* "JWT"; NULL: nothing is said */
    enum wf_key_place place;   /* of WF_SECURITY_KEY: where it is, */
    const char *key;           /* and the field's, parameter's or cookie's name */
    const char *openid_url;    /* of WF_SECURITY_OPENID */
    struct {
        enum wf_oauth2_flow flow;
        const char *authorization_url, *token_url, *refresh_url; /* NULL where the flow has none */
    } flows[4];                                                  /* of WF_SECURITY_OAUTH2 */
    struct {
        const char *name, *description;
    } scopes[32]; /* of its flows; ends with a name of NULL */
};

/*
 * The three above as dependencies; `realm` and `name` as there. The values are `const struct wf_login *` and
 * `const char *`; whether they are good is for yours to say, which depends on one of these:
 *
 *     static const struct wf_dependency login = WF_BASIC("orders");
 *     static const struct wf_dependency current_user = {.name = "user", .open = open_user, .needs = {&login}};
 *
 * A key's scheme is a declaration of its own, from which the field is known.
 */
#define WF_BASIC(realm)                                                                                                \
    {                                                                                                                  \
        .name = "basic", .open = wf_open_basic_, .arg = (void *)(uintptr_t)(realm), .scheme = &wf_basic_scheme         \
    }
#define WF_BEARER(realm)                                                                                               \
    {                                                                                                                  \
        .name = "bearer", .open = wf_open_bearer_, .arg = (void *)(uintptr_t)(realm), .scheme = &wf_bearer_scheme      \
    }
#define WF_API_KEY(key_scheme)                                                                                         \
    {                                                                                                                  \
        .name = "key", .open = wf_open_key_, .scheme = (key_scheme)                                                    \
    }

/* "basic" and "bearer" of WF_SECURITY_HTTP. */
WF_API extern const struct wf_security_scheme wf_basic_scheme, wf_bearer_scheme;

/* Are two secrets the same? Takes as long whatever they are, but for their length. Suspends: never. Threads: any. */
WF_API bool wf_same_secret(const char *one, const char *other);

/* ---- What the macros stand on: private ---- */

struct wf_dependency;
typedef int wf_proof_(struct wf_request *request, const struct wf_dependency *self, void **value);
WF_API wf_proof_ wf_open_basic_, wf_open_bearer_, wf_open_key_;

#ifdef __cplusplus
}
#endif
#endif
