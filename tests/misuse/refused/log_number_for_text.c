// A field of text takes text.
// expect gcc: makes pointer from integer without a cast
// expect clang: incompatible integer to pointer conversion passing 'int'
#include <weft/weft.h>

void misuse(int number);
void misuse(int number)
{
    wf_log(WF_INFO, "a number", WF_TEXT("number", number));
}
