// The bytes of a pointer to text are no key.
// expect gcc: for text use wf_key_text
// expect clang: for text use wf_key_text
#include <weft/weft.h>

struct wf_key misuse(const char *name);
struct wf_key misuse(const char *name)
{
    return WF_KEY(name);
}
