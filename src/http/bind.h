/* The inputs of a route that are declared by models: parsed and checked before its handler is called. */
#ifndef WEFT_HTTP_BIND_H
#define WEFT_HTTP_BIND_H

#include "http/app.h"

/* Are the route's models declared as they should be? Gives a code with a message. */
int bind_check(const struct route *route);

/* 0: all inputs are there; negative: an answer is made already, or the connection has ended. */
int bind_inputs(struct wf_request *request);

#endif
