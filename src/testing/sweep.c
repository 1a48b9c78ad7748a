/*
 * Sweeps: one test again and again, and each time something happens at another place.
 *
 * For each kind of thing a first run counts the places. All are visited, as long as that is no more than so many steps
 * in all; else a sample of them, another one for each seed. --verbose says of what.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
#include <weft/sim.h>

#include "testing/runner.h"

enum { STEPS_FOR_A_KIND = 100000, VISITS_MIN = 8, VISITS_MAX = 256 };

#define NOWHERE UINT64_MAX /* the place behind all others */

static const int64_t time_for_a_kind = WF_SECONDS(1);

static const struct sweep_kind kinds[] = {
    {"cancel", INJECT_CANCEL_ENTRY, false, false},
    {"cancel-in-flight", INJECT_CANCEL_IN_FLIGHT, false, false},
    {"cancel-completed", INJECT_CANCEL_COMPLETED, false, true},
    {"allocation", INJECT_NOTHING, false, false},
    {"allocations", INJECT_NOTHING, true, false},
    {"operation", INJECT_FAILED_OPERATION, false, false},
    {"operations", INJECT_FAILED_OPERATION, true, false},
    {"short", INJECT_SHORT_OPERATION, false, false},
    {"shorts", INJECT_SHORT_OPERATION, true, false},
};

const struct sweep_kind *sweep_kind_named(const char *name, size_t size)
{
    for (size_t i = 0; i < WF_COUNT(kinds); i++)
        if (strlen(kinds[i].name) == size && memcmp(kinds[i].name, name, size) == 0) return &kinds[i];
    return NULL;
}

/* ---- How to repeat it ---- */

static char command[8192];
static size_t command_size;

static void add_text(const char *text)
{
    while (*text != '\0' && command_size < sizeof command - 1) command[command_size++] = *text++;
    command[command_size] = '\0';
}

/* As a shell reads it. */
static void add_word(const char *word)
{
    static const char harmless[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+./:,=@";
    bool plain = word[strspn(word, harmless)] == '\0' && word[0] != '\0';
    if (plain) return add_text(word);
    add_text("'");
    for (; *word != '\0'; word++) add_text(*word == '\'' ? "'\\''" : (char[]){*word, '\0'});
    add_text("'");
}

/* By a name alone, a shell would look for it elsewhere. */
static const char *program_path(void)
{
    static char path[4096];
    if (strchr(running.program, '/') != NULL) return running.program;
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    return size > 0 ? path : running.program;
}

/* Also said in a crash: no memory is taken. */
const char *replay_command(void)
{
    char text[NAME_MAX_SIZE];
    const struct plan *plan = &running.plan;
    command_size = 0;
    add_word(program_path());
    if (running.options.driver != NULL) {
        add_text(" --driver ");
        add_word(running.options.driver);
    }
    snprintf(text, sizeof text, " --seed %" PRIu64, running.item->seed);
    add_text(text);
    if (plan->kind != NULL) {
        snprintf(text, sizeof text, " --inject %s:%" PRIu64, plan->kind->name, plan->at);
        add_text(text);
    } else if (running.swept) {
        add_text(" --sweep");
    }
    item_name(running.item, text, sizeof text);
    add_text(" ");
    add_word(text);
    return command;
}

/* ---- Sweeping ---- */

bool sweep_is_wanted(const struct item *item)
{
    const struct wf_test *test = item->test;
    if (test->plain || test->dies != NULL || test->unswept != NULL || running.options.no_sweep) return false;
    return (test->sweep || running.options.sweep) && running.options.inject.kind == NULL;
}

/* ---- Where ---- */

/* What a run of the test costs, and so how often it can be run, is known by how many places it has. */
static uint64_t visits_for(uint64_t places, uint64_t cost)
{
    uint64_t most = cost > 0 ? STEPS_FOR_A_KIND / cost : VISITS_MAX;
    if (most < VISITS_MIN) most = VISITS_MIN;
    if (most > VISITS_MAX) most = VISITS_MAX;
    return places < most ? places : most;
}

/* SplitMix64, by Sebastiano Vigna. */
static uint64_t mix(uint64_t value)
{
    value += UINT64_C(0x9e3779b97f4a7c15);
    value = (value ^ value >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    value = (value ^ value >> 27) * UINT64_C(0x94d049bb133111eb);
    return value ^ value >> 31;
}

/* All places; or the first ones, and of equal parts of the rest one each, where the seed wants it. */
static uint64_t place_of(uint64_t visit, uint64_t visits, uint64_t places, uint64_t seed)
{
    uint64_t first = visits / 2;
    if (visits == places || visit < first) return visit + 1;
    uint64_t part = (places - first) / (visits - first), at = visit - first;
    return first + at * part + mix(seed ^ visit) % part + 1;
}

/* ---- The runs ---- */

static void check_same_trace(const struct item *item)
{
    uint64_t first = wf_sim_trace();
    body_run(item, (struct plan){NULL, 0});
    if (wf_sim_trace() == first || running.failed) return;
    say_failure("not deterministic: the same seed gave two different runs; is there an address, the real time, or what "
                "an earlier run left in a variable?");
    say("again: %s", replay_command());
}

static uint64_t count_places(const struct item *item, const struct sweep_kind *kind)
{
    body_run(item, (struct plan){kind, NOWHERE});
    return NOWHERE - running.places_left;
}

static void say_sampled(const struct sweep_kind *kind, uint64_t visits, uint64_t places, bool slow)
{
    if (running.options.verbose && visits < places)
        say("%s: %" PRIu64 " of %" PRIu64 " places%s", kind->name, visits, places, slow ? ", it takes too long" : "");
}

static void sweep_kind(const struct item *item, const struct sweep_kind *kind, uint64_t places, uint64_t cost)
{
    int64_t started = wf_now();
    bool slow = false;
    uint64_t visit = 0, visits = visits_for(places, cost);
    while (visit < visits && !running.failed && !slow) {
        body_run(item, (struct plan){kind, place_of(visit++, visits, places, item->seed)});
        running.injected_runs += running.fired;
        slow = wf_now() - started > time_for_a_kind;
    }
    say_sampled(kind, visit, places, slow);
}

void sweep(const struct item *item)
{
    running.swept = true;
    if (item_is_simulated(item)) check_same_trace(item);
    uint64_t places = 0, cost = 0;
    for (size_t i = 0; i < WF_COUNT(kinds) && !running.failed; i++) {
        const struct sweep_kind *kind = &kinds[i];
        if (kind->simulated && !item_is_simulated(item)) continue;
        if (!kind->persistent) places = count_places(item, kind);
        if (places > cost) cost = places;
        if (!running.failed) sweep_kind(item, kind, places, cost);
    }
    running.swept = false;
}
