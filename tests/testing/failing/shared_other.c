/* Another suite of the same program. */
#include <stdio.h>
#include <weft/weft.h>

#include "shared.h"

WF_FIXTURE(cache, .life = WF_PER_SUITE)
{
    puts("  cache up");
    wf_provide(NULL);
    puts("  cache down");
    return 0;
}

WF_TEST(lives_eight, .uses = {&cache, &world})
{
    puts("      eight");
}

WF_TEST(lives_nine, .uses = {&world})
{
    WF_EXPECT(*(int *)wf_use(&world) == 1);
    puts("      nine");
}
