/* The storage on files that are not as they should be. */
#include "storage_rig.h"

#include <sqlite3.h>
#include <sys/stat.h>

#include "../server/sqlite_storage.h" /* its file is made to be full */

static int open_and_close(const char *path)
{
    struct storage *storage;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

static int run_sql(const char *path, const char *sql)
{
    sqlite3 *db;
    int code = sqlite3_open(path, &db);
    if (code == SQLITE_OK) code = sqlite3_exec(db, sql, NULL, NULL, NULL);
    sqlite3_close(db);
    return code == SQLITE_OK ? 0 : -EIO;
}

static void write_text(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    if (file == NULL) abort();
    for (int i = 0; i < 1000; i++) fputs(text, file);
    fclose(file);
}

WF_TEST(a_place_that_makes_no_sense_is_refused)
{
    WF_EXPECT_FAILURE(open_and_close(""), -EINVAL, "needs a place");
    WF_EXPECT_FAILURE(open_and_close("oracle://somewhere"), -EINVAL, "oracle://somewhere");
}

WF_TEST(a_folder_that_is_not_there_is_named)
{
    struct rig_place place;
    rig_place_make(&place);
    rig_place_remove(&place);
    WF_EXPECT_FAILURE(open_and_close(place.path), -EIO, place.path);
    WF_EXPECT_FAILURE(open_and_close("/"), -EIO, "unable to open");
}

WF_TEST(a_file_that_is_no_database_is_said_to_be_none)
{
    struct rig_place place;
    rig_place_make(&place);
    write_text(place.path, "This is a letter, and not a database.\n");
    WF_EXPECT_FAILURE(open_and_close(place.path), -EIO, "file is not a database");
    rig_place_remove(&place);
}

WF_TEST(a_file_that_may_only_be_read_is_said_to_be_so)
{
    struct rig_place place;
    rig_place_make(&place);
    int rc = open_and_close(place.path);
    chmod(place.path, 0400);
    chmod(place.directory, 0500);
    if (rc == 0 && access(place.path, W_OK) < 0) /* root may write it all the same */
        WF_EXPECT_FAILURE(open_and_close(place.path), -EIO, "readonly");
    chmod(place.directory, 0700);
    rig_place_remove(&place);
    WF_EXPECT_CODE(rc, 0);
}

/* ---- Versions ---- */

WF_TEST(a_database_of_a_later_program_is_left_alone)
{
    struct rig_place place;
    rig_place_make(&place);
    int rc = open_and_close(place.path);
    if (rc == 0) rc = run_sql(place.path, "PRAGMA user_version = 99");
    if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_FAILURE(open_and_close(place.path), -EIO, "version 99");
    rig_place_remove(&place);
}

/* As the first version was, and somebody had used it. */
static const char first_version[] =
    "DROP TRIGGER authorization_made; DROP TRIGGER authorization_changed; DROP TABLE authorization_counts;"
    "DROP INDEX outbox_of_vehicle; PRAGMA user_version = 1;"
    "DELETE FROM authorizations WHERE status = 5";

static int use_it(const char *path)
{
    struct storage *storage;
    struct custody_authorization made;
    struct custody_page page;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    if (rc == 0) rc = rig_authorize(storage, HELD_VIN, "Ada", &made);
    if (rc == 0) rc = rig_list(storage, NULL, -1, 1, &page);
    if (rc == 0) WF_EXPECT_INT(page.total_count, 121 - 8 + 1);
    if (rc == 0) rc = rig_list(storage, NULL, CUSTODY_PENDING, 1, &page);
    if (rc == 0) WF_EXPECT_INT(page.total_count, 53);
    if (rc == 0) WF_EXPECT_TEXT(rig_events(storage, 0, HELD_VIN), "authorization.created");
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

WF_TEST(an_older_database_becomes_a_new_one_and_keeps_what_it_has)
{
    struct rig_place place;
    rig_place_make(&place);
    int rc = open_and_close(place.path);
    if (rc == 0) rc = run_sql(place.path, first_version);
    if (rc == 0) rc = use_it(place.path);
    if (rc == 0) rc = run_sql(place.path, "SELECT vin FROM outbox INDEXED BY outbox_of_vehicle WHERE vin = ''");
    rig_place_remove(&place);
    WF_EXPECT_CODE(rc, 0);
}

/* ---- Opened again ---- */

static int make_without_examples(const char *path, int count)
{
    struct storage *storage;
    WF_SCOPE(scope);
    int rc = storage_open(&scope, &(struct storage_options){.where = path, .provision = true}, &storage);
    for (int i = 0; rc == 0 && i < count; i++) {
        struct custody_authorization made;
        char person[24];
        snprintf(person, sizeof person, i == 100 ? "person-%06d" : "somebody %d", i); /* one is of an example, too */
        rc = rig_authorize(storage, RELEASABLE_VIN, person, &made);
    }
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

static int count_all(const char *path, int64_t *count)
{
    struct storage *storage;
    struct custody_page page;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    if (rc == 0) rc = rig_list(storage, NULL, -1, 1, &page);
    if (rc == 0) *count = page.total_count;
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

WF_TEST(the_examples_come_once_and_in_the_way_of_nobody, .unswept = "it makes hundreds of rows")
{
    struct rig_place place;
    int64_t count = 0;
    rig_place_make(&place);
    int rc = make_without_examples(place.path, 300);
    if (rc == 0) rc = count_all(place.path, &count);
    if (rc == 0) WF_EXPECT_INT(count, 300 + WORLD_AUTHORIZATIONS - 1);
    if (rc == 0) rc = count_all(place.path, &count);
    if (rc == 0) WF_EXPECT_INT(count, 300 + WORLD_AUTHORIZATIONS - 1);
    rig_place_remove(&place);
    WF_EXPECT_CODE(rc, 0);
}

static int check_sixty(const char *path)
{
    struct storage *storage;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    for (int i = 0; rc == 0 && i < 60; i++) {
        char vin[20];
        snprintf(vin, sizeof vin, "VIN%012d", i);
        const char *const vins[] = {vin};
        struct custody_releasability result;
        int code;
        rc = storage_check(storage, wf_task_arena(), vins, 1, &result, &code);
    }
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

static int find_fifty(const char *path)
{
    struct storage *storage;
    struct custody_releasability results[60];
    size_t count = 0;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    if (rc == 0) rc = storage_checked(storage, wf_task_arena(), 60, results, &count);
    if (rc == 0 && WF_EXPECT_INT(count, 50)) {
        WF_EXPECT(strcmp(results[0].vin, "VIN000000000010") >= 0);
        WF_EXPECT(results[0].checked_at >= results[49].checked_at);
    }
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

WF_TEST(what_was_checked_last_is_known_when_it_opens_again)
{
    struct rig_place place;
    rig_place_make(&place);
    int rc = check_sixty(place.path);
    if (rc == 0) rc = find_fifty(place.path);
    rig_place_remove(&place);
    WF_EXPECT_CODE(rc, 0);
}

/* ---- Full ---- */

static sqlite3 *writing(struct storage *storage)
{
    return ((struct sqlite_storage *)storage)->writer.connection.db;
}

static int fill(struct storage *storage, int64_t *made)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < 10000; i++) {
        char person[32];
        struct custody_authorization one;
        snprintf(person, sizeof person, "person %d", i);
        rc = rig_authorize(storage, HELD_VIN, person, &one);
        *made += rc == 0;
    }
    return rc;
}

static int fill_and_go_on(const char *path)
{
    struct storage *storage;
    struct custody_page page = {.total_count = 0};
    int64_t made = 0, last = 0;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    if (rc < 0) return wf_scope_end(&scope, rc);
    sqlite3_exec(writing(storage), "PRAGMA max_page_count = 80", NULL, NULL, NULL);
    WF_EXPECT_FAILURE(fill(storage, &made), -EIO, "full");
    last = storage_last_event(storage);
    rc = rig_list(storage, HELD_VIN, -1, 1, &page);
    WF_EXPECT(made > 0 && page.total_count == made && last == made);
    sqlite3_exec(writing(storage), "PRAGMA max_page_count = 100000", NULL, NULL, NULL);
    struct custody_authorization one;
    if (rc == 0) rc = rig_authorize(storage, HELD_VIN, "when there is room again", &one);
    WF_EXPECT_INT(storage_last_event(storage), made + 1);
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

WF_TEST(where_the_disk_is_full_nothing_is_half_done, .unswept = "it makes hundreds of rows")
{
    struct rig_place place;
    rig_place_make(&place);
    WF_EXPECT_CODE(fill_and_go_on(place.path), 0);
    rig_place_remove(&place);
}

WF_TEST_MAIN
