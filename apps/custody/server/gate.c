/*
 * What every request that is not open to all has to pass, in this order, before anything of it is read: a token, the
 * rate of its subject, the scope of the route, what was ordered to go wrong, and that a body is called JSON.
 */
#include <string.h>
#include <strings.h>

#include "server.h"

static const char realm[] = "custody";

/* ---- Token ---- */

/* `more` is what follows the realm. */
static int challenge(struct wf_request *request, const char *more)
{
    char *field = wf_arena_printf(wf_request_arena(request), "Bearer realm=\"%s\"%s", realm, more);
    return field == NULL ? -ENOMEM : wf_reply_header(request, "WWW-Authenticate", field);
}

static int refuse_token(struct wf_request *request, const char *why)
{
    char *more = wf_arena_printf(wf_request_arena(request), ", error=\"invalid_token\", error_description=\"%s\"", why);
    int rc = more == NULL ? -ENOMEM : challenge(request, more);
    return rc < 0 ? rc : refuse(request, 401, "invalid_token", "%s", why);
}

/* What follows "Bearer "; NULL: it is another scheme, or none. */
static const char *find_token(const struct wf_request *request)
{
    const char *field = wf_request_header(request, "Authorization");
    size_t scheme = field != NULL ? strcspn(field, " ") : 0;
    if (scheme != 6 || strncasecmp(field, "Bearer", scheme) != 0) return NULL;
    return field + scheme + strspn(field + scheme, " ");
}

static int admit_token(struct wf_request *request, struct sandbox *sandbox, struct bearer *bearer)
{
    const char *token = find_token(request);
    if (token == NULL) {
        int rc = challenge(request, "");
        return rc < 0 ? rc : refuse(request, 401, "missing_token", "a bearer token is needed");
    }
    int rc = tokens_read(sandbox, wf_request_arena(request), token, bearer);
    return rc == -EACCES ? refuse_token(request, wf_failure()) : rc;
}

/* ---- Rate ---- */

static int add_number(struct wf_request *request, const char *name, int64_t number)
{
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)number);
    return wf_reply_header(request, name, text);
}

static int admit_rate(struct wf_request *request, struct sandbox *sandbox, const char *subject)
{
    struct quota_state state;
    if (sandbox->quota == NULL) return 0;
    int taken = quota_take(sandbox->quota, subject, &state);
    int rc = add_number(request, "RateLimit-Limit", state.limit);
    if (rc == 0) rc = add_number(request, "RateLimit-Remaining", state.remaining);
    if (rc == 0) rc = add_number(request, "RateLimit-Reset", state.reset);
    if (rc < 0 || taken == 0) return rc;
    rc = add_number(request, "Retry-After", state.reset);
    return rc < 0
               ? rc
               : refuse(request, 429, "rate_limited", "too many requests; try again in %lld s", (long long)state.reset);
}

/* ---- Scope, form ---- */

static int admit_scope(struct wf_request *request, const char *scopes)
{
    const char *wanted = wf_request_scopes(request);
    struct wf_jwt jwt = {.scopes = scopes};
    if (wf_jwt_has_scopes(&jwt, wanted)) return 0;
    char *more = wf_arena_printf(wf_request_arena(request), ", error=\"insufficient_scope\", scope=\"%s\"", wanted);
    int rc = more == NULL ? -ENOMEM : challenge(request, more);
    return rc < 0 ? rc : refuse(request, 403, "insufficient_scope", "the token lacks the scope %s", wanted);
}

/* RFC 9110 section 8.3: parameters may follow. */
static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    size_t size = type != NULL ? strcspn(type, "; \t") : 0;
    return size == sizeof json - 1 && strncasecmp(type, json, size) == 0;
}

static int admit_form(struct wf_request *request)
{
    if (wf_request_method(request) != WF_POST || is_json(wf_request_header(request, "Content-Type"))) return 0;
    return refuse(request, 415, "unsupported_media_type", "the body has to be application/json");
}

/* ---- Checks that are worked on ---- */

static void enter_checks(struct caller *caller)
{
    struct sandbox *sandbox = caller->sandbox;
    caller->counted = true;
    if (++sandbox->checks_now > sandbox->checks_peak) sandbox->checks_peak = sandbox->checks_now;
}

void leave_checks(struct caller *caller)
{
    if (caller->counted) caller->sandbox->checks_now--;
    caller->counted = false;
}

/* ---- All of it ---- */

static int admit(struct wf_request *request, struct caller *caller)
{
    struct bearer bearer;
    int rc = admit_token(request, caller->sandbox, &bearer);
    if (rc < 0) return rc;
    caller->subject = wf_arena_strdup(wf_request_arena(request), bearer.subject);
    if (caller->subject == NULL) return -ENOMEM;
    rc = admit_rate(request, caller->sandbox, bearer.subject);
    if (rc == 0) rc = admit_scope(request, bearer.scopes);
    const struct work *work = wf_request_arg(request);
    if (rc == 0 && work != NULL && work->is_check) enter_checks(caller);
    if (rc == 0) rc = faults_act(request, caller->sandbox);
    return rc < 0 ? rc : admit_form(request);
}

static int open_gate(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    struct caller *caller = wf_arena_new(wf_request_arena(request), struct caller);
    (void)self;
    if (caller == NULL) return -ENOMEM;
    caller->sandbox = wf_request_state(request);
    *value = caller;
    int rc = admit(request, caller);
    if (rc < 0) leave_checks(caller);
    return rc;
}

/* Where the handler did not come so far. */
static int close_gate(struct wf_request *request, const struct wf_dependency *self, void *value, int outcome)
{
    (void)request, (void)self, (void)outcome;
    leave_checks(value);
    return 0;
}

const struct wf_dependency gate = {.name = "caller", .open = open_gate, .close = close_gate, .scheme = &wf_jwt_scheme};
