/* JSON Web Tokens: whose they are, whether they hold, and making them. */
#include <jwt.h>
#include <math.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/json.h>
#include <weft/jwt.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/jwt_text.h"
#include "http/security.h"

enum { SECRET_MIN = 32 }; /* RFC 7518 section 3.2 */

static const struct {
    const char *name;
    jwt_alg_t theirs;
    int kind;
} algorithms[] = {
    [WF_JWT_HS256] = {"HS256", JWT_ALG_HS256, EVP_PKEY_NONE},
    [WF_JWT_RS256] = {"RS256", JWT_ALG_RS256, EVP_PKEY_RSA},
    [WF_JWT_ES256] = {"ES256", JWT_ALG_ES256, EVP_PKEY_EC},
};

const struct wf_security_scheme wf_jwt_scheme = {.name = "bearer",
                                                 .kind = WF_SECURITY_HTTP,
                                                 .scheme = "bearer",
                                                 .bearer_format = "JWT"};

/* ---- Keys ---- */

static size_t size_of(const struct wf_jwt_key *key)
{
    return key->size > 0 ? key->size : strlen(key->bytes);
}

/* A key that is encrypted would be asked for at the terminal. */
static int no_password(char *password, int room, int writing, void *unused)
{
    (void)password, (void)room, (void)writing, (void)unused;
    return -1;
}

static bool is_pem(const struct wf_jwt_key *key, bool signs)
{
    BIO *bio = BIO_new_mem_buf(key->bytes, (int)size_of(key));
    EVP_PKEY *read = NULL;
    if (bio != NULL)
        read = signs ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL)
                     : PEM_read_bio_PUBKEY(bio, NULL, no_password, NULL);
    bool fits = read != NULL && EVP_PKEY_get_base_id(read) == algorithms[key->algorithm].kind &&
                (key->algorithm != WF_JWT_ES256 || EVP_PKEY_get_bits(read) == 256);
    EVP_PKEY_free(read);
    BIO_free(bio);
    ERR_clear_error(); /* else TLS on this thread finds it */
    return fits;
}

static int check_key(const struct wf_jwt_key *key)
{
    bool known = key->algorithm == WF_JWT_HS256 || key->algorithm == WF_JWT_RS256 || key->algorithm == WF_JWT_ES256;
    if (!known || key->bytes == NULL) return wf_fail(-EKEYREJECTED, "a key needs an algorithm and bytes");
    if (key->algorithm == WF_JWT_HS256 && size_of(key) < SECRET_MIN)
        return wf_fail(-EKEYREJECTED, "a secret for HS256 has %d bytes at least", SECRET_MIN);
    return 0;
}

static int refuse_pem(const struct wf_jwt_key *key, bool signs)
{
    return wf_fail(-EKEYREJECTED, "the key is no %s key for %s in PEM", signs ? "private" : "public",
                   algorithms[key->algorithm].name);
}

/* ---- The signature ---- */

/* 0: it is this key's; -EKEYREJECTED: the key is none, which is looked at when it does not fit only. */
static int check_signature(const char *token, const struct wf_jwt_key *key)
{
    jwt_t *decoded = NULL;
    int code = jwt_decode(&decoded, token, (const unsigned char *)key->bytes, (int)size_of(key));
    bool holds = code == 0 && jwt_get_alg(decoded) == algorithms[key->algorithm].theirs;
    if (decoded != NULL) jwt_free(decoded);
    ERR_clear_error();
    if (holds || code == ENOMEM) return holds ? 0 : -ENOMEM;
    if (key->algorithm != WF_JWT_HS256 && !is_pem(key, false)) return refuse_pem(key, false);
    return wf_fail(-EACCES, "the signature of the token is wrong");
}

static int try_key(const char *token, const struct jwt_head *head, const struct wf_jwt_key *key)
{
    int rc = check_key(key);
    if (rc < 0) return rc;
    if (strcmp(head->algorithm, algorithms[key->algorithm].name) != 0)
        return wf_fail(-EACCES, "the token is signed in another way than is taken here");
    return check_signature(token, key);
}

static bool is_meant(const struct wf_jwt_key *key, const struct jwt_head *head)
{
    return key->id == NULL || (head->id != NULL && strcmp(key->id, head->id) == 0);
}

static int try_keys(const char *token, const struct jwt_head *head, const struct wf_jwt_options *options)
{
    int rc = wf_fail(-EACCES, "no key is known for the token");
    for (unsigned i = 0; i < WF_JWT_KEYS_MAX && rc == -EACCES; i++) {
        const struct wf_jwt_key *key = &options->keys[i];
        if (key->algorithm == WF_JWT_NONE_) break;
        if (is_meant(key, head)) rc = try_key(token, head, key);
    }
    return rc;
}

static int find_key(const char *token, const struct jwt_head *head, const struct wf_jwt_options *options)
{
    if (options->find_key == NULL) return try_keys(token, head, options);
    struct wf_jwt_key key = {.id = NULL};
    int rc = options->find_key(head->id, &key, options->find_key_arg);
    if (rc == -ENOENT) return wf_fail(-EACCES, "no key is known for the token");
    return rc < 0 ? rc : try_key(token, head, &key);
}

/* ---- The claims ---- */

static int check_claims(const struct wf_jwt *jwt, const struct jwt_terms *terms, const struct wf_jwt_options *options)
{
    double now = (double)wf_wall_now() / 1e9, leeway = (double)options->leeway / 1e9;
    if (terms->for_others) return wf_fail(-EACCES, "the token is for another audience");
    if (isinf(terms->expires) && !options->without_end) return wf_fail(-EACCES, "the token has no end");
    if (now >= terms->expires + leeway) return wf_fail(-EACCES, "the token has expired");
    if (now + leeway < terms->not_before) return wf_fail(-EACCES, "the token is not valid yet");
    if (options->issuer != NULL && (jwt->issuer == NULL || strcmp(jwt->issuer, options->issuer) != 0))
        return wf_fail(-EACCES, "the token is of another issuer");
    return 0;
}

int wf_jwt_read(struct wf_arena *arena, const char *token, const struct wf_jwt_options *options, struct wf_jwt *jwt)
{
    struct jwt_head head;
    struct jwt_terms terms = {.expires = 0};
    int rc = wf_checkpoint();
    if (rc == 0) rc = jwt_read_head(arena, token, &head);
    if (rc == 0) rc = jwt_read_claims(arena, &head, options->audience, jwt, &terms);
    if (rc == 0) rc = find_key(token, &head, options);
    return rc < 0 ? rc : check_claims(jwt, &terms, options);
}

/* ---- Scopes ---- */

static bool has_scope(const char *scopes, const char *wanted, size_t size)
{
    for (const char *at = scopes; *at != '\0'; at += strspn(at, " ")) {
        size_t length = strcspn(at, " ");
        if (length == size && memcmp(at, wanted, size) == 0) return true;
        at += length;
    }
    return false;
}

bool wf_jwt_has_scopes(const struct wf_jwt *jwt, const char *scopes)
{
    for (const char *at = scopes + strspn(scopes, " "); *at != '\0'; at += strspn(at, " ")) {
        size_t size = strcspn(at, " ");
        if (!has_scope(jwt->scopes, at, size)) return false;
        at += size;
    }
    return true;
}

/* ---- Of a request ---- */

int wf_require_jwt(struct wf_request *request, const struct wf_jwt_options *options, struct wf_jwt *jwt)
{
    const char *realm = options->realm != NULL ? options->realm : "api", *token;
    int rc = wf_require_bearer(request, realm, &token);
    if (rc < 0) return rc;
    rc = wf_jwt_read(wf_request_arena(request), token, options, jwt);
    if (rc == -EACCES) return refuse_token(request, realm, "invalid_token", wf_failure(), NULL);
    const char *scopes = wf_request_scopes(request);
    if (rc < 0 || wf_jwt_has_scopes(jwt, scopes)) return rc;
    return refuse_token(request, realm, "insufficient_scope", "the token does not have the scopes", scopes);
}

int wf_open_jwt_(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    struct wf_jwt *jwt = wf_arena_new(wf_request_arena(request), struct wf_jwt);
    *value = jwt;
    return jwt == NULL ? -ENOMEM : wf_require_jwt(request, self->arg, jwt);
}

/* ---- Making ---- */

static int check_object(struct wf_arena *arena, const char *claims)
{
    struct wf_json_reader reader;
    wf_json_reader_init(&reader, arena, claims, strlen(claims));
    int rc = wf_json_peek(&reader) == WF_JSON_OBJECT ? wf_json_skip(&reader) : -EINVAL;
    if (rc >= 0) rc = wf_json_read_end(&reader);
    return rc >= 0 || rc == -ENOMEM ? rc : wf_fail(-EINVAL, "the claims of a token are an object of JSON");
}

static int fill(jwt_t *made, const struct wf_jwt_key *key, const char *claims)
{
    int code =
        jwt_set_alg(made, algorithms[key->algorithm].theirs, (const unsigned char *)key->bytes, (int)size_of(key));
    if (code == 0) code = jwt_add_grants_json(made, claims);
    if (code == 0 && key->id != NULL) code = jwt_add_header(made, "kid", key->id);
    if (code == 0 || code == ENOMEM) return -code;
    return wf_fail(-EINVAL, "the claims of a token are an object of JSON");
}

static int encode(jwt_t *made, struct wf_arena *arena, const char **token)
{
    char *text = jwt_encode_str(made);
    if (text == NULL) return wf_fail(-EKEYREJECTED, "the token cannot be signed with the key");
    *token = strlen(text) <= WF_JWT_MAX ? wf_arena_strdup(arena, text) : "";
    free(text);
    if (*token == NULL) return -ENOMEM;
    return **token == '\0' ? wf_fail(-EMSGSIZE, "a token has %d bytes at most", WF_JWT_MAX) : 0;
}

int wf_jwt_make(struct wf_arena *arena, const struct wf_jwt_key *key, const char *claims, const char **token)
{
    int rc = check_key(key);
    if (rc == 0) rc = check_object(arena, claims);
    if (rc < 0) return rc;
    if (key->algorithm != WF_JWT_HS256 && !is_pem(key, true)) return refuse_pem(key, true);
    jwt_t *made = NULL;
    if (jwt_new(&made) != 0) return -ENOMEM;
    rc = fill(made, key, claims);
    if (rc == 0) rc = encode(made, arena, token);
    jwt_free(made);
    return rc;
}
