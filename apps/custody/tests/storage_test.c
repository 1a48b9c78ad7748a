/* The storage: vehicles and authorizations. */
#include "storage_rig.h"

WF_FIXTURE(sandbox)
{
    return rig_provide(&(struct storage_options){.provision = true, .seed = true}, STORAGE_ON_FILE);
}

/* Where nobody is provided and nothing was put in. */
WF_FIXTURE(empty)
{
    return rig_provide(&(struct storage_options){.provision = false}, STORAGE_ON_FILE);
}

/* ---- Vehicles ---- */

WF_TEST(a_check_tells_what_holds_a_vehicle, .uses = {&sandbox})
{
    const char *const vins[] = {RELEASABLE_VIN, NULL, HELD_VIN, APPROVED_VIN};
    struct custody_releasability results[4];
    int codes[4] = {-1, -1, -1, -1};
    int rc = storage_check(wf_use(&sandbox), wf_task_arena(), vins, 4, results, codes);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_CODE(codes[0], 0);
    WF_EXPECT_CODE(codes[1], -1);
    WF_EXPECT(results[0].is_releasable && results[0].blockers.count == 0 && !results[0].cached);
    WF_EXPECT_TEXT(results[0].vin, RELEASABLE_VIN);
    WF_EXPECT(!results[2].is_releasable);
    if (!WF_EXPECT_INT(results[2].blockers.count, 1)) return;
    WF_EXPECT_TEXT(results[2].blockers.items[0].code, "TITLE_HOLD");
    WF_EXPECT_PART(results[2].blockers.items[0].message, "title");
    WF_EXPECT(results[2].blockers.items[0].since > 0);
    WF_EXPECT(results[3].is_releasable);
}

WF_TEST(a_check_is_kept_with_its_time, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    const char *const vins[] = {HELD_VIN};
    struct custody_releasability checked, cached;
    int code;
    WF_EXPECT_CODE(storage_cached(storage, wf_task_arena(), HELD_VIN, &cached), -ENOENT);
    int rc = storage_check(storage, wf_task_arena(), vins, 1, &checked, &code);
    if (rc == 0) rc = storage_cached(storage, wf_task_arena(), HELD_VIN, &cached);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT(cached.cached && cached.age_s >= 0);
    WF_EXPECT_INT(cached.checked_at, checked.checked_at);
    WF_EXPECT_TEXT(cached.vin, HELD_VIN);
    if (!WF_EXPECT_INT(cached.blockers.count, 1)) return;
    WF_EXPECT_TEXT(cached.blockers.items[0].code, "TITLE_HOLD");
    WF_EXPECT_INT(cached.blockers.items[0].since, checked.blockers.items[0].since);
}

WF_TEST(five_hundred_are_checked_at_once_and_one_in_five_is_held, .uses = {&sandbox},
        .unswept = "other tests make the same calls")
{
    enum { COUNT = 500 };
    struct wf_arena *arena = wf_task_arena();
    const char **vins = wf_arena_array(arena, COUNT, sizeof *vins);
    struct custody_releasability *results = wf_arena_array(arena, COUNT, sizeof *results);
    int *codes = wf_arena_array(arena, COUNT, sizeof *codes);
    if (vins == NULL || results == NULL || codes == NULL) return;
    for (int i = 0; i < COUNT; i++) vins[i] = wf_arena_printf(arena, "VIN%012d", i);
    if (!WF_EXPECT_CODE(storage_check(wf_use(&sandbox), arena, vins, COUNT, results, codes), 0)) return;
    int held = 0, held_of_100 = 0;
    for (int i = 0; i < COUNT; i++) {
        WF_EXPECT_CODE(codes[i], 0);
        WF_EXPECT(results[i].is_releasable == (results[i].blockers.count == 0));
        held += !results[i].is_releasable;
        if (i == 99) held_of_100 = held;
    }
    WF_EXPECT(held >= 75 && held <= 125);
    WF_EXPECT(held_of_100 >= 12 && held_of_100 <= 28);
}

WF_TEST(what_was_checked_last_comes_first, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    static const char *const vins[] = {HELD_VIN, RELEASABLE_VIN, APPROVED_VIN, HELD_VIN, RELEASABLE_VIN};
    struct custody_releasability results[4];
    int code, rc = 0;
    for (size_t i = 0; rc == 0 && i < WF_COUNT(vins); i++)
        rc = storage_check(storage, wf_task_arena(), &vins[i], 1, results, &code);
    size_t count = 0;
    if (rc == 0) rc = storage_checked(storage, wf_task_arena(), 4, results, &count);
    if (!WF_EXPECT_CODE(rc, 0) || !WF_EXPECT_INT(count, 3)) return;
    WF_EXPECT_TEXT(results[0].vin, RELEASABLE_VIN);
    WF_EXPECT_TEXT(results[1].vin, HELD_VIN);
    WF_EXPECT_TEXT(results[2].vin, APPROVED_VIN);
    WF_EXPECT(results[0].cached && results[0].checked_at >= results[1].checked_at);
    WF_EXPECT_CODE(storage_checked(storage, wf_task_arena(), 1, results, &count), 0);
    WF_EXPECT_INT(count, 1);
}

WF_TEST(a_vehicle_is_somewhere_and_with_somebody, .uses = {&sandbox})
{
    struct custody_state state;
    if (!WF_EXPECT_CODE(storage_state(wf_use(&sandbox), wf_task_arena(), "VIN000000000042", &state), 0)) return;
    WF_EXPECT_TEXT(state.vin, "VIN000000000042");
    WF_EXPECT(storage_has_location(wf_use(&sandbox), state.current_location));
    WF_EXPECT_PART(state.current_location, state.current_custodian);
    WF_EXPECT(state.since > 0 && state.last_transfer_id == NULL && state.null.last_transfer_id);
    WF_EXPECT_INT(state.pending_authorizations, 0);
}

WF_TEST(locations_are_those_of_the_table, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    WF_EXPECT(storage_has_location(storage, ATLANTA));
    WF_EXPECT(storage_has_location(storage, "LOC-AUCTION-MANHEIM-DALLAS"));
    WF_EXPECT(storage_has_location(storage, "LOC-AUCTION-MANHEIM-PHOENIX"));
    WF_EXPECT(!storage_has_location(storage, "LOC-AUCTION-MANHEIM-NOWHERE"));
    WF_EXPECT(!storage_has_location(storage, ""));
    for (size_t i = 0; i < world_location_count; i++) WF_EXPECT(storage_has_location(storage, world_locations[i].id));
}

WF_TEST(without_provision_nobody_knows_a_vehicle, .uses = {&empty})
{
    struct storage *storage = wf_use(&empty);
    const char *const vins[] = {"VIN000000000001", RELEASABLE_VIN};
    struct custody_releasability results[2];
    struct custody_authorization authorization;
    struct custody_state state;
    struct custody_transfer transfer;
    int codes[2] = {0};
    WF_EXPECT_CODE(storage_check(storage, wf_task_arena(), vins, 2, results, codes), 0);
    WF_EXPECT_CODE(codes[0], REFUSED_UNKNOWN_VIN);
    WF_EXPECT_CODE(codes[1], REFUSED_UNKNOWN_VIN);
    WF_EXPECT_CODE(rig_authorize(storage, vins[0], "somebody", &authorization), REFUSED_UNKNOWN_VIN);
    WF_EXPECT_CODE(storage_state(storage, wf_task_arena(), vins[0], &state), REFUSED_UNKNOWN_VIN);
    WF_EXPECT_CODE(rig_transfer(storage, vins[0], "PICKUP", APPROVED_ID, ATLANTA, &transfer), REFUSED_UNKNOWN_VIN);
    WF_EXPECT_CODE(storage_cached(storage, wf_task_arena(), vins[0], results), -ENOENT);
}

WF_TEST(it_says_that_it_is_there, .uses = {&sandbox})
{
    WF_EXPECT_CODE(storage_ping(wf_use(&sandbox)), 0);
}

/* ---- The world ---- */

WF_TEST(a_vin_has_the_same_vehicle_always_and_every_code_comes, .plain = true)
{
    static const char *const codes[] = {"TITLE_HOLD",       "LIEN_ACTIVE", "PAYMENT_PENDING", "ARBITRATION_OPEN",
                                        "NO_AUTHORIZATION", "LEGAL_HOLD",  "RECALL_STOP"};
    bool seen[WF_COUNT(codes)] = {false};
    for (int i = 0; i < 1000; i++) {
        char vin[20];
        snprintf(vin, sizeof vin, "VIN%012d", i);
        struct world_vehicle vehicle, again;
        world_vehicle(vin, &vehicle);
        world_vehicle(vin, &again);
        WF_EXPECT(vehicle.location == again.location && vehicle.since == again.since);
        WF_EXPECT(vehicle.since > WF_SECONDS(INT64_C(1704067199)) && vehicle.since < WF_SECONDS(INT64_C(1735689600)));
        WF_EXPECT_INT(vehicle.blocker_count, again.blocker_count);
        for (size_t k = 0; k < vehicle.blocker_count; k++)
            for (size_t j = 0; j < WF_COUNT(codes); j++) seen[j] |= strcmp(vehicle.blockers[k].code, codes[j]) == 0;
        if (vehicle.blocker_count == 2) WF_EXPECT(vehicle.blockers[0].code != vehicle.blockers[1].code);
    }
    for (size_t j = 0; j < WF_COUNT(codes); j++) WF_EXPECT(seen[j]);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(a, b);
}

WF_TEST(no_number_has_the_id_of_another, .plain = true)
{
    enum { COUNT = 20000 };
    char(*ids)[WORLD_ID_SIZE] = calloc(COUNT, sizeof *ids);
    for (int i = 0; i < COUNT; i++) world_id("AUTH", i + 1, ids[i]);
    WF_EXPECT_TEXT(ids[0], APPROVED_ID);
    qsort(ids, COUNT, sizeof *ids, compare_ids);
    for (int i = 1; i < COUNT; i++) WF_EXPECT(strcmp(ids[i - 1], ids[i]) != 0);
    free(ids);
}

/* ---- Authorizations ---- */

WF_TEST(the_examples_have_their_authorizations, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_page page;
    struct custody_authorization approved;
    if (!WF_EXPECT_CODE(rig_list(storage, RELEASABLE_VIN, -1, 200, &page), 0)) return;
    if (!WF_EXPECT_INT(page.total_count, 120) || !WF_EXPECT_INT(page.authorizations.count, 120)) return;
    int of_status[6] = {0};
    for (size_t i = 0; i < 120; i++) {
        struct custody_authorization *one = &page.authorizations.items[i];
        of_status[one->status]++;
        WF_EXPECT_INT(one->expires_at - one->created_at, WF_MINUTES(72 * 60));
        WF_EXPECT(one->updated_at >= one->created_at);
        for (size_t k = 0; k < i; k++)
            WF_EXPECT(strcmp(one->person_identity_key, page.authorizations.items[k].person_identity_key) != 0);
    }
    for (int status = 0; status < 6; status++) WF_EXPECT(of_status[status] > 0);
    if (!WF_EXPECT_CODE(storage_authorization(storage, wf_task_arena(), APPROVED_ID, &approved), 0)) return;
    WF_EXPECT_INT(approved.status, CUSTODY_APPROVED);
    WF_EXPECT_TEXT(approved.vin, APPROVED_VIN);
}

WF_TEST(an_authorization_is_made_and_found, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_authorization made, found;
    struct custody_page page;
    int rc = rig_authorize(storage, "VIN000000000007", "Ada", &made);
    if (rc == 0) rc = storage_authorization(storage, wf_task_arena(), made.authorization_id, &found);
    if (rc == 0) rc = rig_list(storage, NULL, -1, 1, &page);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(strlen(made.authorization_id), strlen("AUTH-12345678"));
    WF_EXPECT_INT(strspn(made.authorization_id + 5, "0123456789"), 8);
    WF_EXPECT_TEXT(found.authorization_id, made.authorization_id);
    WF_EXPECT_TEXT(found.vin, "VIN000000000007");
    WF_EXPECT_TEXT(found.origin, "Atlanta");
    WF_EXPECT_TEXT(found.destination, "Macon");
    WF_EXPECT_TEXT(found.person_identity_key, "Ada");
    WF_EXPECT_TEXT(found.authorized_by, "api-integration");
    WF_EXPECT_TEXT(found.make_model, "Unknown");
    WF_EXPECT_INT(found.status, CUSTODY_PENDING);
    WF_EXPECT_INT(found.created_at, made.created_at);
    WF_EXPECT_INT(found.updated_at, made.created_at);
    WF_EXPECT_INT(found.expires_at - found.created_at, WF_MINUTES(72 * 60));
    WF_EXPECT_TEXT(page.authorizations.items[0].authorization_id, made.authorization_id);
    WF_EXPECT_INT(page.total_count, WORLD_AUTHORIZATIONS + 1);
    WF_EXPECT_CODE(storage_authorization(storage, wf_task_arena(), "AUTH-00000000", &found), -ENOENT);
}

WF_TEST(a_person_has_one_open_authorization_for_a_vehicle, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_authorization first, second;
    if (!WF_EXPECT_CODE(rig_authorize(storage, HELD_VIN, "Ada", &first), 0)) return;
    WF_EXPECT_CODE(rig_authorize(storage, HELD_VIN, "Ada", &second), REFUSED_DUPLICATE);
    WF_EXPECT_CODE(rig_authorize(storage, HELD_VIN, "Grace", &second), 0);
    WF_EXPECT_CODE(rig_authorize(storage, RELEASABLE_VIN, "Ada", &second), 0);
    WF_EXPECT_CODE(rig_decide(storage, first.authorization_id, DECIDE_APPROVE, &first), 0);
    WF_EXPECT_CODE(rig_authorize(storage, HELD_VIN, "Ada", &second), REFUSED_DUPLICATE);
    WF_EXPECT_CODE(rig_decide(storage, first.authorization_id, DECIDE_CANCEL, &first), 0);
    WF_EXPECT_CODE(rig_authorize(storage, HELD_VIN, "Ada", &second), 0);
}

static const struct decision_case {
    int from;
    enum decision decision;
    int to; /* -1: refused */
} decisions[] = {
    {CUSTODY_PENDING, DECIDE_APPROVE, CUSTODY_APPROVED},
    {CUSTODY_PENDING, DECIDE_REJECT, CUSTODY_REJECTED},
    {CUSTODY_PENDING, DECIDE_CANCEL, CUSTODY_CANCELLED},
    {CUSTODY_APPROVED, DECIDE_APPROVE, -1},
    {CUSTODY_APPROVED, DECIDE_REJECT, -1},
    {CUSTODY_APPROVED, DECIDE_CANCEL, CUSTODY_CANCELLED},
    {CUSTODY_USED, DECIDE_APPROVE, -1},
    {CUSTODY_USED, DECIDE_REJECT, -1},
    {CUSTODY_USED, DECIDE_CANCEL, -1},
    {CUSTODY_REJECTED, DECIDE_APPROVE, -1},
    {CUSTODY_REJECTED, DECIDE_REJECT, -1},
    {CUSTODY_REJECTED, DECIDE_CANCEL, -1},
    {CUSTODY_CANCELLED, DECIDE_APPROVE, -1},
    {CUSTODY_CANCELLED, DECIDE_REJECT, -1},
    {CUSTODY_CANCELLED, DECIDE_CANCEL, -1},
    {CUSTODY_EXPIRED, DECIDE_APPROVE, -1},
    {CUSTODY_EXPIRED, DECIDE_REJECT, -1},
    {CUSTODY_EXPIRED, DECIDE_CANCEL, -1},
};

WF_TEST_EACH(a_decision_is_made_where_the_status_allows_it, decisions, .uses = {&sandbox},
             .unswept = "other tests make the same calls")
{
    static const char *const types[] = {[CUSTODY_APPROVED] = "authorization.approved",
                                        [CUSTODY_REJECTED] = "authorization.rejected",
                                        [CUSTODY_CANCELLED] = "authorization.cancelled"};
    struct storage *storage = wf_use(&sandbox);
    struct custody_page page;
    struct custody_authorization decided, found;
    if (!WF_EXPECT_CODE(rig_list(storage, RELEASABLE_VIN, row->from, 1, &page), 0)) return;
    struct custody_authorization *before = &page.authorizations.items[0];
    int rc = rig_decide(storage, before->authorization_id, row->decision, &decided);
    WF_EXPECT_CODE(rc, row->to < 0 ? REFUSED_STATE : 0);
    if (!WF_EXPECT_CODE(storage_authorization(storage, wf_task_arena(), before->authorization_id, &found), 0)) return;
    WF_EXPECT_INT(found.status, row->to < 0 ? row->from : row->to);
    WF_EXPECT_TEXT(rig_events(storage, 0, NULL), row->to < 0 ? "" : types[row->to]);
    if (row->to < 0) WF_EXPECT_INT(found.updated_at, before->updated_at);
    else WF_EXPECT(decided.status == row->to && found.updated_at == decided.updated_at);
}

WF_TEST(nothing_is_decided_about_what_is_not_there, .uses = {&sandbox})
{
    struct custody_authorization result;
    WF_EXPECT_CODE(rig_decide(wf_use(&sandbox), "AUTH-00000000", DECIDE_APPROVE, &result), -ENOENT);
}

/* ---- Pages ---- */

struct walk {
    struct filter filter;
    int limit, pages;
    size_t items;
    struct place last;
    bool more;
};

static int next_page(struct storage *storage, struct walk *walk, struct custody_page *page)
{
    int rc = storage_list(storage, wf_task_arena(), &walk->filter, walk->pages > 0 ? &walk->last : NULL, walk->limit,
                          page, &walk->more);
    if (rc < 0) return rc;
    for (size_t i = 0; i < page->authorizations.count; i++) {
        struct custody_authorization *one = &page->authorizations.items[i];
        WF_EXPECT(walk->items == 0 || one->created_at < walk->last.created_at);
        walk->last = (struct place){one->created_at, one->authorization_id};
        walk->items++;
    }
    walk->pages++;
    return 0;
}

WF_TEST(pages_follow_each_other_however_many_are_made_meanwhile, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct walk walk = {.filter = {.vin = RELEASABLE_VIN, .status = -1}, .limit = 50, .more = true};
    struct custody_page page;
    struct custody_authorization made;
    for (int i = 0; i < 3; i++) {
        if (!WF_EXPECT(walk.more) || !WF_EXPECT_CODE(next_page(storage, &walk, &page), 0)) return;
        WF_EXPECT_INT(page.authorizations.count, i < 2 ? 50 : 20);
        WF_EXPECT_INT(page.total_count, 120 + i);
        WF_EXPECT_CODE(rig_authorize(storage, RELEASABLE_VIN, i == 0 ? "Ada" : i == 1 ? "Grace" : "Joan", &made), 0);
    }
    WF_EXPECT(!walk.more);
    WF_EXPECT_INT(walk.items, 120);
}

WF_TEST(a_full_last_page_is_the_last, .uses = {&sandbox}, .unswept = "other tests make the same calls")
{
    struct storage *storage = wf_use(&sandbox);
    struct walk walk = {.filter = {.vin = RELEASABLE_VIN, .status = -1}, .limit = 60};
    struct custody_page page;
    if (!WF_EXPECT_CODE(next_page(storage, &walk, &page), 0)) return;
    WF_EXPECT(walk.more);
    if (!WF_EXPECT_CODE(next_page(storage, &walk, &page), 0)) return;
    WF_EXPECT(!walk.more);
    WF_EXPECT_INT(page.authorizations.count, 60);
    walk.limit = 1;
    if (!WF_EXPECT_CODE(next_page(storage, &walk, &page), 0)) return;
    WF_EXPECT(!walk.more && page.authorizations.count == 0);
}

static const struct filter filters[] = {
    {NULL, -1},
    {NULL, CUSTODY_APPROVED},
    {RELEASABLE_VIN, CUSTODY_APPROVED},
    {RELEASABLE_VIN, CUSTODY_EXPIRED},
    {APPROVED_VIN, -1},
    {APPROVED_VIN, CUSTODY_PENDING},
    {"VIN000000000001", -1},
};
static const int filtered_counts[] = {121, 21, 20, 8, 1, 0, 0};

WF_TEST_EACH(filters_go_together, filters, .uses = {&sandbox}, .unswept = "other tests make the same calls")
{
    struct walk walk = {.filter = *row, .limit = 7, .more = true};
    struct custody_page page;
    while (walk.more) {
        if (!WF_EXPECT_CODE(next_page(wf_use(&sandbox), &walk, &page), 0)) return;
        WF_EXPECT_INT(page.total_count, filtered_counts[row - filters]);
        for (size_t i = 0; i < page.authorizations.count; i++) {
            WF_EXPECT(row->vin == NULL || strcmp(page.authorizations.items[i].vin, row->vin) == 0);
            WF_EXPECT(row->status < 0 || page.authorizations.items[i].status == row->status);
        }
    }
    WF_EXPECT_INT(walk.items, filtered_counts[row - filters]);
}

WF_TEST_MAIN
