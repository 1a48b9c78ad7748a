// An expression without a value has nothing that could be replaced by -ETIME.
// expect gcc: declared void
// expect clang: variable has incomplete type
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
    return wf_within(WF_SECONDS(1), forget_user(user));
}
