/*
 * Loads under way: for each key one flight, with a leader who loads and waiters behind it. Who waits is told everything
 * in a record of its own, so that nobody looks at a flight that has landed; and who has loaded finds in its flight
 * whether there still is a cache that wants the result.
 */
#include <weft/task.h>

#include "base/memory.h"
#include "flow/cache.h"
#include "observe/event.h"

enum {
    YOUR_TURN = 1, /* to load: the leader was cancelled */
    ROOM = 128,    /* for small values, in the first block of an entry */
};

struct flight {
    struct node node;
    struct wf_cache *cache; /* NULL: out of the table, the result is not kept */
    struct wf_task *leader;
    struct wf_queue_ waiters;
    int (*load)(void *context, struct wf_load *load); /* what a daemon runs; a waiter whose turn it is runs its own */
    void *context;
    bool by_daemon;
};

/* What a waiter is told. */
struct told {
    struct entry *entry; /* one reference is the waiter's; NULL where memory was lacking */
    int code;
};

static const struct wait_class flight_class = {.name = "somebody's load into a cache", .cancel = queue_cancel};

/* ---- The table of flights ---- */

static struct flight *open_flight(const struct request *request, struct wf_task *leader)
{
    struct flight *flight = memory_alloc(sizeof *flight + request->key.size);
    if (flight == NULL) return NULL;
    char *key = (char *)(flight + 1);
    if (request->key.size > 0) memcpy(key, request->key.bytes, request->key.size);
    *flight = (struct flight){
        .node = {.hash = request->hash, .key = {key, request->key.size}},
        .cache = request->cache,
        .leader = leader,
        .load = request->load,
        .context = request->context,
        .by_daemon = leader == NULL,
    };
    table_add(&request->cache->flights, &flight->node);
    return flight;
}

static struct entry *kept_entry(const struct flight *flight)
{
    if (flight->cache == NULL) return NULL;
    return entry_find(flight->cache, flight->node.key, flight->node.hash);
}

static void leave_cache(struct flight *flight)
{
    if (flight->cache != NULL) table_remove(&flight->cache->flights, &flight->node);
    flight->cache = NULL;
}

static void close_flight(struct flight *flight)
{
    struct entry *entry = kept_entry(flight);
    if (entry != NULL) entry->refreshing = false;
    leave_cache(flight);
    memory_free(flight);
}

void flight_detach(struct wf_cache *cache, struct wf_key key, uint64_t hash)
{
    struct flight *flight = (struct flight *)table_find(&cache->flights, key, hash);
    if (flight != NULL) leave_cache(flight);
}

void flight_detach_all(struct wf_cache *cache)
{
    for (size_t i = 0; i < cache->flights.bucket_count; i++)
        while (cache->flights.buckets[i] != NULL) leave_cache((struct flight *)cache->flights.buckets[i]);
}

/* ---- The end of a flight ---- */

/* Whoever loads next does it for those behind, too; with nobody left the flight is over. */
static void hand_over(struct flight *flight)
{
    const struct wf_wait *first = flight->waiters.first;
    flight->by_daemon = false;
    if (first == NULL) {
        close_flight(flight);
        return;
    }
    flight->leader = first->task;
    queue_grant(&flight->waiters, YOUR_TURN);
}

static bool is_negative(const struct wf_cache *cache, int code)
{
    if (code == -ECANCELED) return false;
    return cache->options.negative != NULL ? cache->options.negative(code) : code == -ENOENT;
}

/* For how long the outcome is kept; 0: not at all. */
static int64_t time_to_live(const struct wf_cache *cache, int code, int64_t ttl)
{
    const struct wf_cache_options *options = &cache->options;
    if (ttl < 0 || (code < 0 && (options->negative_ttl == 0 || !is_negative(cache, code)))) return 0;
    if (ttl > 0) return ttl;
    if (code < 0) return options->negative_ttl;
    return options->ttl > 0 ? options->ttl : WF_FOREVER;
}

/* The older value that is given in place of this failure, or NULL. */
static struct entry *older_value(const struct flight *flight)
{
    struct wf_cache *cache = flight->cache;
    struct entry *older = kept_entry(flight);
    if (older == NULL || older->code < 0) return NULL;
    int64_t until = later_by(older->fresh_until, cache->options.stale_if_error);
    if (cache->options.stale_if_error == 0 || current_loop->now >= until) return NULL;
    cache->statistics.stale_errors++;
    return older;
}

static void count_failure(struct flight *flight, int code)
{
    struct wf_cache *cache = flight->cache;
    cache->statistics.load_failures++;
    int64_t now = current_loop->now;
    if (!flight->by_daemon || (cache->logged_at != 0 && now - cache->logged_at < WF_SECONDS(1))) return;
    cache->logged_at = now; /* nobody else hears of it: who asked has the older value */
    event_refresh_failed(cache->options.name, code);
}

/* What comes of an outcome in the cache: gives what those who asked will have, with a reference of the caller's. */
static struct entry *settle(struct flight *flight, struct entry *entry, int64_t ttl)
{
    struct wf_cache *cache = flight->cache;
    if (cache == NULL) return entry;
    if (entry->code < 0) count_failure(flight, entry->code);
    int64_t kept_for = time_to_live(cache, entry->code, ttl);
    if (kept_for > 0) cache_keep(cache, entry, kept_for);
    struct entry *older = entry->code < 0 && kept_for == 0 ? older_value(flight) : NULL;
    if (older == NULL) return entry;
    older->references++;
    entry_release(entry);
    return older;
}

/* Everybody who waits has it, whatever happens to them before they run. */
static void tell_waiters(struct flight *flight, struct entry *entry, int code)
{
    while (flight->waiters.first != NULL) {
        struct told *told = ((struct item_wait *)flight->waiters.first)->item;
        if (entry != NULL) entry->references++;
        *told = (struct told){.entry = entry, .code = code};
        queue_grant(&flight->waiters, 0);
    }
}

/* ---- Loading ---- */

/* What the load said with its code, for those who share it. */
static void note_message(struct entry *entry)
{
    const struct task_extra *extra = current_loop->running->extra;
    entry->value = NULL;
    if (extra == NULL || extra->failure == NULL || extra->failure->code != entry->code) return;
    entry->value = wf_arena_strdup(&entry->arena, extra->failure->message);
}

static struct entry *land(struct flight *flight, struct entry *entry, int *code)
{
    *code = entry->code;
    tell_waiters(flight, entry, entry->code);
    close_flight(flight);
    return entry;
}

/* No load was made, or one that does not count. */
static struct entry *stay_on_the_ground(struct flight *flight, int *code)
{
    if (wf_cancelled()) {
        *code = -ECANCELED;
        hand_over(flight);
        return NULL;
    }
    *code = -ENOMEM;
    tell_waiters(flight, NULL, -ENOMEM);
    close_flight(flight);
    return NULL;
}

/* Gives the outcome with a reference, which those who wait have been told; NULL, with the code: memory was lacking, or
 * the leader is cancelled and has handed over. */
static struct entry *fly(struct flight *flight, int (*load)(void *, struct wf_load *), void *context, int *code)
{
    struct entry *entry = wf_cancelled() ? NULL : entry_new(flight->node.key, flight->node.hash, ROOM);
    if (entry == NULL) return stay_on_the_ground(flight, code);
    if (flight->cache != NULL) flight->cache->statistics.loads++;
    struct wf_load this_load = {.key = entry->node.key, .arena = &entry->arena};
    int rc = load(context, &this_load);
    if (rc == -ECANCELED && wf_cancelled()) {
        entry_release(entry);
        return stay_on_the_ground(flight, code);
    }
    entry->value = this_load.value;
    entry->code = rc < 0 ? rc : 0;
    if (rc < 0) note_message(entry);
    return land(flight, settle(flight, entry, this_load.ttl), code);
}

/* ---- Asking ---- */

/* Gives what came of it, and the reference back. */
static int deliver(struct entry *entry, int code, struct wf_arena *arena, const void **value)
{
    if (entry == NULL) return code;
    int rc = entry->code < 0 ? entry_failure(entry) : entry_lend(entry, arena, value);
    entry_release(entry);
    return rc;
}

static int lead(struct flight *flight, const struct request *request, struct wf_arena *arena, const void **value)
{
    int code;
    struct entry *entry = fly(flight, request->load, request->context, &code);
    return deliver(entry, code, arena, value);
}

/* Does the load of that flight, or what it waits for, wait for this task? Whoever began to wait asked this before, so
 * the chain has an end. */
static bool waits_for(const struct flight *flight, const struct wf_task *task)
{
    const struct wf_task *leader = flight->leader;
    while (leader != NULL && leader != task && leader->wait != NULL && leader->wait->class == &flight_class) {
        const char *queue = leader->wait->object;
        leader = ((const struct flight *)(queue - offsetof(struct flight, waiters)))->leader;
    }
    return leader == task;
}

static int wait_for(struct flight *flight, const struct request *request, struct wf_arena *arena, const void **value)
{
    request->cache->statistics.shared++;
    struct told told = {.entry = NULL};
    int said = queue_wait_item(&flight->waiters, &flight_class, &told);
    if (said < 0) return said;
    return said == YOUR_TURN ? lead(flight, request, arena, value) : deliver(told.entry, told.code, arena, value);
}

int flight_take(const struct request *request, struct wf_arena *arena, const void **value)
{
    struct wf_cache *cache = request->cache;
    struct wf_task *task = current_loop->running;
    cache->statistics.misses++;
    struct flight *flight = (struct flight *)table_find(&cache->flights, request->key, request->hash);
    if (flight == NULL) {
        flight = open_flight(request, task);
        return flight != NULL ? lead(flight, request, arena, value) : -ENOMEM;
    }
    if (waits_for(flight, task))
        return wf_fail(-EDEADLK, "%s: a load asks for its own key, or for one whose load waits for it",
                       cache_name(cache));
    return wait_for(flight, request, arena, value);
}

/* ---- In the background ---- */

static int load_anew(struct flight *flight)
{
    if (flight->cache == NULL && flight->waiters.first == NULL) { /* nobody wants it any more */
        close_flight(flight);
        return 0;
    }
    int code;
    flight->leader = current_loop->running;
    struct entry *entry = fly(flight, flight->load, flight->context, &code);
    if (entry != NULL) entry_release(entry);
    return 0;
}

void flight_refresh(const struct request *request, struct entry *entry)
{
    if (entry->refreshing || table_find(&request->cache->flights, request->key, request->hash) != NULL) return;
    struct flight *flight = open_flight(request, NULL);
    if (flight == NULL) return;
    entry->refreshing = true;
    if (wf_try_spawn(request->cache->options.scope, load_anew, flight, .daemon = true) == 0) return;
    entry->refreshing = false;
    close_flight(flight);
}
