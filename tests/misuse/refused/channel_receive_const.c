// What is received must go where it can be written.
// expect gcc: discards 'const' qualifier
// expect clang: discards qualifiers
#include <weft/weft.h>

int misuse(struct wf_channel *numbers, const int *number);
int misuse(struct wf_channel *numbers, const int *number)
{
    return wf_receive(numbers, number);
}
