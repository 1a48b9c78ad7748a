// A task function takes a pointer, not a number.
// expect gcc: passing argument 1 of 'count' makes integer from pointer
// expect clang: incompatible pointer to integer conversion passing 'struct order *' to parameter of type 'int'
#include <weft/weft.h>

struct order {
    int id;
};

static int count(int n)
{
    return n;
}

int misuse(struct order *order);
int misuse(struct order *order)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, count, order);
    return wf_scope_join(&scope);
}
