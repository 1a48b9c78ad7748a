/* The OpenAPI 3.1 document of an app: its operations, those of the apps that are mounted in it, and their models. */
#include "http/openapi.h"

#include <string.h>
#include <weft/task.h>

/* ---- Operations ---- */

/* "/users/{id}" and "/users/{name}" are one path. */
static bool is_same_path(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        if (*a != *b) return false;
        if (*a != '{') continue;
        a = strchr(a, '}');
        b = strchr(b, '}');
    }
    return *a == *b;
}

/* "/files/{path:rest}" is written "/files/{path}", below a mount's prefix. */
static char *document_path(struct wf_arena *arena, const char *prefix, const char *pattern)
{
    char *path = wf_arena_printf(arena, "%s%s", prefix, prefix[0] != '\0' && pattern[1] == '\0' ? "" : pattern);
    char *kind = path != NULL ? strstr(path, ":rest}") : NULL;
    if (kind != NULL) memcpy(kind, "}", 2);
    return path;
}

static int make_room(struct openapi *openapi)
{
    if (openapi->count < openapi->room) return 0;
    if (openapi->count == OPERATIONS_MAX) return wf_fail(-E2BIG, "more than %d routes to document", OPERATIONS_MAX);
    size_t room = openapi->room == 0 ? 16 : openapi->room * 2;
    struct operation *operations = wf_arena_array(openapi->arena, room, sizeof *operations);
    if (operations == NULL) return -ENOMEM;
    if (openapi->count > 0) memcpy(operations, openapi->operations, openapi->count * sizeof *operations);
    openapi->operations = operations;
    openapi->room = room;
    return 0;
}

/* The first of two that a document cannot tell apart stays. */
static bool is_there(const struct openapi *openapi, const struct route *route, const char *path)
{
    for (size_t i = 0; i < openapi->count; i++)
        if (openapi->operations[i].route->method == route->method && is_same_path(openapi->operations[i].path, path))
            return true;
    return false;
}

static int add_operation(struct openapi *openapi, const struct route *route, const struct level *level)
{
    if (route->options.hidden || route->method == WF_CONNECT) return 0;
    const char *path = document_path(openapi->arena, level->prefix, route->pattern);
    if (path == NULL) return -ENOMEM;
    if (is_there(openapi, route, path)) return 0;
    int rc = make_room(openapi);
    if (rc == 0)
        openapi->operations[openapi->count++] =
            (struct operation){.route = route,
                               .level = level,
                               .path = path,
                               .problem_details = level->app->problem_details || openapi->app->problem_details,
                               .error_model = level->app->error_model != NULL ? level->app->error_model
                                                                              : openapi->app->error_model};
    return rc;
}

/* What lies below a mount is never asked of the outer app's routes. */
static bool is_covered(const struct wf_app *app, const char *pattern)
{
    for (const struct mount *mount = app->private_->mounts; mount != NULL; mount = mount->next)
        if (strncmp(pattern, mount->prefix, mount->size) == 0 &&
            (pattern[mount->size] == '/' || pattern[mount->size] == '\0'))
            return true;
    return false;
}

static int add_app(struct openapi *openapi, const struct wf_app *app, const struct level *outer, const char *prefix)
{
    struct level *level = wf_arena_new(openapi->arena, struct level);
    if (level == NULL || prefix == NULL) return -ENOMEM;
    *level = (struct level){.app = app, .outer = outer, .prefix = prefix};
    int rc = 0;
    for (const struct route *route = app->private_->routes; route != NULL && rc == 0; route = route->next)
        if (!is_covered(app, route->pattern)) rc = add_operation(openapi, route, level);
    for (const struct mount *mount = app->private_->mounts; mount != NULL && rc == 0; mount = mount->next)
        if (!mount->app->no_docs)
            rc = add_app(openapi, mount->app, level, wf_arena_printf(openapi->arena, "%s%s", prefix, mount->prefix));
    return rc;
}

/* Once all are there, because until then they move. */
static void find_heads(struct openapi *openapi)
{
    for (size_t i = 0; i < openapi->count; i++) {
        size_t head = 0;
        while (!is_same_path(openapi->operations[head].path, openapi->operations[i].path)) head++;
        openapi->operations[i].head = &openapi->operations[head];
    }
}

/* ---- Models ---- */

/* Parameters stand in the document themselves, but may lead to models. */
static int reach_parameters(struct models *models, const struct wf_model *model)
{
    int rc = 0;
    for (size_t i = 0; model != NULL && i < model->count && rc >= 0; i++)
        rc = models_reach_member(models, &model->members[i]);
    return rc;
}

static int reach_route(struct models *models, const struct wf_route_options *options)
{
    const struct wf_model *whole[] = {options->body, options->form, options->response};
    const struct wf_model *parameters[] = {options->path, options->query, options->header, options->cookie};
    int rc = 0;
    for (size_t i = 0; i < WF_COUNT(whole) && rc >= 0; i++)
        if (whole[i] != NULL) rc = models_reach(models, whole[i]);
    for (size_t i = 0; i < WF_COUNT(parameters) && rc >= 0; i++) rc = reach_parameters(models, parameters[i]);
    return rc;
}

static int reach_models(struct openapi *openapi)
{
    int rc = 0;
    for (size_t i = 0; i < openapi->count && rc >= 0; i++) {
        rc = reach_route(&openapi->models, &openapi->operations[i].route->options);
        if (rc >= 0) rc = openapi_reach_errors(&openapi->models, &openapi->operations[i]);
    }
    return rc < 0 ? rc : 0;
}

int openapi_collect(struct openapi *openapi, struct wf_app *app, struct wf_arena *arena)
{
    *openapi = (struct openapi){.app = app, .arena = arena};
    int rc = add_app(openapi, app, NULL, "");
    if (rc < 0) return rc;
    find_heads(openapi);
    rc = openapi_collect_schemes(openapi);
    return rc < 0 ? rc : reach_models(openapi);
}

void openapi_finish(struct openapi *openapi)
{
    models_finish(&openapi->models);
}

/* ---- Writing ---- */

static void write_info(const struct wf_app *app, struct wf_json_writer *writer)
{
    wf_json_write_key(writer, "info");
    wf_json_open_object(writer);
    json_write_pair(writer, "title", app->title != NULL ? app->title : "API");
    json_write_pair(writer, "description", app->description);
    json_write_pair(writer, "version", app->version != NULL ? app->version : "0.1.0");
    wf_json_close_object(writer);
}

static const char *const methods[WF_METHODS] = {
    [WF_GET] = "get",       [WF_HEAD] = "head",       [WF_POST] = "post",          [WF_PUT] = "put",
    [WF_DELETE] = "delete", [WF_OPTIONS] = "options", [WF_METHOD_TRACE] = "trace", [WF_PATCH] = "patch",
};

static void write_path(const struct openapi *openapi, const struct operation *head, struct wf_json_writer *writer)
{
    const struct operation *end = openapi->operations + openapi->count;
    wf_json_write_key(writer, head->path);
    wf_json_open_object(writer);
    for (const struct operation *each = head; each < end; each++) {
        if (each->head != head) continue;
        wf_json_write_key(writer, methods[each->route->method]);
        openapi_write_operation(openapi, each, writer);
    }
    wf_json_close_object(writer);
}

static void write_components(const struct openapi *openapi, struct wf_json_writer *writer)
{
    wf_json_write_key(writer, "components");
    wf_json_open_object(writer);
    wf_json_write_key(writer, "schemas");
    wf_json_open_object(writer);
    for (size_t i = 0; i < openapi->models.count; i++) {
        wf_json_write_key(writer, openapi->models.list[i]->name);
        wf_model_write_schema(openapi->models.list[i], writer);
    }
    wf_json_close_object(writer);
    openapi_write_schemes(openapi, writer);
    wf_json_close_object(writer);
}

int openapi_write(const struct openapi *openapi, struct wf_json_writer *writer)
{
    wf_json_open_object(writer);
    json_write_pair(writer, "openapi", "3.1.0");
    write_info(openapi->app, writer);
    wf_json_write_key(writer, "paths");
    wf_json_open_object(writer);
    for (size_t i = 0; i < openapi->count; i++)
        if (openapi->operations[i].head == &openapi->operations[i])
            write_path(openapi, &openapi->operations[i], writer);
    wf_json_close_object(writer);
    write_components(openapi, writer);
    return wf_json_close_object(writer);
}

int wf_app_write_openapi(struct wf_app *app, struct wf_json_writer *writer)
{
    struct wf_arena arena;
    struct openapi openapi;
    int rc = app_prepare(app);
    if (rc < 0) return rc;
    wf_arena_init(&arena);
    rc = openapi_collect(&openapi, app, &arena);
    if (rc == 0) rc = openapi_write(&openapi, writer);
    openapi_finish(&openapi);
    wf_arena_finish(&arena);
    return rc;
}
