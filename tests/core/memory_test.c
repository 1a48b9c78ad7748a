/* Out of memory is an error like any other: the k-th allocation fails, for every k, and nothing leaks or breaks. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "program.h" /* shared with the other sweep */

static long allocations, fail_at;
static bool fail_from_there_on;

static bool must_fail(void)
{
    allocations++;
    return fail_at > 0 && (allocations == fail_at || (fail_from_there_on && allocations > fail_at));
}

static void *allocate(void *context, size_t size)
{
    (void)context;
    return must_fail() ? NULL : malloc(size);
}

static void *resize(void *context, void *memory, size_t size)
{
    (void)context;
    return must_fail() ? NULL : realloc(memory, size);
}

static void release(void *context, void *memory)
{
    (void)context;
    free(memory);
}

static int sweep(bool persistent)
{
    static const struct wf_allocator allocator = {.allocate = allocate, .resize = resize, .release = release};
    int runs = 0;
    fail_from_there_on = persistent;
    for (fail_at = 1;; fail_at++) {
        allocations = 0;
        WF_EXPECT_CODE(wf_set_allocator(&allocator), 0);
        int rc = wf_run(use_everything, NULL);
        bool fired = allocations >= fail_at;
        WF_EXPECT_CODE(wf_set_allocator(NULL), 0);
        bool expected =
            rc == 0 || rc == -ENOMEM || rc == -EAGAIN || rc == -EPROTO || rc == -EINVAL || rc == -ECONNRESET;
        if (!expected || wf_test_failed()) {
            WF_EXPECT_CODE(rc, -ENOMEM);
            WF_EXPECT_INT(fail_at, -1);
            break;
        }
        runs++;
        if (!fired) break;
    }
    fail_at = 0;
    return runs;
}

WF_TEST(every_single_allocation_may_fail, .rule = "8.4", .plain = true, .timeout = WF_SECONDS(60))
{
    wf_test_allow_reports();
    WF_EXPECT(sweep(false) > 30);
}

WF_TEST(every_allocation_from_any_point_on_may_fail, .rule = "8.4", .plain = true, .timeout = WF_SECONDS(60))
{
    wf_test_allow_reports();
    WF_EXPECT(sweep(true) > 30);
}

static int keep_a_block(void *unused)
{
    (void)unused;
    return wf_set_allocator(NULL);
}

WF_TEST(the_allocator_cannot_be_replaced_while_it_is_used, .rule = "8.4", .plain = true)
{
    WF_EXPECT_CODE(wf_run(keep_a_block, NULL), -EBUSY);
    WF_EXPECT_CODE(wf_set_allocator(&(struct wf_allocator){.allocate = allocate}), -EINVAL);
}

WF_TEST_MAIN
