/*
 * Sampling: who runs is read every few milliseconds, by one call of the system for each loop, two while a task runs.
 *
 * A task that is found in a tenth of the samples had a tenth of the time, give or take what chance gives: with n
 * samples a share of p is off by sqrt(p (1 - p) / n) or less, two times in three. A run in one go is at least as long
 * as the time between the first and the last sample that found the task on the same turn; what is shorter than the
 * interval is not seen.
 */
#include <time.h>

#include "top.h"

int64_t time_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

uint64_t task_key(uint32_t loop, uint64_t id)
{
    return ((uint64_t)loop << 48 ^ id) << 3;
}

struct memory_of_task *remember_task(struct sampler *sampler, uint64_t key)
{
    struct memory_of_task *known = table_find(&sampler->tasks, key);
    if (known != NULL) return known;
    known = store_take(sampler->store, sizeof *known);
    table_put(&sampler->tasks, key, known);
    return known;
}

/* The turn that a task is on: its number, and how often it was resumed. */
static bool read_turn(struct sampler *sampler, uint64_t task, uint64_t *id, uint32_t *resumes)
{
    const struct registry *registry = sampler->registry;
    struct piece pieces[] = {
        {.address = task + registry->at[AT_TASK_ID].offset, .into = id, .size = sizeof *id},
        {.address = task + registry->at[AT_TASK_RESUMES].offset, .into = resumes, .size = sizeof *resumes},
    };
    sampler->memory->read(sampler->memory, pieces, 2);
    return pieces[0].whole && pieces[1].whole && *id != 0;
}

static void note_turn(struct sampler *sampler, uint32_t index, uint64_t running, int64_t now)
{
    struct sampled_loop *loop = &sampler->loops[index];
    uint64_t id = 0;
    uint32_t resumes = 0;
    if (running == 0 || !read_turn(sampler, running, &id, &resumes)) {
        loop->running = 0;
        return;
    }
    bool goes_on = loop->running == running && loop->id == id && loop->resumes == resumes;
    if (!goes_on) loop->since = now;
    loop->running = running;
    loop->id = id;
    loop->resumes = resumes;
    loop->busy++;
    struct memory_of_task *task = remember_task(sampler, task_key(index, id));
    task->hits++;
    int64_t run = now - loop->since;
    if (run > task->longest) task->longest = run;
    if (run > loop->longest) loop->longest = run;
}

static void sample_loop(struct sampler *sampler, uint32_t index, int64_t now)
{
    const struct registry *registry = sampler->registry;
    struct sampled_loop *loop = &sampler->loops[index];
    uint64_t running = 0;
    int64_t clock = 0;
    uint32_t runnable = 0, given = 0, left = 0;
    struct piece pieces[] = {
        {.address = loop->address + registry->at[AT_LOOP_RUNNING].offset, .into = &running, .size = sizeof running},
        {.address = loop->address + registry->at[AT_LOOP_RUNNABLE].offset, .into = &runnable, .size = sizeof runnable},
        {.address = loop->address + registry->at[AT_LOOP_RUNS_GIVEN].offset, .into = &given, .size = sizeof given},
        {.address = loop->address + registry->at[AT_LOOP_RUNS_LEFT].offset, .into = &left, .size = sizeof left},
        {.address = loop->address + registry->at[AT_LOOP_NOW].offset, .into = &clock, .size = sizeof clock},
    };
    sampler->memory->read(sampler->memory, pieces, 5);
    if (!pieces[0].whole || !pieces[4].whole) return;
    loop->samples++;
    bool works = running != 0 || runnable != given - left;
    int64_t lag = time_between(clock, now);
    if (works && !loop->simulated && lag > loop->lag) loop->lag = lag;
    note_turn(sampler, index, running, now);
}

void take_sample(struct sampler *sampler, int64_t now)
{
    for (uint32_t i = 0; i < sampler->loop_count; i++) sample_loop(sampler, i, now);
}
