// A counter only grows: it cannot be set.
// expect gcc: from incompatible pointer type
// expect clang: incompatible pointer types passing 'struct wf_counter *'
#include <weft/weft.h>

WF_COUNTER(requests, "requests_total", "Requests answered.");

void misuse(void);
void misuse(void)
{
    wf_gauge_set(&requests, 0);
}
