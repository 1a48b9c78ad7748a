/*
 * Asynchronous functions that call each other, and a route that does. From "Basic Patterns", "Calling Async Functions".
 * Rows: S003, S063.
 * The sample's `get_user` reads a global `db`; here the app hands its users to its handlers. What the route does with a
 * path that is none, with no UUID and with another method is asked, too.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/003-services/calling_async_functions.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

#define WHICH_MEMBERS(M) M(UUID, user_id)
WF_MODEL(which_user, WHICH_MEMBERS)

#define USER_MEMBERS(M) M(UUID, id) M(STRING, name)
WF_MODEL(user, USER_MEMBERS)

static const struct user ada = {
    .id = {{0xf8, 0x1d, 0x4f, 0xae, 0x7d, 0xec, 0x11, 0xd0, 0xa7, 0x65, 0x00, 0xa0, 0xc9, 0x1e, 0x6b, 0xf6}},
    .name = "Ada",
};

static int get_user(const struct user *users, const struct wf_uuid *id, struct user *user)
{
    int rc = wf_sleep(WF_MILLISECONDS(20)); /* to the database and back */
    if (rc < 0) return rc;
    if (memcmp(&users->id, id, sizeof *id) != 0) return wf_fail(-ENOENT, "there is no such user");
    *user = *users;
    return 0;
}

/* In another function. */
static int get_user_profile(const struct user *users, const struct wf_uuid *id, char profile[64])
{
    struct user user = {.name = ""};
    int rc = get_user(users, id, &user);
    if (rc == 0) snprintf(profile, 64, "%s's profile", user.name);
    return rc;
}

/* In a route. */
static int get_user_endpoint(struct wf_request *request)
{
    const struct which_user *which = wf_path_value(request);
    struct user user = {.name = ""};
    int rc = get_user(wf_request_state(request), &which->user_id, &user);
    return rc < 0 ? rc : wf_reply(request, 200, &user_model, &user);
}

static int ask(struct wf_client *client, enum wf_method method, const char *path)
{
    struct wf_response response;
    int rc = wf_fetch(client, wf_task_arena(), method, path, &response);
    if (rc < 0) return rc;
    const char *allow = wf_response_header(&response, "Allow");
    printf("%s %s: %d %s\n", method == WF_GET ? "GET" : "DELETE", path, response.status, allow ? allow : response.body);
    return 0;
}

static int call_both(struct wf_app *app)
{
    char profile[64];
    WF_CLIENT(client, .base_url = "https://users.example", .app = app);
    int rc = get_user_profile(app->state, &ada.id, profile);
    if (rc == 0) puts(profile);
    if (rc == 0) rc = ask(&client, WF_GET, "/users/f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    if (rc == 0) rc = ask(&client, WF_GET, "/users/00000000-7dec-11d0-a765-00a0c91e6bf6");
    if (rc == 0) rc = ask(&client, WF_GET, "/users/ada");
    if (rc == 0) rc = ask(&client, WF_GET, "/people");
    if (rc == 0) rc = ask(&client, WF_DELETE, "/users/f81d4fae-7dec-11d0-a765-00a0c91e6bf6");
    return rc;
}

int main(void)
{
    struct wf_app app = {.title = "Users", .state = (void *)&ada};
    wf_route(&app, WF_GET, "/users/{user_id}", get_user_endpoint, .path = &which_user_model, .response = &user_model);
    int status = wf_main(call_both, &app);
    wf_app_finish(&app);
    return status;
}
