/*
 * Killed in the midst, the storage has lost nothing that it had acknowledged, and nothing is half done.
 *
 * The program is its own victim: "--write FILE" makes changes until it is killed, and prints a line for each once it is
 * acknowledged: the id of an authorization, its person, what it was then, and the transfer that it was used for; or a
 * vehicle that was checked.
 */
#include "storage_rig.h"

#include <signal.h>
#include <sqlite3.h>
#include <weft/process.h>
#include <weft/reader.h>
#include <weft/run.h>

enum { WRITERS = 16, ROUNDS = 5 };

/* ---- The victim ---- */

static void say(const char *id, const char *person, const char *what, const char *transfer)
{
    char line[120];
    int size = snprintf(line, sizeof line, "%s %s %s %s\n", id, person, what, transfer);
    if (write(STDOUT_FILENO, line, (size_t)size) != size) _exit(3);
}

static int check(struct storage *storage, const char *vin)
{
    struct custody_releasability result;
    int code, rc = storage_check(storage, wf_task_arena(), &vin, 1, &result, &code);
    if (rc == 0) say(vin, "-", "CHECKED", "-");
    return rc;
}

static int change(struct storage *storage, int number)
{
    char vin[20], person[40];
    struct custody_authorization one;
    struct custody_transfer transfer;
    snprintf(vin, sizeof vin, "VIN%012d", number % 1000);
    snprintf(person, sizeof person, "person-%d-of-%d", number, (int)getpid());
    int rc = check(storage, vin);
    if (rc == 0) rc = rig_authorize(storage, vin, person, &one);
    if (rc != 0) return rc;
    say(one.authorization_id, person, "PENDING", "-");
    if (number % 2 == 0) return 0;
    rc = rig_decide(storage, one.authorization_id, DECIDE_APPROVE, &one);
    if (rc != 0) return rc;
    say(one.authorization_id, person, "APPROVED", "-");
    struct custody_new_transfer wanted = {.vin = vin,
                                          .transfer_type = "GATE_IN",
                                          .credential_id = one.authorization_id,
                                          .location_id = ATLANTA,
                                          .async = number % 4 == 1};
    rc = storage_transfer(storage, wf_task_arena(), &wanted, NULL, &transfer);
    if (rc == 0) say(one.authorization_id, person, "USED", transfer.transfer_id);
    return rc;
}

static int numbers;

static int write_on(struct storage *storage)
{
    int rc = 0;
    while (rc == 0) rc = change(storage, numbers++);
    return rc;
}

static int write_into(const char *path)
{
    struct storage *storage;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    if (rc == 0) say("opened", "-", "-", "-");
    WF_SCOPE(writers);
    for (int i = 0; rc == 0 && i < WRITERS; i++) rc = wf_spawn(&writers, write_on, storage, .stack_size = 128 << 10);
    rc = wf_scope_end(&writers, rc);
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

/* ---- The witness ---- */

struct line {
    struct line *next;
    char id[16], person[40], what[12], transfer[16];
};

static struct line *parse(char *text, struct line *before)
{
    struct line *line = wf_arena_new(wf_task_arena(), struct line);
    if (line == NULL || sscanf(text, "%15s %39s %11s %15s", line->id, line->person, line->what, line->transfer) != 4)
        return before;
    line->next = before;
    return line;
}

/* Its lines, the last one first; killed after so many, and what it said before it died is read to the end. */
static int kill_after(const char *path, int count, struct line **lines)
{
    const char *const argv[] = {"/proc/self/exe", "--write", path, NULL};
    WF_PROCESS(victim);
    int rc = wf_process_start(&victim, argv, .output = {.kind = WF_IO_PIPE});
    if (rc < 0) return rc;
    WF_READER(reader, victim.output, 0);
    char *text;
    size_t size;
    for (int i = 0; (rc = wf_reader_line(&reader, &text, &size)) > 0; i++) {
        if (i > 0) *lines = parse(text, *lines);
        if (i == count) wf_process_signal(&victim, SIGKILL);
    }
    struct wf_process_status status = {0};
    if (rc == 0) rc = wf_process_wait(&victim, &status);
    WF_EXPECT_INT(status.signal, SIGKILL);
    return rc;
}

static int rank(const char *status)
{
    return strcmp(status, "PENDING") == 0    ? CUSTODY_PENDING
           : strcmp(status, "APPROVED") == 0 ? CUSTODY_APPROVED
                                             : CUSTODY_USED;
}

static int look_for_check(struct storage *storage, const char *vin)
{
    struct custody_releasability cached;
    int rc = storage_cached(storage, wf_task_arena(), vin, &cached);
    WF_EXPECT_CODE(rc, 0);
    return rc;
}

/* It is at least where the line says: the next change may have happened without a word. */
static int look_for(struct storage *storage, const struct line *line)
{
    if (strcmp(line->what, "CHECKED") == 0) return look_for_check(storage, line->id);
    struct custody_authorization found = {.status = -1};
    struct custody_transfer transfer;
    int rc = storage_authorization(storage, wf_task_arena(), line->id, &found);
    if (!WF_EXPECT_CODE(rc, 0)) return rc;
    WF_EXPECT(found.status >= rank(line->what));
    WF_EXPECT_TEXT(found.person_identity_key, line->person);
    if (strcmp(line->transfer, "-") == 0) return 0;
    rc = storage_find_transfer(storage, wf_task_arena(), line->transfer, &transfer);
    if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_TEXT(transfer.credential_id, line->id);
    return rc;
}

static int look_for_all(const char *path, const struct line *lines)
{
    struct storage *storage;
    WF_SCOPE(scope);
    int rc = rig_open(&scope, path, &storage);
    for (const struct line *line = lines; rc == 0 && line != NULL; line = line->next) rc = look_for(storage, line);
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

static void expect_same(sqlite3 *db, const char *sql)
{
    sqlite3_stmt *statement;
    if (!WF_EXPECT_INT(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK)) return;
    WF_EXPECT_INT(sqlite3_step(statement), SQLITE_ROW);
    WF_EXPECT_TEXT((const char *)sqlite3_column_text(statement, 0), (const char *)sqlite3_column_text(statement, 1));
    sqlite3_finalize(statement);
}

/* Each change is there with its event, each credential that was used with its transfer. */
static void expect_whole(const char *path)
{
    static const char *const laws[] = {
        "SELECT (SELECT integrity_check FROM pragma_integrity_check), 'ok'",
        "SELECT (SELECT count(*) FROM pragma_foreign_key_check), 0",
        "SELECT (SELECT count(*) FROM authorizations WHERE number > 1000), "
        "(SELECT count(*) FROM outbox WHERE type = 'authorization.created')",
        "SELECT (SELECT count(*) FROM authorizations WHERE number > 1000 AND status = 2), (SELECT count(*) FROM "
        "transfers)",
        "SELECT (SELECT count(*) FROM transfers), (SELECT count(*) FROM outbox WHERE type = 'authorization.used')",
        "SELECT (SELECT count(*) FROM transfers WHERE status = 1), "
        "(SELECT count(*) FROM outbox WHERE type = 'custody.transferred')",
        "SELECT (SELECT max(number) FROM outbox), (SELECT count(*) FROM outbox)",
        "SELECT (SELECT sum(count) FROM authorization_counts), (SELECT count(*) FROM authorizations)",
    };
    sqlite3 *db;
    if (WF_EXPECT_INT(sqlite3_open(path, &db), SQLITE_OK))
        for (size_t i = 0; i < WF_COUNT(laws); i++) expect_same(db, laws[i]);
    sqlite3_close(db);
}

WF_TEST(what_was_acknowledged_is_there_after_a_kill, .real = true, .timeout = WF_SECONDS(120))
{
    struct rig_place place;
    struct line *lines = NULL;
    rig_place_make(&place);
    int rc = 0;
    for (int round = 0; rc == 0 && round < ROUNDS; round++) {
        rc = kill_after(place.path, 100 + 137 * round, &lines);
        if (rc == 0) rc = look_for_all(place.path, lines);
        expect_whole(place.path);
    }
    WF_EXPECT_CODE(rc, 0);
    WF_EXPECT(lines != NULL);
    rig_place_remove(&place);
}

static int write_main(const char *path)
{
    return write_into(path);
}

int main(int argc, char **argv)
{
    if (argc == 3 && strcmp(argv[1], "--write") == 0) return wf_main(write_main, argv[2]);
    return wf_test_main(argc, argv);
}
