/* What is told of requests: their identities, their lines in the log, their numbers. */
#ifndef WEFT_HTTP_OBSERVE_H
#define WEFT_HTTP_OBSERVE_H

#include "http/request.h"

struct observed {
    int64_t began;
};

/* Has a request answered in a context in which it is known by its names. */
void observe(struct wf_request *request, void (*answer)(struct wf_request *request, struct observed *observed));

/* The answer is made; what was deferred comes later. */
void observe_answered(struct wf_request *request, const struct observed *observed);

/* It never reached the app: before its answer, and after. */
void observe_refusing(struct wf_request *request);
void observe_refused(const struct wf_request *request);

#endif
