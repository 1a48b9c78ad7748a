// The function for the items returns an int.
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
    return wf_gather(user, 3, forget_user);
}
