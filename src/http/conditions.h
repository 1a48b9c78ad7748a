/* Requests that hold only for some state of what they ask for (RFC 9110 section 13). */
#ifndef WEFT_HTTP_CONDITIONS_H
#define WEFT_HTTP_CONDITIONS_H

#include <stdbool.h>
#include <time.h>

struct wf_request;

/* What is there: a strong tag, and a time. */
struct state_of {
    const char *etag; /* with its quotes */
    time_t modified; /* -1: nobody knows */
};

/* 0: go on; 304 or 412: that is the answer. */
int conditions_check(const struct wf_request *request, const struct state_of *state);

/* Is a Range to be honoured? */
bool conditions_range(const struct wf_request *request, const struct state_of *state);

#endif
