// A channel cannot have less room than none.
// expect gcc: is negative
// expect clang: array size is negative
#include <weft/weft.h>

int misuse(void);
int misuse(void)
{
    WF_CHANNEL(numbers, int, -1);
    return wf_channel_close(&numbers);
}
