/*
 * The smallest program: one task, which sleeps without holding the thread, and then says hello.
 *
 *     weft run examples/hello.c
 */
#include <stdio.h>
#include <weft/weft.h>

static int hello(const char *name)
{
    int rc = wf_sleep(WF_MILLISECONDS(100));
    if (rc < 0) return rc;
    printf("Hello, %s!\n", name);
    return 0;
}

int main(void)
{
    return wf_main(hello, "world");
}
