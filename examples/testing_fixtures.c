/*
 * Fixtures that use each other: a store for all tests, a pool of connections to it for this file, a user or a
 * transaction for each test. What a test did is gone when the next one begins, also after a failure.
 *
 *     weft run examples/testing_fixtures.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- A store, in memory, that takes its time like a real one ---- */

struct store {
    char users[8][32]; /* by id; empty: none */
    struct wf_semaphore connections;
};

static int execute(struct store *store, int id, const char *name)
{
    int rc = wf_semaphore_acquire(&store->connections);
    if (rc < 0) return rc;
    rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc == 0) snprintf(store->users[id], sizeof store->users[id], "%s", name);
    wf_semaphore_release(&store->connections);
    return rc;
}

static int insert(struct store *store, const char *name)
{
    int id = 0;
    while (id < 8 && store->users[id][0] != '\0') id++;
    if (id == 8) return -ENOSPC;
    int rc = execute(store, id, name);
    return rc < 0 ? rc : id;
}

/* ---- Fixtures ---- */

WF_FIXTURE(database, .life = WF_PER_RUN)
{
    static struct store store;
    return wf_provide(&store);
}

WF_FIXTURE(pool, .life = WF_PER_SUITE, .uses = {&database})
{
    struct store *store = wf_use(&database);
    store->connections = (struct wf_semaphore)WF_SEMAPHORE(2);
    wf_provide(store);
    WF_EXPECT(wf_semaphore_try_acquire(&store->connections) == 0); /* all were given back */
    WF_EXPECT(wf_semaphore_try_acquire(&store->connections) == 0);
    return 0;
}

/* A row, taken away afterwards: the shield is for a test that was cancelled. */
WF_FIXTURE(test_user, .uses = {&pool})
{
    struct store *store = wf_use(&pool);
    int id = insert(store, "Test User");
    if (id < 0) return id;
    wf_provide(&id);
    return wf_shielded(WF_SECONDS(1), execute(store, id, ""));
}

/* Or a transaction that is always rolled back: whatever the test did is undone. */
WF_FIXTURE(transaction, .uses = {&pool})
{
    struct store *store = wf_use(&pool), before = *store;
    wf_provide(store);
    memcpy(store->users, before.users, sizeof store->users);
    return 0;
}

/* ---- Tests ---- */

WF_TEST(a_user_is_found, .uses = {&pool, &test_user})
{
    struct store *store = wf_use(&pool);
    int *id = wf_use(&test_user);
    WF_EXPECT_TEXT(store->users[*id], "Test User");
}

WF_TEST(many_users_are_inserted, .uses = {&transaction})
{
    struct store *store = wf_use(&transaction);
    for (int i = 0; i < 8; i++) WF_EXPECT_INT(insert(store, "Somebody"), i);
    WF_EXPECT_CODE(insert(store, "One more"), -ENOSPC);
}

WF_TEST(nothing_of_it_is_left, .uses = {&pool})
{
    struct store *store = wf_use(&pool);
    for (int i = 0; i < 8; i++) WF_EXPECT_TEXT(store->users[i], "");
}

WF_TEST_MAIN
