/* Answers that were put on tape, and are given again without their server. */
#include <stdio.h>
#include <string.h>
#include <weft/file.h>
#include <weft/path.h>
#include <weft/temporary.h>

#include "rig.h"

static int hello(struct wf_request *request)
{
    return wf_reply_text(request, 200, "hello");
}

static int bytes(struct wf_request *request)
{
    return wf_reply_bytes(request, 200, "application/octet-stream", "a\0\377", 3);
}

static int moved(struct wf_request *request)
{
    return wf_reply_redirect(request, 302, "/hello");
}

static int count_up(struct wf_request *request)
{
    int *count = wf_request_state(request);
    return wf_reply_text(request, 201, wf_arena_printf(wf_request_arena(request), "%d", ++*count));
}

static void declare(struct wf_app *app)
{
    wf_route(app, WF_GET, "/hello", hello);
    wf_route(app, WF_GET, "/bytes", bytes);
    wf_route(app, WF_GET, "/moved", moved);
    wf_route(app, WF_POST, "/count", count_up);
}

/* Says the same whether a server or a tape answers. */
static bool ask_all(struct wf_client *client)
{
    struct wf_arena *arena = wf_task_arena();
    struct wf_response response;
    if (!WF_EXPECT_CODE(wf_get(client, arena, "/hello", &response), 0)) return false;
    WF_EXPECT_TEXT(response.body, "hello");
    WF_EXPECT_TEXT(wf_response_header(&response, "content-type"), "text/plain; charset=utf-8");
    if (!WF_EXPECT_CODE(wf_get(client, arena, "/bytes", &response), 0)) return false;
    WF_EXPECT_INT((int64_t)response.size, 3);
    WF_EXPECT(response.size == 3 && memcmp(response.body, "a\0\377", 3) == 0);
    if (!WF_EXPECT_CODE(wf_get(client, arena, "/moved", &response), 0)) return false;
    WF_EXPECT_TEXT(response.body, "hello");
    WF_EXPECT_INT(response.redirects, 1);
    for (int i = 1; i <= 2; i++) {
        if (!WF_EXPECT_CODE(wf_post(client, arena, "/count", &response, .text = "up"), 0)) return false;
        WF_EXPECT_INT(response.status, 201);
        WF_EXPECT_INT(response.body[0], '0' + i);
    }
    if (!WF_EXPECT_CODE(wf_get(client, arena, "/nothing", &response), 0)) return false;
    WF_EXPECT_INT(response.status, 404);
    return true;
}

static __attribute__((noinline)) bool record(const char *path)
{
    int count = 0;
    struct wf_app app = {.title = "t", .state = &count};
    declare(&app);
    bool done;
    {
        WF_CLIENT(client, .base_url = "http://server", .app = &app, .record = path);
        done = ask_all(&client);
    }
    wf_app_finish(&app);
    return done;
}

static __attribute__((noinline)) void replay(const char *path)
{
    struct wf_response response;
    struct wf_client_statistics statistics;
    WF_CLIENT(client, .base_url = "http://server", .replay = path);
    bool done = ask_all(&client);
    if (done) {
        WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), "/hello", &response), -ENOENT);
        WF_EXPECT_PART(wf_failure(), "GET http://server/hello");
        WF_EXPECT_PART(wf_failure(), "has no further answer to that");
    }
    wf_client_statistics(&client, &statistics);
    WF_EXPECT_INT((int64_t)statistics.opened, 0);
}

WF_TEST(what_was_recorded_is_given_again)
{
    struct wf_temporary directory;
    if (!WF_EXPECT_CODE(wf_temporary_directory(NULL, &directory), 0)) return;
    const char *path = wf_arena_printf(wf_task_arena(), "%s/tape", directory.path);
    if (path != NULL && record(path)) replay(path);
    wf_ignore(wf_shielded(WF_SECONDS(1), wf_temporary_remove(&directory)));
}

WF_TEST(what_is_no_tape_is_refused)
{
    struct wf_temporary directory;
    struct wf_response response;
    struct wf_file *file;
    if (!WF_EXPECT_CODE(wf_temporary_directory(NULL, &directory), 0)) return;
    const char *path = wf_arena_printf(wf_task_arena(), "%s/tape", directory.path);
    if (path != NULL && WF_EXPECT_CODE(wf_file_open(path, O_WRONLY | O_CREAT, 0600, &file), 0)) {
        WF_CLIENT(client, .replay = path);
        if (WF_EXPECT_INT(wf_file_write(file, "{\"method\":1}\n", 13), 13)) {
            WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), "http://a/", &response), -EBADMSG);
            WF_EXPECT_PART(wf_failure(), "this is no tape");
        }
        wf_file_close(file);
    }
    wf_ignore(wf_shielded(WF_SECONDS(1), wf_temporary_remove(&directory)));
}

WF_TEST(a_tape_that_is_not_there_is_named)
{
    struct wf_response response;
    WF_CLIENT(client, .replay = "/nowhere/tape");
    WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), "http://a/", &response), -ENOENT);
    WF_EXPECT_PART(wf_failure(), "/nowhere/tape");
}

WF_TEST_MAIN
