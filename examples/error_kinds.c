/*
 * Several errors at once, handled by kind. What nobody takes is passed on to the caller as a smaller group.
 *
 *     weft run examples/error_kinds.c
 */
#include <stdio.h>
#include <weft/weft.h>

struct order {
    int number;
    int result;
    const char *problem;
};

static int check_order(struct order *order)
{
    int rc = wf_yield();
    if (rc < 0) return rc;
    return order->result < 0 ? wf_fail(order->result, "order %d: %s", order->number, order->problem) : 0;
}

/* Knows what to do about bad values and about missing customers, and about nothing else. */
static int check_all(struct order orders[6])
{
    WF_SCOPE(scope, .policy = WF_COLLECT); /* an error cancels nothing */
    for (int i = 0; i < 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "order-%d", orders[i].number); /* copied by wf_spawn */
        wf_spawn(&scope, check_order, &orders[i], .name = name);
    }
    int rc = wf_scope_join(&scope);
    if (wf_scope_errors(&scope) == NULL) return rc; /* success, a deadline, or a cancel from outside */

    int bad_values = 0, missing = 0;
    wf_each_error(&scope, error) {
        if (error->code == -EINVAL) bad_values++;
        else if (error->code == -ENOENT) missing++;
        else continue;
        wf_take_error(error);
        printf("  taken: %s (%s)\n", error->message, error->path);
    }
    printf("bad values: %d, missing customers: %d\n", bad_values, missing);
    return wf_scope_rest(&scope);
}

static int shop(struct order orders[6])
{
    WF_SCOPE(scope);
    wf_spawn(&scope, check_all, orders);
    int rc = wf_scope_join(&scope);
    printf("the caller gets: %s\n", wf_strerror(rc));
    wf_each_error(&scope, error) {
        printf("  passed on: %s (%s)\n", error->message, error->path);
        wf_take_error(error);
    }
    return 0;
}

int main(void)
{
    struct order orders[6] = {
        {.number = 1, .result = -EINVAL, .problem = "quantity 0"},
        {.number = 2, .result = -ENOENT, .problem = "no such customer"},
        {.number = 3, .result = -EINVAL, .problem = "quantity -4"},
        {.number = 4},
        {.number = 5, .result = -EIO, .problem = "the disk failed"},
        {.number = 6, .result = -EINVAL, .problem = "no address"},
    };
    return wf_main(shop, orders);
}
