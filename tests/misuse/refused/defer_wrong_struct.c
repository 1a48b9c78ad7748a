// The deferred function takes another struct than it is given.
// expect gcc: passing argument 1 of 'close_user' from incompatible pointer type
// expect clang: incompatible pointer types passing 'struct order *' to parameter of type 'struct user *'
#include <weft/weft.h>

struct order {
    int id;
};
struct user {
    int id;
};

static void close_user(struct user *user)
{
    user->id = 0;
}

int misuse(struct wf_arena *arena, struct order *order);
int misuse(struct wf_arena *arena, struct order *order)
{
    return wf_arena_defer(arena, close_user, order);
}
