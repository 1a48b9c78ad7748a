/*
 * Tests as tasks: each body runs on a fresh loop, under a deadline, and must leave nothing behind.
 *
 *     WF_TEST(a_sleeper_is_never_early)
 *     {
 *         int64_t started = wf_now();
 *         WF_EXPECT(wf_sleep(WF_MILLISECONDS(5)) == 0);
 *         WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(5));
 *     }
 *     WF_TEST_MAIN
 *
 * With WEFT_DRIVER=sim the tests run in a simulated world: a virtual clock that jumps to the next timer when every
 * task is suspended, pipes and TCP in memory, and one seed (WEFT_SEED, 1 by default) for everything that is free in
 * reality. Sleeps then take no time. Tests that need the real world say so (.real) and are skipped.
 *
 * After every test no task, scope, operation, descriptor or heap block of the library's allocator may be left; what is
 * left is named and the test fails. The program ends with a line "N passed, N failed" (", N skipped" where some were).
 */
#ifndef WEFT_TESTING_H
#define WEFT_TESTING_H

#include <weft/base.h>
#include <weft/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_test {
    const char *name;
    const char *place;
    void (*body)(void);
    int64_t timeout;  /* default 10 s */
    const char *dies; /* the body must end its process, with this text on standard error */
    bool plain;       /* the body runs outside any loop */
    bool real;        /* needs the real kernel or real time: skipped on the simulated driver */
    const char *rule; /* the rules of docs/semantics.md that it proves: "1.3 1.4" */
    struct wf_test *next_;
};

struct wf_test_options {
    int64_t timeout;
    const char *dies;
    bool plain;
    bool real;
    const char *rule;
};

/* Defines and registers a test, named as a claim. Options: .timeout, .plain, .dies, .real, .rule. */
#define WF_TEST(...) WF_TEST_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)
#define WF_TEST_(claim, ...)                                                                                           \
    static void claim(void);                                                                                           \
    static struct wf_test WF_JOIN_(claim, _test) = {.name = WF_TEXT_(claim), .place = WF_HERE_, .body = __VA_ARGS__};  \
    __attribute__((constructor)) static void WF_JOIN_(claim, _register)(void)                                          \
    {                                                                                                                  \
        wf_test_register_(&WF_JOIN_(claim, _test));                                                                    \
    }                                                                                                                  \
    static void claim(void)

/* Checks; a failure is printed with its place and values, and the test goes on. Each gives whether it held. */
#define WF_EXPECT(condition) wf_test_expect_((condition), #condition, WF_HERE_)
#define WF_EXPECT_INT(actual, expected) wf_test_expect_int_((actual), (expected), #actual, WF_HERE_)
#define WF_EXPECT_CODE(actual, expected) wf_test_expect_code_((actual), (expected), #actual, WF_HERE_)
#define WF_EXPECT_TEXT(actual, expected) wf_test_expect_text_((actual), (expected), #actual, WF_HERE_)
/* The text contains the part. */
#define WF_EXPECT_PART(text, part) wf_test_expect_part_((text), (part), #text, WF_HERE_)

#define WF_TEST_MAIN                                                                                                   \
    int main(int argc, char **argv)                                                                                    \
    {                                                                                                                  \
        return wf_test_main(argc, argv);                                                                               \
    }

WF_API void wf_test_register_(struct wf_test *test);
/* The runner, for a main of your own: the exit status is 0 when every test passed. */
WF_API int wf_test_main(int argc, char **argv);
WF_API bool wf_test_expect_(bool held, const char *text, const char *place);
WF_API bool wf_test_expect_int_(int64_t actual, int64_t expected, const char *text, const char *place);
WF_API bool wf_test_expect_code_(int64_t actual, int64_t expected, const char *text, const char *place);
WF_API bool wf_test_expect_text_(const char *actual, const char *expected, const char *text, const char *place);
WF_API bool wf_test_expect_part_(const char *text, const char *part, const char *expression, const char *place);

/* What the library reported since the test began, one message a line. */
WF_API const char *wf_test_reports(void);

/* Says that reports are expected: without this, a report fails the test. */
WF_API void wf_test_allow_reports(void);

/*
 * Cancels the scope at its so-and-so-many-th suspending call from now on, counted over all tasks of the loop: on
 * entry to the call, or once it is under way. Run a program again and again with 1, 2, 3 ... until wf_test_cancel_end
 * gives false (the injection did not fire), and it has been cancelled at every suspension point there is.
 * Suspends: never. Threads: inside a task; end it before the scope is left.
 */
struct wf_scope;
WF_API void wf_test_cancel_at(struct wf_scope *scope, uint64_t suspension, bool in_flight);
WF_API bool wf_test_cancel_end(void);

/* The same text, true while a failure was recorded in the running test. */
WF_API bool wf_test_failed(void);

#ifdef __cplusplus
}
#endif
#endif
