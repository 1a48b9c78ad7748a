/* Terminals and serial ports, on pseudoterminals: rule 4.5. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include <weft/testing.h>
#include <weft/weft.h>

#include "base/sanitize.h" /* a sanitizer takes the signals of faults for itself */

/* Its screen and keyboard are the master; what programs open is the slave. */
struct terminal {
    int master, slave;
    char path[64];
};

static bool open_terminal(struct terminal *terminal)
{
    *terminal = (struct terminal){.master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), .slave = -1};
    bool made = terminal->master >= 0 && grantpt(terminal->master) == 0 && unlockpt(terminal->master) == 0 &&
                ptsname_r(terminal->master, terminal->path, sizeof terminal->path) == 0;
    if (made) terminal->slave = open(terminal->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
    return WF_EXPECT(terminal->slave >= 0);
}

static void close_terminal(const struct terminal *terminal)
{
    close(terminal->master);
    if (terminal->slave >= 0) close(terminal->slave);
}

static bool is_raw(const struct terminal *terminal)
{
    struct termios mode;
    WF_EXPECT(tcgetattr(terminal->slave, &mode) == 0);
    return !(mode.c_lflag & (ICANON | ECHO | ISIG));
}

/* A stream over the slave, which stays open. */
static int open_keys(const struct terminal *terminal, struct wf_stream **keys)
{
    int fd = dup(terminal->slave);
    int rc = wf_stream_wrap(fd, keys);
    if (rc < 0) close(fd);
    return rc;
}

/* ---- Raw mode ---- */

WF_TEST(keys_come_at_once_in_raw_mode_and_output_stays_as_it_is, .real = true)
{
    struct terminal terminal;
    struct wf_stream *keys;
    char text[8] = "";
    if (!open_terminal(&terminal)) return close_terminal(&terminal);
    if (WF_EXPECT_CODE(open_keys(&terminal, &keys), 0)) {
        WF_EXPECT_CODE(wf_tty_raw(keys), 0);
        WF_EXPECT_CODE(wf_tty_raw(keys), 0);
        WF_EXPECT(write(terminal.master, "q\x03", 2) == 2);
        WF_EXPECT_CODE(wf_stream_read_full(keys, text, 2, NULL), 0);
        WF_EXPECT_TEXT(text, "q\x03");
        WF_EXPECT_CODE(wf_stream_write_all(keys, "\n", 1, NULL), 0);
        WF_EXPECT(read(terminal.master, text, sizeof text) == 2); /* and no echo before it */
        WF_EXPECT(memcmp(text, "\r\n", 2) == 0);
        wf_stream_close(keys);
    }
    WF_EXPECT(!is_raw(&terminal));
    close_terminal(&terminal);
}

WF_TEST(a_terminal_is_put_back_when_told_and_when_its_stream_is_closed, .real = true, .rule = "1.9")
{
    struct terminal terminal;
    struct wf_stream *keys;
    if (!open_terminal(&terminal)) return close_terminal(&terminal);
    if (WF_EXPECT_CODE(open_keys(&terminal, &keys), 0)) {
        WF_EXPECT(!is_raw(&terminal));
        WF_EXPECT_CODE(wf_tty_restore(keys), 0);
        WF_EXPECT_CODE(wf_tty_raw(keys), 0);
        WF_EXPECT(is_raw(&terminal));
        WF_EXPECT_CODE(wf_tty_restore(keys), 0);
        WF_EXPECT(!is_raw(&terminal));
        WF_EXPECT_CODE(wf_tty_raw(keys), 0);
        wf_tty_reset();
        WF_EXPECT(!is_raw(&terminal));
        wf_tty_reset();
        wf_stream_close(keys);
        WF_EXPECT(!is_raw(&terminal));
    }
    close_terminal(&terminal);
}

WF_TEST(more_terminals_than_there_are_places_are_refused, .real = true)
{
    enum { PLACES = 16 };
    struct terminal terminal;
    struct wf_stream *all[PLACES + 1] = {NULL};
    if (!open_terminal(&terminal)) return close_terminal(&terminal);
    for (int i = 0; i <= PLACES; i++) {
        if (!WF_EXPECT_CODE(open_keys(&terminal, &all[i]), 0)) break;
        WF_EXPECT_CODE(wf_tty_raw(all[i]), i < PLACES ? 0 : -EMFILE);
    }
    for (int i = 0; i <= PLACES; i++) wf_stream_close(all[i]); /* in the order of opening */
    WF_EXPECT(!is_raw(&terminal));
    close_terminal(&terminal);
}

WF_TEST(what_is_no_terminal_is_refused, .real = true)
{
    struct wf_stream *a, *b;
    int columns, rows;
    if (WF_EXPECT_CODE(wf_pipe(&a, &b), 0)) {
        WF_EXPECT_CODE(wf_tty_raw(a), -ENOTTY);
        WF_EXPECT_CODE(wf_tty_size(a, &columns, &rows), -ENOTTY);
        WF_EXPECT_CODE(wf_tty_wait_resize(a, &columns, &rows), -ENOTTY);
        wf_stream_close(a);
        wf_stream_close(b);
    }
    if (WF_EXPECT_CODE(wf_stream_pair(16, &a, &b), 0)) {
        WF_EXPECT_CODE(wf_tty_raw(a), -ENOTTY);
        WF_EXPECT_CODE(wf_tty_restore(a), 0);
        WF_EXPECT_CODE(wf_tty_size(a, &columns, &rows), -ENOTTY);
        wf_stream_close(a);
        wf_stream_close(b);
    }
}

WF_TEST(the_size_of_a_window_is_known, .real = true)
{
    struct terminal terminal;
    struct wf_stream *keys;
    int columns = 0, rows = 0;
    if (!open_terminal(&terminal)) return close_terminal(&terminal);
    WF_EXPECT(ioctl(terminal.master, TIOCSWINSZ, &(struct winsize){.ws_col = 132, .ws_row = 43}) == 0);
    if (WF_EXPECT_CODE(open_keys(&terminal, &keys), 0)) {
        WF_EXPECT_CODE(wf_tty_size(keys, &columns, &rows), 0);
        WF_EXPECT(columns == 132 && rows == 43);
        wf_stream_close(keys);
    }
    close_terminal(&terminal);
}

static void set_size(const struct terminal *terminal, unsigned short columns, unsigned short rows)
{
    WF_EXPECT(ioctl(terminal->master, TIOCSWINSZ, &(struct winsize){.ws_col = columns, .ws_row = rows}) == 0);
}

/* What the system would do if this were the program in front of that terminal. */
static int change_size(const struct terminal *terminal)
{
    int rc = wf_yield();
    kill(getpid(), SIGWINCH); /* without a change */
    for (int i = 0; i < 3 && rc == 0; i++) rc = wf_yield();
    set_size(terminal, 100, 43);
    kill(getpid(), SIGWINCH);
    return rc;
}

WF_TEST(a_change_of_the_size_is_waited_for, .real = true, .rule = "1.3")
{
    struct terminal terminal;
    struct wf_stream *keys;
    int columns = 0, rows = 0;
    if (!open_terminal(&terminal)) return close_terminal(&terminal);
    set_size(&terminal, 132, 43);
    if (WF_EXPECT_CODE(open_keys(&terminal, &keys), 0)) {
        WF_EXPECT_CODE(wf_tty_wait_resize(keys, &columns, &rows), 0);
        WF_EXPECT(columns == 132 && rows == 43);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), wf_tty_wait_resize(keys, &columns, &rows)), -ETIME);
        WF_EXPECT(columns == 132 && rows == 43);
        WF_SCOPE(scope);
        wf_spawn(&scope, change_size, &terminal);
        WF_EXPECT_CODE(wf_within(WF_SECONDS(5), wf_tty_wait_resize(keys, &columns, &rows)), 0);
        WF_EXPECT(columns == 100 && rows == 43);
        WF_EXPECT_CODE(wf_scope_join(&scope), 0);
        wf_stream_close(keys);
    }
    close_terminal(&terminal);
}

/* ---- Every end of a process; a child leaves its terminal raw ---- */

static void by_exit(void)
{
    exit(3);
}

static void by_return(void)
{
}

static void by_term(void)
{
    raise(SIGTERM);
}

static void by_hang_up(void)
{
    raise(SIGHUP);
}

static void by_abort(void)
{
    abort();
}

static void by_fault(void)
{
    volatile uintptr_t nowhere = 8;
    *(volatile int *)nowhere = 1;
}

static void by_third_signal(void)
{
    for (int i = 0; i < 3; i++) raise(SIGINT);
    wf_shielded(WF_FOREVER, wf_yield());
    wf_shielded(WF_FOREVER, wf_sleep(WF_SECONDS(9)));
}

static const struct ending {
    const char *name;
    void (*end)(void);
    int status, number; /* of the exit, or of the signal */
    bool signals;
} endings[] = {
    {"exit", by_exit, 3, 0, false},
    {"return", by_return, 0, 0, false},
    {"SIGTERM", by_term, 0, SIGTERM, false},
    {"SIGHUP", by_hang_up, 0, SIGHUP, false},
    {"abort", by_abort, 0, SIGABRT, false},
    {"a fault", by_fault, 0, SIGSEGV, false},
    {"a third signal", by_third_signal, 128 + SIGINT, 0, true},
};

struct life {
    const struct terminal *terminal;
    const struct ending *ending;
};

static int live(const struct life *life)
{
    struct wf_stream *keys;
    int rc = open_keys(life->terminal, &keys);
    if (rc == 0) rc = wf_tty_raw(keys);
    if (rc < 0 || !is_raw(life->terminal)) _exit(99);
    life->ending->end();
    return 0;
}

static void be_child(const struct life *life)
{
    signal(SIGHUP, SIG_DFL); /* who started the tests may have it ignored */
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
    dup2(null, STDERR_FILENO);
    wf_run(live, life, .signals = life->ending->signals);
    exit(0);
}

static const char *name_of(size_t row)
{
    return endings[row].name;
}

WF_TEST_EACH(a_terminal_is_put_back_however_the_process_ends, endings, .row_name = name_of, .plain = true, .real = true)
{
    struct terminal terminal;
    if ((WEFT_ASAN || WEFT_TSAN) && row->number == SIGSEGV) return; /* a sanitizer makes an exit of it */
    if (!open_terminal(&terminal)) return close_terminal(&terminal);
    struct life life = {&terminal, row};
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) be_child(&life);
    int status = 0;
    WF_EXPECT(waitpid(child, &status, 0) == child);
    if (row->number > 0) WF_EXPECT(WIFSIGNALED(status) && WTERMSIG(status) == row->number);
    else WF_EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == row->status);
    WF_EXPECT(!is_raw(&terminal));
    close_terminal(&terminal);
}

static void until_killed(void)
{
    wf_sleep(WF_SECONDS(60));
}

static bool comes(const struct terminal *terminal, bool raw)
{
    for (int i = 0; i < 500 && is_raw(terminal) != raw; i++) usleep(10000); /* real time: another process */
    return is_raw(terminal) == raw;
}

WF_TEST(a_terminal_is_put_back_while_the_process_is_stopped, .plain = true, .real = true)
{
    static const struct ending waiting = {"waiting", until_killed, 0, SIGKILL, false};
    struct terminal terminal;
    if (!open_terminal(&terminal)) return close_terminal(&terminal);
    struct life life = {&terminal, &waiting};
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) be_child(&life);
    int status = 0;
    WF_EXPECT(comes(&terminal, true));
    kill(child, SIGTSTP);
    WF_EXPECT(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    WF_EXPECT(!is_raw(&terminal));
    kill(child, SIGCONT);
    WF_EXPECT(comes(&terminal, true));
    kill(child, SIGTERM);
    WF_EXPECT(waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
    WF_EXPECT(!is_raw(&terminal));
    close_terminal(&terminal);
}

WF_TEST(signals_that_the_program_handles_stay_its_own, .real = true)
{
    struct terminal terminal;
    struct wf_stream *keys;
    struct sigaction action;
    if (!open_terminal(&terminal)) return close_terminal(&terminal);
    signal(SIGHUP, SIG_IGN);
    if (WF_EXPECT_CODE(open_keys(&terminal, &keys), 0)) {
        WF_EXPECT_CODE(wf_tty_raw(keys), 0);
        sigaction(SIGHUP, NULL, &action);
        WF_EXPECT(action.sa_handler == SIG_IGN);
        sigaction(SIGQUIT, NULL, &action);
        WF_EXPECT(action.sa_handler != SIG_DFL);
        wf_stream_close(keys);
        sigaction(SIGQUIT, NULL, &action);
        WF_EXPECT(action.sa_handler == SIG_DFL);
    }
    signal(SIGHUP, SIG_DFL);
    close_terminal(&terminal);
}

/* ---- Serial ports ---- */

WF_TEST(a_serial_port_is_a_stream_of_bytes_as_they_are, .real = true)
{
    struct terminal terminal;
    struct wf_stream *port = NULL;
    struct termios mode;
    char text[8] = "";
    if (!open_terminal(&terminal)) return close_terminal(&terminal);
    int rc = wf_serial_open(terminal.path, &port, .baud = 9600, .stop_bits = 2, .shared = true);
    if (WF_EXPECT_CODE(rc, 0)) {
        tcgetattr(terminal.slave, &mode);
        WF_EXPECT(cfgetospeed(&mode) == B9600 && (mode.c_cflag & CSIZE) == CS8 && (mode.c_cflag & CSTOPB));
        WF_EXPECT_CODE(wf_stream_write_all(port, "a\nb", 3, NULL), 0);
        WF_EXPECT(read(terminal.master, text, sizeof text) == 3 && memcmp(text, "a\nb", 3) == 0);
        WF_EXPECT(write(terminal.master, "\r\x03", 2) == 2);
        WF_EXPECT_CODE(wf_stream_read_full(port, text, 2, NULL), 0);
        WF_EXPECT(memcmp(text, "\r\x03", 2) == 0);
        WF_EXPECT_CODE(wf_within(WF_MILLISECONDS(5), (int)wf_stream_read(port, text, 1)), -ETIME);
        wf_stream_close(port);
    }
    close_terminal(&terminal);
}

WF_TEST(what_a_serial_port_cannot_be_is_said, .real = true)
{
    struct wf_stream *port = NULL;
    WF_EXPECT_FAILURE(wf_serial_open("/dev/none", &port), -ENOENT, "/dev/none: No such file");
    WF_EXPECT_FAILURE(wf_serial_open("/dev/null", &port), -ENOTTY, "/dev/null: not a serial port");
    WF_EXPECT_FAILURE(wf_serial_open("/dev/null", &port, .baud = 9601), -EINVAL, "no rate of 9601 baud");
    WF_EXPECT_FAILURE(wf_serial_open("/dev/null", &port, .bits = 9), -EINVAL, "9 bits");
    WF_EXPECT_FAILURE(wf_serial_open("/dev/null", &port, .stop_bits = 3), -EINVAL, "3 stop bits");
    WF_EXPECT_CODE(wf_serial_open(NULL, &port), -EINVAL);
    WF_EXPECT(port == NULL);
}

WF_TEST(a_simulated_world_has_no_serial_ports, .simulated = true)
{
    struct wf_stream *port = NULL;
    WF_EXPECT_FAILURE(wf_serial_open("/dev/null", &port), -EOPNOTSUPP, "no serial ports in a simulated world");
}

WF_TEST_MAIN
