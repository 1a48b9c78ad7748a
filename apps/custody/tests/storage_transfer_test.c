/* The storage: transfers, what is made once, and events. */
#include "storage_rig.h"

WF_FIXTURE(sandbox)
{
    return rig_provide(&(struct storage_options){.provision = true, .seed = true}, STORAGE_ON_FILE);
}

/* ---- Transfers ---- */

WF_TEST(a_pickup_gives_the_vehicle_to_the_person, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_state before, after;
    struct custody_transfer made, found;
    struct custody_authorization used;
    int rc = storage_state(storage, wf_task_arena(), APPROVED_VIN, &before);
    if (rc == 0) rc = rig_transfer(storage, APPROVED_VIN, "PICKUP", APPROVED_ID, ATLANTA, &made);
    if (rc == 0) rc = storage_state(storage, wf_task_arena(), APPROVED_VIN, &after);
    if (rc == 0) rc = storage_find_transfer(storage, wf_task_arena(), made.transfer_id, &found);
    if (rc == 0) rc = storage_authorization(storage, wf_task_arena(), APPROVED_ID, &used);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(strspn(made.transfer_id + strlen("TRF-"), "0123456789"), 8);
    WF_EXPECT_INT(found.status, CUSTODY_COMPLETED);
    WF_EXPECT(found.has.completed_at && found.completed_at == made.completed_at);
    WF_EXPECT_TEXT(found.transfer_type, "PICKUP");
    WF_EXPECT_TEXT(found.credential_id, APPROVED_ID);
    WF_EXPECT_TEXT(found.location_id, ATLANTA);
    WF_EXPECT_TEXT(found.from_custodian, before.current_custodian);
    WF_EXPECT_TEXT(found.to_custodian, used.person_identity_key);
    WF_EXPECT_TEXT(after.current_custodian, used.person_identity_key);
    WF_EXPECT_TEXT(after.current_location, ATLANTA);
    WF_EXPECT_TEXT(after.last_transfer_id, made.transfer_id);
    WF_EXPECT_INT(after.since, made.completed_at);
    WF_EXPECT_INT(used.status, CUSTODY_USED);
    WF_EXPECT_TEXT(rig_events(storage, 0, NULL), "authorization.used custody.transferred");
    WF_EXPECT_CODE(storage_find_transfer(storage, wf_task_arena(), "TRF-00000000", &found), -ENOENT);
}

static const struct type_case {
    const char *type;
    bool release;
} types[] = {{"PICKUP", true},   {"GATE_OUT", true},         {"DEALER_RELEASE", true}, {"DROPOFF", false},
             {"GATE_IN", false}, {"AUCTION_CHECKIN", false}, {"TOWED", false}};

WF_TEST_EACH(what_is_held_is_not_released_and_all_else_goes, types, .uses = {&sandbox},
             .unswept = "other tests make the same calls")
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_authorization held, after;
    struct custody_transfer made;
    struct custody_state state;
    if (!WF_EXPECT_CODE(rig_approved(storage, HELD_VIN, "Ada", &held), 0)) return;
    int64_t last = storage_last_event(storage);
    int rc = rig_transfer(storage, HELD_VIN, row->type, held.authorization_id, RICHMOND, &made);
    WF_EXPECT_CODE(rc, row->release ? REFUSED_NOT_RELEASABLE : 0);
    rc = storage_state(storage, wf_task_arena(), HELD_VIN, &state);
    if (rc == 0) rc = storage_authorization(storage, wf_task_arena(), held.authorization_id, &after);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    if (!row->release) WF_EXPECT_TEXT(state.current_custodian, "CARMAX");
    WF_EXPECT_INT(after.status, row->release ? CUSTODY_APPROVED : CUSTODY_USED);
    WF_EXPECT_TEXT(rig_events(storage, last, NULL), row->release ? "" : "authorization.used custody.transferred");
}

WF_TEST(a_credential_serves_its_vehicle_once_and_when_approved, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_authorization pending;
    struct custody_transfer made;
    if (!WF_EXPECT_CODE(rig_authorize(storage, APPROVED_VIN, "Ada", &pending), 0)) return;
    const char *id = pending.authorization_id;
    WF_EXPECT_CODE(rig_transfer(storage, APPROVED_VIN, "PICKUP", "AUTH-00000000", ATLANTA, &made),
                   REFUSED_NOT_APPROVED);
    WF_EXPECT_CODE(rig_transfer(storage, APPROVED_VIN, "PICKUP", id, ATLANTA, &made), REFUSED_NOT_APPROVED);
    WF_EXPECT_CODE(rig_transfer(storage, RELEASABLE_VIN, "PICKUP", id, ATLANTA, &made), REFUSED_OTHER_VIN);
    WF_EXPECT_CODE(rig_transfer(storage, "VIN000000000001", "PICKUP", APPROVED_ID, ATLANTA, &made), REFUSED_OTHER_VIN);
    WF_EXPECT_CODE(rig_transfer(storage, APPROVED_VIN, "PICKUP", APPROVED_ID, ATLANTA, &made), 0);
    WF_EXPECT_CODE(rig_transfer(storage, APPROVED_VIN, "PICKUP", APPROVED_ID, ATLANTA, &made), REFUSED_NOT_APPROVED);
}

WF_TEST(only_what_is_pending_counts_as_pending, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_authorization one, other;
    struct custody_state state;
    int rc = rig_authorize(storage, APPROVED_VIN, "Ada", &one);
    if (rc == 0) rc = rig_approved(storage, APPROVED_VIN, "Grace", &other);
    if (rc == 0) rc = storage_state(storage, wf_task_arena(), APPROVED_VIN, &state);
    if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_INT(state.pending_authorizations, 1);
}

/* ---- Once ---- */

static int say_id(const void *value, struct wf_arena *arena, struct said *said)
{
    const struct custody_authorization *made = value;
    said->status = 201;
    said->body = wf_arena_printf(arena, "{\"authorization_id\":\"%s\"}", made->authorization_id);
    said->location = wf_arena_printf(arena, "/v1/authorizations/%s", made->authorization_id);
    return said->body != NULL && said->location != NULL ? 0 : -ENOMEM;
}

static int say_nothing_good(const void *value, struct wf_arena *arena, struct said *said)
{
    int rc = say_id(value, arena, said);
    said->status = 500;
    return rc;
}

static int say_nothing(const void *value, struct wf_arena *arena, struct said *said)
{
    (void)value;
    (void)arena;
    (void)said;
    return -EMSGSIZE;
}

static struct once once_of(const char *subject, const char *key, uint8_t body)
{
    return (
        struct once){.subject = subject, .path = "/v1/authorizations", .key = key, .body_hash = {body}, .say = say_id};
}

static int authorize_once(struct storage *storage, const char *person, struct once *once)
{
    struct custody_new_authorization wanted = rig_wanted(RELEASABLE_VIN, person);
    struct custody_authorization result;
    return storage_authorize(storage, wf_task_arena(), &wanted, once, &result);
}

WF_TEST(who_asks_again_is_told_the_same, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct once first = once_of("ada", "k", 1), again = once_of("ada", "k", 1);
    if (!WF_EXPECT_CODE(authorize_once(storage, "Ada", &first), 0)) return;
    WF_EXPECT(!first.replayed);
    int64_t last = storage_last_event(storage);
    if (!WF_EXPECT_CODE(authorize_once(storage, "Ada", &again), 0)) return;
    WF_EXPECT(again.replayed);
    WF_EXPECT_INT(again.said.status, 201);
    WF_EXPECT_TEXT(again.said.body, first.said.body);
    WF_EXPECT_TEXT(again.said.location, first.said.location);
    WF_EXPECT_INT(storage_last_event(storage), last);
}

WF_TEST(a_key_is_of_one_body_one_subject_and_one_path, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct once first = once_of("ada", "k", 1), body = once_of("ada", "k", 2), subject = once_of("grace", "k", 1);
    struct once path = once_of("ada", "k", 1), key = once_of("ada", "l", 1);
    path.path = "/v1/transfers";
    if (!WF_EXPECT_CODE(authorize_once(storage, "Ada", &first), 0)) return;
    WF_EXPECT_CODE(authorize_once(storage, "Ada", &body), REFUSED_KEY_REUSED);
    WF_EXPECT_CODE(authorize_once(storage, "Grace", &subject), 0);
    WF_EXPECT_CODE(authorize_once(storage, "Joan", &path), 0);
    WF_EXPECT_CODE(authorize_once(storage, "Mary", &key), 0);
    WF_EXPECT(!subject.replayed && !path.replayed && !key.replayed);
}

WF_TEST(a_refusal_is_not_kept, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct once without = {.key = NULL, .say = say_id}, refused = once_of("ada", "k", 1),
                later = once_of("ada", "k", 2);
    if (!WF_EXPECT_CODE(authorize_once(storage, "Ada", &without), 0)) return;
    WF_EXPECT_PART(without.said.body, "AUTH-");
    WF_EXPECT_CODE(authorize_once(storage, "Ada", &refused), REFUSED_DUPLICATE);
    WF_EXPECT_CODE(authorize_once(storage, "Grace", &later), 0);
    WF_EXPECT(!later.replayed);
}

WF_TEST(what_did_not_go_well_is_not_kept, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct once bad = once_of("ada", "k", 1), good = once_of("ada", "k", 2);
    bad.say = say_nothing_good;
    WF_EXPECT_CODE(authorize_once(storage, "Ada", &bad), 0);
    WF_EXPECT_CODE(authorize_once(storage, "Grace", &good), 0);
    WF_EXPECT(!good.replayed);
}

WF_TEST(a_change_that_cannot_be_answered_does_not_happen, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct once once = once_of("ada", "k", 1);
    struct custody_page page;
    once.say = say_nothing;
    WF_EXPECT_CODE(authorize_once(storage, "Ada", &once), -EMSGSIZE);
    if (!WF_EXPECT_CODE(rig_list(storage, RELEASABLE_VIN, -1, 1, &page), 0)) return;
    WF_EXPECT_INT(page.total_count, 120);
    WF_EXPECT_INT(storage_last_event(storage), 0);
    once.say = say_id;
    WF_EXPECT_CODE(authorize_once(storage, "Ada", &once), 0);
    WF_EXPECT_INT(storage_last_event(storage), 1);
}

WF_TEST(decisions_and_transfers_are_made_once_too, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_decision who = {.by = "an officer"};
    struct custody_new_transfer wanted = {.vin = RELEASABLE_VIN,
                                          .transfer_type = "PICKUP",
                                          .location_id = ATLANTA,
                                          .credential_id = ""};
    struct custody_authorization one;
    struct custody_transfer transfer;
    if (!WF_EXPECT_CODE(rig_authorize(storage, RELEASABLE_VIN, "Ada", &one), 0)) return;
    wanted.credential_id = one.authorization_id;
    for (int i = 0; i < 2; i++) {
        struct once decide = once_of("ada", "d", 1), move = once_of("ada", "t", 1);
        int rc = storage_decide(storage, wf_task_arena(), wanted.credential_id, DECIDE_APPROVE, &who, &decide, &one);
        if (rc == 0) rc = storage_transfer(storage, wf_task_arena(), &wanted, &move, &transfer);
        if (!WF_EXPECT_CODE(rc, 0)) return;
        WF_EXPECT(decide.replayed == (i == 1) && move.replayed == (i == 1));
    }
}

struct twin {
    struct storage *storage;
    struct once once;
};

static int be_twin(struct twin *twin)
{
    return authorize_once(twin->storage, "Ada", &twin->once);
}

WF_TEST(of_twins_one_acts_and_all_are_told_the_same, .uses = {&sandbox})
{
    struct twin twins[8];
    for (size_t i = 0; i < WF_COUNT(twins); i++) twins[i] = (struct twin){wf_use(&sandbox), once_of("ada", "k", 1)};
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(twins); i++) wf_spawn(&scope, be_twin, &twins[i]);
    if (!WF_EXPECT_CODE(wf_scope_join(&scope), 0)) return;
    int acted = 0;
    for (size_t i = 0; i < WF_COUNT(twins); i++) acted += !twins[i].once.replayed;
    WF_EXPECT_INT(acted, 1);
}

/* ---- Events ---- */

WF_TEST(events_come_in_order_and_go_on_behind_a_number, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_authorization ada, grace;
    int rc = rig_authorize(storage, HELD_VIN, "Ada", &ada);
    if (rc == 0) rc = rig_authorize(storage, RELEASABLE_VIN, "Grace", &grace);
    if (rc == 0) rc = rig_decide(storage, ada.authorization_id, DECIDE_REJECT, &ada);
    struct numbered_event events[3];
    size_t count = 0;
    if (rc == 0) rc = storage_events(storage, wf_task_arena(), 0, NULL, 3, events, &count);
    if (!WF_EXPECT_CODE(rc, 0) || !WF_EXPECT_INT(count, 3)) return;
    WF_EXPECT(events[0].number < events[1].number && events[1].number < events[2].number);
    WF_EXPECT_INT(events[2].number, storage_last_event(storage));
    WF_EXPECT_TEXT(events[1].event.type, "authorization.created");
    WF_EXPECT_TEXT(events[1].event.vin, RELEASABLE_VIN);
    WF_EXPECT_TEXT(events[1].event.subject_id, grace.authorization_id);
    WF_EXPECT_INT(events[1].event.at, grace.created_at);
    WF_EXPECT_TEXT(rig_events(storage, events[0].number, NULL), "authorization.created authorization.rejected");
    WF_EXPECT_TEXT(rig_events(storage, 0, HELD_VIN), "authorization.created authorization.rejected");
    WF_EXPECT_TEXT(rig_events(storage, events[2].number, NULL), "");
    WF_EXPECT_CODE(storage_events(storage, wf_task_arena(), 0, NULL, 2, events, &count), 0);
    WF_EXPECT_INT(count, 2);
}

static int follow(struct storage *storage)
{
    int64_t last = storage_last_event(storage);
    int rc = storage_wait_news(storage, last);
    if (rc < 0) return rc;
    wf_test_note("%s", rig_events(storage, last, NULL));
    return 0;
}

WF_TEST(who_waits_for_news_is_woken_when_they_can_be_read, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_authorization made;
    WF_SCOPE(scope);
    for (int i = 0; i < 3; i++) wf_spawn(&scope, follow, storage);
    wf_yield();
    int rc = rig_authorize(storage, HELD_VIN, "Ada", &made);
    if (!WF_EXPECT_CODE(wf_scope_end(&scope, rc), 0)) return;
    WF_EXPECT_TEXT(wf_test_notes(), "authorization.created authorization.created authorization.created");
    WF_EXPECT_NO_SUSPENSION(storage_wait_news(storage, 0));
}

WF_TEST_MAIN
