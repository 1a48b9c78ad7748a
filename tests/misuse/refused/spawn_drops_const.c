// The argument may not be written, and the function would.
// expect gcc: discards 'const' qualifier
// expect clang: discards qualifiers
#include <weft/weft.h>

struct user {
    int id;
};

static int load_user(struct user *user)
{
    return user->id;
}

int misuse(const struct user *user);
int misuse(const struct user *user)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, load_user, user);
    return wf_scope_join(&scope);
}
