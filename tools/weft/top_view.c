/* A view: all tasks of one moment, with what the samples since the view before say of them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "top.h"

/* ---- What is remembered ---- */

/* Keeps what belongs to tasks that are still alive, in the other store; gives the first one back. */
static void forget_the_dead(struct top *top)
{
    struct table before = top->sampler.tasks;
    struct store *other = top->sampler.store == &top->stores[0] ? &top->stores[1] : &top->stores[0];
    struct store *old = top->sampler.store;
    top->sampler.tasks = (struct table){.count = 0};
    top->sampler.store = other;
    for (size_t i = 0; i < before.room; i++) {
        const struct memory_of_task *known = before.values[i];
        if (known == NULL || !known->alive) continue;
        struct memory_of_task *kept = remember_task(&top->sampler, before.keys[i]);
        *kept = *known;
        kept->hits = 0;
        kept->alive = false;
    }
    table_clear(&before);
    store_clear(old);
    for (size_t i = 0; i < top->sampler.loop_count; i++) {
        struct sampled_loop *loop = &top->sampler.loops[i];
        loop->samples = loop->busy = 0;
        loop->lag = loop->longest = 0;
    }
}

/* The loops may be others than before: what was sampled of them, by their address. */
static void follow_loops(struct top *top)
{
    const struct snapshot *snapshot = &top->view.snapshot;
    size_t size = (snapshot->loop_count + 1) * sizeof(struct sampled_loop);
    struct sampled_loop *loops = calloc(1, size);
    if (loops == NULL) fail("out of memory");
    for (size_t i = 0; i < snapshot->loop_count; i++) {
        bool same = i < top->sampler.loop_count && top->sampler.loops[i].address == snapshot->loops[i].address;
        if (same) loops[i] = top->sampler.loops[i];
        loops[i].address = snapshot->loops[i].address;
        loops[i].simulated = snapshot->loops[i].simulated;
    }
    free(top->sampler.loops);
    top->sampler.loops = loops;
    top->sampler.loop_count = snapshot->loop_count;
}

/* ---- Loops ---- */

/* Nanoseconds that a thread has run; 0: not known. */
static uint64_t cpu_of_thread(pid_t pid, pid_t thread)
{
    char path[64];
    unsigned long long ran = 0;
    snprintf(path, sizeof path, "/proc/%d/task/%d/schedstat", (int)pid, (int)thread);
    FILE *file = fopen(path, "re");
    if (file == NULL) return 0;
    if (fscanf(file, "%llu", &ran) != 1) ran = 0;
    fclose(file);
    return ran;
}

static double rate(uint64_t now, uint64_t before, double seconds)
{
    return now >= before && seconds > 0 ? (double)(now - before) / seconds : 0;
}

static void fill_loops(struct top *top, bool first)
{
    struct view *view = &top->view;
    size_t count = view->snapshot.loop_count;
    view->loops = store_take(&view->snapshot.store, (count + 1) * sizeof *view->loops);
    for (size_t i = 0; i < count && i < top->registry.loops_max; i++) {
        const struct seen_loop *loop = &view->snapshot.loops[i];
        const struct sampled_loop *sampled = &top->sampler.loops[i];
        uint64_t cpu = cpu_of_thread(top->pid, loop->thread);
        struct loop_row *row = &view->loops[i];
        *row = (struct loop_row){.loop = loop, .cpu = -1, .lag = sampled->lag, .longest = sampled->longest};
        if (sampled->samples > 0) row->in_tasks = (double)sampled->busy / (double)sampled->samples;
        if (!first && cpu > 0) row->cpu = rate(cpu, top->cpu_before[i], view->seconds) / 1e9;
        if (!first) row->passes = rate(loop->passes, top->passes_before[i], view->seconds);
        if (!first) row->spawns = rate(loop->spawned, top->spawned_before[i], view->seconds);
        top->cpu_before[i] = cpu;
        top->passes_before[i] = loop->passes;
        top->spawned_before[i] = loop->spawned;
        if (sampled->samples > view->samples) view->samples = sampled->samples;
    }
}

/* ---- Tasks ---- */

static void fill_row(struct top *top, struct row *row, const struct seen_task *task)
{
    struct view *view = &top->view;
    bool known = table_find(&top->sampler.tasks, task_key(task->loop, task->id)) != NULL;
    struct memory_of_task *memory = remember_task(&top->sampler, task_key(task->loop, task->id));
    uint64_t samples = top->sampler.loops[task->loop].samples;
    uint32_t turns = task->resumes - memory->resumes;
    if (!known || memory->changed_at == 0 || turns != 0) memory->changed_at = view->snapshot.taken_at;
    *row =
        (struct row){.task = task, .longest = memory->longest, .still = view->snapshot.taken_at - memory->changed_at};
    if (task->state == SEEN_WAITING) row->still = task_waited(&view->snapshot, task);
    row->run = samples > 0 ? (double)memory->hits / (double)samples : 0;
    row->turns = known && view->seconds > 0 ? turns / view->seconds : 0;
    view->loops[task->loop].turns += row->turns;
    memory->resumes = task->resumes;
    memory->alive = true;
}

static int by_tasks(const void *one, const void *other)
{
    const struct count *a = one, *b = other;
    if (a->tasks != b->tasks) return a->tasks > b->tasks ? -1 : 1;
    return strcmp(a->what, b->what);
}

static void count_waits(struct view *view)
{
    enum { KINDS_MAX = 256 };
    view->waits = store_take(&view->snapshot.store, KINDS_MAX * sizeof *view->waits);
    for (size_t i = 0; i < view->snapshot.task_count; i++) {
        const struct seen_task *task = &view->snapshot.tasks[i];
        const char *what = task->state == SEEN_WAITING ? task->waits : state_names[task->state];
        size_t k = 0;
        while (k < view->wait_count && strcmp(view->waits[k].what, what) != 0) k++;
        if (k == KINDS_MAX) continue;
        if (k == view->wait_count) view->waits[view->wait_count++] = (struct count){.what = what};
        view->waits[k].tasks++;
    }
    if (view->wait_count > 0) qsort(view->waits, view->wait_count, sizeof *view->waits, by_tasks);
}

bool row_is_wanted(const struct top *top, const struct row *row)
{
    const struct seen_task *task = row->task;
    if (top->filter[0] == '\0') return true;
    const char *what = task->state == SEEN_WAITING ? task->waits : state_names[task->state];
    return strstr(task->name, top->filter) != NULL || strstr(task->place, top->filter) != NULL ||
           strstr(what, top->filter) != NULL;
}

static enum sort sort_by;

static int descending(double one, double other)
{
    return one > other ? -1 : one < other;
}

/* By what was chosen, then by what usually tells tasks apart, then by number. */
static int compare_rows(const void *one, const void *other)
{
    const struct row *a = one, *b = other;
    int order = 0;
    if (sort_by == SORT_TURNS) order = descending(a->turns, b->turns);
    if (sort_by == SORT_WAIT) order = descending((double)a->still, (double)b->still);
    if (sort_by == SORT_LONGEST) order = descending((double)a->longest, (double)b->longest);
    if (sort_by == SORT_NAME) order = strcmp(a->task->name, b->task->name);
    if (order == 0 && sort_by != SORT_NAME) order = descending(a->run, b->run);
    if (order == 0 && sort_by != SORT_NAME) order = descending(a->turns, b->turns);
    if (order == 0) order = a->task->loop < b->task->loop ? -1 : a->task->loop > b->task->loop;
    return order != 0 ? order : a->task->id < b->task->id ? -1 : a->task->id > b->task->id;
}

void sort_rows(struct top *top)
{
    sort_by = top->sort;
    if (top->view.row_count > 0) qsort(top->view.rows, top->view.row_count, sizeof *top->view.rows, compare_rows);
}

/* ---- Metrics ---- */

static void fill_metrics(struct top *top)
{
    struct view *view = &top->view;
    struct seen_metric *seen = NULL;
    view->metric_count = read_metrics(&top->memory, &top->registry, &view->snapshot, &seen);
    view->metrics = store_take(&view->snapshot.store, (view->metric_count + 1) * sizeof *view->metrics);
    struct table now = {.count = 0};
    for (size_t i = 0; i < view->metric_count; i++) {
        struct metric_row *row = &view->metrics[i];
        *row = (struct metric_row){.seen = seen[i]};
        uint64_t value = seen[i].histogram ? seen[i].observed : (uint64_t)seen[i].value;
        uintptr_t before = (uintptr_t)table_find(&top->metrics_before, seen[i].series);
        if (before > 0 && seen[i].counts) row->rate = rate(value, before - 1, view->seconds);
        table_put(&now, seen[i].series, (void *)(uintptr_t)(value + 1));
    }
    table_clear(&top->metrics_before);
    top->metrics_before = now;
}

/* ---- Looking ---- */

int top_look(struct top *top, const char **why)
{
    bool first = top->viewed_at == 0;
    struct view *view = &top->view;
    free_snapshot(&view->snapshot);
    *view = (struct view){.samples = 0};
    int rc = take_snapshot(&top->memory, &top->registry, &view->snapshot, why);
    if (rc < 0) return rc;
    follow_loops(top);
    view->seconds = first ? 0 : (double)(view->snapshot.taken_at - top->viewed_at) / 1e9;
    top->viewed_at = view->snapshot.taken_at;
    fill_loops(top, first);
    view->rows = store_take(&view->snapshot.store, (view->snapshot.task_count + 1) * sizeof *view->rows);
    for (; view->row_count < view->snapshot.task_count; view->row_count++)
        fill_row(top, &view->rows[view->row_count], &view->snapshot.tasks[view->row_count]);
    count_waits(view);
    fill_metrics(top);
    sort_rows(top);
    forget_the_dead(top);
    top->looked_at = time_now();
    return 0;
}

int top_begin(struct top *top, const char **why)
{
    memory_of_process(&top->memory, top->pid);
    top->name = process_name(top->pid);
    int rc = find_registry(&top->memory, &top->registry, why);
    if (rc < 0) return rc;
    size_t size = top->registry.loops_max * sizeof(uint64_t);
    top->cpu_before = memset(take_memory(size), 0, size);
    top->passes_before = memset(take_memory(size), 0, size);
    top->spawned_before = memset(take_memory(size), 0, size);
    top->sampler = (struct sampler){.memory = &top->memory, .registry = &top->registry, .store = &top->stores[0]};
    return top_look(top, why);
}

void top_forget_stacks(struct top *top)
{
    unwinder_close(top->unwinder);
    top->unwinder = NULL;
}

void top_end(struct top *top)
{
    top_forget_stacks(top);
    free_snapshot(&top->view.snapshot);
    table_clear(&top->sampler.tasks);
    table_clear(&top->metrics_before);
    store_clear(&top->stores[0]);
    store_clear(&top->stores[1]);
    free(top->sampler.loops);
}
