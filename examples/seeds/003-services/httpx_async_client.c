/*
 * A client of an API as a thing of one's own: base URL, timeout and login are said once. From "HTTP Client Patterns",
 * "httpx Async Client".
 * Rows: S050, S051, S052, S053, S062.
 * The sample's 30 s are without a byte that comes, and so an answer that dribbles never ends; here they are for all of
 * a call. Its close is not called where something fails before; here leaving the block closes the client.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/httpx_async_client.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

#define RESOURCE_MEMBERS(M) M(STRING, id) M(STRING, name)
WF_MODEL(resource, RESOURCE_MEMBERS)

static int get_resource(struct wf_client *api, const char *id, struct resource *resource)
{
    struct wf_response response;
    const char *path = wf_arena_printf(wf_task_arena(), "/resources/%s", id);
    int rc = wf_get(api, wf_task_arena(), path, &response);
    return rc < 0 ? rc : wf_response_model(&response, &resource_model, resource);
}

static void show(struct wf_client *api, const char *id)
{
    struct resource resource = {.id = id};
    int64_t began = wf_now();
    int rc = get_resource(api, id, &resource);
    printf("%s: %s, after %.0f s\n", id, rc == 0 ? resource.name : wf_failure(), wf_seconds(wf_now() - began));
}

static int use_api(struct wf_app *app)
{
    WF_CLIENT(api, .base_url = "https://api.example.com", .times = {.total = WF_SECONDS(30)}, .bearer = "SECRET",
              .check_status = true, .app = app);
    show(&api, "7");
    show(&api, "8");
    show(&api, "moved");
    show(&api, "dribbling");
    wf_client_close(&api);
    show(&api, "7");
    return 0;
}

/* ---- The API ---- */

static int dribble(struct wf_request *request)
{
    int rc = wf_reply_begin(request, 200, "application/json", -1);
    while (rc == 0 && (rc = wf_reply_write(request, " ", 1)) == 0)
        if ((rc = wf_reply_flush(request)) == 0) rc = wf_sleep(WF_SECONDS(1));
    return rc;
}

static int show_resource(struct wf_request *request)
{
    const char *login = wf_request_header(request, "Authorization");
    const char *id = wf_path_text(request, "id");
    if (login == NULL || strcmp(login, "Bearer SECRET") != 0) return wf_http_error(request, 401, "who are you?");
    if (strcmp(id, "moved") == 0) return wf_reply_redirect(request, 307, "https://elsewhere.example/resources/7");
    if (strcmp(id, "dribbling") == 0) return dribble(request);
    if (strcmp(id, "7") != 0) return wf_http_error(request, 404, "no resource %s", id);
    return wf_reply(request, 200, &resource_model, &(struct resource){.id = id, .name = "seven"});
}

int main(void)
{
    struct wf_app app = {.title = "Resources"};
    wf_route(&app, WF_GET, "/resources/{id}", show_resource, .response = &resource_model);
    int status = wf_main(use_api, &app);
    wf_app_finish(&app);
    return status;
}
