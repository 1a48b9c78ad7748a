/*
 * A test is a task: it calls what suspends like anything else. A sweep cuts the same test short at every place.
 *
 *     weft run examples/testing_handler.c
 */
#include <stdio.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- What is tested ---- */

struct request {
    const char *id, *user;
};

struct reply {
    const struct request *request;
    char data_id[16];
    bool authorized, quota_ok;
};

static int fetch_data(struct reply *reply)
{
    int rc = wf_sleep(WF_MILLISECONDS(100)); /* stands for a database */
    if (rc == 0) snprintf(reply->data_id, sizeof reply->data_id, "%s", reply->request->id);
    return rc;
}

static int validate_permissions(struct reply *reply)
{
    int rc = wf_sleep(WF_MILLISECONDS(50));
    if (rc == 0) reply->authorized = reply->request->user[0] != '\0';
    return rc;
}

static int check_quota(struct reply *reply)
{
    int rc = wf_sleep(WF_MILLISECONDS(20));
    if (rc == 0) reply->quota_ok = true;
    return rc;
}

static int process_request(const struct request *request, struct reply *reply)
{
    *reply = (struct reply){.request = request};
    WF_SCOPE(scope);
    wf_spawn(&scope, fetch_data, reply);
    wf_spawn(&scope, validate_permissions, reply);
    wf_spawn(&scope, check_quota, reply);
    return wf_scope_join(&scope);
}

/* ---- Its tests ---- */

/* A request of another shape does not fail here at run time: it does not compile. */
static const struct request request = {.id = "123", .user = "testuser"};

WF_TEST(a_request_is_answered)
{
    struct reply reply;
    WF_EXPECT_CODE(process_request(&request, &reply), 0);
    WF_EXPECT_TEXT(reply.data_id, "123");
    WF_EXPECT(reply.authorized);
    WF_EXPECT(reply.quota_ok);
}

WF_TEST(the_three_lookups_run_at_once, .simulated = true)
{
    struct reply reply;
    int64_t started = wf_now();
    WF_EXPECT_CODE(process_request(&request, &reply), 0);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(100));
}

WF_TEST(it_can_be_cut_short_anywhere, .simulated = true, .sweep = true)
{
    struct reply reply;
    int rc = process_request(&request, &reply);
    WF_INVARIANT(rc < 0 || (reply.authorized && reply.quota_ok));
}

WF_TEST_MAIN
