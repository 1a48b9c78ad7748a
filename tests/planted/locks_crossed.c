/*
 * Deadlock of two locks.
 *
 * The mistake: two locks are taken in the order of the arguments. Two transfers in opposite directions hold one each
 * and wait for the other for ever. One order for all, here by address, cannot cross.
 * Known from microsoft/libHttpClient#312, and older than all of us.
 * Caught by the loop: when every task waits for another one, it says so, with the tasks, their places and their waits.
 */
// caught: deadlock: every task waits for another one, and nothing outside can wake them
// caught: a mutex
#include <weft/testing.h>
#include <weft/weft.h>

struct account {
    struct wf_mutex mutex;
    int balance;
};

struct transfer {
    struct account *from, *to;
};

#ifdef CORRECTED
static struct account *first_of(const struct transfer *transfer)
{
    return transfer->from < transfer->to ? transfer->from : transfer->to;
}
#else
static struct account *first_of(const struct transfer *transfer)
{
    return transfer->from;
}
#endif

static int lock_both(struct account *first, struct account *second)
{
    int rc = wf_mutex_lock(&first->mutex);
    if (rc == 0) rc = wf_yield(); /* long enough for the other one to come in between */
    if (rc == 0) rc = wf_mutex_lock(&second->mutex);
    if (rc < 0) wf_mutex_unlock(&first->mutex);
    return rc;
}

static int move_one(struct transfer *transfer)
{
    struct account *first = first_of(transfer);
    int rc = lock_both(first, first == transfer->from ? transfer->to : transfer->from);
    if (rc < 0) return rc;
    transfer->from->balance--;
    transfer->to->balance++;
    wf_mutex_unlock(&transfer->from->mutex);
    return wf_mutex_unlock(&transfer->to->mutex);
}

static int move_both_ways(void *unused)
{
    (void)unused;
    struct account accounts[2] = {{.mutex = WF_MUTEX}, {.mutex = WF_MUTEX}};
    struct transfer there = {&accounts[0], &accounts[1]}, back = {&accounts[1], &accounts[0]};
    WF_SCOPE(scope);
    wf_spawn(&scope, move_one, &there);
    wf_spawn(&scope, move_one, &back);
    int rc = wf_scope_join(&scope);
    WF_EXPECT_INT(accounts[0].balance, 0);
    return rc;
}

/* Without a deadline around it: the loop itself sees that nothing can happen any more. */
WF_TEST(transfers_in_both_directions_end, .plain = true)
{
    WF_EXPECT_CODE(wf_run(move_both_ways, NULL), 0);
}

WF_TEST_MAIN
