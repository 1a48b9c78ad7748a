/*
 * Result lost when cancel meets completion.
 *
 * The mistake: after a call has succeeded, asking whether one was cancelled instead of what the call returned. The
 * letter that was handed over a moment before the cancel is then neither in the box nor with the reader.
 * Known from asyncio.wait_for: python/asyncio#343 (an item of a queue gets lost), MagicStack/asyncpg#548.
 * Caught by the sweep: a cancel at every suspension point, and a count of the letters afterwards.
 */
// caught: post.read + (int)wf_semaphore_available(&post.box) is
#include <weft/testing.h>
#include <weft/weft.h>

struct post {
    struct wf_semaphore box;
    int sent, read;
};

#ifdef CORRECTED
static bool has_letter(int rc)
{
    return rc == 0;
}
#else
static bool has_letter(int rc)
{
    return rc == 0 && !wf_cancelled();
}
#endif

static int read_letters(struct post *post)
{
    int rc = 0;
    while (rc == 0 && post->read < 3) {
        rc = wf_semaphore_acquire(&post->box);
        if (!has_letter(rc)) return -ECANCELED;
        post->read++;
    }
    return rc;
}

static int send_letters(struct post *post)
{
    int rc = 0;
    for (; rc == 0 && post->sent < 3; post->sent++) {
        wf_semaphore_release(&post->box);
        rc = wf_yield();
    }
    return rc;
}

/* Gives whether the cancel at the k-th suspension took place. */
static bool cancel_at(uint64_t k)
{
    struct post post = {.box = WF_SEMAPHORE(0)};
    WF_SCOPE(scope);
    wf_test_cancel_at(&scope, k, false);
    wf_spawn(&scope, read_letters, &post);
    wf_spawn(&scope, send_letters, &post);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT_INT(post.read + (int)wf_semaphore_available(&post.box), post.sent);
    return wf_test_cancel_end();
}

WF_TEST(every_letter_is_read_or_still_in_the_box)
{
    for (uint64_t k = 1; cancel_at(k); k++) {}
}

WF_TEST_MAIN
