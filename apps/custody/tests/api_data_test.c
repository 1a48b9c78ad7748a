/* What the API keeps and changes: checks, pages, decisions, transfers, what is made once. The numbers are those of the
 * settled points that the API was agreed on by. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api_rig.h"

#define CODE(code) "{\"error\":{\"code\":\"" code "\","

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

#define PATH(...) or_empty(wf_arena_printf(wf_task_arena(), __VA_ARGS__))

static const char *field(const struct wf_response *response, const char *name)
{
    const char *value = wf_headers_find(&response->headers, name);
    return value != NULL ? value : "";
}

/* ---- Releasability ---- */

WF_TEST(a_cached_answer_is_that_of_the_last_check, .uses = {&api_fixture})
{
    struct api *api = wf_use(&api_fixture);
    const char *checked, *cached;
    if (!WF_EXPECT_INT(get(api, "/releasability/" HELD, &checked), 200)) return;
    if (!WF_EXPECT_INT(get(api, "/releasability/1hgcm82633a123456/cached", &cached), 200)) return;
    WF_EXPECT_PART(cached, "\"cached\":true,\"age_s\":");
    WF_EXPECT_TEXT(member_of(cached, "checked_at"), member_of(checked, "checked_at"));
    WF_EXPECT_PART(cached, "\"code\":\"TITLE_HOLD\"");
}

WF_TEST(a_batch_fills_the_cache_and_is_answered_in_order, .uses = {&api_fixture})
{
    struct api *api = wf_use(&api_fixture);
    const char *body, *first, *second;
    int status = post(api, "/releasability:batch", "{\"vins\":[\"" HELD "\",\"" RELEASABLE "\",\"" HELD "\"]}", &body);
    if (!WF_EXPECT_INT(status, 200)) return;
    first = strstr(body, "\"vin\":\"" HELD), second = strstr(body, "\"vin\":\"" RELEASABLE);
    WF_EXPECT(first != NULL && second != NULL && first < second);
    WF_EXPECT_INT(get(api, "/releasability/" RELEASABLE "/cached", NULL), 200);
}

static const char *batch_of(unsigned count)
{
    char *text = wf_arena_alloc(wf_task_arena(), 32 + 20 * (size_t)count), *at = text;
    if (text == NULL) return "";
    at += sprintf(at, "{\"vins\":[");
    for (unsigned i = 0; i < count; i++) at += sprintf(at, "%s\"VIN%012u\"", i > 0 ? "," : "", i % 100);
    sprintf(at, "]}");
    return text;
}

WF_TEST(a_batch_has_at_most_500, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    const char *body;
    size_t held = 0, rows = 0;
    WF_EXPECT_INT(post(api, "/releasability:batch", batch_of(501), NULL), 422);
    if (!WF_EXPECT_INT(post(api, "/releasability:batch", batch_of(500), &body), 200)) return;
    for (const char *at = body; (at = strstr(at, "\"ok\":true")) != NULL; at++) rows++;
    for (const char *at = body; (at = strstr(at, "\"is_releasable\":false")) != NULL; at++) held++;
    WF_EXPECT_INT((int64_t)rows, 500);
    WF_EXPECT(held > 50 && held < 200); /* 20: about one in five */
}

/* ---- Pages ---- */

static size_t count_items(const char *body)
{
    size_t count = 0;
    for (; (body = strstr(body, "\"authorization_id\"")) != NULL; body++) count++;
    return count;
}

/* All pages from there on; *items counts what they have. */
static unsigned turn_pages(struct api *api, const char *first, size_t *items)
{
    unsigned pages = 0;
    const char *body = "", *cursor = "", *path = first;
    *items = 0;
    while (path[0] != '\0' && pages < 10 && WF_EXPECT_INT(get(api, path, &body), 200)) {
        *items += count_items(body);
        pages++;
        cursor = member_of(body, "next_cursor");
        path = cursor[0] != '\0' ? wf_arena_printf(wf_task_arena(), "%s&cursor=%s", first, cursor) : "";
        if (path == NULL) break;
    }
    WF_EXPECT_PART(body, "\"next_cursor\":null");
    return pages;
}

WF_TEST(pages_follow_each_other_to_the_end, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    size_t items;
    WF_EXPECT_INT(turn_pages(api, "/authorizations?vin=" RELEASABLE "&limit=50", &items), 3);
    WF_EXPECT_INT((int64_t)items, 120);
    WF_EXPECT_INT(turn_pages(api, "/authorizations?vin=" RELEASABLE "&limit=60", &items),
                  2); /* 24: full, and the last */
    WF_EXPECT_INT((int64_t)items, 120);
}

static void expect_bad(struct api *api, const char *query, const char *cursor)
{
    const char *body, *path = wf_arena_printf(wf_task_arena(), "/authorizations?%scursor=%s", query, cursor);
    if (path == NULL || !WF_EXPECT_INT(get(api, path, &body), 400)) return;
    WF_EXPECT_PART(body, CODE("bad_cursor"));
}

WF_TEST(a_cursor_is_for_its_filter_and_cannot_be_altered, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    const char *body;
    WF_EXPECT_INT(get(api, "/authorizations?vin=" RELEASABLE "&limit=7", &body), 200);
    const char *cursor = member_of(body, "next_cursor");
    expect_bad(api, "", cursor);
    expect_bad(api, "vin=" OTHER "&", cursor);
    expect_bad(api, "vin=x&", cursor);
    expect_bad(api, "vin=" RELEASABLE "&status=PENDING&", cursor);
    size_t size = strlen(cursor);
    for (size_t i = 0; i < size; i++) {
        char *altered = wf_arena_strdup(wf_task_arena(), cursor);
        if (altered == NULL) return;
        altered[i] = altered[i] == 'A' ? 'B' : 'A';
        expect_bad(api, "vin=" RELEASABLE "&", altered);
    }
    expect_bad(api, "vin=" RELEASABLE "&", PATH("%sA", cursor));
    WF_EXPECT_INT(get(api, PATH("/authorizations?vin=9hgbh41jxmn999999&limit=3&cursor=%s", cursor), &body), 200);
    WF_EXPECT_INT((int64_t)count_items(body), 3);
}

WF_TEST(filters_go_together, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    static const char *const statuses[] = {"PENDING", "APPROVED", "USED", "REJECTED", "CANCELLED", "EXPIRED"};
    int64_t sum = 0;
    for (size_t i = 0; i < WF_COUNT(statuses); i++) {
        const char *body, *path = PATH("/authorizations?vin=" RELEASABLE "&limit=200&status=%s", statuses[i]);
        if (!WF_EXPECT_INT(get(api, path, &body), 200)) return;
        WF_EXPECT(count_items(body) > 0); /* 22: each at least once */
        sum += (int64_t)count_items(body);
    }
    WF_EXPECT_INT(sum, 120);
}

/* ---- Authorizations ---- */

WF_TEST(a_new_authorization_is_pending_for_72_hours, .uses = {&api_fixture})
{
    struct api *api = wf_use(&api_fixture);
    struct wf_response response;
    struct asked asked = {.method = "POST",
                          .path = "/authorizations",
                          .body = new_authorization("VIN000000000007", "p")};
    if (!WF_EXPECT_INT(ask(api, &asked, &response), 201)) return;
    const char *id = member_of(response.body, "authorization_id");
    WF_EXPECT_TEXT(field(&response, "location"), PATH("/v1/authorizations/%s", id));
    WF_EXPECT_PART(response.body, "\"status\":\"PENDING\"");
    WF_EXPECT_TEXT(member_of(response.body, "created_at"), member_of(response.body, "updated_at"));
    WF_EXPECT(strcmp(member_of(response.body, "created_at"), member_of(response.body, "expires_at")) < 0);
    const char *again;
    if (WF_EXPECT_INT(get(api, PATH("/authorizations/%s", id), &again), 200)) WF_EXPECT_TEXT(again, response.body);
}

WF_TEST(one_person_has_one_open_authorization_for_a_vehicle, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    const char *body, *json = new_authorization("VIN000000000007", "p");
    WF_EXPECT_INT(post(api, "/authorizations", json, &body), 201);
    const char *cancel = PATH("/authorizations/%s:cancel", member_of(body, "authorization_id"));
    WF_EXPECT_INT(post(api, "/authorizations", json, &body), 409);
    WF_EXPECT_PART(body, CODE("duplicate_open_authorization"));
    WF_EXPECT_INT(post(api, "/authorizations", new_authorization("VIN000000000007", "q"), NULL), 201);
    WF_EXPECT_INT(post(api, cancel, "{\"by\":\"x\",\"reason\":\"y\"}", NULL), 200);
    WF_EXPECT_INT(post(api, "/authorizations", json, NULL), 201);
}

static const struct decision_case {
    const char *name, *verbs[2], *state;
} decisions[] = {
    {"approve", {"approve"}, "APPROVED"},
    {"reject", {"reject"}, "REJECTED"},
    {"cancel", {"cancel"}, "CANCELLED"},
    {"approve and cancel", {"approve", "cancel"}, "CANCELLED"},
};

WF_TEST_EACH(a_decision_is_made_once, decisions, .uses = {&api_fixture})
{
    struct api *api = wf_use(&api_fixture);
    const char *body, *path = "";
    WF_EXPECT_INT(post(api, "/authorizations", new_authorization("VIN000000000007", "p"), &body), 201);
    const char *id = member_of(body, "authorization_id");
    for (size_t i = 0; i < 2 && row->verbs[i] != NULL; i++) {
        path = wf_arena_printf(wf_task_arena(), "/authorizations/%s:%s", id, row->verbs[i]);
        if (path == NULL || !WF_EXPECT_INT(post(api, path, "{\"by\":\"x\"}", &body), 200)) return;
    }
    WF_EXPECT_TEXT(member_of(body, "status"), row->state);
    WF_EXPECT_INT(post(api, path, "{\"by\":\"x\"}", &body), 409);
    WF_EXPECT_PART(body, CODE("bad_state"));
    WF_EXPECT_INT(post(api, PATH("/authorizations/%s:reject", id), "{\"by\":\"x\"}", NULL), 409);
}

/* ---- Once ---- */

static int ask_once(struct api *api, const char *path, const char *key, const char *body, struct wf_response *response)
{
    struct asked asked = {.method = "POST", .path = path, .body = body, .fields = {{"Idempotency-Key", key}}};
    return ask(api, &asked, response);
}

WF_TEST(a_replay_is_the_answer_of_then, .uses = {&api_fixture})
{
    struct api *api = wf_use(&api_fixture);
    struct wf_response first, second, other;
    static const char same[] =
        "{ \"make_model\" : \"Unk\\u006eown\", \"authorized_by\":\"tests\",\"person_identity_key\":\"p\","
        "\"destination\":\"Lot 2\",\"origin\":\"Lot 1\",\n\"vin\":\"VIN000000000007\"}";
    const char *body = new_authorization("VIN000000000007", "p");
    if (!WF_EXPECT_INT(ask_once(api, "/authorizations", "k", body, &first), 201)) return;
    if (!WF_EXPECT_INT(ask_once(api, "/authorizations", "k", same, &second), 201)) return;
    WF_EXPECT_TEXT(second.body, first.body);
    WF_EXPECT_TEXT(field(&second, "location"), field(&first, "location"));
    WF_EXPECT_TEXT(field(&first, "idempotent-replay"), "");
    WF_EXPECT_TEXT(field(&second, "idempotent-replay"), "true");
    WF_EXPECT(strcmp(field(&second, "x-request-id"), field(&first, "x-request-id")) != 0);
    if (WF_EXPECT_INT(ask_once(api, "/authorizations", "k", new_authorization("VIN000000000008", "p"), &other), 409))
        WF_EXPECT_PART(other.body, CODE("idempotency_key_reused"));
    const char *decide = PATH("/authorizations/%s:approve", member_of(first.body, "authorization_id"));
    WF_EXPECT_INT(ask_once(api, decide, "k", "{\"by\":\"x\"}", &other), 200); /* 27: of each path its own */
    WF_EXPECT_INT(ask_once(api, decide, "k", "{\"by\":\"x\"}", &other), 200);
    WF_EXPECT_INT(post(api, decide, "{\"by\":\"x\"}", NULL), 409);
}

WF_TEST(only_what_succeeded_is_kept, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    struct wf_response response;
    const char *body = new_authorization("VIN000000000007", "p"), *first;
    WF_EXPECT_INT(ask_once(api, "/authorizations", "k", "{}", &response), 422);
    WF_EXPECT_INT(post(api, "/authorizations", body, &first), 201);
    const char *cancel = PATH("/authorizations/%s:cancel", member_of(first, "authorization_id"));
    WF_EXPECT_INT(ask_once(api, "/authorizations", "k", body, &response), 409);
    WF_EXPECT_INT(post(api, cancel, "{\"by\":\"x\"}", NULL), 200);
    WF_EXPECT_INT(ask_once(api, "/authorizations", "k", body, &response), 201);
    WF_EXPECT_TEXT(field(&response, "idempotent-replay"), "");
}

struct twin {
    struct api *api;
    const char *body;
    struct wf_response response;
    int status;
};

static int ask_as_twin(struct twin *twin)
{
    twin->status = ask_once(twin->api, "/authorizations", "k", twin->body, &twin->response);
    if (twin->status > 0) wf_test_note("%s", field(&twin->response, "idempotent-replay"));
    return 0;
}

WF_TEST(twins_that_come_at_once_are_one, .uses = {&api_fixture})
{
    const char *body = new_authorization("VIN000000000007", "p");
    struct twin twins[4] = {{.api = NULL}};
    for (size_t i = 0; i < 4; i++) twins[i] = (struct twin){.api = wf_use(&api_fixture), .body = body};
    WF_EXPECT_CODE(wf_gather(twins, 4, ask_as_twin), 0);
    for (size_t i = 0; i < 4; i++) WF_EXPECT_INT(twins[i].status, 201);
    unsigned replays = 0;
    for (const char *at = wf_test_notes(); (at = strstr(at, "true")) != NULL; at++) replays++;
    WF_EXPECT_INT(replays, 3);
}

/* ---- Transfers ---- */

static const char *transfer_of(const char *vin, const char *type, const char *credential, const char *more)
{
    const char *body = wf_arena_printf(wf_task_arena(),
                                       "{\"vin\":\"%s\",\"transfer_type\":\"%s\",\"credential_id\":\"%s\","
                                       "\"location_id\":\"" ATLANTA "\"%s}",
                                       vin, type, credential, more);
    return body != NULL ? body : "";
}

static const struct handing {
    const char *type, *custodian;
} handings[] = {
    {"PICKUP", "person-x"}, {"GATE_OUT", "person-x"}, {"DEALER_RELEASE", "person-x"},
    {"DROPOFF", "MANHEIM"}, {"GATE_IN", "MANHEIM"},   {"AUCTION_CHECKIN", "MANHEIM"},
};

WF_TEST_EACH(a_transfer_gives_custody_and_uses_its_credential, handings, .uses = {&api_fixture})
{
    struct api *api = wf_use(&api_fixture);
    struct wf_response response;
    const char *status, *credential = approved(api, RELEASABLE, "person-x");
    struct asked asked = {.method = "POST",
                          .path = "/transfers",
                          .body = transfer_of(RELEASABLE, row->type, credential, "")};
    if (!WF_EXPECT_INT(ask(api, &asked, &response), 201)) return;
    const char *id = member_of(response.body, "transfer_id");
    WF_EXPECT_TEXT(field(&response, "location"), PATH("/v1/transfers/%s", id));
    WF_EXPECT_TEXT(member_of(response.body, "status"), "COMPLETED");
    WF_EXPECT_TEXT(member_of(response.body, "to_custodian"), row->custodian);
    WF_EXPECT_INT(get(api, "/transfers/" RELEASABLE "/status", &status), 200);
    WF_EXPECT_TEXT(member_of(status, "current_custodian"), row->custodian);
    WF_EXPECT_TEXT(member_of(status, "current_location"), ATLANTA);
    WF_EXPECT_TEXT(member_of(status, "last_transfer_id"), id);
    WF_EXPECT_TEXT(member_of(status, "since"), member_of(response.body, "completed_at"));
    WF_EXPECT_INT(get(api, PATH("/authorizations/%s", credential), &status), 200);
    WF_EXPECT_TEXT(member_of(status, "status"), "USED");
    WF_EXPECT_INT(ask(api, &asked, &response), 409); /* 30: it serves once */
    WF_EXPECT_PART(response.body, CODE("credential_not_approved"));
}

WF_TEST(a_vehicle_that_is_held_may_come_but_not_go, .uses = {&api_fixture}, .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    static const char *const going[] = {"PICKUP", "GATE_OUT", "DEALER_RELEASE"};
    const char *body, *credential = approved(api, HELD, "person-x");
    for (size_t i = 0; i < WF_COUNT(going); i++) {
        WF_EXPECT_INT(post(api, "/transfers", transfer_of(HELD, going[i], credential, ""), &body), 409);
        WF_EXPECT_PART(body, CODE("not_releasable"));
    }
    WF_EXPECT_INT(post(api, "/transfers", transfer_of(HELD, "GATE_IN", credential, ""), NULL), 201);
}

WF_TEST(a_transfer_may_be_queued_and_completes_by_itself, .uses = {&api_fixture}, .simulated = true,
        .timeout = WF_SECONDS(60), .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    struct wf_response response, again;
    const char *body, *json = transfer_of(OTHER, "PICKUP", "AUTH-12345678", ",\"async\":true");
    if (!WF_EXPECT_INT(ask_once(api, "/transfers", "k", json, &response), 202)) return;
    WF_EXPECT_PART(response.body, "\"status\":\"QUEUED\"");
    WF_EXPECT_PART(response.body, "\"completed_at\":null");
    WF_EXPECT_INT(get(api, "/authorizations/AUTH-12345678", &body), 200);
    WF_EXPECT_TEXT(member_of(body, "status"), "USED");
    wf_ignore(wf_sleep(WF_SECONDS(10)));
    WF_EXPECT_INT(get(api, PATH("/transfers/%s", member_of(response.body, "transfer_id")), &body), 200);
    WF_EXPECT_TEXT(member_of(body, "status"), "COMPLETED");
    if (WF_EXPECT_INT(ask_once(api, "/transfers", "k", json, &again), 202)) WF_EXPECT_TEXT(again.body, response.body);
}

WF_TEST(an_authorization_ends_after_72_hours, .uses = {&api_fixture}, .simulated = true,
        .timeout = WF_SECONDS(80 * 3600), .unswept = "asks much")
{
    struct api *api = wf_use(&api_fixture);
    const char *body, *credential = approved(api, RELEASABLE, "person-x");
    const char *path = PATH("/authorizations/%s", credential);
    WF_CLIENT(client, .base_url = "http://sandbox/v1", .app = sandbox_app(api->sandbox));
    wf_ignore(wf_sleep(WF_SECONDS(72 * 3600 + 60)));
    const char *token = token_of("\"sub\":\"a\",\"aud\":\"custody-sandbox\",\"scope\":\"custody:read custody:write\"");
    struct api later = {.sandbox = api->sandbox, .client = &client, .token = token};
    WF_EXPECT_INT(get(&later, path, &body), 200);
    WF_EXPECT_TEXT(member_of(body, "status"), "EXPIRED");
    WF_EXPECT_INT(post(&later, "/transfers", transfer_of(RELEASABLE, "PICKUP", credential, ""), &body), 409);
    WF_EXPECT_PART(body, CODE("credential_not_approved"));
}

WF_TEST_MAIN
