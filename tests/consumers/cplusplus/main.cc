// A program in C++ that includes every header, and calls what needs no macro with options.
#include <cstdio>
#include <cstring>
#include <weft/testing.h>
#include <weft/weft.h>

int main()
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    const char *text = wf_arena_printf(&arena, "%s", wf_strerror(-ETIME));
    bool good = text != nullptr && std::strcmp(text, wf_strerror(ETIME)) == 0 && wf_now() > 0 && !wf_in_task();
    if (good) std::puts("called from C++");
    wf_arena_finish(&arena);
    return good ? 0 : 1;
}
