#include "scheduler.h"

#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>

struct world world;

/* ---- Memory that runs out ---- */

static uint64_t allocations_left; /* 0: no end */

static bool refuses(void)
{
    return allocations_left > 0 && --allocations_left == 0;
}

static void *allocate(void *context, size_t size)
{
    (void)context;
    return refuses() ? NULL : malloc(size);
}

static void *resize(void *context, void *memory, size_t size)
{
    (void)context;
    return refuses() ? NULL : realloc(memory, size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

/* ---- Reports: none but those that the program provokes ---- */

static void hear(void *context, const char *text)
{
    (void)context;
    bool expected = world.dumping || (world.left_open && strstr(text, "children running") != NULL);
    if (!expected) fprintf(stderr, "%s\n", text);
    CLAIM(expected);
}

/* ---- One call ---- */

bool before_call(struct life *life)
{
    observe(life);
    return wf_cancelled();
}

int after_call(struct life *life, bool was_cancelled, int64_t rc)
{
    world.turn++;
    observe(life);
    if (was_cancelled) CLAIM(rc == -ECANCELED || rc == -ENOMEM);
    if (rc == -ECANCELED) CLAIM(wf_cancelled());
    if (rc == -ENOMEM) CLAIM(world.memory_fails);
    return rc < 0 ? (int)rc : 0;
}

/* ---- The small steps ---- */

/* From a nanosecond to a second; now and then nothing, or the past. */
int64_t take_duration(void)
{
    unsigned choice = take(&world.input, 64);
    if (choice < 2) return (int64_t)choice - 1;
    return INT64_C(1) << choice % 31;
}

static int use_yield(struct life *life)
{
    bool was_cancelled = before_call(life);
    return after_call(life, was_cancelled, wf_yield());
}

static int use_sleep(struct life *life)
{
    int64_t duration = take_duration(), started = wf_now();
    bool was_cancelled = before_call(life);
    int rc = wf_sleep(duration);
    CLAIM(rc < 0 || duration <= 0 || wf_now() >= started + duration);
    return after_call(life, was_cancelled, rc);
}

static int use_eyes(struct life *life)
{
    struct wf_statistics statistics;
    wf_loop_statistics(&statistics);
    CLAIM(statistics.tasks_alive > 0 && statistics.tasks_alive <= statistics.tasks_spawned);
    if (take(&world.input, 8) == 0) {
        world.dumping = true;
        wf_dump();
        world.dumping = false;
    }
    observe(life);
    return 0;
}

static int use_failure(struct life *life)
{
    observe(life);
    return wf_fail(take(&world.input, 2) == 0 ? -EPROTO : -EILSEQ, "at step %u", (unsigned)world.turn);
}

/* A new use takes a free place, so that kept inputs keep their meaning. */
enum { PLACES = 32 };

static int take_step(struct life *life)
{
    static int (*const uses[PLACES])(struct life * life) = {
        use_yield, use_sleep,   use_scope,     use_child, use_child, use_handle, use_cancel,    use_finished,
        use_group, use_binding, use_semaphore, use_mutex, use_event, use_job,    use_wire,      use_wire,
        use_eyes,  use_failure, use_scope,     use_child, use_mutex, use_sleep,  use_generator,
    };
    int (*use)(struct life * life) = uses[take(&world.input, PLACES)];
    world.turn++;
    return use != NULL ? use(life) : 0;
}

/* A task ends at an error, as it should; some go on all the same, which must do no harm. */
int take_steps(struct life *life, unsigned most)
{
    bool stubborn = take(&world.input, 4) == 0;
    int rc = 0;
    while (most-- > 0 && !input_over(&world.input)) {
        rc = take_step(life);
        if (rc < 0 && !stubborn) return rc;
        if (take(&world.input, 16) == 0) break;
    }
    return rc;
}

/* ---- The program ---- */

struct plan {
    uint64_t seed, cancel_at, fail_at;
    bool in_flight, twice;
};

static struct plan take_plan(void)
{
    struct plan plan = {.cancel_at = 0};
    unsigned kind = take(&world.input, 8);
    plan.seed = 1 + take(&world.input, 256);
    plan.twice = kind == 1;
    plan.in_flight = kind == 3;
    if (kind == 2 || kind == 3) plan.cancel_at = 1 + take(&world.input, 256);
    if (kind == 4) plan.fail_at = 1 + take(&world.input, 64);
    return plan;
}

static int program(const struct plan *plan)
{
    struct place root = {.deadline = wf_now() + WF_SECONDS(1000)};
    struct life *life = new_life(NULL, 0);
    life->started = true;
    WF_SCOPE(scope, .deadline = root.deadline);
    root.scope = &scope;
    root.outer = &life->own;
    life->here = &root;
    wf_test_cancel_at(&scope, plan->cancel_at, plan->in_flight);
    int rc = take_steps(life, 200);
    give_back(life);
    rc = wf_scope_end(&scope, rc);
    wf_test_cancel_end();
    CLAIM(root.spawned == root.ended && root.alive == 0);
    waiting_ends();
    return rc;
}

static uint64_t run(const uint8_t *bytes, size_t size, struct plan *plan)
{
    memset(&world, 0, sizeof world);
    world.input = (struct input){.bytes = bytes, .left = size};
    *plan = take_plan();
    world.memory_fails = plan->fail_at > 0;
    allocations_left = plan->fail_at;
    wf_sim_seed(plan->seed);
    waiting_starts();
    int rc = wf_run(program, plan, .driver = "sim");
    allocations_left = 0;
    CLAIM(rc != -EDEADLK && rc != -EBUSY && rc != -EINVAL);
    CLAIM(wf_allocated_blocks() == 0);
    jobs_are_over();
    return wf_sim_trace();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct wf_allocator failing = {.allocate = allocate, .resize = resize, .release = release};
    struct plan plan;
    CLAIM(wf_set_allocator(&failing) == 0);
    wf_set_report(hear, NULL);
    uint64_t trace = run(bytes, size, &plan);
    if (plan.twice) CLAIM(run(bytes, size, &plan) == trace);
    return 0;
}
