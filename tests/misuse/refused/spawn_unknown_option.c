// An option that does not exist.
// expect gcc: 'struct wf_spawn_options' has no member named 'nmae'; did you mean 'name'?
// expect clang: field designator 'nmae' does not refer to any field in type 'struct wf_spawn_options'
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
    wf_spawn(&scope, load_user, user, .nmae = "user");
    return wf_scope_join(&scope);
}
