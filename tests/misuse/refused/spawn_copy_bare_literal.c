// The comma of a compound literal divides the arguments of a macro: it needs parentheses of its own.
// expect gcc: to match this '{'
// expect clang: to match this '{'
#include <weft/weft.h>

struct pair {
    int left, right;
};

static int load_pair(struct pair *pair)
{
    return pair->left;
}

int misuse(void);
int misuse(void)
{
    WF_SCOPE(scope);
    wf_spawn_copy(&scope, load_pair, &(struct pair){1, 2});
    return wf_scope_join(&scope);
}
