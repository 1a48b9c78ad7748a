/* The storage in virtual time: what expires, what is completed later, what is forgotten; and what is still there when
 * it is opened again. */
#include "storage_rig.h"

#include "../server/sqlite_storage.h" /* a commit is made to fail */

#define HOURS(n) WF_MINUTES((n)*60)

WF_FIXTURE(sandbox)
{
    return rig_provide(&(struct storage_options){.provision = true, .seed = true}, true);
}

static int status_of(struct storage *storage, const char *id)
{
    struct custody_authorization found = {.status = -1};
    return storage_authorization(storage, wf_task_arena(), id, &found) == 0 ? found.status : -1;
}

WF_TEST(an_authorization_expires_after_three_days, .uses = {&sandbox}, .simulated = true, .timeout = WF_FOREVER)
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_authorization made, again;
    WF_EXPECT_CODE(wf_sleep(HOURS(80)), 0); /* those of the examples are gone */
    int64_t last = storage_last_event(storage);
    if (!WF_EXPECT_CODE(rig_approved(storage, HELD_VIN, "Ada", &made), 0)) return;
    int64_t left = (made.expires_at - wf_wall_now()) - WF_SECONDS(1);
    WF_EXPECT_CODE(wf_sleep(left), 0);
    WF_EXPECT_INT(status_of(storage, made.authorization_id), CUSTODY_APPROVED);
    WF_EXPECT_CODE(rig_authorize(storage, HELD_VIN, "Ada", &again), REFUSED_DUPLICATE);
    WF_EXPECT_CODE(wf_sleep(WF_SECONDS(2)), 0);
    WF_EXPECT_INT(status_of(storage, made.authorization_id), CUSTODY_EXPIRED);
    WF_EXPECT_CODE(rig_decide(storage, made.authorization_id, DECIDE_CANCEL, &made), REFUSED_STATE);
    WF_EXPECT_CODE(rig_authorize(storage, HELD_VIN, "Ada", &again), 0);
    WF_EXPECT_TEXT(rig_events(storage, last, HELD_VIN), "authorization.created authorization.approved "
                                                        "authorization.expired authorization.created");
}

WF_TEST(what_has_expired_is_no_credential_though_nobody_has_said_so, .uses = {&sandbox}, .simulated = true,
        .timeout = WF_FOREVER)
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_authorization approved;
    struct custody_transfer made;
    if (!WF_EXPECT_CODE(storage_authorization(storage, wf_task_arena(), APPROVED_ID, &approved), 0)) return;
    WF_EXPECT_CODE(wf_sleep(approved.expires_at - wf_wall_now()), 0); /* this instant: the clock may not have run */
    WF_EXPECT_CODE(rig_transfer(storage, APPROVED_VIN, "PICKUP", APPROVED_ID, ATLANTA, &made), REFUSED_NOT_APPROVED);
    WF_EXPECT_INT(status_of(storage, APPROVED_ID), CUSTODY_EXPIRED);
}

static int queue(struct storage *storage, struct custody_transfer *made)
{
    struct custody_new_transfer wanted = {.vin = APPROVED_VIN,
                                          .transfer_type = "PICKUP",
                                          .credential_id = APPROVED_ID,
                                          .location_id = ATLANTA,
                                          .async = true};
    return storage_transfer(storage, wf_task_arena(), &wanted, NULL, made);
}

WF_TEST(a_queued_transfer_is_completed_within_ten_seconds, .uses = {&sandbox}, .simulated = true, .timeout = WF_FOREVER)
{
    struct storage *storage = wf_use(&sandbox);
    struct custody_state before, queued, after;
    struct custody_transfer made, found;
    int rc = storage_state(storage, wf_task_arena(), APPROVED_VIN, &before);
    if (rc == 0) rc = queue(storage, &made);
    if (rc == 0) rc = storage_state(storage, wf_task_arena(), APPROVED_VIN, &queued);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(made.status, CUSTODY_QUEUED);
    WF_EXPECT(made.null.completed_at && !made.has.completed_at);
    WF_EXPECT_INT(status_of(storage, APPROVED_ID), CUSTODY_USED);
    WF_EXPECT_TEXT(queued.current_custodian, before.current_custodian);
    WF_EXPECT_TEXT(rig_events(storage, 0, NULL), "authorization.used");
    rc = wf_within(WF_SECONDS(10), storage_wait_news(storage, storage_last_event(storage)));
    if (rc == 0) rc = storage_find_transfer(storage, wf_task_arena(), made.transfer_id, &found);
    if (rc == 0) rc = storage_state(storage, wf_task_arena(), APPROVED_VIN, &after);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT_INT(found.status, CUSTODY_COMPLETED);
    WF_EXPECT(found.has.completed_at && found.completed_at > found.created_at);
    WF_EXPECT_TEXT(after.current_custodian, found.to_custodian);
    WF_EXPECT_INT(after.since, found.completed_at);
    WF_EXPECT_TEXT(rig_events(storage, 0, NULL), "authorization.used custody.transferred");
}

static int refuse_commit(void *unused)
{
    (void)unused;
    return 1;
}

WF_TEST(what_cannot_be_completed_is_tried_again, .uses = {&sandbox}, .simulated = true, .timeout = WF_FOREVER)
{
    struct storage *storage = wf_use(&sandbox);
    sqlite3 *db = ((struct sqlite_storage *)storage)->writer.connection.db;
    struct custody_transfer made, found = {.status = -1};
    if (!WF_EXPECT_CODE(queue(storage, &made), 0)) return;
    sqlite3_commit_hook(db, refuse_commit, NULL);
    int rc = wf_sleep(WF_SECONDS(30));
    if (rc == 0) rc = storage_find_transfer(storage, wf_task_arena(), made.transfer_id, &found);
    WF_EXPECT_INT(found.status, CUSTODY_QUEUED);
    sqlite3_commit_hook(db, NULL, NULL);
    if (rc == 0) rc = wf_within(WF_SECONDS(2), storage_wait_news(storage, storage_last_event(storage)));
    if (rc == 0) rc = storage_find_transfer(storage, wf_task_arena(), made.transfer_id, &found);
    if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_INT(found.status, CUSTODY_COMPLETED);
}

/* ---- Opened again ---- */

static int queue_and_leave(const char *path, struct custody_transfer *made)
{
    struct storage *storage;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    if (rc == 0) rc = queue(storage, made);
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

static int look_again(const char *path, const char *id)
{
    struct storage *storage;
    struct custody_transfer found = {.status = -1};
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    if (rc == 0) rc = wf_within(WF_SECONDS(10), storage_wait_news(storage, 1));
    if (rc == 0) rc = storage_find_transfer(storage, wf_task_arena(), id, &found);
    if (rc == 0) WF_EXPECT_INT(found.status, CUSTODY_COMPLETED);
    if (rc == 0) WF_EXPECT_INT(storage_last_event(storage), 2);
    if (rc == 0) WF_EXPECT_TEXT(rig_events(storage, 0, NULL), "authorization.used custody.transferred");
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

static const struct pause {
    int64_t length;
} pauses[] = {{0}, {HOURS(1)}};

WF_TEST_EACH(a_queued_transfer_is_completed_after_it_was_opened_again, pauses, .simulated = true, .timeout = WF_FOREVER)
{
    struct rig_place place;
    struct custody_transfer made;
    rig_place_make(&place);
    int rc = queue_and_leave(place.path, &made);
    if (rc == 0) rc = wf_sleep(row->length);
    if (rc == 0) rc = look_again(place.path, made.transfer_id);
    rig_place_remove(&place);
    WF_EXPECT_CODE(rc, 0);
}

static int make_and_leave(const char *path)
{
    struct storage *storage;
    struct custody_authorization made;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    if (rc == 0) rc = rig_authorize(storage, HELD_VIN, "Ada", &made);
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

static int find_expired(const char *path)
{
    struct storage *storage;
    struct custody_page page;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    if (rc == 0) rc = wf_sleep(WF_SECONDS(1));
    if (rc == 0) rc = rig_list(storage, NULL, -1, 200, &page);
    if (rc == 0) WF_EXPECT_INT(page.total_count, WORLD_AUTHORIZATIONS + 1);
    for (size_t i = 0; rc == 0 && i < page.authorizations.count; i++)
        WF_EXPECT(page.authorizations.items[i].status > CUSTODY_APPROVED);
    if (rc == 0) WF_EXPECT_TEXT(rig_events(storage, 0, HELD_VIN), "authorization.created authorization.expired");
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

WF_TEST(what_expired_while_it_was_closed_is_expired_when_it_opens, .simulated = true, .timeout = WF_FOREVER)
{
    struct rig_place place;
    rig_place_make(&place);
    int rc = make_and_leave(place.path);
    if (rc == 0) rc = wf_sleep(HOURS(100));
    if (rc == 0) rc = find_expired(place.path);
    rig_place_remove(&place);
    WF_EXPECT_CODE(rc, 0);
}

/* ---- Kept ---- */

static int say_id(const void *value, struct wf_arena *arena, struct said *said)
{
    *said =
        (struct said){.status = 201,
                      .body = wf_arena_strdup(arena, ((const struct custody_authorization *)value)->authorization_id)};
    return said->body != NULL ? 0 : -ENOMEM;
}

static int authorize_once(struct storage *storage, const char *person, struct once *once)
{
    struct custody_new_authorization wanted = rig_wanted(HELD_VIN, person);
    struct custody_authorization made;
    *once = (struct once){.subject = "ada", .path = "/v1/authorizations", .key = "k", .say = say_id};
    return storage_authorize(storage, wf_task_arena(), &wanted, once, &made);
}

WF_TEST(a_key_is_forgotten_after_a_day, .uses = {&sandbox}, .simulated = true, .timeout = WF_FOREVER)
{
    struct storage *storage = wf_use(&sandbox);
    struct once first, day, later;
    int rc = authorize_once(storage, "Ada", &first);
    if (rc == 0) rc = wf_sleep(HOURS(24) - WF_MINUTES(1));
    if (rc == 0) rc = authorize_once(storage, "Ada", &day);
    if (rc == 0) rc = wf_sleep(WF_MINUTES(2));
    if (rc == 0) rc = authorize_once(storage, "Grace", &later);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    WF_EXPECT(day.replayed && !later.replayed);
    WF_EXPECT_TEXT(day.said.body, first.said.body);
}

WF_TEST(the_age_of_a_check_grows, .uses = {&sandbox}, .simulated = true, .timeout = WF_FOREVER)
{
    const char *const vins[] = {HELD_VIN};
    struct custody_releasability result;
    int code;
    int rc = storage_check(wf_use(&sandbox), wf_task_arena(), vins, 1, &result, &code);
    if (rc == 0) rc = wf_sleep(WF_SECONDS(90));
    if (rc == 0) rc = storage_cached(wf_use(&sandbox), wf_task_arena(), HELD_VIN, &result);
    if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT(result.age_s >= 90 && result.age_s < 91);
}

WF_TEST_MAIN
