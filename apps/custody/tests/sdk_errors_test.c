/* How calls of the SDK fail: each kind of error, tokens, retries, answers that are none, closed clients. */
#include <weft/temporary.h>
#include <weft/weft.h>

#include "scripted_service.h"

#define VIN "9HGBH41JXMN999999"
#define CLIENT(...) CUSTODY_CLIENT(client, .token = "secret", .app = &service.app, ##__VA_ARGS__)

static int check(struct custody_client *client, const char *vin)
{
    struct custody_releasability result;
    return custody_check_vin(client, wf_task_arena(), vin, &result);
}

/* ---- Kinds ---- */

static const struct kind_case {
    struct answer answer;
    int rc;
    enum custody_error_kind kind;
    const char *name;
} kinds[] = {
    {{400, ERROR("malformed_json", "no")}, -EINVAL, CUSTODY_VALIDATION, "ValidationError"},
    {{422, ERROR("invalid_vin", "no")}, -EINVAL, CUSTODY_VALIDATION, "ValidationError"},
    {{413, ERROR("body_too_large", "no")}, -EINVAL, CUSTODY_VALIDATION, "ValidationError"},
    {{401, ERROR("invalid_token", "no")}, -EACCES, CUSTODY_AUTHENTICATION, "AuthenticationError"},
    {{403, ERROR("insufficient_scope", "no")}, -EPERM, CUSTODY_PERMISSION, "PermissionError"},
    {{404, ERROR("not_cached", "no")}, -ENOENT, CUSTODY_NOT_FOUND, "NotFoundError"},
    {{409, ERROR("bad_state", "no")}, -EEXIST, CUSTODY_CONFLICT, "ConflictError"},
    {{429, ERROR("rate_limited", "no"), .retry_after = "7"}, -EAGAIN, CUSTODY_RATE_LIMIT, "RateLimitError"},
    {{500, ERROR("internal", "no")}, -EREMOTEIO, CUSTODY_SERVER, "ServerError"},
    {{503, ERROR("injected_fault", "no"), .retry_after = "7"}, -EREMOTEIO, CUSTODY_SERVER, "ServerError"},
};

static const struct answer *chosen;

static const struct answer *give_chosen(const char *path)
{
    (void)path;
    return chosen;
}

WF_TEST_EACH(a_status_is_a_kind_of_error, kinds)
{
    SERVICE(service, {500});
    CLIENT(.attempts = 1);
    service.choose = give_chosen;
    chosen = &row->answer;
    WF_EXPECT_CODE(check(&client, VIN), row->rc);
    const struct custody_error *error = custody_error();
    WF_EXPECT_INT(error->kind, row->kind);
    WF_EXPECT_INT(error->rc, row->rc);
    WF_EXPECT_INT(error->status, row->answer.status);
    WF_EXPECT_TEXT(error->request_id, "r-17");
    WF_EXPECT_TEXT(error->message, VIN ": no");
    WF_EXPECT_INT(error->retry_after, row->answer.retry_after != NULL ? WF_SECONDS(7) : 0);
    WF_EXPECT_TEXT(custody_error_name(error->kind), row->name);
    WF_EXPECT_TEXT(wf_failure(), error->message);
}

WF_TEST(every_field_that_is_wrong_is_in_the_error)
{
    SERVICE(service, {422,
                      "{\"error\":{\"code\":\"validation_failed\",\"message\":\"2 fields are wrong\",\"fields\":["
                      "{\"loc\":\"path.vin\",\"msg\":\"not you\"},{\"loc\":\"query.x\",\"msg\":\"nor you\"}],"
                      "\"request_id\":\"\"}}",
                      .request_id = "r-head"});
    CLIENT();
    WF_EXPECT_CODE(check(&client, VIN), -EINVAL);
    const struct custody_error *error = custody_error();
    WF_EXPECT_TEXT(error->code, "validation_failed");
    WF_EXPECT_TEXT(error->message, VIN ": 2 fields are wrong: path.vin: not you; query.x: nor you");
    WF_EXPECT_TEXT(error->request_id, "r-head");
    if (!WF_EXPECT_INT((int64_t)error->field_count, 2)) return;
    WF_EXPECT_TEXT(error->fields[1].loc, "query.x");
    WF_EXPECT_TEXT(error->fields[1].msg, "nor you");
}

WF_TEST(one_wrong_field_is_named)
{
    SERVICE(service, {422, "{\"error\":{\"code\":\"validation_failed\",\"message\":\"should be 'PENDING'\",\"fields\":["
                           "{\"loc\":\"query.status\",\"msg\":\"should be 'PENDING'\"}],\"request_id\":\"r\"}}"});
    struct custody_page page;
    CLIENT();
    WF_EXPECT_CODE(custody_list_authorizations(&client, wf_task_arena(), &page, .status = "NO"), -EINVAL);
    WF_EXPECT_TEXT(custody_error()->message, "query.status: should be 'PENDING'");
}

/* ---- Whose error it is ---- */

struct checking {
    struct custody_client *client;
    const char *vin;
    char said[200];
};

static int check_and_note(struct checking *checking)
{
    int rc = check(checking->client, checking->vin);
    wf_ignore(wf_yield());
    if (rc < 0) snprintf(checking->said, sizeof checking->said, "%s", custody_error()->message);
    return rc;
}

static const struct answer *refuse_second(const char *path)
{
    static const struct answer good = {200, RELEASABLE}, bad = {409, ERROR("bad_state", "held")};
    return strstr(path, "/2H") != NULL ? &bad : &good;
}

WF_TEST(each_task_has_its_own_error)
{
    SERVICE(service, {500});
    service.choose = refuse_second;
    CLIENT();
    struct checking checks[] = {{&client, VIN, ""}, {&client, "INVALID_VIN", ""}, {&client, "2HGCM82633A789012", ""}};
    int codes[WF_COUNT(checks)];
    WF_EXPECT_CODE(wf_gather(checks, WF_COUNT(checks), check_and_note, .collect = codes), 0);
    if (wf_test_injected()) return;
    WF_EXPECT_CODE(codes[0], 0);
    WF_EXPECT_CODE(codes[1], -EINVAL);
    WF_EXPECT_CODE(codes[2], -EEXIST);
    WF_EXPECT_TEXT(checks[0].said, "");
    WF_EXPECT_TEXT(checks[1].said, "INVALID_VIN: a VIN has letters and digits only");
    WF_EXPECT_TEXT(checks[2].said, "2HGCM82633A789012: held");
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_NO_ERROR);
}

WF_TEST(an_error_lasts_until_the_next_one)
{
    SERVICE(service, {404, ERROR("not_found", "gone")}, {200, RELEASABLE}, {409, ERROR("bad_state", "held")});
    CLIENT();
    WF_EXPECT_CODE(check(&client, VIN), -ENOENT);
    WF_EXPECT_CODE(check(&client, VIN), 0);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_NOT_FOUND);
    WF_EXPECT_CODE(check(&client, VIN), -EEXIST);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_CONFLICT);
    if (wf_task_arena() == NULL) return;
    wf_arena_reset(wf_task_arena());
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_NO_ERROR);
}

WF_TEST(outside_of_tasks_there_is_no_error, .plain = true)
{
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_NO_ERROR);
    WF_EXPECT_TEXT(custody_error()->message, "no error");
}

/* ---- VINs ---- */

static const struct vin_case {
    const char *vin;
    enum custody_vin_policy policy;
    bool good;
} vins[] = {
    {VIN, CUSTODY_VIN_LENIENT, true},
    {VIN, CUSTODY_VIN_ISO3779, true},
    {VIN, CUSTODY_VIN_CHECKDIGIT, false},
    {"1HGBH41JXMN109186", CUSTODY_VIN_CHECKDIGIT, true},
    {"VIN000000000001", CUSTODY_VIN_LENIENT, true},
    {"VIN000000000001", CUSTODY_VIN_ISO3779, false},
    {"INVALID_VIN", CUSTODY_VIN_LENIENT, false},
    {" " VIN, CUSTODY_VIN_LENIENT, false},
    {"", CUSTODY_VIN_LENIENT, false},
    {NULL, CUSTODY_VIN_LENIENT, false},
};

WF_TEST_EACH(what_is_no_vin_is_not_sent, vins)
{
    SERVICE(service, {200, RELEASABLE});
    CLIENT(.vin_policy = row->policy);
    WF_EXPECT_CODE(check(&client, row->vin), row->good ? 0 : -EINVAL);
    WF_EXPECT_INT((int64_t)service.asked, row->good);
    if (row->good) return;
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_VALIDATION);
    WF_EXPECT_TEXT(custody_error()->code, "invalid_vin");
    WF_EXPECT_INT(custody_error()->status, 0);
    WF_EXPECT_PART(custody_error()->message, row->vin != NULL ? row->vin : "VIN");
}

WF_TEST(whether_it_is_a_vin_may_be_left_to_the_service)
{
    SERVICE(service, {422, ERROR("invalid_vin", "INVALID_VIN/x is none")});
    CLIENT(.send_any_vin = true);
    WF_EXPECT_CODE(check(&client, "INVALID_VIN/x"), -EINVAL);
    WF_EXPECT_PART(last_asked(&service), "GET /v1/releasability/INVALID_VIN%2Fx|");
    WF_EXPECT_TEXT(custody_error()->message, "INVALID_VIN/x is none");
    WF_EXPECT_INT(custody_error()->status, 422);
    WF_EXPECT_CODE(check(&client, ".."), -EINVAL);
    WF_EXPECT_CODE(check(&client, ""), -EINVAL);
    WF_EXPECT_INT((int64_t)service.asked, 1);
}

/* ---- Answers that are none ---- */

static const struct answer senseless[] = {
    {200, ""},
    {200, "{"},
    {200, "[]"},
    {200, "null"},
    {200, "<html><body>Welcome to the hotel</body></html>", .type = "text/html"},
    {200, "{\"vin\":1}"},
    {200,
     "{\"vin\":\"x\",\"is_releasable\":\"yes\",\"blockers\":[],\"checked_at\":\"2026\",\"cached\":0,\"age_s\":-1}"},
    {204},
    {302, "elsewhere", .type = "text/plain"},
    {200,
     "{\"vin\":\"9HGBH41JXMN999999\",\"is_releasable\":false,\"blockers\":[],\"checked_at\":\"2026-03-01T09:30:00Z\","
     "\"cached\":false,\"age_s\":0}"},
    {500, "<html>Oops</html>", .type = "text/html"},
    {502, NULL},
    {503, "{\"error\":\"no\"}"},
    {500, "{\"error\":{\"code\":7}}"},
    {200, .breaks = true},
};

WF_TEST_EACH(an_answer_that_is_none_is_the_services_error, senseless)
{
    SERVICE(service, {500});
    CLIENT(.attempts = 1);
    service.choose = give_chosen;
    chosen = row;
    int rc = check(&client, VIN);
    const struct custody_error *error = custody_error();
    WF_EXPECT_INT(error->rc, rc);
    WF_EXPECT(row->breaks ? error->kind == CUSTODY_CONNECTION : rc == -EREMOTEIO && error->kind == CUSTODY_SERVER);
    WF_EXPECT_INT(error->status, row->breaks ? 0 : row->status);
    WF_EXPECT_PART(error->message, VIN);
    WF_EXPECT_TEXT(error->code, "");
}

WF_TEST(the_message_says_what_came_instead)
{
    SERVICE(service, {502, "<html>Bad\nGateway</html>", .type = "text/html"}, {200, "{\"vin\":1}"}, {404, NULL});
    CLIENT(.attempts = 1);
    WF_EXPECT_CODE(check(&client, VIN), -EREMOTEIO);
    WF_EXPECT_PART(custody_error()->message, "502 Bad Gateway: <html>Bad Gateway</html>");
    WF_EXPECT_CODE(check(&client, VIN), -EREMOTEIO);
    WF_EXPECT_PART(custody_error()->message, "200, whose body is no Releasability");
    WF_EXPECT_CODE(check(&client, VIN), -ENOENT);
    WF_EXPECT_PART(custody_error()->message, "404 Not Found");
}

WF_TEST(no_redirect_is_followed)
{
    SERVICE(service, {307, NULL, .location = "/v1/elsewhere"}, {200, RELEASABLE});
    CLIENT();
    WF_EXPECT_CODE(check(&client, VIN), -EREMOTEIO);
    WF_EXPECT_PART(custody_error()->message, "the answer was 307 Temporary Redirect");
    WF_EXPECT_INT((int64_t)service.asked, 1);
}

/* An answer with a byte of it changed, or cut there. */
static char spoiled[1024];

static const struct answer *give_spoiled(const char *path)
{
    static const struct answer answer = {200, spoiled};
    (void)path;
    return &answer;
}

static void expect_sense(struct custody_client *client)
{
    struct custody_releasability result;
    int rc = custody_check_vin(client, wf_task_arena(), VIN, &result);
    if (rc == 0) WF_EXPECT(result.is_releasable == (result.blockers.count == 0));
    else WF_EXPECT(rc == -EREMOTEIO && custody_error()->message[0] != '\0');
}

WF_TEST(no_spoiled_answer_does_harm, .unswept = "thousands of calls")
{
    static const char bytes[] = "\"{}[],:0-\\\x01\xff";
    SERVICE(service, {500});
    CLIENT(.attempts = 1);
    service.choose = give_spoiled;
    for (size_t i = 0; i < strlen(HELD); i++) {
        snprintf(spoiled, sizeof spoiled, "%.*s", (int)i, HELD);
        if (i > 0) expect_sense(&client);
        for (size_t k = 0; k < sizeof bytes - 1; k++) {
            strcpy(spoiled, HELD);
            spoiled[i] = bytes[k];
            expect_sense(&client);
        }
        wf_arena_reset(wf_task_arena());
    }
}

static int send_much(struct wf_request *request)
{
    static const char piece[65536];
    int rc = wf_reply_begin(request, 200, "application/json", -1);
    for (int i = 0; rc == 0 && i < 300; i++) rc = wf_reply_write(request, piece, sizeof piece);
    return rc;
}

WF_TEST(an_answer_that_is_too_long_is_not_read, .unswept = "17 MiB each time")
{
    SERVICE(service, {500});
    wf_route(&service.app, WF_GET, "/v1/releasability/{vin}", send_much);
    CLIENT();
    WF_EXPECT_CODE(check(&client, VIN), -EREMOTEIO);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_SERVER);
}

/* ---- Tries ---- */

WF_TEST(what_may_pass_is_tried_again)
{
    SERVICE(service, {503, NULL}, {429, NULL}, {200, RELEASABLE});
    CLIENT();
    if (WF_EXPECT_CODE(check(&client, VIN), 0)) WF_EXPECT_INT((int64_t)service.asked, 3);
}

WF_TEST(what_does_not_pass_is_not)
{
    SERVICE(service, {500, NULL}, {422, NULL}, {404, NULL}, {200, RELEASABLE});
    CLIENT();
    WF_EXPECT_CODE(check(&client, VIN), -EREMOTEIO);
    WF_EXPECT_CODE(check(&client, VIN), -EINVAL);
    WF_EXPECT_CODE(check(&client, VIN), -ENOENT);
    WF_EXPECT_INT((int64_t)service.asked, 3);
}

WF_TEST(a_service_that_asks_for_time_gets_it, .simulated = true, .timeout = WF_MINUTES(1))
{
    SERVICE(service, {503, NULL, .retry_after = "20"}, {200, RELEASABLE});
    CLIENT();
    int64_t began = wf_now();
    if (WF_EXPECT_CODE(check(&client, VIN), 0)) WF_EXPECT_INT((wf_now() - began) / WF_SECONDS(1), 20);
}

WF_TEST(no_try_is_waited_for_past_the_deadline, .simulated = true)
{
    SERVICE(service, {429, ERROR("rate_limited", "slowly"), .retry_after = "20"});
    CLIENT();
    int64_t began = wf_now();
    WF_EXPECT_CODE(wf_within(WF_SECONDS(10), check(&client, VIN)), -EAGAIN);
    WF_EXPECT_INT((wf_now() - began) / WF_SECONDS(1), 0);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_RATE_LIMIT);
    WF_EXPECT_INT(custody_error()->retry_after, WF_SECONDS(20));
    WF_EXPECT_INT((int64_t)service.asked, 1);
}

WF_TEST(a_call_is_cut_by_its_scope, .simulated = true)
{
    SERVICE(service, {200, RELEASABLE, .latency = WF_SECONDS(5)});
    CLIENT();
    WF_EXPECT_CODE(wf_within(WF_SECONDS(2), check(&client, VIN)), -ETIME);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_TIMEOUT);
    WF_EXPECT_PART(custody_error()->message, VIN);
    WF_EXPECT_INT((int64_t)service.asked, 1);
    WF_SCOPE(scope);
    wf_scope_cancel(&scope, "enough");
    WF_EXPECT_CODE(check(&client, VIN), -ECANCELED);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_CANCELLATION);
    WF_EXPECT_INT((int64_t)service.asked, 1);
    wf_ignore(wf_scope_end(&scope, 0));
}

WF_TEST(where_nobody_listens_is_no_connection)
{
    struct custody_releasability result;
    CUSTODY_CLIENT(client, .token = "x", .base_url = "http://127.0.0.1:1/v1", .attempts = 2);
    WF_EXPECT_CODE(custody_check_vin(&client, wf_task_arena(), VIN, &result), -ECONNREFUSED);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_CONNECTION);
    WF_EXPECT_PART(custody_error()->message, VIN);
}

WF_TEST(what_lies_below_is_not_taken_for_the_services_word)
{
    struct custody_releasability result;
    WF_TEMPORARY_DIRECTORY(work);
    const char *path = work.error == 0 ? wf_arena_printf(wf_task_arena(), "%s/answers", work.path) : NULL;
    if (!WF_EXPECT(path != NULL) || !WF_EXPECT_CODE(wf_file_replace(path, "", 0, 0600), 0)) return;
    CUSTODY_CLIENT(client, .token = "x", .replay = path);
    WF_EXPECT_CODE(custody_check_vin(&client, wf_task_arena(), VIN, &result), -EHOSTUNREACH);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_CONNECTION);
}

WF_TEST(a_base_that_is_none_is_said_by_the_call)
{
    struct custody_releasability result;
    CUSTODY_CLIENT(client, .token = "x", .base_url = "gopher://here/v1");
    WF_EXPECT_CODE(custody_check_vin(&client, wf_task_arena(), VIN, &result), -EINVAL);
    WF_EXPECT_PART(custody_error()->message, "base URL");
}

/* ---- Tokens ---- */

struct vault {
    int asked, code;
    const char *tokens[3];
};

static int find_token(void *arg, struct wf_arena *arena, const char **token)
{
    struct vault *vault = arg;
    int number = vault->asked++ % (int)WF_COUNT(vault->tokens);
    int rc = wf_sleep(WF_MILLISECONDS(5));
    if (rc < 0) return rc;
    if (vault->code < 0) return wf_fail(vault->code, "the vault is shut");
    if (vault->tokens[number] == NULL) return 0;
    *token = wf_arena_strdup(arena, vault->tokens[number]);
    return *token != NULL ? 0 : -ENOMEM;
}

WF_TEST(many_tasks_ask_for_one_token)
{
    struct vault vault = {.tokens = {"first", "second", "third"}};
    SERVICE(service, {200, RELEASABLE});
    CUSTODY_CLIENT(client, .find_token = find_token, .find_token_arg = &vault, .app = &service.app);
    struct checking checks[] = {{&client, VIN, ""}, {&client, VIN, ""}, {&client, VIN, ""}, {&client, VIN, ""}};
    WF_EXPECT_CODE(wf_gather(checks, WF_COUNT(checks), check_and_note), 0);
    WF_EXPECT_INT(vault.asked, 1);
    service.token = "second";
    WF_EXPECT_CODE(wf_gather(checks, WF_COUNT(checks), check_and_note), 0);
    WF_EXPECT_INT(vault.asked, 2);
    service.token = "never";
    WF_EXPECT_CODE(check(&client, VIN), -EACCES);
    WF_EXPECT_INT(vault.asked, 3);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_AUTHENTICATION);
    WF_EXPECT_INT(custody_error()->status, 401);
    WF_EXPECT_TEXT(custody_error()->request_id, "r-401");
}

WF_TEST(without_a_token_nothing_is_sent)
{
    struct vault shut = {.code = -EIO}, empty = {.code = 0}, garbled = {.tokens = {"a b"}};
    struct vault *const vaults[] = {&shut, &empty, &garbled};
    const char *const messages[] = {"no token: the vault is shut", "there is no token", "has characters"};
    SERVICE(service, {200, RELEASABLE});
    for (size_t i = 0; i < WF_COUNT(vaults); i++) {
        CUSTODY_CLIENT(client, .find_token = find_token, .find_token_arg = vaults[i], .app = &service.app);
        WF_EXPECT_CODE(check(&client, VIN), -EACCES);
        WF_EXPECT_INT(custody_error()->kind, CUSTODY_AUTHENTICATION);
        WF_EXPECT_PART(custody_error()->message, messages[i]);
    }
    CUSTODY_CLIENT(bad, .token = "a\nb", .app = &service.app);
    WF_EXPECT_CODE(check(&bad, VIN), -EACCES);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_AUTHENTICATION);
    WF_EXPECT_INT((int64_t)service.asked, 0);
}

/* ---- Beginning and end ---- */

static const struct answer *take_long(const char *path)
{
    static const struct answer slow = {200, RELEASABLE, .latency = WF_SECONDS(3600)};
    (void)path;
    return &slow;
}

WF_TEST(a_client_that_is_closed_ends_its_calls)
{
    SERVICE(service, {200, RELEASABLE});
    struct custody_client client = {.failed_ = 0};
    WF_EXPECT_CODE(check(&client, VIN), -EBADF);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_OTHER);
    int rc = custody_client_open(&client, .token = "x", .app = &service.app);
    if (rc == 0) WF_EXPECT_CODE(custody_client_open(&client, .token = "x"), -EALREADY);
    WF_EXPECT_CODE(check(&client, VIN), rc);
    custody_client_close(&client);
    custody_client_close(&client);
    WF_EXPECT_CODE(check(&client, VIN), -EBADF);
}

WF_TEST(a_client_elsewhere_may_be_closed_by_any_task)
{
    SERVICE(service, {500});
    service.choose = take_long;
    struct custody_client client = {.failed_ = 0};
    WF_BACKGROUND(background);
    wf_ignore(custody_client_open(&client, .tasks = &background, .token = "x", .app = &service.app));
    struct checking checking = {.client = &client, .vin = VIN};
    struct wf_handle handle;
    WF_SCOPE(scope, .policy = WF_COLLECT);
    int rc = wf_spawn(&scope, check_and_note, &checking, .handle = &handle);
    if (rc == 0) wf_ignore(wf_test_wait_idle());
    custody_client_close(&client);
    rc = wf_scope_end(&scope, rc);
    WF_EXPECT_CODE(rc, -ESHUTDOWN);
    WF_EXPECT_PART(checking.said, VIN);
    custody_client_close(&client);
}

WF_TEST_MAIN
