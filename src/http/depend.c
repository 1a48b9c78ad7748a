/*
 * What requests depend on: a list of the request's, searched by the dependency's address.
 *
 *     OPENING --open() gave a value--> OPEN --after the answer--> closed, gone
 *        |---- it failed ----> FAILED (the code is what it gives from now on)
 *        `---- it was cancelled ----> DROPPED (who asks again opens it anew)
 *
 * While one is opened, its task and those below it are bound to it; so whatever it asks for is known to be awaited by
 * it, and a circle is found whatever tasks it leads through.
 */
#define WF_LOG_MODULE "http"
#include "http/depend.h"

#include <string.h>
#include <weft/extend.h>
#include <weft/log.h>
#include <weft/sync.h>
#include <weft/task.h>
#include <weft/time.h>

enum { DEPENDED_MAX = 32 };

enum depended_state { OPENING, OPEN, FAILED, DROPPED };

struct depended {
    struct depended *next;
    struct wf_request *request;
    struct wf_app *app; /* whose handler or middleware asked */
    const struct wf_dependency *dependency;
    enum depended_state state;
    int code; /* of FAILED */
    void *value;
    struct depended *awaits; /* of OPENING: what it needs itself just now */
    struct wf_event settled;
};

struct override {
    struct override *next;
    const struct wf_dependency *dependency, *replacement;
};

static const struct wf_local being_opened = {.name = "dependency"};

/* ---- In another's place ---- */

void wf_app_override(struct wf_app *app, const struct wf_dependency *dependency,
                     const struct wf_dependency *replacement)
{
    struct wf_app_ *private = app_private(app);
    if (private == NULL) return;
    struct override *override = wf_arena_new(&private->arena, struct override);
    if (override == NULL) {
        app_note_mistake(private, -ENOMEM, "out of memory");
        return;
    }
    *override = (struct override){.next = private->overrides, .dependency = dependency};
    override->replacement = replacement != NULL ? replacement : dependency;
    private->overrides = override;
}

static const struct wf_dependency *overridden(const struct wf_app *app, const struct wf_dependency *dependency)
{
    for (const struct override *each = app->private_->overrides; each != NULL; each = each->next)
        if (each->dependency == dependency) return each->replacement;
    return dependency;
}

/* The outermost app's word counts. */
static const struct wf_dependency *choose(const struct wf_request *request, const struct wf_dependency *dependency)
{
    const struct wf_dependency *chosen = overridden(request->root, dependency);
    return chosen == dependency && request->app != request->root ? overridden(request->app, dependency) : chosen;
}

/* ---- The list ---- */

static void take_off(struct depended *depended)
{
    struct depended **at = &depended->request->depended;
    while (*at != depended) at = &(*at)->next;
    *at = depended->next;
}

static void put_first(struct depended *depended)
{
    depended->next = depended->request->depended;
    depended->request->depended = depended;
}

static struct depended *find(const struct wf_request *request, const struct wf_dependency *dependency)
{
    struct depended *depended = request->depended;
    while (depended != NULL && depended->dependency != dependency) depended = depended->next;
    return depended;
}

/* The one that is being opened by whoever asks; NULL: the handler asks. */
static struct depended *asking(const struct wf_request *request)
{
    struct depended *depended = wf_local_get(&being_opened);
    return depended != NULL && depended->request == request ? depended : NULL;
}

/* ---- Opening ---- */

/* Once open it is the first of the list, so that those which it needed are behind it. */
static void settle(struct depended *depended, int rc)
{
    take_off(depended);
    depended->code = rc < 0 ? rc : 0;
    depended->state = rc >= 0 ? OPEN : rc == -ECANCELED ? DROPPED : FAILED;
    if (depended->state != DROPPED) put_first(depended);
    else depended->request->depended_count--;
    wf_event_set(&depended->settled);
}

static int open_it(struct depended *depended)
{
    const struct wf_dependency *dependency = depended->dependency;
    struct wf_request *request = depended->request;
    WF_BIND(bound, &being_opened, depended);
    int rc = depend_on_needs(request, dependency->needs);
    if (rc < 0 || dependency->open == NULL) return rc;
    return dependency->open(request, dependency, &depended->value);
}

static int begin(struct wf_request *request, const struct wf_dependency *dependency, struct depended **begun)
{
    if (request->depended_closed) {
        wf_fail(-ESHUTDOWN, "the dependency \"%s\" is asked for after the answer", dependency->name);
        return -ESHUTDOWN;
    }
    if (request->depended_count == DEPENDED_MAX) {
        wf_fail(-E2BIG, "a request depends on more than %d things", DEPENDED_MAX);
        return -E2BIG;
    }
    struct depended *depended = wf_arena_new(&request->arena, struct depended);
    if (depended == NULL) return -ENOMEM;
    *depended =
        (struct depended){.request = request, .app = request->app, .dependency = dependency, .settled = WF_EVENT};
    put_first(depended);
    request->depended_count++;
    *begun = depended;
    return 0;
}

/* Another task opens it, or the very one that asks. */
static int await(struct depended *depended, const struct depended *asking)
{
    for (const struct depended *at = depended; at != NULL; at = at->awaits)
        if (at == asking)
            return wf_fail(-ELOOP, "the dependency \"%s\" depends on itself, by \"%s\"", depended->dependency->name,
                           asking->dependency->name);
    return wf_event_wait(&depended->settled);
}

static int open_or_wait(struct wf_request *request, const struct wf_dependency *dependency, struct depended **given)
{
    struct depended *asks = asking(request);
    bool is_new = *given == NULL;
    int rc = is_new ? begin(request, dependency, given) : 0;
    if (rc < 0) return rc;
    bool noted = asks != NULL && asks->awaits == NULL;
    if (noted) asks->awaits = *given;
    if (is_new) {
        settle(*given, open_it(*given));
        rc = (*given)->code;
    } else rc = await(*given, asks);
    if (noted) asks->awaits = NULL;
    return rc;
}

int wf_depend_(struct wf_request *request, const struct wf_dependency *dependency, void *value)
{
    const struct wf_dependency *chosen = choose(request, dependency);
    struct depended *depended;
    do {
        int rc = wf_checkpoint();
        depended = find(request, chosen);
        if (rc == 0 && (depended == NULL || depended->state == OPENING)) rc = open_or_wait(request, chosen, &depended);
        if (rc < 0) return rc;
    } while (depended->state == DROPPED); /* by another task, which was cancelled */
    if (depended->code == 0) memcpy(value, &depended->value, sizeof depended->value);
    return depended->code;
}

int depend_on_needs(struct wf_request *request, const struct wf_dependency *const needs[WF_NEEDS_MAX])
{
    int rc = 0;
    void *unused;
    for (unsigned i = 0; i < WF_NEEDS_MAX && needs[i] != NULL && rc == 0; i++)
        rc = wf_depend_(request, needs[i], &unused);
    return rc;
}

const char *wf_request_scopes(const struct wf_request *request)
{
    bool some = request->route != NULL && request->route->options.scopes != NULL;
    return some ? request->route->options.scopes : "";
}

/* ---- Closing ---- */

static int close_it(struct depended *depended, int outcome)
{
    const struct wf_dependency *dependency = depended->dependency;
    struct wf_request *request = depended->request;
    struct wf_app *app = request->app;
    int64_t limit = dependency->close_time > 0 ? dependency->close_time : WF_SECONDS(5);
    if (depended->state != OPEN || dependency->close == NULL) return 0;
    request->app = depended->app;
    int rc = wf_shielded(limit, dependency->close(request, dependency, depended->value, outcome));
    request->app = app;
    return rc < 0 ? rc : 0;
}

int wf_depend_end(struct wf_request *request, const struct wf_dependency *dependency)
{
    int rc = wf_checkpoint();
    struct depended *depended = find(request, choose(request, dependency));
    if (rc < 0) return rc;
    if (depended == NULL || depended->state != OPEN) return -ENOENT;
    take_off(depended);
    request->depended_count--;
    return close_it(depended, 0);
}

static void log_failure(const struct wf_dependency *dependency, int rc)
{
    wf_logf(WF_ERROR, "closing \"%s\" failed: %s", dependency->name,
            rc != -ETIME && wf_failure() != NULL ? wf_failure() : wf_strerror(rc));
}

static bool any_to_close(const struct depended *depended)
{
    while (depended != NULL && (depended->state != OPEN || depended->dependency->close == NULL))
        depended = depended->next;
    return depended != NULL;
}

void depend_close(struct wf_request *request)
{
    int outcome = request->outcome;
    if (outcome >= 0) outcome = request->broken ? -ECONNABORTED : 0;
    if (any_to_close(request->depended) && request->exchange->flush(request) < 0) request->close_after = true;
    request->depended_closed = true;
    while (request->depended != NULL) {
        struct depended *depended = request->depended;
        int rc = close_it(depended, outcome);
        if (rc < 0) log_failure(depended->dependency, rc);
        take_off(depended);
    }
}

/* ---- For the description ---- */

struct schemes {
    const struct wf_security_scheme **found;
    unsigned count, max;
};

struct way {
    const struct way *from;
    const struct wf_dependency *dependency;
};

static bool leads_through(const struct way *way, const struct wf_dependency *dependency)
{
    while (way != NULL && way->dependency != dependency) way = way->from;
    return way != NULL;
}

static void add_scheme(struct schemes *schemes, const struct wf_security_scheme *scheme)
{
    for (unsigned i = 0; i < schemes->count; i++)
        if (schemes->found[i] == scheme) return;
    if (scheme != NULL && schemes->count < schemes->max) schemes->found[schemes->count++] = scheme;
}

static void add_needs(struct schemes *schemes, const struct wf_dependency *const needs[WF_NEEDS_MAX],
                      const struct way *from)
{
    for (unsigned i = 0; i < WF_NEEDS_MAX && needs[i] != NULL; i++) {
        if (leads_through(from, needs[i])) continue; /* a circle, which is told when it is opened */
        struct way way = {.from = from, .dependency = needs[i]};
        add_needs(schemes, needs[i]->needs, &way);
        add_scheme(schemes, needs[i]->scheme);
    }
}

unsigned depend_schemes(const struct wf_app *app, const struct route *route, const struct wf_security_scheme *schemes[],
                        unsigned max)
{
    struct schemes all = {.found = schemes, .max = max};
    add_needs(&all, app->needs, NULL);
    add_needs(&all, route->options.needs, NULL);
    return all.count;
}
