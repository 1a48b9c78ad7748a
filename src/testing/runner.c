/*
 * The runner: which tests run, in which order, in which processes.
 *
 *     registered tests --rows, repeats--> items --> units: one item, or those that share fixtures and so a loop
 *
 * With --parallel, processes take unit after unit from a counter that they share. One that crashes is replaced; the
 * test that it ran has failed.
 */
#include "testing/runner.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <weft/sim.h>

struct running running;

static struct wf_test *first_test, **last_test = &first_test;

struct unit {
    size_t from, count; /* items */
};

/* What all processes of a run share. */
struct shared {
    atomic_size_t next_unit;
    atomic_ulong injected_runs;
    atomic_size_t busy_with[64 + 1]; /* by process: the unit, from 1; 0: none */
};

static struct {
    struct item *items;
    struct unit *units;
    size_t item_count, unit_count;
    struct result *results;
    struct shared *shared;
} plan;

void wf_test_register_(struct wf_test *test)
{
    *last_test = test;
    last_test = &test->next_;
}

/* ---- Items ---- */

void item_name(const struct item *item, char *name, size_t size)
{
    const struct wf_test *test = item->test;
    if (test->rows == 0) snprintf(name, size, "%s", test->name);
    else if (test->row_name != NULL) snprintf(name, size, "%s[%s]", test->name, test->row_name(item->row));
    else snprintf(name, size, "%s[%zu]", test->name, item->row);
}

bool item_is_simulated(const struct item *item)
{
    const char *driver = running.options.driver;
    return item->test->simulated || (driver != NULL && strcmp(driver, "sim") == 0);
}

static size_t rows_of(const struct wf_test *test)
{
    return test->rows > 0 ? test->rows : 1;
}

static bool is_named_exactly(const char *name)
{
    for (const struct wf_test *test = first_test; test != NULL; test = test->next_)
        for (size_t row = 0; row < rows_of(test); row++) {
            char full[NAME_MAX_SIZE];
            item_name(&(struct item){.test = test, .row = row}, full, sizeof full);
            if (strcmp(full, name) == 0) return true;
        }
    return false;
}

static void add_item(struct item item, bool exact)
{
    char name[NAME_MAX_SIZE];
    item_name(&item, name, sizeof name);
    const char *part = running.options.part;
    if (exact ? strcmp(name, part) != 0 : strstr(name, part) == NULL) return;
    if (plan.item_count % 256 == 0) plan.items = realloc(plan.items, (plan.item_count + 256) * sizeof *plan.items);
    if (plan.items == NULL) abort();
    plan.items[plan.item_count++] = item;
}

static void add_items(bool together)
{
    bool exact = is_named_exactly(running.options.part);
    for (const struct wf_test *test = first_test; test != NULL; test = test->next_) {
        if (fixtures_outlive_test(test->uses) != together) continue;
        for (size_t row = 0; row < rows_of(test); row++)
            for (unsigned i = 0; i < running.options.repeat; i++)
                add_item((struct item){.test = test, .row = row, .seed = running.options.seed + i}, exact);
    }
}

static void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

/* Those that share a loop come first, as one unit. */
static bool make_plan(void)
{
    add_items(true);
    size_t together = plan.item_count;
    add_items(false);
    plan.units = calloc(plan.item_count + 1, sizeof *plan.units);
    plan.results = shared_memory((plan.item_count + 1) * sizeof *plan.results);
    plan.shared = shared_memory(sizeof *plan.shared);
    if (plan.units == NULL || plan.results == NULL || plan.shared == NULL) return false;
    if (together > 0) plan.units[plan.unit_count++] = (struct unit){0, together};
    for (size_t i = together; i < plan.item_count; i++) plan.units[plan.unit_count++] = (struct unit){i, 1};
    for (size_t i = 0; i < plan.item_count; i++) {
        plan.items[i].result = &plan.results[i];
        plan.items[i].number = i + 1;
    }
    return true;
}

/* ---- Running ---- */

static bool is_skipped(const struct item *item)
{
    return item->test->real && item_is_simulated(item);
}

static void run_item(const struct item *item)
{
    running.failed = false;
    running.item = item;
    output_begin(item);
    bool skipped = is_skipped(item);
    if (skipped) return output_end(item, true);
    if (item->test->dies != NULL) body_run_to_death(item);
    else body_run(item, running.options.inject);
    if (!running.failed && sweep_is_wanted(item)) sweep(item);
    output_end(item, false);
}

static void run_unit(size_t index)
{
    struct unit *unit = &plan.units[index];
    const struct item *items = &plan.items[unit->from];
    if (fixtures_outlive_test(items->test->uses)) body_run_together(items, unit->count);
    else run_item(items);
}

static void run_here(unsigned process)
{
    size_t unit;
    while ((unit = atomic_fetch_add(&plan.shared->next_unit, 1)) < plan.unit_count) {
        atomic_store(&plan.shared->busy_with[process], unit + 1);
        run_unit(unit);
        atomic_store(&plan.shared->busy_with[process], 0);
    }
    atomic_fetch_add(&plan.shared->injected_runs, running.injected_runs);
}

/* ---- Several processes ---- */

static pid_t start_process(unsigned process)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0) return pid;
    output_redirect(process);
    run_here(process);
    fflush(NULL);
    _exit(0);
}

/* The items of the unit that were not finished have failed; what the process said last says why. */
static void bury(unsigned process)
{
    size_t unit = atomic_exchange(&plan.shared->busy_with[process], 0);
    if (unit == 0) return;
    struct unit *lost = &plan.units[unit - 1];
    for (size_t i = lost->from; i < lost->from + lost->count; i++) {
        struct result *result = &plan.results[i];
        if (result->status != STATUS_NOT_RUN) continue;
        result->status = STATUS_FAILED;
        result->process = process;
        output_lost(&plan.items[i]);
    }
}

/* Says what finished, in the order of the items. */
static size_t say_finished(size_t next)
{
    while (next < plan.item_count && plan.results[next].status != STATUS_NOT_RUN) {
        char *said = output_of(&plan.items[next++]);
        if (said != NULL) fputs(said, stdout);
        free(said);
    }
    fflush(stdout);
    return next;
}

static void run_in_processes(unsigned count)
{
    pid_t pids[64 + 1] = {0};
    unsigned alive = 0;
    size_t said = 0;
    for (unsigned i = 1; i <= count; i++) pids[i] = start_process(i);
    for (unsigned i = 1; i <= count; i++) alive += pids[i] > 0;
    while (alive > 0) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        said = say_finished(said);
        for (unsigned i = 1; i <= count; i++) {
            int status;
            if (pids[i] <= 0 || waitpid(pids[i], &status, WNOHANG) != pids[i]) continue;
            bool died = WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
            if (died) bury(i);
            pids[i] = died ? start_process(i) : 0;
            if (pids[i] <= 0) alive--;
        }
    }
    say_finished(said);
}

/* ---- The program ---- */

static int list_all(void)
{
    for (size_t i = 0; i < plan.item_count; i++) {
        const struct item *item = &plan.items[i];
        char name[NAME_MAX_SIZE];
        item_name(item, name, sizeof name);
        if (running.options.verbose)
            printf("%s\t%s\t%s\n", name, item->test->rule != NULL ? item->test->rule : "", item->test->place);
        else printf("%s\n", name);
    }
    return 0;
}

int wf_test_main(int argc, char **argv)
{
    running.program = argv[0];
    int status = options_read(argc, argv, &running.options);
    if (status >= 0) return status;
    if (running.options.list) running.options.repeat = 1;
    if (!make_plan() || (!running.options.list && !output_open(plan.item_count))) {
        fprintf(stderr, "%s: %s\n", argv[0], wf_strerror(errno));
        return 2;
    }
    if (running.options.list) return list_all();
    body_watch_for_crashes();
    unsigned parallel = running.options.parallel;
    if (parallel == 1) run_here(0);
    else run_in_processes(parallel);
    status = output_summary(plan.items, plan.item_count, atomic_load(&plan.shared->injected_runs));
    free(plan.items);
    free(plan.units);
    return status;
}
