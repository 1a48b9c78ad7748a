/* An app: its declarations, and the way of a request through it. */
#include "http/app.h"

#include <stdio.h>
#include <string.h>
#include <weft/extend.h>
#include <weft/task.h>
#include <weft/time.h>

#include "http/bind.h"
#include "http/connection.h"
#include "http/depend.h"
#include "http/forwarded.h"
#include "http/observe.h"
#include "http/openapi.h"
#include "http/reply.h"

/* ---- Declarations ---- */

struct wf_app_ *app_private(struct wf_app *app)
{
    if (app->private_ != NULL) return app->private_;
    struct wf_app_ *made = wf_memory_alloc(sizeof *made);
    if (made == NULL) {
        app->lost_ = -ENOMEM;
        return NULL;
    }
    memset(made, 0, sizeof *made);
    wf_arena_init(&made->arena);
    made->routes_end = &made->routes;
    app->private_ = made;
    router_init(made);
    return made;
}

void app_note_mistake(struct wf_app_ *app, int code, const char *format, ...)
{
    if (app->mistake != 0) return;
    app->mistake = code;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(app->mistake_text, sizeof app->mistake_text, format, arguments);
    va_end(arguments);
}

void wf_route_(struct wf_app *app, enum wf_method method, const char *pattern, wf_handler *handler,
               const struct wf_route_options *options)
{
    struct wf_app_ *private = app_private(app);
    if (private == NULL || private->mistake != 0) return;
    if ((unsigned)method >= WF_METHODS || pattern == NULL || handler == NULL || options->size != sizeof *options) {
        app_note_mistake(private, -EINVAL, "a route needs a method, a pattern and a handler (%s)", options->place_);
        return;
    }
    struct route *route = wf_arena_new(&private->arena, struct route);
    char *copy = wf_arena_strdup(&private->arena, pattern);
    if (route == NULL || copy == NULL) {
        app_note_mistake(private, -ENOMEM, "out of memory");
        return;
    }
    *route = (struct route){.method = method, .pattern = copy, .handler = handler, .options = *options};
    route->prepared = options->path != NULL || options->query != NULL || options->header != NULL ||
                      options->cookie != NULL || options->body != NULL || options->form != NULL ||
                      options->check != NULL || options->needs[0] != NULL;
    *private->routes_end = route;
    private->routes_end = &route->next;
    router_add(private, route);
}

void wf_mount(struct wf_app *app, const char *prefix, struct wf_app *inner)
{
    struct wf_app_ *private = app_private(app);
    if (private == NULL) return;
    struct mount *mount = wf_arena_new(&private->arena, struct mount);
    size_t size = strlen(prefix);
    if (size < 2 || prefix[0] != '/' || prefix[size - 1] == '/')
        app_note_mistake(private, -EINVAL, "the mount \"%s\" is not of the form /path", prefix);
    else if (mount == NULL || app_private(inner) == NULL) app_note_mistake(private, -ENOMEM, "out of memory");
    else {
        *mount = (struct mount){.next = private->mounts, .size = size, .app = inner};
        mount->prefix = wf_arena_strdup(&private->arena, prefix);
        if (mount->prefix == NULL) app_note_mistake(private, -ENOMEM, "out of memory");
        else private->mounts = mount;
    }
}

void wf_app_use_(struct wf_app *app, wf_middleware *middleware, const void *arg)
{
    struct wf_app_ *private = app_private(app);
    if (private == NULL) return;
    if (private->middlewares == MIDDLEWARE_MAX) {
        app_note_mistake(private, -E2BIG, "more than %d middlewares", MIDDLEWARE_MAX);
        return;
    }
    struct middleware *added = &private->middleware[private->middlewares++];
    *added = (struct middleware){.call = middleware, .arg = (void *)(uintptr_t)arg};
}

void wf_app_finish(struct wf_app *app)
{
    struct wf_app_ *private = app->private_;
    if (private == NULL) return;
    wf_arena_finish(&private->arena);
    wf_memory_free(private);
    app->private_ = NULL;
}

#define DEFAULT(field, value)                                                                                          \
    do                                                                                                                 \
        if ((field) == 0) (field) = (value);                                                                           \
    while (0)

static void fill_in_limits(struct wf_app_ *private)
{
    struct wf_http_limits *limits = &private->limits;
    DEFAULT(limits->head_time, WF_SECONDS(10));
    DEFAULT(limits->body_time, WF_SECONDS(30));
    DEFAULT(limits->write_time, WF_SECONDS(30));
    DEFAULT(limits->idle_time, WF_SECONDS(75));
    DEFAULT(limits->line_max, 8192);
    DEFAULT(limits->head_max, 65536);
    DEFAULT(limits->fields_max, 100);
    DEFAULT(limits->body_max, 1 << 20);
    DEFAULT(limits->skip_max, 256 << 10);
    DEFAULT(limits->connections, 10000);
    DEFAULT(limits->streams, 100);
    DEFAULT(limits->per_peer, 1000);
    private->head_limits = (struct h1_limits){limits->line_max, limits->head_max, limits->fields_max};
    private->skip_max = limits->skip_max;
}

static int read_trusted(struct wf_app *app)
{
    struct wf_app_ *private = app->private_;
    if (app->trusted_proxies == NULL || private->trusted != NULL) return 0;
    const char *bad = "";
    int rc = forwarded_trust(&private->arena, app->trusted_proxies, &private->trusted, &private->trusted_count, &bad);
    if (rc == -E2BIG) app_note_mistake(private, rc, "more than %d trusted proxies", NETWORKS_MAX);
    if (rc == -EINVAL)
        app_note_mistake(private, rc, "\"%.*s\" is no address or network of trusted proxies", (int)strcspn(bad, " ,"),
                         bad);
    return rc == -ENOMEM ? rc : 0;
}

static int prepare_one(struct wf_app *app)
{
    struct wf_app_ *private = app_private(app);
    if (private == NULL || app->lost_ < 0) return -ENOMEM;
    private->limits = app->limits;
    private->observed = app->access_log || app->request_ids || app->traces || app->metrics;
    fill_in_limits(private);
    if (read_trusted(app) < 0) return -ENOMEM;
    for (struct route *route = private->routes; route != NULL; route = route->next) {
        if (app->needs[0] != NULL) route->prepared = true;
        int rc = bind_check(route);
        if (rc < 0) return rc;
    }
    for (struct mount *mount = private->mounts; mount != NULL; mount = mount->next) {
        int rc = prepare_one(mount->app);
        if (rc < 0) return rc;
    }
    return private->mistake == 0 ? 0 : wf_fail(private->mistake, "%s", private->mistake_text);
}

int app_prepare(struct wf_app *app)
{
    int rc = prepare_one(app);
    return rc < 0 ? rc : openapi_declare(app);
}

/* ---- The way of a request ---- */

/* What is opened comes first, so that who may not ask hears nothing of inputs; nor of how long a body may be. */
static int prepare_inputs(struct wf_request *request)
{
    int rc = depend_on_needs(request, request->app->needs);
    if (rc == 0) rc = depend_on_needs(request, request->route->options.needs);
    return rc < 0 ? rc : bind_inputs(request);
}

static int call_handler(struct wf_request *request)
{
    const struct route *route = request->route;
    if (route->options.body_max > 0) request->body_max = route->options.body_max;
    int rc = route->prepared ? prepare_inputs(request) : 0;
    if (rc == 0 && request->body == NULL) rc = request_refuse_too_long(request);
    return rc < 0 ? rc : route->handler(request);
}

static int without_route(struct wf_request *request);

static int enter_mount(struct wf_request *request);

static int call_innermost(struct wf_request *request)
{
    if (request->app != request->target) return enter_mount(request);
    return request->route != NULL ? call_handler(request) : without_route(request);
}

int wf_continue(struct wf_request *request)
{
    const struct wf_app_ *private = request->app->private_;
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    if (request->next_middleware == private->middlewares) return call_innermost(request);
    const struct middleware *middleware = &private->middleware[request->next_middleware++];
    return middleware->call(request, middleware->arg);
}

/* "GET, HEAD, OPTIONS" */
const char *app_list_methods(struct wf_request *request, unsigned allowed)
{
    char text[128] = "";
    allowed |= 1U << WF_OPTIONS;
    for (unsigned i = 0; i < WF_METHODS; i++) {
        if (!(allowed & (1U << i))) continue;
        if (text[0] != '\0') strncat(text, ", ", sizeof text - strlen(text) - 1);
        strncat(text, wf_method_name((enum wf_method)i), sizeof text - strlen(text) - 1);
    }
    const char *copy = wf_arena_strdup(&request->arena, text);
    return copy != NULL ? copy : "";
}

static const char *with_other_end(struct wf_request *request, const char *path)
{
    size_t size = strlen(path);
    return path[size - 1] == '/' ? wf_arena_strndup(&request->arena, path, size - 1)
                                 : wf_arena_printf(&request->arena, "%s/", path);
}

/* The path with the other ending, when there is such a route. */
static const char *other_path(struct wf_request *request)
{
    const char *here = with_other_end(request, request->path_here);
    unsigned allowed;
    if (here == NULL || here[0] == '\0') return NULL;
    const struct route *route = router_find(request->app, request, here, &allowed);
    if (route == NULL && allowed == 0) return NULL;
    if (request->app->slashes == WF_SLASH_IGNORE) request->route = route;
    return with_other_end(request, request->path);
}

/* "//host/" as a location would be another host. */
static int redirect_to(struct wf_request *request, const char *path)
{
    while (path[0] == '/' && path[1] == '/') path++;
    const char *location =
        request->query == NULL ? path : wf_arena_printf(&request->arena, "%s?%s", path, request->query);
    return location == NULL ? -ENOMEM : wf_reply_redirect(request, 307, location);
}

/* What is answered where no route matches; the middleware is around that, too. */
static int without_route(struct wf_request *request)
{
    unsigned allowed = request->allowed;
    if (allowed == 0 && request->app->slashes != WF_SLASH_STRICT && request->path_here[0] == '/' &&
        request->path_here[1] != '\0') {
        const char *other = other_path(request);
        if (request->route != NULL) return wf_continue(request);
        if (other != NULL && request->app->slashes == WF_SLASH_REDIRECT) return redirect_to(request, other);
    }
    bool everything = strcmp(request->path, "*") == 0;
    if (allowed == 0 && !(everything && request->method == WF_OPTIONS))
        return wf_http_error(request, 404, "there is nothing at this path");
    wf_reply_header(request, "allow", app_list_methods(request, everything ? (unsigned)METHODS_ALL : allowed));
    if (request->method == WF_OPTIONS) return wf_reply_empty(request, everything ? 200 : 204);
    return wf_http_error(request, 405, "%s is not for this path", wf_method_name(request->method));
}

/* Everything below a prefix is another app's. NULL: nothing is mounted there. */
static const struct mount *find_mount(const struct wf_app *app, const char *path)
{
    const struct mount *mount = app->private_->mounts;
    for (; mount != NULL; mount = mount->next)
        if (strncmp(path, mount->prefix, mount->size) == 0 && (path[mount->size] == '/' || path[mount->size] == '\0'))
            break;
    return mount;
}

static const char *path_below(const struct mount *mount, const char *path)
{
    return path[mount->size] == '\0' ? "/" : path + mount->size;
}

/* What the outer app has around its routes is around the apps below it, too. */
static int enter_mount(struct wf_request *request)
{
    struct wf_app *outer = request->app;
    const char *path = request->path_here;
    unsigned next = request->next_middleware;
    const struct mount *mount = find_mount(outer, path);
    int rc = request->route != NULL ? depend_on_needs(request, outer->needs) : 0;
    if (rc < 0) return rc;
    request->app = mount->app;
    request->path_here = path_below(mount, path);
    request->next_middleware = 0;
    rc = wf_continue(request);
    request->app = outer;
    request->path_here = path;
    request->next_middleware = next;
    return rc;
}

/* What of the path is the target's. */
static const char *find_target(struct wf_request *request)
{
    const char *path = request->path;
    for (const struct mount *mount; (mount = find_mount(request->target, path)) != NULL;) {
        path = path_below(mount, path);
        request->target = mount->app;
    }
    return path;
}

static inline void find_route(struct wf_request *request)
{
    const char *path = request->path_here = request->path;
    request->target = request->app;
    if (request->app->private_->mounts != NULL) path = find_target(request);
    request->route = router_find(request->target, request, path, &request->allowed);
}

void app_find_route(struct wf_request *request)
{
    find_route(request);
}

const char *app_name_route(struct wf_request *request)
{
    if (request->route == NULL) return "none";
    const char *name = "", *path = request->path;
    const struct wf_app *app = request->root;
    while (app != request->target && name != NULL) {
        const struct mount *mount = find_mount(app, path);
        name = wf_arena_printf(&request->arena, "%s%s", name, mount->prefix);
        path = path_below(mount, path);
        app = mount->app;
    }
    if (app == request->root || name == NULL) return request->route->pattern;
    name = wf_arena_printf(&request->arena, "%s%s", name, request->route->pattern);
    return name != NULL ? name : request->route->pattern;
}

static int route_and_call(struct wf_request *request)
{
    find_route(request);
    request->body_max = request->target->private_->limits.body_max;
    return wf_continue(request);
}

static __attribute__((noinline)) int call_within(int64_t limit, struct wf_request *request)
{
    return wf_within(limit, route_and_call(request));
}

static int call_in_time(struct wf_request *request)
{
    int64_t limit = request->app->private_->limits.handler_time;
    return limit > 0 ? call_within(limit, request) : route_and_call(request);
}

static inline void answer(struct wf_request *request, struct observed *observed)
{
    const struct wf_app *app = request->root;
    int rc = request->outcome = call_in_time(request);
    reply_finish(request, rc);
    if (observed != NULL) observe_answered(request, observed);
    if (app->on_request != NULL) app->on_request(request, app->on_request_arg);
    reply_run_after(request);
    if (request->depended != NULL) depend_close(request);
}

static void answer_observed(struct wf_request *request, struct observed *observed)
{
    answer(request, observed);
}

void app_answer(struct wf_request *request)
{
    wf_forget_failure(); /* of the connection's last request */
    if (request->root->private_->observed) observe(request, answer_observed);
    else answer(request, NULL);
}

void app_refuse(struct wf_request *request, int status, const char *why)
{
    request->close_after = true;
    request->route = NULL;
    if (request->root->private_->observed) observe_refusing(request);
    wf_ignore(wf_http_error(request, status, "%s", why));
    reply_finish(request, -EBADMSG);
    if (request->root->private_->observed) observe_refused(request);
    if (request->app->on_request != NULL) request->app->on_request(request, request->app->on_request_arg);
}
