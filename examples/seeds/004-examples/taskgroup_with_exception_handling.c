/*
 * Operations that may fail, and their errors handled by kind, each kind once. From "TaskGroup (Python 3.11+)",
 * "TaskGroup with Exception Handling".
 * Rows: S010, S011.
 * The sample does not compile: `return` is not allowed inside of `except*`; here a handler returns as any code does.
 * Which operations fail is not left to chance. What no handler takes goes on to the caller.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/taskgroup_with_exception_handling.c
 */
#include <stdio.h>
#include <weft/weft.h>

enum { OPERATIONS = 10 };

struct operation {
    int id;
    int result; /* what it ends with */
    int64_t takes;
    char text[32];
};

static int risky_operation(struct operation *operation)
{
    int rc = wf_sleep(operation->takes);
    if (rc < 0) return rc;
    if (operation->result < 0) return wf_fail(operation->result, "Operation %d failed", operation->id);
    snprintf(operation->text, sizeof operation->text, "Success: %d", operation->id);
    return 0;
}

static void take_errors(struct wf_scope *scope, int code, const char *kind)
{
    int count = 0;
    wf_each_error(scope, error) count += error->code == code;
    if (count > 0) printf("Caught %d %s:\n", count, kind);
    wf_each_error(scope, error) {
        if (error->code != code) continue;
        printf("  - %s: %s\n", error->path, error->message);
        wf_take_error(error);
    }
}

/* Writes how many succeeded. */
static int process_with_error_handling(struct operation *operations, enum wf_policy policy, int *succeeded)
{
    WF_SCOPE(scope, .policy = policy);
    for (int i = 0; i < OPERATIONS; i++) {
        char name[16];
        snprintf(name, sizeof name, "op-%d", i);
        wf_spawn(&scope, risky_operation, &operations[i], .name = name);
    }
    int rc = wf_scope_join(&scope);
    *succeeded = 0;
    for (int i = 0; i < OPERATIONS; i++) *succeeded += operations[i].text[0] != '\0';
    if (rc == 0 || wf_scope_errors(&scope) == NULL) return rc;
    take_errors(&scope, -EINVAL, "bad values");
    take_errors(&scope, -EPROTOTYPE, "wrong types");
    return wf_scope_rest(&scope); /* 0, or the first that nobody took */
}

static int show(const char *title, const int results[OPERATIONS], enum wf_policy policy)
{
    struct operation operations[OPERATIONS];
    int succeeded;
    for (int i = 0; i < OPERATIONS; i++)
        operations[i] = (struct operation){.id = i, .result = results[i], .takes = WF_MILLISECONDS(100 + 10 * i)};
    printf("%s\n", title);
    int64_t began = wf_now();
    int rc = process_with_error_handling(operations, policy, &succeeded);
    printf("Successful results: %d, after %.2f s; the caller gets: %s\n", succeeded, wf_seconds(wf_now() - began),
           rc < 0 ? wf_failure() : "nothing more");
    return 0;
}

static int run(void *unused)
{
    static const int none[OPERATIONS], one[OPERATIONS] = {[1] = -EINVAL};
    static const int four[OPERATIONS] = {[1] = -EINVAL, [4] = -EINVAL, [5] = -EPROTOTYPE, [7] = -EINVAL};
    static const int another[OPERATIONS] = {[1] = -EINVAL, [4] = -EINVAL, [8] = -EIO};
    (void)unused;
    show("none fails:", none, WF_FAIL_FAST);
    show("one fails, and the rest is cancelled:", one, WF_FAIL_FAST);
    show("all go on, four fail:", four, WF_COLLECT);
    return show("one of a kind that nobody takes:", another, WF_COLLECT);
}

int main(void)
{
    return wf_main(run, NULL);
}
