// A task function returns an int.
// expect: WF_TASK_FUNCTION_RETURNS_INT_
#include <weft/weft.h>

struct user {
    int id;
};

static void forget_user(struct user *user)
{
    user->id = 0;
}

int misuse(struct user *user);
int misuse(struct user *user)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, forget_user, user);
    return wf_scope_join(&scope);
}
