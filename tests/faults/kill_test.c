/*
 * A process that is killed in the middle of what it does. Both ends are weft programs: the child runs a loop of its own
 * and is killed by SIGKILL, and what the parent sees is a prefix of what was said, and then the end or a reset.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

enum { ENOUGH = 1 << 20 }; /* bytes until the child is killed */

struct killing {
    pid_t child;
    int fd; /* the parent's end */
    bool greets,
        writes;  /* the parent says something that the child never reads; the parent writes, and the child reads */
    ssize_t end; /* how it came to the parent: 0 or a code */
    size_t bytes;
};

static unsigned char pattern(size_t place)
{
    return (unsigned char)(place * 31 >> 3);
}

/* ---- The child ---- */

static int write_for_ever(const int *fd)
{
    struct wf_stream *stream;
    unsigned char bytes[2500];
    int rc = wf_stream_wrap(*fd, &stream);
    for (size_t done = 0; rc == 0; done += sizeof bytes) {
        for (size_t i = 0; i < sizeof bytes; i++) bytes[i] = pattern(done + i);
        rc = wf_stream_write_all(stream, bytes, sizeof bytes, NULL);
    }
    return rc;
}

static int read_for_ever(const int *fd)
{
    struct wf_stream *stream;
    unsigned char bytes[2500];
    ssize_t got = wf_stream_wrap(*fd, &stream);
    if (got == 0) got = 1;
    while (got > 0) got = wf_stream_read(stream, bytes, sizeof bytes);
    return (int)got;
}

static void be_child(const struct killing *killing, int fd)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    close(killing->fd);
    if (killing->writes) wf_run(read_for_ever, &fd);
    else wf_run(write_for_ever, &fd);
    _exit(1);
}

static void start_child(struct killing *killing, const int ends[2])
{
    killing->fd = ends[0];
    killing->child = fork();
    if (killing->child == 0) be_child(killing, ends[1]);
    close(ends[1]);
}

/* ---- The parent ---- */

static int read_until_end(struct killing *killing, struct wf_stream *stream)
{
    unsigned char bytes[3000];
    bool killed = false;
    for (;;) {
        ssize_t got = wf_stream_read(stream, bytes, sizeof bytes);
        killing->end = got;
        if (got <= 0) return 0;
        for (ssize_t i = 0; i < got; i++)
            if (bytes[i] != pattern(killing->bytes++)) return -EILSEQ;
        if (killing->bytes >= ENOUGH && !killed) killed = kill(killing->child, SIGKILL) == 0;
    }
}

static int write_until_end(struct killing *killing, struct wf_stream *stream)
{
    static const char bytes[2500];
    bool killed = false;
    for (;;) {
        size_t done;
        killing->end = wf_stream_write_all(stream, bytes, sizeof bytes, &done);
        killing->bytes += done;
        if (killing->end < 0) return 0;
        if (killing->bytes >= ENOUGH && !killed) killed = kill(killing->child, SIGKILL) == 0;
    }
}

static int be_parent(struct killing *killing)
{
    struct wf_stream *stream;
    int rc = wf_stream_wrap(killing->fd, &stream);
    if (rc < 0) return rc;
    if (killing->greets) rc = wf_stream_write_all(stream, "hello", 5, NULL);
    if (rc == 0) rc = killing->writes ? write_until_end(killing, stream) : read_until_end(killing, stream);
    wf_stream_close(stream);
    return rc;
}

static void kill_in_the_middle(struct killing *killing, const int ends[2])
{
    int status = 0;
    start_child(killing, ends);
    WF_EXPECT_CODE(wf_run(be_parent, killing), 0);
    WF_EXPECT_INT(waitpid(killing->child, &status, 0), killing->child);
    WF_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    WF_EXPECT(killing->bytes >= ENOUGH);
}

/* ---- Ways to be connected ---- */

static void make_pipe(int ends[2])
{
    WF_EXPECT(pipe(ends) == 0);
}

/* The writer's end first. */
static void make_pipe_to_child(int ends[2])
{
    int made[2];
    WF_EXPECT(pipe(made) == 0);
    ends[0] = made[1];
    ends[1] = made[0];
}

static void make_tcp(int ends[2])
{
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr address[4];
    socklen_t size = sizeof address;
    WF_EXPECT(listen(listener, 1) == 0); /* on a free port of every address */
    WF_EXPECT(getsockname(listener, address, &size) == 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    WF_EXPECT(connect(ends[0], address, size) == 0);
    ends[1] = accept(listener, NULL, NULL);
    WF_EXPECT(ends[1] >= 0);
    close(listener);
}

WF_TEST(a_writer_to_a_pipe_that_is_killed_leaves_a_prefix_and_the_end, .real = true, .plain = true)
{
    int ends[2];
    struct killing killing = {.bytes = 0};
    make_pipe(ends);
    kill_in_the_middle(&killing, ends);
    WF_EXPECT_CODE(killing.end, 0);
}

WF_TEST(a_writer_to_a_connection_that_is_killed_leaves_a_prefix_and_the_end, .real = true, .plain = true)
{
    int ends[2];
    struct killing killing = {.bytes = 0};
    make_tcp(ends);
    kill_in_the_middle(&killing, ends);
    WF_EXPECT_CODE(killing.end, 0);
}

WF_TEST(a_writer_that_is_killed_before_it_read_leaves_a_prefix_and_a_reset, .real = true, .plain = true)
{
    int ends[2];
    struct killing killing = {.greets = true};
    make_tcp(ends);
    kill_in_the_middle(&killing, ends);
    WF_EXPECT_CODE(killing.end, -ECONNRESET);
}

WF_TEST(a_reader_of_a_pipe_that_is_killed_breaks_the_write, .real = true, .plain = true)
{
    int ends[2];
    struct killing killing = {.writes = true};
    make_pipe_to_child(ends);
    kill_in_the_middle(&killing, ends);
    WF_EXPECT_CODE(killing.end, -EPIPE);
}

WF_TEST(a_reader_of_a_connection_that_is_killed_breaks_the_write, .real = true, .plain = true)
{
    int ends[2];
    struct killing killing = {.writes = true};
    make_tcp(ends);
    kill_in_the_middle(&killing, ends);
    WF_EXPECT(killing.end == -ECONNRESET || killing.end == -EPIPE);
}

WF_TEST_MAIN
