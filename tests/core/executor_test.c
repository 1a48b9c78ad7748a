/* Rule 6.2: blocking work on threads. */
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

struct nap {
    int64_t duration_ns;
    int result;
    bool ran;
};

static int blocking_nap(struct nap *nap)
{
    struct timespec time = {.tv_sec = nap->duration_ns / 1000000000, .tv_nsec = nap->duration_ns % 1000000000};
    nap->ran = true;
    while (clock_nanosleep(CLOCK_MONOTONIC, 0, &time, &time) != 0) {} /* real time: it must block */
    return nap->result;
}

static int offload_nap(struct nap *nap)
{
    return wf_offload(blocking_nap, nap);
}

static int tick(int *ticks)
{
    for (;;) {
        int rc = wf_sleep(WF_MILLISECONDS(1));
        if (rc < 0) return rc;
        ++*ticks;
    }
}

/* S134 */
WF_TEST(blocking_work_leaves_the_loop_free, .rule = "6.2", .real = true)
{
    struct nap naps[4];
    int ticks = 0;
    for (size_t i = 0; i < WF_COUNT(naps); i++)
        naps[i] = (struct nap){.duration_ns = WF_MILLISECONDS(250), .result = (int)i};
    int64_t started = wf_now();
    WF_SCOPE(scope);
    wf_spawn(&scope, tick, &ticks, .daemon = true);
    int status[WF_COUNT(naps)];
    WF_EXPECT_CODE(wf_gather(naps, WF_COUNT(naps), offload_nap, .collect = status), 0);
    int64_t took = wf_now() - started;
    WF_EXPECT(took >= WF_MILLISECONDS(250) && took < WF_MILLISECONDS(995));
    for (size_t i = 0; i < WF_COUNT(naps); i++) WF_EXPECT_CODE(status[i], (int)i);
    WF_EXPECT(ticks > 10);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
}

/* S136 */
WF_TEST(the_jobs_error_comes_back)
{
    struct nap nap = {.result = -ENOENT};
    WF_EXPECT_CODE(wf_offload(blocking_nap, &nap), -ENOENT);
}

/* S137, S138 */
WF_TEST(a_job_that_has_begun_is_waited_for_even_when_cancelled, .rule = "1.7 6.2", .real = true)
{
    struct nap nap = {.duration_ns = WF_MILLISECONDS(300), .result = 5};
    int64_t started = wf_now();
    int rc = wf_within(WF_MILLISECONDS(150), wf_offload(blocking_nap, &nap));
    WF_EXPECT_CODE(rc, 5);
    WF_EXPECT(wf_now() - started >= WF_MILLISECONDS(300));
}

WF_TEST(a_job_that_has_not_begun_never_runs_after_a_cancel, .rule = "1.3", .real = true)
{
    struct nap busy[4], late = {.result = 0};
    for (size_t i = 0; i < WF_COUNT(busy); i++) busy[i] = (struct nap){.duration_ns = WF_MILLISECONDS(300)};
    WF_SCOPE(scope);
    for (size_t i = 0; i < WF_COUNT(busy); i++) wf_spawn(&scope, offload_nap, &busy[i]);
    wf_sleep(WF_MILLISECONDS(100));
    int64_t started = wf_now();
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), wf_offload(blocking_nap, &late)), -ETIME);
    WF_EXPECT(wf_now() - started < WF_MILLISECONDS(250));
    struct wf_statistics statistics;
    wf_loop_statistics(&statistics);
    WF_EXPECT_INT((int64_t)statistics.jobs_running, 4);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    WF_EXPECT(!late.ran);
}

/* A deadline that passes when a job has begun, however busy the machine is; the job goes on when it is told. */
static struct {
    struct wf_event event;
    struct wf_waker *waker;
    sem_t word;
} begun;

static bool prepare_to_begin(void)
{
    begun.event = (struct wf_event)WF_EVENT;
    sem_init(&begun.word, 0, 0);
    return WF_EXPECT_CODE(wf_waker_create(&begun.event, &begun.waker), 0);
}

static void wait_for_word(void)
{
    wf_waker_wake(begun.waker);
    while (sem_wait(&begun.word) < 0) {}
}

static int expire_when_begun(struct wf_scope *scope)
{
    int rc = wf_event_wait(&begun.event);
    wf_scope_set_deadline(scope, wf_now());
    return rc;
}

static int nap_when_told(struct nap *nap)
{
    wait_for_word();
    return nap->result;
}

static int destroyed;

static void destroy(struct nap *nap)
{
    nap->ran = false;
    destroyed++;
}

static int abandon_when_begun(struct nap *nap)
{
    WF_SCOPE(scope, .timeout = WF_SECONDS(60));
    WF_SCOPE(watched);
    wf_spawn(&watched, expire_when_begun, &scope, .daemon = true);
    int rc = wf_scope_end(&watched, wf_offload_abandon(nap_when_told, nap, destroy));
    return wf_scope_end(&scope, rc);
}

WF_TEST(an_abandoned_job_is_destroyed_once_when_it_has_ended, .rule = "6.2", .real = true)
{
    static struct nap nap;
    nap = (struct nap){.result = 0};
    destroyed = 0;
    if (!prepare_to_begin()) return;
    WF_EXPECT_CODE(abandon_when_begun(&nap), -ETIME);
    WF_EXPECT_INT(destroyed, 0);
    sem_post(&begun.word);
    while (destroyed == 0) WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(10)), 0);
    wf_waker_destroy(begun.waker);
    WF_EXPECT_INT(destroyed, 1);
    nap = (struct nap){.result = 3};
    WF_EXPECT_CODE(wf_offload_abandon(blocking_nap, &nap, destroy), 3);
    WF_EXPECT_INT(destroyed, 2);
    WF_EXPECT_CODE(wf_within(-1, wf_offload_abandon(blocking_nap, &nap, destroy)), -ETIME);
    WF_EXPECT_INT(destroyed, 3);
}

static int abandon_at_the_end(void *unused)
{
    (void)unused;
    static struct nap nap;
    nap = (struct nap){.duration_ns = WF_MILLISECONDS(30)};
    return wf_within(WF_MILLISECONDS(1), wf_offload_abandon(blocking_nap, &nap, destroy));
}

WF_TEST(a_loop_ends_only_after_its_abandoned_jobs, .plain = true, .real = true)
{
    destroyed = 0;
    WF_EXPECT_CODE(wf_run(abandon_at_the_end, NULL), -ETIME);
    WF_EXPECT_INT(destroyed, 1);
}

static int many_jobs(int *done)
{
    struct nap nap = {.duration_ns = 0};
    int rc = wf_offload(blocking_nap, &nap);
    ++*done;
    return rc;
}

static int overfill(int *done)
{
    WF_SCOPE(scope);
    for (int i = 0; i < 200; i++) wf_spawn(&scope, many_jobs, done);
    return wf_scope_join(&scope);
}

WF_TEST(a_full_queue_makes_callers_wait_and_loses_none, .plain = true, .real = true)
{
    int done = 0;
    WF_EXPECT_CODE(wf_run(overfill, &done, .threads_max = 2, .queue_max = 3), 0);
    WF_EXPECT_INT(done, 200);
}

static int cancel_overfilled(int *done)
{
    return wf_within(WF_MILLISECONDS(2), overfill(done));
}

WF_TEST(a_full_queue_can_be_cancelled, .plain = true, .real = true)
{
    for (int i = 0; i < 20; i++) {
        int done = 0;
        int rc = wf_run(cancel_overfilled, &done, .threads_max = 1, .queue_max = 1);
        WF_EXPECT(rc == 0 || rc == -ETIME);
    }
}

/* 3.11, S122: a job sees the task-locals of its caller; one that was abandoned has a copy of its own. */
static struct wf_local request_id = {.name = "request_id"};

struct lookup {
    int64_t delay_ns;
    char seen[16];
};

static int look_up(struct lookup *lookup)
{
    struct nap nap = {.duration_ns = lookup->delay_ns};
    blocking_nap(&nap);
    const char *id = wf_local_get(&request_id);
    snprintf(lookup->seen, sizeof lookup->seen, "%s", id != NULL ? id : "none");
    return 0;
}

WF_TEST(a_job_sees_the_task_locals_of_its_caller, .sweep = true, .rule = "3.11")
{
    struct lookup inside = {.delay_ns = 0}, outside = {.delay_ns = 0};
    {
        WF_BIND(bound, &request_id, "r-17");
        WF_EXPECT_CODE(wf_offload(look_up, &inside), 0);
    }
    WF_EXPECT_TEXT(inside.seen, "r-17");
    WF_EXPECT_CODE(wf_offload(look_up, &outside), 0);
    WF_EXPECT_TEXT(outside.seen, "none");
}

static void keep(struct lookup *lookup)
{
    (void)lookup;
    destroyed++;
}

static int look_up_when_told(struct lookup *lookup)
{
    wait_for_word();
    return look_up(lookup);
}

static int abandon_bound(struct lookup *lookup)
{
    WF_BIND(bound, &request_id, "r-18");
    WF_SCOPE(scope, .timeout = WF_SECONDS(60));
    WF_SCOPE(watched);
    wf_spawn(&watched, expire_when_begun, &scope, .daemon = true);
    int rc = wf_scope_end(&watched, wf_offload_abandon(look_up_when_told, lookup, keep));
    return wf_scope_end(&scope, rc);
}

WF_TEST(an_abandoned_job_keeps_the_task_locals_of_its_caller, .real = true)
{
    static struct lookup lookup;
    lookup = (struct lookup){.delay_ns = 0};
    destroyed = 0;
    if (!prepare_to_begin()) return;
    WF_EXPECT_CODE(abandon_bound(&lookup), -ETIME);
    sem_post(&begun.word);
    while (destroyed == 0) WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(10)), 0);
    WF_EXPECT_TEXT(lookup.seen, "r-18");
    wf_waker_destroy(begun.waker);
}

WF_TEST(abandoning_with_task_locals_loses_nothing_whatever_fails, .sweep = true)
{
    static struct lookup lookup;
    WF_BIND(bound, &request_id, "r-19");
    destroyed = 0;
    WF_EXPECT_CODE(wf_offload_abandon(look_up, &lookup, keep), 0);
    while (destroyed == 0 && wf_shielded(WF_SECONDS(1), wf_sleep(WF_MILLISECONDS(1))) == 0) {}
    WF_INVARIANT(destroyed == 1);
}

WF_TEST_MAIN
