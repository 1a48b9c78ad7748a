/* Inputs of every kind and from everywhere, answers, mounts, names that meet twice. */
#include "openapi_app.h"

#include <stdio.h>
#include <string.h>
#include <weft/depend.h>
#include <weft/model.h>
#include <weft/security.h>

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

/* What came in, as it was understood. */
static int show_inputs(struct wf_request *request)
{
    const struct thing_query *query = wf_query_value(request);
    const struct thing_header *header = wf_header_value(request);
    const struct thing_cookie *cookie = wf_cookie_value(request);
    char text[400];
    snprintf(text, sizeof text, "%d, %zu words, order %d, like %s, %zu letters of agent, theme %s", query->limit,
             query->word.count, query->order, query->has.like ? query->like.label : "-", strlen(header->agent),
             cookie->has.theme ? cookie->theme : "-");
    return wf_reply_text(request, 200, text);
}

static const struct wf_security_scheme key_scheme = {.name = "key",
                                                     .kind = WF_SECURITY_KEY,
                                                     .place = WF_KEY_IN_HEADER,
                                                     .key = "x-key",
                                                     .description = "From us"};
static const struct wf_security_scheme oauth_scheme = {.name = "login",
                                                       .kind = WF_SECURITY_OAUTH2,
                                                       .flows = {{.flow = WF_OAUTH2_PASSWORD,
                                                                  .token_url = "https://login.example/token"},
                                                                 {.flow = WF_OAUTH2_AUTHORIZATION_CODE,
                                                                  .authorization_url = "https://login.example/ask",
                                                                  .token_url = "https://login.example/token",
                                                                  .refresh_url = "https://login.example/again"}},
                                                       .scopes = {{"things:read", "Look at things"},
                                                                  {"things:write", NULL}}};
static const struct wf_security_scheme openid_scheme = {.name = "openid",
                                                        .kind = WF_SECURITY_OPENID,
                                                        .openid_url =
                                                            "https://login.example/.well-known/openid-configuration"};
static const struct wf_security_scheme tls_scheme = {.name = "certificate", .kind = WF_SECURITY_MUTUAL_TLS};

static const struct wf_dependency key = WF_API_KEY(&key_scheme), token = WF_BEARER("things"), login = WF_BASIC("admin");
static const struct wf_dependency by_oauth = {.name = "oauth", .needs = {&token}, .scheme = &oauth_scheme};
static const struct wf_dependency by_openid = {.name = "openid", .scheme = &openid_scheme};
static const struct wf_dependency by_tls = {.name = "tls", .scheme = &tls_scheme};

__attribute__((noinline)) static void declare_guarded(struct wf_app *app, struct wf_app *inner)
{
    wf_route(inner, WF_GET, "/", show_thing);
    wf_route(inner, WF_POST, "/things", change_thing, .body = &thing_model, .status = 201);
    wf_route(inner, WF_GET, "/guarded", show_thing, .needs = {&key, &by_tls}, .tag = "guarded");
    wf_route(app, WF_GET, "/guarded", show_thing, .needs = {&by_oauth, &by_openid},
             .scopes = "things:read  things:write", .tag = "guarded");
}

void openapi_app(struct wf_app *app, struct wf_app *inner)
{
    *app = (struct wf_app){.title = "Every \"thing\"", .version = "2.1", .description = "All\nof it"};
    *inner = (struct wf_app){.title = "inner", .needs = {&login}};
    wf_route(app, WF_GET, "/", show_thing, .summary = "The first page");
    wf_route(app, WF_GET, "/things", show_inputs, .query = &thing_query_model, .header = &thing_header_model,
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
    declare_guarded(app, inner);
    wf_mount(app, "/admin", inner);
}
