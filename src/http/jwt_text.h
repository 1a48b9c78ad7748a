/* JSON Web Tokens as texts: their parts and what stands in them. Nothing here knows of keys. */
#ifndef WEFT_HTTP_JWT_TEXT_H
#define WEFT_HTTP_JWT_TEXT_H

#include <weft/jwt.h>

struct jwt_head {
    const char *algorithm; /* as it is named there */
    const char *id;        /* "kid"; NULL: none */
    const char *claims;    /* decoded, not yet looked at */
    size_t claims_size;
};

/* -EACCES, with a message, for what is no token; -ENOMEM. */
int jwt_read_head(struct wf_arena *arena, const char *token, struct jwt_head *head);

/* What is checked once it is known whose word it is. */
struct jwt_terms {
    double expires, not_before; /* seconds since 1970 */
    bool for_others;            /* `audience` is not among theirs, or is NULL where there is one */
};

/* What the claims say, of which each may come once. Codes as above. */
int jwt_read_claims(struct wf_arena *arena, const struct jwt_head *head, const char *audience, struct wf_jwt *jwt,
                    struct jwt_terms *terms);

#endif
