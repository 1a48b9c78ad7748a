/*
 * What a handler depends on: opened once per request, when it is asked for first, and closed after the answer is out.
 *
 *     static int open_user(struct wf_request *request, const struct wf_dependency *self, void **value)
 *     {
 *         struct database *database;
 *         int rc = wf_depend(request, &open_database, &database);      // depends on another one
 *         const char *token;
 *         if (rc == 0) rc = wf_require_bearer(request, "users", &token);  // without: 401, answered already
 *         return rc < 0 ? rc : find_user(database, token, value);         // -ENOENT: 404, by the table in weft/app.h
 *     }
 *     static const struct wf_dependency current_user = {.name = "current user", .open = open_user};
 *
 *     static int show_me(struct wf_request *request)
 *     {
 *         struct user *user;
 *         int rc = wf_depend(request, &current_user, &user);
 *         return rc < 0 ? rc : wf_reply(request, 200, &user_model, user);
 *     }
 *
 *     wf_route(&app, WF_GET, "/me", show_me, .needs = {&current_user});   // opened before the handler is called
 *     wf_app_override(&app, &open_database, &database_in_memory);         // in a test
 *
 * A request opens at most 32 of them. Threads: the loop's.
 */
#ifndef WEFT_DEPEND_H
#define WEFT_DEPEND_H

#include <weft/app.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_security_scheme;

/* Declare it static; its address is what it is known by. */
struct wf_dependency {
    const char *name;                                /* for messages */
    const struct wf_dependency *needs[WF_NEEDS_MAX]; /* opened before it, in this order */
    /*
     * Gives the value, which wf_depend hands out for the rest of the request; what it allocates may lie in the
     * request's arena. A negative code is what wf_depend gives then, and from then on; a handler that returns it has it
     * answered by the table in weft/app.h. It may answer itself, and then returns what that gave. NULL: only what it
     * needs is opened. It may suspend; tasks that ask meanwhile wait for it.
     */
    int (*open)(struct wf_request *request, const struct wf_dependency *self, void **value);
    /*
     * Is called once the answer is out and what wf_after_reply deferred has run, before the connection's next request;
     * also after errors, and when the client has gone. What was opened last is closed first. `outcome` is 0, or why the
     * request failed: the handler's code, or -ECONNABORTED for an answer that could not be sent whole. It may suspend,
     * shielded for `close_time`; a negative result goes to the log. NULL: nothing is to be done.
     */
    int (*close)(struct wf_request *request, const struct wf_dependency *self, void *value, int outcome);
    int64_t close_time; /* default 5 s */
    void *arg;          /* yours: self->arg */
    /* How the client has to show who it is, for the API's description (weft/security.h). NULL: no word of it there. */
    const struct wf_security_scheme *scheme;
};

/*
 * wf_depend(request, &dependency, &pointer) gives the value of a dependency, which is opened where it is not yet.
 * Suspends: as its open does; while another task opens it. On cancel: as its open; it may be asked for again.
 * Errors: those of its open; -ELOOP where it depends on itself; -E2BIG past 32 of them; -ESHUTDOWN for a new one while
 * they are closed; -ENOMEM.
 */
#define wf_depend(request, dependency, pointer)                                                                        \
    wf_depend_((request), (dependency), ((void)sizeof(*(pointer) == NULL), (pointer)))

/*
 * Has another one opened in its place, for requests that come to `app` or to what is mounted below it; NULL: itself
 * again. For tests, before serving. Suspends: never.
 */
WF_API void wf_app_override(struct wf_app *app, const struct wf_dependency *dependency,
                            const struct wf_dependency *replacement);

/* The scopes that the request's route asks for (.scopes), or "". Suspends: never. */
WF_API const char *wf_request_scopes(const struct wf_request *request);

/* ---- What the macro stands on: private ---- */

WF_API WF_SUSPENDS int wf_depend_(struct wf_request *request, const struct wf_dependency *dependency, void *value);

#ifdef __cplusplus
}
#endif
#endif
