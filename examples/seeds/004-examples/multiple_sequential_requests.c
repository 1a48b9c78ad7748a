/*
 * A second request that needs the answer of the first, on the same connection. From "Basic Async/Await", "Multiple
 * Sequential Requests".
 * Rows: S050, S051, S059.
 * The sample takes whatever comes for a user, an error's page too; here the status of each answer is looked at.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/multiple_sequential_requests.c
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

#define POST_MEMBERS(M) M(INT64, user_id) M(STRING, title)
WF_MODEL(post, POST_MEMBERS)

#define POSTS_MEMBERS(M) M(LIST(MODEL(post)), posts)
WF_MODEL(posts, POSTS_MEMBERS)

static int get_model(struct wf_client *client, const char *path, const struct wf_model *model, void *value)
{
    struct wf_response response;
    int rc = wf_get(client, wf_task_arena(), path, &response, .check_status = true);
    return rc < 0 ? rc : wf_response_model(&response, model, value);
}

static int fetch_user_with_posts(struct wf_client *client, int64_t id, struct user *user, struct posts *posts)
{
    int rc = get_model(client, wf_arena_printf(wf_task_arena(), "/users/%" PRId64, id), &user_model, user);
    if (rc < 0) return rc;
    const char *path = wf_arena_printf(wf_task_arena(), "/users/%" PRId64 "/posts", user->id);
    return get_model(client, path, &posts_model, posts);
}

static int print_posts(struct wf_app *app)
{
    struct user user;
    struct posts posts;
    struct wf_client_statistics statistics;
    WF_CLIENT(client, .base_url = "https://api.example.com", .app = app);
    int rc = fetch_user_with_posts(&client, 1, &user, &posts);
    if (rc < 0) return rc;
    for (size_t i = 0; i < posts.posts.count; i++) printf("%s: %s\n", user.name, posts.posts.items[i].title);
    wf_client_statistics(&client, &statistics);
    printf("requests: %d, connections: %d\n", (int)statistics.calls, (int)statistics.opened);
    rc = fetch_user_with_posts(&client, 2, &user, &posts);
    printf("%s\n", rc < 0 ? wf_failure() : "there is a user 2");
    return rc == WF_ESTATUS ? 0 : rc;
}

/* ---- The API ---- */

static int show_user(struct wf_request *request)
{
    int64_t id;
    int rc = wf_path_int(request, "id", &id);
    if (rc < 0) return rc;
    if (id != 1) return wf_http_error(request, 404, "no user %" PRId64, id);
    return wf_reply(request, 200, &user_model, &(struct user){.id = id, .name = "Ada"});
}

static int show_posts(struct wf_request *request)
{
    struct post items[] = {{.user_id = 1, .title = "Notes on the engine"}, {.user_id = 1, .title = "Sketches"}};
    return wf_reply(request, 200, &posts_model, &(struct posts){.posts = {items, WF_COUNT(items)}});
}

int main(void)
{
    struct wf_app app = {.title = "Users"};
    wf_route(&app, WF_GET, "/users/{id}", show_user, .response = &user_model);
    wf_route(&app, WF_GET, "/users/{id}/posts", show_posts, .response = &posts_model);
    int status = wf_main(print_posts, &app);
    wf_app_finish(&app);
    return status;
}
