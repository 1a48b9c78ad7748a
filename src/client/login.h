/* Who one is, where that may be said. */
#ifndef WEFT_CLIENT_LOGIN_H
#define WEFT_CLIENT_LOGIN_H

#include "client/client.h"

/* Is the call's URL where secrets belong? Those of the client: at the origin of its base, where it has one. Those of
 * the call: at the origin of its first URL, whatever redirects say. */
bool login_of_client_is_for(const struct call *call);
bool login_of_call_is_for(const struct call *call);

/* Adds the Authorization field, if there is anything to say. `refresh`: the last one was refused. Suspends. */
int login_add(struct call *call, bool refresh);

/* "Basic dXNlcjpwYXNzd29yZA=="; NULL: out of memory. */
const char *login_basic(struct wf_arena *arena, const char *user, const char *password);

/* May another token help? */
bool login_can_refresh(const struct call *call);

#endif
