/* The storage, call by call. */
#include <weft/testing.h>
#include "storage.h"
WF_TEST(it_opens_and_closes)
{
    WF_SCOPE(scope);
    struct storage *storage;
    WF_EXPECT_CODE(storage_open(&scope, &(struct storage_options){.where = ":memory:", .provision = true, .seed = true},
                                &storage),
                   0);
    storage_close(storage);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}
WF_TEST_MAIN
