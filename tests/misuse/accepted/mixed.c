// Everything inside everything: groups with and without options, bindings, deadlines, jobs, loops.
#include <weft/testing.h>
#include <weft/weft.h>

struct check {
    const char *vin;
    bool valid;
};

static int check_vin(struct check *check)
{
    check->valid = check->vin != NULL;
    return 0;
}

static void forget(struct check *check)
{
    check->vin = NULL;
}

static struct wf_local request_id = {.name = "request_id", .retain = NULL, .release = NULL};
static struct wf_local user_id = {.name = "user_id", .retain = NULL, .release = NULL};

int groups(void);
int groups(void)
{
    struct check checks[] = {{.vin = "9HGBH41JXMN999999", .valid = false}, {.vin = "INVALID_VIN", .valid = false}};
    int status[WF_COUNT(checks)];
    size_t winner = 0;
    int rc = wf_gather(checks, WF_COUNT(checks), check_vin);
    rc += wf_gather(checks, WF_COUNT(checks), check_vin, .limit = 10, .collect = status, .name = "vin");
    rc += wf_race(checks, WF_COUNT(checks), check_vin);
    rc += wf_race(&checks[0], 1, check_vin, .winner = &winner, .first_done = true, .stack_size = 65536);
    rc += wf_within(WF_SECONDS(1), wf_gather(checks, 2, check_vin, .collect = status));
    rc += wf_shielded(WF_SECONDS(1), wf_within(WF_SECONDS(1), wf_race(checks, 2, check_vin, .winner = &winner)));
    rc += wf_within(WF_SECONDS(1), wf_offload(check_vin, &checks[0]));
    rc += wf_offload_abandon(check_vin, &checks[1], forget);
    return rc;
}

int bindings(struct check *check);
int bindings(struct check *check)
{
    char id[] = "r-17";
    WF_BIND(bound, &request_id, id);
    for (int i = 0; i < 2; i++) {
        WF_BIND(inner, &request_id, NULL);
        WF_BIND(user, &user_id, wf_local_get(&request_id));
        WF_SCOPE(scope);
        wf_spawn(&scope, check_vin, check);
        int rc = wf_within(WF_SECONDS(1), wf_gather(check, 1, check_vin));
        rc = wf_scope_end(&scope, rc);
        if (rc < 0) return rc;
    }
    struct wf_mutex mutex = WF_MUTEX;
    struct wf_semaphore permits = WF_SEMAPHORE(2);
    struct wf_event ready = WF_EVENT;
    struct wf_listener *listener;
    int rc = wf_within(WF_SECONDS(1), wf_mutex_lock(&mutex));
    if (rc >= 0) rc = wf_within(WF_SECONDS(1), wf_semaphore_acquire(&permits));
    if (rc >= 0) rc = wf_within(WF_SECONDS(1), wf_event_wait(&ready));
    if (rc >= 0) rc = wf_tcp_listen("localhost", 0, &listener);
    if (rc >= 0) rc = wf_within(WF_SECONDS(1), wf_tcp_listen(NULL, 0, &listener, .backlog = 16, .reuse_port = true));
    wf_ignore(wf_mutex_try_lock(&mutex));
    return rc < 0 ? wf_fail(rc, "cannot listen") : rc;
}

int loops(struct check *check);
int loops(struct check *check)
{
    int rc = wf_run(check_vin, check);
    if (rc >= 0) rc = wf_run(check_vin, check, .driver = "epoll", .tasks_max = 10);
    return rc < 0 ? rc : wf_main(check_vin, check, .signals = true, .grace = WF_SECONDS(5));
}

WF_TEST(a_test_with_options, .timeout = WF_SECONDS(1), .plain = true)
{
    WF_EXPECT(WF_EXPECT_INT(1, 1) && WF_EXPECT_CODE(0, 0));
}

WF_TEST(a_test_without)
{
    WF_EXPECT_TEXT("a", "a");
}

WF_TEST_MAIN
