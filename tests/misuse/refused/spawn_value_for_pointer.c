// The argument itself where its address is wanted.
// expect gcc: incompatible type for argument 1 of 'load_user'
// expect clang: passing 'struct user' to parameter of incompatible type 'struct user *'; remove *
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
    WF_SCOPE(scope);
    wf_spawn(&scope, load_user, *user);
    return wf_scope_join(&scope);
}
