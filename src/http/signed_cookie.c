/*
 * Sessions that the client carries:
 *
 *     base64url(text) "." seconds since 1970 "." base64url(HMAC-SHA-256(key, name "=" text64 "." seconds))
 *
 * The name is signed too, so that what was signed for one purpose is nothing for another.
 */
#include <inttypes.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <weft/cookie.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/base64url.h"
#include "http/request.h"

enum { KEY_MIN = 16, SIGNATURE = 32, SIGNATURE_TEXT = 43 };

static const int64_t default_age = WF_SECONDS(14 * 86400);

/* ---- Signing ---- */

static int check_keys(const struct wf_session_keys *keys)
{
    for (unsigned i = 0; i < WF_COUNT(keys->keys) && (i == 0 || keys->keys[i] != NULL); i++)
        if (keys->keys[i] == NULL || strlen(keys->keys[i]) < KEY_MIN)
            return wf_fail(-EINVAL, "a key to sign sessions with has at least %d bytes", KEY_MIN);
    return 0;
}

/* Of "name=" and what is before the last dot. False: there is no memory for it. */
static bool sign(struct wf_arena *arena, const char *key, const char *name, const char *text, size_t size,
                 unsigned char signature[SIGNATURE])
{
    unsigned count = 0;
    const char *whole = wf_arena_printf(arena, "%s=%.*s", name, (int)size, text);
    if (whole == NULL) return false;
    HMAC(EVP_sha256(), key, (int)strlen(key), (const unsigned char *)whole, strlen(whole), signature, &count);
    return count == SIGNATURE;
}

static int64_t seconds_now(void)
{
    return wf_wall_now() / 1000000000;
}

static struct wf_cookie_options options_of(const struct wf_session_keys *keys)
{
    struct wf_cookie_options options = keys->cookie;
    options.size = sizeof options;
    options.max_age = keys->max_age > 0 ? keys->max_age : default_age;
    return options;
}

int wf_session_write(struct wf_request *request, const struct wf_session_keys *keys, const char *text)
{
    struct wf_arena *arena = wf_request_arena(request);
    unsigned char signature[SIGNATURE];
    int rc = check_keys(keys);
    if (rc < 0) return rc;
    if (strlen(text) > WF_SESSION_MAX) return wf_fail(-E2BIG, "a session has at most %d bytes", WF_SESSION_MAX);
    char *encoded = base64url_encode(arena, text, strlen(text));
    char *body = encoded != NULL ? wf_arena_printf(arena, "%s.%" PRId64, encoded, seconds_now()) : NULL;
    if (body == NULL || !sign(arena, keys->keys[0], keys->name, body, strlen(body), signature)) return -ENOMEM;
    char *shown = base64url_encode(arena, signature, sizeof signature);
    char *value = shown != NULL ? wf_arena_printf(arena, "%s.%s", body, shown) : NULL;
    if (value == NULL) return -ENOMEM;
    struct wf_cookie_options options = options_of(keys);
    return wf_reply_cookie_(request, keys->name, value, &options);
}

int wf_session_end(struct wf_request *request, const struct wf_session_keys *keys)
{
    struct wf_cookie_options options = options_of(keys);
    options.max_age = -1;
    return wf_reply_cookie_(request, keys->name, "", &options);
}

/* ---- Reading ---- */

static bool is_ours(struct wf_arena *arena, const struct wf_session_keys *keys, const char *value, size_t body,
                    const char *shown)
{
    unsigned char wanted[SIGNATURE];
    bool same = false;
    for (unsigned i = 0; i < WF_COUNT(keys->keys) && keys->keys[i] != NULL; i++)
        if (sign(arena, keys->keys[i], keys->name, value, body, wanted))
            same |= CRYPTO_memcmp(wanted, shown, SIGNATURE) == 0;
    return same;
}

/* Signed by us, so digits. */
static bool is_fresh(const struct wf_session_keys *keys, const char *seconds)
{
    int64_t age = seconds_now() - strtoll(seconds, NULL, 10);
    int64_t age_max = (keys->max_age > 0 ? keys->max_age : default_age) / 1000000000;
    return age >= -60 && age <= age_max; /* clocks of several servers differ a little */
}

/* "text.seconds.signature"; NULL: it is not. */
static const char *split(const char *value, const char **seconds, const char **signature)
{
    const char *first = strchr(value, '.'), *second = first != NULL ? strchr(first + 1, '.') : NULL;
    if (second == NULL || strlen(second + 1) != SIGNATURE_TEXT) return NULL;
    *seconds = first + 1;
    *signature = second + 1;
    return value;
}

int wf_session_read(struct wf_request *request, const struct wf_session_keys *keys, const char **text)
{
    struct wf_arena *arena = wf_request_arena(request);
    const char *value = wf_request_cookie(request, keys->name), *seconds, *signature;
    int rc = check_keys(keys);
    if (rc < 0) return rc;
    if (value == NULL || split(value, &seconds, &signature) == NULL) return -ENOENT;
    char *shown = base64url_decode(arena, signature, SIGNATURE_TEXT, NULL);
    if (shown == NULL || !is_ours(arena, keys, value, (size_t)(signature - 1 - value), shown)) return -ENOENT;
    if (!is_fresh(keys, seconds)) return -ENOENT;
    *text = base64url_decode(arena, value, (size_t)(seconds - 1 - value), NULL);
    return *text != NULL ? 0 : -ENOMEM;
}
