/*
 * Many like things at once: an array of jobs, inputs and outputs in the same struct.
 *
 *     struct check checks[] = {{.vin = "9HGBH41JXMN999999"}, {.vin = "INVALID_VIN"}};
 *     int status[WF_COUNT(checks)];
 *     int rc = wf_gather(checks, WF_COUNT(checks), check_vin, .limit = 10, .collect = status);
 *
 * Never more than `limit` children exist, so ten thousand jobs cost ten stacks.
 */
#ifndef WEFT_GROUP_H
#define WEFT_GROUP_H

#include <weft/scope.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_gather_options {
    size_t size; /* filled by the macro */
    size_t checked_;
    int (*call_)(void *);
    uint32_t limit;    /* at most so many at once; 0: all */
    int *collect;      /* results in order, errors in place; the call then fails only when it is itself cut short */
    const char *name;  /* of the children; default: the function's name */
    size_t stack_size; /* of the children */
    const char *function_;
    const char *place_;
};

/*
 * wf_gather(items, count, fn, .option = value, ...) runs fn(&items[i]) for every i and waits for all.
 * Without .collect the first error cancels the rest and is returned. With .collect every job runs to its end and
 * status[i] is job i's result; jobs that a cancel or a deadline kept from starting have -ECANCELED.
 * Suspends: until all have ended. On cancel: every job is cancelled and has ended. Errors: the first job's; -ECANCELED.
 */
#define wf_gather(items, count, ...)                                                                                   \
    wf_gather_((items), (count), sizeof((items)[0]),                                                                   \
               &(struct wf_gather_options){WF_GROUP_(wf_gather_options, items, __VA_ARGS__)})

struct wf_race_options {
    size_t size; /* filled by the macro */
    size_t checked_;
    int (*call_)(void *);
    size_t *winner;  /* index of the job that won; untouched when none did */
    int *collect;    /* every job's own result; losers that were cut have -ECANCELED */
    bool first_done; /* the first to end wins, whether it succeeded or failed */
    const char *name;
    size_t stack_size;
    const char *function_;
    const char *place_;
};

/*
 * wf_race(items, count, fn, .option = value, ...) runs fn(&items[i]) for every i; the first success cancels the others.
 * Returns the winner's result; the first error when all failed; -EINVAL for no items.
 * Suspends: until all have ended. On cancel: every job is cancelled and has ended.
 */
#define wf_race(items, count, ...)                                                                                     \
    wf_race_((items), (count), sizeof((items)[0]),                                                                     \
             &(struct wf_race_options){WF_GROUP_(wf_race_options, items, __VA_ARGS__)})

/* ---- What the macros stand on: private ---- */

WF_API WF_SUSPENDS int wf_gather_(void *items, size_t count, size_t item_size, const struct wf_gather_options *options);
WF_API WF_SUSPENDS int wf_race_(void *items, size_t count, size_t item_size, const struct wf_race_options *options);

#define WF_GROUP_(options, items, ...)                                                                                 \
    .size = sizeof(struct options), .place_ = WF_HERE_, .function_ = WF_TEXT_(WF_FIRST_(__VA_ARGS__)),                 \
    .checked_ = WF_TASK_FUNCTION_RETURNS_INT_(WF_FIRST_(__VA_ARGS__), &(items)[0]),                                    \
    .call_ = (int (*)(void *))__VA_ARGS__

#ifdef __cplusplus
}
#endif
#endif
