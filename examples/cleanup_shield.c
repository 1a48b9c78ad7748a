/*
 * Cleanup under cancel. Work is cut by a deadline while it holds a lease that must be given back over the network: the
 * bad form, one that is not good enough, the good form and the best.
 *
 *     weft run examples/cleanup_shield.c
 */
#include <stdio.h>
#include <weft/weft.h>

/* Both talk to a server far away: a cancelled scope refuses them. */
static int lease_take(int *held)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc == 0) (*held)++;
    return rc;
}

static int lease_return(int *held)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc == 0) (*held)--;
    return rc;
}

static int work(void)
{
    return wf_sleep(WF_SECONDS(10));
}

/* The error leaves before the cleanup. */
static int bad(int *held)
{
    int rc = lease_take(held);
    if (rc < 0) return rc;
    rc = work();
    if (rc < 0) return rc;
    return lease_return(held);
}

/* The cleanup is reached, but inside a cancelled scope every call that may wait is refused. */
static int refused(int *held)
{
    int rc = lease_take(held);
    if (rc < 0) return rc;
    rc = work();
    lease_return(held);
    return rc;
}

/* A shield hides the cancel from the cleanup, for one second at most. */
static int good(int *held)
{
    int rc = lease_take(held);
    if (rc < 0) return rc;
    rc = work();
    wf_shielded(WF_SECONDS(1), lease_return(held));
    return rc;
}

static void lease_drop(int **held)
{
    wf_shielded(WF_SECONDS(1), lease_return(*held));
}

/* The cleanup is declared together with the thing, so that no later return can forget it. */
static int best(int *held)
{
    int rc = lease_take(held);
    if (rc < 0) return rc;
    int *lease __attribute__((cleanup(lease_drop), unused)) = held;
    return work();
}

static void show(const char *name, int (*form)(int *held))
{
    int held = 0;
    int rc = wf_within(WF_MILLISECONDS(50), form(&held));
    printf("%s: %s, leases still held: %d\n", name, wf_strerror(rc), held);
}

static int compare(const char *title)
{
    printf("%s\n", title);
    show("bad", bad);
    show("refused", refused);
    show("good", good);
    show("best", best);
    return 0;
}

int main(void)
{
    return wf_main(compare, "work cut after 50 ms:");
}
