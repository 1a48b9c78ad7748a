/*
 * Tests are tasks: they call what suspends like anything else, each on a loop of its own, and fail when they leave
 * something behind. From "Testing Async Code".
 *
 * Rows: S139, S140.
 *
 * The sample passes a dict where the handler reads request.id, so its own test fails. Here a request of another shape
 * does not compile. In virtual time a batch of 0.4 s takes no time, and the time can be asserted exactly.
 *
 * Run it: weft run examples/seeds/001-plugins/testing_async_code.c --driver sim --verbose
 */
#include <weft/testing.h>
#include <weft/weft.h>

/* ---- What is tested ---- */

struct request {
    const char *id, *user;
};

struct answer {
    const struct request *request;
    const char *data_id;
    bool authorized, quota_ok;
};

static int fetch_data(struct answer *answer)
{
    int rc = wf_sleep(WF_MILLISECONDS(100));
    if (rc == 0) answer->data_id = answer->request->id;
    return rc;
}

static int validate_permissions(struct answer *answer)
{
    int rc = wf_sleep(WF_MILLISECONDS(50));
    answer->authorized = rc == 0;
    return rc;
}

static int check_quota(struct answer *answer)
{
    int rc = wf_sleep(WF_MILLISECONDS(20));
    answer->quota_ok = rc == 0;
    return rc;
}

static int process_request(struct answer *answer)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, fetch_data, answer);
    wf_spawn(&scope, validate_permissions, answer);
    wf_spawn(&scope, check_quota, answer);
    return wf_scope_join(&scope);
}

struct job {
    int value, result;
};

static int slow_operation(struct job *job)
{
    int rc = wf_sleep(WF_MILLISECONDS(100));
    job->result = job->value * 2;
    return rc;
}

/* ---- The tests ---- */

WF_TEST(the_handler_answers)
{
    const struct request request = {.id = "123", .user = "testuser"};
    struct answer answer = {.request = &request};
    WF_EXPECT_CODE(process_request(&answer), 0);
    WF_EXPECT_TEXT(answer.data_id, "123");
    WF_EXPECT(answer.authorized);
    WF_EXPECT(answer.quota_ok);
}

WF_TEST(a_batch_is_processed_three_at_a_time, .simulated = true)
{
    struct job jobs[10];
    for (int i = 0; i < 10; i++) jobs[i] = (struct job){.value = i};
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_gather(jobs, 10, slow_operation, .limit = 3), 0);
    for (int i = 0; i < 10; i++) WF_EXPECT_INT(jobs[i].result, 2 * i);
    WF_EXPECT_INT(wf_now() - started, WF_MILLISECONDS(400));
}

WF_TEST_MAIN
