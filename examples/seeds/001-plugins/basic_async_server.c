/*
 * A handler that waits for three things at once, behind a server: a request takes as long as the slowest of them, and
 * so do a hundred requests. From "Core Async Patterns: Basic Async Server".
 *
 * Rows: S006, S093.
 *
 * The sample is a plugin that is called by gRPC, which weft does not have yet; here the same handler is called by HTTP.
 * gather leaves its other two running where one fails; here the first failure, and a client that went away, cancel all
 * three.
 *
 * Run it: WEFT_DRIVER=sim weft run examples/seeds/001-plugins/basic_async_server.c
 */
// weft: pkg-config weft-http
#include <stdio.h>
#include <string.h>
#include <weft/app.h>
#include <weft/client.h>
#include <weft/model.h>
#include <weft/weft.h>

#define ASKED_MEMBERS(M) M(STRING, id) M(STRING, user)
WF_MODEL(asked, ASKED_MEMBERS)
#define DATA_MEMBERS(M) M(STRING, id) M(STRING, data)
WF_MODEL(data, DATA_MEMBERS)
#define ANSWER_MEMBERS(M) M(MODEL(data), data) M(BOOL, authorized) M(BOOL, quota_ok)
WF_MODEL(answer, ANSWER_MEMBERS)

/* ---- The handler ---- */

struct work {
    const struct asked *asked;
    struct answer answer;
};

static int cancelled; /* children that were cut */

static int wait_a_moment(const struct work *work, int64_t duration)
{
    int rc = wf_sleep(strcmp(work->asked->id, "slow") == 0 ? 100 * duration : duration); /* stands for I/O */
    cancelled += rc == -ECANCELED;
    return rc;
}

static int fetch_data(struct work *work)
{
    int rc = wait_a_moment(work, WF_MILLISECONDS(100));
    if (rc == 0) work->answer.data = (struct data){.id = work->asked->id, .data = "..."};
    return rc;
}

static int validate_permissions(struct work *work)
{
    int rc = wait_a_moment(work, WF_MILLISECONDS(50));
    if (rc == 0 && strcmp(work->asked->user, "nobody") == 0) return wf_fail(-EACCES, "nobody may not");
    work->answer.authorized = rc == 0;
    return rc;
}

static int check_quota(struct work *work)
{
    int rc = wait_a_moment(work, WF_MILLISECONDS(20));
    work->answer.quota_ok = rc == 0;
    return rc;
}

static int process_request(struct wf_request *request)
{
    struct work work = {.asked = wf_body_value(request)};
    WF_SCOPE(scope);
    wf_spawn(&scope, fetch_data, &work);
    wf_spawn(&scope, validate_permissions, &work);
    wf_spawn(&scope, check_quota, &work);
    int rc = wf_scope_join(&scope);
    return rc < 0 ? rc : wf_reply(request, 200, &answer_model, &work.answer);
}

/* ---- Who calls it ---- */

struct call {
    struct wf_client *client;
    struct asked asked;
    struct wf_response response;
};

static int make_call(struct call *call)
{
    return wf_post(call->client, wf_task_arena(), "/process_request", &call->response, .model = &asked_model,
                   .value = &call->asked, .check_status = true);
}

static int show_one(struct wf_client *client, const char *user)
{
    struct call call = {.client = client, .asked = {.id = "123", .user = user}};
    int64_t started = wf_now();
    int rc = make_call(&call);
    printf("%.2f s: %d %s\n", wf_seconds(wf_now() - started), call.response.status, call.response.body);
    return rc == WF_ESTATUS ? 0 : rc;
}

static int call_a_hundred(struct wf_client *client)
{
    struct call calls[100];
    for (int i = 0; i < 100; i++) calls[i] = (struct call){.client = client, .asked = {.id = "1", .user = "ada"}};
    int64_t started = wf_now();
    int rc = wf_gather(calls, 100, make_call);
    printf("100 calls: %.2f s\n", wf_seconds(wf_now() - started));
    return rc;
}

static int run(struct wf_app *app)
{
    WF_CLIENT(client, .app = app, .base_url = "http://plugin", .limits = {.per_host = 100});
    int rc = show_one(&client, "testuser");
    if (rc == 0) rc = show_one(&client, "nobody");
    if (rc == 0) rc = call_a_hundred(&client);
    struct call call = {.client = &client, .asked = {.id = "slow", .user = "ada"}};
    cancelled = 0;
    if (rc == 0) rc = wf_within(WF_SECONDS(1), make_call(&call));
    if (rc == -ETIME) rc = wf_sleep(WF_MILLISECONDS(500)); /* until the server has noticed it */
    printf("a client that waits for 1 s only: %d children cancelled\n", cancelled);
    return rc;
}

int main(void)
{
    struct wf_app app = {.title = "Plugin"};
    wf_route(&app, WF_POST, "/process_request", process_request, .body = &asked_model, .response = &answer_model);
    int status = wf_main(run, &app);
    wf_app_finish(&app);
    return status;
}
