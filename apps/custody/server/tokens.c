/*
 * Bearer tokens, and those of them that were found good: the same one comes with each request of a program, and its
 * signature need not be looked at again until it ends.
 */
#include <string.h>

#include "server.h"

enum { SEEN_MAX = 64, TOKEN_KEPT = 1024, SUBJECT_KEPT = 128, SCOPES_KEPT = 256 };

struct seen {
    char token[TOKEN_KEPT]; /* "": the place is free */
    char subject[SUBJECT_KEPT], scopes[SCOPES_KEPT];
    int64_t expires; /* seconds since 1970 */
};

struct tokens {
    struct seen seen[SEEN_MAX];
};

int tokens_create(struct sandbox *sandbox)
{
    sandbox->tokens = wf_arena_zero(&sandbox->arena, sizeof *sandbox->tokens);
    return sandbox->tokens != NULL ? 0 : -ENOMEM;
}

/* FNV-1a over its end, which is the signature. */
static struct seen *place_of(struct tokens *tokens, const char *token, size_t size)
{
    uint32_t hash = 2166136261U;
    for (size_t i = size > 16 ? size - 16 : 0; i < size; i++) hash = (hash ^ (unsigned char)token[i]) * 16777619U;
    return &tokens->seen[hash % SEEN_MAX];
}

/* Only the signature is a secret, which must not be found out by how long it takes. */
static bool is_same(const char *one, const char *other)
{
    const char *signature = strrchr(one, '.');
    size_t said = signature != NULL ? (size_t)(signature - one) : 0;
    return said > 0 && strncmp(one, other, said) == 0 && wf_same_secret(one + said, other + said);
}

static bool is_good(const struct seen *seen, const char *token)
{
    return is_same(seen->token, token) && wf_wall_now() / WF_SECONDS(1) < seen->expires;
}

/* What is too long to be kept is read each time. */
static void keep(struct seen *seen, const char *token, const struct wf_jwt *jwt)
{
    if (strlen(token) >= TOKEN_KEPT || strlen(jwt->subject) >= SUBJECT_KEPT || strlen(jwt->scopes) >= SCOPES_KEPT)
        return;
    strcpy(seen->token, token);
    strcpy(seen->subject, jwt->subject);
    strcpy(seen->scopes, jwt->scopes);
    seen->expires = jwt->expires;
}

int tokens_read(struct sandbox *sandbox, struct wf_arena *arena, const char *token, struct bearer *bearer)
{
    struct seen *seen = place_of(sandbox->tokens, token, strlen(token));
    if (token[0] != '\0' && is_good(seen, token)) {
        *bearer = (struct bearer){.subject = seen->subject, .scopes = seen->scopes};
        return 0;
    }
    struct wf_jwt jwt;
    int rc = wf_jwt_read(arena, token, &sandbox->jwt, &jwt);
    if (rc < 0) return rc;
    if (jwt.subject == NULL || jwt.subject[0] == '\0') return wf_fail(-EACCES, "the token has no subject");
    keep(seen, token, &jwt);
    *bearer = (struct bearer){.subject = jwt.subject, .scopes = jwt.scopes};
    return 0;
}
