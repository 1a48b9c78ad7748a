/* Arenas. */
#include <weft/arena.h>

#include <string.h>
#include <weft/testing.h>

#include "base/arena.h" /* private: only an entry of the cache begins in lent memory */

WF_TEST(memory_is_aligned_distinct_and_kept, .plain = true)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    char *pieces[200];
    for (size_t i = 0; i < WF_COUNT(pieces); i++) {
        pieces[i] = wf_arena_alloc(&arena, i * 7);
        WF_EXPECT(pieces[i] != NULL && (uintptr_t)pieces[i] % 16 == 0);
        if (i > 0) WF_EXPECT(pieces[i] != pieces[i - 1]);
        memset(pieces[i], (int)i, i * 7);
    }
    for (size_t i = 1; i < WF_COUNT(pieces); i++) WF_EXPECT(pieces[i][i * 7 - 1] == (char)i);
    wf_arena_finish(&arena);
}

WF_TEST(a_limit_and_absurd_sizes_fail_cleanly, .plain = true)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    wf_arena_set_limit(&arena, 1000);
    WF_EXPECT(wf_arena_alloc(&arena, 900) != NULL);
    WF_EXPECT(wf_arena_alloc(&arena, 200) == NULL);
    WF_EXPECT(wf_arena_alloc(&arena, SIZE_MAX) == NULL);
    WF_EXPECT(wf_arena_array(&arena, SIZE_MAX / 2, 3) == NULL);
    wf_arena_reset(&arena);
    WF_EXPECT(wf_arena_alloc(&arena, 900) != NULL);
    wf_arena_finish(&arena);
}

WF_TEST(no_arena_is_one_without_memory, .plain = true)
{
    WF_EXPECT(wf_arena_alloc(NULL, 1) == NULL);
    WF_EXPECT(wf_arena_zero(NULL, 1) == NULL);
    WF_EXPECT(wf_arena_array(NULL, 1, 1) == NULL);
    WF_EXPECT(wf_arena_copy(NULL, "x", 1) == NULL);
    WF_EXPECT(wf_arena_strdup(NULL, "x") == NULL);
    WF_EXPECT(wf_arena_strndup(NULL, "x", 1) == NULL);
    WF_EXPECT(wf_arena_printf(NULL, "%d", 1) == NULL);
    WF_EXPECT_INT((int64_t)wf_arena_used(NULL), 0);
}

WF_TEST(text_is_copied_and_terminated, .plain = true)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    WF_EXPECT_TEXT(wf_arena_strdup(&arena, "hello"), "hello");
    WF_EXPECT_TEXT(wf_arena_strndup(&arena, "hello", 3), "hel");
    WF_EXPECT_TEXT(wf_arena_printf(&arena, "%s-%d", "order", 17), "order-17");
    wf_arena_finish(&arena);
}

WF_TEST(a_reset_settles_on_one_block, .plain = true)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    for (int round = 0; round < 10; round++) {
        for (int i = 0; i < 100; i++) WF_EXPECT(wf_arena_zero(&arena, 100) != NULL);
        wf_arena_reset(&arena);
    }
    size_t blocks = wf_allocated_blocks();
    for (int i = 0; i < 70; i++) WF_EXPECT(wf_arena_zero(&arena, 100) != NULL);
    WF_EXPECT(wf_allocated_blocks() == blocks);
    wf_arena_finish(&arena);
}

/* ---- Deferred calls ---- */

struct notes {
    char text[32];
    struct wf_arena *arena;
    char *copy;
};

static void note_a(struct notes *notes)
{
    strcat(notes->text, "a");
    if (notes->copy != NULL) memcpy(notes->copy, notes->text, sizeof notes->text);
}

static void note_b(struct notes *notes)
{
    strcat(notes->text, "b");
    if (notes->arena != NULL) WF_EXPECT_CODE(wf_arena_defer(notes->arena, note_a, notes), 0);
}

WF_TEST(deferred_calls_are_made_once_the_last_one_first, .plain = true, .rule = "3.13")
{
    struct wf_arena arena;
    struct notes notes = {.text = ""};
    wf_arena_init(&arena);
    WF_EXPECT_CODE(wf_arena_defer(&arena, note_a, &notes), 0);
    WF_EXPECT(wf_arena_alloc(&arena, 5000) != NULL); /* in another block */
    WF_EXPECT_CODE(wf_arena_defer(&arena, note_b, &notes), 0);
    WF_EXPECT_TEXT(notes.text, "");
    wf_arena_reset(&arena);
    WF_EXPECT_TEXT(notes.text, "ba");
    wf_arena_reset(&arena);
    WF_EXPECT_TEXT(notes.text, "ba");
    WF_EXPECT_CODE(wf_arena_defer(&arena, note_b, &notes), 0);
    wf_arena_finish(&arena);
    wf_arena_finish(&arena);
    WF_EXPECT_TEXT(notes.text, "bab");
}

WF_TEST(a_deferred_call_sees_the_memory_and_may_defer_again, .plain = true)
{
    struct wf_arena arena;
    wf_arena_init(&arena);
    struct notes *notes = wf_arena_new(&arena, struct notes);
    if (!WF_EXPECT(notes != NULL)) return;
    char copy[sizeof notes->text] = "";
    notes->arena = &arena;
    notes->copy = copy;
    WF_EXPECT_CODE(wf_arena_defer(&arena, note_b, notes), 0);
    WF_EXPECT(wf_arena_alloc(&arena, 300 * 1024) != NULL); /* a block that a reset does not keep */
    wf_arena_reset(&arena);
    WF_EXPECT_INT((int64_t)wf_arena_used(&arena), 0);
    WF_EXPECT_TEXT(copy, "ba");
    wf_arena_finish(&arena);
}

WF_TEST(a_call_that_cannot_be_deferred_is_not_made, .plain = true)
{
    struct wf_arena arena;
    struct notes notes = {.text = ""};
    wf_arena_init(&arena);
    wf_arena_set_limit(&arena, 40);
    WF_EXPECT_CODE(wf_arena_defer(&arena, note_a, &notes), 0);
    WF_EXPECT_CODE(wf_arena_defer(&arena, note_b, &notes), -ENOMEM);
    WF_EXPECT_CODE(wf_arena_defer(NULL, note_b, &notes), -ENOMEM);
    wf_arena_finish(&arena);
    WF_EXPECT_TEXT(notes.text, "a");
}

/* ---- A first block that is somebody else's ---- */

WF_TEST(an_arena_may_begin_in_lent_memory, .plain = true)
{
    _Alignas(16) char memory[ARENA_BLOCK_HEAD + 64];
    size_t blocks = wf_allocated_blocks();
    struct wf_arena arena;
    wf_arena_init(&arena);
    arena_lend(&arena, memory, sizeof memory);
    char *text = wf_arena_strdup(&arena, "hello");
    WF_EXPECT(text >= memory && text < memory + sizeof memory);
    WF_EXPECT_INT((int64_t)arena_own_memory(&arena), 0);
    WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)blocks);
    WF_EXPECT(wf_arena_alloc(&arena, 100) != NULL);
    WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)blocks + 1);
    WF_EXPECT(arena_own_memory(&arena) >= 100 && arena_own_memory(&arena) < 400);
    WF_EXPECT_TEXT(text, "hello");
    wf_arena_reset(&arena);
    WF_EXPECT(wf_arena_alloc(&arena, 10) != NULL);
    wf_arena_finish(&arena);
    WF_EXPECT_INT((int64_t)wf_allocated_blocks(), (int64_t)blocks);
    memset(memory, 1, sizeof memory); /* is not poisoned */
}

WF_TEST(error_texts_know_both_kinds, .plain = true)
{
    WF_EXPECT_TEXT(wf_strerror(-ENOENT), "No such file or directory");
    WF_EXPECT_TEXT(wf_strerror(ENOENT), "No such file or directory");
    WF_EXPECT_TEXT(wf_strerror(WF_EEND), "Stream ended early");
    WF_EXPECT_TEXT(wf_strerror(WF_EOPEN), "Circuit breaker is open");
    WF_EXPECT_TEXT(wf_strerror(WF_EFULL), "Refused, too many are waiting");
    WF_EXPECT_TEXT(wf_strerror(WF_ESTATUS), "The answer's status is an error");
    WF_EXPECT_TEXT(wf_strerror(-ETIME), "Deadline expired");
    WF_EXPECT_TEXT(wf_strerror(-99999), "Unknown error");
    WF_EXPECT_TEXT(wf_strerror(0), "Success");
}

WF_TEST_MAIN
