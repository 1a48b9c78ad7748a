// The destructor of an abandoned job takes another struct than the job.
// expect gcc: passing argument 1 of 'forget_order' from incompatible pointer type
// expect clang: incompatible pointer types passing 'struct user *' to parameter of type 'struct order *'
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

static void forget_order(struct order *order)
{
    order->id = 0;
}

int misuse(struct user *user);
int misuse(struct user *user)
{
    return wf_offload_abandon(load_user, user, forget_order);
}
