/*
 * Names to addresses: what is kept, what is under way, and who waits for it.
 *
 *     wf_resolve -> the cache -> load_name -> a flight, found or begun -> a thread asks the system
 *                                    ^                   |
 *                                    +---- it is over ---+     nobody waits: into the cache, for the next who asks
 *
 * The cache lets one of those who ask for a name load it. That one may be cancelled; its flight cannot be, and the next
 * one joins it.
 */
#include "net/names.h"

#include <ctype.h>
#include <string.h>
#include <weft/cache.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/memory.h"
#include "net/lookup.h"

enum { ENTRIES_MAX = 1024, THREADS_DEFAULT = 4, THREADS_MAX = 64 };

static const int64_t ttl_default = WF_SECONDS(30), negative_ttl_default = WF_SECONDS(5);

/* Case does not count in names. */
struct name_key {
    unsigned char family;
    char host[WF_NAME_MAX + 1];
};

struct flight {
    struct lookup_job job; /* first: a thread that was left behind frees it */
    struct flight *next, **link;
    struct names *names;
    struct wf_timer_ answer; /* of a simulated world */
    struct wf_queue_ waiters;
    uint32_t references; /* one while it is under way, and one for each who waits */
    bool over;
    struct name_key key;
};

struct names {
    struct loop *loop;
    struct wf_cache *cache;
    struct crew *crew;
    struct flight *flights; /* under way */
    struct wf_names_options options;
    struct wf_names_statistics statistics;
};

/* As it is kept. */
struct found {
    size_t count;
    struct wf_address addresses[LOOKUP_ADDRESSES_MAX];
};

_Static_assert((int)WF_NAME_ADDRESSES_MAX == (int)LOOKUP_ADDRESSES_MAX, "all that are looked up are told");

static struct wf_key key_of(const struct name_key *key)
{
    return wf_key_bytes(key, offsetof(struct name_key, host) + strlen(key->host));
}

/* ---- Flights ---- */

static void drop_flight(struct flight *flight)
{
    if (--flight->references == 0) memory_free(flight);
}

static void unlink_flight(struct flight *flight)
{
    *flight->link = flight->next;
    if (flight->next != NULL) flight->next->link = flight->link;
    flight->names->statistics.under_way--;
}

/* Nobody waited for it: the next who asks has it at once. */
static void keep_answer(struct names *names, const struct flight *flight)
{
    const struct lookup *lookup = &flight->job.lookup;
    size_t size = offsetof(struct found, addresses) + lookup->count * sizeof lookup->addresses[0];
    struct found *found = lookup->code == 0 && names->options.ttl > 0 ? memory_alloc(size) : NULL;
    if (found == NULL) return;
    found->count = lookup->count;
    memcpy(found->addresses, lookup->addresses, lookup->count * sizeof lookup->addresses[0]);
    (void)wf_cache_put(names->cache, key_of(&flight->key), found, size, names->options.ttl);
    memory_free(found);
}

static void flight_over(struct flight *flight)
{
    struct names *names = flight->names;
    flight->over = true;
    unlink_flight(flight);
    if (flight->job.lookup.code < 0) names->statistics.failures++;
    if (flight->waiters.first == NULL) keep_answer(names, flight);
    while (queue_grant(&flight->waiters, 0)) {}
    drop_flight(flight);
}

static void back_from_thread(struct loop *loop, struct message *message)
{
    (void)loop;
    flight_over((struct flight *)message);
}

static void answer_is_due(struct wf_timer_ *timer)
{
    flight_over((struct flight *)((char *)timer - offsetof(struct flight, answer)));
}

static int launch(struct names *names, struct flight *flight)
{
    struct loop *loop = names->loop;
    if (loop->driver->look_up == NULL) {
        if (names->crew == NULL) names->crew = crew_new(loop);
        if (names->crew == NULL) return -ENOMEM;
        return crew_start(names->crew, &flight->job, names->options.threads_max);
    }
    int64_t delay = loop->driver->look_up(loop, &flight->job.lookup);
    if (delay == WF_FOREVER) return 0;
    flight->answer.deadline = wf_deadline_after(delay);
    flight->answer.fire = answer_is_due;
    timer_arm(&loop->timers, &flight->answer);
    return 0;
}

static int begin_flight(struct names *names, const struct name_key *key, struct flight **out)
{
    struct flight *flight = memory_zero(sizeof *flight);
    if (flight == NULL) return -ENOMEM;
    flight->names = names;
    flight->references = 1;
    flight->key = *key;
    flight->job.message.deliver = back_from_thread;
    flight->job.lookup.host = flight->key.host;
    flight->job.lookup.family = key->family;
    int rc = launch(names, flight);
    if (rc < 0) {
        memory_free(flight);
        return rc;
    }
    flight->next = names->flights;
    flight->link = &names->flights;
    if (flight->next != NULL) flight->next->link = &flight->next;
    names->flights = flight;
    names->statistics.lookups++;
    names->statistics.under_way++;
    *out = flight;
    return 0;
}

static struct flight *find_flight(struct names *names, const struct name_key *key)
{
    struct flight *flight = names->flights;
    while (flight != NULL && (flight->key.family != key->family || strcmp(flight->key.host, key->host) != 0))
        flight = flight->next;
    return flight;
}

/* What no thread has begun is not worth beginning when everybody has left. */
static void leave_flight(struct flight *flight)
{
    struct names *names = flight->names;
    if (flight->waiters.first != NULL || flight->over) return;
    names->statistics.abandoned++;
    if (names->crew == NULL || !crew_cancel(names->crew, &flight->job)) return;
    unlink_flight(flight);
    flight->references--;
}

static const struct wait_class name_class = {.name = "a name", .cancel = queue_cancel};

/* The loop does not take those who wait for threads for a deadlock. */
static int wait_for(struct flight *flight)
{
    struct loop *loop = flight->names->loop;
    flight->references++;
    loop->pending_jobs++;
    int rc = (int)queue_wait(&flight->waiters, &name_class);
    loop->pending_jobs--;
    if (rc < 0) leave_flight(flight);
    return rc;
}

/* ---- Loading ---- */

static int fail_for(const char *host, int code)
{
    if (code == -ENOENT) return wf_fail(code, "%s: no such host", host);
    if (code == -EAGAIN) return wf_fail(code, "%s: the name cannot be looked up now", host);
    return wf_fail(code, "%s: looking up the name failed: %s", host, wf_strerror(code));
}

static int take_answer(const struct names *names, const struct lookup *lookup, struct wf_load *load)
{
    load->ttl = lookup->code == 0 ? names->options.ttl : names->options.negative_ttl;
    if (lookup->code < 0) return fail_for(lookup->host, lookup->code);
    size_t bytes = lookup->count * sizeof lookup->addresses[0];
    struct found *found = wf_arena_alloc(load->arena, offsetof(struct found, addresses) + bytes);
    if (found == NULL) return -ENOMEM;
    found->count = lookup->count;
    memcpy(found->addresses, lookup->addresses, bytes);
    load->value = found;
    return 0;
}

static int load_name(struct names *names, struct wf_load *load)
{
    struct name_key key = {.family = 0};
    memcpy(&key, load->key.bytes, load->key.size);
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct flight *flight = find_flight(names, &key);
    if (flight != NULL) names->statistics.shared++;
    else rc = begin_flight(names, &key, &flight);
    if (rc < 0) return fail_for(key.host, rc);
    rc = wait_for(flight);
    if (rc == 0) rc = take_answer(names, &flight->job.lookup, load);
    drop_flight(flight);
    return rc;
}

/* ---- One for each loop ---- */

/* A thread has it, and frees it. */
static void given_away(struct lookup_job *job)
{
    unlink_flight((struct flight *)job);
}

static void names_finish(struct loop *loop)
{
    struct names *names = loop->names;
    if (names->crew != NULL) crew_leave(names->crew, given_away);
    names->crew = NULL;
    loop_deliver(loop);
    while (names->flights != NULL) {
        struct flight *flight = names->flights;
        timer_disarm(&loop->timers, &flight->answer);
        unlink_flight(flight);
        memory_free(flight);
    }
    wf_cache_destroy(names->cache);
    memory_free(names);
    loop->names = NULL;
}

static void set_options(struct names *names, const struct wf_names_options *options)
{
    names->options = *options;
    if (options->ttl == 0) names->options.ttl = ttl_default;
    if (options->negative_ttl == 0) names->options.negative_ttl = negative_ttl_default;
    if (options->threads_max == 0) names->options.threads_max = THREADS_DEFAULT;
}

static struct names *names_of(struct loop *loop)
{
    if (loop->names != NULL) return loop->names;
    struct names *names = memory_zero(sizeof *names);
    if (names == NULL) return NULL;
    names->loop = loop;
    set_options(names, &(struct wf_names_options){.ttl = 0});
    int rc = wf_cache_create(&names->cache, WF_LOAD(load_name, names), .ttl = ttl_default,
                             .negative_ttl = negative_ttl_default, .entries_max = ENTRIES_MAX, .name = "names");
    if (rc < 0) {
        memory_free(names);
        return NULL;
    }
    loop->names_finish = names_finish;
    loop->names = names;
    return names;
}

int wf_names_set_(const struct wf_names_options *options)
{
    struct loop *loop = LOOP_HERE();
    if (options->size != sizeof *options) return -EINVAL;
    if (options->threads_max > THREADS_MAX)
        return wf_fail(-EINVAL, "%u threads to look up names are more than %d", options->threads_max, THREADS_MAX);
    struct names *names = names_of(loop);
    if (names == NULL) return -ENOMEM;
    set_options(names, options);
    return 0;
}

void wf_names_statistics(struct wf_names_statistics *statistics)
{
    const struct names *names = LOOP_HERE()->names;
    *statistics = (struct wf_names_statistics){.lookups = 0};
    if (names == NULL) return;
    struct wf_cache_statistics kept;
    wf_cache_statistics(names->cache, &kept);
    *statistics = names->statistics;
    statistics->hits = kept.hits;
    statistics->shared += kept.shared;
}

void wf_names_forget(void)
{
    struct names *names = LOOP_HERE()->names;
    if (names != NULL) wf_cache_invalidate_all(names->cache);
}

/* ---- Asking ---- */

static int check(const char *host, int family)
{
    if (family != AF_UNSPEC && family != AF_INET && family != AF_INET6)
        return wf_fail(-EINVAL, "family %d: addresses of names are AF_INET or AF_INET6", family);
    if (host == NULL || host[0] == '\0') return wf_fail(-EINVAL, "an empty name is no host's");
    if (strnlen(host, WF_NAME_MAX + 1) <= WF_NAME_MAX) return 0;
    return wf_fail(-ENAMETOOLONG, "%.40s...: longer than a name may be, %d bytes", host, WF_NAME_MAX);
}

static void make_key(const char *host, int family, struct name_key *key)
{
    size_t size = strlen(host);
    key->family = (unsigned char)family;
    for (size_t i = 0; i <= size; i++) key->host[i] = (char)tolower((unsigned char)host[i]);
}

static int give(struct wf_arena *arena, const struct wf_address *addresses, size_t count, uint16_t port,
                const struct wf_address **out)
{
    struct wf_address *given = wf_arena_copy(arena, addresses, count * sizeof *addresses);
    if (given == NULL) return -ENOMEM;
    for (size_t i = 0; i < count; i++) wf_address_set_port(&given[i], port);
    *out = given;
    return (int)count;
}

static int find_name(struct names *names, const char *host, uint16_t port, struct wf_arena *arena,
                     const struct wf_resolve_options *options)
{
    struct name_key key;
    make_key(host, options->family, &key);
    if (options->fresh) wf_cache_invalidate(names->cache, key_of(&key));
    struct wf_arena scratch;
    wf_arena_init(&scratch);
    const struct found *found;
    int rc = wf_cache_get(names->cache, key_of(&key), &scratch, &found);
    if (rc >= 0) rc = give(arena, found->addresses, found->count, port, options->out_);
    wf_arena_finish(&scratch);
    return rc;
}

int wf_resolve_(const char *host, uint16_t port, struct wf_arena *arena, const struct wf_resolve_options *options)
{
    struct loop *loop = LOOP_HERE();
    if (options->size != sizeof *options || options->out_ == NULL) return (int)wait_refused(-EINVAL);
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct wf_address numeric;
    rc = check(host, options->family);
    if (rc < 0) return (int)wait_skipped(rc);
    if (address_numeric(host, port, &numeric)) {
        if (options->family != AF_UNSPEC && options->family != numeric.any.sa_family)
            rc = wf_fail(-EAFNOSUPPORT, "%s: an address of another family was asked for", host);
        else rc = give(arena, &numeric, 1, port, options->out_);
        return (int)wait_skipped(rc);
    }
    struct names *names = names_of(loop);
    return names != NULL ? find_name(names, host, port, arena, options) : -ENOMEM;
}
