/* Calls of the SDK: what goes out, and what comes back. */
#include <weft/weft.h>

#include "scripted_service.h"

#define VIN "9HGBH41JXMN999999"
#define CLIENT(...) CUSTODY_CLIENT(client, .token = "secret", .app = &service.app, ##__VA_ARGS__)

/* ---- Releasability ---- */

WF_TEST(a_vehicle_is_checked)
{
    struct custody_releasability result;
    SERVICE(service, {200, RELEASABLE});
    CLIENT();
    if (!WF_EXPECT_CODE(custody_check_vin(&client, wf_task_arena(), "9hgbh41jxmn999999", &result), 0)) return;
    WF_EXPECT_TEXT(last_asked(&service), "GET /v1/releasability/" VIN "|Bearer secret|");
    WF_EXPECT_TEXT(service.log[0].key, "");
    WF_EXPECT_TEXT(result.vin, VIN);
    WF_EXPECT(result.is_releasable);
    WF_EXPECT_INT((int64_t)result.blockers.count, 0);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_NO_ERROR);
}

WF_TEST(the_answer_of_an_earlier_check_has_its_age)
{
    struct custody_releasability result;
    SERVICE(service, {200, HELD});
    CLIENT();
    if (!WF_EXPECT_CODE(custody_get_cached(&client, wf_task_arena(), "1HGCM82633A123456", &result), 0)) return;
    WF_EXPECT_TEXT(last_asked(&service), "GET /v1/releasability/1HGCM82633A123456/cached|Bearer secret|");
    WF_EXPECT(result.cached && !result.is_releasable);
    WF_EXPECT(result.age_s > 12.4 && result.age_s < 12.6);
    if (WF_EXPECT_INT((int64_t)result.blockers.count, 1)) WF_EXPECT_TEXT(result.blockers.items[0].code, "TITLE_HOLD");
}

WF_TEST(a_cached_answer_is_waited_for_a_second_and_no_longer, .simulated = true)
{
    struct custody_releasability result;
    SERVICE(service, {200, HELD, .latency = WF_SECONDS(5)});
    CLIENT();
    int64_t began = wf_now();
    WF_EXPECT_CODE(custody_get_cached(&client, wf_task_arena(), "1HGCM82633A123456", &result), -ETIME);
    WF_EXPECT_INT((wf_now() - began) / WF_MILLISECONDS(100), 10);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_TIMEOUT);
    WF_EXPECT_INT(custody_error()->rc, -ETIME);
    WF_EXPECT_TEXT(custody_error()->message, "1HGCM82633A123456: no cached answer within a second");
}

static int get_cached(struct custody_client *client, int *code)
{
    struct custody_releasability result;
    return *code = custody_get_cached(client, wf_task_arena(), "1HGCM82633A123456", &result);
}

WF_TEST(the_callers_deadline_is_not_taken_for_the_cached_answers_own, .simulated = true)
{
    SERVICE(service, {200, HELD, .latency = WF_SECONDS(5)});
    CLIENT();
    int code = 0;
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(500), get_cached(&client, &code)), -ETIME);
    WF_EXPECT_CODE(code, -ECANCELED);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_TIMEOUT);
    WF_EXPECT_INT(custody_error()->rc, -ECANCELED);
}

/* ---- Many ---- */

#define ROW(vin) "{\"vin\":\"" vin "\",\"ok\":true,\"result\":" RELEASABLE "}"

WF_TEST(a_batch_has_its_errors_in_place)
{
    const char *const vins[] = {VIN, "INVALID_VIN", "VIN000000000001", NULL};
    struct custody_batch_row rows[4];
    SERVICE(service, {200, "{\"results\":[" ROW(VIN) ",{\"vin\":\"VIN000000000001\",\"ok\":false,\"error\":"
                                                     "{\"code\":\"unknown_vin\",\"message\":\"who is that?\"}}]}"});
    CLIENT();
    if (!WF_EXPECT_CODE(custody_check_batch(&client, wf_task_arena(), vins, 4, rows), 0)) return;
    WF_EXPECT_TEXT(last_asked(&service),
                   "POST /v1/releasability:batch|Bearer secret|{\"vins\":[\"" VIN "\",\"VIN000000000001\"]}");
    WF_EXPECT(rows[0].ok && rows[0].result.is_releasable);
    WF_EXPECT(!rows[1].ok && !rows[2].ok && !rows[3].ok);
    WF_EXPECT_TEXT(rows[1].vin, "INVALID_VIN");
    WF_EXPECT_TEXT(rows[1].error.code, "invalid_vin");
    WF_EXPECT_PART(rows[1].error.message, "INVALID_VIN");
    WF_EXPECT_TEXT(rows[2].error.code, "unknown_vin");
    WF_EXPECT_TEXT(rows[3].error.code, "invalid_vin");
}

WF_TEST(a_batch_of_nothing_asks_nobody)
{
    const char *const vins[] = {"INVALID_VIN"};
    struct custody_batch_row row;
    SERVICE(service, {500});
    CLIENT();
    WF_EXPECT_CODE(custody_check_batch(&client, wf_task_arena(), vins, 0, &row), 0);
    if (WF_EXPECT_CODE(custody_check_batch(&client, wf_task_arena(), vins, 1, &row), 0)) WF_EXPECT(!row.ok);
    WF_EXPECT_CODE(custody_check_batch(&client, wf_task_arena(), vins, CUSTODY_BATCH_MAX + 1, &row), -EINVAL);
    WF_EXPECT_PART(custody_error()->message, "at most 500 VINs");
    WF_EXPECT_INT((int64_t)service.asked, 0);
}

WF_TEST(rows_that_are_not_those_asked_for_are_refused)
{
    const char *const vins[] = {VIN};
    struct custody_batch_row row;
    SERVICE(service, {200, "{\"results\":[]}"}, {200, "{\"results\":[" ROW("VIN000000000001") "]}"},
            {200, "{\"results\":[{\"vin\":\"" VIN "\",\"ok\":true}]}"});
    CLIENT();
    for (int i = 0; i < 3; i++) {
        WF_EXPECT_CODE(custody_check_batch(&client, wf_task_arena(), vins, 1, &row), -EREMOTEIO);
        WF_EXPECT_INT(custody_error()->kind, CUSTODY_SERVER);
    }
}

/* ---- Authorizations ---- */

WF_TEST(a_page_of_authorizations_is_filtered)
{
    struct custody_page page;
    SERVICE(service,
            {200, "{\"authorizations\":[" AUTHORIZATION("00000001") "],\"total_count\":120,\"next_cursor\":\"c+1\"}"},
            {200, "{\"authorizations\":[],\"total_count\":0,\"next_cursor\":null}"});
    CLIENT();
    if (!WF_EXPECT_CODE(custody_list_authorizations(&client, wf_task_arena(), &page, .vin = VIN, .status = "PENDING"),
                        0))
        return;
    WF_EXPECT_TEXT(last_asked(&service), "GET /v1/authorizations?vin=" VIN "&status=PENDING&limit=50|Bearer secret|");
    WF_EXPECT_INT(page.total_count, 120);
    WF_EXPECT_TEXT(page.next_cursor, "c+1");
    if (WF_EXPECT_INT((int64_t)page.authorizations.count, 1)) {
        WF_EXPECT_TEXT(page.authorizations.items[0].authorization_id, "AUTH-00000001");
        WF_EXPECT_INT(page.authorizations.items[0].status, CUSTODY_PENDING);
        WF_EXPECT_TEXT(custody_status_name(page.authorizations.items[0].status), "PENDING");
        WF_EXPECT_TEXT(custody_status_name(CUSTODY_EXPIRED), "EXPIRED");
        WF_EXPECT_TEXT(custody_status_name(-1), "");
    }
    if (!WF_EXPECT_CODE(custody_list_authorizations(&client, wf_task_arena(), &page, .limit = 7, .cursor = "c+1"), 0))
        return;
    WF_EXPECT_TEXT(last_asked(&service), "GET /v1/authorizations?limit=7&cursor=c%2B1|Bearer secret|");
    WF_EXPECT(page.next_cursor == NULL);
}

WF_TEST(limits_that_no_page_has_are_refused)
{
    struct custody_page page;
    SERVICE(service, {500});
    CLIENT();
    WF_EXPECT_CODE(custody_list_authorizations(&client, wf_task_arena(), &page, .limit = 201), -EINVAL);
    WF_EXPECT_CODE(custody_list_authorizations(&client, wf_task_arena(), &page, .limit = -1), -EINVAL);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_VALIDATION);
    if (WF_EXPECT_INT((int64_t)custody_error()->field_count, 1))
        WF_EXPECT_TEXT(custody_error()->fields[0].loc, "query.limit");
    WF_EXPECT_INT((int64_t)service.asked, 0);
}

#define CREATE(arena, result, ...)                                                                                     \
    custody_create_authorization(&client, (arena), (result), .origin = "A", .destination = "B",                        \
                                 .person_identity_key = "p", .authorized_by = "api-integration",                       \
                                 .make_model = "Unknown", __VA_ARGS__)

WF_TEST(an_authorization_is_created_once_by_its_key)
{
    struct custody_authorization made;
    SERVICE(service, {503, ERROR("injected_fault", "not now")}, {503, NULL}, {201, AUTHORIZATION("12345678")});
    CLIENT();
    if (!WF_EXPECT_CODE(CREATE(wf_task_arena(), &made, .vin = VIN), 0)) return;
    WF_EXPECT_TEXT(made.authorization_id, "AUTH-12345678");
    WF_EXPECT_INT((int64_t)service.asked, 3);
    WF_EXPECT_TEXT(last_asked(&service),
                   "POST /v1/authorizations|Bearer secret|{\"vin\":\"" VIN "\",\"origin\":\"A\",\"destination\":\"B\","
                   "\"person_identity_key\":\"p\",\"authorized_by\":\"api-integration\",\"make_model\":\"Unknown\"}");
    WF_EXPECT_INT((int64_t)strlen(service.log[0].key), 32);
    WF_EXPECT_TEXT(service.log[1].key, service.log[0].key);
    WF_EXPECT_TEXT(service.log[2].key, service.log[0].key);
    if (!WF_EXPECT_CODE(CREATE(wf_task_arena(), &made, .vin = VIN), 0)) return;
    WF_EXPECT(strcmp(service.log[3].key, service.log[0].key) != 0);
    if (WF_EXPECT_CODE(CREATE(wf_task_arena(), &made, .vin = VIN, .idempotency_key = "mine"), 0))
        WF_EXPECT_TEXT(service.log[4].key, "mine");
}

WF_TEST(what_an_authorization_lacks_is_said_all_at_once)
{
    struct custody_authorization made;
    SERVICE(service, {500});
    CLIENT();
    WF_EXPECT_CODE(custody_create_authorization(&client, wf_task_arena(), &made, .vin = VIN, .origin = "A",
                                                .authorized_by = "me", .make_model = "x"),
                   -EINVAL);
    WF_EXPECT_TEXT(custody_error()->message, VIN ": missing: destination person_identity_key");
    WF_EXPECT_INT((int64_t)custody_error()->field_count, 2);
    WF_EXPECT_CODE(CREATE(wf_task_arena(), &made, .vin = "INVALID_VIN"), -EINVAL);
    WF_EXPECT_PART(custody_error()->message, "INVALID_VIN");
    WF_EXPECT_CODE(CREATE(wf_task_arena(), &made, .vin = VIN, .idempotency_key = "a\nb"), -EINVAL);
    WF_EXPECT_INT((int64_t)service.asked, 0);
}

WF_TEST(decisions_are_for_one_authorization)
{
    struct custody_authorization result;
    SERVICE(service, {200, AUTHORIZATION("12345678")});
    CLIENT();
    struct wf_arena *arena = wf_task_arena();
    if (WF_EXPECT_CODE(custody_get_authorization(&client, arena, "AUTH-12345678", &result), 0))
        WF_EXPECT_TEXT(last_asked(&service), "GET /v1/authorizations/AUTH-12345678|Bearer secret|");
    if (WF_EXPECT_CODE(custody_approve(&client, arena, "AUTH-12345678", "ada", NULL, &result), 0))
        WF_EXPECT_TEXT(last_asked(&service),
                       "POST /v1/authorizations/AUTH-12345678:approve|Bearer secret|{\"by\":\"ada\"}");
    if (WF_EXPECT_CODE(custody_reject(&client, arena, "AUTH-12345678", "ada", "late", &result), 0))
        WF_EXPECT_TEXT(last_asked(&service), "POST /v1/authorizations/AUTH-12345678:reject|Bearer "
                                             "secret|{\"by\":\"ada\",\"reason\":\"late\"}");
    if (WF_EXPECT_CODE(custody_cancel(&client, arena, "AUTH/1", "ada", NULL, &result), 0))
        WF_EXPECT_PART(last_asked(&service), "POST /v1/authorizations/AUTH%2F1:cancel|");
    size_t asked = service.asked;
    WF_EXPECT_CODE(custody_approve(&client, arena, "AUTH-12345678", NULL, NULL, &result), -EINVAL);
    WF_EXPECT_CODE(custody_get_authorization(&client, arena, "..", &result), -EINVAL);
    WF_EXPECT_CODE(custody_get_authorization(&client, arena, NULL, &result), -EINVAL);
    WF_EXPECT_INT((int64_t)service.asked, (int64_t)asked);
}

/* ---- Several at once ---- */

struct view {
    struct custody_client *client;
    struct custody_releasability releasability;
    struct custody_page page;
    struct custody_state state;
};

static int load_releasability(struct view *view)
{
    return custody_check_vin(view->client, wf_task_arena(), VIN, &view->releasability);
}

static int load_authorizations(struct view *view)
{
    return custody_list_authorizations(view->client, wf_task_arena(), &view->page, .vin = VIN);
}

static int load_state(struct view *view)
{
    return custody_get_status(view->client, wf_task_arena(), VIN, &view->state);
}

static const struct answer *fail_one(const char *path)
{
    static const struct answer slow = {200, RELEASABLE, .latency = WF_SECONDS(60)};
    static const struct answer refused = {409, ERROR("bad_state", "no"), .latency = WF_SECONDS(1)};
    return strcmp(path, "/v1/authorizations") == 0 ? &refused : &slow;
}

WF_TEST(the_failure_of_one_call_cancels_the_others, .simulated = true)
{
    SERVICE(service, {500});
    service.choose = fail_one;
    CLIENT();
    struct view view = {.client = &client};
    WF_SCOPE(scope);
    wf_spawn(&scope, load_releasability, &view);
    wf_spawn(&scope, load_authorizations, &view);
    wf_spawn(&scope, load_state, &view);
    WF_EXPECT_CODE(wf_scope_join(&scope), -EEXIST);
    WF_EXPECT_ERROR(&scope, -EEXIST, VIN ": no");
    wf_each_error(&scope, error) error->taken = true;
    wf_ignore(wf_test_wait_idle());
    WF_EXPECT_INT((int64_t)service.asked, 3);
    WF_EXPECT_INT((int64_t)service.cut, 2);
}

/* ---- Transfers ---- */

WF_TEST(a_transfer_is_created_and_found)
{
    struct custody_transfer transfer;
    struct custody_state state;
    SERVICE(service, {202, TRANSFER}, {201, TRANSFER}, {200, TRANSFER}, {200, STATE});
    CLIENT();
    struct wf_arena *arena = wf_task_arena();
    if (!WF_EXPECT_CODE(custody_create_transfer(&client, arena, &transfer, .vin = VIN, .transfer_type = "GATE_OUT",
                                                .credential_id = "AUTH-12345678", .location_id = "LOC-A-B",
                                                .async = true),
                        0))
        return;
    WF_EXPECT_TEXT(last_asked(&service),
                   "POST /v1/transfers|Bearer secret|{\"vin\":\"" VIN "\",\"transfer_type\":\"GATE_OUT\","
                   "\"credential_id\":\"AUTH-12345678\",\"location_id\":\"LOC-A-B\",\"async\":true}");
    WF_EXPECT_TEXT(transfer.transfer_id, "TRF-00000007");
    WF_EXPECT_INT(transfer.status, CUSTODY_QUEUED);
    WF_EXPECT(!transfer.has.completed_at);
    if (WF_EXPECT_CODE(custody_create_transfer(&client, arena, &transfer, .vin = VIN, .transfer_type = "GATE_OUT",
                                               .credential_id = "AUTH-12345678", .location_id = "LOC-A-B"),
                       0))
        WF_EXPECT(strstr(last_asked(&service), "async") == NULL);
    if (WF_EXPECT_CODE(custody_get_transfer(&client, arena, "TRF-00000007", &transfer), 0))
        WF_EXPECT_TEXT(last_asked(&service), "GET /v1/transfers/TRF-00000007|Bearer secret|");
    if (!WF_EXPECT_CODE(custody_get_status(&client, arena, VIN, &state), 0)) return;
    WF_EXPECT_TEXT(last_asked(&service), "GET /v1/transfers/" VIN "/status|Bearer secret|");
    WF_EXPECT_TEXT(state.current_custodian, "MANHEIM");
    WF_EXPECT_INT(state.pending_authorizations, 20);
    WF_EXPECT(state.last_transfer_id == NULL);
    WF_EXPECT_CODE(custody_create_transfer(&client, arena, &transfer, .vin = VIN), -EINVAL);
    WF_EXPECT_PART(custody_error()->message, "missing: transfer_type credential_id location_id");
}

WF_TEST_MAIN
