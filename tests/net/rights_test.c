/* Descriptors that go along with bytes and messages: had, or closed; rules 1.3, 1.5. */
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <weft/sim.h>
#include <weft/testing.h>
#include <weft/weft.h>

static bool simulated(void)
{
    return strcmp(wf_driver_name(), "sim") == 0;
}

static void close_streams(struct wf_stream *a, struct wf_stream *b)
{
    wf_stream_close(a);
    wf_stream_close(b);
}

static void close_sockets(struct wf_socket *a, struct wf_socket *b)
{
    wf_socket_close(a);
    wf_socket_close(b);
}

static int read_soon(struct wf_stream *stream, void *buffer, size_t size)
{
    return wf_within(WF_SECONDS(1), (int)wf_stream_read(stream, buffer, size));
}

static int open_count(void)
{
    int count = 0;
    DIR *directory = opendir("/proc/self/fd");
    while (directory != NULL && readdir(directory) != NULL) count++;
    if (directory != NULL) closedir(directory);
    return count;
}

/* The write end of a pipe that was received is one: what it takes comes out of the other end. */
static void expect_same_pipe(int received, int reader)
{
    char byte = '.';
    WF_EXPECT(fcntl(received, F_GETFD) & FD_CLOEXEC);
    WF_EXPECT_INT(write(received, "p", 1), 1);
    WF_EXPECT_INT(read(reader, &byte, 1), 1);
    WF_EXPECT_INT(byte, 'p');
}

WF_TEST(descriptors_go_with_the_first_byte_of_a_write)
{
    struct wf_stream *a, *b;
    int ends[2], received[4], count = 4;
    char text[16] = "";
    if (!WF_EXPECT_CODE(wf_unix_pair(&a, &b), 0)) return;
    WF_EXPECT_INT(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    WF_EXPECT_CODE(wf_stream_write_all(a, "before", 6, NULL), 0);
    WF_EXPECT_CODE(wf_unix_send_fds(a, "with", 4, ends, 2), 0);
    size_t done = 0;
    int came = 0;
    while (done < 10 && !wf_test_failed()) {
        count = 4 - came;
        ssize_t got =
            wf_within(WF_SECONDS(1), (int)wf_unix_receive_fds(b, text + done, 10 - done, received + came, &count));
        if (!WF_EXPECT(got > 0)) break;
        if (count > 0) WF_EXPECT(done <= 6 && done + (size_t)got > 6);
        came += count;
        done += (size_t)got;
    }
    if (WF_EXPECT_INT(came, 2)) expect_same_pipe(received[1], ends[0]);
    WF_EXPECT(done < 10 || strcmp(text, "beforewith") == 0);
    for (int i = 0; i < came; i++) close(received[i]);
    close(ends[0]);
    close(ends[1]);
    struct wf_stream_statistics statistics;
    wf_stream_statistics(b, &statistics);
    WF_EXPECT_INT((int64_t)statistics.bytes_read, (int64_t)done);
    close_streams(a, b);
}

WF_TEST(descriptors_that_nobody_takes_are_closed)
{
    struct wf_stream *a, *b;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), before, received[2], count;
    char text[8];
    if (!WF_EXPECT_CODE(wf_unix_pair(&a, &b), 0)) return (void)close(fd);
    int three[3] = {fd, fd, fd};
    before = open_count();
    if (WF_EXPECT_CODE(wf_unix_send_fds(a, "1", 1, three, 3), 0)) WF_EXPECT_INT(read_soon(b, text, sizeof text), 1);
    WF_EXPECT_INT(open_count(), before);
    for (count = 2; count >= 0; count--) { /* one less than came */
        if (!WF_EXPECT_CODE(wf_unix_send_fds(a, "2", 1, three, count + 1), 0)) break;
        int room = count;
        WF_EXPECT_CODE(wf_within(WF_SECONDS(1), (int)wf_unix_receive_fds(b, text, sizeof text, received, &room)),
                       -EMSGSIZE);
        WF_EXPECT_INT(room, 0);
        WF_EXPECT_INT(open_count(), before);
    }
    WF_EXPECT_CODE(wf_unix_send_fds(a, "3", 1, three, 3), 0); /* on their way when both ends close */
    close_streams(a, b);
    if (!wf_test_injected()) WF_EXPECT_INT(open_count(), simulated() ? before : before - 2);
    close(fd);
}

WF_TEST(room_for_exactly_as_many_is_enough)
{
    struct wf_stream *a, *b;
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), sent[WF_UNIX_FDS_MAX], received[WF_UNIX_FDS_MAX];
    char byte;
    if (!WF_EXPECT_CODE(wf_unix_pair(&a, &b), 0)) return (void)close(fd);
    for (int i = 0; i < WF_UNIX_FDS_MAX; i++) sent[i] = fd;
    for (int wanted = 1; wanted <= WF_UNIX_FDS_MAX && !wf_test_failed(); wanted = wanted * 2 - wanted / 8) {
        int count = wanted;
        if (!WF_EXPECT_CODE(wf_unix_send_fds(a, "x", 1, sent, wanted), 0)) break;
        WF_EXPECT_INT(wf_within(WF_SECONDS(1), (int)wf_unix_receive_fds(b, &byte, 1, received, &count)), 1);
        WF_EXPECT_INT(count, wanted);
        for (int i = 0; i < count; i++) close(received[i]);
    }
    close_streams(a, b);
    close(fd);
}

WF_TEST(descriptors_go_with_packets)
{
    struct wf_socket *a, *b;
    int ends[2], received[4], count = 4;
    char text[8];
    if (!WF_EXPECT_CODE(wf_unix_pair_packets(&a, &b), 0)) return;
    WF_EXPECT_INT(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    if (WF_EXPECT_INT(wf_unix_send_message(a, "pipe", 4, &ends[1], 1), 4)) {
        WF_EXPECT_INT(wf_within(WF_SECONDS(1), (int)wf_unix_receive_message(b, text, 8, received, &count)), 4);
        if (WF_EXPECT_INT(count, 1)) expect_same_pipe(received[0], ends[0]);
        for (int i = 0; i < count; i++) close(received[i]);
    }
    int before = open_count();
    if (WF_EXPECT_INT(wf_unix_send_message(a, "pipe", 4, &ends[1], 1), 4)) { /* no room for any */
        count = 0;
        WF_EXPECT_CODE(wf_within(WF_SECONDS(1), (int)wf_unix_receive_message(b, text, 8, received, &count)), -EMSGSIZE);
    }
    if (WF_EXPECT_INT(wf_unix_send_message(a, "pipe", 4, &ends[1], 1), 4)) { /* a message that is cut */
        count = 4;
        WF_EXPECT_CODE(wf_within(WF_SECONDS(1), (int)wf_unix_receive_message(b, text, 2, received, &count)), -EMSGSIZE);
        WF_EXPECT_INT(count, 0);
    }
    WF_EXPECT_INT(open_count(), before);
    close_sockets(a, b);
    close(ends[0]);
    close(ends[1]);
}

WF_TEST(what_cannot_carry_descriptors_says_so)
{
    struct wf_stream *a, *b;
    struct wf_socket *udp;
    int none = -1, count = 1, fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    char byte;
    if (WF_EXPECT_CODE(wf_pipe(&a, &b), 0)) {
        WF_EXPECT_CODE(wf_unix_send_fds(b, "x", 1, &fd, 1), -EOPNOTSUPP);
        WF_EXPECT_CODE(wf_unix_receive_fds(a, &byte, 1, &none, &count), -EOPNOTSUPP);
        close_streams(a, b);
    }
    if (WF_EXPECT_CODE(wf_udp_open("127.0.0.1", 0, &udp), 0)) {
        WF_EXPECT_CODE(wf_unix_send_message(udp, "x", 1, &fd, 1), -EOPNOTSUPP);
        WF_EXPECT_CODE(wf_unix_receive_message(udp, &byte, 1, &none, &count), -EOPNOTSUPP);
        wf_socket_close(udp);
    }
    if (WF_EXPECT_CODE(wf_unix_pair(&a, &b), 0)) {
        WF_EXPECT_CODE(wf_unix_send_fds(a, "x", 1, &none, 1), -EBADF);
        WF_EXPECT_CODE(wf_unix_send_fds(a, "", 0, &fd, 1), -EINVAL);
        WF_EXPECT_CODE(wf_unix_send_fds(a, "x", 1, &fd, WF_UNIX_FDS_MAX + 1), -EINVAL);
        int own = wf_stream_fd(a);
        WF_EXPECT_CODE(wf_unix_send_fds(a, "x", 1, &own, 1), 0);
        close_streams(a, b);
    }
    close(fd);
}

/* ---- Streams of ours, which in a simulated world are simulated ---- */

/* Sends a descriptor, closes the stream that it was of, and wraps what came. */
static struct wf_stream *pass(struct wf_stream *from, struct wf_stream *to, struct wf_stream *sent)
{
    struct wf_stream *wrapped = NULL;
    int fd = wf_stream_fd(sent), received = -1, count = 1;
    char byte;
    int rc = wf_unix_send_fds(from, "x", 1, &fd, 1);
    wf_stream_close(sent);
    if (rc == 0) rc = wf_within(WF_SECONDS(1), (int)wf_unix_receive_fds(to, &byte, 1, &received, &count));
    if (!WF_EXPECT_CODE(rc, 1) || !WF_EXPECT_INT(count, 1)) return NULL;
    if (WF_EXPECT_CODE(wf_stream_wrap(received, &wrapped), 0)) return wrapped;
    wf_close_fd(received);
    return NULL;
}

WF_TEST(a_stream_that_was_sent_is_the_same_where_it_arrives)
{
    struct wf_stream *a, *b, *reader, *writer;
    char text[8] = "";
    if (!WF_EXPECT_CODE(wf_unix_pair(&a, &b), 0)) return;
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return close_streams(a, b);
    int rc = wf_stream_write_all(writer, "one", 3, NULL);
    writer = pass(a, b, writer);
    if (writer != NULL) {
        if (rc == 0) rc = wf_stream_write_all(writer, "two", 3, NULL);
        if (rc == 0) rc = wf_stream_read_full(reader, text, 6, NULL);
        if (WF_EXPECT_CODE(rc, 0)) WF_EXPECT_TEXT(text, "onetwo");
        wf_stream_close(writer);
        WF_EXPECT_INT(read_soon(reader, text, sizeof text), 0); /* that was the last of its writers */
    }
    wf_stream_close(reader);
    close_streams(a, b);
}

WF_TEST(a_socket_may_be_sent_through_itself)
{
    struct wf_stream *a, *b;
    struct wf_address peer;
    char byte = 0;
    if (!WF_EXPECT_CODE(wf_unix_pair(&a, &b), 0)) return;
    int fd = wf_stream_fd(a);
    if (!WF_EXPECT_CODE(wf_unix_send_fds(a, "x", 1, &fd, 1), 0)) return close_streams(a, b);
    struct wf_stream *again = pass(a, b, a);
    if (again != NULL) {
        WF_EXPECT_CODE(wf_stream_peer(again, &peer), 0); /* it is a Unix socket there too */
        WF_EXPECT_CODE(wf_stream_write_all(b, "y", 1, NULL), 0);
        WF_EXPECT_INT(read_soon(again, &byte, 1), 1);
        WF_EXPECT_INT(byte, 'y');
        wf_ignore(wf_unix_send_fds(again, "z", 1, (int[]){wf_stream_fd(again)}, 1)); /* under way for ever */
        wf_stream_close(again);
    }
    wf_stream_close(b);
}

WF_TEST(what_arrives_where_there_is_no_descriptor_left_is_closed, .simulated = true)
{
    struct wf_stream *a, *b, *reader, *writer;
    int received[2], count = 2;
    char byte;
    if (!WF_EXPECT_CODE(wf_unix_pair(&a, &b), 0)) return;
    if (!WF_EXPECT_CODE(wf_pipe(&reader, &writer), 0)) return close_streams(a, b);
    const int fds[] = {wf_stream_fd(writer), wf_stream_fd(writer)};
    if (WF_EXPECT_CODE(wf_unix_send_fds(a, "x", 1, fds, 2), 0)) {
        wf_sim_set_faults(.descriptors_max = 5); /* one more than there are */
        WF_EXPECT_CODE((int)wf_unix_receive_fds(b, &byte, 1, received, &count), -EMSGSIZE);
        WF_EXPECT_INT(count, 0);
    }
    wf_stream_close(writer);
    WF_EXPECT_INT(read_soon(reader, &byte, 1), 0);
    wf_stream_close(reader);
    close_streams(a, b);
}

WF_TEST_MAIN
