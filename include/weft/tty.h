/*
 * Terminals and serial ports, as streams.
 *
 *     struct wf_stream *keys;
 *     int rc = wf_stdin(&keys);
 *     if (rc == 0) rc = wf_tty_raw(keys);                  // every key at once, and unseen
 *     char key;
 *     while (rc == 0 && wf_stream_read(keys, &key, 1) == 1 && key != 'q') show(key);
 *     wf_stream_close(keys);                               // the terminal is as it was before
 *
 * A terminal in raw mode is put back however the program ends: by wf_tty_restore, when the stream is closed, at exit(),
 * and when a signal kills the process (HUP, INT, QUIT, TERM where the program has left them at their default; ABRT,
 * SEGV, BUS, FPE, ILL always). While the process is stopped by TSTP the terminal is as it was, and raw again after
 * that. Only _exit, KILL and STOP leave no time for it; wf_tty_reset is for signal handlers of the program's own.
 * Threads: the loop that opened the stream.
 */
#ifndef WEFT_TTY_H
#define WEFT_TTY_H

#include <weft/stream.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Puts the terminal under a stream into raw mode: bytes come as they are typed, without echo, and no key makes a
 * signal. Output stays as it is, so that "\n" begins a new line. Raw already: 0. Suspends: never.
 * Errors: -ENOTTY for what is no terminal; -EMFILE when sixteen are raw already; -EBADF; the system's.
 */
WF_API int wf_tty_raw(struct wf_stream *stream);

/* Puts it back to how it was before wf_tty_raw. Not raw: 0. Suspends: never. Errors: the system's. */
WF_API int wf_tty_restore(struct wf_stream *stream);

/* Puts all terminals back; for the program's own handler of a signal that ends it. Safe in any handler, on any thread.
 * Suspends: never. */
WF_API void wf_tty_reset(void);

/* How large the terminal's window is, in characters. Suspends: never. Errors: -ENOTTY. */
WF_API int wf_tty_size(struct wf_stream *stream, int *columns, int *rows);

/*
 * Waits until the window has another size than that, which it then gives; so no change is missed between two calls:
 *
 *     int columns = 0, rows = 0;
 *     while ((rc = wf_tty_wait_resize(keys, &columns, &rows)) == 0) draw(columns, rows);      // at first at once
 *
 * The system tells by SIGWINCH, which goes to the programs in the foreground of that terminal, and is received as by
 * wf_signal_open. Returns 0.
 * Suspends: while the size is that. On cancel: nothing has changed. Closing the stream does not end the wait.
 * Errors: -ENOTTY; -EBADF when it was closed and the size changed; as wf_signal_open.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_tty_wait_resize(struct wf_stream *stream, int *columns, int *rows);

/* ---- Serial ports ---- */

enum wf_parity {
    WF_PARITY_NONE,
    WF_PARITY_EVEN,
    WF_PARITY_ODD,
};

enum wf_flow_control {
    WF_FLOW_NONE,
    WF_FLOW_HARDWARE, /* RTS and CTS */
    WF_FLOW_SOFTWARE, /* XON and XOFF */
};

struct wf_serial_options {
    size_t size; /* filled by the macro */
    struct wf_stream **out_;
    int baud; /* bits a second: one of the system's B... rates; default 115200 */
    int bits; /* of a character, 5 to 8; default 8 */
    enum wf_parity parity;
    int stop_bits; /* 1 or 2; default 1 */
    enum wf_flow_control flow;
    bool shared; /* others may open it too; default: nobody else (TIOCEXCL) */
};

/*
 * wf_serial_open(path, &stream, .baud = 9600, ...): the port as a stream, bytes as they are on the line. The lines of a
 * modem are not looked at (CLOCAL), and what had come before is thrown away.
 * Suspends: never. Owns: wf_stream_close; the system itself may hold that until the port has sent what it was given.
 * Errors, with the path: -ENOENT, -EACCES, -EBUSY, -ENXIO, -ENOTTY for what is no port; -EINVAL for a rate or a number
 * that there is not; -EOPNOTSUPP in a simulated world.
 */
#define wf_serial_open(path, ...)                                                                                      \
    wf_serial_open_((path), &(struct wf_serial_options){.size = sizeof(struct wf_serial_options), .out_ = __VA_ARGS__})

/* ---- What the macro stands on: private ---- */

WF_API int wf_serial_open_(const char *path, const struct wf_serial_options *options);

#ifdef __cplusplus
}
#endif
#endif
