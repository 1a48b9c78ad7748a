// A case label behind a scope, in the same block.
// expect gcc: switch jumps over variable initialization
// expect clang: cannot jump from switch statement to this case label
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
    switch (user->id) {
        WF_SCOPE(scope);
    case 1:
        wf_spawn(&scope, load_user, user);
        return wf_scope_join(&scope);
    }
    return -EINVAL;
}
