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

/* Are two secrets the same? Takes as long whatever they are, but for their length. Suspends: never. Threads: any. */
WF_API bool wf_same_secret(const char *one, const char *other);

#ifdef __cplusplus
}
#endif
#endif
