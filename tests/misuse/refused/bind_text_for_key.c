// A task-local is found by its key, not by a name.
// expect gcc: from incompatible pointer type
// expect clang: incompatible pointer types initializing 'const struct wf_local *'
#include <weft/weft.h>


int misuse(void);
int misuse(void)
{
    char value[] = "r-17";
    WF_BIND(bound, "request_id", value);
    return 0;
}
