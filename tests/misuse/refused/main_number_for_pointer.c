// A number where the main task takes a pointer.
// expect gcc: passing argument 1 of 'load_user' makes pointer from integer
// expect clang: incompatible integer to pointer conversion passing 'int' to parameter of type 'struct user *'
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
    return wf_main(load_user, 5);
}
