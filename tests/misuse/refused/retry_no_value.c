// An expression without a value cannot fail, so there is nothing to retry.
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
    return wf_retry(forget_user(user), .attempts = 3);
}
