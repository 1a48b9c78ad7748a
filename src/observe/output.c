/*
 * The ring of lines on their way out, and who writes them.
 *
 *     nobody --first line--> the writer's thread: writing <--> napping --nothing for a while--> asleep
 *        ^                                           |
 *        +------------- output_stop -----------------+
 *
 * After it has written everything the thread takes a nap of 1 ms and looks again, so that of a burst only the first
 * line pays for waking it; after many naps in vain it sleeps until it is woken. It holds the lock only to look at the
 * ring, never while it writes, and whoever logs holds it for the length of a copy.
 *
 * The descriptor belongs to the program, and perhaps to other programs as well, so its flags are left alone: a pipe or
 * a terminal is opened once more for writing without waiting, a socket is asked by a flag of the call, and whatever
 * else there is (a file) is written as it is. The second descriptor is closed when the thread goes to sleep, so that a
 * program that has nothing to say does not keep a pipe open.
 */
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>
#include <weft/task.h>
#include <weft/time.h>

#include "base/report.h"
#include "observe/log.h"

enum {
    RING_SIZE = 256 * 1024,
    BATCH_MAX = 64 * 1024,
    NAP_NS = 1000000,
    NAPS_MAX = 50,
    ROOM_POLL_MS = 20,
    NOTICE_SIZE = 512,
    CRASH_WAIT_MS = 100,
};

enum writer { WRITER_NONE, WRITER_DIRECT, WRITER_BUSY, WRITER_ASLEEP };
enum target { TARGET_UNKNOWN, TARGET_PLAIN, TARGET_REOPENED, TARGET_SOCKET };

static char bytes[RING_SIZE];

static struct {
    pthread_mutex_t lock; /* guards all of it, but for bytes[tail..head) while somebody writes them out */
    pthread_cond_t more;
    atomic_size_t head, tail; /* bytes ever put in and taken out */
    enum writer writer;
    pthread_t thread;
    bool stopping;
    int64_t bound_ns; /* how long it waits for a reader; WF_FOREVER until it stops */
    int fd, reopened;
    enum target target;
    uint64_t dropped, told; /* told: of these, in a notice */
    bool forked;
} ring = {
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .more = PTHREAD_COND_INITIALIZER,
    .fd = STDERR_FILENO,
    .reopened = -1,
    .bound_ns = WF_FOREVER,
};

/* One who stops or changes the output at a time. */
static pthread_mutex_t stop_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- The ring, with the lock ---- */

static size_t filled(void)
{
    return atomic_load(&ring.head) - atomic_load(&ring.tail);
}

/* Gives false when there is no room. */
static bool append(const char *line, size_t size)
{
    if (size > RING_SIZE - filled()) return false;
    size_t at = atomic_load(&ring.head) % RING_SIZE;
    size_t first = size < RING_SIZE - at ? size : RING_SIZE - at;
    memcpy(bytes + at, line, first);
    memcpy(bytes, line + first, size - first);
    atomic_store(&ring.head, atomic_load(&ring.head) + size);
    return true;
}

static uint64_t count_lines(size_t size)
{
    uint64_t lines = 0;
    for (size_t i = 0; i < size; i++) lines += bytes[(atomic_load(&ring.tail) + i) % RING_SIZE] == '\n';
    return lines;
}

static void take(size_t size)
{
    atomic_store(&ring.tail, atomic_load(&ring.tail) + size);
}

static void lose(size_t size)
{
    ring.dropped += count_lines(size);
    take(size);
}

/* Whole lines, as many as may go out at once; a part only of one that is longer than that. */
static size_t batch_size(void)
{
    size_t most = ring.target == TARGET_PLAIN ? BATCH_MAX : PIPE_BUF, size = filled();
    if (size <= most) return size;
    for (size_t i = most; i > 0; i--)
        if (bytes[(atomic_load(&ring.tail) + i - 1) % RING_SIZE] == '\n') return i;
    return most;
}

static int batch(struct iovec parts[2], size_t *size)
{
    *size = batch_size();
    size_t at = atomic_load(&ring.tail) % RING_SIZE;
    size_t first = *size < RING_SIZE - at ? *size : RING_SIZE - at;
    parts[0] = (struct iovec){.iov_base = bytes + at, .iov_len = first};
    parts[1] = (struct iovec){.iov_base = bytes, .iov_len = *size - first};
    return parts[1].iov_len > 0 ? 2 : 1;
}

static void tell_drops(void)
{
    if (ring.dropped == ring.told || RING_SIZE - filled() < NOTICE_SIZE) return;
    char text[NOTICE_SIZE];
    size_t size = log_drop_notice(ring.dropped - ring.told, text, sizeof text);
    if (size > 0 && append(text, size)) ring.told = ring.dropped;
}

/* ---- The descriptor ---- */

static void open_target(void)
{
    struct stat status = {.st_mode = 0};
    fstat(ring.fd, &status);
    ring.target = S_ISSOCK(status.st_mode) ? TARGET_SOCKET : TARGET_PLAIN;
    if (!S_ISFIFO(status.st_mode) && !S_ISCHR(status.st_mode)) return;
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", ring.fd);
    ring.reopened = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (ring.reopened >= 0) ring.target = TARGET_REOPENED;
}

static void close_target(void)
{
    if (ring.reopened >= 0) close(ring.reopened);
    ring.reopened = -1;
    ring.target = TARGET_UNKNOWN;
}

static ssize_t write_to_target(enum target target, int fd, struct iovec *parts, int count)
{
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = (size_t)count};
    ssize_t wrote;
    do {
        if (target == TARGET_SOCKET) wrote = sendmsg(fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
        else wrote = writev(fd, parts, count);
    } while (wrote < 0 && errno == EINTR);
    return wrote < 0 ? -errno : wrote;
}

/* ---- Writing out ---- */

/* Not wf_now: a simulated world has another time than who reads. */
static int64_t real_now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* With the lock, which it gives up meanwhile. */
static void wait_for_room(int fd)
{
    pthread_mutex_unlock(&ring.lock);
    poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, ROOM_POLL_MS);
    pthread_mutex_lock(&ring.lock);
}

/* 1: something went out; 0: it never will, and is lost; -EAGAIN: there is no room. */
static int write_batch(void)
{
    struct iovec parts[2];
    size_t size;
    if (ring.target == TARGET_UNKNOWN) open_target();
    int count = batch(parts, &size), fd = ring.target == TARGET_REOPENED ? ring.reopened : ring.fd;
    enum target target = ring.target;
    pthread_mutex_unlock(&ring.lock);
    ssize_t wrote = write_to_target(target, fd, parts, count);
    pthread_mutex_lock(&ring.lock);
    if (wrote == -EAGAIN) return -EAGAIN;
    if (wrote < 0) lose(size);
    else take((size_t)wrote);
    return wrote >= 0;
}

/* With the lock: writes until the ring is empty, or until nobody has read anything for as long as ring.bound_ns. */
static void drain(void)
{
    int64_t stuck_since = 0;
    while (filled() > 0) {
        int rc = write_batch();
        if (rc == 1) tell_drops();
        if (rc != -EAGAIN) {
            stuck_since = 0;
            continue;
        }
        int64_t now = real_now();
        if (stuck_since == 0 || ring.bound_ns == WF_FOREVER) stuck_since = now;
        if (now - stuck_since >= ring.bound_ns) return lose(filled());
        wait_for_room(ring.target == TARGET_REOPENED ? ring.reopened : ring.fd);
    }
}

static void nap(void)
{
    int64_t end = real_now() + NAP_NS;
    struct timespec time = {.tv_sec = end / 1000000000, .tv_nsec = end % 1000000000};
    pthread_cond_clockwait(&ring.more, &ring.lock, CLOCK_MONOTONIC, &time);
}

static void *write_out(void *unused)
{
    unsigned naps = 0;
    pthread_mutex_lock(&ring.lock);
    while (!ring.stopping || filled() > 0) {
        if (filled() > 0) {
            drain();
            naps = 0;
        } else if (naps++ < NAPS_MAX) {
            nap();
        } else {
            close_target();
            ring.writer = WRITER_ASLEEP;
            pthread_cond_wait(&ring.more, &ring.lock);
            ring.writer = WRITER_BUSY;
            naps = 0;
        }
    }
    close_target();
    pthread_mutex_unlock(&ring.lock);
    return unused;
}

/* With the lock. Signals are other threads' affair, SIGPIPE of a reader who left too. */
static bool start_writer(void)
{
    sigset_t all, before;
    sigfillset(&all);
    ring.stopping = false;
    ring.bound_ns = WF_FOREVER;
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&ring.thread, NULL, write_out, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc == 0) ring.writer = WRITER_BUSY;
    return rc == 0;
}

/* With the lock: by who has just logged, because there is no thread and none shall be, or could be, started. */
static void write_directly(int64_t bound_ns)
{
    ring.writer = WRITER_DIRECT;
    ring.bound_ns = bound_ns;
    drain();
    close_target();
    ring.writer = WRITER_NONE;
}

/* ---- The process ---- */

static void before_fork(void)
{
    pthread_mutex_lock(&ring.lock);
}

static void after_fork(void)
{
    pthread_mutex_unlock(&ring.lock);
}

/* What is in the ring is the parent's to write, and so is its thread. */
static void in_forked_child(void)
{
    atomic_store(&ring.tail, atomic_load(&ring.head));
    ring.writer = WRITER_NONE;
    ring.told = ring.dropped;
    ring.forked = true;
    close_target();
    pthread_cond_init(&ring.more, NULL);
    pthread_mutex_init(&stop_lock, NULL);
    pthread_mutex_unlock(&ring.lock);
}

static void at_exit(void)
{
    output_stop(WF_SECONDS(1));
}

/* Also in signal handlers: the writer, if there is one, is given a moment to finish. */
static void wait_in_crash(void)
{
    for (int i = 0; i < CRASH_WAIT_MS && atomic_load(&ring.head) != atomic_load(&ring.tail); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

/* The default action follows when the handler returns: the signal is raised once more, or the fault is. */
static void on_crash(int number)
{
    wait_in_crash();
    signal(number, SIG_DFL);
    raise(number);
}

static void watch_crashes(void)
{
    static const int numbers[] = {SIGABRT, SIGFPE, SIGILL, SIGSEGV, SIGBUS};
    struct sigaction ours = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK}, there;
    for (size_t i = 0; i < WF_COUNT(numbers); i++)
        if (sigaction(numbers[i], NULL, &there) == 0 && !(there.sa_flags & SA_SIGINFO) && there.sa_handler == SIG_DFL)
            sigaction(numbers[i], &ours, NULL);
}

static void prepare(void)
{
    pthread_atfork(before_fork, after_fork, in_forked_child);
    atexit(at_exit);
    before_death = wait_in_crash;
    watch_crashes();
}

/* ---- From outside ---- */

void output_push(const char *line, size_t size, bool urgent)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, prepare);
    pthread_mutex_lock(&ring.lock);
    size_t before = filled();
    if (!append(line, size)) ring.dropped++;
    bool wake = ring.writer == WRITER_ASLEEP || urgent || (before < RING_SIZE / 2 && before + size >= RING_SIZE / 2);
    if (ring.writer == WRITER_NONE && ring.forked && !wf_in_task()) write_directly(WF_SECONDS(1));
    else if (ring.writer == WRITER_NONE && !start_writer()) write_directly(0);
    pthread_mutex_unlock(&ring.lock);
    if (wake) pthread_cond_signal(&ring.more);
}

uint64_t output_dropped(void)
{
    pthread_mutex_lock(&ring.lock);
    uint64_t dropped = ring.dropped;
    pthread_mutex_unlock(&ring.lock);
    return dropped;
}

int output_descriptor(void)
{
    pthread_mutex_lock(&ring.lock);
    int fd = ring.fd;
    pthread_mutex_unlock(&ring.lock);
    return fd;
}

/* With the stop lock. */
static void stop(int64_t bound_ns)
{
    pthread_mutex_lock(&ring.lock);
    ring.bound_ns = bound_ns < 0 ? 0 : bound_ns;
    ring.stopping = true;
    bool thread = ring.writer >= WRITER_BUSY;
    pthread_mutex_unlock(&ring.lock);
    pthread_cond_signal(&ring.more);
    if (!thread) return;
    pthread_join(ring.thread, NULL);
    pthread_mutex_lock(&ring.lock);
    ring.writer = WRITER_NONE;
    if (filled() > 0 && !start_writer()) lose(filled()); /* came in the last moment */
    pthread_mutex_unlock(&ring.lock);
}

int output_stop(int64_t bound_ns)
{
    pthread_mutex_lock(&stop_lock);
    uint64_t before = output_dropped();
    stop(bound_ns);
    int rc = output_dropped() != before ? -ETIME : 0;
    pthread_mutex_unlock(&stop_lock);
    return rc;
}

int output_set(int fd)
{
    if (fcntl(fd, F_GETFD) < 0) return -EBADF;
    pthread_mutex_lock(&stop_lock);
    stop(WF_SECONDS(1));
    pthread_mutex_lock(&ring.lock);
    ring.fd = fd;
    pthread_mutex_unlock(&ring.lock);
    pthread_mutex_unlock(&stop_lock);
    return 0;
}
