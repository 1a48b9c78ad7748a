/*
 * Who may do what: a login gets a token, which later requests show; handlers depend on the user that it is for. Each
 * request has an identity, and is counted.
 * Run it: weft run examples/http_tokens.c --port 8000, then
 *     token=$(curl -s -u ada:lovelace -X POST http://127.0.0.1:8000/token)
 *     curl -H "Authorization: Bearer $token" http://127.0.0.1:8000/me
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/health.h>
#include <weft/json.h>
#include <weft/jwt.h>
#include <weft/time.h>

struct user {
    const char *name, *password, *scopes;
};

static const struct user users[] = {{"ada", "lovelace", "notes:read notes:write"}, {"bob", "builder", "notes:read"}};

/* A program that is no example has its secret from elsewhere. */
#define SECRET "only an example of a long secret"
static const struct wf_jwt_key key = {.algorithm = WF_JWT_HS256, .bytes = SECRET};
static const struct wf_jwt_options tokens = {.keys = {{.algorithm = WF_JWT_HS256, .bytes = SECRET}}, .issuer = "notes"};

static const struct user *find_user(const char *name)
{
    for (size_t i = 0; i < WF_COUNT(users); i++)
        if (strcmp(users[i].name, name) == 0) return &users[i];
    return NULL;
}

/* ---- What handlers depend on ---- */

static const struct wf_dependency login = WF_BASIC("notes"), token = WF_JWT(&tokens);

static int open_current_user(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    const struct wf_jwt *jwt;
    int rc = wf_depend(request, &token, &jwt);
    if (rc < 0) return rc;
    const struct user *user = jwt->subject != NULL ? find_user(jwt->subject) : NULL;
    (void)self;
    *value = (void *)(uintptr_t)user;
    return user != NULL ? 0 : wf_refuse_bearer(request, "notes", "invalid_token");
}

static const struct wf_dependency current_user = {.name = "current user", .open = open_current_user, .needs = {&token}};

/* ---- Handlers ---- */

static int make_token(struct wf_request *request, const struct user *user, const char **text)
{
    struct wf_json_writer claims;
    const char *said;
    wf_json_writer_init(&claims, wf_request_arena(request), 0);
    wf_json_open_object(&claims);
    wf_json_write_key(&claims, "iss");
    wf_json_write_string(&claims, "notes");
    wf_json_write_key(&claims, "sub");
    wf_json_write_string(&claims, user->name);
    wf_json_write_key(&claims, "scope");
    wf_json_write_string(&claims, user->scopes);
    wf_json_write_key(&claims, "exp");
    wf_json_write_int(&claims, wf_wall_now() / WF_SECONDS(1) + 3600);
    wf_json_close_object(&claims);
    int rc = wf_json_write_end(&claims, &said, NULL);
    return rc < 0 ? rc : wf_jwt_make(wf_request_arena(request), &key, said, text);
}

static int log_in(struct wf_request *request)
{
    const struct wf_login *shown;
    const char *text;
    int rc = wf_depend(request, &login, &shown);
    if (rc < 0) return rc;
    const struct user *user = find_user(shown->name);
    if (user == NULL || !wf_same_secret(user->password, shown->password)) return wf_refuse_basic(request, "notes");
    rc = make_token(request, user, &text);
    return rc < 0 ? rc : wf_reply_text(request, 200, text);
}

static int show_me(struct wf_request *request)
{
    const struct user *user;
    int rc = wf_depend(request, &current_user, &user);
    return rc < 0 ? rc : wf_reply_text(request, 200, user->name);
}

int main(int argc, char **argv)
{
    struct wf_app app = {.title = "Notes", .request_ids = true, .metrics = true, .problem_details = true};
    wf_route(&app, WF_POST, "/token", log_in, .needs = {&login});
    wf_route(&app, WF_GET, "/me", show_me, .needs = {&current_user});
    wf_route(&app, WF_POST, "/notes", show_me, .needs = {&current_user}, .scopes = "notes:write");
    wf_route(&app, WF_GET, "/ready", wf_health_ready, .hidden = true);
    wf_route(&app, WF_GET, "/metrics", wf_metrics_handler, .hidden = true);
    return wf_serve_main(&app, argc, argv);
}
