/* Cookies, signed sessions, other origins, logins, tokens and keys. */
#include <stdio.h>
#include <string.h>
#include <weft/cookie.h>
#include <weft/security.h>
#include <weft/task.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "rig.h"

static const char *head_of(const struct exchange_log *log)
{
    return log->size > 0 ? log->bytes : "";
}

static const char *body_of(const struct exchange_log *log)
{
    const char *end = strstr(head_of(log), "\r\n\r\n");
    return end != NULL ? end + 4 : "";
}

static bool has(const struct exchange_log *log, const char *text)
{
    return strstr(head_of(log), text) != NULL;
}

static void get(struct exchange_log *log, wf_handler *handler, void *state, const char *fields)
{
    char text[1024];
    struct wf_app app = {.title = "security", .state = state};
    wf_route(&app, WF_GET, "/", handler);
    snprintf(text, sizeof text, "GET / HTTP/1.1\r\nHost: a\r\n%s\r\n", fields);
    ask(log, &app, text);
    wf_app_finish(&app);
}

/* ---- Cookies ---- */

struct cookie_case {
    const char *name, *value;
    struct wf_cookie_options options;
    int code;
    const char *shown;
};

#define COOKIE(...)                                                                                                    \
    {                                                                                                                  \
        .size = sizeof(struct wf_cookie_options), __VA_ARGS__                                                          \
    }

static const struct cookie_case cookies[] = {
    {"a", "1", COOKIE(.path = NULL), 0, "a=1; Path=/; SameSite=Lax; HttpOnly"},
    {"a", "", COOKIE(.max_age = -1), 0, "a=; Path=/; Max-Age=0; SameSite=Lax; HttpOnly"},
    {"a", "x", COOKIE(.max_age = WF_SECONDS(60)), 0, "a=x; Path=/; Max-Age=60; SameSite=Lax; HttpOnly"},
    {"a", "x", COOKIE(.max_age = 1), 0, "a=x; Path=/; Max-Age=1; SameSite=Lax; HttpOnly"},
    {"a", "x", COOKIE(.same_site = WF_SAME_SITE_STRICT, .for_scripts = true), 0, "a=x; Path=/; SameSite=Strict"},
    {"a", "x", COOKIE(.same_site = WF_SAME_SITE_NONE, .secure = true), 0,
     "a=x; Path=/; SameSite=None; Secure; HttpOnly"},
    {"a", "x", COOKIE(.path = "/b", .domain = "example.org"), 0,
     "a=x; Path=/b; Domain=example.org; SameSite=Lax; HttpOnly"},
    {"__Host-a", "x", COOKIE(.secure = true), 0, "__Host-a=x; Path=/; SameSite=Lax; Secure; HttpOnly"},
    {"", "x", COOKIE(.path = NULL), -EINVAL, "is no token"},
    {"a b", "x", COOKIE(.path = NULL), -EINVAL, "is no token"},
    {"a=b", "x", COOKIE(.path = NULL), -EINVAL, "is no token"},
    {"a", "x y", COOKIE(.path = NULL), -EINVAL, "cannot have"},
    {"a", "x;y", COOKIE(.path = NULL), -EINVAL, "cannot have"},
    {"a", "x\r\nSet-Cookie: b=1", COOKIE(.path = NULL), -EINVAL, "cannot have"},
    {"a", "\"x\"", COOKIE(.path = NULL), -EINVAL, "cannot have"},
    {"a", "\xc3\xa9", COOKIE(.path = NULL), -EINVAL, "cannot have"},
    {"a", "x", COOKIE(.path = "b"), -EINVAL, "path"},
    {"a", "x", COOKIE(.path = "/;b"), -EINVAL, "path"},
    {"a", "x", COOKIE(.domain = "b; Path=/c"), -EINVAL, "domain"},
    {"a", "x", COOKIE(.same_site = WF_SAME_SITE_NONE), -EINVAL, "needs Secure"},
    {"__Secure-a", "x", COOKIE(.path = NULL), -EINVAL, "needs Secure"},
    {"__Host-a", "x", COOKIE(.path = NULL), -EINVAL, "needs Secure"},
    {"__host-a", "x", COOKIE(.secure = true, .path = "/b"), -EINVAL, "the path /"},
    {"__Host-a", "x", COOKIE(.secure = true, .domain = "a.b"), -EINVAL, "no domain"},
};

static int set_cookie(struct wf_request *request)
{
    const struct cookie_case *row = wf_request_state(request);
    int rc = wf_reply_cookie_(request, row->name, row->value, &row->options);
    if (row->code < 0) WF_EXPECT_FAILURE(rc, row->code, row->shown);
    else WF_EXPECT_CODE(rc, 0);
    return 0;
}

WF_TEST_EACH(a_cookie_is_written_or_refused, cookies)
{
    struct exchange_log log;
    char line[200];
    struct cookie_case copy = *row;
    get(&log, set_cookie, &copy, "");
    snprintf(line, sizeof line, "Set-Cookie: %s\r\n", row->shown);
    WF_EXPECT_INT(has(&log, line), row->code == 0);
}

static int set_long_cookies(struct wf_request *request)
{
    static char value[4100];
    memset(value, 'a', sizeof value);
    value[sizeof value - 1] = '\0';
    WF_EXPECT_CODE(wf_reply_cookie(request, "a", value), -E2BIG);
    value[4080] = '\0';
    WF_EXPECT_CODE(wf_reply_cookie(request, "a", value), -E2BIG);
    value[4000] = '\0';
    WF_EXPECT_CODE(wf_reply_cookie(request, "a", value), 0);
    return 0;
}

WF_TEST(a_cookie_that_a_browser_would_drop_is_refused)
{
    struct exchange_log log;
    get(&log, set_long_cookies, NULL, "");
    WF_EXPECT_TEXT(log.statuses, "204 ");
}

/* ---- Texts that the client holds ---- */

static const struct wf_session_keys keys = {.name = "s", .keys = {"a key of 16 bytes"}},
                                    other_name = {.name = "t", .keys = {"a key of 16 bytes"}},
                                    new_keys = {.name = "s", .keys = {"another, newer key", "a key of 16 bytes"}},
                                    only_new = {.name = "s", .keys = {"another, newer key"}},
                                    short_keys = {.name = "s", .keys = {"short"}},
                                    short_lived = {.name = "s",
                                                   .keys = {"a key of 16 bytes"},
                                                   .max_age = WF_SECONDS(5)};

static int write_session(struct wf_request *request)
{
    const struct wf_session_keys *chosen = wf_request_state(request);
    int rc = wf_session_write(request, chosen, "user=17&name=J\xc3\xbcrgen; \"x\"");
    return rc < 0 ? rc : wf_reply_text(request, 200, "written");
}

static int read_session(struct wf_request *request)
{
    const struct wf_session_keys *chosen = wf_request_state(request);
    const char *text;
    int rc = wf_session_read(request, chosen, &text);
    return rc < 0 ? rc : wf_reply_text(request, 200, text);
}

static int end_session(struct wf_request *request)
{
    const struct wf_session_keys *chosen = wf_request_state(request);
    int rc = wf_session_end(request, chosen);
    return rc < 0 ? rc : 0;
}

/* The cookie as the browser gives it back. */
static void take_session(const struct wf_session_keys *chosen, char fields[300])
{
    struct exchange_log log;
    get(&log, write_session, (void *)(uintptr_t)chosen, "");
    const char *at = strstr(head_of(&log), "Set-Cookie: ");
    snprintf(fields, 300, "Cookie: %.*s\r\n", at != NULL ? (int)strcspn(at + 12, ";") : 0, at != NULL ? at + 12 : "");
}

static void expect_session(const struct wf_session_keys *chosen, const char *fields, const char *text)
{
    struct exchange_log log;
    get(&log, read_session, (void *)(uintptr_t)chosen, fields);
    if (text != NULL) WF_EXPECT_TEXT(body_of(&log), text);
    else WF_EXPECT_TEXT(log.statuses, "404 ");
}

#define SESSION "user=17&name=J\xc3\xbcrgen; \"x\""

WF_TEST(a_session_comes_back_as_it_was_written)
{
    char fields[300];
    take_session(&keys, fields);
    expect_session(&keys, fields, SESSION);
    expect_session(&keys, "", NULL);
}

WF_TEST(keys_change_without_an_end_to_sessions)
{
    char fields[300];
    take_session(&keys, fields);
    expect_session(&new_keys, fields, SESSION);
    expect_session(&only_new, fields, NULL);
    take_session(&new_keys, fields);
    expect_session(&only_new, fields, SESSION);
}

WF_TEST(a_session_that_was_changed_is_none)
{
    char fields[300];
    take_session(&keys, fields);
    for (size_t i = 10; fields[i] != '\r' && fields[i] != '\0'; i++) {
        char changed[300];
        memcpy(changed, fields, sizeof changed);
        changed[i] = fields[i] == 'A' ? 'B' : 'A';
        expect_session(&keys, changed, NULL);
    }
    fields[8] = 't'; /* under another name */
    expect_session(&other_name, fields, NULL);
    static const char *const wrong[] = {"s=", "s=.", "s=..", "s=a.b.c", "s=a.1.", "s=...."};
    for (size_t i = 0; i < WF_COUNT(wrong); i++) {
        snprintf(fields, sizeof fields, "Cookie: %s\r\n", wrong[i]);
        expect_session(&keys, fields, NULL);
    }
}

WF_TEST(a_session_grows_old, .simulated = true, .timeout = WF_MINUTES(1))
{
    char fields[300];
    take_session(&short_lived, fields);
    expect_session(&short_lived, fields, SESSION);
    if (wf_sleep(WF_SECONDS(7)) < 0) return;
    expect_session(&short_lived, fields, NULL);
    expect_session(&keys, fields, SESSION);
}

WF_TEST(a_session_is_ended_and_bad_keys_are_refused)
{
    struct exchange_log log;
    get(&log, end_session, (void *)(uintptr_t)&keys, "");
    WF_EXPECT_PART(head_of(&log), "Set-Cookie: s=; Path=/; Max-Age=0;");
    get(&log, write_session, (void *)(uintptr_t)&short_keys, "");
    WF_EXPECT_TEXT(log.statuses, "422 ");
}

/* ---- Other origins ---- */

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "hello");
}

static void ask_cors(struct exchange_log *log, const struct wf_cors_options *options, const char *head)
{
    char text[512];
    struct wf_app app = {.title = "cors"};
    wf_app_use(&app, wf_cors, options);
    wf_route(&app, WF_GET, "/", hello);
    wf_route(&app, WF_PUT, "/", hello);
    snprintf(text, sizeof text, "%s\r\nHost: a\r\n\r\n", head);
    ask(log, &app, text);
    wf_app_finish(&app);
}

static const struct wf_cors_options named = {.origins = {"https://a.example", "https://b.example"},
                                             .headers = "X-Token",
                                             .expose = "X-Total",
                                             .credentials = true,
                                             .max_age = WF_SECONDS(60)},
                                    everybody = {.origins = {"*"}, .headers = "*", .methods = "GET, PATCH"},
                                    unsafe = {.origins = {"*"}, .credentials = true};

WF_TEST(pages_of_named_origins_may_read_answers)
{
    struct exchange_log log;
    ask_cors(&log, &named, "GET / HTTP/1.1\r\nOrigin: https://b.example");
    WF_EXPECT_TEXT(body_of(&log), "hello");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Allow-Origin: https://b.example\r\n");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Allow-Credentials: true\r\n");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Expose-Headers: X-Total\r\n");
    WF_EXPECT_PART(head_of(&log), "Vary: Origin\r\n");
    ask_cors(&log, &named, "GET / HTTP/1.1\r\nOrigin: https://c.example");
    WF_EXPECT_TEXT(body_of(&log), "hello");
    WF_EXPECT(!has(&log, "Access-Control"));
    WF_EXPECT_PART(head_of(&log), "Vary: Origin\r\n");
    ask_cors(&log, &named, "GET / HTTP/1.1");
    WF_EXPECT(!has(&log, "Access-Control"));
    ask_cors(&log, &named, "GET /nowhere HTTP/1.1\r\nOrigin: https://a.example");
    WF_EXPECT_TEXT(log.statuses, "404 ");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Allow-Origin: https://a.example\r\n");
}

WF_TEST(a_question_before_a_request_is_answered)
{
    struct exchange_log log;
    ask_cors(&log, &named, "OPTIONS / HTTP/1.1\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: PUT");
    WF_EXPECT_TEXT(log.statuses, "204 ");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Allow-Origin: https://a.example\r\n");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Allow-Methods: GET, HEAD, PUT, OPTIONS\r\n");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Allow-Headers: X-Token\r\n");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Max-Age: 60\r\n");
    ask_cors(&log, &named, "OPTIONS / HTTP/1.1\r\nOrigin: https://c.example\r\nAccess-Control-Request-Method: PUT");
    WF_EXPECT_TEXT(log.statuses, "204 ");
    WF_EXPECT(!has(&log, "Access-Control-Allow"));
    ask_cors(&log, &named, "OPTIONS / HTTP/1.1\r\nOrigin: https://a.example");
    WF_EXPECT_PART(head_of(&log), "allow: GET, HEAD, PUT, OPTIONS\r\n");
    ask_cors(&log, &named, "OPTIONS /no HTTP/1.1\r\nOrigin: https://a.example\r\nAccess-Control-Request-Method: PUT");
    WF_EXPECT_TEXT(log.statuses, "404 ");
}

WF_TEST(everybody_may_read_what_has_no_credentials)
{
    struct exchange_log log;
    ask_cors(&log, &everybody, "GET / HTTP/1.1\r\nOrigin: https://c.example");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Allow-Origin: *\r\n");
    WF_EXPECT(!has(&log, "Vary") && !has(&log, "Credentials"));
    ask_cors(&log, &everybody,
             "OPTIONS / HTTP/1.1\r\nOrigin: https://c.example\r\nAccess-Control-Request-Method: PATCH\r\n"
             "Access-Control-Request-Headers: x-a, x-b");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Allow-Headers: x-a, x-b\r\n");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Allow-Methods: GET, PATCH\r\n");
    WF_EXPECT_PART(head_of(&log), "Access-Control-Max-Age: 600\r\n");
    ask_cors(&log, &unsafe, "GET / HTTP/1.1\r\nOrigin: https://c.example");
    WF_EXPECT_TEXT(log.statuses, "500 ");
    WF_EXPECT_PART(wf_test_log(), "name those that may");
}

/* ---- Logins, tokens, keys ---- */

static int show_login(struct wf_request *request)
{
    struct wf_login login;
    int rc = wf_require_basic(request, "the shop", &login);
    if (rc < 0) return rc;
    if (!wf_same_secret(login.password, "open:sesame")) return wf_refuse_basic(request, "the shop");
    return wf_reply_text(request, 200, login.name);
}

struct proof_case {
    const char *fields;
    int status;
    const char *part;
};

static void expect_proof(wf_handler *handler, const struct proof_case *row)
{
    struct exchange_log log;
    char status[8];
    snprintf(status, sizeof status, "%d ", row->status);
    get(&log, handler, NULL, row->fields);
    WF_EXPECT_TEXT(log.statuses, status);
    WF_EXPECT_PART(row->status == 200 ? body_of(&log) : head_of(&log), row->part);
}

#define ASKS "WWW-Authenticate: Basic realm=\"the shop\", charset=\"UTF-8\"\r\n"

static const struct proof_case logins[] = {
    {"Authorization: Basic YWRhOm9wZW46c2VzYW1l\r\n", 200, "ada"},
    {"Authorization: basic  YWRhOm9wZW46c2VzYW1l\r\n", 200, "ada"},
    {"Authorization: Basic YWRhOm9wZW4=\r\n", 401, ASKS},
    {"Authorization: Basic YWRh\r\n", 401, ASKS},
    {"Authorization: Basic YWRhOm9wZW46c2VzYW1\r\n", 401, ASKS},
    {"Authorization: Basic YWRh!m9wZW46c2VzYW1l\r\n", 401, ASKS},
    {"Authorization: Basic YQA6Yg==\r\n", 401, ASKS},
    {"Authorization: Basic\r\n", 401, ASKS},
    {"Authorization: Bearer YWRhOm9wZW46c2VzYW1l\r\n", 401, ASKS},
    {"", 401, ASKS},
};

WF_TEST_EACH(a_login_is_shown_or_asked_for, logins)
{
    expect_proof(show_login, row);
}

static int show_token(struct wf_request *request)
{
    const char *token;
    int rc = wf_require_bearer(request, "api", &token);
    if (rc < 0) return rc;
    if (strcmp(token, "weak") == 0) return wf_refuse_bearer(request, "api", "insufficient_scope");
    if (strcmp(token, "old") == 0) return wf_refuse_bearer(request, "api", "invalid_token");
    return wf_reply_text(request, 200, token);
}

static const struct proof_case tokens[] = {
    {"Authorization: Bearer abc.DEF-_~+/12==\r\n", 200, "abc.DEF-_~+/12=="},
    {"Authorization: Bearer old\r\n", 401, "WWW-Authenticate: Bearer realm=\"api\", error=\"invalid_token\"\r\n"},
    {"Authorization: Bearer weak\r\n", 403, "error=\"insufficient_scope\"\r\n"},
    {"Authorization: Bearer a b\r\n", 400, "error=\"invalid_request\"\r\n"},
    {"Authorization: Bearer a=b\r\n", 400, "error=\"invalid_request\"\r\n"},
    {"Authorization: Bearerabc\r\n", 401, "WWW-Authenticate: Bearer realm=\"api\"\r\n"},
    {"", 401, "WWW-Authenticate: Bearer realm=\"api\"\r\n"},
};

WF_TEST_EACH(a_token_is_shown_or_asked_for, tokens)
{
    expect_proof(show_token, row);
}

static int show_key(struct wf_request *request)
{
    const char *key;
    int rc = wf_require_key(request, "X-API-Key", &key);
    return rc < 0 ? rc : wf_reply_text(request, 200, key);
}

static int show_parameter(struct wf_request *request)
{
    const char *key;
    int rc = wf_require_key(request, "?key", &key);
    return rc < 0 ? rc : wf_reply_text(request, 200, key);
}

WF_TEST(a_key_is_shown_in_a_field_or_in_the_query)
{
    struct exchange_log log;
    expect_proof(show_key, &(struct proof_case){"X-API-Key: k\r\n", 200, "k"});
    expect_proof(show_key, &(struct proof_case){"X-API-Key:\r\n", 401, ""});
    expect_proof(show_key, &(struct proof_case){"", 401, ""});
    struct wf_app app = {.title = "keys"};
    wf_route(&app, WF_GET, "/", show_parameter);
    ask(&log, &app, "GET /?key=a%2Bb HTTP/1.1\r\nHost: a\r\n\r\n");
    WF_EXPECT_TEXT(body_of(&log), "a+b");
    ask(&log, &app, "GET /?other=1 HTTP/1.1\r\nHost: a\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "401 ");
    wf_app_finish(&app);
}

WF_TEST(secrets_are_compared_as_a_whole, .plain = true)
{
    WF_EXPECT(wf_same_secret("", "") && wf_same_secret("abc", "abc"));
    WF_EXPECT(!wf_same_secret("abc", "abd") && !wf_same_secret("abc", "ab") && !wf_same_secret("", "a"));
}

WF_TEST_MAIN
