/* Making the answer of a request. */
#ifndef WEFT_HTTP_REPLY_H
#define WEFT_HTTP_REPLY_H

#include <weft/model.h>

#include "http/request.h"

/* After the handler returned `rc`: makes the answer that is still missing, or ends the connection. */
void reply_finish(struct wf_request *request, int rc);

/* What was to be done after the answer. */
void reply_run_after(struct wf_request *request);

/* A whole answer whose bytes are there. */
int reply_whole(struct wf_request *request, int status, const char *content_type, const void *bytes, size_t size);

/* {"detail": "..."}, and {"detail": [...]}, or problem details; the latter gives the code for a handler. */
int reply_detail(struct wf_request *request, int status, const char *detail);
int reply_problems(struct wf_request *request, int status, const struct wf_problems *problems);

/* The code for a handler that has answered so. */
int reply_code(int status);

#endif
