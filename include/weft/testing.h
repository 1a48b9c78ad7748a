/*
 * Tests as tasks: each body runs on a fresh loop, under a deadline, and must leave nothing behind.
 *
 *     WF_TEST(a_sleeper_is_never_early)
 *     {
 *         int64_t started = wf_now();
 *         WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(5)), 0);
 *         WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(5));
 *     }
 *     WF_TEST_MAIN
 *
 * With WEFT_DRIVER=sim the tests run in a simulated world (weft/sim.h): a virtual clock that jumps when every task is
 * suspended, a network and files in memory, and one seed for everything that is free in reality. Sleeps then take no
 * time, and a failure is repeated exactly by the line that the runner prints. Tests that need the real kernel or real
 * time say so (.real) and are skipped there.
 *
 * After every test no task, scope, operation, descriptor, thread or heap block of the library's allocator may be left;
 * what is left is named with the place where it was made, and the test fails. A deadlock is a failure that shows every
 * task. The program ends with a line "N passed, N failed" (", N skipped" where some were); --help lists what the runner
 * can do.
 */
#ifndef WEFT_TESTING_H
#define WEFT_TESTING_H

#include <weft/base.h>
#include <weft/time.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_scope;
struct wf_task;

/* ---- Tests ---- */

struct wf_test {
    const char *name;
    const char *place;
    void (*body)(void);
    int64_t timeout;     /* of the body, and of each fixture's set-up and tear-down; default 10 s */
    const char *dies;    /* the body must end its process, with this text on standard error */
    bool plain;          /* the body runs outside any loop */
    bool real;           /* needs the real kernel or real time: skipped on the simulated driver */
    bool simulated;      /* runs in a simulated world, whatever the driver of the others */
    bool sweep;          /* swept in every run, not only with --sweep */
    const char *unswept; /* never swept, and why */
    const char *rule;    /* the rules of docs/semantics.md that it proves: "1.3 1.4" */
    int loops;           /* of its run (weft/loops.h); default 1 */
    uint64_t passes_max; /* simulated: passes of the loop without waiting for time; default 1,000,000 */
    const void *table;   /* of WF_TEST_EACH: the body runs once for each row, wf_test_row says for which */
    size_t rows;
    const char *(*row_name)(size_t row);
    struct wf_fixture *uses[4];
    struct wf_test *next_;
};

/*
 * WF_TEST(claim, .option = value, ...) { body } defines and registers a test, named as a claim. The options are the
 * fields of struct wf_test: .timeout, .dies, .plain, .real, .simulated, .sweep, .unswept, .rule, .loops, .passes_max,
 * .uses.
 */
#define WF_TEST(...) WF_TEST_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)

/*
 * A test that runs once for each row of a table, an array; in the body `row` points to it:
 *
 *     static const struct vin_case { const char *vin; int code; } vins[] = {{"1HGCM82633A123456", 0}, {"?", -EINVAL}};
 *     WF_TEST_EACH(a_vin_is_checked, vins, .timeout = WF_SECONDS(1))
 *     {
 *         WF_EXPECT_CODE(check_vin(row->vin), row->code);
 *     }
 *
 * A row is called claim[0], claim[1] ..., or, with .row_name = function, what that gives for the row's number.
 */
#define WF_TEST_EACH(claim, ...) WF_TEST_EACH_(claim, WF_FIRST_(__VA_ARGS__), __VA_ARGS__)

#define WF_TEST_MAIN                                                                                                   \
    int main(int argc, char **argv)                                                                                    \
    {                                                                                                                  \
        return wf_test_main(argc, argv);                                                                               \
    }

/* The runner, for a main of your own: the exit status is 0 when every test passed, 2 for a bad command line. */
WF_API int wf_test_main(int argc, char **argv);

/* The number of the row that runs. Suspends: never. */
WF_API size_t wf_test_row(void);

/* Has a check failed in the running test so far? Suspends: never. */
WF_API bool wf_test_failed(void);

/* ---- Expectations ---- */

/*
 * Checks; a failure is printed with its place and values, and the test goes on. Each gives whether it held. In a run of
 * a sweep they count until the injection has happened; after that only WF_INVARIANT does.
 */
#define WF_EXPECT(condition) wf_test_expect_((condition), #condition, WF_HERE_)
#define WF_EXPECT_INT(actual, expected) wf_test_expect_int_((actual), (expected), #actual, WF_HERE_)
#define WF_EXPECT_CODE(actual, expected) wf_test_expect_code_((actual), (expected), #actual, WF_HERE_)
#define WF_EXPECT_TEXT(actual, expected) wf_test_expect_text_((actual), (expected), #actual, WF_HERE_)
/* The text contains the part. */
#define WF_EXPECT_PART(text, part) wf_test_expect_part_((text), (part), #text, WF_HERE_)
/* The call gives that code, and says that: part of the message that wf_fail set. What came instead is shown. */
#define WF_EXPECT_FAILURE(actual, expected, part)                                                                      \
    wf_test_expect_failure_((actual), (expected), (part), #actual, WF_HERE_)
/* Among the errors of an ended scope is one with that code, and with that part in its path or message. Else the list is
 * shown. */
#define WF_EXPECT_ERROR(scope, code, part) wf_test_expect_error_((scope), (code), (part), WF_HERE_)

/* Holds whatever happens, also in runs of a sweep that were cut short. */
#define WF_INVARIANT(condition) wf_test_invariant_((condition), #condition, WF_HERE_)

/* Evaluates the expression, and expects that the task was suspended in it, or that it was not. */
#define WF_EXPECT_SUSPENDS(...) WF_TEST_SUSPENSION_(true, __VA_ARGS__)
#define WF_EXPECT_NO_SUSPENSION(...) WF_TEST_SUSPENSION_(false, __VA_ARGS__)

/* ---- Fixtures ---- */

enum wf_fixture_life {
    WF_PER_TEST,
    WF_PER_SUITE, /* the tests of one source file, in one go */
    WF_PER_RUN,   /* all the tests of the program */
};

struct wf_fixture {
    const char *name;
    const char *place;
    int (*body)(void);
    enum wf_fixture_life life;
    int64_t timeout;            /* of its set-up, and of its tear-down; default 10 s */
    struct wf_fixture *uses[4]; /* set up before it, torn down after it */
    const struct wf_fixture *self_;
};

/*
 * A fixture is a task: it sets up, provides, and tears down.
 *
 *     WF_FIXTURE(database, .life = WF_PER_SUITE)
 *     {
 *         struct database *db;
 *         int rc = database_open(&db);
 *         if (rc < 0) return rc;          // the tests that use it fail, and say why
 *         wf_provide(db);                 // the tests run here
 *         return database_close(db);      // also after a failure, a cancel, a deadline
 *     }
 *
 *     WF_FIXTURE(user, .uses = {&database}) { ... wf_use(&database) ... }
 *
 *     WF_TEST(a_user_is_found, .uses = {&user}) { struct person *found = wf_use(&user); ... }
 *
 * WF_FIXTURE(name) defines a static `struct wf_fixture name`. Fixtures are set up in the order of `uses`, those that
 * live longer first, and what a fixture uses before itself; they are torn down in reverse, one after another. One that
 * lives per test runs on the test's own loop. Tests that use, even indirectly, one that lives longer share one loop for
 * as long as it lives, so that its streams and tasks are theirs to use; what such a test leaves behind is found when
 * the loop ends. Runs of a sweep and tests that die are alone: they set up all that they use for themselves.
 */
#define WF_FIXTURE(...) WF_FIXTURE_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)

/* The same for the tests of several source files, which say `extern struct wf_fixture name;` in a header of theirs. */
#define WF_FIXTURE_SHARED(...) WF_FIXTURE_SHARED_(WF_FIRST_(__VA_ARGS__), __VA_ARGS__)

/*
 * Called by the fixture: hands the value to its users, and waits until all of them have ended. WF_UNCANCELLABLE: they
 * hold what it provided; bounded by their deadlines.
 * Suspends: until then. On cancel: goes on waiting; what is torn down afterwards needs a shield to suspend.
 * Errors: -ECANCELED, where it was cancelled meanwhile.
 */
WF_API WF_SUSPENDS WF_UNCANCELLABLE int wf_provide(void *value);

/* What a fixture provided. Only for those that are named in `uses`; aborts for others. Suspends: never. */
WF_API void *wf_use(const struct wf_fixture *fixture);

/* ---- Reports, order ---- */

/* What the library reported since the test began, one message a line. Suspends: never. */
WF_API const char *wf_test_reports(void);

/* Says that reports are expected: without this, a report fails the test. Suspends: never. */
WF_API void wf_test_allow_reports(void);

/* What was logged (weft/log.h) since the test began, in logfmt; the first 64 KiB. Every test begins with the levels of
 * the environment. Valid until the next call. Suspends: never. */
WF_API const char *wf_test_log(void);

/*
 * A log for the order of things: notes are joined by blanks, and the log is empty when a test begins.
 *
 *     wf_test_note("open %s", name); ...
 *     WF_EXPECT_TEXT(wf_test_notes(), "open a open b close b close a");
 *
 * Suspends: never.
 */
WF_API void wf_test_note(const char *format, ...) WF_PRINTF_(1, 2);
WF_API const char *wf_test_notes(void);

/* Steps of several tasks in a fixed order, from 0. Zero-initialised; each number is used once. */
struct wf_sequence {
    struct wf_sequence_step_ *waiting_;
    const struct wf_task *owner_; /* of the step that is under way */
    uint64_t next_;
};

/*
 * Goes on when all the steps below are over. A step is over when its task asks for another one, or says so.
 * Suspends: until it is the step's turn. On cancel: the step is not taken, and those behind it are never due.
 * Errors: -ECANCELED; -EINVAL for a step that was taken already.
 */
WF_API WF_SUSPENDS int wf_test_step(struct wf_sequence *sequence, uint64_t step);

/* The caller's step is over. Suspends: never. */
WF_API void wf_test_step_over(struct wf_sequence *sequence);

/* ---- Time ---- */

/*
 * Waits until every other task waits, and nothing is on its way to any of them: only timers, deadlines and the outside
 * world could go on from here. On the simulated driver that is exact; on the others the kernel may know more.
 * Suspends: at least once. On cancel: nothing. Errors: -ECANCELED.
 */
WF_API WF_SUSPENDS int wf_test_wait_idle(void);

/* ---- Injection ---- */

/*
 * Sweeps repeat a test, and in each run something happens at the k-th chance, for k = 1, 2, 3 ... until it does not
 * happen any more: the test is cancelled (on entry to a suspending call; when the call is under way; when the operation
 * completes all the same), an allocation fails, an operation fails, a transfer is cut to one byte; the failures also
 * from there on for good, the cuts a thousand times. Whatever happens, the test must end, and leave nothing behind, and
 * its invariants must hold.
 * `.sweep = true` turns any test into a sweep, --sweep all that do not say .unswept; --inject repeats one run.
 *
 * By hand: cancels the scope at its so-and-so-many-th suspending call from now on, counted over all tasks inside: on
 * entry to the call, or once it is under way. wf_test_cancel_end tells whether it happened.
 * Suspends: never. Threads: inside a task; end it before the scope is left.
 */
WF_API void wf_test_cancel_at(struct wf_scope *scope, uint64_t suspension, bool in_flight);
WF_API bool wf_test_cancel_end(void);

/* Has the injection of this run of a sweep happened? Suspends: never. */
WF_API bool wf_test_injected(void);

/* ---- What the macros stand on: private ---- */

WF_API void wf_test_register_(struct wf_test *test);
WF_API bool wf_test_expect_(bool held, const char *text, const char *place);
WF_API bool wf_test_expect_int_(int64_t actual, int64_t expected, const char *text, const char *place);
WF_API bool wf_test_expect_code_(int64_t actual, int64_t expected, const char *text, const char *place);
WF_API bool wf_test_expect_text_(const char *actual, const char *expected, const char *text, const char *place);
WF_API bool wf_test_expect_part_(const char *text, const char *part, const char *expression, const char *place);
WF_API bool wf_test_expect_failure_(int64_t actual, int64_t expected, const char *part, const char *text,
                                    const char *place);
WF_API bool wf_test_expect_error_(const struct wf_scope *scope, int code, const char *part, const char *place);
WF_API bool wf_test_invariant_(bool held, const char *text, const char *place);
WF_API uint32_t wf_test_turns_(void);
WF_API void wf_test_expect_turns_(bool more, uint32_t before, const char *text, const char *place);

#define WF_TEST_REGISTER_(claim)                                                                                       \
    __attribute__((constructor)) static void WF_JOIN_(claim, _register)(void)                                          \
    {                                                                                                                  \
        wf_test_register_(&WF_JOIN_(claim, _test));                                                                    \
    }

#define WF_TEST_(claim, ...)                                                                                           \
    static void claim(void);                                                                                           \
    static struct wf_test WF_JOIN_(claim, _test) = {.name = WF_TEXT_(claim), .place = WF_HERE_, .body = __VA_ARGS__};  \
    WF_TEST_REGISTER_(claim)                                                                                           \
    static void claim(void)

#define WF_TEST_EACH_(claim, array, ...)                                                                               \
    static void claim(__typeof__(&(array)[0]) row);                                                                    \
    static void WF_JOIN_(claim, _row)(void)                                                                            \
    {                                                                                                                  \
        claim(&(array)[wf_test_row()]);                                                                                \
    }                                                                                                                  \
    static struct wf_test WF_JOIN_(claim, _test) = {.name = WF_TEXT_(claim),                                           \
                                                    .place = WF_HERE_,                                                 \
                                                    .body = WF_JOIN_(claim, _row),                                     \
                                                    .rows = WF_COUNT(array),                                           \
                                                    .table = __VA_ARGS__};                                             \
    WF_TEST_REGISTER_(claim)                                                                                           \
    static void claim(__typeof__(&(array)[0]) row)

#define WF_FIXTURE_(fixture_name, ...)                                                                                 \
    static struct wf_fixture fixture_name;                                                                             \
    WF_FIXTURE_DEFINE_(fixture_name, static, __VA_ARGS__)

#define WF_FIXTURE_SHARED_(fixture_name, ...)                                                                          \
    extern struct wf_fixture fixture_name;                                                                             \
    WF_FIXTURE_DEFINE_(fixture_name, , __VA_ARGS__)

#define WF_FIXTURE_DEFINE_(fixture_name, linkage, ...)                                                                 \
    static int WF_JOIN_(fixture_name, _body)(void);                                                                    \
    linkage struct wf_fixture fixture_name = {.name = WF_TEXT_(fixture_name),                                          \
                                              .place = WF_HERE_,                                                       \
                                              .body = WF_JOIN_(fixture_name, _body),                                   \
                                              .self_ = &__VA_ARGS__};                                                  \
    static int WF_JOIN_(fixture_name, _body)(void)

#define WF_TEST_SUSPENSION_(more, ...)                                                                                 \
    __extension__({                                                                                                    \
        uint32_t wf_turns_before_ = wf_test_turns_();                                                                  \
        __typeof__(__VA_ARGS__) wf_value_ = (__VA_ARGS__);                                                             \
        wf_test_expect_turns_((more), wf_turns_before_, #__VA_ARGS__, WF_HERE_);                                       \
        wf_value_;                                                                                                     \
    })

#ifdef __cplusplus
}
#endif
#endif
