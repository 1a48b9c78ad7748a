/*
 * What the calls of the storage cost: processor time of all threads, and time on the clock, of each.
 *
 *     storage_costs [FILE]           a file that is made, and stays; default: in memory
 */
#include <inttypes.h>
#include <stdio.h>
#include <sys/resource.h>
#include <weft/run.h>

#include "../server/storage.h"

enum { AT_ONCE = 64, ROUNDS = 2000 };

static struct storage *storage;
static const char *where;
static int64_t made; /* persons so far, so that none has two, in no run */

static int64_t cpu_now(void)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return WF_SECONDS((int64_t)usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
           WF_MICROSECONDS((int64_t)usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

/* ---- One call each ---- */

static int check(struct wf_arena *arena)
{
    static int64_t next;
    struct custody_releasability result;
    const char *vin = wf_arena_printf(arena, "VIN%012d", (int)(next++ % 1000));
    int code;
    return storage_check(storage, arena, &vin, 1, &result, &code);
}

static int cached(struct wf_arena *arena)
{
    struct custody_releasability result;
    return storage_cached(storage, arena, "VIN000000000001", &result);
}

static int create(struct wf_arena *arena)
{
    struct custody_authorization result;
    struct custody_new_authorization wanted = {.vin = "VIN000000000001",
                                               .origin = "Atlanta",
                                               .destination = "Macon",
                                               .person_identity_key = wf_arena_printf(arena, "person %" PRId64, made++),
                                               .authorized_by = "api-integration",
                                               .make_model = "Unknown"};
    return storage_authorize(storage, arena, &wanted, NULL, &result);
}

static int list(struct wf_arena *arena)
{
    struct filter filter = {.vin = "9HGBH41JXMN999999", .status = -1};
    struct custody_page page;
    bool more;
    return storage_list(storage, arena, &filter, NULL, 50, &page, &more);
}

static int state(struct wf_arena *arena)
{
    struct custody_state state;
    return storage_state(storage, arena, "9HGBH41JXMN999999", &state);
}

static int ping(struct wf_arena *arena)
{
    (void)arena;
    return storage_ping(storage);
}

/* ---- Many of them ---- */

struct caller {
    int (*call)(struct wf_arena *arena);
    int rounds;
};

static int call_often(struct caller *caller)
{
    int rc = 0;
    struct wf_arena arena;
    wf_arena_init(&arena);
    for (int i = 0; rc == 0 && i < caller->rounds; i++) {
        rc = caller->call(&arena);
        wf_arena_reset(&arena);
    }
    wf_arena_finish(&arena);
    return rc;
}

static int measure(const char *name, int (*call)(struct wf_arena *arena), int at_once, int rounds)
{
    struct caller caller = {call, rounds / at_once};
    int64_t cpu = cpu_now(), started = wf_now();
    WF_SCOPE(scope);
    for (int i = 0; i < at_once; i++) wf_spawn(&scope, call_often, &caller, .stack_size = 128 << 10);
    int rc = wf_scope_join(&scope);
    int64_t calls = (int64_t)caller.rounds * at_once;
    printf("%-10s %3d at once: %8.1f us of processor time, %8.1f us on the clock\n", name, at_once,
           (double)(cpu_now() - cpu) / (double)calls / 1e3, (double)(wf_now() - started) / (double)calls / 1e3);
    return rc;
}

static int measure_all(void *unused)
{
    (void)unused;
    static const struct {
        const char *name;
        int (*call)(struct wf_arena *arena);
    } calls[] = {{"ping", ping},     {"check", check},     {"cached", cached},
                 {"create", create}, {"list of 50", list}, {"state", state}};
    WF_SCOPE(scope);
    int rc = storage_open(&scope, &(struct storage_options){.where = where, .provision = true, .seed = true}, &storage);
    for (size_t i = 0; rc == 0 && i < WF_COUNT(calls); i++) {
        rc = measure(calls[i].name, calls[i].call, 1, ROUNDS);
        if (rc == 0) rc = measure(calls[i].name, calls[i].call, AT_ONCE, ROUNDS * 8);
    }
    storage_close(storage);
    return wf_scope_end(&scope, rc);
}

int main(int argc, char **argv)
{
    made = wf_wall_now();
    where = argc > 1 ? argv[1] : ":memory:";
    return wf_exit_status(wf_run(measure_all, NULL));
}
