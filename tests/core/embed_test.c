/* A loop inside another one: what reaches its descriptor, what it tells of its timers, how it ends. */
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* The loop around it: gives the number of turns, or -1 where the simulated driver refuses. */
struct around {
    struct wf_embedded *weft;
    int turns, rc;
};

static int64_t milliseconds(int64_t patience_ns)
{
    if (patience_ns == WF_FOREVER) return -1;
    return (patience_ns + 999999) / 1000000;
}

static void go_round(struct around *around)
{
    while ((around->rc = wf_embed_turn(around->weft)) > 0) {
        struct pollfd watched = {.fd = wf_embed_fd(around->weft), .events = POLLIN};
        around->turns++;
        poll(&watched, 1, (int)milliseconds(wf_embed_patience(around->weft)));
    }
}

static bool is_simulated(void)
{
    const char *driver = getenv("WEFT_DRIVER");
    return driver != NULL && strcmp(driver, "sim") == 0;
}

/* Gives false, checked, where there is no descriptor to embed it by. */
static bool begin_(struct around *around, int rc)
{
    around->turns = 0;
    if (is_simulated()) return WF_EXPECT_CODE(rc, -EOPNOTSUPP), false;
    return WF_EXPECT_CODE(rc, 0);
}

static int echo_once(struct wf_listener *listener)
{
    struct wf_stream *conn;
    char byte;
    int rc = wf_tcp_accept(listener, &conn);
    if (rc < 0) return rc;
    rc = wf_stream_read_full(conn, &byte, 1, NULL);
    if (rc == 0) rc = wf_stream_write_all(conn, &byte, 1, NULL);
    wf_stream_close(conn);
    return rc;
}

static int talk(int *naps)
{
    struct wf_listener *listener;
    struct wf_stream *conn;
    char byte = 'x';
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    WF_SCOPE(scope);
    wf_spawn(&scope, echo_once, listener);
    rc = wf_tcp_connect("127.0.0.1", wf_listener_port(listener), &conn);
    if (rc == 0) {
        for (int i = 0; i < *naps && rc == 0; i++) rc = wf_sleep(WF_MILLISECONDS(2));
        if (rc == 0) rc = wf_stream_write_all(conn, &byte, 1, NULL);
        if (rc == 0) rc = wf_stream_read_full(conn, &byte, 1, NULL);
        wf_stream_close(conn);
    }
    wf_listener_close(listener);
    rc = wf_scope_end(&scope, rc);
    return rc == 0 ? 42 : rc;
}

WF_TEST(tasks_of_an_embedded_loop_sleep_and_talk_while_the_other_loop_waits, .plain = true)
{
    struct around around;
    int naps = 5;
    if (!begin_(&around, wf_embed_begin(&around.weft, talk, &naps))) return;
    go_round(&around);
    WF_EXPECT_INT(around.rc, 0);
    WF_EXPECT_INT(wf_embed_turn(around.weft), 0);
    WF_EXPECT(around.turns < 1000); /* it slept in between */
    WF_EXPECT_INT(wf_embed_finish(around.weft), 42);
}

struct helper {
    struct wf_event event;
    struct wf_waker *waker;
    pthread_t thread;
};

static void *wake_later(void *argument)
{
    struct helper *helper = argument;
    usleep(20000); /* real time: the other loop waits by then */
    wf_waker_wake(helper->waker);
    return NULL;
}

static int wait_for_thread(struct helper *helper)
{
    helper->event = (struct wf_event)WF_EVENT;
    int rc = wf_waker_create(&helper->event, &helper->waker);
    if (rc < 0) return rc;
    pthread_create(&helper->thread, NULL, wake_later, helper);
    rc = wf_event_wait(&helper->event);
    pthread_join(helper->thread, NULL);
    wf_waker_destroy(helper->waker);
    return rc;
}

WF_TEST(a_waker_makes_the_descriptor_readable, .plain = true)
{
    struct around around;
    struct helper helper;
    if (!begin_(&around, wf_embed_begin(&around.weft, wait_for_thread, &helper))) return;
    go_round(&around);
    WF_EXPECT_INT(wf_embed_finish(around.weft), 0);
}

static int on_a_thread(int *value)
{
    return *value;
}

static int offload_value(int *value)
{
    return wf_offload(on_a_thread, value);
}

WF_TEST(a_job_that_comes_back_from_its_thread_makes_the_descriptor_readable, .plain = true)
{
    struct around around;
    int value = 5;
    if (!begin_(&around, wf_embed_begin(&around.weft, offload_value, &value))) return;
    go_round(&around);
    WF_EXPECT_INT(wf_embed_finish(around.weft), 5);
}

static int sleep_until_cancelled(int *rc)
{
    *rc = wf_sleep(WF_SECONDS(100));
    return *rc;
}

WF_TEST(finishing_cancels_what_has_not_ended, .plain = true)
{
    struct around around;
    int slept = 0;
    if (!begin_(&around, wf_embed_begin(&around.weft, sleep_until_cancelled, &slept))) return;
    WF_EXPECT_INT(wf_embed_turn(around.weft), 1);
    int64_t patience = wf_embed_patience(around.weft);
    WF_EXPECT(patience > WF_SECONDS(90) && patience <= WF_SECONDS(101));
    WF_EXPECT_CODE(wf_embed_finish(around.weft), -ECANCELED);
    WF_EXPECT_CODE(slept, -ECANCELED);
}

WF_TEST(a_thread_has_one_loop_until_it_is_finished, .plain = true)
{
    struct around around, second;
    int naps = 0, value = 3;
    if (!begin_(&around, wf_embed_begin(&around.weft, talk, &naps))) return;
    WF_EXPECT_CODE(wf_embed_begin(&second.weft, talk, &naps), -EBUSY);
    WF_EXPECT_CODE(wf_run(offload_value, &value), -EBUSY);
    (void)wf_embed_finish(around.weft);
    WF_EXPECT_CODE(wf_embed_finish(NULL), 0);
    WF_EXPECT_CODE(wf_embed_turn(NULL), -EINVAL);
    WF_EXPECT_INT(wf_run(offload_value, &value), 3);
}

static int tell_loop(int *index)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    *index = wf_loop_index();
    return rc;
}

static int call_both(int *sum)
{
    int here = 0, there = 0, rc = wf_call_on(1, tell_loop, &there);
    if (rc == 0) rc = wf_call_on(0, tell_loop, &here);
    *sum = 10 * here + there;
    return rc;
}

WF_TEST(a_loop_inside_another_one_may_have_others_beside_it, .plain = true)
{
    struct around around;
    int sum = -1;
    if (!begin_(&around, wf_embed_begin(&around.weft, call_both, &sum, .threads = 2))) return;
    go_round(&around);
    WF_EXPECT_CODE(wf_embed_finish(around.weft), 0);
    WF_EXPECT_INT(sum, 1);
}

WF_TEST_MAIN
