/*
 * The cache against naive models: by one task, where every outcome is known, and by many at once, where these must
 * hold: who asks after an invalidation gets a load that began after it; nothing is given past its time; where nobody's
 * patience ends, a key is loaded by one at a time, unless it was invalidated meanwhile.
 */
#include "cache.h"

enum { KEYS = 8, ROOM = 4, STEPS = 2000, TASKS = 12, ROUNDS = 60, LOADS_MAX = TASKS * ROUNDS + 1 };

static const int64_t ttl = WF_MILLISECONDS(20);

/* Xorshift (G. Marsaglia, "Xorshift RNGs", 2003). */
static uint32_t random_below(uint32_t *state, uint32_t bound)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state % bound;
}

static const uint32_t seeds[] = {1, 2, 3, 4, 5, 6, 7, 8};

static const char *key_of(uint32_t number)
{
    static const char *const keys[KEYS] = {"", "a", "b", "cc", "dd", "eee", "fff", "gggggggggggggggggggg"};
    return keys[number];
}

/* ---- One task ---- */

struct modelled {
    bool there;
    int number;
    int64_t over_at;
    int used; /* in which step */
};

struct model {
    struct modelled keys[KEYS];
    int loads, step;
};

static bool is_there(const struct model *model, uint32_t key, int64_t now)
{
    return model->keys[key].there && now < model->keys[key].over_at;
}

static void make_room(struct model *model, int64_t now)
{
    int count = 0;
    struct modelled *oldest = NULL;
    for (uint32_t i = 0; i < KEYS; i++) {
        struct modelled *one = &model->keys[i];
        one->there = is_there(model, i, now);
        if (!one->there) continue;
        count++;
        if (oldest == NULL || one->used < oldest->used) oldest = one;
    }
    if (count == ROOM) oldest->there = false;
}

static void keep(struct model *model, uint32_t key, int number, int64_t now)
{
    model->keys[key].there = false;
    make_room(model, now);
    model->keys[key] = (struct modelled){.there = true, .number = number, .over_at = now + ttl, .used = model->step};
}

static int model_ask(struct model *model, uint32_t key, int64_t now)
{
    if (!is_there(model, key, now)) keep(model, key, ++model->loads, now);
    model->keys[key].used = model->step;
    return model->keys[key].number;
}

static void put(struct shop *shop, struct model *model, uint32_t key)
{
    struct item item = {.number = 1000000 + model->step, .name = key_of(key)};
    WF_EXPECT_CODE(wf_cache_put(shop->cache, wf_key_text(item.name), &item, sizeof item, 0), 0);
    keep(model, key, item.number, wf_now());
}

static void peek(struct shop *shop, struct model *model, uint32_t key)
{
    const struct item *item;
    bool there = is_there(model, key, wf_now());
    int rc = wf_cache_peek(shop->cache, wf_key_text(key_of(key)), wf_task_arena(), &item);
    WF_EXPECT_CODE(rc, there ? 0 : -ENOENT);
    if (rc == 0) WF_EXPECT_INT(item->number, model->keys[key].number);
}

static void take_a_step(struct shop *shop, struct model *model, uint32_t *state)
{
    uint32_t key = random_below(state, KEYS), choice = random_below(state, 100);
    model->step++;
    if (choice < 60) WF_EXPECT_INT(ask(shop, key_of(key)), model_ask(model, key, wf_now()));
    else if (choice < 70) put(shop, model, key);
    else if (choice < 80) peek(shop, model, key);
    else if (choice < 98) wf_sleep(WF_MILLISECONDS(1 + random_below(state, 8)));
    else wf_cache_invalidate(shop->cache, wf_key_text(key_of(key))), model->keys[key].there = false;
    if (choice == 0) {
        wf_cache_invalidate_all(shop->cache);
        for (uint32_t i = 0; i < KEYS; i++) model->keys[i].there = false;
    }
}

WF_TEST_EACH(one_task_finds_what_the_model_has, seeds, .simulated = true, .unswept = "thousands of steps")
{
    uint32_t state = *row;
    struct model model = {.loads = 0};
    SHOP(shop);
    if (!WF_EXPECT_CODE(wf_cache_create(&shop.cache, WF_LOAD(load_item, &shop), .ttl = ttl, .entries_max = ROOM), 0))
        return;
    for (int i = 0; i < STEPS && !wf_test_failed(); i++) take_a_step(&shop, &model, &state);
    WF_EXPECT_INT(shop.loads, model.loads);
    WF_EXPECT(statistics_of(&shop).evicted > 50);
}

/* ---- Many tasks ---- */

struct town {
    struct wf_cache *cache;
    uint32_t state;
    bool patient;
    int loads;
    int loading[KEYS];        /* at this moment, since it was invalidated last */
    int invalidated_at[KEYS]; /* the number of loads that had begun */
    int64_t loaded_at[LOADS_MAX];
    bool failed[LOADS_MAX];
};

struct fact {
    int number;
    uint32_t key;
};

static void close_town(struct town **town)
{
    wf_cache_destroy((*town)->cache);
}

static int load_fact(struct town *town, struct wf_load *load)
{
    uint32_t key;
    memcpy(&key, load->key.bytes, sizeof key);
    int number = ++town->loads;
    WF_INVARIANT(number < LOADS_MAX);
    WF_EXPECT(town->loading[key]++ == 0 || !town->patient);
    int rc = wf_sleep(WF_MILLISECONDS(random_below(&town->state, 10)));
    if (town->invalidated_at[key] < number) town->loading[key]--;
    town->loaded_at[number] = wf_now();
    if (rc < 0) return rc;
    struct fact *fact = wf_arena_new(load->arena, struct fact);
    if (fact == NULL) return -ENOMEM;
    *fact = (struct fact){number, key};
    load->value = fact;
    return random_below(&town->state, 8) == 0 ? -EIO : 0;
}

static void invalidate_one(struct town *town, uint32_t key)
{
    wf_cache_invalidate(town->cache, WF_KEY(key));
    town->invalidated_at[key] = town->loads;
    town->loading[key] = 0;
}

static int learn(struct town *town, uint32_t key)
{
    const struct fact *fact;
    int64_t asked = wf_now();
    int begun = town->invalidated_at[key];
    struct wf_arena arena;
    wf_arena_init(&arena);
    int64_t patience = town->patient ? WF_FOREVER : WF_MILLISECONDS(1 + random_below(&town->state, 20));
    int rc = wf_within(patience, wf_cache_get(town->cache, WF_KEY(key), &arena, &fact));
    if (rc == 0) {
        WF_INVARIANT(fact->key == key);
        WF_INVARIANT(fact->number > begun);
        WF_INVARIANT(asked < town->loaded_at[fact->number] + ttl);
        wf_sleep(WF_MILLISECONDS(random_below(&town->state, 30)));
        WF_INVARIANT(fact->key == key); /* still, whatever became of the entry */
    }
    WF_EXPECT(rc == 0 || rc == -EIO || rc == -ETIME);
    wf_arena_finish(&arena);
    return rc == -ECANCELED ? rc : 0;
}

static int live(struct town *town)
{
    int rc = 0;
    for (int i = 0; i < ROUNDS && rc == 0; i++) {
        uint32_t key = random_below(&town->state, KEYS);
        if (random_below(&town->state, 6) == 0) invalidate_one(town, key);
        else rc = learn(town, key);
    }
    return rc;
}

WF_TEST_EACH(many_tasks_at_once_learn_nothing_wrong, seeds, .simulated = true, .timeout = WF_MINUTES(5), .sweep = true)
{
    static struct town of_this_run;
    of_this_run = (struct town){.state = *row, .patient = *row % 4 == 0};
    struct town *town __attribute__((cleanup(close_town))) = &of_this_run;
    enum wf_cache_policy policy = *row % 2 == 0 ? WF_CACHE_LFU : WF_CACHE_LRU;
    if (!WF_EXPECT_CODE(wf_cache_create(&town->cache, WF_LOAD(load_fact, town), .ttl = ttl, .entries_max = ROOM,
                                        .policy = policy),
                        0))
        return;
    WF_SCOPE(scope);
    for (int i = 0; i < TASKS; i++) wf_spawn(&scope, live, town);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    struct wf_cache_statistics statistics;
    wf_cache_statistics(town->cache, &statistics);
    WF_INVARIANT(statistics.loading == 0);
    WF_INVARIANT(statistics.entries <= ROOM);
    WF_EXPECT(statistics.hits > 20 && statistics.shared > 20 && statistics.evicted > 20);
}

WF_TEST_MAIN
