/* The document at /openapi.json and the page at /docs. That it is one, a validator says: tests/examples/openapi.py. */
#include <stdio.h>
#include <string.h>
#include <weft/depend.h>
#include <weft/model.h>
#include <weft/security.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "openapi_app.h"
#include "rig.h"

static const char *get(struct wf_app *app, struct exchange_log *log, const char *target, const char *fields)
{
    char text[512];
    snprintf(text, sizeof text, "GET %s HTTP/1.1\r\nHost: test\r\n%s\r\n", target, fields);
    ask(log, app, text);
    const char *body = strstr(log->bytes, "\r\n\r\n");
    return body != NULL ? body + 4 : "";
}

static int say(struct wf_request *request)
{
    return wf_reply_text(request, 200, wf_request_path(request));
}

static const struct {
    const char *name, *part;
} parts[] = {
    {"version", "{\"openapi\":\"3.1.0\",\"info\":{\"title\":\"Every \\\"thing\\\"\",\"description\":\"All\\nof "
                "it\",\"version\":\"2.1\"},\"paths\":{"},
    {"mounted root", "\"/admin\":{\"get\":{\"summary\":\"Show thing\",\"operationId\":\"show_thing_4\",\"responses\":"},
    {"below a mount", "\"/admin/things\":{\"post\":{"},
    {"a summary", "\"/\":{\"get\":{\"summary\":\"The first page\""},
    {"tags", "\"get\":{\"tags\":[\"things\"],"},
    {"a preset is not required",
     "{\"name\":\"limit\",\"in\":\"query\",\"required\":false,\"schema\":{\"type\":\"integer\",\"format\":\"int32\","
     "\"minimum\":1,\"maximum\":100,\"default\":20}}"},
    {"an enum is", "{\"name\":\"order\",\"in\":\"query\",\"required\":true,\"schema\":"},
    {"a model as a text",
     "{\"name\":\"like\",\"in\":\"query\",\"required\":false,\"content\":{\"application/json\":{\"schema\":{\"$ref\":"
     "\"#/components/schemas/tag\"}}}}"},
    {"a field", "{\"name\":\"user-agent\",\"in\":\"header\",\"required\":true,\"schema\":"},
    {"a cookie", "{\"name\":\"theme\",\"in\":\"cookie\",\"required\":false,\"schema\":{\"type\":\"string\"}}"},
    {"a path by its model",
     "\"/things/{id}\":{\"put\":{\"tags\":[\"things\"],\"summary\":\"Change thing\",\"description\":\"All of it is "
     "new.\",\"operationId\":\"change_thing\",\"parameters\":[{\"name\":\"id\",\"in\":\"path\",\"required\":true,"
     "\"description\":\"of the thing\",\"schema\":{\"type\":\"string\",\"format\":\"uuid\""},
    {"the same path under another name",
     "\"delete\":{\"summary\":\"Remove\",\"operationId\":\"remove\",\"parameters\":[{\"name\":\"id\",\"in\":\"path\","
     "\"required\":true,\"schema\":{\"type\":\"string\"}}],\"responses\":{\"204\":{\"description\":\"No Content\"},"},
    {"a body", "\"requestBody\":{\"required\":true,\"content\":{\"application/json\":{\"schema\":{\"$ref\":"
               "\"#/components/schemas/thing\"}}}}"},
    {"a form", "\"application/x-www-form-urlencoded\":{\"schema\":{\"$ref\":\"#/components/schemas/login\"}}"},
    {"problems", "\"422\":{\"description\":\"Unprocessable Content\",\"content\":{\"application/json\":{\"schema\":{"
                 "\"$ref\":\"#/components/schemas/HTTPValidationError\"}}}}"},
    {"a rest", "\"/files/{path}\":{"},
    {"what it needs, and what that needs",
     "\"security\":[{\"bearer\":[\"things:read\",\"things:write\"],\"login\":[\"things:read\",\"things:write\"],"
     "\"openid\":[\"things:read\",\"things:write\"]}]"},
    {"what its app needs", "\"security\":[{\"basic\":[],\"key\":[],\"certificate\":[]}]"},
    {"a key", "\"key\":{\"type\":\"apiKey\",\"description\":\"From us\",\"in\":\"header\",\"name\":\"x-key\"}"},
    {"a bearer", "\"bearer\":{\"type\":\"http\",\"scheme\":\"bearer\"}"},
    {"flows", "\"login\":{\"type\":\"oauth2\",\"flows\":{\"password\":{\"tokenUrl\":\"https://login.example/token\","
              "\"scopes\":{\"things:read\":\"Look at things\",\"things:write\":\"\"}},\"authorizationCode\":{"},
    {"who shows nothing", "\"401\":{\"description\":\"Unauthorized\","},
    {"who may not", "\"403\":{\"description\":\"Forbidden\","},
    {"a schema of what a schema needs", "\"tag\":{\"type\":\"object\""},
};

WF_TEST_EACH(a_document_has_what_the_routes_say, parts)
{
    struct wf_app app, inner;
    struct exchange_log log;
    openapi_app(&app, &inner);
    WF_EXPECT_PART(get(&app, &log, "/openapi.json", ""), row->part);
    WF_EXPECT_PART(log.bytes, "\r\ncontent-type: application/json\r\n");
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

static const struct {
    const char *name, *part;
} absent[] = {
    {"hidden", "/secret"},
    {"no operation of a path item", "/tunnel"},
    {"covered by a mount", "/admin/never"},
    {"not told apart from a rest", "/files/{name}"},
    {"itself", "/openapi.json"},
    {"the page", "/docs"},
};

WF_TEST_EACH(a_document_leaves_out_what_cannot_be_asked_for, absent)
{
    struct wf_app app, inner;
    struct exchange_log log;
    openapi_app(&app, &inner);
    const char *document = get(&app, &log, "/openapi.json", "");
    WF_EXPECT_TEXT(log.statuses, "200 ");
    WF_EXPECT(strstr(document, row->part) == NULL);
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

static const char *tag_of(const struct exchange_log *log)
{
    const char *tag = strstr(log->bytes, "etag: ");
    return tag != NULL ? wf_arena_strndup(wf_task_arena(), tag + 6, strcspn(tag + 6, "\r")) : NULL;
}

static const struct {
    const char *name, *target, *type;
} pages[] = {{"document", "/openapi.json", "application/json"}, {"page", "/docs", "text/html; charset=utf-8"}};

WF_TEST_EACH(who_has_it_already_is_not_sent_it_again, pages)
{
    struct wf_app app = {.title = "A"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/a", say);
    get(&app, &log, row->target, "");
    const char *tag = tag_of(&log);
    WF_EXPECT_TEXT(log.statuses, "200 ");
    WF_EXPECT_PART(log.bytes, row->type);
    if (WF_EXPECT(tag != NULL)) {
        char fields[128];
        snprintf(fields, sizeof fields, "If-None-Match: %s\r\n", tag);
        get(&app, &log, row->target, fields);
        WF_EXPECT_TEXT(log.statuses, "304 ");
        get(&app, &log, row->target, "If-None-Match: \"other\"\r\n");
        WF_EXPECT_TEXT(log.statuses, "200 ");
        get(&app, &log, row->target, "If-Modified-Since: Sat, 21 Nov 2026 20:00:00 GMT\r\n");
        WF_EXPECT_TEXT(log.statuses, "200 ");
    }
    wf_app_finish(&app);
}

WF_TEST(the_page_runs_nothing_but_its_own)
{
    struct wf_app app = {.title = "A"};
    struct exchange_log log;
    const char *page = get(&app, &log, "/docs", "");
    WF_EXPECT_PART(log.bytes, "content-security-policy: default-src 'none'; style-src 'sha256-");
    WF_EXPECT_PART(log.bytes, "script-src 'sha256-");
    WF_EXPECT_PART(page, "<!doctype html>");
    WF_EXPECT_PART(page, "</html>\n");
    WF_EXPECT(strstr(page, "https://") == NULL || strstr(page, "src=") == NULL);
    WF_EXPECT(strstr(page, "innerHTML") == NULL);
    wf_app_finish(&app);
}

WF_TEST(without_docs_there_are_none)
{
    struct wf_app app = {.title = "A", .no_docs = true};
    struct exchange_log log;
    get(&app, &log, "/openapi.json", "");
    WF_EXPECT_TEXT(log.statuses, "404 ");
    get(&app, &log, "/docs", "");
    WF_EXPECT_TEXT(log.statuses, "404 ");
    wf_app_finish(&app);
}

WF_TEST(routes_of_ones_own_win)
{
    struct wf_app app = {.title = "A"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/docs", say);
    WF_EXPECT_TEXT(get(&app, &log, "/docs", ""), "/docs");
    WF_EXPECT_PART(get(&app, &log, "/openapi.json", ""), "\"/docs\":{");
    wf_app_finish(&app);
}

WF_TEST(a_mounted_app_may_be_left_out)
{
    struct wf_app app = {.title = "A"}, inner = {.no_docs = true};
    struct exchange_log log;
    wf_route(&inner, WF_GET, "/b", say);
    wf_mount(&app, "/inner", &inner);
    WF_EXPECT(strstr(get(&app, &log, "/openapi.json", ""), "/inner") == NULL);
    WF_EXPECT_TEXT(get(&app, &log, "/inner/b", ""), "/inner/b");
    get(&app, &log, "/inner/docs", "");
    WF_EXPECT_TEXT(log.statuses, "404 ");
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

/* ---- Mistakes ---- */

#define ONE_MEMBERS(M) M(INT32, x)
WF_MODEL(one, ONE_MEMBERS)
WF_MODEL(another, ONE_MEMBERS, .name = "one")
WF_MODEL(taken, ONE_MEMBERS, .name = "HTTPValidationError")

WF_TEST(two_models_of_one_name_are_told_before_it_serves)
{
    const struct wf_model *both[] = {&another_model, &taken_model};
    for (size_t i = 0; i < WF_COUNT(both); i++) {
        struct wf_app app = {.title = "A"};
        struct exchange_log log;
        wf_route(&app, WF_GET, "/a", say, .response = &one_model);
        wf_route(&app, WF_GET, "/b", say, .response = both[i]);
        get(&app, &log, "/a", "");
        WF_EXPECT_CODE(log.served, -EEXIST);
        wf_app_finish(&app);
    }
}

WF_TEST(two_schemes_of_one_name_are_told_before_it_serves)
{
    static const struct wf_security_scheme other = {.name = "basic", .kind = WF_SECURITY_MUTUAL_TLS};
    static const struct wf_dependency login = WF_BASIC("a"), by_other = {.name = "other", .scheme = &other};
    struct wf_app app = {.title = "A"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/a", say, .needs = {&login});
    wf_route(&app, WF_GET, "/b", say, .needs = {&by_other});
    get(&app, &log, "/a", "");
    WF_EXPECT_CODE(log.served, -EEXIST);
    wf_app_finish(&app);
}

WF_TEST(what_is_not_documented_may_have_any_name)
{
    struct wf_app app = {.title = "A"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/a", say, .response = &one_model);
    wf_route(&app, WF_GET, "/b", say, .response = &another_model, .hidden = true);
    get(&app, &log, "/b", "");
    WF_EXPECT_TEXT(log.statuses, "200 ");
    wf_app_finish(&app);
}

WF_TEST(a_document_can_be_written_without_serving)
{
    struct wf_app app, inner;
    struct wf_json_writer writer;
    const char *text = "";
    openapi_app(&app, &inner);
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    WF_EXPECT_CODE(wf_app_write_openapi(&app, &writer), 0);
    WF_EXPECT_CODE(wf_json_write_end(&writer, &text, NULL), 0);
    WF_EXPECT_PART(text, "{\"openapi\":\"3.1.0\"");
    wf_app_finish(&app);
    wf_app_finish(&inner);
}

WF_TEST(a_wrong_route_has_no_document)
{
    struct wf_app app = {.title = "A"};
    struct wf_json_writer writer;
    wf_route(&app, WF_GET, "no slash", say);
    wf_json_writer_init(&writer, wf_task_arena(), 0);
    WF_EXPECT_CODE(wf_app_write_openapi(&app, &writer), -EINVAL);
    wf_app_finish(&app);
}

WF_TEST_MAIN
