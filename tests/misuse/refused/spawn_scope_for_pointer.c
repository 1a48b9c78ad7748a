// The scope itself where its address is wanted.
// expect gcc: incompatible type for argument 1 of 'wf_spawn_'
// expect clang: to parameter of incompatible type 'struct wf_scope *'; take the address with &
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
    wf_spawn(scope, load_user, user);
    return wf_scope_join(&scope);
}
