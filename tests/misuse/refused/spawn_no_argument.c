// A task function has an argument; where it needs none, NULL is written.
// expect gcc: too few arguments to function 'load_user'
// expect clang: too few arguments to function call
#include <weft/weft.h>

struct user {
    int id;
};

static int load_user(struct user *user)
{
    return user->id;
}

int misuse(void);
int misuse(void)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, load_user);
    return wf_scope_join(&scope);
}
