/* Waits on sockets of messages that meet their cancel: race.h says what happens. */
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../race.h"

static struct wf_socket *here, *there;
static int pipe_ends[2];

static bool make_packets(struct race *race)
{
    (void)race;
    return WF_EXPECT_CODE(wf_unix_pair_packets(&here, &there), 0);
}

static void close_both(void)
{
    wf_socket_close(here);
    wf_socket_close(there);
}

/* ---- Receiving: the message is had, or still there ---- */

static int64_t receive(struct race *race)
{
    return wf_socket_receive(here, &race->byte, 1, NULL);
}

static int64_t receive_many(struct race *race)
{
    struct wf_message message = {.bytes = &race->byte, .size = 1};
    return wf_socket_receive_many(here, &message, 1);
}

/* By the system's own call, where there is a system: then nothing runs between this and the cancel. */
static void put(struct race *race)
{
    (void)race;
    if (simulated()) WF_EXPECT_INT(wf_socket_send(there, "x", 1, NULL), 1);
    else WF_EXPECT_INT(send(wf_socket_fd(there), "x", 1, 0), 1);
}

static void is_had_or_there(struct race *race)
{
    if (race->outcome != 1) WF_EXPECT_INT(receive(race), 1);
    WF_EXPECT_INT(race->byte, 'x');
    WF_EXPECT_CODE(wf_within(WF_MICROSECONDS(50), (int)receive(race)), -ETIME);
    close_both();
}

/* ---- Sending: it comes once if it was sent ---- */

static bool fill(struct race *race)
{
    static char name[64];
    snprintf(name, sizeof name, "@weft-races-%d", (int)getpid());
    here = there = NULL;
    race->capacity = 0;
    if (WF_EXPECT_CODE(wf_unix_open(name, &here), 0) && WF_EXPECT_CODE(wf_unix_open(NULL, &there, .peer = name), 0))
        while (wf_within(WF_MICROSECONDS(200), (int)wf_socket_send(there, "x", 1, NULL)) == 1) race->capacity++;
    if (WF_EXPECT(race->capacity > 0)) return true;
    close_both();
    return false;
}

static int64_t send_one(struct race *race)
{
    (void)race;
    return wf_socket_send(there, "y", 1, NULL);
}

static int64_t send_many(struct race *race)
{
    (void)race;
    char byte = 'y';
    struct wf_message message = {.bytes = &byte, .size = 1};
    return wf_socket_send_many(there, &message, 1);
}

static void make_room(struct race *race)
{
    WF_EXPECT_INT(receive(race), 1);
}

static void was_sent_once_or_not(struct race *race)
{
    size_t left = race->capacity - 1 + (race->outcome == 1);
    for (size_t i = 0; i < left; i++) WF_EXPECT_INT(wf_within(WF_SECONDS(1), (int)receive(race)), 1);
    WF_EXPECT_INT(race->byte, race->outcome == 1 ? 'y' : 'x');
    WF_EXPECT_CODE(wf_within(WF_MICROSECONDS(50), (int)receive(race)), -ETIME);
    close_both();
}

/* ---- Descriptors: had, or still to be had, or closed; the kit counts them ---- */

static bool make_stream(struct race *race)
{
    if (!WF_EXPECT_CODE(wf_unix_pair(&race->reader, &race->writer), 0)) return false;
    return WF_EXPECT_INT(pipe2(pipe_ends, O_CLOEXEC), 0);
}

static int64_t receive_descriptor(struct race *race)
{
    int fd = -1, count = 1;
    int64_t got = wf_unix_receive_fds(race->reader, &race->byte, 1, &fd, &count);
    if (got > 0) WF_EXPECT_INT(count, 1);
    if (got > 0 && count == 1) close(fd);
    return got;
}

static void send_descriptor(struct race *race)
{
    WF_EXPECT_CODE(wf_unix_send_fds(race->writer, "d", 1, pipe_ends, 1), 0);
}

static void descriptor_is_had_or_there(struct race *race)
{
    if (race->outcome != 1) WF_EXPECT_INT(receive_descriptor(race), 1);
    wf_stream_close(race->reader);
    wf_stream_close(race->writer);
    close(pipe_ends[0]);
    close(pipe_ends[1]);
}

static const struct wait_kind kinds[] = {
    {"a message", 1, .kernel = true, .prepare = make_packets, .wait = receive, .make_ready = put,
     .after = is_had_or_there},
    {"messages", 1, .kernel = true, .prepare = make_packets, .wait = receive_many, .make_ready = put,
     .after = is_had_or_there},
    {"room for a message", 1, .kernel = true, .prepare = fill, .wait = send_one, .make_ready = make_room,
     .after = was_sent_once_or_not},
    {"room for messages", 1, .kernel = true, .prepare = fill, .wait = send_many, .make_ready = make_room,
     .after = was_sent_once_or_not},
    {"a descriptor", 1, .kernel = true, .prepare = make_stream, .wait = receive_descriptor,
     .make_ready = send_descriptor, .after = descriptor_is_had_or_there},
};

WF_TEST(a_message_that_met_its_cancel_has_one_outcome_and_loses_nothing, .rule = "1.3 1.4 1.5")
{
    for (int turns = 0; turns < 24 && !wf_test_failed(); turns++)
        collide_all(kinds, WF_COUNT(kinds), turns % 2 == 0, turns / 2);
}

WF_TEST_MAIN
