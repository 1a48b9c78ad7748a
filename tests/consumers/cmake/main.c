/* A program that finds weft by find_package: a scope with a deadline around a wait without an end. */
#include <stdio.h>
#include <weft/weft.h>

static int wait_too_long(void *unused)
{
    (void)unused;
    int rc = wf_within(WF_MILLISECONDS(10), wf_sleep_until(WF_FOREVER));
    if (rc != -ETIME) return wf_fail(-EPROTO, "the deadline did not end the wait");
    puts("cut short in time");
    return 0;
}

int main(void)
{
    return wf_main(wait_too_long, NULL);
}
