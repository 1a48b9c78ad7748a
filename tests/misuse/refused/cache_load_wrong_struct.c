// The load takes another struct than it is given.
// expect gcc: passing argument 1 of 'load_user' from incompatible pointer type
// expect clang: incompatible pointer types passing 'struct order *' to parameter of type 'struct user *'
#include <weft/weft.h>

struct order {
    int id;
};
struct user {
    int id;
};

static int load_user(struct user *user, struct wf_load *load)
{
    load->value = user;
    return 0;
}

int misuse(struct wf_cache **cache, struct order *order);
int misuse(struct wf_cache **cache, struct order *order)
{
    return wf_cache_create(cache, WF_LOAD(load_user, order), .ttl = WF_SECONDS(1));
}
