// The message of wf_logf is checked like printf's.
// expect: format
#include <weft/weft.h>

void misuse(const char *text);
void misuse(const char *text)
{
    wf_logf(WF_INFO, "%d", text);
}
