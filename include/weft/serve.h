/*
 * Serving: a task for each connection, as many as may be, until it is told to stop.
 *
 *     static int echo(struct app *app, struct wf_stream *conn)
 *     {
 *         char buffer[2048];
 *         ssize_t got;
 *         while ((got = wf_idle(wf_stream_read(conn, buffer, sizeof buffer))) > 0) {
 *             int rc = wf_stream_write_all(conn, buffer, (size_t)got, NULL);
 *             if (rc < 0) return rc;
 *         }
 *         return (int)got;
 *     }
 *
 *     rc = wf_tcp_listen(NULL, 8080, &listener);
 *     if (rc == 0) rc = wf_serve_streams(listener, echo, &app, .limit = 1000);
 *     wf_listener_close(listener);
 *
 * What goes wrong with a connection, or with accepting one, does not end the server:
 *
 *     the handler failed                          logged and counted
 *     the handler gave -ECONNABORTED              the connection is reset (wf_stream_abort), which is no failure
 *     no descriptors or memory (-EMFILE, ...)     the connection waits in the backlog; the server pauses, 10 ms at
 *                                                 first, 1 s at most, or until one of its connections has ended
 *     no task to be had                           the connection is reset, and the server pauses
 *
 * Each is logged as a line of the module "serve", at most once in five seconds, with how many were not.
 *
 * With .spread = true, in a run of several loops, one accepts and each connection goes to the loop that has the fewest
 * tasks of others: the handler runs there, `arg` is shared between threads, and limit, statistics, log and drain are
 * for all of them together. The other way is a listener for each loop (.reuse_port, wf_everywhere): cheaper where
 * connections are short, and as even as the kernel's hash is.
 *
 * A drain (wf_scope_drain, the first SIGTERM) ends the accepting and the connections that are idle (wf_idle); those
 * that have something under way go on until their handler returns. A cancel cuts them all.
 */
#ifndef WEFT_SERVE_H
#define WEFT_SERVE_H

#include <weft/scope.h>
#include <weft/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

struct wf_serve_statistics {
    uint64_t accepted;  /* connections that have been handled, or are */
    uint64_t open;      /* of these, now */
    uint64_t open_most; /* at any time */
    uint64_t failed;    /* whose handler gave an error, those that were cut by a drain or a cancel aside */
    uint64_t refused;   /* reset, because there was no task for them */
    uint64_t pauses;    /* of the accepting */
};

struct wf_serve_options {
    size_t size; /* filled by the macro */
    const void *arg_;
    uint32_t limit;                         /* connections at once; past it others wait in the backlog; 0: 10,000 */
    const char *name;                       /* of the tasks, and in the log; default "connection" */
    bool spread;                            /* over all loops (weft/loops.h): see below */
    struct wf_serve_statistics *statistics; /* kept up to date there; must outlive the call */
};

/*
 * wf_serve_streams(listener, handler, arg, .option = value, ...) accepts connections and calls
 * `int handler(T *arg, struct wf_stream *conn)` for each, in a task of its own, where `arg` is a T *, which the
 * compiler checks. The stream is closed when the handler has returned. Returns 0 when it was told to stop, by a drain
 * or by closing the listener, and the last connection has ended.
 * Suspends: until then. On cancel: the handlers are cancelled and have ended; the listener stays the caller's.
 * Errors: -ECANCELED; -EINVAL.
 */
#define wf_serve_streams(listener, handler, ...)                                                                       \
    wf_serve_streams_((listener), WF_STREAM_HANDLER_(handler, WF_FIRST_(__VA_ARGS__)),                                 \
                      &(struct wf_serve_options){.size = sizeof(struct wf_serve_options), .arg_ = __VA_ARGS__})

/* ---- What the macro stands on: private ---- */

/* The function as the library calls it, after the compiler has checked it against its argument. */
#define WF_STREAM_HANDLER_(fn, arg)                                                                                    \
    ((void)sizeof(_Generic((fn)((arg), (struct wf_stream *)NULL), int                                                  \
                           : 'i')),                                                                                    \
     (int (*)(void *, struct wf_stream *))(fn))

WF_API WF_SUSPENDS int wf_serve_streams_(struct wf_listener *listener, int (*handler)(void *, struct wf_stream *),
                                         const struct wf_serve_options *options);

#ifdef __cplusplus
}
#endif
#endif
