// All readers of a value share its bytes: nobody may write them.
// expect gcc: discards 'const' qualifier
// expect clang: discards qualifiers
#include <weft/weft.h>

int misuse(struct wf_cache *cache, struct wf_arena *arena);
int misuse(struct wf_cache *cache, struct wf_arena *arena)
{
    int *number;
    return wf_cache_get(cache, wf_key_text("answer"), arena, &number);
}
