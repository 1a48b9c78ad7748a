/*
 * The runner: which tests run, in which order, in which processes.
 *
 *     registered tests --rows, repeats--> items --> units: one item, or those that share fixtures and so a loop
 *
 * With --parallel, processes take unit after unit from a counter that they share. One that crashes is replaced by one
 * that goes on behind the test that it ran, which has failed.
 */
#include "testing/runner.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
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
    for (; *name != '\0'; name++)
        if ((unsigned char)*name < ' ') *name = '?';
}

bool item_is_simulated(const struct item *item)
{
    const char *driver = running.options.driver;
    return item->test->simulated || (driver != NULL && strcmp(driver, "sim") == 0);
}

static bool is_skipped(const struct item *item)
{
    return item->test->real && item_is_simulated(item);
}

/* One that needs its world for itself sets up even what would live longer. */
static bool shares_loop(const struct wf_test *test)
{
    const struct item item = {.test = test};
    if (test->plain || test->dies != NULL || is_skipped(&item)) return false;
    if (sweep_is_wanted(&item) || running.options.inject.kind != NULL) return false;
    return fixtures_outlive_test(test->uses);
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

static void *with_room(void *array, size_t count, size_t size)
{
    if (count % 256 == 0) array = realloc(array, (count + 256) * size);
    if (array == NULL) abort();
    return array;
}

static void add_item(struct item item, bool exact)
{
    char name[NAME_MAX_SIZE];
    item_name(&item, name, sizeof name);
    const char *part = running.options.part;
    if (exact ? strcmp(name, part) != 0 : strstr(name, part) == NULL) return;
    plan.items = with_room(plan.items, plan.item_count, sizeof *plan.items);
    plan.items[plan.item_count++] = item;
}

static void add_rows(const struct wf_test *test, uint64_t seed, bool exact)
{
    for (size_t row = 0; row < rows_of(test); row++)
        add_item((struct item){.test = test, .row = row, .seed = seed}, exact);
}

static void add_unit(size_t from)
{
    if (from == plan.item_count) return;
    plan.units = with_room(plan.units, plan.unit_count, sizeof *plan.units);
    plan.units[plan.unit_count++] = (struct unit){from, plan.item_count - from};
}

/* Each repeat has a loop of its own, and so a world with its own seed. */
static void add_shared(bool simulated, bool exact)
{
    for (unsigned i = 0; i < running.options.repeat; i++) {
        size_t from = plan.item_count;
        for (const struct wf_test *test = first_test; test != NULL; test = test->next_)
            if (shares_loop(test) && item_is_simulated(&(struct item){.test = test}) == simulated)
                add_rows(test, running.options.seed + i, exact);
        add_unit(from);
    }
}

static void add_others(bool exact)
{
    size_t from = plan.item_count;
    for (const struct wf_test *test = first_test; test != NULL; test = test->next_)
        for (unsigned i = 0; i < running.options.repeat && !shares_loop(test); i++)
            add_rows(test, running.options.seed + i, exact);
    size_t to = plan.item_count;
    for (plan.item_count = from; plan.item_count < to;) {
        plan.item_count++;
        add_unit(plan.item_count - 1);
    }
}

static void *shared_memory(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return memory != MAP_FAILED ? memory : NULL;
}

/* Those that share a loop come first. */
static bool make_plan(void)
{
    bool exact = is_named_exactly(running.options.part);
    add_shared(false, exact);
    add_shared(true, exact);
    add_others(exact);
    plan.results = shared_memory((plan.item_count + 1) * sizeof *plan.results);
    plan.shared = shared_memory(sizeof *plan.shared);
    if (plan.results == NULL || plan.shared == NULL) return false;
    for (size_t i = 0; i < plan.item_count; i++) {
        plan.items[i].result = &plan.results[i];
        plan.items[i].number = i + 1;
    }
    return true;
}

/* ---- Running ---- */

static void run_item(const struct item *item)
{
    running.failed = false;
    output_begin(item);
    if (is_skipped(item)) return output_end(item, true);
    if (item->test->dies != NULL) body_run_to_death(item);
    else body_run(item, running.options.inject);
    if (!running.failed && sweep_is_wanted(item)) sweep(item);
    output_end(item, false);
}

static void run_unit(const struct unit *unit)
{
    const struct item *items = &plan.items[unit->from];
    if (shares_loop(items->test)) body_run_together(items, unit->count);
    else run_item(items);
}

/* From 1; 0: none that is left. */
static size_t next_unit(void)
{
    size_t index = atomic_fetch_add(&plan.shared->next_unit, 1);
    return index < plan.unit_count ? index + 1 : 0;
}

static void run_from(unsigned process, size_t unit)
{
    leaks_prepare_process();
    for (; unit > 0; unit = next_unit()) {
        atomic_store(&plan.shared->busy_with[process], unit);
        run_unit(&plan.units[unit - 1]);
        atomic_store(&plan.shared->busy_with[process], 0);
    }
    atomic_fetch_add(&plan.shared->injected_runs, running.injected_runs);
}

/* ---- Several processes ---- */

/* One that begins with that unit, or with the next. It ends with this process. */
static pid_t start_process(unsigned process, size_t unit)
{
    pid_t parent = getpid();
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0) return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    running.process = getpid();
    output_redirect(process);
    run_from(process, unit > 0 ? unit : next_unit());
    fflush(NULL);
    _exit(0);
}

static const char *cause_of_death(int status)
{
    if (WIFSIGNALED(status)) return strsignal(WTERMSIG(status));
    static char text[64];
    snprintf(text, sizeof text, "its process ended with status %d", WEXITSTATUS(status));
    return text;
}

/* The item that it ran has failed; what it said last says more. Gives the unit to go on with, behind that. */
static size_t bury(unsigned process, int status)
{
    size_t number = atomic_exchange(&plan.shared->busy_with[process], 0);
    if (number == 0) return 0;
    struct unit *lost = &plan.units[number - 1];
    for (bool found = false; lost->count > 0 && !found; lost->from++, lost->count--) {
        found = plan.results[lost->from].status < STATUS_PASSED;
        plan.results[lost->from].process = process;
        if (found) output_lost(&plan.items[lost->from], cause_of_death(status));
    }
    return lost->count > 0 ? number : 0;
}

/* Says what finished, in the order of the items. */
static size_t say_finished(size_t next)
{
    while (next < plan.item_count && plan.results[next].status >= STATUS_PASSED) {
        char *said = output_of(&plan.items[next++]);
        if (said != NULL) fputs(said, stdout);
        free(said);
    }
    fflush(stdout);
    return next;
}

/* Without processes nothing runs. */
static void lose_the_rest(void)
{
    for (size_t i = 0; i < plan.item_count; i++)
        if (plan.results[i].status < STATUS_PASSED) output_lost(&plan.items[i], "there was no process to run it");
}

static void run_in_processes(unsigned count)
{
    pid_t pids[64 + 1] = {0};
    unsigned alive = 0;
    size_t said = 0;
    for (unsigned i = 1; i <= count; i++) pids[i] = start_process(i, 0);
    for (unsigned i = 1; i <= count; i++) alive += pids[i] > 0;
    while (alive > 0) {
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
        said = say_finished(said);
        for (unsigned i = 1; i <= count; i++) {
            int status;
            if (pids[i] <= 0 || waitpid(pids[i], &status, WNOHANG) != pids[i]) continue;
            bool died = WIFSIGNALED(status) || WEXITSTATUS(status) != 0;
            pids[i] = died ? start_process(i, bury(i, status)) : 0;
            if (pids[i] <= 0) alive--;
        }
    }
    lose_the_rest();
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

static void run_all(void)
{
    unsigned parallel = running.options.parallel;
    running.process = getpid();
    ends_watch();
    if (plan.item_count == 0)
        fprintf(stderr, "%s: no test has '%s' in its name; see --list\n", running.program, running.options.part);
    if (parallel == 1) run_from(0, next_unit());
    else run_in_processes(parallel);
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
    run_all();
    status = output_summary(plan.items, plan.item_count, atomic_load(&plan.shared->injected_runs));
    free(plan.items);
    free(plan.units);
    return status;
}
