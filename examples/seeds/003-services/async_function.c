/*
 * An asynchronous function is a function: it waits for the database at any depth of calls, its locals survive, and its
 * result or its error reaches whoever called it. From "Basic Patterns", "Async Function".
 * Rows: S003.
 * The sample reads a global `db`; here the database is handed over. It is one in memory that takes its time.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/async_function.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct user {
    int id;
    const char *name;
};

struct database {
    const struct user *users;
    size_t count;
    bool gone;
};

/* What was found, or NULL. */
static int execute(const struct database *database, int id, const struct user **row)
{
    int rc = wf_sleep(WF_MILLISECONDS(20)); /* there and back */
    if (rc < 0) return rc;
    if (database->gone) return wf_fail(-ECONNRESET, "the database has gone");
    *row = NULL;
    for (size_t i = 0; i < database->count; i++)
        if (database->users[i].id == id) *row = &database->users[i];
    return 0;
}

/* Returns 1, or 0 where there is no such user. */
static int get_user(const struct database *database, int id, struct user *user)
{
    const struct user *row = NULL;
    int rc = execute(database, id, &row);
    if (rc < 0) return rc;
    if (row == NULL) return 0;
    *user = *row;
    return 1;
}

static void show(const struct database *database, int id)
{
    struct user user = {.id = id};
    int rc = get_user(database, id, &user);
    if (rc > 0) printf("user %d: %s\n", id, user.name);
    else printf("user %d: %s\n", id, rc == 0 ? "none" : wf_failure());
}

static int show_users(struct database *database)
{
    show(database, 1);
    show(database, 9);
    database->gone = true;
    show(database, 1);
    return 0;
}

int main(void)
{
    static const struct user users[] = {{1, "Ada"}, {2, "Grace"}};
    struct database database = {.users = users, .count = WF_COUNT(users)};
    return wf_main(show_users, &database);
}
