/* Tokens: which are taken, which are refused and why, and what a request with one gets. */
#include <stdio.h>
#include <string.h>
#include <weft/jwt.h>
#include <weft/model.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "jwt_keys.h"
#include "rig.h"

/* The simulated world begins with the year 2000. */
#define BEGIN "946684800"
#define IN_AN_HOUR "946688400"
#define AN_HOUR_AGO "946681200"

static const struct wf_jwt_key secret = {.algorithm = WF_JWT_HS256, .bytes = SECRET},
                               rsa_private = {.algorithm = WF_JWT_RS256, .bytes = RSA_PRIVATE},
                               rsa_public = {.algorithm = WF_JWT_RS256, .bytes = RSA_PUBLIC},
                               ec_private = {.algorithm = WF_JWT_ES256, .bytes = EC_PRIVATE},
                               ec_public = {.algorithm = WF_JWT_ES256, .bytes = EC_PUBLIC};

static const struct {
    const char *name;
    const struct wf_jwt_key *key;
    const char *token;
} by_others[] = {
    {"HS256", &secret, HS256_BY_OTHERS},
    {"RS256", &rsa_public, RS256_BY_OTHERS},
    {"ES256", &ec_public, ES256_BY_OTHERS},
};

WF_TEST_EACH(tokens_of_another_library_are_read, by_others, .simulated = true)
{
    struct wf_jwt_options options = {.keys = {*row->key}};
    struct wf_jwt jwt = {.subject = NULL};
    int rc = wf_jwt_read(wf_task_arena(), row->token, &options, &jwt);
    WF_EXPECT_CODE(rc, 0);
    if (rc < 0) return;
    WF_EXPECT_TEXT(jwt.subject, "ada");
    WF_EXPECT_TEXT(jwt.scopes, "");
    WF_EXPECT_INT(jwt.expires, 946688400);
    WF_EXPECT(jwt.issuer == NULL && jwt.id == NULL);
}

/* ---- What is not taken ---- */

static const struct {
    const char *name;
    const struct wf_jwt_key *key;
    const char *token, *why;
} forged[] = {
    {"empty", &secret, "", "malformed"},
    {"one part", &secret, "abc", "malformed"},
    {"two parts", &secret, "abc.abc", "malformed"},
    {"four parts", &secret, HS256_BY_OTHERS ".", "malformed"},
    {"not base64url", &secret, "ab+c.abcd.abcd", "malformed"},
    {"white space", &secret, " " HS256_BY_OTHERS, "malformed"},
    {"a head that is no JSON", &secret, "abcd.abcd.abcd", "the head of the token is malformed"},
    {"not signed", &secret, NOT_SIGNED, "signed in another way"},
    {"another algorithm", &secret, HS384_BY_OTHERS, "signed in another way"},
    {"the public key as a secret", &rsa_public, SIGNED_BY_PUBLIC_KEY, "signed in another way"},
    {"by a key of another kind", &ec_public, RS256_BY_OTHERS, "signed in another way"},
    {"something critical", &secret, CRITICAL, "the head of the token is malformed"},
    {"two algorithms", &secret, TWO_ALGORITHMS, "the head of the token is malformed"},
    {"nothing but a head", &secret, "eyJhbGciOiJIUzI1NiJ9.e30.", "signature"},
    {"without a signature", &secret, "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjk0NjY4ODQwMH0.", "signature"},
};

WF_TEST_EACH(a_token_that_is_none_is_refused, forged, .simulated = true)
{
    struct wf_jwt_options options = {.keys = {*row->key}};
    struct wf_jwt jwt;
    int rc = wf_jwt_read(wf_task_arena(), row->token, &options, &jwt);
    bool refused = rc == -EACCES || rc == -ENOMEM;
    WF_EXPECT(refused);
    if (rc == -EACCES) WF_EXPECT_PART(wf_failure(), row->why);
}

WF_TEST(a_token_in_which_any_letter_is_another_is_refused, .simulated = true, .unswept = "long")
{
    struct wf_jwt_options options = {.keys = {secret}};
    struct wf_jwt jwt;
    char token[] = HS256_BY_OTHERS;
    for (size_t i = 0; i < sizeof token - 1; i++) {
        char before = token[i];
        token[i] = before == 'A' ? 'B' : 'A';
        WF_EXPECT_CODE(wf_jwt_read(wf_task_arena(), token, &options, &jwt), -EACCES);
        token[i] = before;
    }
    WF_EXPECT_CODE(wf_jwt_read(wf_task_arena(), token, &options, &jwt), 0);
}

/* Arrays in each other, before anybody has looked at the signature. */
WF_TEST(a_token_that_is_deep_or_long_does_not_reach_the_library, .simulated = true)
{
    struct wf_jwt_options options = {.keys = {secret}};
    struct wf_jwt jwt;
    char *token = wf_arena_zero(wf_task_arena(), 20000);
    if (token == NULL) return;
    strcpy(token, "eyJhbGciOiJIUzI1NiJ9.");
    while (strlen(token) < 7000) strcat(token, "W1tb"); /* [[[ */
    strcat(token, ".abcd");
    int rc = wf_jwt_read(wf_task_arena(), token, &options, &jwt);
    if (rc != -ENOMEM) WF_EXPECT_FAILURE(rc, -EACCES, "the claims of the token are malformed");
    memset(token, 'a', WF_JWT_MAX + 1);
    WF_EXPECT_FAILURE(wf_jwt_read(wf_task_arena(), token, &options, &jwt), -EACCES, "too long");
}

/* ---- Claims ---- */

static const struct {
    const char *claims;
    struct wf_jwt_options options;
    const char *why; /* NULL: it is taken */
} claims[] = {
    {"{\"exp\":" IN_AN_HOUR "}", {.issuer = NULL}, NULL},
    {"{\"exp\":946684800.5}", {.issuer = NULL}, NULL},
    {"{\"exp\":" BEGIN "}", {.issuer = NULL}, "expired"},
    {"{\"exp\":" AN_HOUR_AGO "}", {.issuer = NULL}, "expired"},
    {"{\"exp\":" AN_HOUR_AGO "}", {.leeway = WF_SECONDS(3601)}, NULL},
    {"{\"exp\":" AN_HOUR_AGO "}", {.leeway = WF_SECONDS(3600)}, "expired"},
    {"{}", {.issuer = NULL}, "no end"},
    {"{}", {.without_end = true}, NULL},
    {"{\"exp\":\"946688400\"}", {.issuer = NULL}, "malformed"},
    {"{\"exp\":1e300}", {.issuer = NULL}, "malformed"},
    {"{\"exp\":null}", {.without_end = true}, "malformed"},
    {"{\"nbf\":" BEGIN "}", {.without_end = true}, NULL},
    {"{\"nbf\":946684801}", {.without_end = true}, "not valid yet"},
    {"{\"nbf\":946684801}", {.without_end = true, .leeway = WF_SECONDS(1)}, NULL},
    {"{\"iss\":\"a\"}", {.without_end = true}, NULL},
    {"{\"iss\":\"a\"}", {.without_end = true, .issuer = "a"}, NULL},
    {"{\"iss\":\"a\"}", {.without_end = true, .issuer = "b"}, "another issuer"},
    {"{}", {.without_end = true, .issuer = "b"}, "another issuer"},
    {"{\"iss\":1}", {.without_end = true}, "malformed"},
    {"{\"aud\":\"a\"}", {.without_end = true, .audience = "a"}, NULL},
    {"{\"aud\":[\"b\",\"a\"]}", {.without_end = true, .audience = "a"}, NULL},
    {"{\"aud\":[\"b\",\"ab\"]}", {.without_end = true, .audience = "a"}, "another audience"},
    {"{\"aud\":[]}", {.without_end = true, .audience = "a"}, "another audience"},
    {"{\"aud\":\"a\"}", {.without_end = true}, "another audience"},
    {"{}", {.without_end = true, .audience = "a"}, "another audience"},
    {"{\"aud\":[1]}", {.without_end = true, .audience = "a"}, "malformed"},
    {"{\"sub\":[\"a\"]}", {.without_end = true}, "malformed"},
    {"{\"other\":[{\"a\":[1]}],\"jti\":\"x\"}", {.without_end = true}, NULL},
};

WF_TEST_EACH(what_a_token_says_decides, claims, .simulated = true)
{
    struct wf_jwt_options options = row->options;
    struct wf_jwt jwt;
    const char *token;
    options.keys[0] = secret;
    int rc = wf_jwt_make(wf_task_arena(), &secret, row->claims, &token);
    if (rc < 0) {
        WF_EXPECT_CODE(rc, 0);
        return;
    }
    rc = wf_jwt_read(wf_task_arena(), token, &options, &jwt);
    if (rc == -ENOMEM) WF_EXPECT_CODE(rc, 0);
    else if (row->why != NULL) WF_EXPECT_FAILURE(rc, -EACCES, row->why);
    else WF_EXPECT_CODE(rc, 0);
}

WF_TEST(a_token_expires_when_its_time_has_come, .simulated = true)
{
    struct wf_jwt_options options = {.keys = {secret}};
    struct wf_jwt jwt;
    const char *token;
    int rc = wf_jwt_make(wf_task_arena(), &secret, "{\"exp\":946684803}", &token);
    if (rc == 0) rc = wf_sleep(WF_SECONDS(2));
    if (rc == 0) rc = wf_jwt_read(wf_task_arena(), token, &options, &jwt);
    if (rc == 0) rc = wf_sleep(WF_SECONDS(1));
    WF_EXPECT_CODE(rc, 0);
    if (rc == 0) WF_EXPECT_FAILURE(wf_jwt_read(wf_task_arena(), token, &options, &jwt), -EACCES, "expired");
}

#define TENANT_MEMBERS(F) F(STRING, tenant) F(INT64, level)
WF_MODEL(tenant, TENANT_MEMBERS, .unknown = WF_UNKNOWN_IGNORED)

static const struct {
    const char *name;
    const struct wf_jwt_key *signs, *checks;
} pairs[] = {{"HS256", &secret, &secret}, {"RS256", &rsa_private, &rsa_public}, {"ES256", &ec_private, &ec_public}};

WF_TEST_EACH(what_is_made_can_be_read_and_its_claims_by_a_model, pairs, .simulated = true)
{
    struct wf_jwt_options options = {.keys = {*row->checks}, .without_end = true};
    struct wf_arena *arena = wf_task_arena();
    struct wf_jwt jwt;
    struct tenant tenant;
    const char *token;
    int rc = wf_jwt_make(arena, row->signs, "{\"tenant\":\"t\xc3\xa9\",\"level\":7,\"sub\":\"a\\nb\"}", &token);
    if (rc == 0) rc = wf_jwt_read(arena, token, &options, &jwt);
    if (rc == 0) rc = wf_model_parse(&tenant_model, arena, jwt.claims, jwt.claims_size, &tenant, NULL);
    WF_EXPECT_CODE(rc, 0);
    if (rc < 0) return;
    WF_EXPECT_TEXT(tenant.tenant, "t\xc3\xa9");
    WF_EXPECT_INT(tenant.level, 7);
    WF_EXPECT_TEXT(jwt.subject, "a\nb");
}

/* ---- Keys ---- */

static const struct {
    const char *name;
    struct wf_jwt_key key;
    const char *says;
} bad_keys[] = {
    {"none", {.bytes = SECRET}, "a key needs an algorithm and bytes"},
    {"no bytes", {.algorithm = WF_JWT_HS256}, "a key needs an algorithm and bytes"},
    {"a short secret", {.algorithm = WF_JWT_HS256, .bytes = "a secret of thirty-one bytes, o"}, "32 bytes"},
    {"no PEM", {.algorithm = WF_JWT_RS256, .bytes = "pem"}, "for RS256 in PEM"},
    {"a key of another kind", {.algorithm = WF_JWT_RS256, .bytes = EC_PRIVATE}, "for RS256 in PEM"},
    {"another kind", {.algorithm = WF_JWT_ES256, .bytes = RSA_PRIVATE}, "for ES256 in PEM"},
    {"the wrong half", {.algorithm = WF_JWT_RS256, .bytes = RSA_PUBLIC}, "no private key for RS256"},
    {"under a password", {.algorithm = WF_JWT_RS256, .bytes = RSA_ENCRYPTED}, "no private key for RS256"},
};

WF_TEST_EACH(a_key_that_is_none_signs_nothing, bad_keys)
{
    const char *token;
    WF_EXPECT_FAILURE(wf_jwt_make(wf_task_arena(), &row->key, "{}", &token), -EKEYREJECTED, row->says);
}

WF_TEST(a_key_that_is_none_is_no_fault_of_the_token, .simulated = true)
{
    struct wf_jwt jwt;
    struct wf_jwt_options wrong = {.keys = {{.algorithm = WF_JWT_ES256, .bytes = EC_384_PUBLIC}}},
                          half = {.keys = {{.algorithm = WF_JWT_RS256, .bytes = RSA_PRIVATE}}};
    int rc = wf_jwt_read(wf_task_arena(), ES256_BY_OTHERS, &wrong, &jwt);
    if (rc != -ENOMEM) WF_EXPECT_FAILURE(rc, -EKEYREJECTED, "no public key for ES256");
    rc = wf_jwt_read(wf_task_arena(), RS256_BY_OTHERS, &half, &jwt);
    if (rc != -ENOMEM) WF_EXPECT_FAILURE(rc, -EKEYREJECTED, "no public key for RS256");
}

WF_TEST(claims_that_are_none_are_not_signed)
{
    const char *token;
    static const char *const none[] = {"", "1", "[]", "{\"a\":}", "{} {}"};
    for (size_t i = 0; i < WF_COUNT(none); i++)
        WF_EXPECT_CODE(wf_jwt_make(wf_task_arena(), &secret, none[i], &token), -EINVAL);
    char *large = wf_arena_zero(wf_task_arena(), WF_JWT_MAX + 1);
    if (large == NULL) return;
    memset(large, ' ', WF_JWT_MAX);
    sprintf(large, "{\"a\":\"%6500s\"}", "");
    WF_EXPECT_CODE(wf_jwt_make(wf_task_arena(), &secret, large, &token), -EMSGSIZE);
}

WF_TEST(an_old_and_a_new_key_are_tried_by_name_or_in_order, .simulated = true)
{
    static const struct wf_jwt_key old = {.algorithm = WF_JWT_HS256, .bytes = "an old secret of the same length"},
                                   named = {.id = "two", .algorithm = WF_JWT_HS256, .bytes = SECRET};
    struct wf_jwt_options both = {.keys = {old, secret}}, only_old = {.keys = {old}}, other = {.keys = {named}};
    struct wf_arena *arena = wf_task_arena();
    struct wf_jwt jwt;
    const char *token;
    int rc = wf_jwt_read(arena, HS256_BY_OTHERS, &both, &jwt);
    if (rc == 0) rc = wf_jwt_make(arena, &named, "{\"exp\":" IN_AN_HOUR "}", &token);
    if (rc == 0) rc = wf_jwt_read(arena, token, &other, &jwt);
    if (rc == 0) rc = wf_jwt_read(arena, token, &both, &jwt);
    WF_EXPECT_CODE(rc, 0);
    if (rc < 0) return;
    WF_EXPECT_FAILURE(wf_jwt_read(arena, HS256_BY_OTHERS, &only_old, &jwt), -EACCES, "signature");
    WF_EXPECT_FAILURE(wf_jwt_read(arena, HS256_BY_OTHERS, &other, &jwt), -EACCES, "no key is known");
}

static int find(const char *id, struct wf_jwt_key *key, void *arg)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc < 0) return rc;
    if (arg != NULL) return wf_fail(-ENOTCONN, "the issuer is not there");
    if (id == NULL || strcmp(id, "one") != 0) return -ENOENT;
    *key = rsa_public;
    return 0;
}

WF_TEST(a_key_may_be_found_by_its_name, .simulated = true)
{
    struct wf_jwt_options options = {.find_key = find}, failing = {.find_key = find, .find_key_arg = &options};
    struct wf_arena *arena = wf_task_arena();
    struct wf_jwt jwt;
    int rc = wf_jwt_read(arena, RS256_BY_OTHERS, &options, &jwt);
    WF_EXPECT_CODE(rc, 0);
    if (rc < 0) return;
    WF_EXPECT_FAILURE(wf_jwt_read(arena, HS256_BY_OTHERS, &options, &jwt), -EACCES, "no key is known");
    WF_EXPECT_CODE(wf_jwt_read(arena, RS256_BY_OTHERS, &failing, &jwt), -ENOTCONN);
}

/* ---- Requests ---- */

static const struct wf_jwt_options tokens = {.keys = {{.algorithm = WF_JWT_HS256, .bytes = SECRET}}, .realm = "orders"},
                                   broken = {.keys = {{.algorithm = WF_JWT_HS256, .bytes = "short"}}};
static const struct wf_dependency token_dependency = WF_JWT(&tokens), broken_dependency = WF_JWT(&broken);

static int show_subject(struct wf_request *request)
{
    const struct wf_jwt *jwt;
    int rc = wf_depend(request, &token_dependency, &jwt);
    return rc < 0 ? rc : wf_reply_text(request, 200, jwt->subject);
}

static const struct {
    const char *name, *path, *claims, *statuses, *challenge, *body;
} requests[] = {
    {"good", "/", "{\"sub\":\"ada\",\"exp\":" IN_AN_HOUR "}", "200 ", "", "\r\n\r\nada"},
    {"no token", "/", NULL, "401 ", "WWW-Authenticate: Bearer realm=\"orders\"\r\n", "a token is needed"},
    {"expired", "/", "{\"exp\":" AN_HOUR_AGO "}", "401 ",
     "WWW-Authenticate: Bearer realm=\"orders\", error=\"invalid_token\", "
     "error_description=\"the token has expired\"\r\n",
     "{\"detail\":\"the token has expired\"}"},
    {"its scopes", "/orders", "{\"sub\":\"ada\",\"exp\":" IN_AN_HOUR ",\"scope\":\"x write read\"}", "200 ", "", "ada"},
    {"a list of them", "/orders", "{\"sub\":\"ada\",\"exp\":" IN_AN_HOUR ",\"scp\":[\"read\",\"write\"]}", "200 ", "",
     "ada"},
    {"a scope is missing", "/orders", "{\"sub\":\"ada\",\"exp\":" IN_AN_HOUR ",\"scope\":\"reader write\"}", "403 ",
     "WWW-Authenticate: Bearer realm=\"orders\", error=\"insufficient_scope\", "
     "error_description=\"the token does not have the scopes\", scope=\"read write\"\r\n",
     "{\"detail\":\"the token does not have the scopes\"}"},
    {"a key that is none", "/broken", "{\"exp\":" IN_AN_HOUR "}", "500 ", "", "Internal Server Error"},
};

WF_TEST_EACH(a_request_with_a_token_gets_what_the_token_is_for, requests, .simulated = true)
{
    struct wf_app app = {.title = "jwt"};
    struct exchange_log log;
    char text[1024];
    const char *token = NULL;
    int rc = row->claims != NULL ? wf_jwt_make(wf_task_arena(), &secret, row->claims, &token) : 0;
    WF_EXPECT_CODE(rc, 0);
    if (rc < 0) return;
    wf_route(&app, WF_GET, "/", show_subject);
    wf_route(&app, WF_GET, "/orders", show_subject, .needs = {&token_dependency}, .scopes = "read write");
    wf_route(&app, WF_GET, "/broken", show_subject, .needs = {&broken_dependency});
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: a\r\n%s%s%s\r\n", row->path,
             token != NULL ? "Authorization: Bearer " : "", token != NULL ? token : "", token != NULL ? "\r\n" : "");
    ask(&log, &app, text);
    WF_EXPECT_TEXT(log.statuses, row->statuses);
    WF_EXPECT_PART(log.size > 0 ? log.bytes : "", row->challenge);
    WF_EXPECT_PART(log.size > 0 ? log.bytes : "", row->body);
    wf_app_finish(&app);
}

WF_TEST_MAIN
