/* The live page's files: what they are served with, and that a browser gets them once. */
#include "../server/page.h"

#include <string.h>
#include <weft/client.h>
#include <weft/testing.h>
#include <weft/weft.h>

static void finish(struct wf_app *app)
{
    wf_app_finish(app);
}

#define PAGE(client)                                                                                                   \
    struct wf_app app __attribute__((cleanup(finish))) = {.title = "t"};                                               \
    page_routes(&app);                                                                                                 \
    WF_CLIENT(client, .base_url = "http://server", .app = &app)

static const char *field(const struct wf_response *response, const char *name)
{
    const char *value = wf_response_header(response, name);
    return value != NULL ? value : "";
}

WF_TEST(the_page_and_what_it_loads_are_in_the_binary)
{
    PAGE(client);
    static const struct {
        const char *path, *type, *part;
    } rows[] = {{"/", "text/html; charset=utf-8", "<!doctype html>"},
                {"/page/style.css", "text/css; charset=utf-8", ":root {"},
                {"/page/icon.svg", "image/svg+xml", "<svg "},
                {"/page/theme.js", "text/javascript; charset=utf-8", "\"use strict\""},
                {"/page/main.js", "text/javascript; charset=utf-8", "import "}};
    for (size_t i = 0; i < WF_COUNT(rows); i++) {
        struct wf_response response;
        if (!WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), rows[i].path, &response), 0)) return;
        WF_EXPECT_INT(response.status, 200);
        WF_EXPECT_TEXT(field(&response, "content-type"), rows[i].type);
        WF_EXPECT_TEXT(field(&response, "x-content-type-options"), "nosniff");
        WF_EXPECT(response.body != NULL && strstr(response.body, rows[i].part) != NULL);
    }
}

WF_TEST(nothing_may_run_in_the_page_but_its_own_files)
{
    PAGE(client);
    struct wf_response response;
    if (!WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), "/", &response), 0)) return;
    const char *policy = field(&response, "content-security-policy");
    WF_EXPECT(strncmp(policy, "default-src 'none'; script-src 'self'; style-src 'self'; ", 57) == 0);
    WF_EXPECT(strstr(policy, "unsafe") == NULL);
    WF_EXPECT(strstr(policy, "frame-ancestors 'none'") != NULL);
    WF_EXPECT(response.body != NULL && strstr(response.body, "<style") == NULL);
    WF_EXPECT(response.body != NULL && strstr(response.body, " style=") == NULL);
    WF_EXPECT_TEXT(field(&response, "referrer-policy"), "no-referrer");
}

WF_TEST(a_file_that_is_known_is_not_sent_again)
{
    PAGE(client);
    struct wf_response first, again, other;
    if (!WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), "/page/main.js", &first), 0)) return;
    const char *tag = field(&first, "etag");
    WF_EXPECT_INT((int64_t)strlen(tag), 34);
    WF_EXPECT_TEXT(field(&first, "cache-control"), "no-cache");
    const struct wf_named known[] = {{"if-none-match", tag}, {0}};
    if (!WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), "/page/main.js", &again, .headers = known), 0)) return;
    WF_EXPECT_INT(again.status, 304);
    WF_EXPECT_TEXT(field(&again, "etag"), tag);
    if (!WF_EXPECT_CODE(wf_get(&client, wf_task_arena(), "/page/dom.js", &other, .headers = known), 0)) return;
    WF_EXPECT_INT(other.status, 200);
}

WF_TEST_MAIN
