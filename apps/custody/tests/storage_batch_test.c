/* Many calls at once: what they share, and what they do not. */
#include "storage_rig.h"

#include "../server/sqlite_storage.h" /* a commit is made to fail */

WF_FIXTURE(sandbox)
{
    return rig_provide(&(struct storage_options){.provision = true, .seed = true}, STORAGE_ON_FILE);
}

struct wish {
    struct storage *storage;
    char vin[20], person[20];
    struct once *once;
    struct custody_authorization result;
    int rc;
};

static int make_wish(struct wish *wish)
{
    struct custody_new_authorization wanted = rig_wanted(wish->vin, wish->person);
    wish->rc = storage_authorize(wish->storage, wf_task_arena(), &wanted, wish->once, &wish->result);
    return 0;
}

/* For a vehicle that is held, and a person of that number. */
static void name_wish(struct wish *wish, struct storage *storage, size_t number)
{
    *wish = (struct wish){.storage = storage, .vin = HELD_VIN};
    snprintf(wish->person, sizeof wish->person, "person %zu", number);
}

/* All of them at once, and the arenas of their tasks are gone: their codes are what is left. */
static int make_wishes(struct wish *wishes, size_t count)
{
    WF_SCOPE(scope);
    for (size_t i = 0; i < count; i++) wf_spawn(&scope, make_wish, &wishes[i], .stack_size = 64 << 10);
    return wf_scope_join(&scope);
}

static size_t count_made(const struct wish *wishes, size_t count)
{
    size_t made = 0;
    for (size_t i = 0; i < count; i++) made += wishes[i].rc == 0;
    return made;
}

static int64_t count_listed(struct storage *storage, const char *vin)
{
    struct custody_page page = {.total_count = -1};
    return rig_list(storage, vin, -1, 1, &page) == 0 ? page.total_count : -1;
}

WF_TEST(two_hundred_at_once_are_all_made_and_no_two_have_one_time, .uses = {&sandbox})
{
    enum { COUNT = 200 };
    struct storage *storage = wf_use(&sandbox);
    struct wish *wishes = wf_arena_array(wf_task_arena(), COUNT, sizeof *wishes);
    if (wishes == NULL) return;
    for (size_t i = 0; i < COUNT; i++) {
        name_wish(&wishes[i], storage, i);
        snprintf(wishes[i].vin, sizeof wishes[i].vin, "VIN%012zu", i % 50);
    }
    if (!WF_EXPECT_CODE(make_wishes(wishes, COUNT), 0)) return;
    WF_EXPECT_INT(count_made(wishes, COUNT), COUNT);
    struct custody_page page;
    if (!WF_EXPECT_CODE(rig_list(storage, NULL, -1, COUNT, &page), 0)) return;
    WF_EXPECT_INT(page.total_count, COUNT + WORLD_AUTHORIZATIONS);
    for (size_t i = 1; i < page.authorizations.count; i++)
        WF_EXPECT(page.authorizations.items[i].created_at < page.authorizations.items[i - 1].created_at);
    WF_EXPECT_INT(storage_last_event(storage), COUNT);
}

WF_TEST(of_many_who_want_the_same_one_gets_it, .uses = {&sandbox})
{
    struct wish wishes[20];
    for (size_t i = 0; i < WF_COUNT(wishes); i++)
        wishes[i] = (struct wish){.storage = wf_use(&sandbox), .vin = HELD_VIN, .person = "Ada"};
    if (!WF_EXPECT_CODE(make_wishes(wishes, WF_COUNT(wishes)), 0)) return;
    WF_EXPECT_INT(count_made(wishes, WF_COUNT(wishes)), 1);
    for (size_t i = 0; i < WF_COUNT(wishes); i++) WF_EXPECT(wishes[i].rc == 0 || wishes[i].rc == REFUSED_DUPLICATE);
}

static int say_nothing(const void *value, struct wf_arena *arena, struct said *said)
{
    (void)value;
    (void)arena;
    (void)said;
    return -EMSGSIZE;
}

WF_TEST(one_that_fails_takes_no_other_with_it, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct once once = {.say = say_nothing};
    struct wish wishes[] = {{.storage = storage, .vin = HELD_VIN, .person = "Ada"},
                            {.storage = storage, .vin = HELD_VIN, .person = "Grace", .once = &once},
                            {.storage = storage, .vin = HELD_VIN, .person = "Joan"}};
    if (!WF_EXPECT_CODE(make_wishes(wishes, WF_COUNT(wishes)), 0)) return;
    WF_EXPECT_CODE(wishes[0].rc, 0);
    WF_EXPECT_CODE(wishes[1].rc, -EMSGSIZE);
    WF_EXPECT_CODE(wishes[2].rc, 0);
    WF_EXPECT_INT(count_listed(storage, HELD_VIN), 2);
    WF_EXPECT_INT(storage_last_event(storage), 2);
}

static int refuse_commit(void *unused)
{
    (void)unused;
    return 1;
}

WF_TEST(where_the_commit_fails_nothing_has_happened, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    sqlite3 *db = ((struct sqlite_storage *)storage)->writer.connection.db;
    struct wish wishes[5];
    for (size_t i = 0; i < WF_COUNT(wishes); i++) name_wish(&wishes[i], storage, i);
    sqlite3_commit_hook(db, refuse_commit, NULL);
    int rc = make_wishes(wishes, WF_COUNT(wishes));
    sqlite3_commit_hook(db, NULL, NULL);
    if (!WF_EXPECT_CODE(rc, 0)) return;
    for (size_t i = 0; i < WF_COUNT(wishes); i++) WF_EXPECT_CODE(wishes[i].rc, -EIO);
    WF_EXPECT_INT(count_listed(storage, HELD_VIN), 0);
    WF_EXPECT_INT(storage_last_event(storage), 0);
    if (!WF_EXPECT_CODE(make_wishes(wishes, WF_COUNT(wishes)), 0)) return;
    WF_EXPECT_INT(count_listed(storage, HELD_VIN), WF_COUNT(wishes));
    WF_EXPECT_INT(storage_last_event(storage), WF_COUNT(wishes));
}

static int call_off(struct wf_handle *handle)
{
    wf_handle_cancel(handle, "the test calls it off");
    return 0;
}

WF_TEST(what_is_called_off_before_it_began_does_not_happen, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct wish first = {.storage = storage, .vin = HELD_VIN, .person = "Ada"};
    struct wish second = {.storage = storage, .vin = HELD_VIN, .person = "Grace"};
    struct wf_handle handle = {0};
    WF_SCOPE(scope);
    wf_spawn(&scope, make_wish, &first);
    wf_yield();
    wf_yield(); /* the worker has taken it, and is busy */
    wf_spawn(&scope, make_wish, &second, .handle = &handle);
    wf_spawn(&scope, call_off, &handle);
    if (!WF_EXPECT_CODE(wf_scope_join(&scope), 0)) return;
    WF_EXPECT_CODE(first.rc, 0);
    WF_EXPECT_CODE(second.rc, -ECANCELED);
    WF_EXPECT_INT(count_listed(storage, HELD_VIN), 1);
    WF_EXPECT_INT(storage_last_event(storage), 1);
}

WF_TEST(what_has_begun_succeeds_whoever_cancels, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct wish wish = {.storage = storage, .vin = HELD_VIN, .person = "Ada"};
    struct wf_handle handle = {0};
    WF_SCOPE(scope);
    wf_spawn(&scope, make_wish, &wish, .handle = &handle);
    wf_yield();
    wf_yield(); /* the worker has taken it */
    wf_handle_cancel(&handle, "too late");
    if (!WF_EXPECT_CODE(wf_scope_join(&scope), 0)) return;
    WF_EXPECT_CODE(wish.rc, 0);
    WF_EXPECT_INT(count_listed(storage, HELD_VIN), 1);
}

/* ---- Checks among them ---- */

static int check_some(struct storage *storage)
{
    static const char *const vins[] = {HELD_VIN, RELEASABLE_VIN, APPROVED_VIN};
    struct custody_releasability results[3];
    int codes[3];
    int rc = storage_check(storage, wf_task_arena(), vins, 3, results, codes);
    if (rc == 0) rc = storage_cached(storage, wf_task_arena(), HELD_VIN, &results[0]);
    WF_EXPECT(rc < 0 || !results[0].is_releasable);
    return rc;
}

static int list_some(struct storage *storage)
{
    struct custody_page page;
    return rig_list(storage, NULL, -1, 50, &page);
}

WF_TEST(checks_changes_and_lists_go_together, .uses = {&sandbox})
{
    struct storage *storage = wf_use(&sandbox);
    struct wish wishes[10];
    for (size_t i = 0; i < WF_COUNT(wishes); i++) name_wish(&wishes[i], storage, i);
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(wishes); i++) {
        wf_spawn(&scope, make_wish, &wishes[i], .stack_size = 64 << 10);
        wf_spawn(&scope, check_some, storage, .stack_size = 64 << 10);
        wf_spawn(&scope, list_some, storage, .stack_size = 64 << 10);
    }
    if (!WF_EXPECT_CODE(wf_scope_join(&scope), 0)) return;
    WF_EXPECT_INT(count_made(wishes, WF_COUNT(wishes)), WF_COUNT(wishes));
    WF_EXPECT_INT(count_listed(storage, HELD_VIN), WF_COUNT(wishes));
}

WF_TEST_MAIN
