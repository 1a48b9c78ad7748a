// A jump past a scope would close what was never opened.
// expect gcc: jump skips variable initialization
// expect clang: cannot jump from this goto statement to its label
// flags gcc: -Wjump-misses-init
#include <weft/weft.h>

struct user {
    int id;
};

static int load_user(struct user *user)
{
    return user->id;
}

int misuse(struct user *user);
int misuse(struct user *user)
{
    if (user->id < 0) goto out;
    WF_SCOPE(scope);
    wf_spawn(&scope, load_user, user);
    return wf_scope_join(&scope);
    out:
    return -EINVAL;
}
