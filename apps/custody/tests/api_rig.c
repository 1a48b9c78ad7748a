#include "api_rig.h"

#include <stdio.h>
#include <string.h>
#include <weft/jwt.h>

static const char secret[] = "tests";

/* ---- Sandboxes ---- */

static int provide_api(struct sandbox *sandbox)
{
    const char *token;
    int rc = sandbox_token(sandbox, wf_task_arena(), "tester", "custody:read custody:write", WF_SECONDS(86400), &token);
    if (rc < 0) return rc;
    WF_CLIENT(client, .base_url = "http://sandbox/v1", .app = sandbox_app(sandbox));
    struct api api = {.sandbox = sandbox, .client = &client, .token = token};
    return wf_provide(&api);
}

WF_FIXTURE_SHARED(api_fixture)
{
    struct sandbox_options options = {SANDBOX_DEFAULTS};
    struct sandbox *sandbox;
    options.storage.where = ":memory:";
    options.secret = secret;
    WF_SCOPE(scope, .name = "sandbox");
    int rc = sandbox_open(&scope, &options, &sandbox);
    if (rc < 0) return wf_scope_end(&scope, rc);
    rc = provide_api(sandbox);
    wf_shielded(WF_SECONDS(5), (sandbox_close(sandbox), 0));
    return wf_scope_end(&scope, rc);
}

/* ---- Asking ---- */

static enum wf_method method_of(const char *name)
{
    enum wf_method method = WF_GET;
    while (strcmp(wf_method_name(method), name) != 0) method++;
    return method;
}

/* Is the field among those that the call names? */
static bool has_field(const struct asked *asked, const char *name)
{
    for (unsigned i = 0; i < WF_COUNT(asked->fields) && asked->fields[i][0] != NULL; i++)
        if (strcmp(asked->fields[i][0], name) == 0) return true;
    return false;
}

static void add_fields(const struct api *api, const struct asked *asked, struct wf_named *fields)
{
    for (unsigned i = 0; i < WF_COUNT(asked->fields) && asked->fields[i][0] != NULL; i++)
        *fields++ = (struct wf_named){asked->fields[i][0], asked->fields[i][1]};
    if (asked->body != NULL && !has_field(asked, "Content-Type"))
        *fields++ = (struct wf_named){"Content-Type", "application/json"};
    if (asked->without_token || has_field(asked, "Authorization")) return;
    *fields = (struct wf_named){"Authorization", wf_arena_printf(wf_task_arena(), "Bearer %s", api->token)};
}

int ask(struct api *api, const struct asked *asked, struct wf_response *response)
{
    struct wf_named fields[6] = {{.name = NULL}};
    *response = (struct wf_response){.body = ""};
    const char *path = asked->path;
    if (strncmp(path, "//", 2) == 0) path = wf_arena_printf(wf_task_arena(), "http://sandbox%s", path + 1);
    if (path == NULL) return -1;
    add_fields(api, asked, fields);
    size_t size = asked->body != NULL ? strlen(asked->body) : 0;
    int rc = wf_fetch(api->client, wf_task_arena(), method_of(asked->method), path, response, .headers = fields,
                      .bytes = asked->body, .bytes_size = size, .redirects = -1);
    return WF_EXPECT_CODE(rc, 0) ? response->status : -1;
}

static int ask_for(struct api *api, const struct asked *asked, const char **body)
{
    struct wf_response response;
    int status = ask(api, asked, &response);
    if (body != NULL) *body = status > 0 && response.body != NULL ? response.body : "";
    return status;
}

int get(struct api *api, const char *path, const char **body)
{
    return ask_for(api, &(struct asked){.method = "GET", .path = path}, body);
}

int post(struct api *api, const char *path, const char *json, const char **body)
{
    return ask_for(api, &(struct asked){.method = "POST", .path = path, .body = json}, body);
}

const char *member_of(const char *body, const char *name)
{
    char key[64];
    snprintf(key, sizeof key, "\"%s\":\"", name);
    const char *found = strstr(body, key);
    if (found == NULL) return "";
    found += strlen(key);
    const char *text = wf_arena_strndup(wf_task_arena(), found, strcspn(found, "\""));
    return text != NULL ? text : "";
}

/* ---- Values ---- */

const char *token_of(const char *claims)
{
    static const uint8_t key[32] = "tests";
    struct wf_jwt_key made = {.algorithm = WF_JWT_HS256, .bytes = (const char *)key, .size = sizeof key};
    const char *token = "";
    if (claims == NULL) return token; /* there was no memory for them */
    char *text = wf_arena_printf(wf_task_arena(), "{%s%s\"exp\":4102444800}", claims, claims[0] != '\0' ? "," : "");
    int rc = text != NULL ? wf_jwt_make(wf_task_arena(), &made, text, &token) : -ENOMEM;
    return rc == 0 ? token : "";
}

const char *new_authorization(const char *vin, const char *person)
{
    const char *body = wf_arena_printf(wf_task_arena(),
                                       "{\"vin\":\"%s\",\"origin\":\"Lot 1\",\"destination\":\"Lot 2\","
                                       "\"person_identity_key\":\"%s\",\"authorized_by\":\"tests\","
                                       "\"make_model\":\"Unknown\"}",
                                       vin, person);
    return body != NULL ? body : "";
}

const char *approved(struct api *api, const char *vin, const char *person)
{
    const char *body, *id;
    post(api, "/authorizations", new_authorization(vin, person), &body);
    id = member_of(body, "authorization_id");
    const char *path = wf_arena_printf(wf_task_arena(), "/authorizations/%s:approve", id);
    if (path == NULL) return "";
    WF_EXPECT_INT(post(api, path, "{\"by\":\"tests\"}", NULL), 200);
    return id;
}
