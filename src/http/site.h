/*
 * What one wf_serve runs: a server on each loop that serves, and the gates, where connections come in.
 *
 *     one loop, or one accepts for all             a gate for each loop
 *       loop 0   gate - server                       loop 0   gate - server
 *       loop 1      \-- server                       loop 1   gate - server
 *       loop 2      \-- server                       loop 2   gate - server
 *
 * A gate is a task of its loop, and closes there what it opened; so is who minds the connections of a server. All of
 * them share the app, which nothing changes any more, and the count of connections per peer.
 */
#ifndef WEFT_HTTP_SITE_H
#define WEFT_HTTP_SITE_H

#include <stdatomic.h>
#include <weft/app.h>

#include "http/connection.h"
#include "http/crowd.h"

struct wf_shared_channel;

enum { LOOPS_MAX = 256, GATES_MAX = 256 };

struct gate {
    struct site *site;
    int loop;
    unsigned index;               /* among the inherited sockets */
    struct wf_listener *listener; /* while it is open; it is of its loop */
};

struct site {
    struct wf_app *app;
    const struct wf_http_serve_options *options;
    int loops; /* that serve */
    unsigned gates_count;
    bool listening;                   /* all gates are open */
    atomic_bool handed_over;          /* to another process, which listens now at the same sockets */
    uint16_t port;                    /* of the first gate */
    struct wf_shared_channel *opened; /* a word from each gate, when it listens */
    struct crowd crowd;
    struct server *servers[LOOPS_MAX];
    struct gate gates[GATES_MAX];
};

/* Until it is drained or cancelled. */
int site_serve(struct site *site);

#endif
