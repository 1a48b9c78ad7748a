/* Logins, tokens and keys that come with a request. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <weft/extend.h>
#include <weft/security.h>
#include <weft/task.h>

#include "http/grammar.h"
#include "http/request.h"
#include "http/security.h"

bool wf_same_secret(const char *one, const char *other)
{
    size_t size = strlen(one);
    return size == strlen(other) && CRYPTO_memcmp(one, other, size) == 0;
}

/* What follows "Scheme " in Authorization; NULL: it is another scheme, or none. */
static const char *credentials(const struct wf_request *request, const char *scheme)
{
    const char *field = wf_headers_find(&request->headers, "authorization");
    size_t size = strlen(scheme);
    if (field == NULL || strncasecmp(field, scheme, size) != 0 || field[size] != ' ') return NULL;
    field += size;
    return field + strspn(field, " ");
}

/* A realm is a quoted string: quotes in it would end it. */
static int add_challenge(struct wf_request *request, const char *scheme, const char *realm, const char *more)
{
    if (strpbrk(realm, "\"\\") != NULL) return wf_fail(-EINVAL, "a realm has no quotes and backslashes");
    char *challenge = wf_arena_printf(wf_request_arena(request), "%s realm=\"%s\"%s", scheme, realm, more);
    return challenge == NULL ? -ENOMEM : wf_reply_header(request, "WWW-Authenticate", challenge);
}

/* ---- Names and passwords ---- */

int wf_refuse_basic(struct wf_request *request, const char *realm)
{
    int rc = wf_checkpoint();
    if (rc == 0) rc = add_challenge(request, "Basic", realm, ", charset=\"UTF-8\"");
    return rc < 0 ? rc : wf_http_error(request, 401, "a name and a password are needed");
}

/* "name:password" in base64; NULL: it is none. */
static char *decode_login(struct wf_arena *arena, const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size % 4 != 0) return NULL;
    char *bytes = wf_arena_alloc(arena, size / 4 * 3 + 1);
    int count = bytes != NULL ? EVP_DecodeBlock((unsigned char *)bytes, (const unsigned char *)text, (int)size) : -1;
    if (count < 0) return NULL;
    size_t end = (size_t)count - (text[size - 1] == '=') - (text[size - 2] == '=');
    bytes[end] = '\0';
    return memchr(bytes, '\0', end) == NULL && is_field_value(bytes, end) ? bytes : NULL;
}

int wf_require_basic(struct wf_request *request, const char *realm, struct wf_login *login)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    const char *shown = credentials(request, "Basic");
    char *text = shown != NULL ? decode_login(wf_request_arena(request), shown) : NULL;
    char *colon = text != NULL ? strchr(text, ':') : NULL;
    if (colon == NULL) return wf_refuse_basic(request, realm);
    *colon = '\0';
    *login = (struct wf_login){.name = text, .password = colon + 1};
    return 0;
}

/* ---- Tokens ---- */

static int status_of(const char *error)
{
    if (error == NULL || strcmp(error, "invalid_token") == 0) return 401;
    return strcmp(error, "insufficient_scope") == 0 ? 403 : 400;
}

/* Appends `, name="value"`; not where the value is NULL. */
static char *add_attribute(struct wf_arena *arena, const char *text, const char *name, const char *value)
{
    if (value == NULL) return (char *)(uintptr_t)text;
    return text == NULL ? NULL : wf_arena_printf(arena, "%s, %s=\"%s\"", text, name, value);
}

int refuse_token(struct wf_request *request, const char *realm, const char *error, const char *description,
                 const char *scopes)
{
    struct wf_arena *arena = wf_request_arena(request);
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    char *more = add_attribute(arena, "", "error", error);
    more = add_attribute(arena, more, "error_description", description);
    more = add_attribute(arena, more, "scope", scopes);
    rc = more == NULL ? -ENOMEM : add_challenge(request, "Bearer", realm, more);
    if (rc < 0) return rc;
    const char *said = description != NULL ? description : error != NULL ? error : "a token is needed";
    return wf_http_error(request, status_of(error), "%s", said);
}

int wf_refuse_bearer(struct wf_request *request, const char *realm, const char *error)
{
    bool odd = error != NULL && strpbrk(error, "\"\\") != NULL;
    return refuse_token(request, realm, odd ? "invalid_request" : error, NULL, NULL);
}

/* b64token of RFC 6750 section 2.1. */
static bool is_bearer_token(const char *text)
{
    size_t size = strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/");
    return size > 0 && text[size + strspn(text + size, "=")] == '\0';
}

int wf_require_bearer(struct wf_request *request, const char *realm, const char **token)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    const char *shown = credentials(request, "Bearer");
    if (shown == NULL) return wf_refuse_bearer(request, realm, NULL);
    if (!is_bearer_token(shown)) return wf_refuse_bearer(request, realm, "invalid_request");
    *token = shown;
    return 0;
}

/* ---- Keys ---- */

int wf_require_key(struct wf_request *request, const char *name, const char **key)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (name[0] == '?') *key = wf_query_text(request, name + 1);
    else *key = wf_headers_find(&request->headers, name);
    if (*key != NULL && **key != '\0') return 0;
    return wf_http_error(request, 401, "a key is needed: %s", name);
}
