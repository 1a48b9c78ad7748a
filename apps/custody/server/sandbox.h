/*
 * The sandbox: the custody service in one process, for those who write and test programs against it.
 *
 *     WF_SCOPE(scope);
 *     struct sandbox *sandbox;
 *     struct sandbox_options options = {SANDBOX_DEFAULTS};
 *     int rc = sandbox_open(&scope, &options, &sandbox);
 *     if (rc < 0) return wf_scope_end(&scope, rc);
 *     WF_CLIENT(client, .base_url = "http://sandbox/v1", .app = sandbox_app(sandbox));   // or sandbox_serve
 *     ...
 *     sandbox_close(sandbox);
 *
 * The paths of the API are below /v1; health, metrics and the API's description are at the root, too, and so is the
 * live page. Threads: the loop's.
 */
#ifndef CUSTODY_SANDBOX_H
#define CUSTODY_SANDBOX_H

#include <custody/types.h>
#include <stdio.h>
#include <weft/app.h>
#include <weft/weft.h>

#include "storage.h"

struct sandbox;

enum { SANDBOX_PORT = 8780 };

struct sandbox_options {
    struct storage_options storage;
    const char *host;   /* an address; "*": everywhere */
    uint16_t port;      /* 0: a free one */
    const char *secret; /* its bytes sign tokens (HS256); NULL: random ones, so that no token outlives the process */
    int64_t rate_count; /* requests of one subject ... 0: as many as it likes */
    int64_t rate_per;   /* ... in so long */
    enum custody_vin_policy vin_policy;
    bool access_log; /* a line of the log for each request */
};

/* What the command starts with; more follows in the braces. */
#define SANDBOX_DEFAULTS                                                                                               \
    .storage.where = "custody.db", .storage.provision = true, .storage.seed = true, .host = "127.0.0.1",               \
    .port = SANDBOX_PORT, .rate_count = 1000, .rate_per = WF_SECONDS(10)

/*
 * Opens the storage, and declares the app. The scope gets the tasks that the storage works by; sandbox_close before it
 * ends. Suspends: as storage_open. Errors: its own; -ENOMEM.
 */
WF_SUSPENDS int sandbox_open(struct wf_scope *scope, const struct sandbox_options *options, struct sandbox **sandbox);
WF_SUSPENDS void sandbox_close(struct sandbox *sandbox); /* NULL is ignored */

/* For wf_serve, and for clients in memory. Suspends: never. */
struct wf_app *sandbox_app(struct sandbox *sandbox);

/*
 * A token that it takes: for whom, with which scopes ("custody:read custody:write"), for how long.
 * Suspends: never. Errors: -EINVAL for a subject that has quotes; as wf_jwt_make.
 */
int sandbox_token(struct sandbox *sandbox, struct wf_arena *arena, const char *subject, const char *scopes,
                  int64_t lifetime, const char **token);

/*
 * Serves at its host and port until it is drained or cancelled. Once connections can come it says so in `out` (NULL: to
 * nobody), a line each: where the API is, where the page is, and a token with both scopes for 24 hours.
 * A port that is taken is tried for a second.
 * Suspends: until then. Errors: as wf_serve.
 */
WF_SUSPENDS int sandbox_serve(struct sandbox *sandbox, FILE *out);

/* All of it in a loop of its own, until a signal drains it: for main. Returns the exit status. Suspends: never. */
int sandbox_main(const struct sandbox_options *options);

#endif
