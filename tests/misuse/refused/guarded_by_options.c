// A guard is a breaker, a rate, a bulkhead or a pipeline; options of a retry alone are not.
// expect gcc: '_Generic' selector of type
// expect clang: not compatible with any generic association
#include <weft/weft.h>

static const struct wf_retry_options thrice = WF_RETRY(.attempts = 3);

int misuse(void);
int misuse(void)
{
    return wf_guarded(&thrice, wf_yield());
}
