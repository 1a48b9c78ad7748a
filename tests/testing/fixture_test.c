/* Fixtures, as a test sees them: set up in order, in the right world, and there as long as they are used. */
#include <string.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

static char trace[256]; /* across tests; the notes begin anew with each */

static void leave(const char *what)
{
    strncat(trace, what, sizeof trace - strlen(trace) - 1);
}

/* ---- Per test: on the test's own loop ---- */

struct counter {
    int value;
};

static int times_counted;

WF_FIXTURE(counter)
{
    struct counter mine = {.value = ++times_counted};
    leave("+");
    int rc = wf_provide(&mine);
    mine.value = -1;
    leave("-");
    return rc;
}

WF_FIXTURE(twice_as_much, .uses = {&counter})
{
    struct counter twice = {.value = 2 * ((struct counter *)wf_use(&counter))->value};
    leave("(");
    wf_provide(&twice);
    leave(")");
    return 0;
}

/* Why these are not swept. */
#define COUNTS "the tests count what was set up before them"

WF_TEST(a_fixture_is_there_for_its_test, .unswept = COUNTS, .uses = {&counter})
{
    struct counter *found = wf_use(&counter);
    WF_EXPECT_INT(found->value, 1);
    WF_EXPECT_TEXT(trace, "+");
}

WF_TEST(each_test_has_its_own, .unswept = COUNTS, .uses = {&counter})
{
    struct counter *found = wf_use(&counter);
    WF_EXPECT_INT(found->value, 2);
    WF_EXPECT_TEXT(trace, "+-+");
}

WF_TEST(what_a_fixture_uses_is_set_up_before_it, .unswept = COUNTS, .uses = {&twice_as_much, &counter})
{
    struct counter *once = wf_use(&counter), *twice = wf_use(&twice_as_much);
    WF_EXPECT_INT(twice->value, 2 * once->value);
    WF_EXPECT_TEXT(trace, "+-+-+(");
}

WF_TEST(it_is_torn_down_in_reverse, .unswept = COUNTS)
{
    WF_EXPECT_TEXT(trace, "+-+-+()-");
    trace[0] = '\0';
}

static const struct row {
    int a, b;
} rows[] = {{1, 2}, {3, 4}};

WF_TEST_EACH(each_row_has_its_own, rows, .unswept = COUNTS, .uses = {&counter})
{
    WF_EXPECT_INT(row->b - row->a, 1);
    WF_EXPECT_TEXT(trace, wf_test_row() == 0 ? "+" : "+-+");
}

/* ---- Per suite: a server that several tests talk to ---- */

static int answer(struct wf_stream *conn)
{
    char byte;
    while (wf_stream_read_full(conn, &byte, 1, NULL) == 0) {
        byte++;
        if (wf_stream_write_all(conn, &byte, 1, NULL) < 0) break;
    }
    wf_stream_close(conn);
    return 0;
}

static int accept_all(struct wf_listener *listener)
{
    WF_SCOPE(scope);
    struct wf_stream *conn;
    int rc;
    while ((rc = wf_tcp_accept(listener, &conn)) == 0)
        if (wf_spawn(&scope, answer, conn) < 0) wf_stream_close(conn);
    return wf_scope_end(&scope, rc);
}

static int times_served;

WF_FIXTURE(server, .life = WF_PER_SUITE)
{
    struct wf_listener *listener;
    int rc = wf_tcp_listen("127.0.0.1", 0, &listener);
    if (rc < 0) return rc;
    times_served++;
    WF_SCOPE(scope);
    wf_spawn(&scope, accept_all, listener, .daemon = true);
    rc = wf_provide(listener);
    rc = wf_scope_end(&scope, rc);
    wf_listener_close(listener);
    return rc;
}

WF_FIXTURE(client, .uses = {&server})
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", wf_listener_port(wf_use(&server)), &conn);
    if (rc < 0) return rc;
    rc = wf_provide(conn);
    wf_stream_close(conn);
    return rc;
}

static int ask(struct wf_stream *conn, char question)
{
    char reply;
    int rc = wf_stream_write_all(conn, &question, 1, NULL);
    if (rc == 0) rc = wf_stream_read_full(conn, &reply, 1, NULL);
    return rc < 0 ? rc : reply;
}

WF_TEST(a_server_of_the_suite_answers, .unswept = COUNTS, .uses = {&client})
{
    WF_EXPECT_INT(ask(wf_use(&client), 'a'), 'b');
    WF_EXPECT_INT(times_served, 1);
}

WF_TEST(and_goes_on_answering_the_next_test, .unswept = COUNTS, .uses = {&client})
{
    WF_EXPECT_INT(ask(wf_use(&client), 'b'), 'c');
    WF_EXPECT_INT(times_served, 1);
}

/* Whatever is cut short or fails in the test, the fixture goes on and comes to its end. */
WF_TEST(a_sweep_has_a_server_for_each_run, .uses = {&client}, .sweep = true)
{
    int before = times_served;
    WF_EXPECT_INT(ask(wf_use(&client), 'x'), 'y');
    WF_INVARIANT(times_served == before && times_served >= 1);
}

WF_TEST(a_dying_test_has_a_server_too, .uses = {&client}, .dies = "was called outside a fixture")
{
    if (ask(wf_use(&client), 'x') == 'y') wf_provide(NULL);
}

WF_FIXTURE(marker)
{
    static int times;
    times++;
    return wf_provide(&times);
}

/* The one that is named first goes first, and the other one stays. */
WF_TEST_EACH(rows_share_the_server, rows, .unswept = COUNTS, .uses = {&marker, &client})
{
    WF_EXPECT_INT(*(int *)wf_use(&marker), (int)wf_test_row() + 1);
    WF_EXPECT_INT(ask(wf_use(&client), (char)row->a), row->b);
    WF_EXPECT_INT(times_served, 1);
}

/* ---- In which world ---- */

WF_FIXTURE(where)
{
    bool simulated = wf_simulated();
    return wf_provide(&simulated);
}

WF_TEST(a_fixture_is_in_the_world_of_its_test, .unswept = COUNTS, .simulated = true, .uses = {&where})
{
    WF_EXPECT(wf_simulated() && *(bool *)wf_use(&where));
}

WF_FIXTURE(where_for_all, .life = WF_PER_SUITE)
{
    bool simulated = wf_simulated();
    return wf_provide(&simulated);
}

WF_TEST(so_is_one_that_others_share, .uses = {&where_for_all})
{
    WF_EXPECT(wf_simulated() == *(bool *)wf_use(&where_for_all));
}

WF_TEST(whose_world_is_another_one, .simulated = true, .uses = {&where_for_all})
{
    WF_EXPECT(wf_simulated() && *(bool *)wf_use(&where_for_all));
}

/* ---- Time ---- */

WF_FIXTURE(slow, .timeout = WF_SECONDS(100))
{
    int rc = wf_sleep(WF_SECONDS(60));
    if (rc < 0) return rc;
    int64_t ready = wf_now();
    wf_provide(&ready);
    return wf_sleep(WF_SECONDS(60));
}

WF_TEST(set_up_takes_none_of_the_test_s_time, .unswept = COUNTS, .simulated = true, .timeout = WF_SECONDS(1),
        .uses = {&slow})
{
    WF_EXPECT_INT(wf_now(), *(int64_t *)wf_use(&slow));
    WF_EXPECT_INT(wf_remaining(), WF_SECONDS(1));
}

WF_FIXTURE(patient, .timeout = WF_FOREVER)
{
    static char text[] = "all the time there is";
    wf_provide(text);
    return 0;
}

WF_TEST(a_fixture_may_take_for_ever, .uses = {&patient})
{
    WF_EXPECT_TEXT(wf_use(&patient), "all the time there is");
}

WF_TEST_MAIN
