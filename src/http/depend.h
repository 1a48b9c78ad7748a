/* What requests depend on. */
#ifndef WEFT_HTTP_DEPEND_H
#define WEFT_HTTP_DEPEND_H

#include <weft/depend.h>

#include "http/app.h"

/* Opens them in order, up to the first NULL. */
int depend_on_needs(struct wf_request *request, const struct wf_dependency *const needs[WF_NEEDS_MAX]);

/* Closes all that are open, the last first. */
void depend_close(struct wf_request *request);

/*
 * The security schemes that a route of the app asks for, by the app's needs, its own, and theirs: each once, in the
 * order in which they are opened. Gives how many there are, at most `max`.
 */
unsigned depend_schemes(const struct wf_app *app, const struct route *route, const struct wf_security_scheme *schemes[],
                        unsigned max);

#endif
