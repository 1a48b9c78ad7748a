/*
 * Code before and after other code, as a function: an operation is timed, and a transaction is committed, rolled back
 * after an error or a cancel, and closed in any case. From "Async Context Managers", "Function-Based Context Manager".
 * Rows: S124, S129, S131.
 * The sample does not roll back what is cancelled, because a cancel is no Exception there. Its database is one of
 * PostgreSQL; here it is one in memory that takes its time, and what talks to it in the end is shielded from a cancel.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/function_based_context_manager.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct database {
    int rows, open;
};

struct transaction {
    struct database *database;
    int inserted;
};

/* ---- The database ---- */

static int talk(const char *statement)
{
    int rc = wf_sleep(WF_MILLISECONDS(40));
    if (rc == 0) printf("  %s\n", statement);
    return rc;
}

static int execute(struct transaction *transaction, const char *value)
{
    if (value == NULL) return wf_fail(-EINVAL, "a log line of nothing");
    int rc = talk("insert");
    if (rc == 0) transaction->inserted++;
    return rc;
}

/* ---- The functions around others ---- */

static int finish(struct transaction *transaction, int rc)
{
    if (rc == 0 && (rc = talk("commit")) == 0) transaction->database->rows += transaction->inserted;
    if (rc < 0) wf_shielded(WF_SECONDS(1), talk("rollback"));
    wf_shielded(WF_SECONDS(1), talk("close"));
    transaction->database->open--;
    return rc; /* the error of the body, not of its cleanup */
}

static int with_transaction(struct database *database, int (*body)(struct transaction *, void *), void *arg)
{
    struct transaction transaction = {.database = database};
    int rc = talk("begin");
    if (rc < 0) return rc;
    database->open++;
    return finish(&transaction, body(&transaction, arg));
}

struct timer {
    const char *name;
    int64_t began;
};

static void print_time(struct timer *timer)
{
    printf("%s took %.2fs\n", timer->name, wf_seconds(wf_now() - timer->began));
}

#define TIMED_OPERATION(timer, title)                                                                                  \
    struct timer timer __attribute__((cleanup(print_time), unused)) = {.name = (title), .began = wf_now()}

/* ---- Their use ---- */

static int insert_lines(struct transaction *transaction, void *lines)
{
    const char **values = lines;
    int rc = execute(transaction, values[0]);
    return rc < 0 ? rc : execute(transaction, values[1]);
}

static int write_log(struct database *database, const char *lines[2])
{
    TIMED_OPERATION(timer, "Database query");
    return with_transaction(database, insert_lines, lines);
}

static void show(const char *how, const struct database *database, int rc)
{
    printf("%s: %s, %d rows, %d open\n", how, wf_strerror(rc), database->rows, database->open);
}

static int run(void *unused)
{
    struct database database = {.rows = 0};
    const char *good[] = {"event", "another"}, *bad[] = {"event", NULL};
    (void)unused;
    show("success", &database, write_log(&database, good));
    show("error", &database, write_log(&database, bad));
    show("cancel", &database, wf_within(WF_MILLISECONDS(100), write_log(&database, good)));
    return 0;
}

int main(void)
{
    return wf_main(run, NULL);
}
