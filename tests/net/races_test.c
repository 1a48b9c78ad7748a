/* Waits on pipes and connections that meet their cancel: race.h says what happens. */
#include <fcntl.h>
#include <unistd.h>

#include "../race.h"

enum { SIMULATED_PIPE = 65536, SMALLEST_PIPE = 4096 };

static bool make_pipe(struct race *race)
{
    return WF_EXPECT_CODE(wf_pipe(&race->reader, &race->writer), 0);
}

static void close_pipe(struct race *race)
{
    wf_stream_close(race->reader);
    wf_stream_close(race->writer);
}

/* ---- Reading: the byte is had, or still there ---- */

static int64_t read_byte(struct race *race)
{
    return wf_stream_read(race->reader, &race->byte, 1);
}

/* By the system's own call, where there is a system: then nothing runs between this and the cancel. */
static void put_byte(struct race *race)
{
    if (simulated()) WF_EXPECT_INT(wf_stream_write(race->writer, "x", 1), 1);
    else WF_EXPECT_INT(write(wf_stream_fd(race->writer), "x", 1), 1);
}

static void byte_is_had_or_there(struct race *race)
{
    if (race->outcome != 1) WF_EXPECT_INT(wf_stream_read(race->reader, &race->byte, 1), 1);
    WF_EXPECT_INT(race->byte, 'x');
    close_pipe(race);
}

static int64_t read_all_of_one(struct race *race)
{
    size_t done = 99;
    int rc = wf_stream_read_full(race->reader, &race->byte, 1, &done);
    WF_EXPECT_INT((int64_t)done, rc == 0 ? 1 : 0);
    return rc == 0 ? 1 : rc;
}

/* ---- Writing: as many bytes come out as went in ---- */

static bool fill_pipe(struct race *race)
{
    static const char zeros[SIMULATED_PIPE];
    if (!make_pipe(race)) return false;
    race->capacity = SIMULATED_PIPE;
    if (!simulated()) {
        WF_EXPECT_INT(fcntl(wf_stream_fd(race->writer), F_SETPIPE_SZ, SMALLEST_PIPE), SMALLEST_PIPE);
        race->capacity = SMALLEST_PIPE;
    }
    if (WF_EXPECT_CODE(wf_stream_write_all(race->writer, zeros, race->capacity, NULL), 0)) return true;
    close_pipe(race);
    return false;
}

static int64_t write_byte(struct race *race)
{
    return wf_stream_write(race->writer, "y", 1);
}

static void empty_pipe(struct race *race)
{
    static char zeros[SIMULATED_PIPE];
    if (simulated()) WF_EXPECT_CODE(wf_stream_read_full(race->reader, zeros, race->capacity, NULL), 0);
    else WF_EXPECT_INT(read(wf_stream_fd(race->reader), zeros, race->capacity), (int64_t)race->capacity);
}

static void written_byte_comes_once(struct race *race)
{
    char bytes[2] = "..";
    WF_EXPECT_CODE(wf_stream_write_all(race->writer, "z", 1, NULL), 0);
    wf_stream_close(race->writer);
    int64_t sent = race->outcome == 1 ? 2 : 1;
    for (int64_t i = 0; i < sent; i++) WF_EXPECT_INT(wf_stream_read(race->reader, &bytes[i], 1), 1);
    WF_EXPECT_INT(bytes[sent - 1], 'z');
    WF_EXPECT_INT(wf_stream_read(race->reader, bytes, 1), 0);
    wf_stream_close(race->reader);
}

/* ---- Accepting and connecting: each connection is taken once, and none is left open ---- */

static bool listen_here(struct race *race)
{
    return WF_EXPECT_CODE(wf_tcp_listen("127.0.0.1", 0, &race->listener, .backlog = 8), 0);
}

static int64_t accept_and_close(struct race *race)
{
    struct wf_stream *conn;
    int rc = wf_tcp_accept(race->listener, &conn);
    if (rc == 0) wf_stream_close(conn);
    return rc;
}

static void connect_client(struct race *race)
{
    WF_EXPECT_CODE(wf_tcp_connect("127.0.0.1", wf_listener_port(race->listener), &race->writer), 0);
}

static void connection_was_taken_once(struct race *race)
{
    if (race->outcome == -ECANCELED) WF_EXPECT_CODE(accept_and_close(race), 0);
    WF_EXPECT_CODE(wf_within(WF_MICROSECONDS(100), accept_and_close(race)), -ETIME);
    wf_stream_close(race->writer);
    wf_listener_close(race->listener);
}

static int64_t connect_and_close(struct race *race)
{
    struct wf_stream *conn;
    int rc = wf_tcp_connect("127.0.0.1", wf_listener_port(race->listener), &conn);
    if (rc == 0) wf_stream_close(conn);
    return rc;
}

static void stop_listening(struct race *race)
{
    wf_listener_close(race->listener);
}

/* ---- A descriptor of somebody else's ---- */

static int64_t wait_readable(struct race *race)
{
    return wf_wait_fd(wf_stream_fd(race->reader), WF_READABLE);
}

static void byte_is_there(struct race *race)
{
    WF_EXPECT_CODE(read_byte(race), 1);
    close_pipe(race);
}

static const struct wait_kind kinds[] = {
    {"bytes", 1, .kernel = true, .prepare = make_pipe, .wait = read_byte, .make_ready = put_byte,
     .after = byte_is_had_or_there},
    {"all bytes", 1, .kernel = true, .prepare = make_pipe, .wait = read_all_of_one, .make_ready = put_byte,
     .after = byte_is_had_or_there},
    {"room in a pipe", 1, .kernel = true, .prepare = fill_pipe, .wait = write_byte, .make_ready = empty_pipe,
     .after = written_byte_comes_once},
    {"a connection", 0, .kernel = true, .prepare = listen_here, .wait = accept_and_close, .make_ready = connect_client,
     .after = connection_was_taken_once},
    {"being connected", 0, .kernel = true, .prepare = listen_here, .wait = connect_and_close, .after = stop_listening},
    {"readiness", WF_READABLE, .kernel = true, .real = true, .prepare = make_pipe, .wait = wait_readable,
     .make_ready = put_byte, .after = byte_is_there},
};

WF_TEST(what_met_its_cancel_in_the_kernel_has_one_outcome_and_loses_nothing, .rule = "1.3 1.4 1.5")
{
    for (int turns = 0; turns < 24 && !wf_test_failed(); turns++)
        collide_all(kinds, WF_COUNT(kinds), turns % 2 == 0, turns / 2);
}

WF_TEST_MAIN
