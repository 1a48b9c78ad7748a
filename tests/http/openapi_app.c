/* Inputs of every kind and from everywhere, answers, mounts, names that meet twice. */
#include "openapi_app.h"

#include <weft/model.h>

#define TAG_MEMBERS(M) M(STRING, label, .max = 20)
WF_MODEL(tag, TAG_MEMBERS)

#define CIRCLE_MEMBERS(M) M(DOUBLE, radius, .above = 0)
WF_MODEL(circle, CIRCLE_MEMBERS)
#define SQUARE_MEMBERS(M) M(DOUBLE, side, .min = 0.5)
WF_MODEL(square, SQUARE_MEMBERS)
#define SHAPE_CASES(C) C(circle) C(square)
WF_UNION(shape, SHAPE_CASES, .tag = "kind")

#define THING_MEMBERS(M)                                                                                               \
    M(UUID, id, .read_only = true)                                                                                     \
    M(STRING, name, .min = 1, .pattern = "^[a-z \"]+$", .title = "Name", .example = "a \"name\"")                      \
    M(ENUM, state, .values = WF_VALUES("open", "done"), .preset = "open")                                              \
    M(BOOL, urgent, .preset = "false", .deprecated = true)                                                             \
    M(UINT64, size, .max = 1e9)                                                                                        \
    M(BYTES, data, .optional = true, .max = 64)                                                                        \
    M(DATE, day, .optional = true, .nullable = true)                                                                   \
    M(DATE_TIME, at)                                                                                                   \
    M(STRING, secret, .optional = true, .format = WF_PASSWORD, .write_only = true)                                     \
    M(LIST(MODEL(tag)), tags, .max = 5)                                                                                \
    M(LIST(LIST(INT32), .max = 3), matrix, .optional = true)                                                           \
    M(MAP(MODEL(tag)), by_name, .optional = true)                                                                      \
    M(MODEL(tag), first, .optional = true, .nullable = true)                                                           \
    M(MODEL(shape), shape)                                                                                             \
    M(JSON, more, .optional = true)
WF_MODEL(thing, THING_MEMBERS, .unknown = WF_UNKNOWN_REFUSED, .description = "A thing\nwith everything")

#define PATH_MEMBERS(M) M(UUID, id, .description = "of the thing")
WF_MODEL(thing_path, PATH_MEMBERS)
#define QUERY_MEMBERS(M)                                                                                               \
    M(INT32, limit, .min = 1, .max = 100, .preset = "20")                                                              \
    M(LIST(STRING), word, .optional = true)                                                                            \
    M(ENUM, order, .values = WF_VALUES("up", "down"))                                                                  \
    M(MODEL(tag), like, .optional = true)
WF_MODEL(thing_query, QUERY_MEMBERS)
#define HEADER_MEMBERS(M) M(STRING, agent, .name = "user-agent", .max = 200)
WF_MODEL(thing_header, HEADER_MEMBERS)
#define COOKIE_MEMBERS(M) M(STRING, theme, .optional = true)
WF_MODEL(thing_cookie, COOKIE_MEMBERS)
#define FORM_MEMBERS(M) M(STRING, user) M(STRING, password, .format = WF_PASSWORD)
WF_MODEL(login, FORM_MEMBERS)

static int show_thing(struct wf_request *request)
{
    return wf_reply_text(request, 200, wf_request_path(request));
}

static int change_thing(struct wf_request *request)
{
    return wf_reply(request, 200, &thing_model, wf_body_value(request));
}

static int log_in(struct wf_request *request)
{
    return wf_reply_empty(request, 204);
}

void openapi_app(struct wf_app *app, struct wf_app *inner)
{
    *app = (struct wf_app){.title = "Every \"thing\"", .version = "2.1", .description = "All\nof it"};
    *inner = (struct wf_app){.title = "inner"};
    wf_route(app, WF_GET, "/", show_thing, .summary = "The first page");
    wf_route(app, WF_GET, "/things", show_thing, .query = &thing_query_model, .header = &thing_header_model,
             .cookie = &thing_cookie_model, .response = &thing_model, .tag = "things");
    wf_route(app, WF_PUT, "/things/{id}", change_thing, .path = &thing_path_model, .body = &thing_model,
             .response = &thing_model, .tag = "things", .description = "All of it is new.");
    wf_route(app, WF_DELETE, "/things/{which}", log_in, .status = 204, .name = "remove");
    wf_route(app, WF_POST, "/login", log_in, .form = &login_model, .status = 204);
    wf_route(app, WF_GET, "/files/{path:rest}", show_thing);
    wf_route(app, WF_GET, "/files/{name}", show_thing);
    wf_route(app, WF_GET, "/secret", show_thing, .hidden = true);
    wf_route(app, WF_CONNECT, "/tunnel", show_thing);
    wf_route(app, WF_GET, "/admin/never", show_thing);
    wf_route(inner, WF_GET, "/", show_thing);
    wf_route(inner, WF_POST, "/things", change_thing, .body = &thing_model, .status = 201);
    wf_mount(app, "/admin", inner);
}
