// The argument points to another struct than the function takes.
// expect gcc: passing argument 1 of 'load_user' from incompatible pointer type
// expect clang: incompatible pointer types passing 'struct order *' to parameter of type 'struct user *'
#include <weft/weft.h>

struct order {
    int id;
};
struct user {
    int id;
};

static int load_user(struct user *user)
{
    return user->id;
}

int misuse(struct order *order);
int misuse(struct order *order)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, load_user, order);
    return wf_scope_join(&scope);
}
