/* Refusing tokens. */
#ifndef WEFT_HTTP_SECURITY_H
#define WEFT_HTTP_SECURITY_H

#include "http/request.h"

/* As wf_refuse_bearer, with more words: each may be NULL, none has quotes. */
int refuse_token(struct wf_request *request, const char *realm, const char *error, const char *description,
                 const char *scopes);

#endif
