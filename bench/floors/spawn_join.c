/*
 * Floor of `spawn_join`: waves of 1,000 empty functions, each queued with a stack of its own from a pool, then run in
 * order and the stack given back. Nothing is kept about a function but what is needed to run it: no scope, no result,
 * no name.
 *
 * The tops of the stacks are coloured: without that, all of them lie at the same offset of a page and fight for the
 * same few sets of the cache.
 */
#include "../measure.h"
#include "bare_switch.h"

#include <sys/mman.h>

enum {
    WAVE = 1000,
    STACK_SIZE = 64 * 1024,
    COLOURS = 20,
    COLOUR_BYTES = 192,
};

struct job {
    void (*run)(void *arg);
    void *arg;
    void *left_at;  /* stack pointer: where the job goes on */
    void *top;
};

static struct job jobs[WAVE];
static void *pool[WAVE];
static size_t pooled;
static struct job *current;
static void *scheduler;
static long ended;

static void empty(void *arg)
{
    (void)arg;
}

static void job_main(void)
{
    current->run(current->arg);
    ended++;
    bare_switch(&current->left_at, scheduler);
    __builtin_unreachable();
}

static void fill_pool(void)
{
    char *stacks = mmap(NULL, (size_t)WAVE * STACK_SIZE, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stacks == MAP_FAILED) exit(1);
    for (size_t i = 0; i < WAVE; i++)
        pool[pooled++] = stacks + (i + 1) * STACK_SIZE - i % COLOURS * COLOUR_BYTES;
}

static void run_wave(void)
{
    for (int i = 0; i < WAVE; i++) {
        void *top = pool[--pooled];
        jobs[i] = (struct job){.run = empty, .top = top, .left_at = bare_stack_init(top, job_main)};
    }
    for (int i = 0; i < WAVE; i++) {
        current = &jobs[i];
        bare_switch(&scheduler, current->left_at);
        pool[pooled++] = current->top;
    }
}

int main(int argc, char **argv)
{
    long waves = argument(argc, argv, 1, 10000);
    fill_pool();
    run_wave();  /* touches every stack once: the pool is warm, as it is in a program that has run for a while */
    double started = wall_seconds();
    for (long i = 0; i < waves; i++) run_wave();
    double seconds = wall_seconds() - started;
    if (ended != (waves + 1) * WAVE) return 1;
    return print_result("spawn_join", seconds * 1e9 / ((double)waves * WAVE));
}
