/* How clients show who they are, in an OpenAPI document: schemes, and which of them an operation needs. */
#include <string.h>
#include <weft/security.h>
#include <weft/task.h>

#include "http/depend.h"
#include "http/openapi.h"

enum { NEEDED_MAX = 16 };

struct needed {
    const struct wf_security_scheme *list[NEEDED_MAX];
    unsigned count;
};

/* ---- Collecting ---- */

static void add_needed(struct needed *needed, const struct wf_app *app, const struct route *route)
{
    const struct wf_security_scheme *found[NEEDED_MAX];
    unsigned count = depend_schemes(app, route, found, NEEDED_MAX);
    for (unsigned i = 0; i < count; i++) {
        unsigned at = 0;
        while (at < needed->count && needed->list[at] != found[i]) at++;
        if (at == needed->count && at < NEEDED_MAX) needed->list[needed->count++] = found[i];
    }
}

/* By its route, its app, and the apps around that. */
static struct needed needed_by(const struct operation *operation)
{
    static const struct route none;
    struct needed needed = {.count = 0};
    for (const struct level *level = operation->level; level != NULL; level = level->outer)
        add_needed(&needed, level->app, level == operation->level ? operation->route : &none);
    return needed;
}

static int add_scheme(struct openapi *openapi, const struct wf_security_scheme *scheme)
{
    for (unsigned i = 0; i < openapi->scheme_count; i++) {
        if (openapi->schemes[i] == scheme) return 0;
        if (strcmp(openapi->schemes[i]->name, scheme->name) == 0)
            return wf_fail(-EEXIST, "two security schemes are called %s", scheme->name);
    }
    if (openapi->scheme_count == SCHEMES_MAX) return wf_fail(-E2BIG, "more than %d security schemes", SCHEMES_MAX);
    openapi->schemes[openapi->scheme_count++] = scheme;
    return 0;
}

int openapi_collect_schemes(struct openapi *openapi)
{
    for (size_t i = 0; i < openapi->count; i++) {
        struct needed needed = needed_by(&openapi->operations[i]);
        for (unsigned at = 0; at < needed.count; at++) {
            int rc = add_scheme(openapi, needed.list[at]);
            if (rc < 0) return rc;
        }
    }
    return 0;
}

bool openapi_is_guarded(const struct operation *operation)
{
    return needed_by(operation).count > 0;
}

/* ---- An operation's ---- */

static bool has_scopes(const struct wf_security_scheme *scheme)
{
    return scheme->kind == WF_SECURITY_OAUTH2 || scheme->kind == WF_SECURITY_OPENID ||
           (scheme->kind == WF_SECURITY_HTTP && strcmp(scheme->scheme, "bearer") == 0);
}

static void write_scopes(const char *scopes, struct wf_json_writer *writer)
{
    wf_json_open_array(writer);
    while (*(scopes += strspn(scopes, " ")) != '\0') {
        size_t size = strcspn(scopes, " ");
        wf_json_write_text(writer, scopes, size);
        scopes += size;
    }
    wf_json_close_array(writer);
}

void openapi_write_security(const struct operation *operation, struct wf_json_writer *writer)
{
    struct needed needed = needed_by(operation);
    const char *scopes = operation->route->options.scopes;
    if (needed.count == 0) return;
    wf_json_write_key(writer, "security");
    wf_json_open_array(writer);
    wf_json_open_object(writer); /* all of them are needed */
    for (unsigned i = 0; i < needed.count; i++) {
        wf_json_write_key(writer, needed.list[i]->name);
        write_scopes(scopes != NULL && has_scopes(needed.list[i]) ? scopes : "", writer);
    }
    wf_json_close_object(writer);
    wf_json_close_array(writer);
}

/* ---- Schemes ---- */

static const char *const flow_names[] = {
    [WF_OAUTH2_NONE] = NULL,
    [WF_OAUTH2_PASSWORD] = "password",
    [WF_OAUTH2_CLIENT_CREDENTIALS] = "clientCredentials",
    [WF_OAUTH2_AUTHORIZATION_CODE] = "authorizationCode",
    [WF_OAUTH2_IMPLICIT] = "implicit",
};

static void write_known_scopes(const struct wf_security_scheme *scheme, struct wf_json_writer *writer)
{
    wf_json_write_key(writer, "scopes");
    wf_json_open_object(writer);
    for (unsigned i = 0; i < WF_COUNT(scheme->scopes) && scheme->scopes[i].name != NULL; i++) {
        const char *description = scheme->scopes[i].description;
        json_write_pair(writer, scheme->scopes[i].name, description != NULL ? description : "");
    }
    wf_json_close_object(writer);
}

static void write_flows(const struct wf_security_scheme *scheme, struct wf_json_writer *writer)
{
    wf_json_write_key(writer, "flows");
    wf_json_open_object(writer);
    for (unsigned i = 0; i < WF_COUNT(scheme->flows) && scheme->flows[i].flow != WF_OAUTH2_NONE; i++) {
        wf_json_write_key(writer, flow_names[scheme->flows[i].flow]);
        wf_json_open_object(writer);
        json_write_pair(writer, "authorizationUrl", scheme->flows[i].authorization_url);
        json_write_pair(writer, "tokenUrl", scheme->flows[i].token_url);
        json_write_pair(writer, "refreshUrl", scheme->flows[i].refresh_url);
        write_known_scopes(scheme, writer);
        wf_json_close_object(writer);
    }
    wf_json_close_object(writer);
}

static void write_scheme(const struct wf_security_scheme *scheme, struct wf_json_writer *writer)
{
    static const char *const types[] = {[WF_SECURITY_HTTP] = "http",
                                        [WF_SECURITY_KEY] = "apiKey",
                                        [WF_SECURITY_OAUTH2] = "oauth2",
                                        [WF_SECURITY_OPENID] = "openIdConnect",
                                        [WF_SECURITY_MUTUAL_TLS] = "mutualTLS"};
    static const char *const places[] =
        {[WF_KEY_IN_HEADER] = "header", [WF_KEY_IN_QUERY] = "query", [WF_KEY_IN_COOKIE] = "cookie"};
    wf_json_open_object(writer);
    json_write_pair(writer, "type", types[scheme->kind]);
    json_write_pair(writer, "description", scheme->description);
    if (scheme->kind == WF_SECURITY_HTTP) json_write_pair(writer, "scheme", scheme->scheme);
    if (scheme->kind == WF_SECURITY_HTTP) json_write_pair(writer, "bearerFormat", scheme->bearer_format);
    if (scheme->kind == WF_SECURITY_KEY) json_write_pair(writer, "in", places[scheme->place]);
    if (scheme->kind == WF_SECURITY_KEY) json_write_pair(writer, "name", scheme->key);
    if (scheme->kind == WF_SECURITY_OPENID) json_write_pair(writer, "openIdConnectUrl", scheme->openid_url);
    if (scheme->kind == WF_SECURITY_OAUTH2) write_flows(scheme, writer);
    wf_json_close_object(writer);
}

void openapi_write_schemes(const struct openapi *openapi, struct wf_json_writer *writer)
{
    if (openapi->scheme_count == 0) return;
    wf_json_write_key(writer, "securitySchemes");
    wf_json_open_object(writer);
    for (unsigned i = 0; i < openapi->scheme_count; i++) {
        wf_json_write_key(writer, openapi->schemes[i]->name);
        write_scheme(openapi->schemes[i], writer);
    }
    wf_json_close_object(writer);
}
