/* A program that finds weft by pkg-config: two sleepers at once take as long as one. */
#include <stdio.h>
#include <weft/weft.h>

static int nap(const int *milliseconds)
{
    return wf_sleep(WF_MILLISECONDS(*milliseconds));
}

static int two_naps(void *unused)
{
    (void)unused;
    int milliseconds = 20;
    WF_SCOPE(scope);
    wf_spawn(&scope, nap, &milliseconds);
    wf_spawn(&scope, nap, &milliseconds);
    int rc = wf_scope_join(&scope);
    if (rc == 0) puts("two naps at once");
    return rc;
}

int main(void)
{
    return wf_main(two_naps, NULL);
}
