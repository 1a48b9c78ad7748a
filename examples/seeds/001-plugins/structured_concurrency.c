/*
 * Three operations in a scope: all complete, or all are cancelled; none outlives the function. From "Best Practices: 1.
 * Structured Concurrency".
 *
 * Rows: S009, S010.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/structured_concurrency.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct operation {
    int number, code, result;
    int64_t takes;
};

static int operate(struct operation *operation)
{
    int rc = wf_sleep(operation->takes);
    if (rc == -ECANCELED) printf("operation%d is cancelled\n", operation->number);
    if (rc == 0 && operation->code < 0) return wf_fail(operation->code, "operation%d failed", operation->number);
    if (rc == 0) operation->result = 10 * operation->number;
    return rc;
}

static int structured_concurrent_operations(struct operation operations[3])
{
    WF_SCOPE(scope);
    for (int i = 0; i < 3; i++) wf_spawn(&scope, operate, &operations[i]);
    return wf_scope_join(&scope);
}

static int show(struct operation operations[3])
{
    int64_t started = wf_now();
    int rc = structured_concurrent_operations(operations);
    printf("%s after %.1f s: %d, %d, %d\n", rc == 0 ? "done" : wf_failure(), wf_seconds(wf_now() - started),
           operations[0].result, operations[1].result, operations[2].result);
    return rc;
}

static int run(void *unused)
{
    (void)unused;
    struct operation good[] = {{.number = 1, .takes = WF_MILLISECONDS(300)},
                               {.number = 2, .takes = WF_MILLISECONDS(200)},
                               {.number = 3, .takes = WF_MILLISECONDS(100)}};
    struct operation bad[] = {{.number = 1, .takes = WF_SECONDS(10)},
                              {.number = 2, .takes = WF_MILLISECONDS(200), .code = -EIO},
                              {.number = 3, .takes = WF_SECONDS(10)}};
    int rc = show(good);
    if (rc < 0) return rc;
    rc = show(bad);
    return rc == -EIO ? 0 : rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
