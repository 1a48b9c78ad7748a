// The argument points to another struct than the function takes.
// expect gcc: from incompatible pointer type
// expect clang: incompatible pointer types
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

int misuse(struct wf_once *once, struct order *order);
int misuse(struct wf_once *once, struct order *order)
{
    return wf_once(once, load_user, order);
}
