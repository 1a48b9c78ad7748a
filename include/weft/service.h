/*
 * A program as a service of systemd, by its plain protocols: it says that it is ready, that it stops, what it is
 * doing, that it is alive; and it takes over sockets that were opened for it. No library is needed, and without systemd
 * nothing of this does anything.
 *
 *     static void say_stopping(void *unused) { wf_ignore(wf_notify_stopping()); }
 *
 *     static int run(struct app *app)
 *     {
 *         struct wf_listener *listener;
 *         int rc = wf_inherited_count() > 0 ? wf_listen_inherited("http", 0, &listener)
 *                                           : wf_tcp_listen(NULL, 8080, &listener);
 *         if (rc < 0) return rc;
 *         WF_SCOPE(scope);
 *         rc = wf_scope_on_drain(&scope, say_stopping, app);
 *         if (rc == 0) rc = wf_notify_watchdog(&scope);
 *         if (rc >= 0) rc = wf_notify_ready();
 *         if (rc >= 0) rc = wf_serve_streams(listener, handle, app);
 *         wf_listener_close(listener);
 *         return wf_scope_end(&scope, rc);
 *     }
 *
 * Sources: sd_notify(3), sd_listen_fds(3), sd_watchdog_enabled(3). docs/production.md has the unit file. The variables
 * that all this comes by ($NOTIFY_SOCKET, $WATCHDOG_..., $LISTEN_...) are not passed on to processes that wf_process
 * starts, unless they are put into the environment by hand.
 */
#ifndef WEFT_SERVICE_H
#define WEFT_SERVICE_H

#include <weft/scope.h>
#include <weft/tcp.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Telling the service manager ---- */

/*
 * Says that the start is over, that the end has begun, or one line of text for people. Returns 1, or 0 when nobody asks
 * ($NOTIFY_SOCKET is not set).
 * Suspends: never. Errors: -EINVAL for a text with a line break, or an empty name of the socket; -EAFNOSUPPORT for a
 * socket that is none of Unix; -EAGAIN when it is full; -ENOENT, -ECONNREFUSED, -EACCES, -EMFILE; -ENAMETOOLONG.
 */
WF_API int wf_notify_ready(void);
WF_API int wf_notify_stopping(void);
WF_API int wf_notify_status(const char *text);

/* Any other message, as sd_notify(3) lists them: "RELOADING=1\nMONOTONIC_USEC=...", "EXTEND_TIMEOUT_USEC=...".
 * Suspends: never. Errors: as above. */
WF_API int wf_notify(const char *state);

/*
 * Where a watchdog is asked for ($WATCHDOG_USEC), a daemon of the scope says twice in that time that the program is
 * alive; before each time it asks every loop. So one loop that hangs is enough to be restarted. Returns 1, or 0 when
 * nobody asks.
 * Suspends: never. Errors: -EINVAL for a time that is none; -ECANCELED, -EAGAIN, -ENOMEM.
 */
WF_API int wf_notify_watchdog(struct wf_scope *scope);

/* ---- Sockets that were opened for us ---- */

/* How many there are for this process ($LISTEN_FDS); 0 in a simulated world. Suspends: never. */
WF_API int wf_inherited_count(void);

/*
 * Listens on one of them: number `index`, from 0, among those with the name (FileDescriptorName= of the socket unit),
 * or of all, where it is NULL. Each call gives a descriptor of its own for the same socket, so that each loop can have
 * one. The socket itself stays open: while the program restarts, who connects waits and is not refused.
 * Suspends: never. Owns: wf_listener_close; the file of a Unix socket stays.
 * Errors, with a message: -ENOENT when there is none such; -EINVAL when it is no listening socket of streams; -EMFILE,
 * -ENOMEM.
 */
WF_API WF_CHECKED int wf_listen_inherited(const char *name, unsigned index, struct wf_listener **listener);

#ifdef __cplusplus
}
#endif
#endif
