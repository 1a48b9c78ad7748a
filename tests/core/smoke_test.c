#include <weft/weft.h>
#include <weft/testing.h>
static int add(int *x){ *x += 1; return 0; }
WF_TEST(smoke) { int n=0; WF_SCOPE(s); for(int i=0;i<1000;i++) wf_spawn(&s, add, &n); WF_EXPECT_CODE(wf_scope_join(&s),0); WF_EXPECT_INT(n,1000);}
WF_TEST(sleeps) { int64_t t=wf_now(); WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(20), wf_sleep(WF_SECONDS(5))), -ETIME); WF_EXPECT(wf_now()-t < WF_MILLISECONDS(60)); }
WF_TEST_MAIN
