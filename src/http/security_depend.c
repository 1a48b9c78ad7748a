/* Logins, tokens and keys as dependencies. */
#include <weft/depend.h>
#include <weft/extend.h>
#include <weft/security.h>
#include <weft/task.h>

const struct wf_security_scheme wf_basic_scheme = {.name = "basic", .kind = WF_SECURITY_HTTP, .scheme = "basic"};
const struct wf_security_scheme wf_bearer_scheme = {.name = "bearer", .kind = WF_SECURITY_HTTP, .scheme = "bearer"};

int wf_open_basic_(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    struct wf_login *login = wf_arena_new(wf_request_arena(request), struct wf_login);
    *value = login;
    return login == NULL ? -ENOMEM : wf_require_basic(request, self->arg, login);
}

int wf_open_bearer_(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    const char *token = NULL;
    int rc = wf_require_bearer(request, self->arg, &token);
    *value = (void *)(uintptr_t)token;
    return rc;
}

/* wf_require_key asks for a parameter of the query by "?name". */
static int find_key(struct wf_request *request, const struct wf_security_scheme *scheme, const char **key)
{
    if (scheme->place == WF_KEY_IN_HEADER) return wf_require_key(request, scheme->key, key);
    if (scheme->place == WF_KEY_IN_QUERY) {
        const char *name = wf_arena_printf(wf_request_arena(request), "?%s", scheme->key);
        return name == NULL ? -ENOMEM : wf_require_key(request, name, key);
    }
    *key = wf_request_cookie(request, scheme->key);
    if (*key != NULL && **key != '\0') return 0;
    return wf_http_error(request, 401, "a key is needed: %s", scheme->key);
}

int wf_open_key_(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    const struct wf_security_scheme *scheme = self->scheme;
    if (scheme == NULL || scheme->key == NULL)
        return wf_fail(-ENOTSUP, "the dependency \"%s\" needs the scheme of a key", self->name);
    const char *key = NULL;
    int rc = find_key(request, scheme, &key);
    *value = (void *)(uintptr_t)key;
    return rc;
}
