/*
 * What is started and not waited for. From "Common Pitfalls", "1. Forgetting to await".
 * Rows: S148.
 * In C a function that is called runs, so the sample's mistake cannot be made: its kin are a result that nobody looks
 * at, which the compiler refuses (WF_CHECKED), and a task that nobody joins, which weft reports, with its place.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/forgetting_to_await.c
 */
#include <stdio.h>
#include <string.h>
#include <weft/weft.h>

static WF_CHECKED int get_user(const int *id)
{
    int rc = wf_sleep(WF_MILLISECONDS(10));
    if (rc < 0) return rc;
    printf("  user %d is there\n", *id);
    return 0;
}

static int bad_example(const int *id)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, get_user, id);
    return 0; /* without a join: the task is cancelled, and that is reported */
}

static int good_example(const int *id)
{
    return get_user(id); /* without the return: ignoring return value of 'get_user' */
}

static void show_report(void *context, const char *text)
{
    (void)context;
    const char *left = strstr(text, "was left with"), *child = strstr(text, "the first: ");
    if (left == NULL || child == NULL) printf("  weft reports: %s\n", text);
    else
        printf("  weft reports: a scope %.*s: %.*s\n", (int)strcspn(left, "(") - 1, left, (int)strcspn(child, ")"),
               child);
}

static int show_both(void *unused)
{
    int id = 1;
    (void)unused;
    int rc = bad_example(&id);
    printf("bad: %s\n", wf_strerror(rc));
    rc = good_example(&id);
    printf("good: %s\n", wf_strerror(rc));
    return rc;
}

int main(void)
{
    wf_set_report(show_report, NULL);
    return wf_main(show_both, NULL);
}
