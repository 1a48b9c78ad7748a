/*
 * A cache in front of a slow database: a hundred ask at once, one load is made; who has changed something invalidates;
 * that somebody does not exist is kept too.
 *
 *     weft run examples/cache.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct database {
    int queries;
};

struct user {
    const char *name;
    int version;
};

static int load_user(struct database *database, struct wf_load *load)
{
    int version = ++database->queries;
    int rc = wf_sleep(WF_MILLISECONDS(20));
    if (rc < 0) return rc;
    struct user *user = wf_arena_new(load->arena, struct user);
    char *name = wf_arena_strndup(load->arena, load->key.bytes, load->key.size);
    if (user == NULL || name == NULL) return -ENOMEM;
    if (name[0] != 'a') return wf_fail(-ENOENT, "no user %s", name);
    *user = (struct user){name, version};
    load->value = user;
    return 0;
}

static struct database database;
static struct wf_cache *users;

static int greet(int *greeted)
{
    const struct user *user;
    int rc = wf_cache_get(users, wf_key_text("ada"), wf_task_arena(), &user);
    if (rc == 0) ++*greeted;
    return rc;
}

static int show(const char *name)
{
    const struct user *user;
    int rc = wf_cache_get(users, wf_key_text(name), wf_task_arena(), &user);
    if (rc < 0) printf("%s: %s", name, wf_failure());
    else printf("%s, version %d", user->name, user->version);
    printf("; %d queries so far\n", database.queries);
    return rc == -ENOENT ? 0 : rc;
}

static int use_cache(int *greeted)
{
    WF_SCOPE(scope);
    for (int i = 0; i < 100; i++) wf_spawn(&scope, greet, greeted);
    int rc = wf_scope_join(&scope);
    printf("%d were greeted\n", *greeted);
    if (rc == 0) rc = show("ada");
    wf_cache_invalidate(users, wf_key_text("ada"));
    if (rc == 0) rc = show("ada");
    if (rc == 0) rc = show("bob");
    if (rc == 0) rc = show("bob");
    return rc;
}

static int run(int *greeted)
{
    int rc = wf_cache_create(&users, WF_LOAD(load_user, &database), .ttl = WF_MINUTES(5), .weight_max = 16 << 20,
                             .negative_ttl = WF_SECONDS(5));
    if (rc == 0) rc = use_cache(greeted);
    wf_cache_destroy(users);
    return rc;
}

int main(void)
{
    int greeted = 0;
    return wf_main(run, &greeted);
}
