/*
 * Three operations that share a deadline; the third would end too late. From "Timeouts", "Deadline-Based Timeout".
 * Rows: S015, S037.
 * The sample throws away what was done in time; here it stays in the caller's array.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/deadline_based_timeout.c
 */
#include <stdio.h>
#include <weft/weft.h>

enum { OPERATIONS = 3 };

struct operation {
    const char *name;
    int64_t takes;
    const char *result;
};

static int operate(struct operation *operation)
{
    int rc = wf_sleep(operation->takes);
    if (rc == 0) operation->result = operation->name;
    return rc;
}

static int operate_all(struct operation *operations)
{
    int rc = 0;
    for (int i = 0; rc == 0 && i < OPERATIONS; i++) rc = operate(&operations[i]);
    return rc;
}

static int with_deadline(int64_t deadline)
{
    struct operation operations[OPERATIONS] = {
        {.name = "op1", .takes = WF_SECONDS(2)},
        {.name = "op2", .takes = WF_SECONDS(2)},
        {.name = "op3", .takes = WF_SECONDS(3)},
    };
    int64_t began = wf_now();
    int rc = wf_until(deadline, operate_all(operations));
    printf("%s after %.1f s:", rc == -ETIME ? "Deadline exceeded" : wf_strerror(rc), wf_seconds(wf_now() - began));
    for (int i = 0; i < OPERATIONS; i++) printf(" %s", operations[i].result != NULL ? operations[i].result : "None");
    printf("\n");
    return rc == -ETIME ? 0 : rc;
}

static int run(void *unused)
{
    (void)unused;
    int rc = with_deadline(wf_now() + WF_SECONDS(5)); /* from now */
    if (rc == 0) rc = with_deadline(wf_now() + WF_SECONDS(8));
    if (rc == 0) rc = with_deadline(wf_now() - WF_SECONDS(1)); /* has passed: the first wait fails */
    return rc;
}

int main(void)
{
    return wf_main(run, NULL);
}
