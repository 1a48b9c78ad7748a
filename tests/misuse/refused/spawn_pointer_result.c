// A task function returns an int, not a pointer.
// expect: WF_TASK_FUNCTION_RETURNS_INT_
#include <weft/weft.h>

struct user {
    int id;
};

static struct user *next_user(struct user *user)
{
    return user + 1;
}

int misuse(struct user *user);
int misuse(struct user *user)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, next_user, user);
    return wf_scope_join(&scope);
}
