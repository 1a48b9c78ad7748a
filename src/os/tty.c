/* Terminals and serial ports: their modes. Their bytes are those of any other descriptor. */
#include <weft/tty.h>

#include <fcntl.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>
#include <weft/signal.h>
#include <weft/task.h>

#include "base/memory.h"
#include "base/report.h"
#include "base/terminal.h"
#include "core/loop.h"
#include "net/descriptor.h"

/* ---- Terminals ---- */

int wf_tty_raw(struct wf_stream *stream)
{
    (void)LOOP_ALIVE();
    struct fd_stream *made = fd_stream_from(stream);
    if (made == NULL) return -ENOTTY;
    if (made->terminal > 0) return 0;
    int number = terminal_make_raw(made->desc.fd);
    if (number < 0) return number;
    made->terminal = number;
    return 0;
}

int wf_tty_restore(struct wf_stream *stream)
{
    (void)LOOP_ALIVE();
    struct fd_stream *made = fd_stream_from(stream);
    return made != NULL ? fd_stream_restore(made) : 0;
}

void wf_tty_reset(void)
{
    terminal_restore_all();
}

int wf_tty_size(struct wf_stream *stream, int *columns, int *rows)
{
    struct winsize size;
    int fd = wf_stream_fd(stream);
    if (fd < 0) return -ENOTTY;
    if (ioctl(fd, TIOCGWINSZ, &size) < 0) return -errno;
    *columns = size.ws_col;
    *rows = size.ws_row;
    return 0;
}

/* `receiver` was open before the size is asked for, so a change after that is told. */
static int wait_for_size(struct fd_stream *made, struct wf_signal_receiver *receiver, int *columns, int *rows)
{
    int before[] = {*columns, *rows};
    for (;;) {
        int rc = made->desc.closed ? -EBADF : wf_tty_size(&made->stream, columns, rows);
        if (rc < 0) return rc;
        if (*columns != before[0] || *rows != before[1]) return 0;
        rc = wf_signal_wait(receiver);
        if (rc < 0) return rc;
    }
}

int wf_tty_wait_resize(struct wf_stream *stream, int *columns, int *rows)
{
    (void)LOOP_HERE();
    static const int number = SIGWINCH;
    struct wf_signal_receiver *receiver;
    int rc = wait_check(false);
    if (rc < 0) return rc;
    struct fd_stream *made = fd_stream_from(stream);
    if (made == NULL) return (int)wait_skipped(-ENOTTY);
    rc = wf_signal_open(&number, 1, &receiver);
    if (rc < 0) return (int)wait_skipped(rc);
    made->desc.pending++; /* keeps it while this waits */
    rc = wait_for_size(made, receiver, columns, rows);
    wf_signal_close(receiver);
    desc_leave(&made->desc);
    return (int)wait_skipped(rc);
}

/* ---- Serial ports ---- */

static const struct {
    int baud;
    speed_t speed;
} rates[] = {
    {50, B50},           {75, B75},           {110, B110},         {134, B134},         {150, B150},
    {200, B200},         {300, B300},         {600, B600},         {1200, B1200},       {1800, B1800},
    {2400, B2400},       {4800, B4800},       {9600, B9600},       {19200, B19200},     {38400, B38400},
    {57600, B57600},     {115200, B115200},   {230400, B230400},   {460800, B460800},   {500000, B500000},
    {576000, B576000},   {921600, B921600},   {1000000, B1000000}, {1152000, B1152000}, {1500000, B1500000},
    {2000000, B2000000}, {2500000, B2500000}, {3000000, B3000000}, {3500000, B3500000}, {4000000, B4000000},
};

/* B0, which would hang up: there is no such rate. */
static speed_t speed_of(int baud)
{
    for (size_t i = 0; i < WF_COUNT(rates); i++)
        if (rates[i].baud == baud) return rates[i].speed;
    return B0;
}

static tcflag_t line_of(const struct wf_serial_options *options)
{
    static const tcflag_t sizes[] = {CS5, CS6, CS7, CS8};
    tcflag_t line = CREAD | CLOCAL | sizes[options->bits - 5];
    if (options->parity != WF_PARITY_NONE) line |= PARENB;
    if (options->parity == WF_PARITY_ODD) line |= PARODD;
    if (options->stop_bits == 2) line |= CSTOPB;
    if (options->flow == WF_FLOW_HARDWARE) line |= CRTSCTS;
    return line;
}

static int set_up(int fd, const struct wf_serial_options *options)
{
    struct termios mode;
    if (tcgetattr(fd, &mode) < 0) return -errno;
    cfmakeraw(&mode);
    mode.c_cflag = line_of(options);
    mode.c_iflag &= ~(tcflag_t)(IXON | IXOFF | IXANY);
    if (options->flow == WF_FLOW_SOFTWARE) mode.c_iflag |= IXON | IXOFF;
    mode.c_cc[VMIN] = 1;
    mode.c_cc[VTIME] = 0;
    cfsetspeed(&mode, speed_of(options->baud));
    if (tcsetattr(fd, TCSANOW, &mode) < 0) return -errno;
    if (!options->shared && ioctl(fd, TIOCEXCL) < 0) return -errno;
    return tcflush(fd, TCIFLUSH) < 0 ? -errno : 0;
}

/* Opened without waiting for a carrier, and without becoming the process's own terminal. */
static int open_port(const char *path, const struct wf_serial_options *options, struct fd_stream *stream)
{
    int fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) return wf_fail(-errno, "%s: %s", path, wf_strerror(errno));
    int rc = set_up(fd, options);
    if (rc < 0) {
        close(fd);
        return wf_fail(rc, "%s: %s", path, rc == -ENOTTY ? "not a serial port" : wf_strerror(rc));
    }
    stream->desc.non_blocking = true;
    fd_stream_begin(stream, fd);
    return 0;
}

static int check(const char *path, const struct wf_serial_options *options)
{
    if (current_loop->driver->simulated)
        return wf_fail(-EOPNOTSUPP, "%s: there are no serial ports in a simulated world", path);
    if (speed_of(options->baud) == B0) return wf_fail(-EINVAL, "%s: there is no rate of %d baud", path, options->baud);
    if (options->bits < 5 || options->bits > 8)
        return wf_fail(-EINVAL, "%s: %d bits; a character has 5 to 8", path, options->bits);
    if (options->stop_bits < 1 || options->stop_bits > 2)
        return wf_fail(-EINVAL, "%s: %d stop bits; there are 1 or 2", path, options->stop_bits);
    return 0;
}

int wf_serial_open_(const char *path, const struct wf_serial_options *given)
{
    (void)LOOP_HERE();
    if (given->size != sizeof *given) misuse("wf_serial_open was compiled against another version of weft.");
    struct wf_serial_options options = *given;
    if (path == NULL) return -EINVAL;
    if (options.baud == 0) options.baud = 115200;
    if (options.bits == 0) options.bits = 8;
    if (options.stop_bits == 0) options.stop_bits = 1;
    int rc = check(path, &options);
    if (rc < 0) return rc;
    struct fd_stream *stream = fd_stream_alloc(false, false);
    if (stream == NULL) return -ENOMEM;
    rc = open_port(path, &options, stream);
    if (rc < 0) memory_free(stream);
    else *options.out_ = &stream->stream;
    return rc;
}
