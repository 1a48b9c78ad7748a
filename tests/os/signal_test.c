/* Signals as values, in the real world and in the simulated one. */
#include <pthread.h>
#include <signal.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

/* To ourselves, whichever world it is. */
static void send_signal(int number)
{
    if (wf_simulated()) wf_sim_signal(NULL, number);
    else kill(getpid(), number);
}

static struct wf_signal_receiver *receive(int one, int other)
{
    const int numbers[] = {one, other};
    struct wf_signal_receiver *receiver = NULL;
    WF_EXPECT_CODE(wf_signal_open(numbers, 2, &receiver), 0);
    return receiver;
}

WF_TEST(a_signal_is_waited_for_and_taken_once)
{
    struct wf_signal_receiver *receiver = receive(SIGHUP, SIGUSR1);
    if (receiver == NULL) return;
    send_signal(SIGUSR1);
    WF_EXPECT_INT(wf_within(WF_SECONDS(5), wf_signal_wait(receiver)), SIGUSR1);
    WF_EXPECT_INT(wf_signal_try(receiver), 0);
    WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), wf_signal_wait(receiver)), -ETIME);
    wf_signal_close(receiver);
}

WF_TEST(equal_signals_that_wait_are_one_and_different_ones_come_by_number)
{
    struct wf_signal_receiver *receiver = receive(SIGHUP, SIGUSR1);
    if (receiver == NULL) return;
    send_signal(SIGUSR1);
    send_signal(SIGHUP);
    send_signal(SIGUSR1);
    WF_EXPECT_INT(wf_within(WF_SECONDS(5), wf_signal_wait(receiver)), SIGHUP);
    WF_EXPECT_INT(wf_within(WF_SECONDS(5), wf_signal_wait(receiver)), SIGUSR1);
    WF_EXPECT_INT(wf_signal_try(receiver), 0);
    wf_signal_close(receiver);
}

struct waiting {
    struct wf_signal_receiver *receiver;
    int number;
};

static int wait_for_one(struct waiting *waiting)
{
    waiting->number = wf_signal_wait(waiting->receiver);
    return waiting->number < 0 ? waiting->number : 0;
}

static int send_soon(const int *number)
{
    int rc = wf_sleep(WF_MILLISECONDS(1));
    if (rc == 0) send_signal(*number);
    return rc;
}

WF_TEST(every_receiver_of_a_signal_gets_it)
{
    struct waiting one = {.receiver = receive(SIGHUP, SIGUSR1)}, other = {.receiver = receive(SIGHUP, SIGUSR2)};
    const int number = SIGHUP;
    if (one.receiver != NULL && other.receiver != NULL) {
        WF_SCOPE(scope, .timeout = WF_SECONDS(5));
        wf_spawn(&scope, wait_for_one, &one);
        wf_spawn(&scope, wait_for_one, &other);
        wf_spawn(&scope, send_soon, &number);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        WF_EXPECT(one.number == SIGHUP && other.number == SIGHUP);
    }
    wf_signal_close(one.receiver);
    wf_signal_close(other.receiver);
}

static volatile sig_atomic_t seen;

static void on_signal(int number)
{
    seen = number;
}

WF_TEST(the_disposition_from_before_is_back_after_the_last_receiver, .real = true)
{
    struct sigaction mine = {.sa_handler = on_signal}, before;
    seen = 0;
    sigaction(SIGHUP, &mine, &before);
    struct wf_signal_receiver *one = receive(SIGHUP, SIGUSR1), *other = receive(SIGHUP, SIGUSR1);
    kill(getpid(), SIGHUP);
    WF_EXPECT_INT(seen, 0);
    wf_signal_close(one);
    kill(getpid(), SIGHUP);
    WF_EXPECT_INT(seen, 0);
    wf_signal_close(other);
    kill(getpid(), SIGHUP);
    WF_EXPECT_INT(seen, SIGHUP);
    sigaction(SIGHUP, &before, NULL);
}

static int take_the_term(void *unused)
{
    (void)unused;
    const int number = SIGTERM;
    struct wf_signal_receiver *receiver;
    int rc = wf_signal_open(&number, 1, &receiver);
    if (rc < 0) return rc;
    kill(getpid(), SIGTERM);
    rc = wf_within(WF_SECONDS(5), wf_signal_wait(receiver));
    wf_signal_close(receiver);
    if (rc != SIGTERM || wf_draining()) return -EPROTO;
    kill(getpid(), SIGTERM); /* this one is the loop's again */
    return wf_sleep(WF_SECONDS(5));
}

WF_TEST(a_receiver_stands_before_the_shutdown_by_signals_and_then_gives_it_back, .plain = true, .real = true)
{
    int rc = wf_run(take_the_term, NULL, .signals = true);
    WF_EXPECT_CODE(rc, -ECANCELED);
}

WF_TEST(a_signal_that_came_with_the_cancel_is_not_lost, .rule = "1.3")
{
    struct wf_signal_receiver *receiver = receive(SIGHUP, SIGUSR1);
    if (receiver == NULL) return;
    send_signal(SIGHUP);
    WF_EXPECT_CODE(wf_within(-1, wf_signal_wait(receiver)), -ETIME);
    WF_EXPECT_INT(wf_within(WF_SECONDS(5), wf_signal_wait(receiver)), SIGHUP);
    wf_signal_close(receiver);
}

WF_TEST(what_cannot_be_received_is_refused)
{
    const int kill_number = SIGKILL, fault = SIGSEGV, none = 0;
    struct wf_signal_receiver *receiver;
    WF_EXPECT_CODE(wf_signal_open(&kill_number, 1, &receiver), -EINVAL);
    WF_EXPECT_TEXT(wf_failure(), "signal 9 cannot be received");
    WF_EXPECT_CODE(wf_signal_open(&fault, 1, &receiver), -EINVAL);
    WF_EXPECT_CODE(wf_signal_open(&none, 1, &receiver), -EINVAL);
    WF_EXPECT_CODE(wf_signal_open(&none, 0, &receiver), -EINVAL);
    wf_signal_close(NULL);
}

static int open_on_host(struct wf_signal_receiver **receiver)
{
    const int number = SIGHUP;
    return wf_signal_open(&number, 1, receiver);
}

WF_TEST(a_signal_of_the_simulated_world_is_for_one_host, .simulated = true)
{
    struct wf_sim_host *host = wf_sim_host("server");
    struct wf_signal_receiver *here = receive(SIGHUP, SIGUSR1), *there = NULL;
    WF_EXPECT_CODE(wf_sim_on(host, open_on_host(&there)), 0);
    if (here != NULL && there != NULL) {
        WF_EXPECT_INT(wf_sim_signal(host, SIGHUP), 1);
        WF_EXPECT_INT(wf_signal_try(here), 0);
        WF_EXPECT_INT(wf_signal_try(there), SIGHUP);
        WF_EXPECT_INT(wf_sim_signal(host, SIGUSR1), 0);
    }
    wf_signal_close(there);
    wf_signal_close(here);
}

WF_TEST_MAIN
