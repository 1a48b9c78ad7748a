/*
 * Task outliving its data.
 *
 * The mistake: children are given the address of a variable that is declared after their scope, in the body of a loop:
 * it is gone when they run. What children use is declared before the scope, or copied for each of them.
 * Known from lambda coroutines in C++ (scylladb/scylladb#20306, microsoft/cppwinrt#766) and loop variables in Go.
 * Caught by AddressSanitizer: the variable is read out of its scope.
 */
// needs: address
// caught: stack-use-after-scope
// caught: in add_order
#include <weft/testing.h>
#include <weft/weft.h>

struct order {
    int amount;
    int *total;
};

static int add_order(struct order *order)
{
    *order->total += order->amount;
    return 0;
}

#ifdef CORRECTED
static void start(struct wf_scope *scope, struct order *order)
{
    wf_spawn_copy(scope, add_order, order);
}
#else
static void start(struct wf_scope *scope, struct order *order)
{
    wf_spawn(scope, add_order, order);
}
#endif

static void add_orders(struct wf_scope *scope, int *total)
{
    for (int i = 1; i <= 3; i++) {
        struct order order = {.amount = i, .total = total};
        start(scope, &order);
    }
    wf_yield();
}

WF_TEST(every_order_counts)
{
    int total = 0;
    WF_SCOPE(scope);
    add_orders(&scope, &total);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(total, 6);
}

WF_TEST_MAIN
