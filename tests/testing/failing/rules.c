/* Tests that say which rules they prove, and what is said about it. */
#include <weft/testing.h>

WF_TEST(it_proves, .rule = "1.2 3.4")
{
}

WF_TEST(it_does_not)
{
}

WF_TEST_MAIN
