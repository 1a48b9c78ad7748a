/*
 * Sweeps: one test again and again, and each time something happens at the next place, until there is no next place.
 *
 * The first 64 places are visited one by one; behind them the steps grow, so that a test with ten thousand places costs
 * some hundred runs.
 */
#include <inttypes.h>
#include <string.h>
#include <weft/sim.h>

#include "testing/runner.h"

enum { EACH_UP_TO = 64, GROWTH = 16 };

static const int64_t time_for_a_kind = WF_SECONDS(2);

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

void replay_command(char *text, size_t size)
{
    char name[NAME_MAX_SIZE], injection[64] = "", driver[64] = "";
    item_name(running.item, name, sizeof name);
    const struct plan *plan = &running.plan;
    if (plan->kind != NULL) snprintf(injection, sizeof injection, " --inject %s:%" PRIu64, plan->kind->name, plan->at);
    if (running.options.driver != NULL) snprintf(driver, sizeof driver, " --driver %s", running.options.driver);
    snprintf(text, size, "%s%s --seed %" PRIu64 "%s '%s'", running.program, driver, running.item->seed, injection,
             name);
}

bool sweep_is_wanted(const struct item *item)
{
    const struct wf_test *test = item->test;
    if (test->plain || test->dies != NULL || test->unswept != NULL || fixtures_outlive_test(test->uses)) return false;
    return (test->sweep || running.options.sweep) && running.options.inject.kind == NULL;
}

static void check_same_trace(const struct item *item)
{
    uint64_t first = wf_sim_trace();
    body_run(item, (struct plan){NULL, 0});
    if (wf_sim_trace() != first) say_failure("not deterministic: the same seed gave two different runs");
}

static void sweep_kind(const struct item *item, const struct sweep_kind *kind)
{
    int64_t started = wf_now();
    for (uint64_t at = 1;; at += at < EACH_UP_TO ? 1 : at / GROWTH) {
        body_run(item, (struct plan){kind, at});
        if (running.failed || !running.fired) return;
        running.injected_runs++;
        if (wf_now() - started < time_for_a_kind) continue;
        if (running.options.verbose) say("%s: stopped at %" PRIu64 ", it takes too long", kind->name, at);
        return;
    }
}

void sweep(const struct item *item)
{
    if (item_is_simulated(item)) check_same_trace(item);
    for (size_t i = 0; i < WF_COUNT(kinds) && !running.failed; i++)
        if (item_is_simulated(item) || !kinds[i].simulated) sweep_kind(item, &kinds[i]);
}
