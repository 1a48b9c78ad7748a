/* Fixtures that outlive a test, and what becomes of the tests that share their loop. */
#include "shared.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <weft/sim.h>
#include <weft/weft.h>

WF_FIXTURE_SHARED(world, .life = WF_PER_RUN)
{
    static int times;
    times++;
    printf("world %d up\n", times);
    wf_provide(&times);
    printf("world %d down\n", times);
    return 0;
}

WF_FIXTURE(pool, .life = WF_PER_SUITE, .uses = {&world})
{
    puts("  pool up");
    wf_provide(wf_use(&world));
    puts("  pool down");
    return 0;
}

WF_FIXTURE(user, .uses = {&pool})
{
    puts("    user up");
    wf_provide(wf_use(&pool));
    puts("    user down");
    return 0;
}

/* Set up when others of the suite are there already, and outlives them. */
WF_FIXTURE(late, .life = WF_PER_RUN)
{
    puts("late up");
    wf_provide(NULL);
    puts("late down");
    return 0;
}

/* ---- Lives ---- */

WF_TEST(lives_one, .uses = {&user, &pool})
{
    WF_EXPECT(wf_use(&user) == wf_use(&pool));
    puts("      one");
}

WF_TEST(lives_two)
{
    puts("two is alone");
}

WF_TEST(lives_three, .uses = {&world})
{
    puts("      three");
}

WF_TEST(lives_four, .uses = {&user})
{
    puts("      four");
}

WF_TEST(lives_five, .uses = {&pool}, .sweep = true)
{
    puts("      five");
    wf_yield();
}

WF_TEST(lives_six, .uses = {&pool}, .dies = "")
{
    puts("      six");
    fflush(stdout);
    abort();
}

WF_TEST(lives_seven, .uses = {&pool, &late}, .real = true)
{
    puts("      seven");
}

/* ---- One of them ends the loop ---- */

WF_TEST(deadlock_before, .uses = {&pool})
{
}

WF_TEST(deadlock_itself, .uses = {&user})
{
    struct wf_event never = WF_EVENT;
    wf_event_wait(&never);
}

WF_TEST(deadlock_after, .uses = {&user})
{
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(1)), 0);
}

WF_TEST(deadlock_last, .uses = {&world})
{
    WF_EXPECT_CODE(wf_sleep(WF_MILLISECONDS(1)), 0);
}

/* ---- One of them ends the process ---- */

WF_TEST(crash_before, .uses = {&pool})
{
    puts("crash_before ran");
}

static volatile int *volatile nowhere = (volatile int *)16;

WF_TEST(crash_itself, .uses = {&pool})
{
    *nowhere = 1;
}

WF_TEST(crash_after, .uses = {&pool})
{
    puts("crash_after ran");
}

WF_TEST(crash_alone)
{
    puts("crash_alone ran");
}

/* ---- One of them leaves something behind ---- */

WF_TEST(leak_before, .uses = {&pool})
{
}

WF_TEST(leak_itself, .uses = {&pool})
{
    struct wf_listener *listener;
    WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &listener), 0);
}

WF_TEST(leak_last, .uses = {&pool})
{
}

/* ---- Seeds ---- */

static void say_chance(void)
{
    struct wf_stream *ends[2];
    if (!wf_simulated() || !WF_EXPECT_CODE(wf_pipe(&ends[0], &ends[1]), 0)) return;
    for (int i = 0; i < 3; i++) WF_EXPECT_CODE(wf_stream_write_all(ends[1], "x", 1, NULL), 0);
    printf("trace %llx\n", (unsigned long long)wf_sim_trace());
    wf_stream_close(ends[0]);
    wf_stream_close(ends[1]);
}

WF_TEST(seed_shared, .uses = {&world})
{
    say_chance();
}

WF_TEST(seed_alone)
{
    say_chance();
}

WF_TEST_MAIN
