/*
 * What the policies have to say, each thing once: a line of the log with its fields, and a metric. They call this and
 * log nothing of it themselves.
 *
 *     module    line                    level    fields
 *     retry     attempt failed          warn     name, attempt, delay_ms, error
 *               attempts are over       warn     name, attempts, error, reason
 *     breaker   breaker opened          warn     name, from, error
 *               breaker half-opened     info     name, from
 *               breaker closed          info     name, from
 *     bulkhead  calls are refused       warn     name, reason; for the first since one came in without waiting
 *     background
 *               task failed             error    name, error, reason
 *               run failed              error    name, error, reason; of a periodic task, which goes on
 *               task cancelled          info     name, reason
 *               tasks are refused       warn     name, refused, error; for the first since one was started
 *               tasks are left          warn     name, count, tasks; after their cancel
 *     pool      resource replaced       warn     name, reason, error
 *               resource closed         debug    name, reason
 *               resource not opened     warn     name, delay_ms, error
 *     cache     refresh failed          warn     name, error (once a second for each cache)
 *     serve     cannot accept           warn     name, error, unlogged (once in five seconds for each server)
 *               connection failed       warn     name, error, reason, unlogged (the same)
 *
 * `name` is the policy's, for people; NULL: it has none. Lines about a background task are its own: they carry what
 * every line of a task does, its name and context.
 */
#ifndef WEFT_OBSERVE_EVENT_H
#define WEFT_OBSERVE_EVENT_H

#include <weft/base.h>

/* ---- Retries ---- */

/* An attempt (the first is 1) failed, and another one follows after the delay. Counts weft_retries_total. */
void event_retry(const char *name, uint32_t attempt, int64_t delay_ns, int error);

/* The last of the attempts failed, and none follows; `why` for people. Counts weft_retries_exhausted_total. */
void event_retries_over(const char *name, uint32_t attempts, int error, const char *why);

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

/* ---- Circuit breakers ---- */

/* It went from one state to another; `error`: what opened it, 0 else. Counts weft_breaker_transitions_total. */
void event_breaker(const char *name, enum breaker_state from, enum breaker_state to, int error);

/* ---- Bulkheads ---- */

/* A call was refused (`why`: "full"), or shed. `first` of a burst: a line. Counts weft_bulkhead_refused_total. */
void event_bulkhead(const char *name, const char *why, bool first);

/* ---- Background tasks ---- */

/* One more lives, one fewer: the gauge weft_background_tasks. `outcome`: "finished", "failed" or "cancelled"; counts
 * weft_background_ended_total. */
void event_background_started(const char *name);
void event_background_ended(const char *name, const char *outcome);

/* By the task itself, once. `goes_on`: one run of a periodic task. */
void event_background_failed(const char *name, int error, const char *message, bool goes_on);
void event_background_cancelled(const char *name, const char *why);

/* A start was refused. `first` of a burst: a line. Counts weft_background_refused_total. */
void event_background_refused(const char *name, const char *task, int error, bool first);

/* So many runs were not made. Counts weft_background_skipped_total. */
void event_background_skipped(const char *name, uint64_t runs);

/* They had not ended when the time after their cancel was over. */
void event_background_left(const char *name, uint32_t count, const char *tasks);

/* ---- Pools ---- */

/* Where a pool of that name counts the resources that are lent, or idle. */
struct wf_gauge *event_pool_gauge(const char *name, bool lent);

/* A pool closed a resource; `replaced`: because it did not work any more. `reason` is a word for people, `error` what
 * went wrong, or 0. Counts weft_pool_closed_total. */
void event_pool_closed(const char *name, const char *reason, bool replaced, int error);

/* A pool could not open what it is to keep, and tries again after the delay. Counts weft_pool_unopened_total. */
void event_pool_unopened(const char *name, int64_t delay_ns, int error);

/* ---- Caches ---- */

/* A value past its time was to be loaded anew in the background, and was not. Counts nothing. */
void event_refresh_failed(const char *name, int error);

/* ---- Servers: `unlogged` of the same kind have come since the last line ---- */

void event_cannot_accept(const char *name, int error, uint64_t unlogged);
void event_connection_failed(const char *name, int error, const char *why, uint64_t unlogged);

#endif
