/*
 * Time: nanoseconds as int64_t on the monotonic clock, so that a step of the wall clock has no effect.
 *
 *     int64_t started = wf_now();
 *     wf_sleep(WF_MILLISECONDS(250));
 *     printf("%.3f s\n", wf_seconds(wf_now() - started));
 *
 * A duration is relative, a deadline absolute (a value of wf_now). No call takes a timeout: deadlines belong to scopes
 * (scope.h).
 */
#ifndef WEFT_TIME_H
#define WEFT_TIME_H

#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define WF_NANOSECONDS(n) ((int64_t)(n))
#define WF_MICROSECONDS(n) ((int64_t)((n)*INT64_C(1000)))
#define WF_MILLISECONDS(n) ((int64_t)((n)*INT64_C(1000000)))
#define WF_SECONDS(n) ((int64_t)((n)*INT64_C(1000000000)))
#define WF_MINUTES(n) ((int64_t)((n)*INT64_C(60000000000)))

/* As a duration: no bound. As a deadline: never. */
#define WF_FOREVER INT64_MAX

/* The monotonic time in nanoseconds, read at the call; in a simulated world, that world's time. Threads: any. */
WF_API int64_t wf_now(void);

/* The date: nanoseconds since 1970 in UTC. May be set back and forth, so it is for time stamps, not for durations. A
 * simulated world begins with the year 2000. Threads: any. */
WF_API int64_t wf_wall_now(void);

/* Nanoseconds as seconds, for people. */
static inline double wf_seconds(int64_t duration_ns)
{
    return (double)duration_ns / 1e9;
}

/* now + duration without overflow: ends at WF_FOREVER, and at 0 below. */
static inline int64_t wf_deadline_after(int64_t duration_ns)
{
    int64_t deadline;
    if (__builtin_add_overflow(wf_now(), duration_ns, &deadline)) return WF_FOREVER;
    return deadline < 0 ? 0 : deadline;
}

/*
 * Suspends the task for `duration_ns`, never less. Zero and less give the other tasks one turn.
 * Suspends: always. On cancel: returns at once.
 * Errors: -ECANCELED. Threads: inside a task.
 */
WF_API WF_SUSPENDS int wf_sleep(int64_t duration_ns);

/* The same until an absolute time; WF_FOREVER sleeps until cancelled. Suspends: always. On cancel: returns at once. */
WF_API WF_SUSPENDS int wf_sleep_until(int64_t deadline_ns);

/*
 * Lets every task that is runnable now run once before this one goes on.
 * Suspends: always. On cancel: returns at once. Errors: -ECANCELED. Threads: inside a task.
 */
WF_API WF_SUSPENDS int wf_yield(void);

#ifdef __cplusplus
}
#endif
#endif
