/*
 * The text of a token:
 *
 *     base64url({"alg":"RS256","kid":"..."}) "." base64url({"sub":"...","exp":...}) "." base64url(signature)
 *
 * All of it is read here, strictly, before a library sees it: libjwt parses what is said before it knows by whom, by
 * recursion whose depth the sender chooses, and a task's stack is small.
 */
#include "http/jwt_text.h"

#include <math.h>
#include <string.h>
#include <strings.h>
#include <weft/json.h>
#include <weft/task.h>

#include "http/base64url.h"

/* A code of the reader, as one of ours. */
static int as_refusal(int rc, const char *why)
{
    return rc >= 0 || rc == -ENOMEM ? rc : wf_fail(-EACCES, "%s", why);
}

/* ---- The head ---- */

/* A text that may come once. */
static int read_once(struct wf_json_reader *reader, const char **text)
{
    return *text != NULL ? -EINVAL : wf_json_read_string(reader, text, NULL);
}

static int read_head_member(struct wf_json_reader *reader, struct jwt_head *head, const char **type)
{
    if (wf_json_key_is(reader, "alg")) return read_once(reader, &head->algorithm);
    if (wf_json_key_is(reader, "kid")) return read_once(reader, &head->id);
    if (wf_json_key_is(reader, "typ")) return read_once(reader, type);
    if (wf_json_key_is(reader, "crit")) return -EINVAL; /* nothing that would have to be understood */
    return wf_json_skip(reader);
}

static int read_head(struct wf_arena *arena, const char *text, size_t size, struct jwt_head *head)
{
    struct wf_json_reader reader;
    const char *type = NULL;
    wf_json_reader_init(&reader, arena, text, size);
    int rc = wf_json_begin_object(&reader);
    while (rc >= 0 && (rc = wf_json_next_member(&reader)) > 0) rc = read_head_member(&reader, head, &type);
    if (rc >= 0) rc = wf_json_read_end(&reader);
    if (rc >= 0 && (head->algorithm == NULL || (type != NULL && strcasecmp(type, "JWT") != 0))) rc = -EINVAL;
    return as_refusal(rc, "the head of the token is malformed");
}

/* NULL with a code: it is none, or there is no memory. */
static char *decode(struct wf_arena *arena, const char *text, size_t size, size_t *count, int *rc)
{
    char *bytes = *rc < 0 ? NULL : base64url_decode(arena, text, size, count);
    if (bytes == NULL && *rc == 0) *rc = wf_fail(-EACCES, "the token is malformed");
    return bytes;
}

int jwt_read_head(struct wf_arena *arena, const char *token, struct jwt_head *head)
{
    size_t size = strnlen(token, WF_JWT_MAX + 1), head_size = strcspn(token, "."), count = 0;
    if (size > WF_JWT_MAX) return wf_fail(-EACCES, "the token is too long");
    const char *claims = head_size < size ? token + head_size + 1 : "";
    size_t claims_size = strcspn(claims, ".");
    if (claims[claims_size] != '.') return wf_fail(-EACCES, "the token is malformed");
    const char *signature = claims + claims_size + 1;
    *head = (struct jwt_head){.algorithm = NULL};
    int rc = 0;
    const char *text = decode(arena, token, head_size, &count, &rc);
    head->claims = decode(arena, claims, claims_size, &head->claims_size, &rc);
    decode(arena, signature, strlen(signature), NULL, &rc);
    return rc < 0 ? rc : read_head(arena, text, count, head);
}

/* ---- What it says ---- */

enum claim { SUBJECT, ISSUER, ID, AUDIENCE, EXPIRES, NOT_BEFORE, SCOPE, SCOPE_LIST, CLAIMS };

static const char *const claim_names[CLAIMS] = {"sub", "iss", "jti", "aud", "exp", "nbf", "scope", "scp"};

struct reading {
    struct wf_json_reader reader;
    struct wf_arena *arena;
    const char *audience;
    bool is_for_us;
    unsigned seen; /* a bit for each claim */
    struct wf_jwt *jwt;
    struct jwt_times *times;
};

/* One text or a list of texts, each of which `take` gets. */
static int read_texts(struct reading *reading, int (*take)(struct reading *, const char *text))
{
    struct wf_json_reader *reader = &reading->reader;
    bool list = wf_json_peek(reader) == WF_JSON_ARRAY, more = !list;
    int rc = list ? wf_json_begin_array(reader) : 0;
    while (rc >= 0 && (more || (list && (rc = wf_json_next_item(reader)) > 0))) {
        const char *text;
        rc = wf_json_read_string(reader, &text, NULL);
        if (rc >= 0) rc = take(reading, text);
        more = false;
    }
    return rc;
}

static int take_audience(struct reading *reading, const char *text)
{
    if (reading->audience != NULL && strcmp(text, reading->audience) == 0) reading->is_for_us = true;
    return 0;
}

static int take_scope(struct reading *reading, const char *text)
{
    const char *before = reading->jwt->scopes;
    if (before[0] != '\0') text = wf_arena_printf(reading->arena, "%s %s", before, text);
    if (text == NULL) return -ENOMEM;
    reading->jwt->scopes = text;
    return 0;
}

/* A NumericDate, which may have a fraction. */
static int read_time(struct wf_json_reader *reader, double *seconds)
{
    int rc = wf_json_read_double(reader, seconds);
    return rc >= 0 && !(fabs(*seconds) < 1e15) ? -ERANGE : rc;
}

static int read_claim(struct reading *reading, enum claim claim)
{
    struct wf_json_reader *reader = &reading->reader;
    if (reading->seen & 1U << claim) return -EINVAL;
    reading->seen |= 1U << claim;
    switch (claim) {
    case SUBJECT:
        return wf_json_read_string(reader, &reading->jwt->subject, NULL);
    case ISSUER:
        return wf_json_read_string(reader, &reading->jwt->issuer, NULL);
    case ID:
        return wf_json_read_string(reader, &reading->jwt->id, NULL);
    case AUDIENCE:
        return read_texts(reading, take_audience);
    case EXPIRES:
        return read_time(reader, &reading->times->expires);
    case NOT_BEFORE:
        return read_time(reader, &reading->times->not_before);
    case SCOPE:
    case SCOPE_LIST:
        return read_texts(reading, take_scope);
    case CLAIMS:
        break;
    }
    return wf_json_skip(reader);
}

static enum claim known(const struct wf_json_reader *reader)
{
    unsigned i = 0;
    while (i < CLAIMS && !wf_json_key_is(reader, claim_names[i])) i++;
    return (enum claim)i;
}

static int read_all(struct reading *reading)
{
    struct wf_json_reader *reader = &reading->reader;
    int rc = wf_json_begin_object(reader);
    while (rc >= 0 && (rc = wf_json_next_member(reader)) > 0) {
        enum claim claim = known(reader);
        rc = claim == CLAIMS ? wf_json_skip(reader) : read_claim(reading, claim);
    }
    if (rc >= 0) rc = wf_json_read_end(reader);
    return as_refusal(rc, "the claims of the token are malformed");
}

int jwt_read_claims(struct wf_arena *arena, const struct jwt_head *head, const char *audience, struct wf_jwt *jwt,
                    struct jwt_times *times)
{
    struct reading reading = {.arena = arena, .audience = audience, .jwt = jwt, .times = times};
    *jwt = (struct wf_jwt){.scopes = "", .claims = head->claims, .claims_size = head->claims_size};
    *times = (struct jwt_times){.expires = INFINITY, .not_before = -INFINITY};
    wf_json_reader_init(&reading.reader, arena, head->claims, head->claims_size);
    int rc = read_all(&reading);
    if (rc < 0) return rc;
    bool has_audience = reading.seen & 1U << AUDIENCE;
    if ((has_audience || audience != NULL) && !reading.is_for_us)
        return wf_fail(-EACCES, "the token is for another audience");
    jwt->expires = isinf(times->expires) ? INT64_MAX : (int64_t)times->expires;
    return 0;
}
