/*
 * What the parts of the test runner share.
 *
 *     options.c   the command line       runner.c    which tests run, in which order and process
 *     body.c      one run of one test    fixture.c   what stands around it
 *     check.c     expectations           sequence.c  the order of things
 *     sweep.c     the same run, again and again, each with something injected
 *     ends.c      runs that never come back
 *     leaks.c     what was left behind   places.c    where that was made
 *     output.c    what is said           log.c       what was logged
 */
#ifndef WEFT_TESTING_RUNNER_H
#define WEFT_TESTING_RUNNER_H

#include <stdio.h>
#include <weft/testing.h>

#include "core/loop.h"

enum { TIMEOUT_DEFAULT_S = 10, NAME_MAX_SIZE = 256 };

/* ---- What is injected into a run ---- */

struct sweep_kind {
    const char *name;
    enum injection_kind kind; /* INJECT_NOTHING: an allocation fails */
    bool persistent;          /* and every later one too */
    bool simulated;           /* makes a difference only there */
};

struct plan {
    const struct sweep_kind *kind; /* NULL: nothing */
    uint64_t at;
};

/* By name; NULL: there is none. */
const struct sweep_kind *sweep_kind_named(const char *name, size_t size);

/* ---- Options ---- */

enum output_format { OUTPUT_TEXT, OUTPUT_TAP };

struct options {
    const char *part; /* of the names */
    const char *driver;
    const char *junit; /* a file; NULL: none */
    uint64_t seed;
    unsigned repeat, parallel;
    enum output_format format;
    bool list, verbose, colour, sweep, no_sweep;
    struct plan inject;
};

/* Gives -1, or the exit status of a program that ends here. */
int options_read(int argc, char **argv, struct options *options);

/* ---- One test, or one row of one ---- */

enum status { STATUS_NOT_RUN, STATUS_BEGUN, STATUS_PASSED, STATUS_FAILED, STATUS_SKIPPED };

/* In memory that all processes of the run share. */
struct result {
    enum status status;
    bool failure_said; /* also by a child that the test forked */
    int64_t duration_ns;
    off_t said_from, said_to; /* in the log of the process that ran it */
    unsigned process;
};

struct item {
    const struct wf_test *test;
    size_t row;
    uint64_t seed;
    size_t number; /* from 1 */
    struct result *result;
};

bool item_is_simulated(const struct item *item);
/* One line, whatever a row is called. */
void item_name(const struct item *item, char *name, size_t size);
static inline int64_t item_timeout(const struct item *item)
{
    return item->test->timeout > 0 ? item->test->timeout : WF_SECONDS(TIMEOUT_DEFAULT_S);
}

/* ---- The run: state of this process ---- */

struct running {
    struct options options;
    const char *program;
    pid_t process;
    const struct item *item; /* NULL: none runs */
    struct plan plan;
    bool swept;           /* this run is one of a sweep */
    bool dying;           /* in a process that must end */
    bool fired;           /* the plan has happened, in a loop that is over */
    uint64_t places_left; /* until it would have */
    bool failed;          /* the item */
    bool reports_allowed;
    uint64_t injected_runs;
};
extern struct running running;

/* ---- body.c ---- */

/* Runs the body, on a loop of its own or as it wants it, and checks what it left behind. */
void body_run(const struct item *item, struct plan plan);
/* Runs items one after another on one loop, with the fixtures that live longer than one of them. */
void body_run_together(const struct item *items, size_t count);
/* Runs a body that must end its process. */
void body_run_to_death(const struct item *item);

/* ---- ends.c ---- */

/* From now on a crash or an exit names the test that it happened in. Before the first loop. */
void ends_watch(void);
/* What the test does next must be over in twice that time, and some seconds; 0: there is nothing any more. */
void ends_within(int64_t duration_ns);
/* The body returned: ends a process that it forked and that should not be here. */
void ends_returned(void);
/* This process was forked in order to die, within that time. */
void ends_expected(int64_t duration_ns);

/* ---- fixture.c ---- */

/* Sets up what the test uses and is not there yet: long-lived ones in the one scope, the others in the other. */
int fixtures_start(struct wf_fixture *const *uses, struct wf_scope *lasting, struct wf_scope *passing);
/* Tears down, in reverse, those that live no longer than that, and of these the ones that `still_used` denies. */
void fixtures_stop(enum wf_fixture_life life, bool (*still_used)(const struct wf_fixture *fixture));
bool fixtures_outlive_test(struct wf_fixture *const *uses);
bool fixture_is_used(const struct wf_fixture *fixture, struct wf_fixture *const *uses);

/* ---- sweep.c ---- */

void sweep(const struct item *item);
bool sweep_is_wanted(const struct item *item);
/* The command that repeats this run; in a buffer of its own. */
const char *replay_command(void);

/* ---- sequence.c ---- */

void notes_begin(void);

/* ---- log.c ---- */

/* From now on lines of the log are caught; log_end shows them where the item has failed. */
void log_begin(void);
void log_end(void);

/* ---- inject.c ---- */

void inject_into(struct wf_scope *scope, enum injection_kind kind, uint64_t at, bool persistent);

/* ---- leaks.c ---- */

/* With its first thread a process may get another one, of a sanitizer; so this is not a test's. */
void leaks_prepare_process(void);

/* Remembers what is there; from now on allocations are counted, and, where `traced`, their places are kept. */
void leaks_begin(bool traced);
/* Allocations fail from here on as the plan says; counted from 1. */
void leaks_fail_allocation(uint64_t at, bool persistent);
/* How many would still have succeeded. */
uint64_t leaks_fail_end(void);
/* Did one fail? */
bool leaks_failed(void);
/* Says what is there now and was not before, or the other way round. */
void leaks_check(void);

/* ---- places.c ---- */

/* Says the function, file and line of each address that a call returns to; 32 at most. */
void say_places(void *const *addresses, size_t count);

/* ---- output.c ---- */

/* Before the first of so many items. */
bool output_open(size_t count);
/* Says a line about the running item, and marks it as failed. */
void say_failure(const char *format, ...) WF_PRINTF_(1, 2);
void say(const char *format, ...) WF_PRINTF_(1, 2);
void output_begin(const struct item *item);
void output_end(const struct item *item, bool skipped);
/* Says that and how to repeat it, while this process crashes, and the item with it. */
void output_crash(const char *text, const char *why);
/* The process that ran it is gone, or there was none. */
void output_lost(const struct item *item, const char *why);
/* What a process said about an item. Yours to free. */
char *output_of(const struct item *item);
/* Everything, once all have run; the exit status. */
int output_summary(const struct item *items, size_t count, uint64_t injected_runs);
/* In a process of its own: what is said goes to its log alone. */
void output_redirect(unsigned process);

#endif
