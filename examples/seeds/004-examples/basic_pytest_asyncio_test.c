/*
 * Tests of a function that asks an API: an answer, an error, a canned answer, a timeout. From "Testing Async Code",
 * "Basic pytest-asyncio Test".
 * Rows: S139, S141, S142, S143.
 * The sample's first tests need the network, and its stand-in for an answer gives a coroutine where JSON is read, so
 * that it fails. Here the API is an app of the test's own, which hears what it was asked, and nothing is patched. The
 * timeout takes no time: the clock is virtual.
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/004-examples/basic_pytest_asyncio_test.c --verbose
 */
// weft: pkg-config weft-http
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- What is tested ---- */

#define USER_MEMBERS(M) M(INT64, id) M(STRING, name)
WF_MODEL(user, USER_MEMBERS)

static int fetch_user(struct wf_client *client, int64_t id, struct user *user)
{
    struct wf_response response;
    const char *path = wf_arena_printf(wf_task_arena(), "/users/%" PRId64, id);
    int rc = wf_get(client, wf_task_arena(), path, &response, .check_status = true);
    return rc < 0 ? rc : wf_response_model(&response, &user_model, user);
}

/* ---- The API ---- */

static int show_user(struct wf_request *request)
{
    int64_t id;
    int rc = wf_path_int(request, "id", &id);
    if (rc < 0) return rc;
    if (id > 1000) return wf_http_error(request, 404, "no user %" PRId64, id);
    return wf_reply(request, 200, &user_model, &(struct user){.id = id, .name = "Ada"});
}

WF_FIXTURE(api)
{
    struct wf_app app = {.title = "Users"};
    wf_route(&app, WF_GET, "/users/{id}", show_user, .response = &user_model);
    int rc = wf_provide(&app);
    wf_app_finish(&app);
    return rc;
}

/* ---- The tests ---- */

WF_TEST(test_fetch_user, .uses = {&api})
{
    struct user user = {.id = 0};
    WF_CLIENT(client, .base_url = "https://api.example.com", .app = wf_use(&api));
    if (!WF_EXPECT_CODE(fetch_user(&client, 1, &user), 0)) return;
    WF_EXPECT_INT(user.id, 1);
    WF_EXPECT_TEXT(user.name, "Ada");
}

WF_TEST(test_fetch_user_not_found, .uses = {&api})
{
    struct user user = {.id = 0};
    WF_CLIENT(client, .base_url = "https://api.example.com", .app = wf_use(&api));
    WF_EXPECT_FAILURE(fetch_user(&client, 99999, &user), WF_ESTATUS, "404 Not Found");
}

static char asked[64];

static int answer_canned(struct wf_request *request)
{
    static const char json[] = "{\"id\": 1, \"name\": \"Test User\"}";
    snprintf(asked, sizeof asked, "%s %s", wf_request_host(request), wf_request_path(request));
    return wf_reply_bytes(request, 200, "application/json", json, strlen(json));
}

WF_TEST(test_with_mock)
{
    struct user user = {.id = 0};
    struct wf_app mock = {.title = "Canned"};
    wf_route(&mock, WF_GET, "/{path:rest}", answer_canned);
    {
        WF_CLIENT(client, .base_url = "https://api.example.com", .app = &mock);
        if (WF_EXPECT_CODE(fetch_user(&client, 1, &user), 0)) WF_EXPECT_TEXT(user.name, "Test User");
        WF_EXPECT_TEXT(asked, "api.example.com /users/1");
    }
    wf_app_finish(&mock);
}

WF_TEST(test_timeout, .simulated = true)
{
    int64_t began = wf_now();
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(100), wf_sleep(WF_SECONDS(1))), -ETIME);
    WF_EXPECT_INT(wf_now() - began, WF_MILLISECONDS(100));
}

WF_TEST_MAIN
