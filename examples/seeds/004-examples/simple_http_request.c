/*
 * One request, and its JSON as a struct. From "Basic Async/Await", "Simple HTTP Request".
 * Rows: S049, S050.
 * The sample makes a client for each call; here one is made for all, so that its connections can be used again. What
 * the API says to a user that there is not is shown, too.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/simple_http_request.c
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

#define USER_MEMBERS(M) M(INT64, id) M(STRING, name)
WF_MODEL(user, USER_MEMBERS)

/* The user lives in the arena. */
static int fetch_user(struct wf_client *client, struct wf_arena *arena, int64_t id, struct user *user)
{
    struct wf_response response;
    const char *path = wf_arena_printf(arena, "/users/%" PRId64, id);
    int rc = wf_within(WF_SECONDS(30), wf_get(client, arena, path, &response, .check_status = true));
    return rc < 0 ? rc : wf_response_model(&response, &user_model, user);
}

static int print_users(struct wf_app *app)
{
    struct user user = {.id = 0};
    WF_CLIENT(client, .base_url = "https://api.example.com", .app = app);
    int rc = fetch_user(&client, wf_task_arena(), 123, &user);
    if (rc < 0) return rc;
    printf("User: %s\n", user.name);
    rc = fetch_user(&client, wf_task_arena(), 99999, &user);
    printf("%s: %s\n", wf_strerror(rc), rc < 0 ? wf_failure() : user.name);
    return rc == WF_ESTATUS ? 0 : rc;
}

/* ---- The API ---- */

static int show_user(struct wf_request *request)
{
    int64_t id;
    int rc = wf_path_int(request, "id", &id);
    if (rc < 0) return rc;
    if (id != 123) return wf_http_error(request, 404, "no user %" PRId64, id);
    return wf_reply(request, 200, &user_model, &(struct user){.id = id, .name = "Ada"});
}

int main(void)
{
    struct wf_app app = {.title = "Users"};
    wf_route(&app, WF_GET, "/users/{id}", show_user, .response = &user_model);
    int status = wf_main(print_users, &app);
    wf_app_finish(&app);
    return status;
}
