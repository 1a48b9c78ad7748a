// Two scopes of one name in a block.
// expect: redefinition of 'scope'
#include <weft/weft.h>


int misuse(void);
int misuse(void)
{
    WF_SCOPE(scope);
    WF_SCOPE(scope);
    return wf_scope_join(&scope);
}
