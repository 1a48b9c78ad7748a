// An option that there is not.
// expect gcc: has no member named 'tries'
// expect clang: does not refer to any field
#include <weft/weft.h>

int misuse(void);
int misuse(void)
{
    return wf_retry(wf_yield(), .tries = 3);
}
