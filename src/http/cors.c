/* The CORS protocol (Fetch standard, section 3.2): a question before the request, and fields of the answer. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/extend.h>
#include <weft/security.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/app.h"
#include "http/request.h"

/* What the origin is answered: itself, "*", or NULL. */
static const char *allowed_origin(const struct wf_cors_options *options, const char *origin)
{
    for (unsigned i = 0; i < WF_COUNT(options->origins) && options->origins[i] != NULL; i++) {
        if (strcmp(options->origins[i], "*") == 0) return "*";
        if (strcmp(options->origins[i], origin) == 0) return origin;
    }
    return NULL;
}

static bool is_for_all(const struct wf_cors_options *options)
{
    return options->origins[0] != NULL && strcmp(options->origins[0], "*") == 0;
}

static int add(struct wf_request *request, int rc, const char *name, const char *value)
{
    return rc < 0 || value == NULL ? rc : wf_reply_header(request, name, value);
}

/* Of every answer to a page that may read it. */
static int add_permission(struct wf_request *request, const struct wf_cors_options *options, const char *allowed)
{
    int rc = is_for_all(options) ? 0 : wf_reply_header(request, "Vary", "Origin");
    if (allowed == NULL) return rc;
    rc = add(request, rc, "Access-Control-Allow-Origin", allowed);
    return add(request, rc, "Access-Control-Allow-Credentials", options->credentials ? "true" : NULL);
}

static int answer_question(struct wf_request *request, const struct wf_cors_options *options, const char *allowed)
{
    char age[32];
    int64_t max_age = options->max_age > 0 ? options->max_age : WF_MINUTES(10);
    snprintf(age, sizeof age, "%" PRId64, max_age / 1000000000);
    const char *asked = wf_headers_find(&request->headers, "access-control-request-headers");
    const char *headers = options->headers != NULL && strcmp(options->headers, "*") == 0 ? asked : options->headers;
    const char *methods = options->methods != NULL ? options->methods : app_list_methods(request, request->allowed);
    int rc = add_permission(request, options, allowed);
    rc = add(request, rc, "Vary", "Access-Control-Request-Method, Access-Control-Request-Headers");
    if (allowed != NULL) {
        rc = add(request, rc, "Access-Control-Allow-Methods", methods);
        rc = add(request, rc, "Access-Control-Allow-Headers", headers);
        rc = add(request, rc, "Access-Control-Max-Age", age);
    }
    return rc < 0 ? rc : wf_reply_empty(request, 204);
}

int wf_cors(struct wf_request *request, const struct wf_cors_options *options)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (is_for_all(options) && options->credentials)
        return wf_fail(-ENOTSUP, "pages of all origins cannot have credentials: name those that may");
    const char *origin = wf_headers_find(&request->headers, "origin");
    const char *allowed = origin != NULL ? allowed_origin(options, origin) : NULL;
    bool question = origin != NULL && request->method == WF_OPTIONS &&
                    wf_headers_find(&request->headers, "access-control-request-method") != NULL;
    if (question && (request->route == NULL && request->allowed != 0))
        return answer_question(request, options, allowed);
    rc = add_permission(request, options, allowed);
    if (allowed != NULL) rc = add(request, rc, "Access-Control-Expose-Headers", options->expose);
    return rc < 0 ? rc : wf_continue(request);
}
