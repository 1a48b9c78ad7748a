// An item that was not sent is still the sender's: the result must be looked at.
// expect gcc: ignoring return value of 'wf_send_'
// expect clang: ignoring return value of function declared with 'warn_unused_result'
#include <weft/weft.h>

void misuse(struct wf_channel *numbers, int number);
void misuse(struct wf_channel *numbers, int number)
{
    wf_send(numbers, &number);
}
