/*
 * Tokens: a text as one, which nobody has signed and nobody may take; and a head and claims, between them a line's end,
 * which are signed, so that all behind the signature is reached.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>
#include <weft/jwt.h>
#include <weft/weft.h>

#include "fuzz.h"

/* The target signs by itself: a token that nobody made is what has to be tried. */
#include "http/base64url.h"

enum { TEXT_MAX = 4096 };

static const char secret[] = "a secret of thirty-two bytes, ok", other[] = "another one of thirty-two bytes.";

struct text {
    const char *bytes;
    size_t size;
};

static int read_with(const char *token, const char *with, const char *audience, struct wf_jwt *jwt)
{
    struct wf_jwt_options options = {.keys = {{.algorithm = WF_JWT_HS256, .bytes = with}},
                                     .audience = audience,
                                     .without_end = true};
    int rc = wf_jwt_read(wf_task_arena(), token, &options, jwt);
    CLAIM(rc == 0 || rc == -EACCES);
    return rc;
}

static const char *sign(const struct text *head, const struct text *claims)
{
    struct wf_arena *arena = wf_task_arena();
    unsigned char signature[32];
    unsigned size = sizeof signature;
    char *text = wf_arena_printf(arena, "%s.%s", base64url_encode(arena, head->bytes, head->size),
                                 base64url_encode(arena, claims->bytes, claims->size));
    CLAIM(HMAC(EVP_sha256(), secret, sizeof secret - 1, (unsigned char *)text, strlen(text), signature, &size) != NULL);
    return wf_arena_printf(arena, "%s.%s", text, base64url_encode(arena, signature, size));
}

static void read_signed(const struct text *head, const struct text *claims)
{
    struct wf_jwt jwt, again;
    const char *token = sign(head, claims);
    int rc = read_with(token, secret, "us", &jwt);
    CLAIM(rc == read_with(token, secret, "us", &again));
    CLAIM(read_with(token, other, "us", &again) < 0);
    if (rc < 0) return;
    CLAIM(memmem(head->bytes, head->size, "HS256", 5) != NULL || memchr(head->bytes, '\\', head->size) != NULL);
    CLAIM(jwt.claims_size == claims->size && memcmp(jwt.claims, claims->bytes, claims->size) == 0);
    CLAIM(wf_jwt_has_scopes(&jwt, jwt.scopes) && wf_jwt_has_scopes(&jwt, ""));
}

static int read_all(struct text *text)
{
    struct wf_jwt jwt;
    const char *line = memchr(text->bytes, '\n', text->size);
    CLAIM(read_with(text->bytes, other, NULL, &jwt) < 0);
    if (line == NULL) return 0;
    struct text head = {.bytes = text->bytes, .size = (size_t)(line - text->bytes)};
    struct text claims = {.bytes = line + 1, .size = text->size - head.size - 1};
    read_signed(&head, &claims);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static char copy[TEXT_MAX + 1];
    if (size > TEXT_MAX) return 0;
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    struct text text = {.bytes = copy, .size = size};
    CLAIM(wf_run(read_all, &text, .driver = "sim") == 0);
    return 0;
}
