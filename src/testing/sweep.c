/*
 * Sweeps: one test again and again, and each time something happens at the next place, until there is no next place.
 *
 * The first 64 places are visited one by one; behind them the steps grow, so that a test with ten thousand places costs
 * some hundred runs.
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>
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
    if (test->plain || test->dies != NULL || test->unswept != NULL) return false;
    return (test->sweep || running.options.sweep) && running.options.inject.kind == NULL;
}

static void check_same_trace(const struct item *item)
{
    uint64_t first = wf_sim_trace();
    body_run(item, (struct plan){NULL, 0});
    if (wf_sim_trace() == first || running.failed) return;
    say_failure("not deterministic: the same seed gave two different runs; is there an address, the real time, or what "
                "an earlier run left in a variable?");
    say("again: %s", replay_command());
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
    running.swept = true;
    if (item_is_simulated(item)) check_same_trace(item);
    for (size_t i = 0; i < WF_COUNT(kinds) && !running.failed; i++)
        if (item_is_simulated(item) || !kinds[i].simulated) sweep_kind(item, &kinds[i]);
    running.swept = false;
}
