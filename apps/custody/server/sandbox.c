/* The sandbox as a whole: opened, served, closed. */
#include "sandbox.h"

#include <string.h>
#include <weft/extend.h>

#include "page.h"
#include "server.h"

enum { KEY_LEAST = 32 }; /* what weft takes for HS256 */

static const char audience[] = "custody-sandbox";
static const char id_letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";

/* ---- Opening ---- */

static int take_secret(struct sandbox *sandbox, const char *secret)
{
    size_t size = secret != NULL ? strlen(secret) : KEY_LEAST;
    if (size == 0 || size > KEY_MAX) return wf_fail(-EINVAL, "a secret has 1 to %d bytes", KEY_MAX);
    if (secret != NULL) memcpy(sandbox->key, secret, size);
    else wf_random(sandbox->key, size);
    sandbox->key_size = size > KEY_LEAST ? size : KEY_LEAST;
    sandbox->jwt = (struct wf_jwt_options){
        .keys = {{.algorithm = WF_JWT_HS256, .bytes = (const char *)sandbox->key, .size = sandbox->key_size}},
        .audience = audience,
    };
    return 0;
}

static void declare(struct sandbox *sandbox)
{
    struct wf_app *app = &sandbox->app, *v1 = &sandbox->v1;
    *v1 = (struct wf_app){
        .title = "Custody",
        .version = "1.0.0",
        .description = "Is a vehicle releasable, who may fetch it, who has it: the sandbox.",
        .state = sandbox,
        .slashes = WF_SLASH_STRICT,
        .no_docs = true,
        .write_error = write_error,
        .error_model = &custody_error_body_model,
    };
    *app = (struct wf_app){
        .title = "Custody sandbox",
        .state = sandbox,
        .slashes = WF_SLASH_STRICT,
        .request_ids = true,
        .request_id_letters = id_letters,
        .metrics = true,
        .access_log = sandbox->options.access_log,
        .write_error = write_error,
        .error_model = &custody_error_body_model,
    };
    wf_app_use(v1, know_paths, sandbox);
    releasability_routes(v1);
    authorization_routes(v1);
    transfer_routes(v1);
    event_routes(v1);
    open_routes(v1, false);
    sandbox_routes(v1);
    open_routes(app, true);
    page_routes(app);
    wf_mount(app, BASE_PATH, v1);
}

static int fill(struct sandbox *sandbox, struct wf_scope *scope)
{
    const struct sandbox_options *options = &sandbox->options;
    int rc = take_secret(sandbox, options->secret);
    if (rc == 0) rc = tokens_create(sandbox);
    if (rc == 0) rc = quota_create(options->rate_count, options->rate_per, &sandbox->quota);
    if (rc == 0) rc = storage_open(scope, &options->storage, &sandbox->storage);
    if (rc == 0) declare(sandbox);
    return rc;
}

int sandbox_open(struct wf_scope *scope, const struct sandbox_options *options, struct sandbox **sandbox)
{
    int rc = wf_checkpoint();
    if (rc < 0) return rc;
    struct sandbox *made = wf_memory_alloc(sizeof *made);
    if (made == NULL) return -ENOMEM;
    memset(made, 0, sizeof *made);
    made->options = *options;
    wf_arena_init(&made->arena);
    rc = fill(made, scope);
    if (rc < 0) sandbox_close(made);
    else *sandbox = made;
    return rc;
}

void sandbox_close(struct sandbox *sandbox)
{
    if (sandbox == NULL) return;
    wf_app_finish(&sandbox->app);
    wf_app_finish(&sandbox->v1);
    if (sandbox->storage != NULL) storage_close(sandbox->storage);
    quota_destroy(sandbox->quota);
    faults_finish(sandbox);
    wf_arena_finish(&sandbox->arena);
    wf_memory_free(sandbox);
}

struct wf_app *sandbox_app(struct sandbox *sandbox)
{
    return &sandbox->app;
}

/* ---- Tokens ---- */

int sandbox_token(struct sandbox *sandbox, struct wf_arena *arena, const char *subject, const char *scopes,
                  int64_t lifetime, const char **token)
{
    long long now = (long long)(wf_wall_now() / WF_SECONDS(1)), seconds = (long long)(lifetime / WF_SECONDS(1));
    if (strpbrk(subject, "\"\\") != NULL || strpbrk(scopes, "\"\\") != NULL)
        return wf_fail(-EINVAL, "a subject and scopes have no quotes and backslashes");
    char *claims = wf_arena_printf(arena, "{\"sub\":\"%s\",\"aud\":\"%s\",\"iat\":%lld,\"exp\":%lld,\"scope\":\"%s\"}",
                                   subject, audience, now, now + seconds, scopes);
    return claims == NULL ? -ENOMEM : wf_jwt_make(arena, &sandbox->jwt.keys[0], claims, token);
}

/* ---- Serving ---- */

static bool is_everywhere(const char *host)
{
    return strcmp(host, "*") == 0;
}

/* To whom it listens everywhere it is here, too. */
static const char *shown_host(const char *host)
{
    return is_everywhere(host) || strcmp(host, "0.0.0.0") == 0 || strcmp(host, "::") == 0 ? "127.0.0.1" : host;
}

static void say_where(struct wf_app *app, uint16_t port, void *argument)
{
    struct sandbox *sandbox = argument;
    const char *host = shown_host(sandbox->options.host), *token = "";
    bool bare = strchr(host, ':') == NULL; /* an IPv6 address goes into brackets */
    struct wf_arena arena;
    (void)app;
    wf_arena_init(&arena);
    wf_ignore(sandbox_token(sandbox, &arena, "demo", "custody:read custody:write", WF_SECONDS(24 * 3600), &token));
    fprintf(sandbox->out, "custody sandbox at http://%s%s%s:%u%s\n", bare ? "" : "[", host, bare ? "" : "]", port,
            BASE_PATH);
    fprintf(sandbox->out, "page http://%s%s%s:%u/#token=%s\ntoken %s\n", bare ? "" : "[", host, bare ? "" : "]", port,
            token, token);
    fflush(sandbox->out);
    wf_arena_finish(&arena);
}

static int serve_once(struct sandbox *sandbox)
{
    const char *host = is_everywhere(sandbox->options.host) ? NULL : sandbox->options.host;
    return wf_serve(&sandbox->app, .host = host, .port = sandbox->options.port,
                    .listening = sandbox->out != NULL ? say_where : NULL, .listening_arg = sandbox);
}

/* The port of one that was killed a moment ago may not be free yet: the kernel takes io_uring apart in its own time. */
int sandbox_serve(struct sandbox *sandbox, FILE *out)
{
    int64_t until = wf_now() + WF_SECONDS(1);
    sandbox->out = out;
    int rc = serve_once(sandbox);
    while (rc == -EADDRINUSE && wf_now() < until) {
        rc = wf_sleep(WF_MILLISECONDS(50));
        if (rc == 0) rc = serve_once(sandbox);
    }
    return rc;
}

static int open_and_serve(const struct sandbox_options *options)
{
    struct sandbox *sandbox;
    WF_SCOPE(scope, .name = "sandbox");
    int rc = sandbox_open(&scope, options, &sandbox);
    if (rc < 0) return wf_scope_end(&scope, rc);
    rc = sandbox_serve(sandbox, stdout);
    sandbox_close(sandbox);
    return wf_scope_end(&scope, rc);
}

int sandbox_main(const struct sandbox_options *options)
{
    return wf_main(open_and_serve, options, .signals = true, .grace = WF_SECONDS(10));
}
