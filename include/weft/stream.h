/*
 * A stream of bytes, whatever it runs over: a TCP connection, a pipe, standard input.
 *
 *     ssize_t got;
 *     while ((got = wf_stream_read(conn, buffer, sizeof buffer)) > 0)
 *         if (wf_stream_write_all(conn, buffer, (size_t)got, NULL) < 0) break;
 *     wf_stream_close(conn);
 *
 * At most one task reads and one writes at a time: another gets -EBUSY at once, not interleaved bytes.
 * A buffer may live on the caller's stack: no call returns while the kernel still uses it.
 * Threads: the loop that opened the stream.
 */
#ifndef WEFT_STREAM_H
#define WEFT_STREAM_H

#include <sys/uio.h>
#include <weft/base.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_address;
struct wf_stream;

struct wf_stream_statistics {
    uint64_t bytes_read, bytes_written;
    uint64_t reads, writes; /* that moved some */
};

/*
 * Reads what is there, at least one byte and at most `size`. Returns the count; 0 at the end of the stream.
 * Suspends: until bytes, the end or an error. On cancel: nothing was consumed.
 * Errors: -ECANCELED, -EBADF when the stream was closed meanwhile, -EBUSY, the system's.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_stream_read(struct wf_stream *stream, void *buffer, size_t size);

/*
 * Reads exactly `size` bytes. `*done` (may be NULL) is how many came, also on failure. Returns 0.
 * Suspends: until all came. On cancel: `*done` bytes were consumed. Errors: as read; WF_EEND when the stream ended
 * first.
 */
WF_API WF_SUSPENDS WF_CHECKED int wf_stream_read_full(struct wf_stream *stream, void *buffer, size_t size,
                                                      size_t *done);

/*
 * Writes some bytes, at least one. Returns the count.
 * Suspends: until the system took some. On cancel: nothing was sent. Errors: as read; -EPIPE when the peer is gone.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_stream_write(struct wf_stream *stream, const void *bytes, size_t size);

/*
 * Writes all bytes. `*done` (may be NULL) is how many went out, also on failure. Returns 0.
 * Suspends: until all are taken. On cancel: `*done` bytes were sent, and if that is some but not all, the stream is
 * broken for writing: later writes give -EPIPE. Errors: as write.
 */
WF_API WF_SUSPENDS int wf_stream_write_all(struct wf_stream *stream, const void *bytes, size_t size, size_t *done);

/*
 * The same with bytes in several places, in their order: writev(2). Empty parts are fine.
 * Suspends: as above. On cancel: as above.
 * Errors: as above; -EINVAL for a negative count or more than SSIZE_MAX bytes.
 */
WF_API WF_SUSPENDS WF_CHECKED ssize_t wf_stream_writev(struct wf_stream *stream, const struct iovec *parts, int count);
WF_API WF_SUSPENDS int wf_stream_writev_all(struct wf_stream *stream, const struct iovec *parts, int count,
                                            size_t *done);

/*
 * The polite end of the sending side: the peer reads the end of the stream; reading goes on.
 * Suspends: never for plain sockets and pipes. On cancel: nothing was said to the peer. Errors: -ENOTCONN, -EBADF.
 */
WF_API WF_SUSPENDS int wf_stream_shutdown(struct wf_stream *stream);

/*
 * Closes at once, in any state; NULL is ignored. Calls that other tasks have pending on it end with -EBADF. The pointer
 * is dead afterwards. Suspends: never.
 */
WF_API void wf_stream_close(struct wf_stream *stream);

/*
 * The same without a goodbye: what was written and is still on its way is thrown away, and the peer of a TCP connection
 * gets a reset, -ECONNRESET. Anything else than TCP is just closed. Suspends: never.
 */
WF_API void wf_stream_abort(struct wf_stream *stream);

/*
 * Copies from one stream to another until the first has ended or `size_max` bytes have passed; UINT64_MAX: all there
 * are. `*done` (may be NULL) is how many have reached the second, also on failure. Returns 0. Between sockets and pipes
 * the kernel moves the bytes, elsewhere a buffer does. Both streams are busy until it returns: one for who reads, the
 * other for who writes. What a wf_reader holds of the first is not copied; write that before.
 * Suspends: as reading and writing do. On cancel: `*done` bytes have passed; where some were read that could not be
 * written any more, the second stream is broken for writing: later writes give -EPIPE.
 * Errors: -ECANCELED, -EBUSY, -ENOMEM; the first stream's, the second's.
 */
WF_API WF_SUSPENDS int wf_stream_copy(struct wf_stream *from, struct wf_stream *to, uint64_t size_max, uint64_t *done);

/* Suspends: never. */
WF_API void wf_stream_statistics(const struct wf_stream *stream, struct wf_stream_statistics *statistics);

/* The descriptor underneath, to ask or to set options; -1 when there is none. It stays the stream's. */
WF_API int wf_stream_fd(const struct wf_stream *stream);

/*
 * Where it is connected to, and from where (weft/address.h). Of a Unix socket without a name that is "unix:".
 * Suspends: never. Errors: -EOPNOTSUPP for what is no socket; -ENOTCONN.
 */
WF_API int wf_stream_peer(const struct wf_stream *stream, struct wf_address *address);
WF_API int wf_stream_local(const struct wf_stream *stream, struct wf_address *address);

/*
 * A stream over a descriptor of yours. Suspends: never. Owns: wf_stream_close, which closes the descriptor too; after a
 * failure the descriptor is still yours. Errors: -EBADF, -ENOMEM, -EMFILE; -EOPNOTSUPP for a real socket or pipe in a
 * simulated world (weft/sim.h).
 */
WF_API int wf_stream_wrap(int fd, struct wf_stream **stream);

/*
 * Closes a descriptor that no stream has yet: close(2), and for those that came to a task of a simulated world, whose
 * numbers mean nothing to the system, the same there. A negative one is ignored. Suspends: never.
 */
WF_API void wf_close_fd(int fd);

/*
 * A pipe: what is written to one end is read from the other.
 * Suspends: never. Owns: wf_stream_close, for each end. Errors: -EMFILE, -ENFILE, -ENOMEM.
 */
WF_API int wf_pipe(struct wf_stream **reader, struct wf_stream **writer);

/*
 * Two ends of a connection in memory: what is written to one is read from the other, both ways, without the kernel.
 * Each direction holds `capacity` bytes before its writer waits. When one end closes, the other reads what is left,
 * then the end; its writing gives -EPIPE.
 * Suspends: never. Owns: wf_stream_close, for each end.
 * Errors: -EINVAL for a capacity of 0 or more than 1 GiB, -ENOMEM.
 */
WF_API int wf_stream_pair(size_t capacity, struct wf_stream **a, struct wf_stream **b);

/*
 * Standard streams, as streams of their own over duplicates: closing one leaves descriptors 0 to 2 alone.
 * Suspends: never. Owns: wf_stream_close.
 */
WF_API int wf_stdin(struct wf_stream **stream);
WF_API int wf_stdout(struct wf_stream **stream);
WF_API int wf_stderr(struct wf_stream **stream);

enum wf_readiness {
    WF_READABLE = 1,
    WF_WRITABLE = 2,
};

/*
 * Waits until a descriptor of yours is ready; for foreign libraries. Returns the readiness that was found, errors and
 * hang-ups included as ready.
 * Suspends: until ready. On cancel: nothing. Errors: -ECANCELED, -EBADF, -EINVAL.
 */
WF_API WF_SUSPENDS int wf_wait_fd(int fd, unsigned readiness);

/* Whether it is ready now: the readiness that was found, 0 for none. Suspends: never. Errors: -EBADF, -EINVAL. */
WF_API int wf_poll_fd(int fd, unsigned readiness);

/* ---- What readers and writers stand on: private ---- */

/* Bytes between a stream and its user: those from `first_` to `end_`; one more than `room_` are allocated. */
struct wf_bytes_ {
    char *data_;
    size_t first_, end_, room_;
};

#ifdef __cplusplus
}
#endif
#endif
