/*
 * Code that calls a service is tested against a service of the test's own: an app, to which every connection of the
 * client goes, in memory. Nothing is patched, no port is used, and the clock is virtual.
 *
 *     weft run examples/testing_client.c --driver sim
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- What is tested ---- */

#define PERSON_MEMBERS(M) M(STRING, name) M(INT32, age)
WF_MODEL(person, PERSON_MEMBERS)

/* The person of that number; of who is too slow, nobody. */
static int find_person(struct wf_client *client, struct wf_arena *arena, int number, struct person *person)
{
    struct wf_response response;
    const char *path = wf_arena_printf(arena, "/people/%d", number);
    int rc = wf_within(WF_SECONDS(2), wf_get(client, arena, path, &response, .check_status = true));
    return rc < 0 ? rc : wf_response_model(&response, &person_model, person);
}

/* ---- The service of the tests ---- */

struct service {
    struct wf_app app;
    const char *answer; /* what it says, */
    int status;
    int64_t latency; /* and how late */
    int asked;       /* what it was asked: how often, */
    int64_t number;  /* for whom, */
    char login[40];  /* by whom, the last time */
};

static int show_person(struct wf_request *request)
{
    struct service *service = wf_request_state(request);
    const char *login = wf_request_header(request, "authorization");
    service->asked++;
    snprintf(service->login, sizeof service->login, "%s", login != NULL ? login : "");
    int rc = wf_path_int(request, "number", &service->number);
    if (rc == 0 && service->latency > 0) rc = wf_sleep(service->latency);
    return rc < 0
               ? rc
               : wf_reply_bytes(request, service->status, "application/json", service->answer, strlen(service->answer));
}

static void begin(struct service *service)
{
    service->app.state = service;
    wf_route(&service->app, WF_GET, "/people/{number}", show_person);
}

static void end(struct service *service)
{
    wf_app_finish(&service->app);
}

#define SERVICE(service, ...)                                                                                          \
    struct service service __attribute__((cleanup(end))) = {__VA_ARGS__};                                              \
    begin(&service);                                                                                                   \
    WF_CLIENT(client, .base_url = "https://people.example", .bearer = "secret", .app = &service.app)

/* ---- The tests ---- */

WF_TEST(a_person_is_found)
{
    struct person person;
    SERVICE(service, .status = 200, .answer = "{\"name\":\"Ada\",\"age\":36}");
    if (!WF_EXPECT_CODE(find_person(&client, wf_task_arena(), 7, &person), 0)) return;
    WF_EXPECT_TEXT(person.name, "Ada");
    WF_EXPECT_INT(person.age, 36);
    WF_EXPECT_INT(service.asked, 1);
    WF_EXPECT_INT(service.number, 7);
    WF_EXPECT_TEXT(service.login, "Bearer secret");
}

WF_TEST(an_error_says_what_the_service_said)
{
    struct person person;
    SERVICE(service, .status = 404, .answer = "{\"detail\":\"nobody\"}");
    WF_EXPECT_CODE(find_person(&client, wf_task_arena(), 8, &person), WF_ESTATUS);
    WF_EXPECT_PART(wf_failure(), "404 Not Found: {\"detail\":\"nobody\"}");
}

WF_TEST(an_answer_that_is_none_is_refused)
{
    struct person person;
    SERVICE(service, .status = 200, .answer = "{\"name\":\"Ada\"}");
    WF_EXPECT_CODE(find_person(&client, wf_task_arena(), 9, &person), -EINVAL);
    WF_EXPECT_PART(wf_failure(), "age");
}

WF_TEST(a_service_that_is_too_slow_is_given_up, .simulated = true)
{
    struct person person;
    SERVICE(service, .status = 200, .answer = "{}", .latency = WF_SECONDS(60));
    WF_EXPECT_CODE(find_person(&client, wf_task_arena(), 10, &person), -ETIME);
    WF_EXPECT_PART(wf_failure(), "waiting for the answer");
}

WF_TEST_MAIN
