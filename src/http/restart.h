/*
 * A restart without a gap: the successor is the same program, started anew, which inherits the listening sockets.
 *
 *     we                                       the successor
 *       SIGUSR2
 *       start it, with the sockets ---------->   reads its options, opens what it needs
 *       go on                                    listens at the inherited sockets
 *                        <----- "READY=1" ----   by the pipe of $WEFT_READY_FD
 *       drain, end                               goes on
 *
 * Connections that nobody has accepted yet are in the sockets, and so in nobody's hands alone. When the pipe ends
 * without that word, or too much time has passed, the successor is stopped, and we stay.
 */
#ifndef WEFT_HTTP_RESTART_H
#define WEFT_HTTP_RESTART_H

#include <weft/base.h>

struct wf_app;

/*
 * Starts a successor of the app that is served, and waits until it listens. 0: it does; it serves on when we have
 * ended, and Unix sockets keep their file. Errors: of its start; -ECHILD: it ended before; -ETIME.
 */
WF_SUSPENDS int restart_app(struct wf_app *app, char **argv);

/* Said by a successor: it listens. Nobody may be waiting. */
void restart_say_ready(void);

#endif
