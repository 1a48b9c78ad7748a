/* S126: a wake from another thread against a cancel here, a million times: exactly one outcome each. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <weft/testing.h>
#include <weft/weft.h>

#if __has_include(<valgrind/valgrind.h>)
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { RACES = 50000 };
#else
enum { RACES = 500000 };
#endif

struct contest {
    struct wf_shared_channel *channel;
    atomic_bool over;
    int64_t sent;                      /* by the other side, which alone writes it, until it has ended */
    int64_t received, cancelled, both; /* outcomes; `both`: what should never be */
    int64_t last;                      /* that was received */
    int64_t races;
};

static void contest_init(struct contest *contest, enum wf_shared_with with)
{
    *contest = (struct contest){.races = RUNNING_ON_VALGRIND ? 500 : RACES};
    WF_EXPECT_CODE(wf_shared_channel_create(sizeof(int64_t), 0, with, &contest->channel), 0);
}

/* Only a receiver that waits takes it. */
static void send_for_ever(struct contest *contest)
{
    while (!atomic_load(&contest->over)) {
        int64_t number = contest->sent + 1;
        if (wf_shared_try_send(contest->channel, &number) == 0) contest->sent = number;
    }
}

static int send_on_loop(struct contest **contest)
{
    send_for_ever(*contest);
    return 0;
}

static void *send_on_thread(void *contest)
{
    send_for_ever(contest);
    return NULL;
}

static int receive_or_not(struct contest *contest)
{
    int64_t number = 0;
    int rc = wf_shared_receive(contest->channel, &number);
    if (rc == 1 && number == contest->last + 1) contest->received++;
    else if (rc == -ECANCELED && number == 0) contest->cancelled++;
    else contest->both++;
    if (rc == 1) contest->last = number;
    return rc;
}

/* The receiver waits; after some turns, in which the other side may come first, it is cancelled. -1: it comes. */
static void race(struct contest *contest, int64_t turns)
{
    WF_SCOPE(scope);
    wf_spawn(&scope, receive_or_not, contest);
    wf_yield();
    int64_t received = contest->received;
    for (; turns != 0 && contest->received == received; turns--) wf_yield();
    wf_scope_cancel(&scope, "the race");
    wf_scope_join(&scope);
}

static void race_often(struct contest *contest)
{
    int64_t seldom = contest->races / 20; /* on a busy machine the other side is waited for */
    for (int64_t i = 1; i < contest->races; i++) race(contest, i % seldom == 0 ? -1 : i % 5);
    atomic_store(&contest->over, true);
}

static void judge(struct contest *contest, const char *from)
{
    printf("    %lld races with a wake from %s: %lld received, %lld cancelled, %lld other\n", (long long)contest->races,
           from, (long long)contest->received, (long long)contest->cancelled, (long long)contest->both);
    WF_EXPECT_INT(contest->both, 0);
    WF_EXPECT_INT(contest->received + contest->cancelled, contest->races);
    WF_EXPECT_INT(contest->received, contest->sent);
    WF_EXPECT(contest->received > 0 && contest->cancelled > 0);
    wf_shared_channel_destroy(contest->channel);
}

/* real time: two threads race */
WF_TEST(a_wake_from_another_loop_and_a_cancel_have_one_outcome, .loops = 2, .real = true, .timeout = WF_SECONDS(120),
        .rule = "1.4", .unswept = "it is a race already")
{
    struct contest contest, *pointer = &contest; /* the child gets a copy of the pointer */
    contest_init(&contest, WF_WITH_LOOPS);
    race(&contest, 0); /* nobody sends yet */
    WF_SCOPE(scope);
    wf_spawn_on(&scope, 1, send_on_loop, &pointer);
    race_often(&contest);
    WF_EXPECT_CODE(wf_scope_join(&scope), 0);
    judge(&contest, "another loop");
}

WF_TEST(a_wake_from_a_thread_and_a_cancel_have_one_outcome, .real = true, .timeout = WF_SECONDS(120), .rule = "1.4",
        .unswept = "it is a race already")
{
    struct contest contest;
    pthread_t thread;
    contest_init(&contest, WF_WITH_THREADS);
    race(&contest, 0);
    if (!WF_EXPECT_CODE(pthread_create(&thread, NULL, send_on_thread, &contest), 0)) return;
    race_often(&contest);
    pthread_join(thread, NULL);
    judge(&contest, "a thread");
}

WF_TEST_MAIN
