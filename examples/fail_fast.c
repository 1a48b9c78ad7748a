/*
 * The first failure of a group cancels the others, and the group ends with that one error.
 *
 *     weft run examples/fail_fast.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct step {
    int64_t duration;
    int result;
    bool completed;
};

static int take(struct step *step)
{
    int rc = wf_sleep(step->duration);
    if (rc < 0) return rc; /* cancelled: nothing to add, and not an error of the group */
    if (step->result < 0) return wf_fail(step->result, "the value is wrong");
    step->completed = true;
    return 0;
}

static int run_group(struct step steps[3])
{
    int64_t started = wf_now();
    WF_SCOPE(scope);
    wf_spawn(&scope, take, &steps[0], .name = "long-1");
    wf_spawn(&scope, take, &steps[1], .name = "long-2");
    wf_spawn(&scope, take, &steps[2], .name = "wrong");
    int rc = wf_scope_join(&scope);

    int completed = 0, errors = 0;
    for (int i = 0; i < 3; i++) completed += steps[i].completed;
    wf_each_error(&scope, error) errors++;
    printf("ended after %.1f s with: %s\n", wf_seconds(wf_now() - started), wf_strerror(rc));
    printf("completed: %d, errors: %d\n", completed, errors);
    wf_each_error(&scope, error) printf("  %s: %s\n", error->path, error->message);
    wf_each_error(&scope, error) wf_take_error(error);
    return 0;
}

int main(void)
{
    struct step steps[3] = {
        {.duration = WF_SECONDS(1)},
        {.duration = WF_SECONDS(1)},
        {.duration = WF_MILLISECONDS(100), .result = -EINVAL},
    };
    return wf_main(run_group, steps);
}
