/* The API's rules of form: who may ask, in which order things are looked at, what errors look like. The numbers are
 * those of the settled points that the API was agreed on by. */
#include <stdio.h>
#include <string.h>

#include "api_rig.h"

#pragma GCC diagnostic ignored "-Wmissing-field-initializers" /* a row says what matters to it */

#define LONG_TEXT_50 "12345678901234567890123456789012345678901234567890"
#define LONG_TEXT_200 LONG_TEXT_50 LONG_TEXT_50 LONG_TEXT_50 LONG_TEXT_50
#define AUTH_BODY(vin, person)                                                                                         \
    "{\"vin\":\"" vin "\",\"origin\":\"a\",\"destination\":\"b\",\"person_identity_key\":\"" person                    \
    "\",\"authorized_by\":\"c\",\"make_model\":\"d\"}"
#define TRANSFER_BODY(vin, type, credential, location)                                                                 \
    "{\"vin\":\"" vin "\",\"transfer_type\":\"" type "\",\"credential_id\":\"" credential                              \
    "\",\"location_id\":\"" location "\"}"
#define CODE(code) "{\"error\":{\"code\":\"" code "\","
#define LOC(loc) "{\"loc\":\"" loc "\","
#define NO_TOKEN .without_token = true

/* One request to a sandbox as it begins, and what is in the answer's body. */
static const struct settled {
    const char *name;
    struct asked asked;
    int status;
    const char *parts[3];
} settled[] = {
    /* Where things are */
    {"1: health", {"GET", "/healthz", NO_TOKEN}, 200, {"{\"status\":\"ok\"}"}},
    {"1: health at the root", {"GET", "//healthz", NO_TOKEN}, 200, {"{\"status\":\"ok\"}"}},
    {"1: the description at the root", {"GET", "//openapi.json", NO_TOKEN}, 200, {"\"openapi\":\"3.1.0\""}},
    {"1: metrics at the root", {"GET", "//metrics", NO_TOKEN}, 200, {"# TYPE custody_checks_in_flight gauge"}},
    {"1: only these at the root", {"GET", "//authorizations", NO_TOKEN}, 404, {CODE("not_found")}},

    /* Order */
    {"6: no such path, before the token", {"GET", "/nowhere", NO_TOKEN}, 404, {CODE("not_found")}},
    {"6: no such path, before the body", {"POST", "/nowhere", "{", NO_TOKEN}, 404, {CODE("not_found")}},
    {"6: no such method, before the token", {"DELETE", "/authorizations", NO_TOKEN}, 405, {CODE("method_not_allowed")}},
    {"6: the token before the form", {"POST", "/authorizations", NULL, NO_TOKEN}, 401, {CODE("missing_token")}},
    {"6: 415 before 400",
     {"POST", "/authorizations", "{", {{"Content-Type", "text/plain"}}},
     415,
     {CODE("unsupported_media_type")}},
    {"6: 400 before 422",
     {"POST", "/authorizations", "{", {{"Idempotency-Key", "a b"}}},
     400,
     {CODE("malformed_json")}},
    {"6: 400 before 422, of a cursor", {"GET", "/authorizations?limit=0&cursor=x"}, 400, {CODE("bad_cursor")}},
    {"6: 422 before 404", {"POST", "/authorizations/AUTH-99999999:approve", "{}"}, 422, {CODE("validation_failed")}},
    {"6: 404 last", {"POST", "/authorizations/AUTH-99999999:approve", "{\"by\":\"x\"}"}, 404, {CODE("not_found")}},

    /* Fields */
    {"8: of a path", {"GET", "/releasability/BAD"}, 422, {CODE("invalid_vin"), "\"fields\":[" LOC("path.vin")}},
    {"8: of a query", {"GET", "/authorizations?limit=0"}, 422, {CODE("validation_failed"), LOC("query.limit")}},
    {"8: of a body", {"POST", "/authorizations/AUTH-12345678:approve", "{}"}, 422, {LOC("body.by")}},
    {"8: of a list",
     {"POST", "/releasability:batch", "{\"vins\":[\"" RELEASABLE "\",1,true]}"},
     422,
     {CODE("validation_failed"), LOC("body.vins.1"), LOC("body.vins.2")}},
    {"8: of a field",
     {"POST", "/authorizations", AUTH_BODY(RELEASABLE, "p"), {{"Idempotency-Key", "a b"}}},
     422,
     {CODE("validation_failed"), LOC("header.Idempotency-Key")}},
    {"8: a body that is no object", {"POST", "/authorizations", "[]"}, 422, {CODE("validation_failed"), LOC("body")}},
    {"8: all that is wrong",
     {"POST", "/transfers", "{\"vin\":\"x\",\"transfer_type\":\"x\",\"location_id\":\"x\"}"},
     422,
     {LOC("body.vin"), LOC("body.credential_id"), LOC("body.location_id")}},
    {"8: of path and query together", {"GET", "/releasability/BAD?x=1"}, 422, {LOC("path.vin"), LOC("query.x")}},
    {"9: a VIN", {"POST", "/authorizations", AUTH_BODY("bad vin", "p")}, 422, {CODE("invalid_vin"), "\\\"bad vin\\\""}},
    {"9: a location",
     {"POST", "/transfers", TRANSFER_BODY(OTHER, "PICKUP", "AUTH-12345678", "LOC-X-Y")},
     422,
     {CODE("unknown_location")}},
    {"9: a type",
     {"POST", "/transfers", TRANSFER_BODY(OTHER, "pickup", "AUTH-12345678", ATLANTA)},
     422,
     {CODE("unknown_transfer_type")}},
    {"9: two",
     {"POST", "/transfers", TRANSFER_BODY("x", "pickup", "AUTH-12345678", ATLANTA)},
     422,
     {CODE("validation_failed"), LOC("body.vin"), LOC("body.transfer_type")}},
    {"9: a VIN that is no text", {"POST", "/releasability:batch", "{\"vins\":[5]}"}, 422, {CODE("validation_failed")}},
    {"9: a VIN that is missing",
     {"POST", "/authorizations",
      "{\"origin\":\"a\",\"destination\":\"b\","
      "\"person_identity_key\":\"c\",\"authorized_by\":\"d\",\"make_model\":\"e\"}"},
     422,
     {CODE("validation_failed"), LOC("body.vin")}},
    {"10: an unknown member",
     {"POST", "/authorizations/AUTH-12345678:cancel", "{\"by\":\"a\",\"to\":1}"},
     422,
     {LOC("body.to")}},
    {"10: an unknown parameter", {"GET", "/authorizations?vim=" RELEASABLE}, 422, {LOC("query.vim")}},
    {"10: where there are none", {"GET", "/releasability/" RELEASABLE "?fresh"}, 422, {LOC("query.fresh")}},
    {"10: of a POST", {"POST", "/authorizations?dry=1", AUTH_BODY(RELEASABLE, "p")}, 422, {LOC("query.dry")}},
    {"10: twice", {"GET", "/authorizations?limit=5&limit=5"}, 422, {LOC("query.limit")}},
    {"10: twice, once empty", {"GET", "/authorizations?limit=&limit=5"}, 422, {LOC("query.limit")}},
    {"10: twice, a text", {"GET", "/authorizations?vin=" RELEASABLE "&vin=" RELEASABLE}, 422, {LOC("query.vin")}},
    {"10: twice, and unknown", {"GET", "/healthz?a=1&a=1"}, 422, {LOC("query.a")}},
    {"10: a number in quotes",
     {"POST", "/_sandbox/faults", "{\"path\":\"/a\",\"status\":\"503\"}"},
     422,
     {LOC("body.status")}},
    {"10: a text for a truth",
     {"POST", "/transfers",
      "{\"vin\":\"" OTHER "\",\"transfer_type\":\"PICKUP\",\"credential_id\":"
      "\"AUTH-12345678\",\"location_id\":\"" ATLANTA "\",\"async\":\"true\"}"},
     422,
     {LOC("body.async")}},
    {"11: all are required",
     {"POST", "/authorizations", "{}"},
     422,
     {LOC("body.vin"), LOC("body.person_identity_key"), LOC("body.make_model")}},
    {"11: not empty", {"POST", "/authorizations", AUTH_BODY(RELEASABLE, "")}, 422, {LOC("body.person_identity_key")}},
    {"11: 200 characters", {"POST", "/authorizations", AUTH_BODY(RELEASABLE, LONG_TEXT_200)}, 201, {LONG_TEXT_200}},
    {"11: 201 characters",
     {"POST", "/authorizations", AUTH_BODY(RELEASABLE, LONG_TEXT_200 "1")},
     422,
     {LOC("body.person_identity_key")}},
    {"11: characters, not bytes",
     {"POST", "/authorizations",
      AUTH_BODY(RELEASABLE,
                "\u00e9" LONG_TEXT_50 LONG_TEXT_50 LONG_TEXT_50 "1234567890123456789012345678901234567890123456789")},
     201,
     {"\u00e9"}},

    /* Bodies */
    {"12: not UTF-8", {"POST", "/authorizations", "{\"vin\":\"\xff\"}"}, 400, {CODE("malformed_json")}},
    {"12: trailing text", {"POST", "/authorizations", "{} {}"}, 400, {CODE("malformed_json")}},
    {"12: a key twice", {"POST", "/authorizations", "{\"vin\":\"a\",\"vin\":\"a\"}"}, 400, {CODE("malformed_json")}},
    {"12: a key twice, escaped",
     {"POST", "/authorizations", "{\"vin\":1,\"\\u0076in\":1}"},
     400,
     {CODE("malformed_json")}},
    {"12: a key twice, within",
     {"POST", "/authorizations", "{\"x\":[{\"a\":1,\"a\":2}]}"},
     400,
     {CODE("malformed_json")}},
    {"12: no number", {"POST", "/authorizations", "{\"vin\":NaN}"}, 400, {CODE("malformed_json")}},
    {"12: empty", {"POST", "/authorizations", ""}, 400, {CODE("malformed_json")}},
    {"12: too deep",
     {"POST", "/authorizations", "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"},
     400,
     {CODE("malformed_json")}},
    {"12: U+0000", {"POST", "/authorizations", "{\"vin\":\"\\u0000\"}"}, 400, {CODE("malformed_json")}},
    {"12: half a pair", {"POST", "/authorizations", "{\"vin\":\"\\ud800\"}"}, 400, {CODE("malformed_json")}},
    {"12: a mark of byte order", {"POST", "/authorizations", "\xef\xbb\xbf{}"}, 400, {CODE("malformed_json")}},
    {"13: no type", {"POST", "/authorizations", "{}", {{"Content-Type", NULL}}}, 415, {CODE("unsupported_media_type")}},
    {"13: another type",
     {"POST", "/authorizations", "{}", {{"Content-Type", "application/problem+json"}}},
     415,
     {CODE("unsupported_media_type")}},
    {"13: a type that begins so",
     {"POST", "/authorizations", "{}", {{"Content-Type", "application/jsonx"}}},
     415,
     {""}},
    {"13: with a parameter",
     {"POST", "/authorizations", "{}", {{"Content-Type", "Application/JSON ; charset=utf-8"}}},
     422,
     {""}},
    {"13: of a decision",
     {"POST", "/authorizations/AUTH-12345678:cancel", "by=x", {{"Content-Type", "application/x-www-form-urlencoded"}}},
     415,
     {""}},
    {"13: no body, no type", {"POST", "/authorizations/AUTH-12345678:cancel"}, 415, {CODE("unsupported_media_type")}},

    /* Methods */
    {"14: HEAD of health", {"HEAD", "/healthz", NO_TOKEN}, 200, {""}},
    {"14: HEAD of a check", {"HEAD", "/releasability/" RELEASABLE}, 200, {""}},
    {"14: HEAD needs a token", {"HEAD", "/releasability/" RELEASABLE, NO_TOKEN}, 401, {""}},
    {"14: not of events", {"HEAD", "/events"}, 405, {""}},
    {"14: OPTIONS without a token", {"OPTIONS", "/authorizations", NO_TOKEN}, 204, {""}},

    /* VINs */
    {"18: small letters", {"GET", "/releasability/9hgbh41jxmn999999"}, 200, {"\"vin\":\"" RELEASABLE "\""}},
    {"18: nothing is trimmed", {"GET", "/releasability/%20" RELEASABLE}, 422, {CODE("invalid_vin")}},
    {"18: only ASCII", {"GET", "/releasability/9HGBH41JXMN99999%C3%A9"}, 422, {CODE("invalid_vin"), "99999\u00e9"}},
    {"18: no text", {"GET", "/releasability/9HGBH41JXMN99999%FF"}, 422, {CODE("invalid_vin"), "99999%FF"}},
    {"18: in a query", {"GET", "/authorizations?vin=2hgcm82633a789012"}, 200, {"\"total_count\":1,"}},
    {"19: a check",
     {"GET", "/releasability/" RELEASABLE},
     200,
     {"\"is_releasable\":true,\"blockers\":[],", "\"cached\":false,\"age_s\":0"}},
    {"19: never checked", {"GET", "/releasability/" RELEASABLE "/cached"}, 404, {CODE("not_cached")}},
    {"20: a vehicle that is held",
     {"GET", "/releasability/" HELD},
     200,
     {"\"is_releasable\":false", "\"code\":\"TITLE_HOLD\""}},
    {"21: none", {"POST", "/releasability:batch", "{\"vins\":[]}"}, 422, {LOC("body.vins")}},
    {"21: one that is no VIN",
     {"POST", "/releasability:batch", "{\"vins\":[\"x y\",\"1hgcm82633a123456\"]}"},
     200,
     {"{\"results\":[{\"vin\":\"x y\",\"ok\":false,\"error\":{\"code\":\"invalid_vin\",\"message\":",
      "},{\"vin\":\"1hgcm82633a123456\",\"ok\":true,\"result\":{\"vin\":\"" HELD "\""}},

    /* Authorizations */
    {"22: the one of the examples",
     {"GET", "/authorizations/AUTH-12345678"},
     200,
     {"\"vin\":\"" OTHER "\",\"status\":\"APPROVED\""}},
    {"24: limit 201", {"GET", "/authorizations?limit=201"}, 422, {LOC("query.limit")}},
    {"24: limit 1.0", {"GET", "/authorizations?limit=1.0"}, 422, {LOC("query.limit")}},
    {"24: no limit", {"GET", "/authorizations?limit="}, 422, {LOC("query.limit")}},
    {"24: a status in small letters", {"GET", "/authorizations?status=pending"}, 422, {LOC("query.status")}},
    {"24: no status", {"GET", "/authorizations?status="}, 422, {LOC("query.status")}},
    {"24: an empty cursor", {"GET", "/authorizations?cursor="}, 400, {CODE("bad_cursor")}},
    {"25: by is required",
     {"POST", "/authorizations/AUTH-12345678:cancel", "{\"reason\":\"x\"}"},
     422,
     {LOC("body.by")}},
    {"25: a malformed identity", {"GET", "/authorizations/AUTH-1234567"}, 404, {CODE("not_found")}},
    {"25: another one", {"POST", "/authorizations/auth-12345678:approve", "{\"by\":\"x\"}"}, 404, {CODE("not_found")}},
    {"25: an unknown verb", {"POST", "/authorizations/AUTH-12345678:drop", "{\"by\":\"x\"}"}, 404, {CODE("not_found")}},
    {"25: none of them", {"GET", "/authorizations/AUTH-99999999"}, 404, {CODE("not_found")}},
    {"25: of a transfer", {"GET", "/transfers/TRF-1"}, 404, {CODE("not_found")}},

    /* Transfers */
    {"31: a malformed credential",
     {"POST", "/transfers", TRANSFER_BODY(OTHER, "PICKUP", "AUTH-1", ATLANTA)},
     422,
     {CODE("validation_failed"), LOC("body.credential_id")}},
    {"31: an unknown credential",
     {"POST", "/transfers", TRANSFER_BODY(OTHER, "PICKUP", "AUTH-99999999", ATLANTA)},
     409,
     {CODE("credential_not_approved")}},
    {"31: of another vehicle",
     {"POST", "/transfers", TRANSFER_BODY(RELEASABLE, "PICKUP", "AUTH-12345678", ATLANTA)},
     409,
     {CODE("credential_vin_mismatch")}},
    {"34: who has it",
     {"GET", "/transfers/" RELEASABLE "/status"},
     200,
     {"\"current_custodian\":", "\"pending_authorizations\":"}},

    /* Events, faults */
    {"37: no number", {"GET", "/events", .fields = {{"Last-Event-ID", "x"}}}, 400, {CODE("bad_event_id")}},
    {"37: an empty one", {"GET", "/events", .fields = {{"Last-Event-ID", ""}}}, 400, {CODE("bad_event_id")}},
    {"37: of no vehicle", {"GET", "/events?vin=x"}, 422, {CODE("invalid_vin")}},
    {"38: a status", {"POST", "/_sandbox/faults", "{\"path\":\"/a\",\"status\":399}"}, 422, {LOC("body.status")}},
    {"38: a delay", {"POST", "/_sandbox/faults", "{\"path\":\"/a\",\"delay_ms\":60001}"}, 422, {LOC("body.delay_ms")}},
    {"38: a rate", {"POST", "/_sandbox/faults", "{\"path\":\"/a\",\"rate\":1.1}"}, 422, {LOC("body.rate")}},
    {"38: a count", {"POST", "/_sandbox/faults", "{\"path\":\"/a\",\"count\":-1}"}, 422, {LOC("body.count")}},
    {"38: a path with the base", {"POST", "/_sandbox/faults", "{\"path\":\"/v1/a\"}"}, 422, {LOC("body.path")}},
    {"38: a star within", {"POST", "/_sandbox/faults", "{\"path\":\"/a*b\"}"}, 422, {LOC("body.path")}},
    {"38: no path", {"POST", "/_sandbox/faults", "{\"status\":500}"}, 422, {LOC("body.path")}},
};

static const char *settled_name(size_t row)
{
    return settled[row].name;
}

WF_TEST_EACH(a_request_is_answered_as_was_settled, settled, .row_name = settled_name, .uses = {&api_fixture},
             .unswept = "there are many, and other tests go the same ways")
{
    struct wf_response response;
    WF_EXPECT_INT(ask(wf_use(&api_fixture), &row->asked, &response), row->status);
    for (size_t i = 0; i < WF_COUNT(row->parts) && row->parts[i] != NULL; i++)
        WF_EXPECT_PART(response.body, row->parts[i]);
}

/* ---- Tokens: 2 to 5 ---- */

static const struct shown {
    const char *name, *claims, *scheme, *path, *challenge;
    int status;
} tokens[] = {
    {"good", "\"sub\":\"a\",\"aud\":\"custody-sandbox\",\"scope\":\"custody:read\"", "bearer ",
     "/transfers/" OTHER "/status", NULL, 200},
    {"for several", "\"sub\":\"a\",\"aud\":[\"x\",\"custody-sandbox\"],\"scope\":\"custody:read\"", "Bearer ",
     "/authorizations", NULL, 200},
    {"made tomorrow", "\"sub\":\"a\",\"aud\":\"custody-sandbox\",\"scope\":\"custody:read\",\"iat\":4102440000",
     "BEARER ", "/authorizations", NULL, 200},
    {"another scheme", "\"sub\":\"a\",\"aud\":\"custody-sandbox\"", "Basic ", "/authorizations",
     "Bearer realm=\"custody\"", 401},
    {"for others", "\"sub\":\"a\",\"aud\":\"x\"", "Bearer ", "/authorizations", "error=\"invalid_token\"", 401},
    {"for nobody", "\"sub\":\"a\"", "Bearer ", "/authorizations", "error=\"invalid_token\"", 401},
    {"of nobody", "\"aud\":\"custody-sandbox\"", "Bearer ", "/authorizations", "error=\"invalid_token\"", 401},
    {"not valid yet", "\"sub\":\"a\",\"aud\":\"custody-sandbox\",\"nbf\":4102440000", "Bearer ", "/authorizations",
     "error=\"invalid_token\"", 401},
    {"without scopes", "\"sub\":\"a\",\"aud\":\"custody-sandbox\"", "Bearer ", "/authorizations",
     "error=\"insufficient_scope\", scope=\"custody:read\"", 403},
    {"a scope that begins so", "\"sub\":\"a\",\"aud\":\"custody-sandbox\",\"scope\":\"custody:reader\"", "Bearer ",
     "/authorizations", "insufficient_scope", 403},
    {"writing is not reading", "\"sub\":\"a\",\"aud\":\"custody-sandbox\",\"scope\":\"custody:write\"", "Bearer ",
     "/authorizations", "insufficient_scope", 403},
};

static const char *token_name(size_t row)
{
    return tokens[row].name;
}

WF_TEST_EACH(a_token_is_taken_or_refused, tokens, .row_name = token_name, .uses = {&api_fixture},
             .unswept = "there are many, and other tests go the same ways")
{
    struct wf_response response;
    const char *field = wf_arena_printf(wf_task_arena(), "%s%s", row->scheme, token_of(row->claims));
    struct asked asked = {"GET", row->path, .fields = {{"Authorization", field}}};
    WF_EXPECT_INT(ask(wf_use(&api_fixture), &asked, &response), row->status);
    const char *challenge = wf_headers_find(&response.headers, "www-authenticate");
    if (row->challenge != NULL) WF_EXPECT_PART(challenge != NULL ? challenge : "", row->challenge);
}

static int ask_as(struct api *api, const char *method, const char *path, const char *body, const char *scope)
{
    struct wf_response response;
    const char *claims =
        wf_arena_printf(wf_task_arena(), "\"sub\":\"a\",\"aud\":\"custody-sandbox\",\"scope\":\"%s\"", scope);
    const char *field = wf_arena_printf(wf_task_arena(), "Bearer %s", token_of(claims));
    return ask(api, &(struct asked){method, path, body, {{"Authorization", field}}}, &response);
}

WF_TEST(to_read_and_to_write_are_two_scopes, .uses = {&api_fixture})
{
    struct api *api = wf_use(&api_fixture);
    static const char batch[] = "{\"vins\":[\"" RELEASABLE "\"]}", fault[] = "{\"path\":\"/a\"}";
    WF_EXPECT_INT(ask_as(api, "POST", "/releasability:batch", batch, "custody:read"), 200);
    WF_EXPECT_INT(ask_as(api, "POST", "/releasability:batch", batch, "custody:write"), 403);
    WF_EXPECT_INT(ask_as(api, "POST", "/_sandbox/faults", fault, "custody:write"), 204);
    WF_EXPECT_INT(ask_as(api, "POST", "/_sandbox/faults", fault, "custody:read"), 403);
    WF_EXPECT_INT(ask_as(api, "HEAD", "/authorizations", NULL, "custody:write"), 403);
    WF_EXPECT_INT(ask_as(api, "POST", "/authorizations", "{", "custody:read"), 403);
    WF_EXPECT_INT(ask_as(api, "GET", "/authorizations", NULL, "x custody:write custody:read"), 200);
}

static int show_token(struct api *api, const char *token)
{
    struct wf_response response;
    const char *field = wf_arena_printf(wf_task_arena(), "Bearer %s", token);
    int status = ask(api, &(struct asked){"GET", "/authorizations", .fields = {{"Authorization", field}}}, &response);
    if (status == 401) WF_EXPECT_PART(response.body, CODE("invalid_token"));
    return status;
}

WF_TEST(a_token_that_was_good_ends_and_cannot_be_altered, .uses = {&api_fixture}, .simulated = true,
        .timeout = WF_SECONDS(100), .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    const char *token = "";
    char altered[512];
    int rc = sandbox_token(api->sandbox, wf_task_arena(), "b", "custody:read", WF_SECONDS(60), &token);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(show_token(api, token), 200);
    WF_EXPECT_INT(show_token(api, token), 200);
    snprintf(altered, sizeof altered, "%s", token);
    altered[strcspn(altered, ".") + 5] ^= 1;
    WF_EXPECT_INT(show_token(api, altered), 401);
    snprintf(altered, sizeof altered, "eyJhbGciOiJub25lIn0.%s", token + strcspn(token, ".") + 1);
    WF_EXPECT_INT(show_token(api, altered), 401);
    *strrchr(altered, '.') = '\0';
    WF_EXPECT_INT(show_token(api, strcat(altered, ".")), 401);
    WF_EXPECT_INT(show_token(api, "x"), 401);
    wf_ignore(wf_sleep(WF_SECONDS(61)));
    WF_EXPECT_INT(show_token(api, token), 401);
}

/* ---- Form of answers: 14 to 17 ---- */

static const struct {
    const char *path, *allow;
} allowed[] = {
    {"/authorizations", "GET, HEAD, POST, OPTIONS"},
    {"/authorizations/AUTH-12345678", "GET, HEAD, OPTIONS"},
    {"/authorizations/AUTH-12345678:approve", "POST, OPTIONS"},
    {"/releasability/" RELEASABLE, "GET, HEAD, OPTIONS"},
    {"/releasability:batch", "POST, OPTIONS"},
    {"/transfers", "POST, OPTIONS"},
    {"/events", "GET, OPTIONS"},
    {"/healthz", "GET, HEAD, OPTIONS"},
    {"/_sandbox/faults", "POST, OPTIONS"},
};

WF_TEST_EACH(a_path_says_exactly_which_methods_it_has, allowed, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct wf_response response;
    struct api *api = wf_use(&api_fixture);
    WF_EXPECT_INT(ask(api, &(struct asked){"OPTIONS", row->path, NO_TOKEN}, &response), 204);
    WF_EXPECT_TEXT(wf_headers_find(&response.headers, "allow"), row->allow);
    WF_EXPECT_INT(ask(api, &(struct asked){"DELETE", row->path, NO_TOKEN}, &response), 405);
    WF_EXPECT_TEXT(wf_headers_find(&response.headers, "allow"), row->allow);
    WF_EXPECT_PART(response.body, CODE("method_not_allowed"));
}

static void expect_id(struct api *api, const char *path, const char *sent, bool echoed)
{
    struct wf_response response;
    if (ask(api, &(struct asked){"GET", path, .fields = {{"X-Request-Id", sent}}}, &response) < 0) return;
    const char *id = wf_headers_find(&response.headers, "x-request-id");
    if (!WF_EXPECT(id != NULL)) return;
    WF_EXPECT(echoed == (strcmp(id, sent) == 0));
    if (response.status >= 400) WF_EXPECT_TEXT(member_of(response.body, "request_id"), id);
}

WF_TEST(a_request_has_an_identity_that_its_error_repeats, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    expect_id(api, "/healthz", "A-z.0_9", true);
    expect_id(api, "/nowhere", "A-z.0_9", true);
    expect_id(api, "/releasability/x", "r-1", true);
    expect_id(api, "/authorizations/AUTH-99999999", "a/b", false);
    expect_id(api, "/authorizations/AUTH-99999999", "a~b", false);
    expect_id(api, "/nowhere", LONG_TEXT_200, false);
}

WF_TEST(the_description_has_the_paths_of_the_table_and_no_others, .uses = {&api_fixture}, .unswept = "asks much")
{
    static const char *const parts[] = {
        "\"servers\":[{\"url\":\"/v1\"}]",
        "\"/releasability/{vin}\":{",
        "\"/releasability/{vin}/cached\":{",
        "\"/releasability:batch\":{",
        "\"/authorizations\":{",
        "\"/authorizations/{id}\":{",
        "\"/authorizations/{id}:approve\":{",
        "\"/authorizations/{id}:reject\":{",
        "\"/authorizations/{id}:cancel\":{",
        "\"/transfers/{vin}/status\":{",
        "\"/transfers\":{",
        "\"/transfers/{id}\":{",
        "\"/events\":{",
        "\"/healthz\":{",
        "\"/openapi.json\":{",
        "\"/metrics\":{",
        "\"/_sandbox/faults\":{",
        "\"Releasability\":{",
        "\"Authorization\":{",
        "\"Transfer\":{",
        "\"CustodyStatus\":{",
        "\"Error\":{",
        "\"scheme\":\"bearer\"",
    };
    const char *body;
    size_t paths = 0;
    WF_EXPECT_INT(get(wf_use(&api_fixture), "/openapi.json", &body), 200);
    for (size_t i = 0; i < WF_COUNT(parts); i++) WF_EXPECT_PART(body, parts[i]);
    for (const char *at = body; (at = strstr(at, "\"/")) != NULL; at++) paths += at[strcspn(at + 1, "\"") + 2] == ':';
    WF_EXPECT_INT((int64_t)paths, 16);
}

WF_TEST(times_have_six_digits, .uses = {&api_fixture})
{
    const char *body;
    WF_EXPECT_INT(get(wf_use(&api_fixture), "/authorizations/AUTH-12345678", &body), 200);
    WF_EXPECT_INT((int64_t)strlen(member_of(body, "created_at")), 27);
    WF_EXPECT_INT((int64_t)strlen(member_of(body, "expires_at")), 27);
    WF_EXPECT_INT(get(wf_use(&api_fixture), "/releasability/" HELD, &body), 200);
    WF_EXPECT_INT((int64_t)strlen(member_of(body, "checked_at")), 27);
}

WF_TEST_MAIN
