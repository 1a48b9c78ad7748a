/*
 * Out of memory is an error like any other. Sweeps fail the allocations of a test's body; here it is those of wf_run
 * itself, before there is one.
 */
#include <stdlib.h>
#include <weft/testing.h>
#include <weft/weft.h>

static _Atomic uint64_t allocations;
static uint64_t fail_at;
static bool fail_from_there_on;

static bool must_fail(void)
{
    uint64_t number = ++allocations; /* several loops begin at once */
    return number == fail_at || (fail_from_there_on && number > fail_at);
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

static int begin(bool *begun)
{
    *begun = true;
    return 0;
}

/* The body runs where nothing failed, and only there. Gives the number of places. */
static uint64_t fail_each(bool persistent, int loops)
{
    static const struct wf_allocator allocator = {.allocate = allocate, .resize = resize, .release = release};
    bool begun = false;
    fail_from_there_on = persistent;
    for (fail_at = 1; !begun && !wf_test_failed(); fail_at++) {
        allocations = 0;
        WF_EXPECT_CODE(wf_set_allocator(&allocator), 0);
        int rc = wf_run(begin, &begun, .threads = loops);
        bool failed = allocations >= fail_at;
        WF_EXPECT_CODE(rc, failed ? -ENOMEM : 0);
        WF_EXPECT(begun == !failed);
        WF_EXPECT_CODE(wf_set_allocator(NULL), 0); /* refused while a block is left */
    }
    return fail_at - 2;
}

WF_TEST(a_loop_that_lacks_memory_is_not_begun_and_leaves_nothing, .rule = "8.4", .plain = true)
{
    WF_EXPECT(fail_each(false, 1) >= 3);
    WF_EXPECT(fail_each(true, 1) >= 3);
    WF_EXPECT(fail_each(false, 3) >= 3);
    WF_EXPECT(fail_each(true, 3) >= 3);
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
