/* What a route says beyond its models: checks of its own, who may ask, which methods it has. */
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/depend.h>
#include <weft/model.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "rig.h"

static const char *body_of(const struct exchange_log *log)
{
    const char *body = strstr(log->bytes, "\r\n\r\n");
    return body != NULL ? body + 4 : "";
}

static int say_path(struct wf_request *request)
{
    return wf_reply_text(request, 200, wf_request_path(request));
}

/* ---- What models cannot see ---- */

#define PLACE_MEMBERS(M) M(STRING, name) M(INT32, floor, .max = 9)
WF_MODEL(place, PLACE_MEMBERS)

static int check_place(struct wf_request *request, struct wf_problems *problems)
{
    const struct place *place = wf_body_value(request);
    const char *room = wf_path_text(request, "room");
    int rc = 0;
    problems->where = "path";
    if (room[0] == 'x') rc = wf_problems_add(problems, "room", "room", "no room is called so");
    problems->where = "body";
    if (place->name != NULL && place->name[0] == 'x') rc = wf_problems_add(problems, "name", "name", "no name");
    if (place->name != NULL && place->name[0] == '!') wf_ignore(wf_problems_add(problems, NULL, "bad", "not so"));
    return place->name != NULL && place->name[0] == '!' ? -EBADMSG : rc;
}

static int say_place(struct wf_request *request)
{
    const struct place *place = wf_body_value(request);
    char *bytes = NULL, text[64];
    size_t size = 0;
    int rc = wf_request_body(request, &bytes, &size);
    snprintf(text, sizeof text, "%s %zu", place->name, size);
    return rc < 0 ? rc : wf_reply_text(request, 200, text);
}

static const struct {
    const char *room, *body, *statuses, *answer;
} places[] = {
    {"1", "{\"name\":\"a\",\"floor\":1}", "200 ", "a 22"},
    {"x", "{\"name\":\"x\",\"floor\":10}", "422 ",
     "{\"detail\":[{\"loc\":[\"body\",\"floor\"],\"msg\":\"Input should be less than or equal to 9\","
     "\"type\":\"less_than_equal\"},{\"loc\":[\"path\",\"room\"],\"msg\":\"no room is called so\",\"type\":\"room\"},"
     "{\"loc\":[\"body\",\"name\"],\"msg\":\"no name\",\"type\":\"name\"}]}"},
    {"1", "{\"name\":\"!\",\"floor\":1}", "400 ",
     "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"not so\",\"type\":\"bad\"}]}"},
    {"1", "[]", "422 ",
     "{\"detail\":[{\"loc\":[\"body\"],\"msg\":\"Input should be a valid object\",\"type\":\"model_type\"}]}"},
};

WF_TEST_EACH(a_route_adds_what_models_cannot_see_to_their_problems, places)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    char text[512];
    wf_route(&app, WF_POST, "/rooms/{room}", say_place, .body = &place_model, .check = check_place);
    snprintf(text, sizeof text, "POST /rooms/%s HTTP/1.1\r\nHost: test\r\nContent-Length: %zu\r\n\r\n%s", row->room,
             strlen(row->body), row->body);
    ask(&log, &app, text);
    WF_EXPECT_TEXT(log.statuses, row->statuses);
    WF_EXPECT_TEXT(body_of(&log), row->answer);
    wf_app_finish(&app);
}

static int refuse_all(struct wf_request *request, const struct wf_dependency *self, void **value)
{
    (void)self;
    *value = NULL;
    return wf_http_error(request, 401, "nobody");
}

WF_TEST(who_may_not_ask_hears_nothing_of_how_long_a_body_may_be)
{
    static const struct wf_dependency nobody = {.name = "nobody", .open = refuse_all};
    struct wf_app app = {.title = "test", .limits.body_max = 10};
    struct exchange_log log;
    wf_route(&app, WF_POST, "/closed", say_path, .needs = {&nobody});
    wf_route(&app, WF_POST, "/open", say_path);
    ask(&log, &app, "POST /closed HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "401 ");
    ask(&log, &app, "POST /nowhere HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "404 ");
    ask(&log, &app, "POST /open HTTP/1.1\r\nHost: test\r\nContent-Length: 11\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "413 ");
    wf_app_finish(&app);
}

WF_TEST(a_route_without_head_does_not_answer_it)
{
    struct wf_app app = {.title = "test"};
    struct exchange_log log;
    wf_route(&app, WF_GET, "/news", say_path, .no_head = true);
    ask(&log, &app, "HEAD /news HTTP/1.1\r\nHost: test\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "405 ");
    WF_EXPECT_PART(log.bytes, "\r\nallow: GET, OPTIONS\r\n");
    ask(&log, &app, "OPTIONS /news HTTP/1.1\r\nHost: test\r\n\r\n");
    WF_EXPECT_PART(log.bytes, "\r\nallow: GET, OPTIONS\r\n");
    ask(&log, &app, "GET /news HTTP/1.1\r\nHost: test\r\n\r\n");
    WF_EXPECT_TEXT(log.statuses, "200 ");
    wf_app_finish(&app);
}

WF_TEST_MAIN
