/* An app whose routes say everything that an OpenAPI document can hold of them. */
#ifndef WEFT_TESTS_HTTP_OPENAPI_APP_H
#define WEFT_TESTS_HTTP_OPENAPI_APP_H

#include <weft/app.h>

/* Declares the routes; `inner` is mounted below /admin. Both are to be finished. */
void openapi_app(struct wf_app *app, struct wf_app *inner);

#endif
