/* The SDK against the sandbox, in memory: what the samples of the documents do, and what rests on both sides. */
#include <custody/custody.h>
#include <stdio.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "../server/sandbox.h"

#define GOOD "9HGBH41JXMN999999"
#define HELD "1HGCM82633A123456"
#define OTHER "2HGCM82633A789012"
#define PLACE "LOC-AUCTION-MANHEIM-ATLANTA"

/* ---- A sandbox, and a client of it ---- */

struct world {
    struct wf_scope *scope;
    struct sandbox *sandbox;
    struct custody_client client;
    const char *token;
};

static int open_world(struct world *world, const char *scopes)
{
    struct sandbox_options options = {SANDBOX_DEFAULTS};
    options.storage.where = ":memory:";
    options.rate_count = 0;
    int rc = sandbox_open(world->scope, &options, &world->sandbox);
    if (rc == 0) rc = sandbox_token(world->sandbox, wf_task_arena(), "tests", scopes, WF_MINUTES(60), &world->token);
    if (rc == 0) rc = custody_client_open(&world->client, .token = world->token, .app = sandbox_app(world->sandbox));
    return rc;
}

static void close_world(struct world *world)
{
    custody_client_close(&world->client);
    sandbox_close(world->sandbox);
}

/* WORLD(world): a test goes on where it could be opened. */
#define WORLD(name, scopes)                                                                                            \
    WF_SCOPE(name##_scope);                                                                                            \
    struct world name __attribute__((cleanup(close_world))) = {.scope = &name##_scope};                                \
    if (!WF_EXPECT_CODE(open_world(&name, (scopes)), 0)) return

#define BOTH "custody:read custody:write"

struct lookup {
    struct custody_client *client;
    const char *vin;
    struct custody_releasability result;
    char error[200];
};

static int look_up(struct lookup *lookup)
{
    int rc = custody_check_vin(lookup->client, wf_task_arena(), lookup->vin, &lookup->result);
    if (rc < 0) snprintf(lookup->error, sizeof lookup->error, "%s", custody_error()->message);
    return rc;
}

/* ---- Tests ---- */

WF_TEST(three_vehicles_at_once_with_the_bad_one_in_its_place)
{
    WORLD(world, BOTH);
    struct lookup lookups[] = {{.vin = GOOD}, {.vin = "INVALID_VIN"}, {.vin = HELD}};
    int codes[WF_COUNT(lookups)];
    for (size_t i = 0; i < WF_COUNT(lookups); i++) lookups[i].client = &world.client;
    WF_EXPECT_CODE(wf_gather(lookups, WF_COUNT(lookups), look_up, .collect = codes), 0);
    if (wf_test_injected()) return;
    WF_EXPECT_CODE(codes[0], 0);
    WF_EXPECT(lookups[0].result.is_releasable);
    WF_EXPECT_CODE(codes[1], -EINVAL);
    WF_EXPECT_PART(lookups[1].error, "INVALID_VIN");
    WF_EXPECT_CODE(codes[2], 0);
    WF_EXPECT(!lookups[2].result.is_releasable);
}

WF_TEST(what_the_service_refuses_it_says_in_its_own_words)
{
    WORLD(world, BOTH);
    struct custody_client strict = {.failed_ = 0};
    struct custody_releasability result;
    wf_ignore(
        custody_client_open(&strict, .token = world.token, .send_any_vin = true, .app = sandbox_app(world.sandbox)));
    WF_EXPECT_CODE(custody_check_vin(&strict, wf_task_arena(), "INVALID_VIN", &result), -EINVAL);
    WF_EXPECT_TEXT(custody_error()->code, "invalid_vin");
    WF_EXPECT_INT(custody_error()->status, 422);
    WF_EXPECT_PART(custody_error()->message, "INVALID_VIN");
    WF_EXPECT(custody_error()->request_id[0] != '\0');
    custody_client_close(&strict);
    WF_EXPECT_CODE(custody_get_cached(&world.client, wf_task_arena(), "VIN000000000001", &result), -ENOENT);
    WF_EXPECT_TEXT(custody_error()->code, "not_cached");
    WF_EXPECT_CODE(custody_check_vin(&world.client, wf_task_arena(), "VIN000000000001", &result), 0);
    if (WF_EXPECT_CODE(custody_get_cached(&world.client, wf_task_arena(), "VIN000000000001", &result), 0))
        WF_EXPECT(result.cached);
}

WF_TEST(a_hundred_and_twenty_authorizations_come_in_three_pages)
{
    WORLD(world, BOTH);
    struct custody_authorization item;
    int rc, count = 0;
    CUSTODY_AUTHORIZATIONS(all, &world.client, .vin = GOOD, .limit = 50);
    while ((rc = wf_next(&all, &item)) > 0) count++;
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(count, 120);
    struct custody_page page;
    if (WF_EXPECT_CODE(custody_list_authorizations(&world.client, wf_task_arena(), &page, .vin = GOOD), 0))
        WF_EXPECT_INT(page.total_count, 120);
    WF_EXPECT_CODE(custody_list_authorizations(&world.client, wf_task_arena(), &page, .cursor = "nonsense"), -EINVAL);
    WF_EXPECT_TEXT(custody_error()->code, "bad_cursor");
}

WF_TEST(a_vehicle_goes_from_hand_to_hand)
{
    WORLD(world, BOTH);
    struct wf_arena *arena = wf_task_arena();
    struct custody_authorization made, again;
    struct custody_transfer transfer, found;
    struct custody_state state;
    for (int i = 0; i < 2; i++)
        if (!WF_EXPECT_CODE(custody_create_authorization(&world.client, arena, i == 0 ? &made : &again, .vin = OTHER,
                                                         .origin = "A", .destination = "B", .make_model = "Unknown",
                                                         .person_identity_key = "ada", .authorized_by = "tests",
                                                         .idempotency_key = "k-1"),
                            0))
            return;
    WF_EXPECT_TEXT(again.authorization_id, made.authorization_id);
    WF_EXPECT_INT(made.status, CUSTODY_PENDING);
    WF_EXPECT_CODE(custody_create_transfer(&world.client, arena, &transfer, .vin = OTHER, .transfer_type = "GATE_OUT",
                                           .credential_id = made.authorization_id, .location_id = PLACE),
                   -EEXIST);
    WF_EXPECT_TEXT(custody_error()->code, "credential_not_approved");
    if (WF_EXPECT_CODE(custody_approve(&world.client, arena, made.authorization_id, "tests", "all is well", &made), 0))
        WF_EXPECT_INT(made.status, CUSTODY_APPROVED);
    WF_EXPECT_CODE(custody_approve(&world.client, arena, made.authorization_id, "tests", NULL, &made), -EEXIST);
    WF_EXPECT_TEXT(custody_error()->code, "bad_state");
    if (!WF_EXPECT_CODE(custody_create_transfer(&world.client, arena, &transfer, .vin = OTHER,
                                                .transfer_type = "GATE_OUT", .location_id = PLACE,
                                                .credential_id = made.authorization_id),
                        0))
        return;
    WF_EXPECT_INT(transfer.status, CUSTODY_COMPLETED);
    if (WF_EXPECT_CODE(custody_get_transfer(&world.client, arena, transfer.transfer_id, &found), 0))
        WF_EXPECT_TEXT(found.to_custodian, "ada");
    if (WF_EXPECT_CODE(custody_get_status(&world.client, arena, OTHER, &state), 0))
        WF_EXPECT_TEXT(state.current_custodian, "ada");
    if (WF_EXPECT_CODE(custody_get_authorization(&world.client, arena, made.authorization_id, &made), 0))
        WF_EXPECT_INT(made.status, CUSTODY_USED);
    WF_EXPECT_CODE(custody_create_transfer(&world.client, arena, &transfer, .vin = OTHER, .transfer_type = "GATE_OUT",
                                           .location_id = "LOC-NO-WHERE", .credential_id = "AUTH-12345678"),
                   -EINVAL);
    WF_EXPECT_TEXT(custody_error()->code, "unknown_location");
}

WF_TEST(events_tell_of_it_from_any_place_on)
{
    WORLD(world, BOTH);
    static const char *const types[] = {"authorization.created", "authorization.cancelled"};
    struct wf_arena *arena = wf_task_arena();
    struct custody_authorization made;
    struct custody_news news;
    int rc = custody_create_authorization(&world.client, arena, &made, .vin = OTHER, .origin = "A", .destination = "B",
                                          .make_model = "Unknown", .person_identity_key = "eve", .authorized_by = "me");
    if (rc == 0) rc = custody_cancel(&world.client, arena, made.authorization_id, "me", NULL, &made);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    CUSTODY_EVENTS(events, &world.client, .after = "0", .vin = OTHER);
    for (size_t i = 0; i < WF_COUNT(types); i++) {
        if (!WF_EXPECT_CODE(wf_next(&events, &news), 1)) return;
        WF_EXPECT_TEXT(news.event.type, types[i]);
        WF_EXPECT_TEXT(news.event.subject_id, made.authorization_id);
    }
    CUSTODY_EVENTS(bad, &world.client, .after = "soon");
    WF_EXPECT_CODE(wf_next(&bad, &news), -EINVAL);
    WF_EXPECT_TEXT(custody_error()->code, "bad_event_id");
}

WF_TEST(who_may_only_read_changes_nothing)
{
    WORLD(world, "custody:read");
    struct custody_authorization made;
    struct custody_batch_row rows[2];
    const char *const vins[] = {GOOD, HELD};
    WF_EXPECT_CODE(custody_approve(&world.client, wf_task_arena(), "AUTH-12345678", "me", NULL, &made), -EPERM);
    WF_EXPECT_INT(custody_error()->kind, CUSTODY_PERMISSION);
    if (!WF_EXPECT_CODE(custody_check_batch(&world.client, wf_task_arena(), vins, 2, rows), 0)) return;
    WF_EXPECT(rows[0].ok && rows[0].result.is_releasable);
    WF_EXPECT(rows[1].ok && !rows[1].result.is_releasable);
    struct custody_client nobody = {.failed_ = 0};
    wf_ignore(custody_client_open(&nobody, .token = "nobody", .app = sandbox_app(world.sandbox)));
    WF_EXPECT_CODE(custody_get_authorization(&nobody, wf_task_arena(), "AUTH-12345678", &made), -EACCES);
    WF_EXPECT_TEXT(custody_error()->code, "invalid_token");
    custody_client_close(&nobody);
}

WF_TEST_MAIN
