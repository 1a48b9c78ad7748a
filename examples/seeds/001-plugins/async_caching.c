/*
 * A cache that keeps each value for five minutes, and computes it once however many ask. From "Performance
 * Optimization: Async Caching".
 *
 * Rows: S045, S046.
 *
 * With the sample's cache a hundred callers who miss at once compute a hundred times; nothing bounds it, and what has
 * expired stays; invalidate("") clears all of it, and one during a computation is undone by the result. Here one of
 * them computes and the others wait for it, the oldest make room, no bytes are a key like any other, and an
 * invalidation wins.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/async_caching.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct source {
    int computed;
    int failing; /* so many computations fail */
};

static int compute(struct source *source, struct wf_load *load)
{
    source->computed++;
    int rc = wf_sleep(WF_MILLISECONDS(100));
    if (rc < 0) return rc;
    if (source->failing > 0) {
        source->failing--;
        return wf_fail(-EIO, "the source is down");
    }
    load->value = wf_arena_printf(load->arena, "value %d", source->computed);
    return load->value != NULL ? 0 : -ENOMEM;
}

static struct source source;
static struct wf_cache *cache;

static int get(const char *key)
{
    const char *value;
    return wf_cache_get(cache, wf_key_text(key), wf_task_arena(), &value);
}

static void show(const char *title, const char *key)
{
    const char *value = NULL;
    int rc = wf_cache_get(cache, wf_key_text(key), wf_task_arena(), &value);
    printf("%s: %s; computed %d times so far\n", title, rc < 0 ? wf_failure() : value, source.computed);
}

static int get_at_once(int count)
{
    WF_SCOPE(scope);
    for (int i = 0; i < count; i++) wf_spawn(&scope, get, "key");
    int rc = wf_scope_join(&scope);
    printf("%d at once: computed %d times so far\n", count, source.computed);
    return rc;
}

/* The first of them computes, and gives up in the middle: the other one computes then. */
static int give_up(const char *key)
{
    int rc = wf_within(WF_MILLISECONDS(50), get(key));
    printf("the one who computes gives up: %s\n", wf_strerror(rc));
    return 0;
}

static int hand_over(void)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, give_up, "dear");
    wf_spawn(&scope, get, "dear");
    return wf_scope_join(&scope);
}

static int invalidate_meanwhile(void)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, get, "other");
    int rc = wf_sleep(WF_MILLISECONDS(50));
    wf_cache_invalidate(cache, wf_key_text("other")); /* its value is being computed */
    return wf_scope_end(&scope, rc);
}

static int use_cache(void)
{
    int rc = get_at_once(100);
    show("a hit", "key");
    if (rc == 0) rc = wf_sleep(WF_SECONDS(301));
    show("after the time to live", "key");

    source.failing = 1;
    show("a failure", "another");
    show("which is not kept", "another");

    show("the empty key", "");
    wf_cache_invalidate(cache, wf_key_text(""));
    show("it alone is invalidated", "key");
    wf_cache_invalidate_all(cache);
    show("all are", "key");
    if (rc == 0) rc = invalidate_meanwhile();
    show("invalidated while it was computed", "other");
    if (rc == 0) rc = hand_over();
    show("and the next one computes", "dear");
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    int rc = wf_cache_create(&cache, WF_LOAD(compute, &source), .ttl = WF_SECONDS(300), .entries_max = 1000);
    if (rc == 0) rc = use_cache();
    wf_cache_destroy(cache);
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
