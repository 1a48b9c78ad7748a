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
 *     cache     refresh failed          warn     name, error (once a second for each cache)
 *
 * `name` is the policy's, for people; NULL: it has none.
 */
#ifndef WEFT_OBSERVE_EVENT_H
#define WEFT_OBSERVE_EVENT_H

#include <weft/base.h>

/* An attempt (the first is 1) failed, and another one follows after the delay. Counts weft_retries_total. */
void event_retry(const char *name, uint32_t attempt, int64_t delay_ns, int error);

/* The last of the attempts failed, and none follows; `why` for people. Counts weft_retries_exhausted_total. */
void event_retries_over(const char *name, uint32_t attempts, int error, const char *why);

enum breaker_state { BREAKER_CLOSED, BREAKER_OPEN, BREAKER_HALF_OPEN };

/* It went from one state to another; `error`: what opened it, 0 else. Counts weft_breaker_transitions_total. */
void event_breaker(const char *name, enum breaker_state from, enum breaker_state to, int error);

/* A value past its time was to be loaded anew in the background, and was not. Counts nothing. */
void event_refresh_failed(const char *name, int error);

#endif
