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

struct jwt_times {
    double expires, not_before; /* seconds since 1970 */
};

/*
 * What the claims say, of which each may come once. `audience` has to be among theirs; NULL: there may be none.
 * Codes as above.
 */
int jwt_read_claims(struct wf_arena *arena, const struct jwt_head *head, const char *audience, struct wf_jwt *jwt,
                    struct jwt_times *times);

#endif
